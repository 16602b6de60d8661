# The day-to-day commands; CONTRIBUTING.md explains them.
# Every target sets up what it needs: a virtual environment in .venv and the model files inside it.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps

.PHONY: help run test test-fast check format requirements bench-quality fuzz chaos bench-load audit sbom clean
.DEFAULT_GOAL := help

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | sort | expand -t 16

run: $(STAMPS)/models  ## Set up what is missing and start the server on 127.0.0.1:8000
	@exec $(BIN)/idphoto serve

test: check $(STAMPS)/models  ## All checks and tests
	@$(BIN)/python -m tests.needs chromium curl openssl
	$(BIN)/python -m pytest

test-fast: $(STAMPS)/audit $(STAMPS)/models  ## The tests that need no server and no browser
	$(BIN)/python -m pytest -n auto tests/unit

check: $(STAMPS)/audit  ## Lint, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMPS)/dev  ## Format and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-quality: $(STAMPS)/bench $(STAMPS)/models  ## Measure cut-out, placement and refusal beside other tools (PORTRAITS=FOLDER)
	$(BIN)/python -m bench.quality $(if $(PORTRAITS),--portraits $(PORTRAITS))

fuzz: $(STAMPS)/fuzz  ## Fuzz what reads bytes from outside for FUZZ_SECONDS (60) from FUZZ_SEED (1)
	$(BIN)/python -m fuzz --seconds $(or $(FUZZ_SECONDS),60) --seed $(or $(FUZZ_SEED),1)

chaos: $(STAMPS)/dev $(STAMPS)/models  ## Kill everything, fill the disk, and check that nothing was lost (CHAOS_TASKS=500 CHAOS_SEED=1)
	$(BIN)/python -m chaos

bench-load: $(STAMPS)/dev $(STAMPS)/models  ## Measure memory, polls and slow clients under load; out/load.json
	$(BIN)/python -m bench.load

audit: $(STAMPS)/audit  ## Look up every pinned version in the OSV database of vulnerabilities (needs the internet)
	@$(BIN)/python -m tools.audit

sbom: $(STAMPS)/audit  ## Write out/sbom.json: what runs in production, as CycloneDX
	@$(BIN)/python -m tools.sbom

requirements:  ## Pin the newest versions that requirements/*.in allow (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --upgrade requirements/runtime.in -o requirements/runtime.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --upgrade requirements/dev.in -c requirements/runtime.txt -o requirements/dev.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --upgrade requirements/bench.in -o requirements/bench.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --upgrade requirements/fuzz.in -o requirements/fuzz.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --upgrade requirements/audit.in -o requirements/audit.txt

clean:  ## Remove the environment and the caches, not the data folder
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "IDPhoto needs Python 3.11 or newer. On Debian and Ubuntu: sudo apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv module is missing. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }

$(STAMPS)/runtime: requirements/runtime.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the server needs…"
	@$(BIN)/python -m pip install --disable-pip-version-check --no-warn-script-location -q --require-hashes -r requirements/runtime.txt \
	  || { echo "The packages could not be installed; the lines above say why. Is this machine online?" >&2; exit 1; }
	@$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: requirements/dev.txt $(STAMPS)/runtime
	@echo "Installing what the tests need…"
	@$(BIN)/python -m pip install --disable-pip-version-check --no-warn-script-location -q --require-hashes -r requirements/dev.txt \
	  || { echo "The packages could not be installed; the lines above say why. Is this machine online?" >&2; exit 1; }
	@touch $@

$(STAMPS)/bench: requirements/bench.txt $(STAMPS)/dev
	@echo "Installing what the quality benchmark needs…"
	@$(BIN)/python -m pip install --disable-pip-version-check --no-warn-script-location -q --require-hashes -r requirements/bench.txt \
	  || { echo "The packages could not be installed; the lines above say why. Is this machine online?" >&2; exit 1; }
	@touch $@

$(STAMPS)/fuzz: requirements/fuzz.txt $(STAMPS)/dev
	@echo "Installing what fuzzing needs…"
	@$(BIN)/python -m pip install --disable-pip-version-check --no-warn-script-location -q --require-hashes -r requirements/fuzz.txt \
	  || { echo "The packages could not be installed; the lines above say why. Is this machine online?" >&2; exit 1; }
	@touch $@

$(STAMPS)/audit: requirements/audit.txt $(STAMPS)/dev
	@echo "Installing what the audit and the SBOM need…"
	@$(BIN)/python -m pip install --disable-pip-version-check --no-warn-script-location -q --require-hashes -r requirements/audit.txt \
	  || { echo "The packages could not be installed; the lines above say why. Is this machine online?" >&2; exit 1; }
	@touch $@

$(STAMPS)/models: src/idphoto/imaging/models.py $(STAMPS)/runtime
	@$(BIN)/idphoto models pull
	@touch $@
