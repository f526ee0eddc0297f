"""Handover lines are proposed, answered, passed on, undone and passed on again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.commitments.models import Commitment
from partnerships.kit.dates import known_day, long_date
from partnerships.kit.rights import UnableToAct
from partnerships.organisations import services
from partnerships.organisations.handovers import estate_of, holdings_after
from partnerships.organisations.models import Handover, Membership, Role, Succession
from partnerships.organisations.obligations import total_of_amounts
from partnerships.organisations.services import UnableToHandOverLines, handover_batches, ties_between
from partnerships.organisations.tasks import hand_over_due
from partnerships.outbox.models import Email
from partnerships.work.queries import tasks_of_person
from tests.commitments.promises import agree
from tests.organisations.handing_over import (
    EAST,
    accept_lines,
    councils,
    create_council,
    propose_and_accept_everything,
    propose_lines,
    record_merger,
    take_effect,
    task_names,
)
from tests.support.moments import today
from tests.support.signing_in import signed_in
from tests.world import World, join


def test_predecessor_proposes_a_line(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)

    line_count = propose_lines(world, succession, "commitments", promise.pk, basis="Article 4")

    assert line_count == 1
    line = Handover.objects.get()
    assert line.state == "proposed"
    assert line.basis == "Article 4"
    assert line.homes == 60
    assert line.proposed_by == world.ben


def test_an_accepted_line_passes_on_when_the_succession_takes_effect(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)

    passed_line_count = take_effect(succession)

    promise.refresh_from_db()
    assert passed_line_count == 1
    assert promise.receiver == world.harbour
    assert Handover.objects.get().state == "applied"


def test_a_line_that_has_passed_on_does_not_pass_on_again(world: World) -> None:
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", agree(world).pk)
    accept_lines(world, succession)
    take_effect(succession)

    passed_line_count = services.hand_over_due(now=timezone.now())

    assert passed_line_count == 0


def test_a_line_is_disputed_with_a_reason(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)

    with pytest.raises(UnableToHandOverLines, match="Enter why"):
        accept_lines(world, succession, accept=False)


def test_a_disputed_line_does_not_pass_on(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession, accept=False, reason="It is the county's.")

    passed_line_count = take_effect(succession)

    promise.refresh_from_db()
    assert passed_line_count == 0
    assert promise.receiver == world.westmarch
    assert Handover.objects.get().dispute == "It is the county's."


def test_my_work_shows_the_earliest_day_to_answer_by(world: World) -> None:
    succession = record_merger(world, days=30)
    propose_lines(world, succession, "commitments", agree(world).pk, due_on=today() + dt.timedelta(days=9))
    propose_lines(world, succession, "commitments", agree(world).pk, due_on=today() + dt.timedelta(days=5))
    propose_lines(world, succession, "commitments", agree(world).pk)

    tasks = tasks_of_person(world.hana, timezone.now())

    [task] = [task for task in tasks if task.action == "Answer handover lines"]
    assert task.title == "3 records that your organisation is asked to take over"
    assert task.due == today() + dt.timedelta(days=5)


def test_line_may_be_proposed_again_before_it_is_accepted(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)

    propose_lines(world, succession, "commitments", promise.pk, basis="Article 5")

    assert Handover.objects.get().basis == "Article 5"


def test_accepted_line_cannot_be_proposed_again(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)

    with pytest.raises(UnableToHandOverLines, match="has already accepted"):
        propose_lines(world, succession, "commitments", promise.pk)


def test_accepted_line_cannot_be_accepted_again(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)

    with pytest.raises(UnableToHandOverLines, match="already answered"):
        accept_lines(world, succession)


def test_only_a_lead_of_the_predecessor_proposes(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)

    with pytest.raises(UnableToAct, match="You do not have permission"):
        propose_lines(world, succession, "commitments", promise.pk, author=world.hana)


def test_only_a_lead_of_the_successor_answers(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)

    with pytest.raises(UnableToAct, match="You do not have permission"):
        accept_lines(world, succession, author=world.ben)


def test_only_recorded_successors_take_over(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)

    with pytest.raises(UnableToHandOverLines, match="Choose a successor"):
        propose_lines(world, succession, "commitments", promise.pk, successor=world.tidewater)


def test_only_records_of_the_predecessor_are_proposed(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)

    with pytest.raises(UnableToHandOverLines, match="no longer has some"):
        propose_lines(world, succession, "commitments", promise.pk + 1000)


def test_a_shared_line_names_how_it_is_shared(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)

    with pytest.raises(UnableToHandOverLines, match="Choose how the organisations share the record"):
        propose_lines(world, succession, "commitments", promise.pk, sharing="jointly")


@pytest.fixture
def merger_of_tomorrow(world: World) -> Succession:
    """Return a merger of tomorrow, with an accepted line for each record of Westmarch."""
    succession = record_merger(world, days=1)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    return succession


def bring_forward(succession: Succession) -> None:
    """Move the succession's day to today."""
    services.correct_succession(
        succession=succession, vests_on=known_day(today()), reason="Earlier.", author=None, now=timezone.now()
    )


