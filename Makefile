# Everything runs from .venv, which the first target makes; a fresh machine needs Python 3.11+, make and a network.
PYTHON ?= python3
BIN := .venv/bin
# Bytecode is kept even where the machine says not to: without it every process compiles everything again.
export PYTHONDONTWRITEBYTECODE :=
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard config/locale/*/LC_MESSAGES/*.po))
READY := .venv/.installed $(CATALOGUES)

.DEFAULT_GOAL := help
.PHONY: help demo test test-spark serve check bench

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-11s %s\n' "$$name" "$$text"; done

demo: $(READY) ## Run the main job on real data, from declared use to statements
	$(BIN)/python manage.py demo

test: $(READY) ## Run the whole suite against real services
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadgroup

test-spark: $(READY) .venv/.spark ## Run the main job on a Spark cluster of this machine, beside DuckDB
	TEST_SPARK=1 $(BIN)/pytest -n0 tests/spark tests/licensing/test_engine_contract.py

serve: $(READY) ## Open the portals: web, worker, beat and services; Ctrl-C stops all
	$(BIN)/python manage.py serve

check: $(READY) ## Lint, types, layers, migrations, OpenAPI
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null

bench: $(READY) ## Measure 10 million lines end to end, beside the bare parse
	$(BIN)/python -m benchmarks

.venv/.installed: requirements.lock
	@echo "Installing into .venv …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=…")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@touch $@

.venv/.spark: .ci/spark.lock .venv/.installed
	@command -v java >/dev/null || { echo "Apache Spark needs a JRE, 17 or later (Debian: default-jre-headless)."; exit 1; }
	@echo "Installing Apache Spark into .venv …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .ci/spark.lock
	@touch $@

%.mo: %.po .venv/.installed
	@$(BIN)/python -m config.messages $<
