# Everything a developer runs. `make help` lists the targets.
# The program is pure Go: no C compiler is needed to build or to run it.

export CGO_ENABLED = 0

COMMIT  := $(shell git rev-parse --short HEAD 2>/dev/null)
LDFLAGS := -s -w -X main.commit=$(COMMIT)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: help build run test test-fast test-tools bench lint fmt clean

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

test: test-tools ## everything: unit tests, stories, real browser, foreign relying parties; installs what it needs on Debian/Ubuntu
	go test ./...
	go test -tags e2e,browser -count=1 -timeout 20m ./e2e/...

test-fast: ## what needs no browser and no npm
	go test ./...

test-tools: ## install what the browser tests need (Debian packages, npm)
	@sh e2e/install-tools.sh

bench: ## the benchmarks
	go test -run '^$$' -bench . -benchmem ./storage ./op

lint: ## gofmt, vet, staticcheck, import rules
	@test -z "$$(gofmt -l . | grep -v node_modules)" || { gofmt -l . | grep -v node_modules; echo 'not gofmt-clean: run make fmt'; exit 1; }
	go vet ./...
	go vet -tags e2e,browser ./e2e/...
	go run $(STATICCHECK) -tags e2e,browser ./...
	go test -count=1 .

fmt: ## format the code
	gofmt -w $$(git ls-files '*.go')

clean: ## remove what was built; var/ stays
	rm -rf bin build
