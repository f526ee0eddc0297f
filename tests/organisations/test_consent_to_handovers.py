"""Lines that need consent, and lines that several successors share."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.kit.dates import long_date
from partnerships.kit.rights import UnableToAct
from partnerships.organisations import services
from partnerships.organisations.handovers import estate_of
from partnerships.organisations.models import Handover, Membership, Role, Succession
from partnerships.organisations.presenting import steps_in_words
from partnerships.organisations.services import UnableToHandOverLines
from partnerships.outbox.models import Email
from tests.commitments.promises import agree
from tests.organisations.handing_over import (
    accept_lines,
    division,
    propose_lines,
    record_consent,
    record_merger,
    take_effect,
    task_names,
)
from tests.support.moments import today, tomorrow
from tests.support.signing_in import signed_in
from tests.world import World


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
    estate = estate_of(merger_awaiting_consent, world.westmarch, today())

    assert estate.lacking_consent == 1
    assert Commitment.objects.get().receiver == world.westmarch
    assert Email.objects.filter(kind="organisations.handed_over").exists()


@pytest.mark.usefixtures("merger_awaiting_consent")
@pytest.mark.parametrize("lead", ["ben", "hana"])
def test_both_leads_have_a_task_to_record_consent(world: World, lead: str) -> None:
    tasks = task_names(world, getattr(world, lead))

    assert "Record consent" in tasks


@pytest.mark.parametrize("lead", ["ben", "hana"])
def test_neither_lead_has_a_task_once_consent_is_recorded(
    world: World, merger_awaiting_consent: Succession, lead: str
) -> None:
    record_consent(world, merger_awaiting_consent, author=world.hana)

    tasks = task_names(world, getattr(world, lead))

    assert "Record consent" not in tasks


def test_a_line_passes_on_once_consent_is_recorded(world: World, merger_awaiting_consent: Succession) -> None:
    record_consent(world, merger_awaiting_consent, author=world.hana)

    passed_line_count = services.hand_over_due(now=timezone.now())

    line = Handover.objects.get()
    assert passed_line_count == 1
    assert line.state == "applied"
    assert line.consent_in_words == f"The lender: given by Estuary Bank on {long_date(today())}"
    assert Commitment.objects.get().receiver == world.harbour


@pytest.fixture
def merger_with_proposed_line(world: World) -> Succession:
    """Return a merger with a proposed line that needs the lender's consent."""
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", agree(world).pk, consent="The lender")
    return succession


@pytest.mark.parametrize("missing_field", [{"given_by": " "}, {"evidence": ""}])
def test_consent_needs_its_giver_and_evidence(
    world: World, merger_with_proposed_line: Succession, missing_field: dict[str, str]
) -> None:
    with pytest.raises(UnableToHandOverLines, match="Enter who gave the consent and where people can read it"):
        record_consent(world, merger_with_proposed_line, **missing_field)


def test_consent_is_not_recorded_before_its_day(world: World, merger_with_proposed_line: Succession) -> None:
    with pytest.raises(UnableToHandOverLines, match="Enter today or an earlier day"):
        record_consent(world, merger_with_proposed_line, given_on=tomorrow())


def test_a_lead_of_neither_organisation_cannot_record_consent(
    world: World, merger_with_proposed_line: Succession
) -> None:
    with pytest.raises(UnableToAct, match="You do not have permission"):
        record_consent(world, merger_with_proposed_line, author=world.amina)


def test_consent_to_a_line_is_recorded_once(world: World, merger_with_proposed_line: Succession) -> None:
    record_consent(world, merger_with_proposed_line)

    with pytest.raises(UnableToHandOverLines, match="already recorded"):
        record_consent(world, merger_with_proposed_line)


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
    handover_url = reverse("organisations:handover", args=[merger_with_consent_to_record.pk])

    page = signed_in(world.ben).get(handover_url).content.decode()

    assert reverse("organisations:handover-consent", args=[merger_with_consent_to_record.pk]) in page
    assert "1 record needs consent" in page
    assert "The lender: not given yet" in page


