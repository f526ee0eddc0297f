"""Every URL has the status of the access table, for each persona and method.

A URL without a row fails.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from types import SimpleNamespace
from typing import Any

import pytest
from django import shortcuts
from django.contrib import admin
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.views import defaults

from partnerships.digests.emails.links import Purpose
from partnerships.people.middleware import OwnSignInMiddleware, SecondFactorMiddleware, SessionLimitMiddleware
from tests.digests.access import token as link_of_an_email
from tests.support.access import PERSONAS, STAKEHOLDER, WHO, WITHOUT_ACCOUNT, Expected, Row
from tests.support.prepared import ROWS, checked_browser, media_root, world
from tests.world import World

__all__ = ["media_root", "world"]

pytestmark = pytest.mark.django_db

#: URLs of packages, which follow a rule instead of a row (see the tests below), and pages for machines.
BY_RULE = ("admin", "account", "mfa", "usersessions", "socialaccount", "headless", "idp", "openid", "social")
#: Who tries a method that a page does not have; it does nothing for anybody.
ONES_OF_A_KIND = ("signed_out", "stakeholder", "lead", "administrator")
OTHER_METHODS = ("put", "patch", "delete", "trace", "options")
MACHINES = {
    "health_live": 200,
    "health_ready": 200,
    "metrics": 404,
    "security_txt": 404,
}


def named_urls(resolver: URLResolver | None = None, namespace: str = "") -> Iterator[str]:
    """Yield every URL name, with its namespaces."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from named_urls(pattern, inner)
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name or pattern.pattern}"


def is_by_rule(name: str) -> bool:
    """Return whether the URL is of Django admin, of allauth or for machines."""
    first = re.split("[:_/]", name, maxsplit=1)[0]
    return first in BY_RULE or name in MACHINES


def test_every_url_has_a_row() -> None:
    ours = {name for name in named_urls() if not is_by_rule(name)}

    without_row = ours - {row.name for row in ROWS}

    assert not without_row, "Add rows to tests/<room>/access.py for: " + ", ".join(sorted(without_row))


def test_every_row_has_an_existing_url() -> None:
    assert {row.name for row in ROWS} <= set(named_urls())


@pytest.fixture(scope="module")
def visitors(world: World, django_db_blocker: Any) -> Iterator[dict[str, tuple[Client, SimpleCookie]]]:
    """Provide each persona's browser, signed in and checked only once, because both take longer than a page."""
    made = {}
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patched:
        for middleware in (SessionLimitMiddleware, OwnSignInMiddleware, SecondFactorMiddleware):
            patched.setattr(middleware, "SECONDS", 3_600)
        for persona in PERSONAS:
            client = Client(raise_request_exception=False)
            if persona in WHO:
                client = checked_browser(getattr(world, WHO[persona]), raises=False)
            if persona == STAKEHOLDER:
                for purpose, name in ((Purpose.READ, "digests:view"), (Purpose.PREFERENCES, "digests:preferences")):
                    opened = client.get(reverse(name, kwargs={"token": link_of_an_email(purpose, world)}))
                    assert opened.status_code == 200
            made[persona] = (client, SimpleCookie(client.cookies.output(header="", sep=";")))
        yield made


@pytest.fixture
def visit(visitors: dict[str, tuple[Client, SimpleCookie]]) -> Callable[[str], Client]:
    """Return the browser of a persona as it was after signing in."""

    def as_signed_in(persona: str) -> Client:
        client, cookies = visitors[persona]
        client.cookies = SimpleCookie(cookies.output(header="", sep=";"))
        return client

    return as_signed_in


@contextmanager
def pages_drawn(*, is_wanted: bool) -> Iterator[None]:
    """Draw the pages of views, or answer with their status alone, which takes half the time."""
    with pytest.MonkeyPatch.context() as patched:
        if not is_wanted:
            empty = SimpleNamespace(render=lambda *_, **__: "")
            patched.setattr(shortcuts, "loader", SimpleNamespace(render_to_string=empty.render))
            patched.setattr(defaults, "loader", SimpleNamespace(get_template=lambda _: empty))
        yield


def who_draws(turn: int, expected: Expected) -> set[str]:
    """Whose pages are drawn: two who see one and one who is refused, in turn; the crawl draws each persona's."""
    see = [persona for persona in PERSONAS if expected[persona] in {200, 422}]
    refused = [persona for persona in PERSONAS if persona not in see]
    chosen = [some[turn % len(some)] for some in (see[::2], see[1::2], refused) if some]
    return set(chosen)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_every_url_answers_as_the_access_table_says(
    row: Row, method: str, world: World, visit: Callable[[str], Client]
) -> None:
    expected = row.expectations.get(method)
    draw = who_draws(ROWS.index(row), expected) if expected is not None else {"lead"}
    status_by_persona = {}
    wanted = {}
    for persona in PERSONAS if expected is not None else ONES_OF_A_KIND:
        with transaction.atomic(), pages_drawn(is_wanted=persona in draw):
            client = visit(persona)
            address = reverse(row.name, kwargs=row.on(world)) + row.query
            data = row.data(world) if method == "post" else None
            status = getattr(client, method)(address, data).status_code
            transaction.set_rollback(True)
        if expected is not None:
            allowed = {expected[persona]}
        else:
            allowed = {302, 405} if persona in WITHOUT_ACCOUNT else {404, 405}
        status_by_persona[persona] = status
        wanted[persona] = status if status in allowed else sorted(allowed)

    assert status_by_persona == wanted


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_other_methods_are_refused(row: Row, world: World, visit: Callable[[str], Client]) -> None:
    client = visit("lead")
    address = reverse(row.name, kwargs=row.on(world))

    status_by_method = {method: getattr(client, method)(address).status_code for method in OTHER_METHODS}

    assert status_by_method == dict.fromkeys(OTHER_METHODS, 405) | {
        method: one["lead"] for method, one in row.also.items()
    }


