"""The pending successions that come with the project."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from partnerships.organisations.lineage import who_answers_for
from partnerships.organisations.models import Organisation, Status, Succession
from partnerships.organisations.services import change_succession_status, correct_succession, create_organisation
from partnerships.transfer.services.pending import PENDING, Loaded, load_pending
from tests.world import World

NOW = timezone.now()
FILE = json.loads(PENDING.read_text(encoding="utf-8"))


def surrey() -> dict[str, Organisation]:
    """The twelve councils, by GSS code."""
    codes = sorted({code for item in FILE["successions"] for code in item["predecessors"]})
    return {
        code: create_organisation(
            name=f"Council {code}", kind="council", identifiers=[("gss", code)], author=None, now=NOW
        )
        for code in codes
    }


def load() -> Loaded:
    return load_pending(author=None, now=NOW)


def test_twelve_councils_become_two(world: World) -> None:
    assert load() == Loaded(waiting=3)
    councils = surrey()

    assert load() == Loaded(recorded=3)
    assert load() == Loaded(known=3)

    assert len(councils) == 12
    for name, number in (("East Surrey Council", 5), ("West Surrey Council", 6)):
        new = Organisation.objects.get(name=name)
        assert new.status == Status.PROPOSED
        assert new.ties_as_successor.filter(succession__kind="merge").count() == number
    county = councils["E10000030"]
    assert {str(tie.succession.vests_on) for tie in county.ties_as_predecessor.all()} == {"2027-04-01"}


def test_every_pending_succession_names_its_source() -> None:
    for item in FILE["successions"]:
        assert item["source"]
        assert item["source_url"].startswith("https://")


def test_what_an_administrator_decided_stays_when_it_is_loaded_again(world: World) -> None:
    councils = surrey()
    load()
    given: dict[str, Any] = {"reason": "The order says so.", "author": world.dee, "now": NOW}
    correct_succession(succession=Succession.objects.get(kind="split"), kind="replace", **given)
    for succession in Succession.objects.all():
        to = "cancelled" if succession.kind == "replace" else "order_made"
        change_succession_status(succession=succession, to=to, reason="As decided.", author=world.dee, now=NOW)

    call_command("load_pending")

    assert Succession.objects.count() == 3
    day = dt.date(2027, 4, 1)
    answers = [who_answers_for(function="housing", organisation=one, day=day).body for one in councils.values()]
    assert answers.count(councils["E10000030"].pk) == 1
    assert answers.count(Organisation.objects.get(name="West Surrey Council").pk) == 6
