# make demo      see the collection at work: everything it needs is set up, used and cleaned away
# make test      every promise once
# make test-all  the same in every combination
# make help      the other targets

SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHONS ?= 3.13 3.12 3.11 3.10
# Each process of the tests begins with a part of them as they stand, whose labs run already, and helps the others then.
PYTEST ?= --numprocesses auto --dist worksteal
ENGINE ?= pwsh
VENV := $(CURDIR)/.venv
COLLECTIONS := $(CURDIR)/.collections
HERE := $(COLLECTIONS)/ansible_collections/lync/remediation

export PATH := $(VENV)/bin:$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(COLLECTIONS)
# Nothing is left beside the sources, which Ansible takes for the collection.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.cache/bytecode
# The machine's own Kerberos realm, and its name servers, are none of the tests' business.
export KRB5_CONFIG := $(CURDIR)/tests/setup/krb5.conf

.PHONY: help setup kerberos browser demo test test-all lint pytest pytest-all test-engine test-engine-core test-engine-if-found test-engine-core-if-found engine-table test-matrix sanity bench docs picture changelog build clean

help:  ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */make \1\t/' | expand -t 20

setup:  ## A virtual environment in .venv, and the checkout in its place as a collection in .collections
	@tests/setup/make_venv $(VENV) "$(PYTHONS)" -r requirements-dev.txt
	@mkdir -p $(dir $(HERE)) && ln -sfn $(CURDIR) $(HERE)

kerberos: setup  ## What the lab's tests of Kerberos need, where it can be had; they are skipped where not
	@tests/setup/kerberos $(VENV)

browser: setup  ## A browser for the tests of the HTML report, where it can be had; they are skipped where not
	@tests/setup/browser $(VENV)

demo: setup  ## Windows Live A/V federation, clock drift, and drift with a report, on simulated deployments: dry run, real run, proof
	@cd tests && python -m demo

test: setup  ## Every promise once: style, documentation, ansible-test, pytest, a core of it on PowerShell if there is one
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target pytest sanity lint docs
	@$(MAKE) --no-print-directory test-engine-core-if-found

test-all: setup  ## The same with the long sweeps, on each ansible-core, and all whole playbooks on PowerShell
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target pytest-all sanity lint docs
	@$(MAKE) --no-print-directory test-matrix
	@$(MAKE) --no-print-directory test-engine-if-found

lint: setup  ## Style, types, playbooks, documentation and changelog
	ruff check .
	ruff format --check .
	mypy
	yamllint --strict .
	ansible-lint --offline
	antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self --skip-rstcheck .
	antsibull-changelog lint

pytest: setup kerberos browser  ## Unit tests, the lab's own tests, and whole playbooks against the lab
	pytest $(PYTEST)

pytest-all: setup kerberos browser  ## The same with what is marked sweep, and FUZZ=2000 rounds of malformed requests
	FUZZ=$(or $(FUZZ),2000) pytest $(PYTEST) -m ""

test-engine: setup  ## Whole playbooks on a real PowerShell 7, ENGINE=pwsh or any command that serves PSRP with -s
	pytest --engine "$(ENGINE)" $(PYTEST) tests/integration tests/lab_tests/test_engine.py

test-engine-core: setup  ## A core of these, in a few minutes
	pytest --engine "$(ENGINE)" $(PYTEST) -m "engine_core and not sweep" tests/integration

test-engine-if-found test-engine-core-if-found: setup
	@if command -v $(firstword $(ENGINE)) >/dev/null; then $(MAKE) --no-print-directory $(@:-if-found=); \
	else echo "$(firstword $(ENGINE)) is not on PATH, so that nothing was run on a real PowerShell."; fi

engine-table: setup  ## What only the embedded engine of the lab can show, as a table
	@pytest --engine-table --quiet tests/integration | grep "^|"

test-matrix: setup  ## What is marked smoke, on each other ansible-core that a Python here can run
	tests/setup/matrix

sanity: setup  ## ansible-test sanity, in a copy of the tracked files
	tests/sanity/run

bench: setup  ## What a task costs, side by side with ansible-core's own psrp connection
	cd tests && python -m benchmarks $(BENCH)

docs: setup  ## The reference and the guides as HTML, in build/docs
	docs/render build/docs

picture: setup  ## The picture of the report in the README, with Chromium
	@cd tests && PYTHONPATH=$(COLLECTIONS) python -m browser.picture

changelog: setup  ## CHANGELOG.rst from the fragments
	antsibull-changelog release --update-existing

build: setup  ## The collection as a file for ansible-galaxy collection install, in build/
	ansible-galaxy collection build --force --output-path build

clean:  ## Remove everything that these targets made
	rm -rf .venv .venv-* .collections .cache .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache build tests/output tests/browser/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
