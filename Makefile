# `make` or `make help` lists what can be done here.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
MATRIX := tests/matrix/node_modules/.package-lock.json
MIGRATIONS := $(filter-out %.rollback.sql,$(wildcard migrations/*.sql))
SQL_DIRECTORIES := sql migrations tests/pgtap tests/harness
# Further words for `make demo`, `make pgtap`, `make fuzz` and `make test-python`, as in `make demo ARGS=--once`.
ARGS ?=
# Tests wait more than they compute, so that there may be more at a time than there are processors.
WORKERS ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 8 ? cores + 1 : 8)))

# Keeps the theme of the site from advertising another program at each build.
export NO_MKDOCS_2_WARNING := 1

.NOTPARALLEL:

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[1m%-20s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.demo ## watch real work in a PostgreSQL of its own (ARGS=--once for one round)
	@$(BIN)/pgvigil demo $(ARGS)

# The matrix holds PostgreSQL 15 as well, so pgtap is in it.
.PHONY: test
test: $(VENV)/.dev install-test-tools $(MATRIX) ## everything that must pass, side by side
	@$(BIN)/python -m tests.harness parts

.PHONY: lint
lint: $(VENV)/.dev ## check style, layers, types and links of documents
	$(BIN)/sqlfluff lint --disable-progress-bar $(SQL_DIRECTORIES)
	$(BIN)/squawk $(MIGRATIONS)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/mkdocs build --strict

.PHONY: site
site: $(VENV)/.docs ## build the documentation as a site into site/ (its search needs a server)
	@$(BIN)/mkdocs build --strict
	@echo "To read it: $(BIN)/python -m http.server --bind 127.0.0.1 --directory site 8000"

.PHONY: format
format: $(VENV)/.dev ## rewrite SQL and Python in the house style
	$(BIN)/sqlfluff fix --disable-progress-bar $(SQL_DIRECTORIES)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: checksums
checksums: ## note the checksums of new migrations; refuses where one that is noted was changed
	@cd migrations && sha256sum --check --quiet --strict checksums.txt && sha256sum *.sql > checksums.txt

.PHONY: freeze
freeze: $(VENV)/.demo ## keep what the version in the code installs, for tests of upgrades
	@version=$$($(BIN)/python -c 'import pgvigil; print(pgvigil.__version__)'); \
	file=tests/upgrade/$$version.sql.gz; \
	if [ -e $$file ]; then echo "$$file is there: a released version never changes."; exit 1; fi; \
	$(BIN)/pgvigil sql | gzip -9n > $$file

.PHONY: docs
docs: $(VENV)/.dev ## write anew what documents say by the catalogue, and the list of pages
	@$(BIN)/python -m tests.harness docs docs

.PHONY: grafana
grafana: $(VENV)/.dev ## write Grafana's dashboards anew from their description
	@$(BIN)/python -m grafana.description grafana/dashboards

.PHONY: pgtap
pgtap: $(VENV)/.dev install-sql-tools ## run the pgTAP tests (ARGS='--pg 17 tests/pgtap/some.sql')
	@$(BIN)/python -m tests.harness pgtap $(ARGS)

.PHONY: db
db: $(VENV)/.dev ## keep a server with what is in this checkout (ARGS=--stop ends it)
	@$(BIN)/python -m tests.harness db $(ARGS)

.PHONY: try
try: $(VENV)/.dev install-sql-tools ## run one pgTAP file on it, with what has changed (FILE=tests/pgtap/some.sql)
	@$(BIN)/python -m tests.harness try $(FILE)

.PHONY: plpgsql-check
plpgsql-check: $(VENV)/.dev install-sql-tools ## look inside every PL/pgSQL body
	@$(BIN)/python -m tests.harness plpgsql-check

.PHONY: test-matrix
test-matrix: $(VENV)/.dev install-sql-tools $(MATRIX) ## run the pgTAP tests on PostgreSQL 15, 16, 17 and 18
	@$(BIN)/python -m tests.harness matrix

.PHONY: test-python
test-python: $(VENV)/.dev install-sql-tools ## run the Python tests (ARGS='-k name', WORKERS=1)
	@$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: fuzz
fuzz: $(VENV)/.dev ## call everything as everybody with hostile values (ARGS='--calls 9000 --seed 7')
	@$(BIN)/python -m tests.fuzz $(ARGS)

.PHONY: bench
bench: $(VENV)/.bench ## measure what recording costs; see bench/README.md
	@$(BIN)/python -m bench $(ARGS)

.PHONY: bench-large
bench-large: $(VENV)/.bench ## measure 30 million rows, 8 GB and half an hour (ARGS='--rows-per-day 20000' for a minute)
	@$(BIN)/python -m bench.large $(ARGS)
	@$(BIN)/python -m bench.retention

.PHONY: bench-trends
bench-trends: $(VENV)/.bench ## measure trends of 90 days by hour and two years by day, three minutes
	@$(BIN)/python -m bench.trends $(ARGS)

.PHONY: bench-sizes
bench-sizes: $(VENV)/.bench ## measure what rows and roll-ups take on disk, and the formula of docs/sizing.md
	@$(BIN)/python -m bench.sizes --rows 40000 $(ARGS)

.PHONY: bench-client
bench-client: $(VENV)/.bench ## put the Python client in trouble and count what is lost, 7 minutes (ARGS='--minutes 10' of outage)
	@$(BIN)/python -m bench.client $(ARGS)

.PHONY: bench-names
bench-names: $(VENV)/.bench ## measure a program that sends a new name with each call (ARGS='--names 20000')
	@$(BIN)/python -m bench.names $(ARGS)

.PHONY: bench-fleet
bench-fleet: $(VENV)/.bench ## measure what 50 members cost a hub (ARGS='--members 10')
	@$(BIN)/python -m bench.fleet $(ARGS)

.PHONY: bench-expected
bench-expected: $(VENV)/.bench ## measure what 10,000 expected runs cost (ARGS='--runs 1000')
	@$(BIN)/python -m bench.expected_runs $(ARGS)

.PHONY: bench-exec
bench-exec: $(VENV)/.bench ## measure what it costs to run a command by pgvigil exec
	@$(BIN)/python -m bench.wrapping $(ARGS)

.PHONY: bench-page
bench-page: $(VENV)/.bench ## measure the first load of the page, 30 million tasks (ARGS='--home DIR' to keep them)
	@$(BIN)/python -m bench.page $(ARGS)

.PHONY: bench-grouping
bench-grouping: $(VENV)/.bench ## compare error grouping with Drain3 on labelled logs (ARGS=FILE)
	@$(BIN)/python -m bench.grouping_accuracy $(ARGS)

# From this checkout, whatever the environment has installed; the bytes depend on nothing else.
.PHONY: dist
dist: export PYTHONPATH := python
dist: export SOURCE_DATE_EPOCH := 1580601600
dist: $(VENV)/.demo extension ## build wheel, one-file install and extension in dist/, the same bytes for everybody
	$(BIN)/python -m pgvigil sql > dist/pgvigil.sql
	$(BIN)/python -m hatchling build --target wheel
	@cd dist && LC_ALL=C sha256sum *.sql *.whl *.zip > SHA256SUMS

.PHONY: extension
extension: export PYTHONPATH := python
extension: $(VENV)/.demo ## write dist/extension, for `create extension`, and the archive for PGXN
	$(BIN)/python -m extension.build dist/extension

.PHONY: install-test-tools
install-test-tools: ## install all that tests need where it is missing (Debian)
	@tests/harness/install-tools.sh

.PHONY: install-sql-tools
install-sql-tools: ## install what most tests need; the others install what they ask for
	@tests/harness/install-tools.sh sql

# The lists hold versions and hashes, no addresses, so they work with any mirror.
COMPILE = $(BIN)/python -m uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links
.PHONY: requirements
requirements: $(VENV)/.dev ## choose the newest versions and write requirements/*.txt anew
	$(INSTALL) uv
	$(COMPILE) pyproject.toml --group dev --all-extras --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --group build --extra demo \
		--constraints requirements/dev.txt --output-file requirements/demo.txt
	$(COMPILE) --group build --constraints requirements/dev.txt --output-file requirements/build.txt
	$(COMPILE) pyproject.toml --constraints requirements/dev.txt --output-file requirements/client.txt
	$(COMPILE) pyproject.toml --extra server \
		--constraints requirements/dev.txt --output-file requirements/server.txt
	$(COMPILE) pyproject.toml --group build --group bench --extra demo \
		--constraints requirements/dev.txt --output-file requirements/bench.txt
	$(COMPILE) --group docs --constraints requirements/dev.txt --output-file requirements/docs.txt

.PHONY: clean
clean: ## remove what was built; the environment stays
	rm -rf dist build site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .schemathesis
	find python tests bench examples -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## remove the environment and the fetched PostgreSQL versions as well
	rm -rf $(VENV) tests/matrix/node_modules tests/node/node_modules

# The demonstration needs a fraction of what the tests need, and is then ready sooner; what it imports
# is compiled when it does.
$(VENV)/.demo: requirements/demo.txt pyproject.toml | $(VENV)/.created
	@echo "Installing requirements/demo.txt into $(VENV)"
	@$(INSTALL) --no-compile --require-hashes -r requirements/demo.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.bench: requirements/bench.txt pyproject.toml | $(VENV)/.created
	@echo "Installing requirements/bench.txt into $(VENV)"
	@$(INSTALL) --require-hashes -r requirements/bench.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.demo $@

$(VENV)/.docs: requirements/docs.txt | $(VENV)/.created
	@echo "Installing requirements/docs.txt into $(VENV)"
	@$(INSTALL) --no-compile --require-hashes -r requirements/docs.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/.created
	@echo "Installing requirements/dev.txt into $(VENV)"
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.demo $(VENV)/.docs $@

$(VENV)/.created:
	@command -v $(PYTHON) > /dev/null || { echo "$(PYTHON) is not installed."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is too old: 3.11 or newer is needed (make PYTHON=python3.12 …)."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || \
		{ echo "Python cannot make environments; on Debian: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# Install scripts stay off: the harness makes the few links they would make.
$(MATRIX): tests/matrix/package-lock.json
	@tests/harness/install-tools.sh npm
	@npm ci --prefix tests/matrix --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