@pytest.mark.usefixtures("merger_of_tomorrow")
def test_nothing_passes_before_the_day() -> None:
    passed_line_count = services.hand_over_due(now=timezone.now())

    assert passed_line_count == 0


@pytest.mark.usefixtures("merger_of_tomorrow")
def test_the_successors_lead_cannot_open_records_before_the_day(world: World) -> None:
    response = signed_in(world.hana).get(world.partnership.get_absolute_url())

    assert response.status_code == 404


def test_records_pass_on_the_day(world: World, merger_of_tomorrow: Succession) -> None:
    bring_forward(merger_of_tomorrow)

    hand_over_due()

    assert world.partnership.parties.get(organisation=world.harbour).status == "accepted"


def test_the_successors_lead_can_open_records_on_the_day(world: World, merger_of_tomorrow: Succession) -> None:
    bring_forward(merger_of_tomorrow)
    hand_over_due()

    response = signed_in(world.hana).get(world.partnership.get_absolute_url())

    assert response.status_code == 200


def test_memberships_pass_on_the_day(world: World, merger_of_tomorrow: Succession) -> None:
    bring_forward(merger_of_tomorrow)

    hand_over_due()

    former_membership = Membership.objects.get(person=world.ben, organisation=world.westmarch)
    new_membership = Membership.objects.get(person=world.ben, organisation=world.harbour)
    assert former_membership.ends_on == today()
    assert new_membership.starts_on == today()
    assert new_membership.role == "lead"
    assert new_membership.ends_on is None


def test_signed_terms_keep_the_name_that_signed(world: World) -> None:
    versions = world.partnership.terms_versions.order_by("pk")
    parties_before = list(versions.values_list("parties", flat=True))
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)

    take_effect(succession)

    assert list(versions.values_list("parties", flat=True)) == parties_before


def test_everyone_who_acts_for_either_side_gets_one_email(world: World) -> None:
    agree(world)
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)

    services.hand_over_due(now=timezone.now())

    recipient_ids = Email.objects.filter(kind="organisations.handed_over").values_list("person_id", flat=True)
    assert sorted(recipient_ids) == sorted([world.ben.pk, world.hana.pk])


def test_leads_of_the_predecessor_have_a_task_about_records_without_a_line(world: World) -> None:
    agree(world)
    succession = record_merger(world, days=30)

    estate = estate_of(succession, world.westmarch, today())

    assert estate.without_line == estate.record_count
    assert "Say who takes over" in task_names(world, world.ben)
    assert "Say who takes over" not in task_names(world, world.amina)


