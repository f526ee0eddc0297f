# Common Ground's commands. Each installs what it needs first. PYTHON names the Python that creates .venv.
PYTHON ?= python3
VENV := .venv/bin/python
BOOTSTRAP := $(PYTHON) tools/bootstrap.py

.DEFAULT_GOAL := help
.PHONY: help setup run test test-database check worker beat migrate reset demo screenshots crawl attack-surveys bench-plans \
	bench-capacity bench-digests bench-exchange bench-ledger bench-pages bench-reports bench-handovers bench-lettings bench-reconciliation bench-record \
	bench-saving bench-search bench-successions docs nightly release-check try-alerts try-failover try-hosts try-image \
	try-recovery try-upgrade format settings files lock audit

help: ## List these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

setup: ## Prepare .venv, the front end and the documentation
	@$(BOOTSTRAP)

run: ## Start everything on this machine (Ctrl-C stops it)
	@$(BOOTSTRAP) -m tools.run serve

test: ## Run the tests on a database and broker of their own (ARGS="-k digest" selects some)
	@$(BOOTSTRAP) -m tools.run tests $(ARGS)

test-database: ## Migrate the database that the tests copy, which `make test` does otherwise
	@$(BOOTSTRAP) -m tools.run test-database

check: ## Check style, types, import contracts, templates, migrations and deployment settings
	@$(BOOTSTRAP) tools/checks.py

worker: ## Run one more Celery worker beside `make run`, or on the services in the environment
	@$(BOOTSTRAP) -m housing.worker

beat: ## Run Celery beat; one is enough, two do no harm
	@$(BOOTSTRAP) -m celery -A housing beat --loglevel INFO --pidfile=

migrate: ## Migrate as the tables' owner, and renew the rights of the application's role
	@$(BOOTSTRAP) manage.py migrate

reset: ## Delete the embedded database, mail and files (everything in var/)
	@$(BOOTSTRAP) -m tools.run reset

demo: ## Load the demonstration network into the running services
	@$(BOOTSTRAP) manage.py load_network partnerships/transfer/demo.json --demo-passwords
	@$(BOOTSTRAP) manage.py load_figures

screenshots: ## Take the README's pictures from a running instance
	@$(BOOTSTRAP) docs/screenshots.py $(ARGS)

crawl: ## Follow every link and form of a running instance as every persona
	@$(BOOTSTRAP) tests/crawl.py $(ARGS)

bench-plans: ## Measure plans
	@$(BOOTSTRAP) -m tools.run with $(VENV) benchmarks/plans.py $(ARGS)

bench-digests: ## Measure digests
	@$(BOOTSTRAP) -m tools.run with $(VENV) benchmarks/digests.py $(ARGS)

bench-exchange: ## Measure asks and offers
	@$(BOOTSTRAP) -m tools.run with $(VENV) benchmarks/exchange.py $(ARGS)

bench-pages: ## Measure every page at 1, 2 and 10 times England
	@$(BOOTSTRAP) -m tools.run with $(VENV) benchmarks/pages.py $(ARGS)

bench-saving: ## Measure publishing, answering, committing, editing and importing at 1 and 10 times England
	@$(BOOTSTRAP) -m tools.run with $(VENV) benchmarks/saving.py $(ARGS)

bench-reports: ## Measure every report at 1 and 10 times England
	@$(BOOTSTRAP) -m tools.run with $(VENV) benchmarks/reports.py $(ARGS)

bench-successions: ## Check who answers over 100,000 random histories of successions
	@PYTHONPATH=. $(VENV) benchmarks/successions.py $(ARGS)

attack-surveys: ## Attack the published figures of 10,000 generated surveys
	@PYTHONPATH=. $(VENV) tests/surveys/attacking.py $(ARGS)

bench-lettings: ## Measure reading and counting 50,000 lettings
	@PYTHONPATH=. $(VENV) benchmarks/lettings.py $(ARGS)

bench-handovers: ## Measure handing over what twelve councils hold
	@$(BOOTSTRAP) -m tools.run with $(VENV) benchmarks/handovers.py $(ARGS)

bench-reconciliation: ## Measure how often names get the right first answer, and how fast
	@$(BOOTSTRAP) -m tools.run with $(VENV) benchmarks/reconciliation.py $(ARGS)

bench-record: ## Measure what numbering a change costs a service
	@$(BOOTSTRAP) -m tools.run with $(VENV) benchmarks/record.py $(ARGS)

bench-search: ## Measure search with common and rare words at 10 times England
	@$(BOOTSTRAP) -m tools.run with $(VENV) benchmarks/search.py $(ARGS)

try-recovery: ## Restore a moment before an accident, by archived write-ahead log
	@$(VENV) -m benchmarks.recovery

try-upgrade: ## Upgrade the first public commit and every version tag to this code under load (takes minutes)
	@$(VENV) -m benchmarks.upgrades $(ARGS)

try-alerts: ## Play each fault to the rules for Prometheus (needs promtool)
	@$(VENV) -m benchmarks.alerts

nightly: ## What takes too long for CI: upgrades on each PostgreSQL here, recovery, alerts, failover, hosts
	@$(BOOTSTRAP) -m benchmarks.nightly $(ARGS)

try-failover: ## Kill and cut off a broker with sentinels and a standby, on hosts of their own (needs root)
	@$(VENV) -m benchmarks.failover

try-hosts: ## Kill and cut off every host in turn while digests leave and people save (needs root)
	@$(VENV) -m benchmarks.hosts $(ARGS)

try-image: ## Build the image without a registry, and start it on a read-only root (needs root on Debian)
	@$(VENV) -m benchmarks.image

bench-capacity: ## Measure what one and two cores carry, and reckon four and sixteen
	@$(BOOTSTRAP) -m tools.run with $(VENV) benchmarks/capacity.py $(ARGS)

bench-ledger: ## Measure the ledger of emails
	@$(BOOTSTRAP) -m tools.run with $(VENV) benchmarks/ledger.py $(ARGS)

format: ## Format code and templates
	@$(VENV) -m ruff check --fix . ; $(VENV) -m ruff format . ; .venv/bin/djangofmt --line-length 120 --indent-width 2 --custom-blocks draft_banner,empty_state,tabs templates

docs: ## Build the documentation into build/documentation, which the site serves at /docs/
	@$(BOOTSTRAP) -m tools.documentation

release-check: ## Say what is missing before this version may be tagged
	@$(VENV) -m tools.release

settings: ## Write .env.example and docs/reference/settings.md from the declarations of settings
	@$(VENV) -m tools.settings_pages

files: ## Write files.md, numbers.md and words.md in docs/reference from modules and pages
	@$(VENV) -m tools.file_pages

lock: ## Pin every package with hashes in requirements.txt (UPGRADE=1 takes newer versions)
	@$(VENV) -m uv pip compile --universal --python-version 3.11 --generate-hashes --group embedded --group image \
		--group documentation --group checks \
		--no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) \
		pyproject.toml --output-file requirements.txt --quiet

audit: ## Look up known vulnerabilities of the pinned packages
	@$(BOOTSTRAP) tools/audit.py
