"""Amendments are drafted and signed beside the terms in force, and apply from their day."""

from __future__ import annotations

import datetime as dt
from importlib import import_module

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import (
    Partnership,
    ProposalStatus,
    TermsProposal,
    TermsVersion,
)
from partnerships.agreements.queries.terms import (
    version_in_force,
)
from partnerships.agreements.services import (
    UnableToPropose,
    UnableToSendForSignature,
    UnableToSignTerms,
    change_status,
    lapse_proposals,
    propose_amendment,
    record_terms_in_force,
    remind_terms_signers,
    update_terms_draft,
    withdraw_proposal,
)
from partnerships.outbox.models import Email
from tests.agreements.signing import clause_text, days, propose_change, sign
from tests.support.moments import today
from tests.support.signing_in import signed_in
from tests.support.terms import first_proposal, put_up, sign_all
from tests.world import World


@pytest.fixture
def signed_amendment(world: World, agreed_terms: TermsVersion) -> TermsVersion:
    """Return an amendment that every party has signed and that applies from the tenth day."""
    proposal = propose_change(world, world.ben, world.westmarch, text="We meet twice.", from_day=days(10))
    version = put_up(proposal, world.ben, from_day=days(10))
    sign_all(version)
    return version


def test_a_signed_amendment_applies_from_its_day(
    world: World, agreed_terms: TermsVersion, signed_amendment: TermsVersion
) -> None:
    world.partnership.refresh_from_db()

    assert version_in_force(world.partnership, days(9)) == agreed_terms
    assert version_in_force(world.partnership, days(10)) == signed_amendment
    assert world.partnership.terms_of_reference == "Terms\n\nWe meet and decide together."


def test_an_amendment_is_recorded_as_in_force_once_on_its_day(world: World, signed_amendment: TermsVersion) -> None:
    with time_machine.travel(timezone.now() + dt.timedelta(days=10)):
        recorded_count = record_terms_in_force(now=timezone.now())
        count_of_second_run = record_terms_in_force(now=timezone.now())

    world.partnership.refresh_from_db()
    assert recorded_count == 1
    assert count_of_second_run == 0
    assert world.partnership.terms_of_reference == "Terms\n\nWe meet twice."
    assert world.partnership.terms_version_id == signed_amendment.pk


def test_leads_get_an_email_when_an_amendment_comes_into_force(world: World, signed_amendment: TermsVersion) -> None:
    with time_machine.travel(timezone.now() + dt.timedelta(days=10)):
        record_terms_in_force(now=timezone.now())

    emails = Email.objects.filter(kind="agreements.terms_in_force")
    assert set(emails.values_list("person_id", flat=True)) == {world.amina.pk, world.ben.pk}


@pytest.fixture
def colliding_proposals(world: World, agreed_terms: TermsVersion) -> tuple[TermsProposal, TermsProposal]:
    """Return two proposals for one clause: Larkhaven's, which was sent for signature, and Westmarch's draft."""
    proposal_of_larkhaven = propose_change(world, world.amina, world.larkhaven, text="We meet twice.")
    proposal_of_westmarch = propose_change(world, world.ben, world.westmarch, text="We never meet.")
    put_up(proposal_of_larkhaven, world.amina)
    return proposal_of_larkhaven, proposal_of_westmarch


def test_a_second_amendment_of_a_clause_is_not_sent_for_signature(
    world: World, colliding_proposals: tuple[TermsProposal, TermsProposal]
) -> None:
    _, proposal_of_westmarch = colliding_proposals

    with pytest.raises(UnableToSendForSignature, match="Amendment 1 of Larkhaven Homes changes clause “Terms” too"):
        put_up(proposal_of_westmarch, world.ben)


def test_a_second_amendment_of_a_clause_is_sent_once_the_first_is_withdrawn(
    world: World, colliding_proposals: tuple[TermsProposal, TermsProposal]
) -> None:
    proposal_of_larkhaven, proposal_of_westmarch = colliding_proposals
    withdraw_proposal(proposal=proposal_of_larkhaven, reason="No.", author=world.amina, now=timezone.now())

    version = put_up(proposal_of_westmarch, world.ben)

    assert version.proposal == proposal_of_westmarch


