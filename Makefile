# Everything installs into .venv, with the exact versions of constraints.txt; a second call does not install again.
PYTHON ?= python3
BIN := .venv/bin
FRONT := tests/front

.PHONY: demo test check clean

demo: .venv/installed
	$(BIN)/ratewarp run demo --out runs/demo

test: .venv/installed-dev
	$(BIN)/python -m pytest -rs --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: .venv/installed-dev $(FRONT)/node_modules/.package-lock.json
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	npm --prefix $(FRONT) run --silent check

clean:
	rm -rf .venv .pytest_cache .ruff_cache $(FRONT)/node_modules

.venv/made:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "ratewarp needs Python 3.11 or newer; name one with: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet "pip>=25.1"
	touch $@

.venv/installed: .venv/made pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev
	touch $@

# What checks the scripts of the page; npm takes the versions of its lock file.
$(FRONT)/node_modules/.package-lock.json: $(FRONT)/package.json $(FRONT)/package-lock.json
	@command -v npm > /dev/null || { echo "make check needs Node.js and npm: apt-get install nodejs npm"; exit 1; }
	npm --prefix $(FRONT) ci --silent
	touch $@
