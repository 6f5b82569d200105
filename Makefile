# `make help` lists the targets. Every one makes .venv once and installs the package with the tested versions.
# A smaller torch without CUDA: make demo PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"

PYTHON ?= python3
PIP_ARGS ?=
WORKERS ?= 2
VENV := .venv
PY := $(VENV)/bin/python
DOCS_STAMP := $(VENV)/.docs-installed
# Versions to install. For the oldest that are supported: make test CONSTRAINTS=constraints-oldest.txt
CONSTRAINTS ?= constraints.txt
# One stamp a set of versions: another set is installed anew.
STAMP := $(VENV)/.installed-$(notdir $(CONSTRAINTS))

# One thread per worker: several threads each would only wait for one another.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-integration test-slow test-all check fix docs axe pictures bench experiments release clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

demo: $(STAMP) ## inspect the trained network that comes with the package; writes uncheck-demo/
	$(VENV)/bin/uncheck demo

PYTEST := $(PY) -m pytest -n $(WORKERS) --dist worksteal
# Few examples of property tests; tests above one CPU-second are listed (tests/budget.py).
QUICK := --hypothesis-profile quick --cpu-limit 1
FULL := --hypothesis-profile full

test: $(STAMP) ## the quick tests
	$(PYTEST) $(QUICK) -m "not integration and not slow"

test-integration: $(STAMP) ## experiments, examples, trainers, exports; property tests with many examples
	$(PYTEST) $(FULL) -m "(integration or hypothesis) and not slow"

test-slow: $(STAMP) ## the tests of many seconds
	$(PYTEST) $(FULL) -m slow

test-all: $(STAMP) ## all tests
	$(PYTEST) $(FULL)

check: $(STAMP) ## format, lint, types, imports, and the output shown in README.md
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m pytest tests/test_arrows.py tests/test_links.py
	$(PY) docs/readme.py --check
	$(PY) docs/explained.py --check

fix: $(STAMP) ## format the code, and mend what ruff can
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

docs: $(DOCS_STAMP) ## build the site in site/; a dead link is an error
	$(VENV)/bin/mkdocs build --strict

axe: ## fetch axe-core with npm: the tests of pages in Chromium then check that everyone can use them
	npm install --no-save --no-package-lock --ignore-scripts axe-core@4.14.1

pictures: $(STAMP) ## make README.md's output and docs/pictures anew
	$(PY) docs/pictures/make.py
	$(PY) docs/readme.py
	$(PY) docs/explained.py

bench: $(STAMP) ## measure time and memory; writes benchmarks/results and tables of docs/
	$(PY) benchmarks/run.py
	$(PY) benchmarks/resize_tables.py

# make experiments ONLY="gan learning": these alone.
CLAIMS := before-training gan bright-colours learning other-models gradients stacking second-order boundary
ONLY ?= demo-network calibration blame upsampling $(CLAIMS)

experiments: $(STAMP) ## rerun the experiments, or those of ONLY="gan learning"
	set -e; for name in $(ONLY); do echo "== $$name"; \
	  script=run.py; test $$name != demo-network || script=train.py; $(PY) experiments/$$name/$$script; done
	$(PY) experiments/claim_pages.py

release: $(STAMP) ## build, try the wheel in a venv of its own, tag; needs a clean checkout
	PYTHON=$(PYTHON) PIP_ARGS="$(PIP_ARGS)" ./release.sh

clean: ## remove what the other targets made
	rm -rf $(VENV) uncheck-demo site dist

$(STAMP): pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -c 'import sys; sys.exit("uncheck needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; try make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install $(PIP_ARGS) $(addprefix -c ,$(CONSTRAINTS)) -e ".[dev]"
	rm -f $(VENV)/.installed*
	touch $@

$(DOCS_STAMP): $(STAMP)
	$(PY) -m pip install $(PIP_ARGS) $(addprefix -c ,$(CONSTRAINTS)) -e ".[docs]"
	touch $@
