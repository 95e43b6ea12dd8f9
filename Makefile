# Needs Python 3.11 or later, pip and make; everything else goes into .venv.
#
# Stamp files inside .venv say what is installed, so that a second run starts at once.
# PYTHON=/path/to/python chooses another interpreter, VENV=folder another environment.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
EXTRAS := av,train,adapt,adopt,evaluate,plot,pandas,parquet,xlsx,cloud,ray,docs,dev

# The pins hold for the isolated environment that builds the package too
# (pip up to 25 reads the first variable there, later ones the second).
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# emotool sets this itself; here it also covers tools that load ONNX Runtime without emotool.
export ORT_DISABLE_TELEMETRY := 1

.DEFAULT_GOAL := help
.PHONY: help demo check test torture lint types unit docs format wheel readme picture samples constraints clean

help:  ## list the targets
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/.base  ## install the light package, classify samples/, write demo.csv
	@$(BIN)/emotool classify samples/ -o demo.csv
	@echo "The table is in $(CURDIR)/demo.csv (synthesised voices: their labels mean nothing)."

check: lint types  ## the loop while working: lint, types, contracts and the quick tests
	$(BIN)/python -m pytest -q -n logical --maxprocesses 4 --dist loadfile \
		--hypothesis-profile quick -m "not slow and not training and not browser" tests emotool

test: lint types docs unit  ## everything: lint, types, contracts, documentation, doctests, all tests

lint: $(VENV)/.all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/.all
	$(BIN)/mypy --strict --explicit-package-bases emotool training/emotool_training benchmarks docs samples

unit: $(VENV)/.all
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --durations=25

docs: $(VENV)/.all  ## build the documentation site in site/ (strict, no network)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

torture: $(VENV)/.all  ## kill 20 runs 20 times each and nodes of Ray, classify 10,000 broken files (half an hour)
	$(BIN)/python -m tests.faults.torture $(TORTURE)
	$(BIN)/python -m tests.faults.lost_nodes

format: $(VENV)/.all  ## format the code and apply ruff's fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

wheel: $(VENV)/.all  ## build dist/emotool-VERSION-py3-none-any.whl, models inside
	$(BIN)/python -m build --wheel --no-isolation

readme: $(VENV)/.all  ## update the generated parts of README and of the documentation
	$(BIN)/python docs/generate.py
	$(BIN)/python -m tests.faults.reliability

picture: $(VENV)/.all  ## draw README's picture of the terminal
	$(BIN)/python docs/make_picture.py

samples: $(VENV)/.all  ## synthesise the clips of samples/ (needs espeak-ng)
	$(BIN)/python samples/make_samples.py

# Pins are what pip chooses today for the lower bounds in pyproject.toml, in an environment made
# for it. `make test` then says whether they hold.
constraints:  ## pin today's versions of everything in constraints.txt
	rm -rf $(VENV)-constraints
	$(PYTHON) -m venv $(VENV)-constraints
	env -u PIP_CONSTRAINT -u PIP_BUILD_CONSTRAINT \
		$(VENV)-constraints/bin/python -m pip install -q -U -e '.[$(EXTRAS)]' setuptools
	{ echo "# Made by \`make constraints\` with Python $$($(VENV)-constraints/bin/python -c \
		'import sys; print(*sys.version_info[:2], sep=".")'); not to be edited by hand."; \
	$(VENV)-constraints/bin/python -m pip freeze --all --exclude emotool --exclude pip; \
	} > constraints.txt.new
	! grep -n -v -E '^(#.*|[A-Za-z0-9._-]+==[A-Za-z0-9.]+)$$' constraints.txt.new
	mv constraints.txt.new constraints.txt
	rm -rf $(VENV)-constraints

clean:  ## remove environments, caches and builds
	rm -rf .venv .venv-* dist build site demo.csv .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@fail() { echo "error: $$*; try: make PYTHON=/path/to/python3.11" >&2; exit 1; }; \
	test -n "$(PYTHON)" || fail "no Python 3.11 or later found"; \
	$(PYTHON) -c '' 2>/dev/null || fail "$(PYTHON) cannot be run"; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$(PYTHON) is older than Python 3.11"
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -e .
	@touch $@

$(VENV)/.all: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -e '.[$(EXTRAS)]'
	@touch $@ $(VENV)/.base