@pytest.fixture
def disjoint_amendments(world: World, agreed_terms: TermsVersion) -> tuple[TermsVersion, TermsVersion]:
    """Return two signed amendments of different parts: one from the tenth day, and one from the twentieth."""
    amendment_of_clause = propose_change(world, world.amina, world.larkhaven, text="We meet twice.", from_day=days(20))
    amendment_of_field = propose_change(world, world.ben, world.westmarch, reports_to="The board", from_day=days(10))
    later = put_up(amendment_of_clause, world.amina, from_day=days(20))
    sooner = put_up(amendment_of_field, world.ben, from_day=days(10))
    sign_all(later)
    sign_all(sooner)
    return sooner, later


def test_disjoint_amendments_are_consolidated_from_the_later_day(
    world: World, disjoint_amendments: tuple[TermsVersion, TermsVersion]
) -> None:
    sooner, later = disjoint_amendments

    consolidated = version_in_force(world.partnership, days(25))

    assert consolidated is not None
    assert consolidated.is_consolidated
    assert consolidated.amendment == sooner
    assert consolidated.base == later


@pytest.mark.usefixtures("disjoint_amendments")
def test_consolidated_terms_contain_the_changes_of_both_amendments(world: World) -> None:
    consolidated = version_in_force(world.partnership, days(25))

    assert consolidated is not None
    assert clause_text(consolidated) == "We meet twice."
    assert consolidated.content["about"]["reports_to"] == "The board"


def test_of_disjoint_amendments_only_the_sooner_applies_before_the_later_day(
    world: World, disjoint_amendments: tuple[TermsVersion, TermsVersion]
) -> None:
    sooner, _later = disjoint_amendments

    assert clause_text(version_in_force(world.partnership, days(5))) == "We meet and decide together."
    assert version_in_force(world.partnership, days(15)) == sooner


def test_consolidated_terms_name_the_versions_that_they_are_made_of(
    world: World, disjoint_amendments: tuple[TermsVersion, TermsVersion]
) -> None:
    consolidated = version_in_force(world.partnership, days(25))
    assert consolidated is not None

    page = signed_in(world.vera).get(consolidated.get_absolute_url()).content.decode()

    for version in disjoint_amendments:
        assert f"version {version.number}" in page


@pytest.fixture
def outdated_draft(world: World, agreed_terms: TermsVersion) -> TermsProposal:
    """Return Westmarch's draft of an amendment, older than another amendment of the same clause."""
    older_draft = propose_change(world, world.ben, world.westmarch, text="We never meet.", reports_to="The board")
    sign_all(put_up(propose_change(world, world.amina, world.larkhaven, text="We meet twice."), world.amina))
    return older_draft


def test_a_draft_from_before_another_amendment_cannot_be_put_up(world: World, outdated_draft: TermsProposal) -> None:
    with pytest.raises(UnableToSendForSignature, match="has changed clause “Terms” since"):
        put_up(outdated_draft, world.ben)


def test_a_draft_from_before_another_amendment_is_brought_up_to_date(
    world: World, outdated_draft: TermsProposal
) -> None:
    parts_changed_twice = update_terms_draft(proposal=outdated_draft, author=world.ben, now=timezone.now())

    version = put_up(outdated_draft, world.ben)
    assert parts_changed_twice == ("clause “Terms”",)
    assert clause_text(version) == "We never meet."
    assert version.content["about"]["reports_to"] == "The board"


@pytest.fixture
def half_signed_amendment(world: World, agreed_terms: TermsVersion) -> TermsVersion:
    """Return an amendment that Westmarch has signed; Larkhaven has five days left."""
    proposal = propose_change(world, world.ben, world.westmarch, text="We meet twice.")
    version = put_up(proposal, world.ben, sign_by=days(5))
    sign(version, world.ben, world.westmarch)
    return version


def test_a_party_that_has_not_signed_is_reminded_once(half_signed_amendment: TermsVersion) -> None:
    with time_machine.travel(timezone.now() + dt.timedelta(days=3)):
        reminder_count = remind_terms_signers(now=timezone.now())
        count_of_second_run = remind_terms_signers(now=timezone.now())

    assert reminder_count == 1
    assert count_of_second_run == 0


def test_an_amendment_cannot_be_signed_after_its_last_day(world: World, half_signed_amendment: TermsVersion) -> None:
    with (
        time_machine.travel(timezone.now() + dt.timedelta(days=36)),
        pytest.raises(UnableToSignTerms, match="time to sign these terms is over"),
    ):
        sign(half_signed_amendment, world.amina, world.larkhaven)