def test_a_proposed_line_counts_for_its_successor(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world, days=30)
    estate_before = estate_of(succession, world.westmarch, today())

    propose_lines(world, succession, "commitments", promise.pk)

    estate = estate_of(succession, world.westmarch, today())
    [harbour_share] = [share for share in estate.shares if share.successor == world.harbour]
    assert estate.without_line == estate_before.without_line - 1
    assert harbour_share.record_count == 1
    assert harbour_share.homes == 60
    assert total_of_amounts(share.homes for share in estate.shares) == estate.homes == 60
    assert "Answer handover lines" in task_names(world, world.hana)


def test_records_that_the_successor_already_has_count_once_afterwards(world: World) -> None:
    succession = record_merger(world, days=30)
    party = agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        reason="Their homes.",
        author=world.amina,
        now=timezone.now(),
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=world.hana, now=timezone.now())
    propose_lines(world, succession, "partnerships", world.partnership.pk)
    propose_lines(world, succession, "commitments", agree(world).pk)
    shares = estate_of(succession, world.westmarch, today()).shares

    [holdings] = holdings_after(shares, today())

    assert holdings.received.record_count == 2
    assert holdings.received.homes == 60
    assert holdings.afterwards.record_count == holdings.before.record_count + 1
    assert holdings.afterwards.homes == holdings.before.homes + 60


@pytest.fixture
def merger_in_30_days(world: World) -> Succession:
    """Return a merger in 30 days of Westmarch, to which a commitment was made."""
    agree(world)
    return record_merger(world, days=30)


def propose_url(world: World, succession: Succession) -> str:
    """Return the page on which Westmarch's lead proposes who takes over its commitments."""
    return reverse("organisations:handover-propose", args=[succession.pk, world.westmarch.pk, "commitments"])


def test_a_lead_finds_records_to_propose_by_their_words(world: World, merger_in_30_days: Succession) -> None:
    commitment = Commitment.objects.get()

    page = signed_in(world.ben).get(propose_url(world, merger_in_30_days), {"q": commitment.text}).content.decode()

    assert commitment.reference in page


def test_a_lead_does_not_find_records_to_propose_by_other_words(world: World, merger_in_30_days: Succession) -> None:
    commitment = Commitment.objects.get()

    page = signed_in(world.ben).get(propose_url(world, merger_in_30_days), {"q": "nothing like it"}).content.decode()

    assert commitment.reference not in page


def test_a_lead_must_choose_records_to_propose(world: World, merger_in_30_days: Succession) -> None:
    response = signed_in(world.ben).post(
        propose_url(world, merger_in_30_days), {"successor": world.harbour.pk, "sharing": "alone"}
    )

    assert response.status_code == 422


def test_a_lead_proposes_all_records_on_a_page(world: World, merger_in_30_days: Succession) -> None:
    response = signed_in(world.ben).post(
        propose_url(world, merger_in_30_days),
        {"successor": world.harbour.pk, "sharing": "alone", "everything": "on"},
    )

    assert response.status_code == 302
    assert Handover.objects.get().state == "proposed"


def test_a_lead_of_the_successor_accepts_a_line_on_a_page(world: World, merger_in_30_days: Succession) -> None:
    propose_lines(world, merger_in_30_days, "commitments", Commitment.objects.get().pk)
    line = Handover.objects.get()
    answer_url = reverse("organisations:handover-answer", args=[merger_in_30_days.pk])

    response = signed_in(world.hana).post(answer_url, {"lines": [line.pk], "answer": "accept"})

    assert response.status_code == 302
    line.refresh_from_db()
    assert line.state == "accepted"
    assert line.answered_by == world.hana


@pytest.mark.parametrize("route", ["organisations:handover-answer", "organisations:handover"])
def test_successor_reads_the_terms_of_a_line_before_the_day(
    world: World, merger_in_30_days: Succession, route: str
) -> None:
    terms = {"basis": "Article 4", "consent": "The lender", "evidence": "Minutes 12", "due_on": today()}
    propose_lines(world, merger_in_30_days, "commitments", Commitment.objects.get().pk, **terms)

    page = signed_in(world.hana).get(reverse(route, args=[merger_in_30_days.pk])).content.decode()

    assert "Article 4" in page
    assert "The lender" in page
    assert "Minutes 12" in page
    assert long_date(today()) in page
    assert "60 homes" in page


