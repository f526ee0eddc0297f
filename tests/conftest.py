"""What all tests share: settings, the test database, the order of tests, the browser, and the small world."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib import admin
from django.core.cache import cache
from django.db import connection, connections
from django.db.models.signals import post_migrate
from django.template import RequestContext
from django.test import TransactionTestCase, client
from django.test.utils import ContextList
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import BrowserContext, expect
from pytest_django.fixtures import Settings
from pytest_django.plugin import blocking_manager_key

from housing.migration_state import rendering_less
from partnerships.documents import downloads
from partnerships.kit import operators, vocabularies
from partnerships.kit.late import late
from partnerships.organisations import statements
from tests.support import kept_rows, rewriting, seeds
from tests.support.browser import PATIENCE, chromium_path
from tests.support.constraints import number_at_once
from tests.support.database import template_database
from tests.support.kept_statements import compared
from tests.support.signing_in import log_in
from tests.world import World, make_world

# Playwright's event loop runs in the test's thread; Django's check for one is meant for servers.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

# The same examples each time, however long they take: no test fails by chance, and a failure can be repeated.
hypothesis_settings.register_profile(
    "tests", derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
hypothesis_settings.load_profile("tests")


def pytest_configure() -> None:
    """Change settings for tests, before Django reads them."""
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    django_settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    # Otherwise every test client reads all static files again, which takes a tenth of the time of tests of pages.
    django_settings.WHITENOISE_USE_FINDERS = False
    # No test collects static files, and WhiteNoise would warn of the missing folder in 1,600 tests.
    django_settings.STATIC_ROOT = None
    # The result of a test must not depend on whether the documentation has been built.
    django_settings.WHITENOISE_ROOT = None
    django_settings.CELERY_BROKER_URL = "memory://"
    # People who chose nothing get each notice as an email of its own. Tests of summaries turn this off.
    django_settings.NOTICES_AT_ONCE = True
    client.store_rendered_templates = store_context_of_page
    client.Client._login = log_in  # type: ignore[attr-defined]  # private in Django
    expect.set_options(timeout=PATIENCE)  # Playwright's own is five seconds


def store_context_of_page(store: dict[str, Any], context: Any, **signal_arguments: Any) -> None:
    """Store the context of the page as `response.context`.

    Django's own function also copies the contexts of the hundreds of parts that a page includes. Parts that were
    rendered before the page have no request, so the context of the page replaces theirs.
    """
    stored = store.get("context")
    if stored is None or (isinstance(context, RequestContext) and not isinstance(stored[0], RequestContext)):
        store["context"] = ContextList([copy(context)])


def pytest_collection(session: pytest.Session) -> None:
    """Turn garbage collection off while tests are collected, which it would slow down.

    The process that only leads others (xdist) collects no tests.
    """
    if not session.config.pluginmanager.has_plugin("dsession"):
        gc.disable()
        rewriting.rewrite_share(session.config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let each process begin with its share of the modules that take long.

    Most of these commit, and pytest-django puts tests that commit last. Then one process would still be busy with a
    long module after the others have ended.
    """
    process_count = getattr(config, "workerinput", {}).get("workercount", 1)
    long_modules = {item.path for item in items if any(map(item.get_closest_marker, ("slow", "browser", "fault")))}
    long_items = [item for item in items if item.path in long_modules]
    short_items = [item for item in items if item.path not in long_modules]

    def share(all_items: list[pytest.Item], process: int) -> list[pytest.Item]:
        start, end = (number * len(all_items) // process_count for number in (process, process + 1))
        return all_items[start:end]

    ordered_items: list[pytest.Item] = []
    for process in range(process_count):
        ordered_items += share(long_items, process) + share(short_items, process)
    items[:] = ordered_items


def pytest_collection_finish() -> None:
    """Freeze objects from before the first test.

    Collecting garbage among them took a fifth of a run.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Clear rows that an earlier test left behind, before anything of this test is set up."""
    with item.config.stash[blocking_manager_key].unblock():
        seeds.clear_leftovers()


@pytest.fixture(autouse=True, scope="session")
def render_fewer_models_in_migrations() -> Iterator[None]:
    """Migrate the test database with the patches of our own `migrate` command, which save most of the time."""
    with rendering_less():
        yield


@pytest.fixture(autouse=True, scope="session")
def cache_drawn_pdfs() -> Iterator[None]:
    """Cache the PDFs that weasyprint draws. Drawing takes a second, and several people open the same page in tests."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(downloads, "weasyprint", late("tests.support.drawing"))
        yield


@pytest.fixture(autouse=True)
def media_root(settings: Settings, tmp_path: Path) -> None:
    """Give each test its own folders of uploaded files, survey keys and the journal."""
    settings.MEDIA_ROOT = tmp_path
    settings.SURVEY_KEYS_ROOT = tmp_path / "survey-keys"
    settings.JOURNAL_ROOT = tmp_path / "journal"


@pytest.fixture
def world(db: None) -> World:
    """Return the small world, fresh for each test."""
    return make_world()


@pytest.fixture
def _django_db_helper(_django_db_helper: None) -> None:
    """Prepare the database for one test, after pytest-django has opened its transaction.

    Most tests never commit. PostgreSQL numbers changes at the commit, so for these tests it must number them at once.
    Tests that do commit share the table of the cache, which no flush empties. Without clearing it, the sign-ins that
    one test counts would limit those of the next.
    """
    never_commits = connection.in_atomic_block
    if never_commits:
        number_at_once()
    else:
        cache.clear()


@pytest.fixture(autouse=True)
def check_cached_sql(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test if the cached SQL of a page differs from the SQL that would be composed for its reader.

    The cached SQL was composed for another reader, so a difference could show records that this reader may not see.
    """
    monkeypatch.setattr(statements, "_ready_statement", compared(statements._ready_statement))


@pytest.fixture(autouse=True)
def disable_admin_sidebar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn off the sidebar of Django admin, which repeats the index and takes most of the time of a page."""
    monkeypatch.setattr(admin.site, "enable_nav_sidebar", False)


@pytest.fixture(autouse=True)
def clear_vocabulary_cache() -> None:
    """Clear the cached vocabularies, which may contain words that an earlier test added and rolled back."""
    vocabularies.forget()


@pytest.fixture(autouse=True)
def send_alerts_without_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send alerts straight to the mail server.

    Otherwise another thread would record them in the outbox, and the test could not roll back these rows.
    """
    monkeypatch.setattr(operators, "_channels", [])


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Return the options of Debian's Chromium, without its background traffic.

    Browser tests fail if the stylesheets are not built. Without Chromium, they are skipped on a developer's machine.
    """
    if not (django_settings.BASE_DIR / "static" / "build" / "css" / "site.css").exists():
        pytest.fail("The stylesheets are not built: run `npm ci --ignore-scripts && node static/build.mjs`.")
    path = chromium_path()
    if path is None:
        message = (
            "No Chromium here: install Debian's package chromium-headless-shell or chromium (.ci/run does)"
            " to run the browser tests."
        )
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return browser_type_launch_args | {
        "executable_path": path,
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            # A page of a test lives for a second, in which its scripts run once or twice: compiling them well takes
            # longer than running them, above all axe.
            "--js-flags=--no-opt --no-maglev --always-sparkplug",
        ],
    }


@pytest.fixture
def context(context: BrowserContext) -> BrowserContext:
    """Wait longer for pages than Playwright's 30 s."""
    context.set_default_timeout(PATIENCE)
    return context


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: Any, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Set up the test database, and restore the rows from migrations after each flush."""
    shared_folder = None if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    kept_rows.use(database=connections["default"].settings_dict["NAME"], folder=shared_folder)
    with django_db_blocker.unblock():
        seeds.save_migrated_rows(connections["default"].settings_dict)
    TransactionTestCase._fixture_teardown = seeds.restore_migrated_rows  # type: ignore[attr-defined]  # private in Django
    # Django sends this signal for each app. One app is enough, because the receiver restores the rows of all tables.
    post_migrate.connect(
        seeds.restore_missing_rows, sender=apps.get_app_config("agreements"), dispatch_uid="tests.restore_missing_rows"
    )


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_keepdb: bool, django_db_blocker: Any
) -> None:
    """Copy the test database from a migrated one, unless an old one is kept."""
    if not django_db_keepdb:
        with django_db_blocker.unblock():
            connections["default"].settings_dict["TEST"]["TEMPLATE"] = template_database()
