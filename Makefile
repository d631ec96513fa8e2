# contact-stream: the verbs. `make` alone lists them.
# A locked environment is made in .venv first; uv is fetched into .tools when the machine has none.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
UV := $(or $(shell command -v uv 2>/dev/null),.tools/bin/uv)
RUN := .venv/bin/python
PROGRAM := .venv/bin/contact-stream
READY := .venv/.locked
export UV_PYTHON_DOWNLOADS := never

.PHONY: help demo test check bench replay simulate faults clean

help:
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

demo: $(READY) ## live figures from a real Kafka; Ctrl-C ends it, DEMO_SECONDS=30 makes it check itself and end
	@$(PROGRAM) demo

test: $(READY) ## every test, those on a real Kafka too
	@$(RUN) -m pytest -n 2 $(ARGS)

check: $(READY) ## style, types, import contracts, documentation in step
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@$(RUN) -m pytest -q tests/repo

bench: $(READY) ## measure; see bench/README.md
	@$(RUN) -m bench $(ARGS)

replay: $(READY) ## FILE=lines.jsonl: the figures of recorded events, as JSON
	@$(PROGRAM) replay --file $(or $(FILE),-) --json $(ARGS)

simulate: $(READY) ## write a simulated contact centre to Kafka; ARGS="--help" for its options
	@$(PROGRAM) simulate $(ARGS)

faults: $(READY) ## kill, freeze and disturb everything on a real Kafka; the long matrix
	@$(RUN) -m pytest tests/faults tests/centre/test_cases_anywhere.py -m 'full or not full' $(ARGS)

clean: ## remove what was made here: environment, caches, built files
	@rm -rf .venv .tools dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml uv.lock | $(UV)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "contact-stream needs Python 3.11 or later as $(PYTHON); install it, or say make PYTHON=python3.12"; exit 1; }
	@$(UV) sync --quiet --locked --python "$$(command -v $(PYTHON))"
	@touch $@

.tools/bin/uv:
	@$(PYTHON) -m venv .tools \
	  || { echo "contact-stream needs Python's venv module (Debian: apt install python3-venv)"; exit 1; }
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
