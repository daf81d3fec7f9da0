# The commands of the house. `make help` says what each does.
SHELL := bash
# What is run and tested; with the benchmarks' programs, linking takes twice as long.
release = . scripts/env && cargo build --release --locked --package beaconry-collector --package beaconry-bench-collector \
	--bin beaconry --bin beaconry-bench-instructions

.PHONY: help setup engine build benchmarks run test test-browsers test-api test-zapier test-faults soak fuzz screenshots docs bench-snippet bench-console bench-collector bench-instructions bench-profiles fmt

help: ## What each command does
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' Makefile | expand -t 24

setup: ## Install what is missing to build
	@scripts/setup build

engine: setup ## Build the engine that snippets load
	@scripts/build-engine

build: engine ## Set up and build target/release/beaconry
	@$(release)

run: build ## Start Beaconry with two events and a demo shop
	@scripts/run

test: ## Set up and run every check and test
	@scripts/setup test
	@scripts/build-engine
	@$(release)
	@scripts/test

test-browsers: ## Run the essential tests in Firefox and WebKit
	@scripts/setup browsers
	@scripts/build-engine
	@$(release)
	@scripts/test-browsers

test-faults: build ## Run the long fault tests: 100 kills, 100 power cuts, a flood, hostile clients
	@scripts/setup test
	@scripts/test-faults

soak: build ## Twenty minutes at half load with everything going on (BEACONRY_SOAK_MINUTES for another length)
	@scripts/setup test
	@scripts/test-faults soak

fuzz: engine ## Fuzz each target ten million times (BEACONRY_FUZZ_RUNS for another number); rewrites its part of BENCHMARKS.md
	@scripts/setup fuzz
	@scripts/fuzz

screenshots: build ## Take the pictures of README anew
	@scripts/setup test
	@scripts/screenshots

benchmarks: build
	@. scripts/env && cargo build --release --locked $(addprefix --package beaconry-,collector bench-console bench-collector bench-profiles)

bench-snippet: build ## Measure the snippet beside today's trackers; rewrites its part of BENCHMARKS.md
	@scripts/bench-snippet

bench-console: benchmarks ## Time the console's pages with ten million events; rewrites its part of BENCHMARKS.md
	@scripts/bench-console

bench-collector: benchmarks ## Measure the collector beside a bare Hyper and nginx; rewrites its part of BENCHMARKS.md
	@scripts/bench-collector

bench-instructions: build ## Count the instructions that a beacon takes, and hold them against what they were
	@scripts/setup test
	@scripts/bench-instructions

docs: ## Write docs/api.md anew, from the code
	@. scripts/env && BEACONRY_WRITE_DOCS=1 cargo test --quiet --package beaconry-www the_document_is_what_the_operations_say

test-api: build ## Try the API with generated requests, and hold every answer against its description
	@scripts/test-api

test-zapier: build ## Check the Zapier app, and run its tests against the real server
	@scripts/test-zapier

bench-profiles: benchmarks ## Measure 100,000 profiles with 5 million events; rewrites its part of BENCHMARKS.md
	@target/release/beaconry-bench-profiles target/release/beaconry

fmt: ## Format all Rust
	@cargo fmt && cargo fmt --all --manifest-path snippet/Cargo.toml