def test_an_amendment_that_is_not_signed_in_time_lapses(half_signed_amendment: TermsVersion) -> None:
    with time_machine.travel(timezone.now() + dt.timedelta(days=36)):
        lapsed_count = lapse_proposals(now=timezone.now())

    proposal = half_signed_amendment.proposal
    proposal.refresh_from_db()
    assert lapsed_count == 1
    assert proposal.status == ProposalStatus.NOT_AGREED
    assert proposal.outcome == "Larkhaven Homes did not sign in time."


def test_only_terms_in_force_can_be_amended(world: World) -> None:
    with pytest.raises(UnableToPropose, match="in force"):
        propose_change(world, world.ben, world.westmarch)


def test_an_amendment_needs_a_reason(world: World, agreed_terms: TermsVersion) -> None:
    with pytest.raises(UnableToPropose, match="why"):
        propose_amendment(
            partnership=world.partnership,
            organisation=world.westmarch,
            reason=" ",
            author=world.ben,
            now=timezone.now(),
        )


@pytest.fixture
def amendment_of_ended_partnership(world: World, agreed_terms: TermsVersion) -> TermsVersion:
    """Return an amendment that awaited signatures when the partnership ended."""
    proposal = propose_change(world, world.ben, world.westmarch, text="We meet twice.")
    version = put_up(proposal, world.ben)
    change_status(
        partnership=world.partnership, status="ended", reason="No money.", author=world.amina, now=timezone.now()
    )
    return version


def test_an_amendment_that_waits_is_closed_when_the_partnership_ends(
    amendment_of_ended_partnership: TermsVersion,
) -> None:
    proposal = amendment_of_ended_partnership.proposal
    proposal.refresh_from_db()

    assert proposal.status == ProposalStatus.NOT_AGREED
    assert proposal.outcome == "The partnership has ended. No money."


def test_pages_of_an_ended_partnership_no_longer_ask_for_signatures(
    world: World, amendment_of_ended_partnership: TermsVersion
) -> None:
    amina = signed_in(world.amina)

    terms_page = amina.get(reverse("agreements:terms", args=[world.partnership.pk])).content.decode()
    version_page = amina.get(amendment_of_ended_partnership.get_absolute_url()).content.decode()

    assert "needs your signature" not in terms_page
    assert "The last terms in force" in terms_page
    assert "Not agreed" in version_page


def test_migration_closes_what_waits_in_partnerships_that_were_over(world: World, agreed_terms: TermsVersion) -> None:
    proposal = propose_change(world, world.ben, world.westmarch, text="We meet twice.")
    put_up(proposal, world.ben)
    Partnership.objects.filter(pk=world.partnership.pk).update(status="renewed", ends_on=today())

    import_module("partnerships.agreements.migrations.0024_close_proposals_of_ended").close(apps, None)

    proposal.refresh_from_db()
    assert proposal.status == ProposalStatus.NOT_AGREED
    assert proposal.outcome == "The partnership was renewed."


@pytest.fixture
def second_amendment(world: World, agreed_terms: TermsVersion) -> TermsProposal:
    """Return the second amendment of the agreed terms; the first was withdrawn."""
    first = propose_change(world, world.ben, world.westmarch, text="We meet twice.")
    withdraw_proposal(proposal=first, reason="No.", author=world.ben, now=timezone.now())
    return propose_change(world, world.amina, world.larkhaven, text="We never meet.")


def test_amendments_are_numbered_from_1(world: World, second_amendment: TermsProposal) -> None:
    names = [proposal.name for proposal in world.partnership.terms_proposals.order_by("pk")]

    assert names == ["First terms", "Amendment 1", "Amendment 2"]


def test_the_page_of_an_amendment_shows_its_number(world: World, second_amendment: TermsProposal) -> None:
    page = signed_in(world.amina).get(second_amendment.get_absolute_url()).content.decode()

    assert "Amendment 2" in page
    assert "Amendment 3" not in page


def test_migration_numbers_the_amendments_that_were_there(world: World, agreed_terms: TermsVersion) -> None:
    proposals = [propose_change(world, world.ben, world.westmarch, text=f"We meet {count} times.") for count in (2, 3)]
    TermsProposal.objects.filter(based_on__isnull=False).update(amendment_number=F("number") + 10)

    with connection.cursor() as cursor:
        cursor.execute(import_module("partnerships.agreements.migrations.0025_number_amendments").NUMBER)

    assert [TermsProposal.objects.get(pk=proposal.pk).amendment_number for proposal in proposals] == [1, 2]
    assert first_proposal(world.partnership).amendment_number is None
