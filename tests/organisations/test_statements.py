"""Stored statements of pages give each reader their own rows, as of now."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party
from partnerships.kit import database
from partnerships.kit.database import planned_once, rows_of
from partnerships.organisations.holdings import remembering_holdings
from partnerships.organisations.models import Membership, Role
from partnerships.organisations.services import end_membership
from partnerships.organisations.statements import (
    count_for,
    count_lookup,
    functions_with_rows,
    lookup,
    read_ahead,
    rows_for,
    rows_lookup,
)
from partnerships.people.models import User
from tests.support.kept_statements import forget_statements, number_of_statements
from tests.world import World, make_partnership

pytestmark = pytest.mark.django_db


def taking_part(user: User) -> QuerySet[Partnership]:
    """Return the partnerships in which a person's organisations take part."""
    return Partnership.objects.with_party_of(user).order_by("pk")


def readable_ids_among(user: User, ids: list[int]) -> QuerySet[Partnership, int]:
    """Return the ids, among these, of partnerships that a person may see."""
    return Partnership.objects.visible_to(user).filter(pk__in=ids).values_list("pk", flat=True)


def memberships_accepted_before(now: dt.datetime) -> QuerySet[Membership]:
    """Return the memberships that were accepted before a moment."""
    return Membership.objects.filter(accepted_at__lt=now)


def parties_of(partnership: int) -> QuerySet[Party]:
    """Return the parties of a partnership, in no order."""
    return Party.objects.filter(partnership=partnership)


def parties_by_name(partnership: int) -> QuerySet[Party]:
    """Return the parties of a partnership, in the order of their names."""
    return parties_of(partnership).select_related("organisation").order_by("organisation__name", "pk")


def successors_of(partnership: int) -> QuerySet[Partnership]:
    """Return the partnerships that replace a partnership. In these tests there are none."""
    return Partnership.objects.filter(redefines=partnership)


def led_by(user: User) -> QuerySet[Partnership]:
    """Return the partnerships of organisations that a person leads. The roles are read while this is composed."""
    led_ids = [pk for pk, role in Membership.objects.roles_of(user).items() if role == Role.LEAD]
    return Partnership.objects.filter(parties__organisation__in=led_ids).order_by("pk")


def read_before(user: User) -> QuerySet[Partnership]:
    """Return the partnerships in which a person takes part. Their ids are read while this is composed."""
    return Partnership.objects.filter(pk__in=[partnership.pk for partnership in taking_part(user)]).order_by("pk")


def on_a_page(compose: Any, *arguments: Any) -> list[Any]:
    """Return the rows as a separate page reads them."""
    with remembering_holdings():
        return rows_for(compose, *arguments)


@pytest.fixture(autouse=True)
def no_stored_statements() -> None:
    """Forget the statements of earlier tests."""
    forget_statements()


def test_each_reader_of_one_statement_gets_their_own_rows(world: World) -> None:
    rows_of_amina = on_a_page(taking_part, world.amina)
    rows_of_chidi = on_a_page(taking_part, world.chidi)

    assert rows_of_amina == [world.partnership]
    assert rows_of_chidi == [world.other_partnership]
    assert number_of_statements() == 1


def test_a_reader_whose_role_ended_gets_nothing(world: World) -> None:
    on_a_page(taking_part, world.amina)  # stores the statement
    end_membership(
        membership=Membership.objects.get(person=world.amina),
        author=None,
        reason="They left.",
        now=timezone.now(),
        even_last_lead=True,
    )

    rows = on_a_page(taking_part, world.amina)

    assert rows == []


def test_an_empty_list_of_ids_finds_nothing(world: World) -> None:
    rows = on_a_page(readable_ids_among, world.amina, [])

    assert rows == []


def test_ids_that_the_reader_may_not_see_are_left_out(world: World) -> None:
    rows = on_a_page(readable_ids_among, world.amina, [world.partnership.pk, world.other_partnership.pk])

    assert rows == [world.partnership.pk]


