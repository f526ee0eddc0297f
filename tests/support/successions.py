"""Helpers that record successions, and transfer records of Westmarch to Harbour."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils import timezone

from partnerships.kit.dates import known_day
from partnerships.organisations.models import Organisation, Succession
from partnerships.organisations.services import (
    NewTie,
    answer_handovers,
    hand_over_due,
    propose_handovers,
    record_succession,
    take_effect,
    ties_between,
)
from partnerships.people.models import User
from tests.world import World


def follow(
    predecessors: Sequence[Organisation],
    successors: Sequence[Organisation],
    *,
    kind: str = "merge",
    on: dt.date | None = None,
    author: User | None = None,
    now: dt.datetime | None = None,
) -> Succession:
    """Record a succession that took effect on a day, by default today."""
    return record_succession(
        kind=kind,
        status="effective",
        vests_on=known_day(on or timezone.localdate()),
        ties=ties_between(predecessors, successors),
        author=author,
        now=now or timezone.now(),
    )


def pass_on(world: World, kind: str, *records: int) -> Succession:
    """Transfer records of one kind from Westmarch, which continues, to Harbour, together with a function."""
    succession = record_succession(
        kind="function_transfer",
        status="order_made",
        vests_on=known_day(timezone.localdate()),
        ties=[NewTie(world.westmarch, world.harbour, function="housing")],
        author=None,
        now=timezone.now(),
    )
    give_lines(world, succession, kind, *records)
    take_effect(succession=succession, author=None, now=timezone.now())
    hand_over_due(now=timezone.now())
    return succession


def give_lines(world: World, succession: Succession, kind: str, *records: int) -> None:
    """Let Ben propose handover lines from Westmarch to Harbour, and Hana accept them."""
    propose_handovers(
        succession=succession,
        predecessor=world.westmarch,
        kind=kind,
        records=records,
        successor=world.harbour,
        author=world.ben,
        now=timezone.now(),
    )
    lines = list(succession.handovers.filter(kind=kind))
    answer_handovers(lines=lines, accept=True, author=world.hana, now=timezone.now())
