# Everything a developer runs. `make help` lists the targets.
# The program is pure Go: no C compiler is needed to build or to run it.

export CGO_ENABLED = 0

COMMIT  := $(shell git rev-parse --short HEAD 2>/dev/null)
LDFLAGS := -s -w -X main.commit=$(COMMIT)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

FUZZTIME ?= 1m
# Empty where there is no C compiler, which the race detector needs.
GCC := $(shell command -v gcc || command -v cc || command -v clang)

.PHONY: help build careless run test test-fast test-tools race fuzz truth-table bench lint fmt clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build both programs into bin/
	@mkdir -p bin
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/vneid-sandbox ./rp-example

careless: ## bin/rp-careless: the sample portal with every mistake of real ones, for teaching (docs/careless.md)
	@mkdir -p bin
	go build -trimpath -tags careless -ldflags '$(LDFLAGS)' -o bin/rp-careless ./rp-example

run: build ## provider + sandbox + portal, seeded, on SQLite under var/; Ctrl-C stops them
	@mkdir -p var
	@trap 'kill $$provider $$portal 2>/dev/null; wait' EXIT INT TERM; \
	./bin/vneid-sandbox serve & provider=$$!; \
	./bin/rp-example & portal=$$!; \
	wait $$provider

test: test-tools ## everything: unit tests, stories, real browser, foreign RPs, PostgreSQL; installs what it needs on Debian/Ubuntu
	go test -tags postgres ./...
	go test -tags careless -run 'Careless|Mistake' ./rp-example
	go test -tags browser ./templates
	go test -tags browser -run RealBrowser ./op
	go test -tags browser ./exam/chromium
	$(MAKE) --no-print-directory race TAGS=postgres
	$(MAKE) --no-print-directory fuzz FUZZTIME=2s
	go test -tags e2e,browser,postgres -count=1 -timeout 30m ./e2e/...

test-fast: ## what needs no browser, no PostgreSQL, no npm
	go test ./...

# SQLite, translated from C to Go, takes minutes to instrument, runs ten times
# slower then, and its memory is none that the detector knows; so that one
# package is left out. Not more of modernc.org/...: a package that is not
# instrumented makes its own copies of generic functions, sync.Map's among them,
# the linker keeps one copy for all, and the detector then reports races in
# encoding/json and crypto/ecdsa that are none. CGO_CFLAGS is for the SQLite in C
# that gorm's driver links where there is cgo, and that nobody calls.
race: ## the race detector, where there is a C compiler
	@if [ -z '$(GCC)' ]; then echo 'race: LEFT OUT: the race detector needs a C compiler (apt-get install gcc libc6-dev)'; exit 0; fi; \
	set -x; CGO_ENABLED=1 CC='$(GCC)' CGO_CFLAGS='-O0 -g0' \
	go test -race -tags "$(TAGS)" -gcflags=modernc.org/sqlite/lib=-race=false ./vneid/... ./op/... ./storage/... ./sandbox/... ./cmd/... ./rp-example

test-tools: ## install what the browser tests need (Debian packages, npm)
	@sh e2e/install-tools.sh

# A package that links SQLite is fuzzed without coverage guidance: instrumenting
# SQLite takes seven minutes, slows it tenfold and guides the search into it.
# A second try, since Go now and then calls the end of FUZZTIME a failure
# (context deadline exceeded); what was found is kept in testdata and fails again.
fuzz: ## every fuzz target for FUZZTIME (default 1m)
	@mkdir -p bin; binary=$(CURDIR)/bin/fuzz.test; \
	for pkg in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u); do \
	  guided=yes; \
	  if go list -deps -test "$$pkg" | grep -qx modernc.org/sqlite; then guided=; go test -c -o "$$binary" "$$pkg" || exit 1; fi; \
	  for target in $$(cat "$$pkg"/*_test.go | sed -n 's/^func \(Fuzz[A-Za-z]*\)(.*/\1/p'); do \
	    echo "$$pkg $$target"; \
	    once() { if [ $$guided ]; then go test "$$pkg" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME); \
	      else (cd "$$pkg" && "$$binary" -test.run '^$$' -test.fuzz "^$$target\$$" -test.fuzztime $(FUZZTIME) -test.fuzzcachedir $(CURDIR)/bin/fuzz); fi; }; \
	    once || once || exit 1; \
	  done; \
	done

truth-table: ## examine libraries of others with the exam and write docs/truth-table.md; needs make test-tools
	go test -tags e2e -count=1 -timeout 20m -run TestTruthTable ./e2e -args -update

bench: build ## what the provider costs, beside a floor; see bench/README.md
	go build -o bin/bench ./bench
	./bin/bench $(BENCH)

lint: ## gofmt, vet, staticcheck, import rules
	@test -z "$$(gofmt -l . | grep -v node_modules)" || { gofmt -l . | grep -v node_modules; echo 'not gofmt-clean: run make fmt'; exit 1; }
	go vet -tags e2e,browser,postgres ./...
	go vet -tags careless ./rp-example
	go run $(STATICCHECK) -tags e2e,browser,postgres ./...
	go run $(STATICCHECK) -tags careless ./rp-example
	go test -count=1 .

fmt: ## format the code
	gofmt -w $$(git ls-files '*.go')

clean: ## remove what was built; var/ stays
	rm -rf bin build