def test_one_statement_serves_lists_of_ids_of_any_length(world: World) -> None:
    on_a_page(readable_ids_among, world.amina, [world.partnership.pk])
    on_a_page(readable_ids_among, world.amina, [world.partnership.pk, world.other_partnership.pk])

    assert number_of_statements() == 1


def test_the_ids_of_a_readers_holdings_are_sent_as_one_array(world: World) -> None:
    second_partnership = make_partnership(
        "Second Partnership",
        chair=world.larkhaven,
        chair_lead=world.amina,
        other=world.tidewater,
        other_lead=world.chidi,
        now=timezone.now(),
    )

    with remembering_holdings(), CaptureQueriesContext(connection) as captured:
        rows_for(taking_part, world.amina)

    (array,) = re.findall(r"EXECUTE kept_\d+ \('\{([\d,]+)\}'\)", captured[-1]["sql"])
    assert set(array.split(",")) == {str(world.partnership.pk), str(second_partnership.pk)}


def planned_value(text: str) -> Any:
    """Return the only value of a statement that the database plans once."""
    call = planned_once(text, ())
    assert call is not None
    return rows_of(call, None)[0][0]


def test_a_statement_that_cannot_be_planned_does_not_reuse_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_page_statements", WeakKeyDictionary())  # as in a new process
    monkeypatch.setattr(database, "MAX_PAGE_STATEMENTS", 2)
    planned_value("SELECT 1")
    planned_value("SELECT 2")
    with pytest.raises(ProgrammingError, match="no_such_column"), transaction.atomic():
        planned_once("SELECT no_such_column", ())

    values = [planned_value("SELECT 3"), planned_value("SELECT 2"), planned_value("SELECT 1")]

    assert values == [3, 2, 1]


def test_ids_in_a_list_are_one_value_of_a_planned_statement(world: World) -> None:
    ids = [world.partnership.pk, world.other_partnership.pk]
    with remembering_holdings():
        rows_for(readable_ids_among, world.amina, ids[:1])
        with CaptureQueriesContext(connection) as captured:
            rows = rows_for(readable_ids_among, world.amina, ids)

    assert rows == [world.partnership.pk]
    assert f"'{{{world.partnership.pk},{world.other_partnership.pk}}}'" in captured[-1]["sql"]


def test_rows_read_ahead_come_in_one_query(world: World) -> None:
    pk = world.partnership.pk
    now = timezone.now()
    with remembering_holdings():
        # These read Amina's holdings, so that only the lookups are left to query.
        Membership.objects.roles_of(world.amina)
        rows_for(taking_part, world.amina)

        with CaptureQueriesContext(connection) as captured:
            read_ahead(
                [
                    lookup(taking_part, world.amina),
                    lookup(parties_of, pk),
                    lookup(parties_by_name, pk),
                    lookup(readable_ids_among, world.amina, [pk]),
                    lookup(memberships_accepted_before, now),
                    lookup(successors_of, pk),
                    count_lookup(parties_of, pk),
                    rows_lookup(pk, parties_of, successors_of),
                ]
            )
            rows_for(taking_part, world.amina)
            rows_for(parties_of, pk)
            rows_for(parties_by_name, pk)
            rows_for(readable_ids_among, world.amina, [pk])
            rows_for(memberships_accepted_before, now)
            rows_for(successors_of, pk)
            count_for(parties_of, pk)
            functions_with_rows(pk, parties_of, successors_of)

    assert len([query for query in captured if "EXECUTE" in query["sql"]]) == 1


def test_rows_read_ahead_are_those_of_the_reader(world: World) -> None:
    ids = [world.partnership.pk]
    with remembering_holdings():
        read_ahead([lookup(taking_part, world.amina), lookup(readable_ids_among, world.amina, ids)])
        partnerships = rows_for(taking_part, world.amina)
        readable_ids = rows_for(readable_ids_among, world.amina, ids)

    assert partnerships == [world.partnership]
    assert readable_ids == ids


