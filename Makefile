# The two commands: `make book` builds the site, `make test` runs everything that must hold.
# Both set up what they need in .venv; the only requirements are Python 3.11+ and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TORCH := .venv-torch
SITE := _build/html
PORT ?= 8000
WHEEL := _build/wheel
ifneq ($(OS),Windows_NT)  # there, only the tests of the core are meant to run
export PATH := $(CURDIR)/$(BIN):$(PATH)
endif

.PHONY: browser book serve test lint unit notebooks frontend site lab
.PHONY: experiments core core-lowest core-newest torch torch-experiments dist release-notes lock clean help

help:
	@echo "make book    build the website ($(SITE)/index.html)"
	@echo "make serve   build it if need be and show it on http://localhost:$(PORT)"
	@echo "make test    everything that must hold: lint, unit, frontend, notebooks, book, site, lab"
	@echo "make torch   the tests with PyTorch, in an environment of their own ($(TORCH))"
	@echo "make core    the tests of the solver and the measures, with PYTHON as it is"
	@echo "make dist    the source archive and the wheel in dist/, and the wheel tested by itself"
	@echo "make experiments   every experiment again, into results/ (\"seconds\" in a table says how"
	@echo "             long it computed); with QUICK=1 small ones in minutes, into _build/results/"
	@echo "make lock    renew requirements.txt and requirements-dev.txt from pyproject.toml"

$(READY): pyproject.toml hatch_build.py requirements.txt requirements-dev.txt frontend/package-lock.json
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "flbook needs Python 3.11 or newer; set PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

book: $(READY)
	$(BIN)/jupyter-book build . --all -n -W --keep-going
	@echo "The site is $(CURDIR)/$(SITE)/index.html; \`make serve\` shows it."

serve: $(READY)
	test -f $(SITE)/index.html || $(MAKE) book
	@echo "http://localhost:$(PORT)"
	@$(BIN)/python -m http.server --directory $(SITE) --bind 127.0.0.1 $(PORT)

test: lint unit frontend notebooks book site lab
	@echo "Everything holds."

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

frontend: $(READY)
	$(BIN)/python frontend/bundle.py package
	$(BIN)/python frontend/bundle.py test

unit: $(READY)
	$(BIN)/python frontend/bundle.py package
	$(BIN)/python -m pytest -n 2 -m "not site and not lab"

notebooks: $(READY)
	$(BIN)/python -m pytest --nbval chapters

browser: $(READY)
	@$(BIN)/python -c 'import sys; sys.path.insert(0, "tests/support"); import browser; sys.exit(not browser.find_chromium())' \
	  || $(BIN)/playwright install chromium

site: $(READY) $(SITE)/index.html browser
	$(BIN)/python -m pytest -n 2 -m site

lab: $(READY) browser
	$(BIN)/python -m pytest -m lab

$(SITE)/index.html:
	$(MAKE) book

EXPERIMENTS := $(filter-out _% %_torch,$(patsubst experiments/%.py,%,$(wildcard experiments/*.py)))
experiments: $(READY)
	set -e; for name in $(EXPERIMENTS); do \
	  $(BIN)/python -m experiments.$$name $(if $(QUICK),--quick); done

CORE := tests/solver tests/measures
core:
	$(PYTHON) -m pytest $(CORE)

core-lowest core-newest:
	$(PYTHON) -m pip install --quiet uv
	$(PYTHON) -m uv pip install --python $(PYTHON) -r pyproject.toml \
	  --resolution $(if $(filter %-lowest,$@),lowest-direct,highest)
	$(PYTHON) -m uv pip install --python $(PYTHON) -r pyproject.toml --extra core-tests

$(TORCH)/.ready: requirements-torch.txt
	test -x $(TORCH)/bin/python || $(PYTHON) -m venv $(TORCH)
	$(TORCH)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-torch.txt
	touch $@

torch: $(TORCH)/.ready
	$(TORCH)/bin/python -m pytest tests/torch

torch-experiments: $(TORCH)/.ready
	set -e; for name in $(patsubst experiments/%.py,%,$(wildcard experiments/*_torch.py)); do \
	  $(TORCH)/bin/python -m experiments.$$name $(if $(QUICK),--quick); done

dist: $(READY)
	rm -rf dist $(WHEEL)
	$(BIN)/uv build --out-dir dist
	$(PYTHON) -m venv $(WHEEL)
	$(WHEEL)/bin/python -m pip install --quiet --disable-pip-version-check \
	  "$$(ls dist/*.whl)[explorers,jax,sweeps,data,core-tests]"
	$(WHEEL)/bin/python -I -m pytest -o pythonpath=tests/support \
	  $(CORE) tests/figures tests/house/test_docstrings.py

release-notes:
	mkdir -p _build
	$(PYTHON) -m tools.release $(TAG) > _build/release-notes.md

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --no-emit-package flbook pyproject.toml
lock: $(READY)
	$(LOCK) --extra chapters -o requirements.txt
	$(LOCK) --extra dev -c requirements.txt -o requirements-dev.txt
	echo "-e ." >> requirements.txt
	echo "-e ." >> requirements-dev.txt

clean:
	rm -rf _build dist flbook/explorers/bundle
