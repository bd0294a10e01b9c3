# One word a job. `make demo` and `make test` set up what they need on a machine with Debian, Python 3.11 and pip.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export OMP_WAIT_POLICY := PASSIVE
# hundreds of short processes import the same files: compiled once, whatever the machine's habit is
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test lint types docs lock clean bench-audit bench-tabular bench-portfolio bench-stats bench-forecast bench-decide bench-live bench-%

help:
	@echo "make demo    set up, then the New York flights from raw tables to a verified bundle and a report, and a forecast of"
	@echo "             334 industrial series (holdgood demo --forecast)"
	@echo "make test    set up, then every test (unit, property, contract, docs, faults)"
	@echo "make lint    ruff, import contracts, bandit"
	@echo "make types   mypy"
	@echo "make docs    the site, strict"
	@echo "make lock    resolve constraints.txt anew"
	@echo "make bench-NAME   a benchmark under benchmarks/ (bench-smoke, bench-cost, bench-demo, bench-audit, bench-asof,"
	@echo "                  bench-tabular, bench-portfolio, bench-stats, bench-forecast, bench-decide, bench-live)"

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet -c constraints.txt -e '.[demo,excel,forecast,serve]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --no-compile -c constraints.txt -e '.[dev]'  # what is imported is compiled then
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	$(BIN)/holdgood demo
	$(BIN)/holdgood demo --forecast

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m bandit --quiet --recursive --configfile pyproject.toml src

types: $(VENV)/.dev
	$(BIN)/mypy

docs: $(VENV)/.dev
	$(BIN)/mkdocs build --strict --quiet

# Everything about the audit, in order; a run that was killed goes on where it stopped. Peers get environments of their own.
bench-audit: $(VENV)/.dev
	$(BIN)/python benchmarks/audit/planted.py
	$(BIN)/python benchmarks/audit/clean.py
	$(BIN)/python benchmarks/audit/dirty.py --raha
	$(BIN)/python benchmarks/audit/peers.py
	$(BIN)/python benchmarks/audit/speed.py
	$(BIN)/python benchmarks/summarise.py

# AutoML peers, one fit at a time, unattended, resumable: hours. ARGS="--budget 60 --splits 5" and the like.
bench-tabular: $(VENV)/.dev
	$(BIN)/python benchmarks/tabular/run.py $(ARGS)
	$(BIN)/python benchmarks/summarise.py

# The portfolio that is shipped, and the lists that leave one set out. Resumable.
bench-portfolio: $(VENV)/.dev
	$(BIN)/python benchmarks/portfolio/measure.py $(ARGS)
	$(BIN)/python benchmarks/portfolio/choose.py

# Forecasters beside their peers on the forecasting sets: resumable.
bench-forecast: $(VENV)/.dev
	$(BIN)/python benchmarks/forecast/run.py $(ARGS)
	$(BIN)/python benchmarks/forecast/covariates.py
	$(BIN)/python benchmarks/forecast/latency.py
	$(BIN)/python benchmarks/summarise.py

# Orders in money: InventoryBench (a minute or two a way of playing on a free machine), the VN2 challenge on its history, the simulator's speed.
bench-decide: $(VENV)/.dev
	$(BIN)/python benchmarks/decide/milp.py
	$(BIN)/python benchmarks/decide/sheet.py
	$(BIN)/python benchmarks/inventorybench/score.py
	$(BIN)/python benchmarks/inventorybench/score.py --no-end
	$(BIN)/python benchmarks/inventorybench/score.py --see sales
	$(BIN)/python benchmarks/vn2/backtest.py
	$(BIN)/python benchmarks/decide/simulator.py
	$(BIN)/python benchmarks/summarise.py

# Level and power of the ladder's stop rule, cover of the holdout's intervals, and what forecasts claim: about 25 CPU minutes.
bench-stats: $(VENV)/.dev
	$(BIN)/python benchmarks/stats/ladder.py $(ARGS)
	$(BIN)/python benchmarks/stats/intervals.py $(ARGS)
	$(BIN)/python benchmarks/stats/forecasts.py
	$(BIN)/python benchmarks/summarise.py

# A model in use: years of retraining with drifts and scares (2 CPU minutes), journal, many rows, drift beside its peers (about an hour), the estimate
# before outcomes, then the server on one core and the load on the other; resumable. On a quiet machine: ARGS="--seconds 30 --minutes 10 --kills 20".
bench-live: $(VENV)/.dev
	$(BIN)/python benchmarks/live/retraining.py
	$(BIN)/python benchmarks/live/probation.py
	$(BIN)/python benchmarks/live/journal.py
	$(BIN)/python benchmarks/live/batch.py
	$(BIN)/python benchmarks/live/drift.py
	$(BIN)/python benchmarks/live/watchers.py
	$(BIN)/python benchmarks/live/censored.py
	$(BIN)/python benchmarks/live/estimate.py
	$(BIN)/python benchmarks/live/serve.py $(ARGS)
	$(BIN)/python benchmarks/summarise.py

bench-%: $(VENV)/.dev
	$(BIN)/python benchmarks/$*.py

lock:
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-annotate --no-header --all-extras pyproject.toml -o constraints.txt

clean:
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis
