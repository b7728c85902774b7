# One verb a line: `make help` lists them. Everything happens in the virtual environment .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint config/constraints.txt
CODE := actorq actorq_pytest.py tests benchmarks docs examples
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help serve demo test check lint types architecture format docs bench goals proof chaos clean

help: ## list the verbs
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

serve: $(VENV)/installed ## run a server on the embedded store (settings: docs/reference/settings.md)
	@exec $(BIN)/actorq serve

demo: $(VENV)/installed ## hash the standard library with three workers, one of which is killed
	@exec $(BIN)/python examples/first_job/run.py

test: $(VENV)/developed ## run all tests (BACKENDS=redis for one store, ARGS="-k lease" for some)
	$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile --backends="$(BACKENDS)" $(ARGS)

check: lint types architecture test ## all that must hold before a commit; CI runs the same

lint: $(VENV)/developed ## ruff, all rules on; formatting
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

types: $(VENV)/developed ## mypy and pyright, both strict
	$(BIN)/mypy
	$(BIN)/pyright

architecture: $(VENV)/developed ## who may import whom, and how long a file may be
	$(BIN)/python -m pytest --quiet tests/test_architecture.py

format: $(VENV)/developed ## let ruff format everything and mend what it can
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

docs: $(VENV)/developed ## write the pages that are made from the code
	for page in docs/*.py; do $(BIN)/python $$page || exit 1; done

bench: $(VENV)/developed ## run the benchmark (ARGS="--scenario enqueue" for a part)
	$(BIN)/python -m benchmarks $(ARGS)

goals: $(VENV)/developed ## measure what was promised, as ratios in one run
	$(BIN)/python -m benchmarks goals $(ARGS)

proof: $(VENV)/developed ## simulate clusters and hunt planted bugs (ARGS="--seeds 0-20000")
	$(BIN)/python -m tests.testing.simulation.planted
	$(BIN)/python -m actorq.testing.simulation $(or $(ARGS),--seeds 0-300)

chaos: $(VENV)/developed ## real processes under a hail of faults (ARGS="--store redis --minutes 15")
	$(BIN)/python -m benchmarks.chaos $(ARGS)

clean: ## remove the virtual environment and what tools left behind
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ── the virtual environment ─────────────────────────────────────────────────────────────────────

# Debian's python3 cannot make one without a package of its own; root gets it, others are told.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "actorq needs Python 3.11 or later; say which one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && apt-get install -y -qq python3-venv; \
	  else \
	    echo "this Python has no venv module: install it first (Debian: apt install python3-venv)" >&2; exit 1; \
	  fi
	@echo "making the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python pyproject.toml config/constraints.txt
	@echo "installing actorq into $(VENV)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/developed: $(VENV)/installed
	@echo "installing the tools of development into $(VENV)"
	@$(PIP) --editable '.[all,testing,dev]'
	@touch $@
