# Every target makes .venv once and installs the package with the tested versions of constraints.txt.
# A smaller torch without CUDA: make demo PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"

PYTHON ?= python3
PIP_ARGS ?=
WORKERS ?= 2
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed

# One thread per worker: several threads each would only wait for one another.
export OMP_NUM_THREADS ?= 1

.PHONY: demo test test-integration test-slow test-all check bench experiments clean

demo: $(STAMP)
	$(VENV)/bin/uncheck demo

PYTEST := $(PY) -m pytest -n $(WORKERS) --dist worksteal
# Property tests with many examples, by as many processes: no limit of CPU time holds for them.
FULL := --hypothesis-profile full

test: $(STAMP)
	$(PYTEST) -m "not integration and not slow"

test-integration: $(STAMP)
	$(PYTEST) $(FULL) -m "(integration or hypothesis) and not slow"

test-slow: $(STAMP)
	$(PYTEST) $(FULL) -m slow

test-all: $(STAMP)
	$(PYTEST) $(FULL)

check: $(STAMP)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m pytest tests/test_arrows.py

bench: $(STAMP)
	$(PY) benchmarks/run.py
	$(PY) benchmarks/resize_tables.py

# make experiments ONLY="gan learning": these alone.
CLAIMS := before-training gan bright-colours learning other-models gradients stacking second-order boundary
ONLY ?= demo-network calibration blame upsampling $(CLAIMS)

experiments: $(STAMP)
	set -e; for name in $(ONLY); do echo "== $$name"; \
	  script=run.py; test $$name != demo-network || script=train.py; $(PY) experiments/$$name/$$script; done
	$(PY) experiments/claim_pages.py

clean:
	rm -rf $(VENV) uncheck-demo

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("uncheck needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; try make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install $(PIP_ARGS) -c constraints.txt -e ".[dev]"
	touch $@
