# make run, make test: all that is needed is make and Python 3.11 or newer with venv.
# PORT, HOST, DATA_DIR, DATABASE_URL and the rest of docs/settings.md come from the environment.

# The system's own first: distributions build it with a profile, pyenv and its like do not, and Python code takes some
# 40 % longer (docs/performance.md).
ifndef PYTHON
PYTHON := $(shell for python in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
endif
BOOTSTRAP = $(PYTHON) -m bootstrap
LINT = .venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/lint-imports

.PHONY: run setup test bench lint format clean python

run: setup
	@exec .venv/bin/python -m config.supervisor

setup: python
	@$(BOOTSTRAP) run

test: python
	@$(BOOTSTRAP) test
	@$(LINT)
	@CHROMIUM="$$(cat .venv/chromium)" .venv/bin/python -m pytest --numprocesses=2 --dist=worksteal

# N=10000000 for ten million; docs/performance.md tells what is measured.
bench: setup
	@.venv/bin/python -m bench simulations
	@N="$(N)" AGAINST="$(AGAINST)" .venv/bin/python -m bench

lint: python
	@$(BOOTSTRAP) lint
	@$(LINT)

format: python
	@$(BOOTSTRAP) lint
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

# What set-up made; the data in var/ stays.
clean:
	rm -rf .venv node_modules generated staticfiles .pytest_cache .ruff_cache .import_linter_cache .hypothesis

python:
	@test -n "$(PYTHON)" || { \
	  echo "Marginalia needs Python 3.11 or newer with venv, and found none."; \
	  echo "On Debian and Ubuntu: apt-get install python3 python3-venv; on macOS: brew install python3."; \
	  echo "One at an unusual place: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; } >&2
