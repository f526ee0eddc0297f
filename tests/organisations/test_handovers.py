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


def test_an_accepted_line_passes_on_once_when_the_succession_takes_effect(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)

    passed_on = take_effect(succession)
    passed_on_again = services.hand_over_due(now=timezone.now())

    promise.refresh_from_db()
    assert passed_on == 1
    assert passed_on_again == 0
    assert promise.receiver == world.harbour
    assert Handover.objects.get().state == "applied"


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

    passed_on = take_effect(succession)

    promise.refresh_from_db()
    assert passed_on == 0
    assert promise.receiver == world.westmarch
    assert Handover.objects.get().dispute == "It is the county's."


def test_my_work_shows_the_earliest_day_to_answer_by(world: World) -> None:
    succession = record_merger(world, days=30)
    for days in (9, 5):
        propose_lines(world, succession, "commitments", agree(world).pk, due_on=today() + dt.timedelta(days))
    propose_lines(world, succession, "commitments", agree(world).pk)

    (task,) = [
        waiting_task
        for waiting_task in tasks_of_person(world.hana, timezone.now())
        if waiting_task.action == "Answer handover lines"
    ]

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

    with pytest.raises(UnableToAct):
        propose_lines(world, succession, "commitments", promise.pk, author=world.hana)


def test_only_a_lead_of_the_successor_answers(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)

    with pytest.raises(UnableToAct):
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


def test_nothing_passes_before_the_day(world: World, merger_of_tomorrow: Succession) -> None:
    passed_on = services.hand_over_due(now=timezone.now())

    assert passed_on == 0
    assert signed_in(world.hana).get(world.partnership.get_absolute_url()).status_code == 404


def test_records_pass_on_the_day(world: World, merger_of_tomorrow: Succession) -> None:
    bring_forward(merger_of_tomorrow)

    hand_over_due()

    assert world.partnership.parties.get(organisation=world.harbour).status == "accepted"
    assert signed_in(world.hana).get(world.partnership.get_absolute_url()).status_code == 200


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
    parties_before = [version.parties for version in world.partnership.terms_versions.all()]
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)

    take_effect(succession)

    assert [version.parties for version in world.partnership.terms_versions.all()] == parties_before


def test_everyone_who_acts_for_either_side_gets_one_email(world: World) -> None:
    agree(world)
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)
    services.hand_over_due(now=timezone.now())

    recipient_ids = Email.objects.filter(kind="organisations.handed_over").values_list("person_id", flat=True)
    assert sorted(recipient_ids) == sorted({world.ben.pk, world.hana.pk})


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
    promise = agree(world)
    for kind, record in (("partnerships", world.partnership.pk), ("commitments", promise.pk)):
        propose_lines(world, succession, kind, record)

    estate = estate_of(succession, world.westmarch, today())
    (after,) = holdings_after(estate.shares, today())

    assert after.received.record_count == 2
    assert after.received.homes == 60
    assert after.afterwards.record_count == after.before.record_count + 1
    assert after.afterwards.homes == after.before.homes + 60


@pytest.fixture
def merger_in_30_days(world: World) -> Succession:
    """Return a merger in 30 days of Westmarch, to which a commitment was made."""
    agree(world)
    return record_merger(world, days=30)


def propose_url(world: World, succession: Succession) -> str:
    """Return the page on which Westmarch's lead proposes who takes over its commitments."""
    return reverse("organisations:handover-propose", args=[succession.pk, world.westmarch.pk, "commitments"])


def test_a_lead_finds_records_to_propose_by_their_words(world: World, merger_in_30_days: Succession) -> None:
    ben = signed_in(world.ben)
    reference = Commitment.objects.get().reference

    every_record = ben.get(propose_url(world, merger_in_30_days)).content.decode()
    no_record = ben.get(propose_url(world, merger_in_30_days), {"q": "nothing like it"}).content.decode()

    assert reference in every_record
    assert reference not in no_record


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


def test_successor_reads_the_terms_of_a_line_and_no_titles_before_the_day(
    world: World, merger_in_30_days: Succession
) -> None:
    promise = Commitment.objects.get()
    terms = {"basis": "Article 4", "consent": "The lender", "evidence": "Minutes 12", "due_on": today()}
    propose_lines(world, merger_in_30_days, "commitments", promise.pk, **terms)
    hana = signed_in(world.hana)

    answer_page = hana.get(reverse("organisations:handover-answer", args=[merger_in_30_days.pk])).content.decode()
    overview = hana.get(reverse("organisations:handover", args=[merger_in_30_days.pk])).content.decode()

    assert f"Commitment {promise.reference}" in answer_page
    assert promise.text not in answer_page
    for term in ("Article 4", "The lender", "Minutes 12", long_date(today()), "60 homes"):
        assert term in answer_page
        assert term in overview


def test_successor_who_may_read_a_record_anyway_sees_its_title(world: World, merger_in_30_days: Succession) -> None:
    promise = Commitment.objects.get()
    propose_lines(world, merger_in_30_days, "commitments", promise.pk)
    join(world.hana, world.westmarch, Role.VIEWER, world.now)

    answer_url = reverse("organisations:handover-answer", args=[merger_in_30_days.pk])
    page = signed_in(world.hana).get(answer_url).content.decode()

    assert promise.text in page


def test_only_the_predecessors_leads_read_the_titles_of_what_they_propose(world: World) -> None:
    succession = record_merger(world, days=30)
    address = reverse("organisations:handover-propose", args=[succession.pk, world.westmarch.pk, "partnerships"])

    page_of_lead = signed_in(world.ben).get(address).content.decode()
    page_of_administrator = signed_in(world.dee).get(address).content.decode()

    assert world.partnership.title in page_of_lead
    assert world.partnership.title not in page_of_administrator
    assert f"Partnership {world.partnership.pk}" in page_of_administrator


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


def test_a_handover_that_was_interrupted_continues(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    succession = merger_of_east_surrey(world)
    monkeypatch.setattr(handover_batches, "BATCH", 7)
    monkeypatch.setattr(handover_batches, "move_records", fail_at_fourth_call(handover_batches.move_records))
    with pytest.raises(RuntimeError):
        services.hand_over_due(now=timezone.now())
    states_after_interruption = set(succession.handovers.values_list("state", flat=True))

    services.hand_over_due(now=timezone.now())

    assert "accepted" in states_after_interruption
    assert set(succession.handovers.values_list("state", flat=True)) == {"applied"}
