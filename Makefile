# Sets up everything that a checkout needs; requires only Python 3.11 or newer, git and make.
# uv is used from PATH, or installed into .uv/. All files that it writes are ignored by git.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# The base interpreter, in case a name on PATH is a shim or belongs to an activated environment.
SUITABLE := import sys; sys.version_info < (3, 11) and sys.exit(1); print(sys._base_executable)
ifeq ($(origin PYTHON), undefined)
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c '$(SUITABLE)' 2>/dev/null && break; done)
endif

UV := $(shell command -v uv 2>/dev/null || echo '$(CURDIR)/.uv/bin/uv')

# Never download an interpreter, and never use the environment of another project.
export UV_PYTHON_DOWNLOADS := never
ifneq ($(PYTHON),)
export UV_PYTHON := $(PYTHON)
endif
unexport VIRTUAL_ENV
unexport UV_PROJECT_ENVIRONMENT

RUN := $(UV) run --no-sync
# What `make demo` keeps from an earlier run: the environment, the secret and the database.
KEPT := ! -name .venv ! -name .env ! -name '*.db*'
# Number of parallel test processes, and more arguments for pytest: make test ARGS="-k hostile"
WORKERS ?= auto
ARGS ?=
# What `make bench` measures, in this order: make bench BENCHES=speed ARGS="--quick --only get"
BENCHES ?= speed growth routing migrations copier_cost faults

.PHONY: help setup demo test test-quick test-updates check format bench release release-notes clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: setup ## render the default answers into demo/ and serve them on http://127.0.0.1:8000
	@rm -rf .cache/demo
	@$(RUN) copier copy --quiet --defaults --vcs-ref HEAD '$(CURDIR)' .cache/demo
	@mkdir -p demo
	@if [ -d demo/migrations ] && ! diff -r -q -x __pycache__ demo/migrations .cache/demo/migrations >/dev/null; then \
		echo 'The tables of the demo have changed: starting with an empty database.'; rm -f demo/*.db*; fi
	@find demo -mindepth 1 -maxdepth 1 $(KEPT) -exec rm -rf {} +
	@cp -R .cache/demo/. demo
	@PATH="$(patsubst %/,%,$(dir $(UV))):$$PATH" $(MAKE) --no-print-directory -C demo run

test: setup ## run all tests: renders every cell of the matrix and runs its checks and tests
	$(RUN) pytest -n $(WORKERS) $(ARGS)

test-quick: setup ## run the tests that do not check a whole project: a minute or two, for daily work
	$(RUN) pytest -n $(WORKERS) -m "not long" $(ARGS)

test-updates: setup ## test every change of an answer on tables with rows: upgrade, downgrade, upgrade
	TEST_CHANGES=all $(RUN) pytest -n $(WORKERS) tests/migrations/test_changes.py $(ARGS)

check: setup ## check lint and formatting of the template's own Python
	$(RUN) ruff check
	$(RUN) ruff format --check

format: setup ## fix what `make check` reports, where a tool can
	$(RUN) ruff check --fix
	$(RUN) ruff format

bench: setup ## measure rendered projects and Copier: writes docs/benchmarks.md, docs/migrations.md and more
	@for bench in $(BENCHES); do $(RUN) python -m bench.$$bench $(ARGS) || exit 1; done

release: setup ## prepare a release: check it, and store a copy for the tests of updates
	@$(RUN) python tools/release.py prepare

# The notes for the tag in $TAG, which must be a release.
release-notes: setup
	@$(RUN) python tools/release.py verify "$$TAG"

clean: ## remove everything that these commands created in the checkout
	rm -rf .uv .venv .cache demo uv.lock .pytest_cache .ruff_cache

setup: $(UV)
	@$(UV) sync --quiet || { \
		echo 'make: cannot create the environment; Python 3.11 or newer is needed, found: $(or $(PYTHON),none)' >&2; exit 1; }

# Only used if PATH has no uv.
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
