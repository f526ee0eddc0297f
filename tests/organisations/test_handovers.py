"""Handover lines are proposed, answered, passed on, undone and passed on again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.agreements.models import Party
from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.kit.dates import known_day, long_date
from partnerships.kit.rights import UnableToAct
from partnerships.organisations import services
from partnerships.organisations.handovers import estate_of, holdings_after
from partnerships.organisations.models import Handover, Membership, Organisation, Role, Succession
from partnerships.organisations.obligations import held_records_by_kind, total_of_amounts
from partnerships.organisations.presenting import steps_in_words
from partnerships.organisations.services import UnableToHandOverLines, ties_between
from partnerships.organisations.tasks import hand_over_due
from partnerships.outbox.models import Email
from partnerships.people.models import User
from partnerships.work.queries import tasks_of_person
from tests.commitments.promises import agree
from tests.support.moments import today, tomorrow
from tests.support.signing_in import signed_in
from tests.world import World, join, make_partnership, person

EAST = ("Elmbridge", "Epsom and Ewell", "Mole Valley", "Reigate and Banstead", "Tandridge")
WEST = ("Guildford", "Runnymede", "Spelthorne", "Surrey Heath", "Waverley", "Woking")
COUNTY = "Surrey County"
#: The GSS codes, as in the register of pending successions. The districts are numbered in the order of their names.
CODES = {name: f"E07000{207 + number}" for number, name in enumerate(sorted(EAST + WEST))} | {COUNTY: "E10000030"}


def create_council(name: str) -> Organisation:
    return services.create_organisation(name=name, kind="council", author=None, now=timezone.now())


def record_absorption(predecessor: Organisation, successor: Organisation, days: int = 0) -> Succession:
    """Record that one organisation takes over another today, or in some days; the order has been made."""
    return services.record_succession(
        kind="absorb",
        status="order_made",
        vests_on=known_day(today() + dt.timedelta(days)),
        ties=ties_between([predecessor], [successor]),
        author=None,
        now=timezone.now(),
    )


def record_merger(world: World, days: int = 0) -> Succession:
    """Record that Harbour takes over Westmarch today, or in some days; the order has been made."""
    return record_absorption(world.westmarch, world.harbour, days)


def record_undoing(succession: Succession, on: dt.date | None = None, **fields: Any) -> Succession:
    """Record the succession that undoes another one from a day on; it has yet to take effect."""
    return services.undo_succession(
        succession=succession,
        vests_on=known_day(on or today()),
        status="order_made",
        reason="Quashed.",
        author=None,
        now=timezone.now(),
        **fields,
    )


def propose_lines(world: World, succession: Succession, kind: str, *records: int, **fields: Any) -> int:
    """Propose, by default as Westmarch's lead, that Harbour takes over these records; return the number of lines."""
    arguments = {"predecessor": world.westmarch, "successor": world.harbour, "author": world.ben} | fields
    return services.propose_handovers(
        succession=succession, kind=kind, records=records, now=timezone.now(), **arguments
    )


def accept_lines(world: World, succession: Succession, **fields: Any) -> int:
    """Accept all lines of the succession, by default as Harbour's lead; return the number of lines."""
    arguments = {"accept": True, "author": world.hana, "now": timezone.now()} | fields
    return services.answer_handovers(lines=list(succession.handovers.all()), **arguments)


def propose_and_accept_everything(succession: Succession, predecessor: Organisation, successor: Organisation) -> None:
    """Propose that one successor takes over all records of the predecessor, and accept the proposal."""
    for group in held_records_by_kind(predecessor, today()):
        services.propose_handovers(
            succession=succession,
            predecessor=predecessor,
            kind=group.kind.code,
            records=[thing.pk for thing in group.things],
            successor=successor,
            author=None,
            now=timezone.now(),
        )
    services.answer_handovers(
        lines=list(succession.handovers.filter(predecessor=predecessor)), accept=True, author=None, now=timezone.now()
    )


def take_effect(succession: Succession) -> int:
    """Put the succession into effect, and return the number of lines that were passed on or undone."""
    services.take_effect(succession=succession, author=None, now=timezone.now())
    return services.hand_over_due(now=timezone.now())


