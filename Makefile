# The commands a person types, one place. The work is done by scripts/ and cargo; `make` alone lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Debian keeps mariadbd, nginx and ip outside an ordinary user's PATH.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin

TARGET := $(or $(CARGO_TARGET_DIR),target)
USIPIPO := $(TARGET)/debug/usipipo
DOC := RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps

.PHONY: help demo smoke test fire fuzz bench bench-growth bench-hot lint fmt sqlx check-sqlx picture clean-data

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: ## Everything on this machine: server, database, a Telegram chat in the browser
	@scripts/setup demo
	cargo build --locked --bin usipipo
	@scripts/mariadb run $(USIPIPO) demo $(ARGS)

smoke: ## The demo's story without a browser; fails at the first thing that is wrong
	@scripts/setup demo
	cargo build --locked --bin usipipo
	@scripts/mariadb run $(USIPIPO) demo --smoke $(ARGS)

test: ## Lint, SQL against a real database, docs and all tests (what CI runs)
	@scripts/setup test browser
	cargo fmt --check
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	@scripts/mariadb --fast run scripts/sqlx check
	$(DOC)
	@scripts/fuzz short
	@scripts/mariadb --fast run scripts/run-tests $(ARGS)

fire: ## The long attacks: killed at every fault point, many lives (ARGS narrows them down)
	@scripts/setup test
	@scripts/mariadb --fast run cargo test --locked --test it $(or $(ARGS),fire::) -- --ignored --nocapture --test-threads=1

fuzz: ## Fuzz everything that comes in from outside, long (ARGS is the seconds for each target, and targets)
	@scripts/setup build
	@scripts/fuzz long $(or $(ARGS),600)

bench: ## Speed: a release build under load beside a minimal handler (ARGS: rounds and scenes, e.g. "3 crowd")
	@scripts/setup build database
	@scripts/mariadb --bench run cargo bench --locked --bench load -- $(ARGS)

bench-growth: ## A database of a million people and a server with 5,000 tunnels (ARGS: crowd, tunnels)
	@scripts/setup build database tunnel
	@scripts/mariadb --bench run cargo bench --locked --bench growth -- $(ARGS)

bench-hot: ## The hot pure parts alone: time and allocations of each; fails when one allocates more than it may
	@scripts/setup build
	cargo bench --locked --bench hot -- $(ARGS)

lint: ## Formatting, clippy and documentation, with warnings denied
	cargo fmt --check
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo clippy --locked --all-targets -- -D warnings
	$(DOC)

fmt: ## Format the code
	cargo fmt
	cargo fmt --manifest-path fuzz/Cargo.toml

sqlx: ## Rewrite .sqlx/, what the build knows of the database, after a change of SQL
	@scripts/setup build database
	@scripts/mariadb --fast run scripts/sqlx write

check-sqlx: ## Fail when .sqlx/ is not what `make sqlx` would write
	@scripts/setup build database
	@scripts/mariadb --fast run scripts/sqlx check

picture: ## Take docs/demo.png, the picture in README, anew
	@scripts/setup test browser
	@scripts/mariadb --fast run scripts/run-tests page::chats::two_people_side_by_side
	cp $(TARGET)/tmp/page/demo.png docs/demo.png

clean-data: ## Throw the demo's database away
	@scripts/mariadb reset
