# The two commands of a new user: `make demo` and `make test`. Both make the environment first.
PYTHON ?= $(shell for p in python3.11 python3.12 python3; do $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
STORE ?= runs/
SEED ?= 0
UV_VERSION := 0.13.8

.PHONY: help setup demo test test-library test-whole test-long check lint words lock clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.complete  ## make .venv from the lock file

# The mark is written last: an install that was cut off is done again. Compiled once, here: every worker process would
# do it again where Python may not write what it compiles.
$(VENV)/.complete: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed, and none was found; name one with 'make setup PYTHON=/path/to/python3.12'." >&2; exit 2; }
	@rm -f $@
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup  ## collect, pretrain, evaluate and report on Two-Room (STORE=s3: on an embedded S3 server; SEED=1: another seed)
	$(BIN)/jepa demo --store $(STORE) --seed $(SEED)

test: setup lint  ## every test, the slow ones that run whole jobs included; all but test-long
	@$(MAKE) --no-print-directory --jobs 2 test-whole test-library

# Side by side: whole jobs wait for processes to start and to end most of their time. What the library's tests print
# comes at their end.
test-library: setup  ## one half of it: tests/jepa and tests/pipelines
	@$(BIN)/python -m pytest tests/jepa tests/pipelines > $(VENV)/library.log 2>&1; status=$$?; cat $(VENV)/library.log; exit $$status

test-whole: setup  ## the other half: commands, flows, failures, whole jobs, documentation
	$(BIN)/python -m pytest tests -m "not long" --ignore tests/jepa --ignore tests/pipelines

test-long: setup  ## tests that take minutes each: a training that loses its nodes
	$(BIN)/python -m pytest tests -m long

check: setup lint  ## what can be known in a minute: style, types, imports, words, documentation
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest tests/test_architecture.py tests/test_documentation.py tests/test_project.py tests/test_words.py

lint: setup  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

words: setup  ## where words still stand that docs/words.yaml has replaced, and what to write
	$(BIN)/python -m tests.words

lock:  ## resolve the lock file again (exact versions for Python 3.11 and 3.12, no index address)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --group dev pyproject.toml --output-file requirements.lock --upgrade

clean:  ## remove the environment (stores are yours and stay)
	rm -rf $(VENV)
