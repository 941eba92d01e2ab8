# Targets set up what they need. "make help" lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Using it

.PHONY: lab
lab: ## A client, a switch that misbehaves and a server on this machine, without Kubernetes (needs root)
	@echo "Building bin/tcpprobe." >&2
	@go build -o bin/ ./cmd/tcpprobe
	@bin/tcpprobe lab

.PHONY: demo
demo: setup-cluster ## A real cluster, a switch that breaks, what the operator says of it; KEEP=1 keeps it (needs root)
	@test/demo/demo.sh

.PHONY: image
image: ## dist/tcpprobe-image.tar: manager and prober; PLATFORMS="linux/amd64 linux/arm64" for both
	@build/image.sh

.PHONY: release release-check
release: ## dist/tcpprobe-VERSION/: image, command, chart, manifests, SPDX, checksums; SIGN="COMMAND" signs them
	@build/release.sh
release-check: ## Makes a release twice, in two folders, and compares all bytes
	@build/reproducible.sh

.PHONY: cluster-up cluster-down cluster-status
cluster-up: setup-cluster ## Three Kubernetes nodes on this machine (needs root)
	@test/cluster/up.sh
cluster-down: ## End them and remove everything
	@test/cluster/down.sh
cluster-status: ## Do they run, and how to use them
	@test/cluster/status.sh

# Changing it

.PHONY: test test-unit test-net test-guest test-envtest test-e2e
test: setup ## Everything that must pass (needs root)
	@test/run.sh
test-unit: setup-checks ## Unit tests and the seeds of the fuzz targets
	@test/run.sh unit
test-net: setup-servers ## Tests in network namespaces (needs root)
	@test/run.sh net
test-guest: setup-guests ## Tests against other kernels, in software emulation
	@test/run.sh guest
test-envtest: setup-cluster ## Tests against a real API server
	@test/run.sh envtest
test-e2e: setup-cluster ## Tests on the three nodes (needs root)
	@test/run.sh e2e

.PHONY: golden
golden: setup ## What users see, compared with test/golden/testdata, all of it; GOLDEN=-update writes it (needs root)
	@KUBEBUILDER_ASSETS=$$(test/cluster/build.sh) \
		go -C test/golden test -tags net,envtest -count 1 -timeout 60m -whole $(GOLDEN)

.PHONY: hosts
hosts: setup-servers ## Every scenario against hosts and devices with habits of their own (needs root)
	@go test -vet=off -tags net -count 1 -parallel 8 -timeout 30m -v ./test/hosts -whole | \
		grep -E '^ *--- |^(ok|FAIL)|cells were asked|want |flows are left|waited|no report|than 2 %|panic:'

.PHONY: generate verify lint
generate: setup-checks ## Write what is generated: eBPF objects, deep copies, CRD, roles, chart
	@go generate ./...
verify: setup-checks ## Generated files, format, vet, linters, scripts, manifests, length of lines
	@build/verify.sh
lint: ## Only the linters and the boundaries between packages
	@build/verify.sh linted
	@build/verify.sh bounded

.PHONY: vulncheck
vulncheck: ## Known vulnerabilities that this code reaches, from Go's database
	@build/vulncheck.sh

.PHONY: fuzz soak campaign
fuzz: ## Each fuzz target for FUZZTIME (30s), beyond its seeds; FOR=10m shares that time among them
	@test/fuzz.sh
soak: ## Random lives of runs in virtual time: SEEDS=N (1000) FROM=K (1) JSON=FILE
	@test/soak.sh
campaign: ## Many runs under loss, bursts and reordering; RUNS=N in each of 13 rounds (needs root)
	@go build -o bin/ ./cmd/tcpprobe
	@bin/tcpprobe lab --campaign $(if $(RUNS),--runs $(RUNS))
	@bin/tcpprobe lab --campaign --with push-at-zero $(if $(RUNS),--runs $(RUNS))

# Packages, or files of one, whose tests are tested. Pure ones: a mutant costs a run of the package's unit tests.
MUTATED ?= probe/verdict probe/plan controllers/target controllers/limits controllers/schedule controllers/conditions

.PHONY: mutate
mutate: ## Changes the code in one place after another and lists what no test notices; MUTATED="PACKAGE..."
	@go -C build run ./mutate -C .. -equivalent build/mutate/equivalent.txt $(MUTATEFLAGS) $(MUTATED)

.PHONY: bench bench-cluster bench-scale
bench: ## This engine beside the well-known Python packet tool: rates, round trips, start, memory (needs root)
	@test/setup.sh bench
	@CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o bin/ ./cmd/tcpprobe ./bench
	@bin/bench
bench-cluster: setup-cluster ## From kubectl apply to the verdict: time, processor, memory (needs root)
	@test/run.sh bench
bench-scale: ## A thousand fake nodes and TCPProbes: time, writes, memory (20 minutes)
	@go build -o bin/ ./test/scale
	@bin/scale

.PHONY: clean
clean: ## Remove what was built here; the cache with Kubernetes stays
	rm -rf bin dist

.PHONY: setup setup-cluster setup-guests setup-servers setup-checks
setup:
	@test/setup.sh
setup-cluster:
	@test/setup.sh cluster
setup-guests:
	@test/setup.sh guests
setup-servers:
	@test/setup.sh servers checks
setup-checks:
	@test/setup.sh checks
