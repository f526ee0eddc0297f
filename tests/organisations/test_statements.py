"""Kept statements of pages: each reader gets their own rows, as of now."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party
from partnerships.organisations import statements
from partnerships.organisations.holdings import remembered
from partnerships.organisations.models import Membership, Role
from partnerships.organisations.services import end_membership
from partnerships.organisations.statements import count_for, rows_for, with_rows
from partnerships.people.models import User
from tests.world import World

pytestmark = pytest.mark.django_db


def taking_part(user: User) -> QuerySet[Partnership]:
    return Partnership.objects.present_for(user).order_by("pk")


def among_these(user: User, ids: list[int]) -> QuerySet[Partnership, int]:
    return Partnership.objects.visible_to(user).filter(pk__in=ids).values_list("pk", flat=True)


def begun_before(now: dt.datetime) -> QuerySet[Membership]:
    return Membership.objects.filter(accepted_at__lt=now)


def parties_of(partnership: int) -> QuerySet[Party]:
    return Party.objects.filter(partnership=partnership)


def successors_of(partnership: int) -> QuerySet[Partnership]:
    return Partnership.objects.filter(redefines=partnership)


def led_by_name(user: User) -> QuerySet[Partnership]:
    led = [pk for pk, role in Membership.objects.roles_of(user).items() if role == Role.LEAD]
    return Partnership.objects.filter(parties__organisation__in=led).order_by("pk")


def on_a_page(compose: Any, *given: Any) -> list[Any]:
    """The rows as a page of its own reads them."""
    with remembered():
        return rows_for(compose, *given)


@pytest.fixture(autouse=True)
def nothing_is_kept() -> None:
    statements._kept.clear()


def test_each_reader_of_one_statement_gets_their_own_rows(world: World) -> None:
    mine, theirs = on_a_page(taking_part, world.amina), on_a_page(taking_part, world.chidi)

    assert mine == list(taking_part(world.amina))
    assert theirs == list(taking_part(world.chidi))
    assert mine != theirs
    assert len(statements._kept) == 1


def test_a_reader_whose_role_ended_gets_nothing(world: World) -> None:
    assert on_a_page(taking_part, world.amina)

    for membership in Membership.objects.filter(person=world.amina):
        end_membership(membership=membership, author=None, reason="They left.", now=timezone.now(), even_last_lead=True)

    assert on_a_page(taking_part, world.amina) == []


def test_lists_of_ids_may_have_any_length(world: World) -> None:
    known = [world.partnership.pk, world.other_partnership.pk]

    assert on_a_page(among_these, world.amina, []) == []
    assert on_a_page(among_these, world.amina, known[:1]) == known[:1]
    assert set(on_a_page(among_these, world.amina, known)) == set(among_these(world.amina, known))


def test_what_a_reader_holds_is_sent_as_one_array_in_quotes(world: World) -> None:
    with remembered(), CaptureQueriesContext(connection) as captured:
        rows_for(taking_part, world.amina)
    held = sorted(Partnership.objects.present_for(world.amina).values_list("pk", flat=True))

    (array,) = re.findall(r"ANY\('\{([\d,]+)\}'::bigint\[\]\)", captured[-1]["sql"])
    assert sorted(map(int, array.split(","))) == held


def test_one_query_finds_out_what_has_rows(world: World) -> None:
    with remembered(), CaptureQueriesContext(connection) as captured:
        found = with_rows(world.partnership.pk, parties_of, successors_of)

    assert found == {parties_of}
    assert with_rows(0, parties_of, successors_of) == set()
    assert len(captured) == 1


def test_moments_are_those_of_the_page(world: World) -> None:
    long_ago = timezone.now() - dt.timedelta(days=10_000)

    assert on_a_page(begun_before, timezone.now())
    assert on_a_page(begun_before, long_ago) == []


def test_a_query_that_asks_for_roles_is_composed_for_its_reader(world: World) -> None:
    for person in (world.amina, world.chidi):
        assert on_a_page(led_by_name, person) == list(led_by_name(person))


def test_rows_are_counted_without_reading_them(world: World) -> None:
    with remembered():
        count_for(taking_part, world.amina)
        with CaptureQueriesContext(connection) as captured:
            number = count_for(taking_part, world.amina)

    assert number == taking_part(world.amina).count()
    assert len(captured) == 1


def test_nothing_is_kept_outside_a_page(world: World) -> None:
    assert rows_for(taking_part, world.amina) == list(taking_part(world.amina))
    assert not statements._kept