def task_names(world: World, user: User) -> set[str]:
    """Return the names of a person's tasks on My work."""
    return {task.what for task in tasks_of_person(user, timezone.now())}


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


def consent(world: World, succession: Succession, **fields: Any) -> int:
    """Record the consent to all lines of the succession, by default as Westmarch's lead."""
    arguments = {
        "given_by": "Estuary Bank",
        "given_on": today(),
        "evidence": "Minutes of 3 May",
        "author": world.ben,
    } | fields
    return services.record_consent(lines=list(succession.handovers.all()), now=timezone.now(), **arguments)


@pytest.fixture
def merger_awaiting_consent(world: World) -> Succession:
    """Return a merger in effect, with an accepted line about a commitment that still needs the lender's consent."""
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", agree(world).pk, consent="The lender")
    accept_lines(world, succession)
    take_effect(succession)
    return succession


def test_a_line_that_needs_consent_does_not_pass_on_without_it(
    world: World, merger_awaiting_consent: Succession
) -> None:
    assert Commitment.objects.get().receiver == world.westmarch
    assert estate_of(merger_awaiting_consent, world.westmarch, today()).lacking == 1
    assert Email.objects.filter(kind="organisations.handed_over").exists()


def test_both_leads_have_a_task_until_consent_is_recorded(world: World, merger_awaiting_consent: Succession) -> None:
    tasks_before = task_names(world, world.ben) & task_names(world, world.hana)

    consent(world, merger_awaiting_consent, author=world.hana)

    assert "Record consent" in tasks_before
    assert "Record consent" not in task_names(world, world.hana)


def test_a_line_passes_on_once_consent_is_recorded(world: World, merger_awaiting_consent: Succession) -> None:
    consent(world, merger_awaiting_consent, author=world.hana)

    passed_on = services.hand_over_due(now=timezone.now())

    line = Handover.objects.get()
    assert passed_on == 1
    assert line.state == "applied"
    assert line.consent_in_words == f"The lender: given by Estuary Bank on {long_date(today())}"
    assert Commitment.objects.get().receiver == world.harbour


def test_consent_names_who_gave_it_when_and_where_it_can_be_read(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk, consent="The lender")

    for invalid_field in ({"given_by": " "}, {"evidence": ""}, {"given_on": tomorrow()}):
        with pytest.raises(UnableToHandOverLines):
            consent(world, succession, **invalid_field)
    with pytest.raises(UnableToAct):
        consent(world, succession, author=world.amina)
    consent(world, succession)
    with pytest.raises(UnableToHandOverLines, match="already recorded"):
        consent(world, succession)


@pytest.fixture
def merger_with_consent_to_record(world: World) -> Succession:
    """Return a merger in 30 days, with a proposed line that needs the lender's consent."""
    succession = record_merger(world, days=30)
    propose_lines(world, succession, "commitments", agree(world).pk, consent="The lender")
    return succession


def consent_fields() -> dict[str, Any]:
    """Return what a lead enters to record consent to the only line."""
    return {
        "lines": [Handover.objects.get().pk],
        "given_by": "Estuary Bank",
        "given_on": today().isoformat(),
        "answer": "given",
        "evidence": "Minutes",
    }


def test_a_lead_sees_which_records_need_consent(world: World, merger_with_consent_to_record: Succession) -> None:
    pk = merger_with_consent_to_record.pk

    page = signed_in(world.ben).get(reverse("organisations:handover", args=[pk])).content.decode()

    assert reverse("organisations:handover-consent", args=[pk]) in page
    assert "1 record needs consent" in page
    assert "The lender: not given yet" in page


def test_consent_needs_evidence(world: World, merger_with_consent_to_record: Succession) -> None:
    consent_url = reverse("organisations:handover-consent", args=[merger_with_consent_to_record.pk])

    response = signed_in(world.ben).post(consent_url, consent_fields() | {"evidence": ""})

    assert "Enter where people can read the consent." in response.content.decode()
    assert Handover.objects.lacking_consent().exists()