def test_rows_read_ahead_have_all_their_columns(world: World) -> None:
    pk = world.partnership.pk
    with remembering_holdings():
        read_ahead([lookup(parties_of, pk), lookup(successors_of, pk)])
        parties = rows_for(parties_of, pk)
        successors = rows_for(successors_of, pk)

    expected_parties = list(parties_of(pk))
    assert parties == expected_parties
    assert [party.answered_at for party in parties] == [party.answered_at for party in expected_parties]
    assert successors == []


def test_rows_read_ahead_keep_their_order_and_related_rows(world: World) -> None:
    pk = world.partnership.pk
    with remembering_holdings():
        read_ahead([lookup(parties_by_name, pk), lookup(successors_of, pk)])
        parties = rows_for(parties_by_name, pk)

    names = [party.organisation.name for party in parties]
    assert names == ["Larkhaven Homes", "Westmarch Borough Council"]


def test_moments_counts_and_functions_can_be_read_ahead(world: World) -> None:
    pk = world.partnership.pk
    now = timezone.now()
    with remembering_holdings():
        read_ahead(
            [
                lookup(memberships_accepted_before, now),
                count_lookup(parties_of, pk),
                rows_lookup(pk, parties_of, successors_of),
            ]
        )
        memberships = rows_for(memberships_accepted_before, now)
        party_count = count_for(parties_of, pk)
        queries_with_rows = functions_with_rows(pk, parties_of, successors_of)

    assert set(memberships) == set(memberships_accepted_before(now))
    assert party_count == 2
    assert queries_with_rows == {parties_of}


def test_rows_read_ahead_are_used_once(world: World) -> None:
    pk = world.partnership.pk
    with remembering_holdings():
        read_ahead([lookup(parties_of, pk), lookup(successors_of, pk)])
        rows_read_ahead = rows_for(parties_of, pk)
        rows_read_again = rows_for(parties_of, pk)

    assert rows_read_ahead == rows_read_again
    assert rows_read_ahead[0] is not rows_read_again[0]


def test_one_query_finds_the_queries_with_rows(world: World) -> None:
    with remembering_holdings(), CaptureQueriesContext(connection) as captured:
        queries_with_rows = functions_with_rows(world.partnership.pk, parties_of, successors_of)

    assert queries_with_rows == {parties_of}
    assert len(captured) == 1


def test_no_query_has_rows_for_an_unknown_record(world: World) -> None:
    queries_with_rows = functions_with_rows(0, parties_of, successors_of)

    assert queries_with_rows == set()


def test_moments_are_those_of_the_page(world: World) -> None:
    long_ago = timezone.now() - dt.timedelta(days=10_000)

    accepted_now = on_a_page(memberships_accepted_before, timezone.now())
    accepted_long_ago = on_a_page(memberships_accepted_before, long_ago)

    assert accepted_now != []
    assert accepted_long_ago == []


@pytest.mark.parametrize("compose", [led_by, read_before], ids=["asks for roles", "reads rows first"])
def test_a_query_that_reads_while_it_is_composed_is_composed_for_its_reader(world: World, compose: Any) -> None:
    rows_of_amina = on_a_page(compose, world.amina)
    rows_of_chidi = on_a_page(compose, world.chidi)

    assert rows_of_amina == [world.partnership]
    assert rows_of_chidi == [world.other_partnership]


def test_rows_are_counted_without_reading_them(world: World) -> None:
    with remembering_holdings():
        count_for(taking_part, world.amina)
        with CaptureQueriesContext(connection) as captured:
            partnership_count = count_for(taking_part, world.amina)

    assert partnership_count == 1
    assert len(captured) == 1


def test_no_statement_is_stored_outside_a_page(world: World) -> None:
    rows = rows_for(taking_part, world.amina)

    assert rows == [world.partnership]
    assert number_of_statements() == 0
