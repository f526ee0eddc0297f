"""A network file is loaded completely, or is refused with every problem."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from partnerships.agreements.models import Partnership
from partnerships.digests.models import Subscription
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.transfer.management.commands.load_network import counts_in_words
from partnerships.transfer.models import ImportRun
from partnerships.transfer.network_format.reading import read_network
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.services.network import load_network
from tests.support.outbox import deliver
from tests.world import DEMO

pytestmark = pytest.mark.django_db

SMALL: dict[str, Any] = {
    "format": "common-ground-network",
    "version": 1,
    "name": "small",
    "begins": "100 days ago",
    "demo_password": "a-quiet-estuary-morning",
    "organisations": [
        {"key": "larkhaven", "name": "Larkhaven Homes", "kind": "registered_provider"},
        {"key": "westmarch", "name": "Westmarch Borough Council", "kind": "council", "council_type": "NMD"},
    ],
    "people": [
        {"key": "amina", "name": "Amina Larch", "email": "amina@larkhaven.example", "account": True},
        {"key": "ben", "name": "Ben West", "email": "ben@westmarch.example", "account": True},
        {"key": "sol", "name": "Sol Stake", "email": "sol@council.example"},
    ],
    "memberships": [
        {"person": "amina", "organisation": "larkhaven", "role": "lead"},
        {"person": "ben", "organisation": "westmarch", "role": "lead"},
    ],
    "partnerships": [
        {
            "key": "estuary",
            "title": "Estuary Partnership",
            "kind": "memorandum",
            "chair": "larkhaven",
            "by": "amina",
            "opened": "90 days ago",
            "parties": [{"organisation": "westmarch", "accepted": "80 days ago", "by": "ben"}],
        }
    ],
    "plans": [
        {
            "key": "quay",
            "title": "North Quay",
            "kind": "delivery",
            "audience": "partnership",
            "owners": ["larkhaven"],
            "partnership": "estuary",
            "by": "amina",
            "begun": "60 days ago",
            "versions": [
                {
                    "at": "50 days ago",
                    "note": "First.",
                    "content": {
                        "sites": [{"key": "quay", "name": "Quay", "homes": [{"tenure": "social_rent", "count": 120}]}]
                    },
                },
                {
                    "at": "5 days ago",
                    "note": "Fewer.",
                    "set": {"sites/quay": {"homes": [{"tenure": "social_rent", "count": 100}]}},
                },
            ],
        }
    ],
    "subscriptions": [
        {
            "person": "sol",
            "plan": "quay",
            "added_by": "amina",
            "added_for": "larkhaven",
            "asked": "40 days ago",
            "confirmed": "39 days ago",
        }
    ],
}


def load(value: dict[str, Any], *, demo: bool = True, **options: Any) -> tuple[ImportRun, bool]:
    """Load a network in the way of the command."""
    return load_network(
        data=json.dumps(value).encode(),
        file_name="small.json",
        author=None,
        now=timezone.now(),
        demo=demo,
        **options,
    )


def test_network_is_replayed_by_date_without_emails() -> None:
    deliver().clear()
    load(SMALL)

    plan = Plan.objects.get()
    homes = [
        sum(line["count"] for line in version.content["sites"][0]["homes"])
        for version in plan.versions.order_by("number")
    ]
    assert homes == [120, 100]
    assert plan.versions.get(number=1).published_at < timezone.now() - dt.timedelta(days=49)
    assert Partnership.objects.get().parties.accepted().count() == 2
    assert Subscription.objects.confirmed().get().person.email == "sol@council.example"
    assert User.objects.get(email="sol@council.example").is_stakeholder
    assert not deliver()


def test_file_that_is_loaded_again_is_not_imported_again() -> None:
    load(SMALL)

    _, is_new = load(SMALL)

    assert not is_new
    assert ImportRun.objects.count() == 1


def test_other_file_of_a_network_that_was_loaded_is_refused() -> None:
    load(SMALL)

    with pytest.raises(UnableToRead, match="was loaded on"):
        load({**SMALL, "about": "changed"})


def test_network_file_has_how_often_partners_want_to_be_in_touch() -> None:
    load(network_with(["partnerships", 0, "contact_days"], 21))
    assert Partnership.objects.get().contact_days == 21


def test_dry_run_saves_nothing() -> None:
    _, is_new = load(SMALL, dry_run=True)

    assert is_new
    assert not Organisation.objects.exists()
    assert not User.objects.exists()


def test_every_problem_is_reported_with_its_path() -> None:
    broken_network = copy.deepcopy(SMALL)
    broken_network["organisations"][0]["kind"] = "castle"
    broken_network["organisations"][1]["colour"] = "blue"
    broken_network["memberships"][0]["person"] = "nobody"
    broken_network["plans"][0]["versions"][1]["at"] = "soon"
    del broken_network["people"][0]["email"]

    with pytest.raises(UnableToRead) as refusal:
        load(broken_network)

    problems = "\n".join(refusal.value.lines())
    assert "organisations[0].kind: “castle” is not one of the choices." in problems
    assert "organisations[1].colour: there is no field with this name here." in problems
    assert "memberships[0].person: “nobody” is not a key in “people”." in problems
    assert "plans[0].versions[1].at: “soon” is not a date." in problems
    assert "people[0].email: this field is missing." in problems
    assert not Organisation.objects.exists()


def test_event_that_a_service_refuses_is_reported_and_nothing_is_saved() -> None:
    broken_network = copy.deepcopy(SMALL)
    broken_network["partnerships"][0]["steps"] = [
        {"to": "active", "at": "70 days ago", "by": "amina", "reason": "Now."}
    ]

    with pytest.raises(
        UnableToRead, match=r"partnerships\[0\]\.steps\[0\]: A partnership that is exploring cannot become active"
    ):
        load(broken_network)

    assert not Organisation.objects.exists()


def test_event_in_the_future_is_refused() -> None:
    broken_network = copy.deepcopy(SMALL)
    broken_network["plans"][0]["versions"][1]["at"] = "in 3 days"

    with pytest.raises(UnableToRead, match="in the future"):
        load(broken_network)


def test_known_passwords_are_only_for_demonstrations(settings: Any) -> None:
    settings.DEMONSTRATION = False

    with pytest.raises(CommandError, match="DEMONSTRATION"):
        call_command("load_network", str(DEMO), "--demo-passwords")


def test_people_without_demonstration_passwords_choose_their_own() -> None:
    load(SMALL, demo=False)

    amina = User.objects.get(email="amina@larkhaven.example")
    assert not amina.is_stakeholder
    assert not amina.has_usable_password()


def refusal_message(value: Any) -> str:
    """Return the message about a refused file, after checking that nothing of the file was saved."""
    with pytest.raises(UnableToRead) as caught, transaction.atomic():
        load(value)
    assert not Plan.objects.exists()
    assert not ImportRun.objects.exists()
    return str(caught.value)


def network_with(path: list[Any], value: Any) -> dict[str, Any]:
    """Return the small network with one value replaced, at this path."""
    network = copy.deepcopy(SMALL)
    target: Any = network
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return network


#: An amendment that is sent for signature ten days before it is proposed.
AMENDMENT_SENT_TOO_EARLY = {
    "clause": "Homes for rent",
    "text": "Half of the homes are for social rent.",
    "reason": "The partners agreed this.",
    "by": "amina",
    "organisation": "larkhaven",
    "at": "20 days ago",
    "put_up": "30 days ago",
}


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (["areas"], 5, "areas: 5 is not a list"),
        (["partnerships", 0, "contact_days"], 3, "Enter a number of days from 7 to 730"),
        (["partnerships", 0, "rows"], {"lots": [{"name": "North"}]}, "has no table “lots”"),
        (["partnerships", 0, "rows"], {"contributions": ["Land"]}, "does not have the right form"),
        (["partnerships", 0, "fields"], {"review_on": "soon"}, "“soon” is not a complete date"),
        (["areas"], [{"code": "E" * 80, "name": "Long"}], "areas[0]"),
        (["plans", 0, "begun"], "2 days ago", "plans[0].versions[0]"),
        (["partnerships", 0, "opened"], "70 days ago", "not open yet"),
        (["partnerships", 0, "amendments"], [AMENDMENT_SENT_TOO_EARLY], "not proposed yet"),
        (["plans", 0, "begun"], "99999 years ago", "is more than 150 years away"),
        (["plans", 0, "begun"], "0001-01-01", "is not in a year from 1"),
        (["people", 1, "email"], "AMINA@larkhaven.example", "already the address of people[0]"),
        (["people", 1, "email"], "not an address", "people[1]"),
        (["people", 2, "email"], "not an address", "people[2]"),
        (["organisations", 0, "successors"], ["westmarch"], "no date on which it ended"),
        (["plans", 0, "versions", 0, "content", "about"], {"summary": "\x00"}, "cannot store"),
    ],
)
def test_impossible_value_is_refused_with_its_path(path: list[Any], value: Any, problem: str) -> None:
    assert problem in refusal_message(network_with(path, value))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": 1, "a": 2}', "“a” occurs twice"),
        ("9" * 5000, "a number that is too long"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_almost_json_is_refused(text: str, problem: str) -> None:
    with pytest.raises(UnableToRead, match=problem):
        read_network(f'{{"format": "common-ground-network", "version": 1, "about": {text}}}'.encode(), timezone.now())


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a file."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner_value in items:
        yield from paths(inner_value, (*path, step))


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=[]), max_size=40),
    st.text("x", min_size=300, max_size=5000),
    st.sampled_from(
        ["larkhaven", "quay", "sol", "today", "1 day ago", "95 days ago", "in 3 weeks", "2026-02-30", "lead"]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
)


@settings(max_examples=60)
@given(path=st.sampled_from(list(paths(SMALL))), value=ODD)
def test_odd_value_anywhere_is_loaded_or_refused_in_words(path: tuple[Any, ...], value: Any) -> None:
    with contextlib.suppress(UnableToRead), transaction.atomic():
        load(network_with(list(path), value))
        transaction.set_rollback(True)

    assert not ImportRun.objects.exists()
    assert not Organisation.objects.filter(name="Larkhaven Homes").exists()


def test_a_single_record_is_counted_in_the_singular() -> None:
    counts = {"organisations": 2, "people": 1, "partnerships": 1, "entries": 1, "commitments": 1_250}

    assert counts_in_words(counts) == "2 organisations, 1 person, 1 partnership, 1 ask or offer, 1,250 commitments"
