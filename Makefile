# Everything a developer runs. `make help` lists the targets.
# The program is pure Go: no C compiler is needed to build or to run it.

export CGO_ENABLED = 0

COMMIT  := $(shell git rev-parse --short HEAD 2>/dev/null)
LDFLAGS := -s -w -X main.commit=$(COMMIT)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

FUZZTIME ?= 1m

.PHONY: help build run test test-fast test-tools fuzz bench lint fmt clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build both programs into bin/
	@mkdir -p bin
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/vneid-sandbox ./rp-example

run: build ## provider + sandbox + portal, seeded, on SQLite under var/; Ctrl-C stops them
	@mkdir -p var
	@trap 'kill $$provider $$portal 2>/dev/null; wait' EXIT INT TERM; \
	./bin/vneid-sandbox serve & provider=$$!; \
	./bin/rp-example & portal=$$!; \
	wait $$provider

test: test-tools ## everything: unit tests, stories, real browser, foreign RPs, PostgreSQL; installs what it needs on Debian/Ubuntu
	go test -tags postgres ./...
	go test -tags e2e,browser,postgres -count=1 -timeout 20m ./e2e/...

test-fast: ## what needs no browser, no PostgreSQL, no npm
	go test ./...

test-tools: ## install what the browser tests need (Debian packages, npm)
	@sh e2e/install-tools.sh

fuzz: ## every fuzz target for FUZZTIME (default 1m)
	@grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do \
	  for target in $$(sed -n 's/^func \(Fuzz[A-Za-z]*\)(.*/\1/p' "$$file"); do \
	    echo "$$(dirname "$$file") $$target"; \
	    go test "$$(dirname "$$file")" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) || exit 1; \
	  done; done

bench: build ## what the provider costs, beside a floor; see bench/README.md
	go build -o bin/bench ./bench
	./bin/bench $(BENCH)

lint: ## gofmt, vet, staticcheck, import rules
	@test -z "$$(gofmt -l . | grep -v node_modules)" || { gofmt -l . | grep -v node_modules; echo 'not gofmt-clean: run make fmt'; exit 1; }
	go vet -tags e2e,browser,postgres ./...
	go run $(STATICCHECK) -tags e2e,browser,postgres ./...
	go test -count=1 .

fmt: ## format the code
	gofmt -w $$(git ls-files '*.go')

clean: ## remove what was built; var/ stays
	rm -rf bin build