def test_a_lead_records_consent_on_a_page(world: World, merger_with_consent_to_record: Succession) -> None:
    consent_url = reverse("organisations:handover-consent", args=[merger_with_consent_to_record.pk])

    response = signed_in(world.ben).post(consent_url, consent_fields())

    assert response.status_code == 302
    assert not Handover.objects.lacking_consent().exists()


def test_the_page_says_who_took_each_step_of_a_line(world: World, merger_with_consent_to_record: Succession) -> None:
    consent(world, merger_with_consent_to_record)
    accept_lines(world, merger_with_consent_to_record)

    handover_url = reverse("organisations:handover", args=[merger_with_consent_to_record.pk])
    page = signed_in(world.ben).get(handover_url).content.decode()

    for step in ("Proposed by Ben West", "Accepted by Hana Harbour", "Consent recorded by Ben West"):
        assert f"{step} on {long_date(today())}" in page


def test_the_evidence_of_a_consent_is_added_to_the_evidence_of_a_line(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk, consent="The lender", evidence="Deed of 1 May")

    consent(world, succession)

    assert Handover.objects.get().evidence == "Deed of 1 May; Minutes of 3 May"


def test_refused_consent_needs_a_reason(world: World, merger_with_consent_to_record: Succession) -> None:
    consent_url = reverse("organisations:handover-consent", args=[merger_with_consent_to_record.pk])
    post_fields = {"lines": [Handover.objects.get().pk], "answer": "refused"}

    response = signed_in(world.hana).post(consent_url, post_fields)

    assert response.status_code == 422


def test_refused_consent_disputes_even_an_accepted_line(
    world: World, merger_with_consent_to_record: Succession
) -> None:
    accept_lines(world, merger_with_consent_to_record)
    consent_url = reverse("organisations:handover-consent", args=[merger_with_consent_to_record.pk])
    post_fields = {
        "lines": [Handover.objects.get().pk],
        "answer": "refused",
        "reason": "Estuary Bank wants more.",
    }

    response = signed_in(world.hana).post(consent_url, post_fields)

    assert response.status_code == 302
    line = Handover.objects.get()
    assert line.state == "disputed"
    assert line.dispute == "Consent was refused: Estuary Bank wants more."
    assert not Handover.objects.lacking_consent().exists()
    assert "Say who takes over" in task_names(world, world.ben)
    assert "Record consent" not in task_names(world, world.ben) | task_names(world, world.hana)


def test_a_line_whose_consent_was_refused_is_proposed_again(
    world: World, merger_with_consent_to_record: Succession
) -> None:
    line = Handover.objects.get()
    signed_in(world.hana).post(
        reverse("organisations:handover-consent", args=[merger_with_consent_to_record.pk]),
        {"lines": [line.pk], "answer": "refused", "reason": "Estuary Bank wants more."},
    )

    promise_pk = Commitment.objects.get().pk
    line_count = propose_lines(
        world, merger_with_consent_to_record, "commitments", promise_pk, consent="Another lender"
    )

    assert line_count == 1
    assert Handover.objects.get().state == "proposed"


def test_only_lines_that_need_the_same_consent_are_ticked_at_first(world: World) -> None:
    succession = record_merger(world, days=30)
    for promise, consent_of in ((agree(world), "The Board"), (agree(world), "The lender")):
        propose_lines(world, succession, "commitments", promise.pk, consent=consent_of)
    client = signed_in(world.ben)

    page = client.get(reverse("organisations:handover-consent", args=[succession.pk]))

    first_line = Handover.objects.get(consent="The Board")
    assert page.context["form"].initial["lines"] == [str(first_line.pk)]


def test_administrators_record_the_consent_if_neither_side_has_a_lead(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world, days=30)
    propose_lines(world, succession, "commitments", promise.pk, consent="The lender")
    assert "Record consent" not in task_names(world, world.dee)

    leads = Membership.objects.filter(organisation__in=[world.westmarch, world.harbour], role=Role.LEAD)
    leads.update(role=Role.EDITOR)

    assert "Record consent" in task_names(world, world.dee)