ADMIN_INDEXES = sorted(
    name for name in named_urls() if name.startswith("admin:") and name.endswith(("_changelist", "_add"))
)


def in_turn(number: int) -> tuple[str, str]:
    """Administrators and one of the others: one check of Django admin's site refuses every other on every page."""
    others = [persona for persona in PERSONAS if persona != "administrator"]
    return "administrator", others[number % len(others)]


@pytest.mark.parametrize("name", ["admin:index", *ADMIN_INDEXES])
def test_django_admin_is_open_only_to_administrators(name: str, visit: Callable[[str], Client]) -> None:
    status_by_persona = {}
    for persona in in_turn(ADMIN_INDEXES.index(name) if name in ADMIN_INDEXES else 0):
        with transaction.atomic():
            status_by_persona[persona] = visit(persona).get(reverse(name)).status_code
            transaction.set_rollback(True)

    # An administrator may be refused what only services may write (403), but never gets an error.
    assert status_by_persona.pop("administrator") in {200, 403}
    assert status_by_persona == dict.fromkeys(status_by_persona, 302)


@pytest.mark.parametrize("persona", PERSONAS)
def test_records_in_django_admin_are_open_only_to_administrators(persona: str, visit: Callable[[str], Client]) -> None:
    # Who is no administrator is sent away before any page: they open, change and delete one record of each kind.
    is_administrator = persona == "administrator"
    pages = itertools.product(("change", "history", "delete"), ("get", "post"))
    asked = list(pages) if is_administrator else [("change", "get"), ("change", "post"), ("delete", "post")]
    answered = []
    for turn, (model, page) in enumerate(admin.site._registry.items()):
        if persona not in in_turn(turn):
            continue
        of_model = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for number in page.get_queryset(RequestFactory().get("/")).values_list("pk", flat=True)[:1]:
            for name, method in asked:
                with transaction.atomic():
                    status = getattr(visit(persona), method)(reverse(f"{of_model}_{name}", args=[number])).status_code
                    transaction.set_rollback(True)
                answered.append((f"{method} {of_model}_{name}", status))
        for name in ("changelist", "add") if is_administrator else ("add",):
            with transaction.atomic():
                answered.append(
                    (f"post {of_model}_{name}", visit(persona).post(reverse(f"{of_model}_{name}")).status_code)
                )
                transaction.set_rollback(True)

    allowed = {200, 302, 403, 405, 422} if is_administrator else {302}
    assert [one for one in answered if one[1] not in allowed] == []
    assert len(answered) > (100 if is_administrator else 10)


ACCOUNT_PAGES = sorted(
    name for name in named_urls() if name.partition("_")[0] in {"account", "mfa", "usersessions"} and ":" not in name
)


def stands_alone(name: str) -> bool:
    """Return whether the URL of this name has no parameters."""
    try:
        reverse(name)
    except Exception:  # noqa: BLE001 - reverse has one error for every misfit
        return False
    return True


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("persona", ["signed_out", "stakeholder", "lead", "left", "administrator"])
@pytest.mark.parametrize("name", ACCOUNT_PAGES)
def test_account_pages_answer_without_an_error(
    name: str, persona: str, method: str, visit: Callable[[str], Client]
) -> None:
    with transaction.atomic():
        client = visit(persona)
        try:
            address = reverse(name)
        except Exception:  # noqa: BLE001 - it wants a key that an email carries: an unknown one must be refused kindly
            address = next(
                (
                    reverse(name, kwargs={part: value})
                    for part, value in (("key", "nothing"), ("pk", 1))
                    if _fits(name, part, value)
                ),
                "",
            )

        status = getattr(client, method)(address).status_code if address else 404

        assert status < 500
        transaction.set_rollback(True)


def _fits(name: str, part: str, value: object) -> bool:
    try:
        reverse(name, kwargs={part: value})
    except Exception:  # noqa: BLE001 - reverse has one error for every misfit
        return False
    return True


@pytest.mark.parametrize(("name", "status"), MACHINES.items())
def test_pages_for_machines_show_nothing_to_people(name: str, status: int, world: World) -> None:
    assert Client().get(reverse(name)).status_code == status
