# `make` lists the words. Everything lands in .venv, .servers and .stamps of this directory.

BIN := .venv/bin
STAMPS := .stamps
DEMO_ARGS ?=
PYTEST_ARGS ?=
BENCH ?= $(filter-out detection drift tables,$(basename $(notdir $(wildcard bench/[a-z]*.py))))

.DEFAULT_GOAL := help
.PHONY: help setup servers exporters schemas demo test lint format types unit bench wheel constraints clean

help: ## list these words
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMPS)/setup ## make .venv with everything that runs and tests Tidemark

$(STAMPS)/setup: pyproject.toml constraints.txt deploy/make-venv.sh
	@deploy/make-venv.sh
	@mkdir -p $(@D) && touch $@

servers: ## fetch Prometheus, VictoriaMetrics and Alertmanager where they are missing
	@deploy/fetch-servers.sh

exporters: ## fetch what the tests of the packs start: exporters, Redis, PostgreSQL
	@deploy/fetch-servers.sh --exporters

schemas: setup ## fetch the published schemas that the dashboards are compared with
	@deploy/fetch-schemas.sh

demo: setup servers ## the whole thing on this machine, with an incident (DEMO_ARGS="--exit-after-alert")
	@$(BIN)/tidemark demo $(DEMO_ARGS)

test: lint types exporters schemas ## lint, types and every test, with real servers
	@! grep -rqs 'mark\.browser' tests || deploy/need-chromium.sh
	@# Side by side, because the layer with servers mostly waits; its output follows when both are over
	@$(BIN)/pytest -n 2 --dist loadfile -m 'servers or browser' $(PYTEST_ARGS) > $(STAMPS)/servers.log 2>&1 & layer=$$!; \
	$(BIN)/pytest -n auto -m 'not servers and not browser' $(PYTEST_ARGS); unit=$$?; \
	wait $$layer; servers=$$?; cat $(STAMPS)/servers.log; exit $$((unit + servers))

lint: setup ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup ## ruff: put the format right
	$(BIN)/ruff format .

types: setup ## mypy, strict
	$(BIN)/mypy

unit: setup schemas ## the tests that need no servers and no browser
	$(BIN)/pytest -n auto -m 'not servers and not browser' $(PYTEST_ARGS)

bench: setup servers ## the speed figures (BENCH="tsdb cycle" chooses)
	@set -e; for name in $(BENCH); do echo "== bench/$$name.py"; $(BIN)/python -m bench.$$name; done

wheel: setup ## build the wheel into dist/
	@rm -rf dist
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	@ls dist

constraints: setup ## write the versions of .venv to constraints.txt
	@{ head -n 1 constraints.txt; $(BIN)/pip freeze --exclude-editable; } > $(STAMPS)/constraints.txt
	@mv $(STAMPS)/constraints.txt constraints.txt && touch $(STAMPS)/setup

clean: ## remove what the words above made, except .servers
	rm -rf .venv $(STAMPS) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
