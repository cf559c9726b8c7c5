# Everything that a checkout needs, from Python 3.11 or newer, git and make alone.
# uv is taken from PATH, or installed into .uv/; whatever is written is git-ignored.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# The interpreter itself, where a name on PATH is a shim or belongs to an activated environment.
SUITABLE := import sys; sys.version_info < (3, 11) and sys.exit(1); print(sys._base_executable)
ifeq ($(origin PYTHON), undefined)
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c '$(SUITABLE)' 2>/dev/null && break; done)
endif

UV := $(shell command -v uv 2>/dev/null || echo '$(CURDIR)/.uv/bin/uv')

# Never a downloaded interpreter, and never the environment of another project.
export UV_PYTHON_DOWNLOADS := never
ifneq ($(PYTHON),)
export UV_PYTHON := $(PYTHON)
endif
unexport VIRTUAL_ENV
unexport UV_PROJECT_ENVIRONMENT

RUN := $(UV) run --no-sync
# What a second `make demo` keeps of the first: its environment, its secret and its database.
KEPT := ! -name .venv ! -name .env ! -name '*.db*'
# Tests run side by side; what to add to pytest's command line: make test ARGS="-k hostile"
WORKERS ?= auto
ARGS ?=

.PHONY: help setup demo test test-quick test-updates check format bench release release-notes clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: setup ## render the default answers into demo/ and serve them on http://127.0.0.1:8000
	@rm -rf .cache/demo
	@$(RUN) copier copy --quiet --defaults --vcs-ref HEAD '$(CURDIR)' .cache/demo
	@mkdir -p demo
	@if [ -d demo/migrations ] && ! diff -r -q -x __pycache__ demo/migrations .cache/demo/migrations >/dev/null; then \
		echo 'The tables of the demo have changed: its database starts empty.'; rm -f demo/*.db*; fi
	@find demo -mindepth 1 -maxdepth 1 $(KEPT) -exec rm -rf {} +
	@cp -R .cache/demo/. demo
	@PATH="$(patsubst %/,%,$(dir $(UV))):$$PATH" $(MAKE) --no-print-directory -C demo run

test: setup ## all tests: every cell of the matrix is rendered and proven
	$(RUN) pytest -n $(WORKERS) $(ARGS)

test-quick: setup ## the tests that prove no whole project: a minute or two, for daily work
	$(RUN) pytest -n $(WORKERS) -m "not long" $(ARGS)

test-updates: setup ## every answer that changes, with rows: up, down and up again
	TEST_CHANGES=all $(RUN) pytest -n $(WORKERS) tests/test_changes.py $(ARGS)

check: setup ## lint and formatting of the template's own Python
	$(RUN) ruff check
	$(RUN) ruff format --check

format: setup ## mend what `make check` found, where a tool can
	$(RUN) ruff check --fix
	$(RUN) ruff format

bench: setup ## what `copier copy` and `copier update` cost: writes docs/benchmarks.md and its plot
	$(RUN) python bench/copier_cost.py

release: setup ## what a release needs: checks it, and keeps a copy for the tests of updates
	@$(RUN) python tools/release.py prepare

# Of the tag in $TAG, which has to be a release.
release-notes: setup
	@$(RUN) python tools/release.py verify "$$TAG"

clean: ## remove all that these commands brought into the checkout
	rm -rf .uv .venv .cache demo uv.lock .pytest_cache .ruff_cache

setup: $(UV)
	@$(UV) sync --quiet || { \
		echo 'make: the environment could not be made; Python 3.11 or newer is needed, found: $(or $(PYTHON),none)' >&2; exit 1; }

# Only reached where PATH has no uv.
$(CURDIR)/.uv/bin/uv:
	@if [ -z '$(PYTHON)' ]; then \
		echo 'make: no Python 3.11 or newer on PATH; install one, or name it: make PYTHON=/path/to/python3' >&2; exit 1; fi
	@echo 'Installing uv into .uv/ …'
	@if '$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null; then \
		'$(PYTHON)' -m venv --clear .uv && .uv/bin/python -m pip install --quiet uv; \
	elif '$(PYTHON)' -m pip --version >/dev/null 2>&1; then \
		'$(PYTHON)' -m pip install --quiet --target .uv uv; \
	else \
		echo 'make: $(PYTHON) has neither venv nor pip (Debian and Ubuntu: apt install python3-venv); or install uv' >&2; exit 1; \
	fi