def test_the_page_asks_for_the_evidence_of_a_consent(world: World, merger_with_consent_to_record: Succession) -> None:
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
    record_consent(world, merger_with_consent_to_record)
    accept_lines(world, merger_with_consent_to_record)
    handover_url = reverse("organisations:handover", args=[merger_with_consent_to_record.pk])

    page = signed_in(world.ben).get(handover_url).content.decode()

    assert f"Proposed by Ben West on {long_date(today())}" in page
    assert f"Accepted by Hana Harbour on {long_date(today())}" in page
    assert f"Consent recorded by Ben West on {long_date(today())}" in page


def test_the_evidence_of_a_consent_is_added_to_the_evidence_of_a_line(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk, consent="The lender", evidence="Deed of 1 May")

    record_consent(world, succession)

    assert Handover.objects.get().evidence == "Deed of 1 May; Minutes of 3 May"


def test_refused_consent_needs_a_reason(world: World, merger_with_consent_to_record: Succession) -> None:
    consent_url = reverse("organisations:handover-consent", args=[merger_with_consent_to_record.pk])
    line = Handover.objects.get()

    response = signed_in(world.hana).post(consent_url, {"lines": [line.pk], "answer": "refused"})

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
    assert "Record consent" not in task_names(world, world.ben)
    assert "Record consent" not in task_names(world, world.hana)


def test_a_line_whose_consent_was_refused_is_proposed_again(
    world: World, merger_with_consent_to_record: Succession
) -> None:
    line = Handover.objects.get()
    signed_in(world.hana).post(
        reverse("organisations:handover-consent", args=[merger_with_consent_to_record.pk]),
        {"lines": [line.pk], "answer": "refused", "reason": "Estuary Bank wants more."},
    )

    line_count = propose_lines(
        world, merger_with_consent_to_record, "commitments", line.record, consent="Another lender"
    )

    assert line_count == 1
    assert Handover.objects.get().state == "proposed"


def test_only_lines_that_need_the_same_consent_are_ticked_at_first(world: World) -> None:
    succession = record_merger(world, days=30)
    propose_lines(world, succession, "commitments", agree(world).pk, consent="The Board")
    propose_lines(world, succession, "commitments", agree(world).pk, consent="The lender")

    page = signed_in(world.ben).get(reverse("organisations:handover-consent", args=[succession.pk]))

    first_line = Handover.objects.get(consent="The Board")
    assert page.context["form"].initial["lines"] == [str(first_line.pk)]


@pytest.mark.usefixtures("merger_with_consent_to_record")
def test_administrators_leave_the_consent_to_the_leads(world: World) -> None:
    tasks = task_names(world, world.dee)

    assert "Record consent" not in tasks


@pytest.mark.usefixtures("merger_with_consent_to_record")
def test_administrators_record_the_consent_if_neither_side_has_a_lead(world: World) -> None:
    leads = Membership.objects.filter(organisation__in=[world.westmarch, world.harbour], role=Role.LEAD)
    leads.update(role=Role.EDITOR)

    tasks = task_names(world, world.dee)

    assert "Record consent" in tasks


def test_a_shared_line_waits_for_the_answer_of_every_successor(world: World) -> None:
    succession = division(world)
    accept_lines(world, succession)

    passed_line_count = take_effect(succession)

    assert passed_line_count == 0
    assert Handover.objects.get().state == "proposed"
    assert "Answer handover lines" in task_names(world, world.chidi)
    assert "Answer handover lines" not in task_names(world, world.hana)


def test_several_successors_share_a_commitment_once_each_has_accepted(world: World) -> None:
    succession = division(world)
    accept_lines(world, succession)
    accept_lines(world, succession, author=world.chidi)

    passed_line_count = take_effect(succession)

    line = Handover.objects.get()
    assert passed_line_count == 1
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


def test_a_lead_of_no_successor_cannot_answer_a_line(world: World) -> None:
    succession = division(world)

    with pytest.raises(UnableToAct, match="You do not have permission"):
        accept_lines(world, succession, author=world.ben)


def test_a_successor_answers_its_part_once(world: World) -> None:
    succession = division(world)
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
