# Everything a person or CI runs. Each target makes .venv by itself; the machine needs
# Python 3.11 or later with pip, and nothing else. Another interpreter: make PYTHON=python3.12 …

PYTHON ?= python3
SHELL := /bin/bash
BIN := .venv/bin
READY := .venv/ready
# Most of a test that runs a daemon is waiting, so two for each core; every daemon takes one of the
# few inotify instances that a user has (128), so not many more. One after the other: make JOBS=0 …
JOBS ?= $(shell n=$$((2 * $$(getconf _NPROCESSORS_ONLN))); echo $$((n < 8 ? n : 8)))
PYTEST = $(BIN)/pytest --numprocesses $(JOBS) --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help run demo test lint check coverage bench crash crash-short real real-short lock man clean

help:
	@echo 'make init         asks the first questions, and puts the answers into settings.yaml'
	@echo 'make run          the daemon, on settings.yaml or your own settings file'
	@echo 'make demo         the whole thing, offline, in a throw-away folder'
	@echo 'make test         all tests that need nothing but this machine'
	@echo 'make coverage     what the tests of policy, settings, store and vault leave out'
	@echo 'make check        lint, types, layers and tests'
	@echo 'make bench        the benchmarks (FULL=1: all of them, twenty minutes)'
	@echo 'make crash        kill the daemon at every step, many times over (long)'
	@echo 'make real         real browsers and download tools (long; needs them installed)'
	@echo 'make man          write docs/checkfirst.1 from the commands'
	@echo 'make lock         choose new versions of everything in requirements.lock'
	@echo 'make clean        remove .venv and what tools and builds left behind'

init: $(READY)
	@$(BIN)/checkfirst --settings settings.yaml init $(ARGS)

run: $(READY)
	@$(BIN)/checkfirst run $(ARGS)

demo: $(READY)
	@$(BIN)/checkfirst demo $(ARGS)

test: $(READY)
	$(PYTEST) -m 'not real and not crash' $(ARGS)

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# TESTED=1: for whoever has just run the tests, as CI has by the README's own command.
check: lint $(if $(TESTED),,test)

# Another user's processes write what they have seen as well, so the folder is open to all. The
# state machine forks a thousand times, and is slow where each fork writes down what it has seen.
COVERED := $(addprefix tests/,policy settings store vault service/doctor cli/test_init.py \
    cli/test_key.py cli/test_quarantine.py cli/test_quarantine_export.py)
coverage: $(READY)
	@set -e; seen=$$(mktemp -d); trap 'rm -rf "$$seen"' EXIT; chmod 1777 "$$seen"; \
	export COVERAGE_FILE="$$seen/seen"; \
	$(BIN)/coverage run -m pytest --numprocesses $(JOBS) --dist worksteal -q $(COVERED) \
	    --deselect tests/vault/test_machine.py; \
	$(BIN)/coverage combine --quiet 2>/dev/null; rm -f "$$seen"/seen.*; \
	for floor in policy=100 settings=99 store=98 vault=97; do \
	    echo; echo "$${floor%=*}, at least $${floor#*=} %:"; \
	    $(BIN)/coverage report --include="daemon/checkfirst/$${floor%=*}/*" \
	        --fail-under="$${floor#*=}" || below=1; \
	done; \
	exit $${below:-0}

bench: $(READY)
	$(BIN)/python -m tests.bench $(if $(FULL),--full) $(ARGS)

# The long forms are told by TESTS_LONG; a test bounds itself, so the usual time limit is off.
crash: $(READY)
	TESTS_LONG=1 $(BIN)/pytest -m crash --timeout=0 $(ARGS)

crash-short: $(READY)
	$(PYTEST) -m crash --timeout=300 $(ARGS)

real: $(READY)
	TESTS_LONG=1 $(BIN)/pytest -m real --timeout=0 $(ARGS)

real-short: $(READY)
	$(PYTEST) -m real --timeout=300 $(ARGS)

# An environment whose interpreter is gone is made anew. Where a distribution has split ensurepip
# off (Debian: python3-venv), the pip outside installs into the environment.
$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    found=$$($(PYTHON) --version 2>/dev/null || echo missing); \
	    echo "checkfirst needs Python 3.11 or later; $(PYTHON) is $$found." \
	        'Name another one: make PYTHON=python3.12 …' >&2; exit 1; }
	@rm -f $@
	@set -e; \
	if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then \
	    $(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv; \
	    pip='$(BIN)/python -m pip'; \
	elif $(PYTHON) -m pip --version >/dev/null 2>&1; then \
	    $(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear --without-pip .venv; \
	    pip='$(PYTHON) -m pip --python $(BIN)/python'; \
	else \
	    echo '$(PYTHON) has neither ensurepip nor pip; on Debian: apt install python3-pip' >&2; \
	    exit 1; \
	fi; \
	echo 'Installing into .venv …'; \
	quiet='-qq --disable-pip-version-check --no-input'; \
	$$pip install $$quiet --require-hashes -r requirements.lock; \
	$$pip install $$quiet --no-deps --no-build-isolation --editable .
	@touch $@

man: $(READY)
	$(BIN)/python -m checkfirst.cli.manual > docs/checkfirst.1

# Any index address that the resolver writes is dropped: the lock names packages and hashes alone.
lock:
	@command -v uv >/dev/null || { echo 'make lock needs uv (pip install uv)' >&2; exit 1; }
	uv pip compile pyproject.toml --extra dev --extra desktop --extra keyring --universal --python-version 3.11 --upgrade \
	    --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet \
	    --output-file requirements.lock
	sed --in-place '/:\/\//d' requirements.lock

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis \
	    .coverage htmlcov dist build
	find daemon tests -name __pycache__ -type d -prune -exec rm -rf {} +