def test_my_work_shows_the_earliest_day_to_answer_by(world: World) -> None:
    succession = record_merger(world, days=30)
    for days in (9, 5):
        propose_lines(world, succession, "commitments", agree(world).pk, due_on=today() + dt.timedelta(days))
    propose_lines(world, succession, "commitments", agree(world).pk)

    (task,) = [
        waiting_task
        for waiting_task in tasks_of_person(world.hana, timezone.now())
        if waiting_task.what == "Answer handover lines"
    ]

    assert task.title == "3 records that your organisation is asked to take over"
    assert task.due == today() + dt.timedelta(days=5)


def test_line_may_be_proposed_again_until_it_is_accepted(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    propose_lines(world, succession, "commitments", promise.pk, basis="Article 5")
    assert Handover.objects.get().basis == "Article 5"
    accept_lines(world, succession)

    with pytest.raises(UnableToHandOverLines, match="has already accepted"):
        propose_lines(world, succession, "commitments", promise.pk)
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


def division(world: World) -> Succession:
    """Divide Westmarch today between Harbour and Tidewater, which are proposed to share a commitment jointly."""
    succession = services.record_succession(
        kind="split",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([world.westmarch], [world.harbour, world.tidewater]),
        author=None,
        now=timezone.now(),
    )
    propose_lines(world, succession, "commitments", agree(world).pk, sharing="jointly", others=[world.tidewater])
    return succession


def test_a_shared_line_waits_for_the_answer_of_every_successor(world: World) -> None:
    succession = division(world)
    accept_lines(world, succession)

    passed_on = take_effect(succession)

    assert passed_on == 0
    assert Handover.objects.get().state == "proposed"
    assert "Answer handover lines" in task_names(world, world.chidi) - task_names(world, world.hana)


def test_several_successors_share_a_commitment_once_each_has_accepted(world: World) -> None:
    succession = division(world)
    accept_lines(world, succession)
    accept_lines(world, succession, author=world.chidi)

    passed_on = take_effect(succession)

    line = Handover.objects.get()
    assert passed_on == 1
    assert Commitment.objects.get().receiver == world.harbour
    assert line.sharing == "jointly"
    assert list(line.others.all()) == [world.tidewater]
    assert steps_in_words(line) == [
        f"Proposed by Ben West on {long_date(today())}",
        f"Accepted for Harbour Community Trust by Hana Harbour on {long_date(today())}",
        f"Accepted for Tidewater Housing Group by Chidi Tide on {long_date(today())}",
        f"Passed on: {long_date(today())}",
    ]


def test_one_of_several_successors_may_dispute_its_part(world: World) -> None:
    succession = division(world)
    accept_lines(world, succession)

    accept_lines(world, succession, author=world.chidi, accept=False, reason="Not ours.")

    line = Handover.objects.get()
    assert line.state == "disputed"
    assert line.dispute == "Not ours."


def test_a_successor_that_accepted_its_part_cannot_answer_again(world: World) -> None:
    succession = division(world)
    accept_lines(world, succession)
    accept_lines(world, succession, author=world.chidi, accept=False, reason="Not ours.")

    with pytest.raises(UnableToHandOverLines, match="already answered"):
        accept_lines(world, succession)


def test_a_successor_that_disputed_its_part_may_still_accept_it(world: World) -> None:
    succession = division(world)
    accept_lines(world, succession)
    accept_lines(world, succession, author=world.chidi, accept=False, reason="Not ours.")

    accept_lines(world, succession, author=world.chidi)

    line = Handover.objects.get()
    assert line.state == "accepted"
    assert line.dispute == ""


def test_only_successors_that_share_a_line_answer_it(world: World) -> None:
    succession = division(world)

    with pytest.raises(UnableToAct):
        accept_lines(world, succession, author=world.ben)
    accept_lines(world, succession)
    with pytest.raises(UnableToHandOverLines, match="already answered"):
        accept_lines(world, succession)


def test_each_successor_must_answer_a_line_that_is_proposed_again(world: World) -> None:
    succession = division(world)
    accept_lines(world, succession)
    propose_lines(
        world, succession, "commitments", Commitment.objects.get().pk, sharing="jointly", others=[world.tidewater]
    )

    accept_lines(world, succession, author=world.chidi)

    assert Handover.objects.get().state == "proposed"


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
    assert estate.without == estate.things
    assert "Say who takes over" in task_names(world, world.ben)
    assert "Say who takes over" not in task_names(world, world.amina)


def test_a_proposed_line_counts_for_its_successor(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world, days=30)
    estate_before = estate_of(succession, world.westmarch, today())

    propose_lines(world, succession, "commitments", promise.pk)

    estate = estate_of(succession, world.westmarch, today())
    [harbour_share] = [share for share in estate.shares if share.successor == world.harbour]
    assert estate.without == estate_before.without - 1
    assert harbour_share.things == 1
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

    assert after.received.things == 2
    assert after.received.homes == 60
    assert after.afterwards.things == after.before.things + 1
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


def test_administrator_proposes_without_reading_titles(world: World) -> None:
    succession = record_merger(world, days=30)
    address = reverse("organisations:handover-propose", args=[succession.pk, world.westmarch.pk, "partnerships"])
    client = Client()

    client.force_login(world.dee)
    page = client.get(address).content.decode()
    assert f"Partnership {world.partnership.pk}" in page
    assert world.partnership.title not in page
    client.force_login(world.ben)
    assert world.partnership.title in client.get(address).content.decode()


def councils(world: World, names: Iterable[str]) -> dict[str, Organisation]:
    """Create councils of Surrey, each with a lead, a partnership, a commitment and a post."""
    return {name: create_council_of_surrey(world, name) for name in names}


def create_council_of_surrey(world: World, name: str) -> Organisation:
    """Create one council of Surrey, with a lead, a partnership, a commitment and a post."""
    council = services.create_organisation(
        name=f"{name} Council" if name == COUNTY else f"{name} Borough Council",
        kind="council",
        identifiers=[("gss", CODES[name])],
        author=None,
        now=timezone.now(),
    )
    lead = person(f"{name} Lead", f"{name.lower().replace(' ', '-')}@surrey.example")
    join(lead, council, Role.LEAD, world.now)
    partnership = make_partnership(
        f"{name} Homes",
        chair=council,
        chair_lead=lead,
        other=world.larkhaven,
        other_lead=world.amina,
        now=timezone.now(),
    )
    commitments.propose_commitment(
        giver=world.larkhaven,
        receiver=council,
        text=f"Forty homes in {name}.",
        quantity=Decimal(40),
        unit="homes",
        owner=world.eddie,
        due_on=today() + dt.timedelta(90),
        partnership=partnership,
        author=world.amina,
        now=timezone.now(),
    )
    agreements.create_post(organisation=council, role="planning", author=lead, now=timezone.now())
    return council


def holders() -> dict[str, list[Any]]:
    """Return the present parties, sides of commitments and members, without the ids of rows created on the way."""
    parties = Party.objects.filter(status="accepted").order_by("partnership", "organisation")
    people = Membership.objects.current().order_by("person", "organisation")
    return {
        "parties": list(parties.values_list("partnership", "organisation", "role")),
        "commitments": list(Commitment.objects.order_by("pk").values_list("pk", "giver", "receiver")),
        "people": list(people.values_list("person", "organisation", "role")),
    }


def test_a_handover_that_was_interrupted_continues(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
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
    monkeypatch.setattr("partnerships.organisations.services.handover_batches.BATCH", 7)
    services.take_effect(succession=succession, author=None, now=timezone.now())
    real_move_records = services.handover_batches.move_records  # type: ignore[attr-defined]
    calls = []

    def break_off(*args: Any) -> Any:
        calls.append(1)
        if len(calls) == 4:
            raise RuntimeError("The machine stopped.")
        return real_move_records(*args)

    monkeypatch.setattr("partnerships.organisations.services.handover_batches.move_records", break_off)
    with pytest.raises(RuntimeError):
        services.hand_over_due(now=timezone.now())
    assert succession.handovers.filter(state="accepted").exists()

    services.hand_over_due(now=timezone.now())

    assert set(succession.handovers.values_list("state", flat=True)) == {"applied"}
