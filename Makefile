# The Go tools run with exactly these versions and stay out of go.mod.
GOLANGCI_LINT = go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOFUMPT       = go run mvdan.cc/gofumpt@v0.12.0

# What stands in the repository but is made by tests run with -update: help texts, golden trees, the
# schema, RULES.md, the README's table of bridges.
GENERATED = TestSchema|TestHelp|TestGolden|TestRuleCases|TestForeign|TestRulesDoc|TestMan|TestCompletions|TestRenovate|TestBridgesDoc|TestPicture

FUZZTIME ?= 30s
FUZZPARALLEL ?= $(shell nproc 2>/dev/null || echo 2)

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "%-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/stackgen
	CGO_ENABLED=0 go build -trimpath -o bin/stackgen ./cmd/stackgen

.PHONY: test
test: ## Run all tests
	go test -timeout 20m ./...

.PHONY: wasm
wasm: ## Prove the examples in WebAssembly, where there are neither files nor programs (needs node)
	@command -v node >/dev/null || { echo 'node is not on this machine: apt-get install nodejs'; exit 1; }
	GOOS=js GOARCH=wasm go vet ./cmd/prove-wasm
	GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -o bin/prove.wasm ./cmd/prove-wasm
	node cmd/prove-wasm/run.mjs "$$(go env GOROOT)/lib/wasm/wasm_exec.js" bin/prove.wasm examples/*/stack.yaml
	GOOS=js GOARCH=wasm go build -tags nojudge -trimpath -ldflags='-s -w' -o bin/prove-nojudge.wasm ./cmd/prove-wasm
	JUDGE=none node cmd/prove-wasm/run.mjs "$$(go env GOROOT)/lib/wasm/wasm_exec.js" bin/prove-nojudge.wasm examples/minimal/stack.yaml

.PHONY: race
race: ## Run all tests with the race detector (needs a C compiler)
	go test -race -timeout 40m ./...

.PHONY: conformance
conformance: ## Hold what is rendered, and what CI gets, against the programs that read it
	PROJECTS=1000 go test -count=1 -timeout 20m -run TestGenerated -v ./pkg/deployment/compose/project
	conformance/run

.PHONY: mutants
mutants: ## Check MUTANTS (1000) deployments that are broken at random
	MUTANTS=$${MUTANTS:-1000} go test -count=1 -timeout 20m -run TestMutants -v ./pkg/check

.PHONY: imports
imports: ## Take over SPECS (1000) stacks that are rendered from random specs
	SPECS=$${SPECS:-1000} go test -count=1 -timeout 40m -run TestRandomSpecs -v ./pkg/adopt

.PHONY: e2e
e2e: ## Start the example with the real Docker Compose and the real programs (needs root, docker.io, debootstrap); SHORT=-short leaves repetitions out
	cd e2e && go test -tags goolm -v -count=1 -timeout 45m $(SHORT) .

.PHONY: load
load: ## Measure messages per second of the real Synapse with each set of workers (as e2e; a quarter of an hour, on a machine that does nothing else)
	cd e2e && go test -tags goolm -v -count=1 -timeout 60m -run TestLoad . -load

.PHONY: e2e-programs
e2e-programs: ## Build the programs and images of e2e alone
	cd e2e && go test -tags goolm -v -count=1 -timeout 45m -run '^$$' .

.PHONY: e2e-update
e2e-update: ## Write e2e/FAULTS.md again
	cd e2e && go test -tags goolm -v -count=1 -timeout 45m . -update

.PHONY: cluster
cluster: ## Run the reference deployment in a real Kubernetes (needs root, what e2e needs, Debian's nftables, ipset, CNI plugins); SHORT=-short leaves repetitions out
	cd e2e/kubernetes && go test -v -count=1 -timeout 30m $(SHORT) .

.PHONY: cluster-update
cluster-update: ## Write FAULTS.md and FAULTS-workers.md of e2e/kubernetes again
	cd e2e/kubernetes && go test -v -count=1 -timeout 30m . -update

.PHONY: cluster-programs
cluster-programs: ## Build that Kubernetes alone, which takes ten minutes of both processors once
	cd e2e/kubernetes && go test -count=1 -timeout 60m . -programs

.PHONY: lint
lint: ## Check formatting, golangci-lint, vet and each go.mod
	@files="$$($(GOFUMPT) -l .)" || exit 1; \
	if [ -n "$$files" ]; then printf 'not formatted, run make fmt:\n%s\n' "$$files"; exit 1; fi
	$(GOLANGCI_LINT) run
	go vet ./...
	set -e; for module in . conformance conformance/compose conformance/caddy conformance/nginx conformance/traefik conformance/kubernetes e2e e2e/caddy e2e/compose e2e/bridges e2e/kubernetes e2e/kubernetes/programs release; do go -C $$module mod tidy -diff; done

.PHONY: fmt
fmt: ## Format all Go files
	$(GOFUMPT) -w .

.PHONY: generate
generate: ## Write again what tests compare: schema, help texts, golden trees, RULES.md
	@# Only the packages whose tests define -update: the flag is an error to all others.
	@set -e; packages="$$(grep -rlE 'flag\.Bool(Var)?\(.*"update"' --include='*_test.go' cmd pkg | xargs -r -n1 dirname | sort -u)"; \
	test -n "$$packages" || { echo 'no test knows -update'; exit 1; }; \
	set -x; go test $$(printf './%s ' $$packages) -run '$(GENERATED)' -update

.PHONY: upstream
upstream: ## Say what the newest release of each program has that our tables lack (asks the package registries)
	go run ./upstream

.PHONY: licences
licences: ## Write THIRD_PARTY.md: what is linked in, and under which licence
	@mkdir -p bin
	go -C release run ./licences > bin/THIRD_PARTY.md && mv bin/THIRD_PARTY.md .

.PHONY: release-snapshot
release-snapshot: ## Build the archives of a release, with checksums, into dist
	release/snapshot

# DOCKER_COMPOSE=/path/to/docker-compose measures that, too.
.PHONY: bench
bench: build ## Measure whole runs of stackgen against the floor; BENCH=-check fails on what became slower
	CGO_ENABLED=0 go build -trimpath -o bin/floor ./bench/floor
	go run ./bench $(BENCH)

.PHONY: bench-readme
bench-readme: ## Run make bench and put its table into the README
	$(MAKE) bench BENCH='$(BENCH) -readme README.md'

# Outside of the repository, or else its root would be where each tree may be read from.
.PHONY: compare
compare: ## Say where check finds something else than the build at BASE, in each rule case and in all below TREES
	@test -n "$(BASE)" || { echo 'make compare BASE=REF [TREES=DIR...]'; exit 1; }
	@set -e; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; mkdir $$dir/base $$dir/trees; \
	git archive "$(BASE)" | tar -x -C $$dir/base; \
	go build -C $$dir/base -o $$dir/old ./cmd/stackgen; \
	go build -o $$dir/new ./cmd/stackgen; \
	go build -o $$dir/compare ./bench/compare; \
	go test -count=1 ./pkg/check -run TestWrittenCases -trees $$dir/trees; \
	$$dir/compare -old $$dir/old -new $$dir/new $$dir/trees $(TREES)

.PHONY: check
check: ## Validate every example with the stackgen of this tree
	go run ./cmd/stackgen validate examples/*/stack.yaml

.PHONY: cover
cover: ## Measure test coverage into bin/cover.html
	@mkdir -p bin
	go test -coverpkg=./... -coverprofile=bin/cover.out ./...
	go tool cover -func=bin/cover.out | tail -n 1
	go tool cover -html=bin/cover.out -o bin/cover.html

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (30s) on FUZZPARALLEL processors
	@set -e; for file in $$(grep -rl '^func Fuzz' --include='*_test.go' cmd pkg); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file"); do \
			echo "$$target in $$(dirname "$$file")"; \
			go test "./$$(dirname "$$file")" -run xxx -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x -parallel $(FUZZPARALLEL); \
		done; \
	done

.PHONY: crash
crash: ## Let every system call of a render fail, and kill it there: every file stays whole; CALLS=5 takes every fifth
	STACKGEN_EVERY_CALL=$${CALLS:-1} go test -count=1 -timeout 30m -run 'TestInterrupted|TestDiskFull|TestReadOnly' -v ./cmd/stackgen

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin
