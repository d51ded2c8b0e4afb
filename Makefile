# The verbs of the course. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# Any Python from 3.11 to 3.13 will do: make book PYTHON=python3.12
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.requirements

# Tests that build no book and install nothing.
QUICK_TESTS := tests/autograder/test_masters.py tests/autograder/test_hints.py tests/book/test_facts_pictures.py tests/book/test_facts_sliding.py \
	tests/book/test_fonts.py tests/book/test_landing_page.py tests/book/test_notebook_text.py \
	tests/book/test_site_address.py tests/exercises/test_kernels_reference.py

.PHONY: help setup book serve exercises check test test-all demo bench links clean

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

# Installs again whenever requirements.txt or pyproject.toml changed; does nothing otherwise.
setup: ## make .venv and install what the project needs
	@$(PYTHON) book/_make/environment.py

book: setup ## build the site into _build/html (the main job)
	@$(RUN) book/_make/build_site.py

serve: book ## build the site, then serve it on localhost (PORT=8000)
	@$(RUN) book/_make/serve.py --port $(PORT)

exercises: setup ## masters in solutions/ -> exercises/*.ipynb and dist/
	@$(VENV)/bin/autograder build

check: setup ## lint, types, in step, unit tests: the fast part of the tests
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check . && $(RUN) -m mypy
	@$(VENV)/bin/autograder check --quick
	@$(RUN) -m pytest -q -m "not slow" $(QUICK_TESTS)

test: setup ## the tests: everything that CI runs
	@$(RUN) book/_make/environment.py --for-tests
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check . && $(RUN) -m mypy
	@$(RUN) -m pytest -m "not slow" --durations=20

test-all: setup ## the tests and the slow repetitions
	@$(RUN) book/_make/environment.py --for-tests
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check . && $(RUN) -m mypy
	@$(RUN) -m pytest

demo: setup ## grade a class that never was, from uploads to reports, and say where they are
	@$(VENV)/bin/autograder build kernels && $(RUN) -m autograder.demo

bench: setup ## measure; results go to benchmarks/results/
	@$(RUN) benchmarks/book_build.py && $(RUN) benchmarks/hints.py && $(RUN) benchmarks/grading.py

links: setup ## ask every link out of the book whether it still answers (needs the network)
	@$(VENV)/bin/jupyter-book build . --path-output _build/links --builder linkcheck

clean: ## remove what was built (not .venv)
	rm -rf _build dist
