# Doors to `cargo xtask`; nothing is done here that it does not do alone.
# The control plane needs no wire types: its targets build xtask without them, so that they start at once.
XTASK := cargo xtask
PLAIN_XTASK := cargo run --quiet --locked --package xtask --no-default-features --

.DEFAULT_GOAL := help
.PHONY: help run bench setup-envtest setup-cluster build test test-unit test-integration test-system scenarios mutants sweeps lint fmt manifests verify-generated ci

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Watch a fleet in a local cluster (STORY=rollout|stuck|scale|rollback)
	@$(PLAIN_XTASK) run $(if $(STORY),--story $(STORY)) $(ARGS)

bench: ## Measure the shipped operator; figures and a plot go to target/bench
	@$(PLAIN_XTASK) bench $(ARGS)

setup-envtest: ## Build etcd and kube-apiserver into the cache, once
	@$(PLAIN_XTASK) binaries envtest

setup-cluster: ## Build controller-manager, scheduler, kubectl and kwok too
	@$(PLAIN_XTASK) binaries cluster

build: ## Build the operator for release
	@cargo build --release --locked --package sei-operator

test: ## Run every test and print one summary
	@$(PLAIN_XTASK) test

test-unit: ## Run the tests that need nothing but Rust
	@$(PLAIN_XTASK) test unit

test-integration: ## Run the tests that need etcd and kube-apiserver
	@$(PLAIN_XTASK) test integration

test-system: ## Run the tests that need the whole local cluster
	@$(PLAIN_XTASK) test system

scenarios: ## Run the five scenarios alone and say how long each took
	@$(PLAIN_XTASK) scenarios

mutants: ## Break the operator on purpose and see each break caught
	@$(PLAIN_XTASK) mutants $(ARGS)

sweeps: ## Kill the operator at each of its writes, fail each of its requests
	@$(PLAIN_XTASK) sweeps $(ARGS)

lint: ## Check format, clippy and the house rules
	@$(PLAIN_XTASK) lint

fmt: ## Format the sources
	@cargo fmt --all

manifests: ## Write the generated files under config/
	@$(XTASK) codegen

verify-generated: ## Fail when a generated file differs from the code
	@$(XTASK) codegen --check

ci: ## Run all that CI runs
	@$(PLAIN_XTASK) ci