def test_successor_does_not_read_the_title_of_a_record_before_the_day(
    world: World, merger_in_30_days: Succession
) -> None:
    promise = Commitment.objects.get()
    propose_lines(world, merger_in_30_days, "commitments", promise.pk)
    answer_url = reverse("organisations:handover-answer", args=[merger_in_30_days.pk])

    page = signed_in(world.hana).get(answer_url).content.decode()

    assert f"Commitment {promise.reference}" in page
    assert promise.text not in page


def test_successor_who_may_read_a_record_anyway_sees_its_title(world: World, merger_in_30_days: Succession) -> None:
    promise = Commitment.objects.get()
    propose_lines(world, merger_in_30_days, "commitments", promise.pk)
    join(world.hana, world.westmarch, Role.VIEWER, world.now)
    answer_url = reverse("organisations:handover-answer", args=[merger_in_30_days.pk])

    page = signed_in(world.hana).get(answer_url).content.decode()

    assert promise.text in page


@pytest.fixture
def propose_partnerships_url(world: World) -> str:
    """Return the page on which partnerships of Westmarch are proposed, in a merger in 30 days."""
    succession = record_merger(world, days=30)
    return reverse("organisations:handover-propose", args=[succession.pk, world.westmarch.pk, "partnerships"])


def test_the_predecessors_lead_reads_the_titles_of_what_they_propose(
    world: World, propose_partnerships_url: str
) -> None:
    page = signed_in(world.ben).get(propose_partnerships_url).content.decode()

    assert "Estuary Partnership" in page


def test_administrators_do_not_read_the_titles_of_what_is_proposed(world: World, propose_partnerships_url: str) -> None:
    page = signed_in(world.dee).get(propose_partnerships_url).content.decode()

    assert f"Partnership {world.partnership.pk}" in page
    assert "Estuary Partnership" not in page


def merger_of_east_surrey(world: World) -> Succession:
    """Return a merger of five councils that has taken effect, with accepted lines for all their records."""
    bodies = councils(world, EAST)
    east = create_council("East Surrey Council")
    succession = services.record_succession(
        kind="merge",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between(list(bodies.values()), [east]),
        author=None,
        now=timezone.now(),
    )
    for predecessor in bodies.values():
        propose_and_accept_everything(succession, predecessor, east)
    services.take_effect(succession=succession, author=None, now=timezone.now())
    return succession


def fail_at_fourth_call(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, which raises `RuntimeError` when it is called for the fourth time."""
    call_numbers = count(1)

    def call(*arguments: Any) -> Any:
        if next(call_numbers) == 4:
            raise RuntimeError("The machine stopped.")
        return function(*arguments)

    return call


@pytest.fixture
def interrupted_merger(world: World, monkeypatch: pytest.MonkeyPatch) -> Succession:
    """Return a merger whose records pass on in batches of seven, after the fourth batch failed."""
    succession = merger_of_east_surrey(world)
    monkeypatch.setattr(handover_batches, "BATCH", 7)
    monkeypatch.setattr(handover_batches, "move_records", fail_at_fourth_call(handover_batches.move_records))
    with pytest.raises(RuntimeError, match="The machine stopped"):
        services.hand_over_due(now=timezone.now())
    return succession


def test_a_handover_that_is_interrupted_leaves_lines_for_later(interrupted_merger: Succession) -> None:
    states = interrupted_merger.handovers.values_list("state", flat=True)

    assert "accepted" in states


def test_a_handover_that_was_interrupted_continues(interrupted_merger: Succession) -> None:
    services.hand_over_due(now=timezone.now())

    states = interrupted_merger.handovers.values_list("state", flat=True)
    assert set(states) == {"applied"}
