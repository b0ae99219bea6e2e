# Every target is thin: it calls one command, which also works alone from .venv/bin.

PYTHON ?= python3
RUN    := .venv/bin/python
STEP   := $(RUN) tools/step.py
NAME   ?= 01-convolution
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup course book pdf notebooks release lab sample grade report bench lint check test lock clean

help: ## say what each target does
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1\t\2/' | expand -t 18

setup: ## make .venv and node_modules from the pins
	@$(PYTHON) tools/setup.py

course: setup ## book, notebooks, and a graded sample class
	@$(MAKE) --no-print-directory notebooks book grade
	@echo
	@echo "Read   _build/html/index.html"
	@echo "Do     make lab"
	@echo "Teach  _build/class/$(NAME)/report.html and _build/class/$(NAME)/feedback/"

book: setup ## build the book into _build/html
	@$(STEP) book _build/html/index.html -- $(RUN) tools/book.py

pdf: book ## the whole book as one PDF
	@$(STEP) pdf _build/convbook.pdf -- $(RUN) tools/pdf.py

notebooks: setup ## generate notebooks/ from book/ and solutions/
	@$(STEP) notebooks notebooks/ -- $(RUN) tools/notebooks.py

release: setup ## student notebooks of the assignments
	@$(STEP) release notebooks/assignments/ -- autograder release

lab: setup ## open JupyterLab on the notebooks
	@$(RUN) -m jupyter lab --notebook-dir notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

sample: setup ## a sample class of submissions, from the solutions and the mistake catalogues
	@$(STEP) sample _build/submissions/ -- autograder sample $(NAME) --out _build/submissions

grade: $(if $(SUBMISSIONS),setup,sample) ## grade SUBMISSIONS into OUT (by default the sample class)
	@$(STEP) grade _build/class/$(NAME)/ -- autograder grade $(NAME) \
	  --submissions $(or $(SUBMISSIONS),_build/submissions) --out $(or $(OUT),_build/class/$(NAME))

report: setup ## the class report again
	@autograder report $(or $(OUT),_build/class/$(NAME))

bench: book ## measure pages, build and grading beside their aims (minutes)
	@$(RUN) tools/bench_pages.py
	@mkdir -p _build/bench
	@autograder bench 01-convolution --json _build/bench/01-convolution.json
	@autograder --course tests/autograder/fixtures/torchy bench --json _build/bench/torchy.json

lint: setup ## format, lint, types, spelling
	@ruff format --check --quiet . || { echo "Run 'ruff format .'"; exit 1; }
	@ruff check --quiet .
	@mypy --no-error-summary
	@codespell

check: lint ## all of lint, and the links of the built book
	@$(RUN) -m pytest tests/book/test_links.py
	@echo "check: format, lint, types, spelling and links are fine"

test: ## lint, and every test, on this machine
	@$(PYTHON) tools/setup.py --for-tests
	@$(MAKE) --no-print-directory lint
	@$(RUN) -m pytest -n 2 --dist loadscope

lock: ## renew requirements.txt from pyproject.toml (needs uv)
	@uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --no-annotate \
	  --constraint tools/constraints.txt --custom-compile-command "make lock" --quiet --output-file requirements.txt

clean: ## remove what make built, but not .venv
	@rm -rf _build book/static/vendor
