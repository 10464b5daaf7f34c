# `make` without a target lists the targets.

SHELL      := /bin/bash
.SHELLFLAGS := -euo pipefail -c

COFFER   := bin/coffer
SERVE    := server --data ./data
DEV      := dev
FUZZTIME ?= 60s
ROUNDS   ?= 50
PKG      := ./...

GOTEST   := CGO_ENABLED=1 go test -race -shuffle=on -timeout 20m
LINT     := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VULN     := go run golang.org/x/vuln/cmd/govulncheck@v1.9.0

NEED_GO  := command -v go >/dev/null || { echo "Go is not in PATH; go.mod names the version that is needed" >&2; exit 1; }
HEADING  := printf '\n=== %s ===\n'

.DEFAULT_GOAL := help
.PHONY: help build run dev test quick e2e setup vet fmt lint fuzz bench crash vuln clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build bin/coffer: one static binary
	@$(NEED_GO)
	CGO_ENABLED=0 go build -trimpath -o $(COFFER) ./cmd/coffer

run: build ## Build and serve https://127.0.0.1:9443 from ./data (SERVE= other arguments)
	./$(COFFER) $(SERVE)

dev: build ## Build and serve http://127.0.0.1:9180 from memory, for tests of your own
	./$(COFFER) $(DEV)

test: setup vet ## Install what the tests need and run all of them
	@$(HEADING) "Tests with the race detector"
	$(GOTEST) ./...
	@$(MAKE) --no-print-directory e2e

quick: ## Run the tests of PKG without the race detector
	@$(NEED_GO)
	go test -shuffle=on $(PKG)

e2e: setup ## Run official clients against the built program
	@$(HEADING) "End to end, with official clients"
	cd e2e && go vet ./... && $(GOTEST) -count=1 ./...

setup: ## Install what the tests need; nothing to do means nothing said
	@$(NEED_GO)
	@scripts/setup-tests.sh

vet: ## Check formatting, and what the compiler lets pass
	@$(HEADING) "Formatting and go vet"
	@unformatted="$$(gofmt -l .)"; if [ -n "$$unformatted" ]; then echo "run make fmt; not formatted:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	cd examples/rotation-function/go && go vet ./...

fmt: ## Format the sources
	gofmt -w .

lint: ## Run the linters of .golangci.yml
	@if command -v golangci-lint >/dev/null; then golangci-lint run $(PKG); else $(LINT) run $(PKG); fi

fuzz: ## Fuzz every target for FUZZTIME (60s)
	@FUZZTIME=$(FUZZTIME) scripts/fuzz.sh $(PKG)

bench: build ## Measure the server; the method is in docs/benchmarks.md
	go run ./bench

crash: ## Kill the server ROUNDS times (50) while it writes, and look for losses
	COFFER_CRASH_ROUNDS=$(ROUNDS) go test -count=1 -v -timeout 2h ./crash/...

vuln: ## Look for known vulnerabilities in what is reachable
	$(VULN) ./...

clean: ## Remove what was built; data stays
	rm -rf bin
