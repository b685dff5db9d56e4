# make demo      see the collection at work: everything it needs is set up, used and cleaned away
# make test      every promise once
# make test-all  the same in every combination
# make help      the other targets

SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHONS ?= 3.13 3.14 3.12 3.11 3.10
# One more than there are processors, since many a test waits for something.
PROCESSES ?= $(shell expr $$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN) + 1)
# Each process of the tests begins with a part of them as they stand, whose labs run already, and helps the others then.
PYTEST ?= --numprocesses $(PROCESSES) --dist worksteal
ENGINE ?= pwsh
VENV := $(CURDIR)/.venv
COLLECTIONS := $(CURDIR)/.collections
HERE := $(COLLECTIONS)/ansible_collections/lync/remediation

# What each target takes first, unless somebody has seen to that: several at once begin in the order in which they stand then.
BASE := $(if $(READY),,setup)
WHOLE := $(if $(READY),,setup kerberos browser)

export KEEP
export PATH := $(VENV)/bin:$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(COLLECTIONS)
# Nothing is left beside the sources, which Ansible takes for the collection.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.cache/bytecode
# The machine's own Kerberos realm, and its name servers, are none of the tests' business.
export KRB5_CONFIG := $(CURDIR)/tests/setup/krb5.conf

.PHONY: help setup lock kerberos browser neighbours demo demo-end recording picture test test-all test-ecosystem lint pytest pytest-all test-engine test-engine-core test-engine-if-found test-engine-core-if-found engine-table test-matrix sanity bench docs changelog build clean

help:  ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */make \1\t/' | expand -t 22

setup:  ## A development environment: .venv and .collections
	@tests/setup/make_venv "$(VENV)" "$(PYTHONS)" --require-hashes -r requirements-dev.lock
	@mkdir -p "$(COLLECTIONS)/ansible_collections/lync" && ln -sfn "$(CURDIR)" "$(HERE)"

lock: setup  ## requirements-dev.lock, anew from requirements-dev.txt
	tests/setup/lock

neighbours: $(BASE)  ## What AWX and Event-Driven Ansible take, for the tests
	@tests/setup/neighbours .cache/neighbours

kerberos: setup  ## What the tests of Kerberos need, where it can be had
	@tests/setup/kerberos "$(VENV)"

browser: setup  ## What the tests of the report need, where it can be had
	@tests/setup/browser "$(VENV)"

demo: setup  ## See it at work in a lab; KEEP=1 leaves that running
	@cd tests && python -m demo

demo-end: setup  ## End what `make demo KEEP=1` has left running
	@cd tests && python -m demo --end

recording: setup  ## The README's picture of a dry run, made anew
	@cd tests && python -m demo --record

picture: setup  ## The README's picture of the report, made anew
	@cd tests && PYTHONPATH="$(COLLECTIONS)" python -m browser.picture

# The longest part begins first.
test: setup kerberos browser  ## Every promise once
	@$(MAKE) --no-print-directory READY=yes --jobs 2 --keep-going --output-sync=target pytest sanity lint docs
	@$(MAKE) --no-print-directory test-engine-core-if-found

test-all: setup kerberos browser neighbours  ## The same in every combination, with the long sweeps
	@$(MAKE) --no-print-directory READY=yes --jobs 2 --keep-going --output-sync=target pytest-all sanity lint docs
	@$(MAKE) --no-print-directory --keep-going test-ecosystem test-engine-if-found test-matrix

lint: $(BASE)  ## Style, types, playbooks, documentation and changelog
	ruff check .
	ruff format --check .
	mypy
	yamllint --strict .
	python tests/lint_playbooks.py --offline
	antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self --skip-rstcheck .
	antsibull-changelog lint
	codespell $$(git ls-files)
	reuse lint --quiet

pytest: $(WHOLE)  ## Units, the lab's own tests, whole playbooks on the lab
	pytest $(PYTEST)

pytest-all: $(WHOLE) neighbours  ## The same with the long sweeps; for a night: PLACES=12
	FUZZ=$(or $(FUZZ),2000) PLACES=$(or $(PLACES),2) pytest $(PYTEST) -m "not registry"

test-engine: setup  ## Whole playbooks on a real PowerShell 7, ENGINE=pwsh
	pytest --engine "$(ENGINE)" $(PYTEST) -m "not sweep and not registry" tests/integration tests/lab_tests/test_engine.py

test-engine-core: setup  ## A core of these, in a few minutes
	pytest --engine "$(ENGINE)" $(PYTEST) -m "engine_core and not sweep" tests/integration

test-engine-if-found test-engine-core-if-found: setup
	@if command -v $(firstword $(ENGINE)) >/dev/null; then $(MAKE) --no-print-directory $(@:-if-found=); \
	else echo "$(firstword $(ENGINE)) is not on PATH, so that nothing was run on a real PowerShell."; fi

engine-table: setup  ## What only the lab's own engine can show, as a table
	@pytest --engine-table --quiet tests/integration | grep "^|"

test-ecosystem: setup  ## The newcomer's path, importer, builder, navigator
	pytest -m registry tests/integration

test-matrix: setup  ## Each ansible-core with each of its Pythons, as a table
	tests/setup/matrix

sanity: $(BASE)  ## ansible-test sanity, in a copy of the tracked files
	tests/sanity/run

bench: setup  ## What a task costs, beside ansible-core's own psrp
	cd tests && python -m benchmarks $(BENCH)

docs: $(BASE)  ## The reference and the guides as HTML, in build/docs
	docs/render build/docs

changelog: setup  ## CHANGELOG.rst from the fragments
	antsibull-changelog release --update-existing --reload-plugins

build: setup  ## The collection as a file for ansible-galaxy, in build/
	tests/setup/build build

clean:  ## Remove everything that these targets made
	rm -rf .venv .venv-* .collections .cache .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache build tests/output tests/browser/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
