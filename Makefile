# Every target does all its own set-up, on a machine that has Python 3.11 or newer and nothing else.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
WORKERS ?= logical
ARGS ?=
CONTRACT ?= ../shared/contract
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help serve test check contract format docs dashboards bench collector constraints clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: .venv/.runtime ## Start the server on SQLite, at port 4200 (ARGS="--port 4300")
	$(BIN)/lightwell serve $(ARGS)

test: .venv/.dev ## Run the tests on all cores (ARGS="tests/stories -k pause", WORKERS=0 for one process)
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal $(ARGS)

check: .venv/.dev ## Lint, format, types, import contracts, generated documents and dashboards
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check
	$(BIN)/python -m tools.dashboards.generate --check

contract: .venv/.dev ## Compare the served API with the contract (CONTRACT=../shared/contract)
	$(BIN)/python -m docs.contract $(CONTRACT)

format: .venv/.dev ## Mend what can be mended without thinking
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: .venv/.dev ## Write the documents that are made from the code
	$(BIN)/python -m docs.generate

dashboards: .venv/.dev ## Write the dashboards and alert rules that are made from the code
	$(BIN)/python -m tools.dashboards.generate

bench: .venv/.dev ## Compare with the reference server on this machine (ARGS="--quick"); see benchmarks/README.md
	$(BIN)/python -m benchmarks $(ARGS)

collector: ## Build the OpenTelemetry Collector of tools/otelcol, unless it is there, and print where it is (needs Go)
	@$(PYTHON) tools/otelcol/build.py

constraints: .venv/.dev ## Pin what is installed now
	{ sed -n '/^#/p' constraints.txt; $(BIN)/python -m pip freeze --exclude-editable; } > constraints.new
	mv constraints.new constraints.txt

clean: ## Delete what targets have made, the environment included
	rm -rf .venv .venv-reference build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.runtime: pyproject.toml constraints.txt | .venv/bin/python
	$(INSTALL) --editable .
	@touch $@

.venv/.dev: pyproject.toml constraints.txt | .venv/bin/python
	$(INSTALL) --editable '.[dev]'
	@touch .venv/.runtime $@
