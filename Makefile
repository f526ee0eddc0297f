# Common Ground's commands. Each prepares what it needs; PYTHON chooses the Python that makes .venv.
PYTHON ?= python3
VENV := .venv/bin/python
READY := $(PYTHON) housing/bootstrap.py

.DEFAULT_GOAL := help
.PHONY: help setup run test check worker beat migrate reset demo screenshots crawl bench-plans bench-digests \
	bench-exchange bench-ledger format lock audit

help: ## List these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

setup: ## Prepare .venv and the front end, and start nothing
	@$(READY)

run: ## Start everything here and say where to look (Ctrl-C ends it all)
	@$(READY) -m housing.run serve

test: ## Run the tests on a database and a broker of their own (ARGS="-k digest" chooses)
	@$(READY) -m housing.run tests $(ARGS)

check: ## Style, types, import contracts, templates, migrations, deployment settings
	@$(READY) housing/checks.py

worker: ## Run one more Celery worker on the parts that run, or on those the environment names
	@$(READY) -m housing.worker

beat: ## Run Celery's clock; one is enough, two do no harm
	@$(READY) -m celery -A housing beat --loglevel INFO --pidfile=

migrate: ## Bring the tables up to date and renew the application role's rights, as the tables' owner
	@$(READY) manage.py migrate

reset: ## Forget the embedded database, mail and files (everything in var/)
	@$(READY) -m housing.run reset

demo: ## Load the demonstration network into the parts that run
	@$(READY) manage.py load_network partnerships/transfer/demo.json --demo-passwords

screenshots: ## Make the README's pictures from a started instance
	@$(READY) docs/screenshots.py $(ARGS)

crawl: ## Follow every link and form of a started instance as every persona
	@$(READY) tests/crawl.py $(ARGS)

bench-plans: ## Figures for plans
	@$(READY) -m housing.run with $(VENV) benchmarks/plans.py $(ARGS)

bench-digests: ## Figures for digests
	@$(READY) -m housing.run with $(VENV) benchmarks/digests.py $(ARGS)

bench-exchange: ## Figures for ask and offer
	@$(READY) -m housing.run with $(VENV) benchmarks/exchange.py $(ARGS)

bench-ledger: ## Figures for the ledger of emails
	@$(READY) -m housing.run with $(VENV) benchmarks/ledger.py $(ARGS)

format: ## Put the code into the one style
	@$(VENV) -m ruff check --fix . ; $(VENV) -m ruff format . ; .venv/bin/djangofmt --line-length 120 --indent-width 2 templates

lock: ## Pin every package with its hashes into requirements.txt (UPGRADE=1 takes newer ones)
	@$(VENV) -m uv pip compile --universal --python-version 3.11 --generate-hashes --group embedded --group checks \
		--no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) \
		pyproject.toml --output-file requirements.txt --quiet

audit: ## Look up known vulnerabilities of the pinned packages
	@$(READY) housing/audit.py
