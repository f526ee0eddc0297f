"""A queued email does not leave if its reader lost the right to read it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from partnerships.agreements.models import Party
from partnerships.agreements.services import remove_party
from partnerships.conversations.models import Facilitator
from partnerships.conversations.services import end_facilitation
from partnerships.digests.services import stop_everything
from partnerships.exchange import services as exchange
from partnerships.exchange.models import Entry
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Membership
from partnerships.people.administrators import grant_administration, withdraw_administration
from partnerships.people.models import User
from partnerships.people.services import close_account
from partnerships.plans import services as plans
from partnerships.plans.models import Share
from tests.support.outbox import deliver, drop_emails, recorded
from tests.telling import answers, lower_rooms, surveys, terms, upper_rooms
from tests.telling.case import CASES
from tests.world import World, person

__all__ = ["answers", "lower_rooms", "surveys", "terms", "upper_rooms"]  # they fill the table


def _leaves(somebody: str) -> Callable[[World], None]:
    """Closes the account of a person of the world."""

    def close(world: World) -> None:
        close_account(person=getattr(world, somebody), author=world.dee, reason="Left.", now=timezone.now())

    return close


def _stops_leading(somebody: str) -> Callable[[World], None]:
    """Makes a person of the world a viewer; another person leads."""

    def demote(world: World) -> None:
        lead: User = getattr(world, somebody)
        membership = lead.memberships.get(ends_on=None)
        other = person("Olive Other", "olive@other.example")
        organisations.add_membership(
            organisation=membership.organisation, person=other, role="lead", author=None, now=timezone.now()
        )
        organisations.change_role(membership=membership, role="viewer", author=None, now=timezone.now())

    return demote


def _takes_share_back(world: World) -> None:
    plans.revoke_share(share=Share.objects.get(person=world.nadia), author=world.amina, now=timezone.now())


def _removes_westmarch(world: World) -> None:
    party = Party.objects.get(partnership=world.partnership, organisation=world.westmarch)
    remove_party(party=party, reason="Gone.", author=world.amina, now=timezone.now())


def _stops_following(world: World) -> None:
    stop_everything(person=world.sol, author=world.sol, reason="Enough.", now=timezone.now())


def _ends_facilitation(world: World) -> None:
    end_facilitation(facilitator=Facilitator.objects.get(), reason="A mistake.", author=world.amina, now=timezone.now())


def _withdraws_invitation_of_tidewater(world: World) -> None:
    party = Party.objects.get(partnership=world.partnership, organisation=world.tidewater)
    remove_party(party=party, reason="A mistake.", author=world.amina, now=timezone.now())


def _withdraws_entry(world: World) -> None:
    exchange.withdraw_entry(entry=Entry.objects.get(), reason="Found.", author=world.amina, now=timezone.now())


def _withdraws_invitation_of_nina(world: World) -> None:
    membership = Membership.objects.get(person__email="nina@larkhaven.example")
    organisations.end_membership(membership=membership, author=world.amina, now=timezone.now())


def _dee_stops_administering(world: World) -> None:
    other = person("Otto Other", "otto@commonground.example")
    grant_administration(person=other, author=world.dee, reason="Helps.", now=timezone.now() - dt.timedelta(minutes=1))
    withdraw_administration(person=world.dee, author=other, reason="Moved on.", now=timezone.now())


@pytest.mark.parametrize(
    ("name", "kind", "reader", "lose"),
    [
        ("sign_in_provider_removed", "people.sign_in_provider", "dee", _dee_stops_administering),
        ("member_invited", "organisations.invitation", "nina", _withdraws_invitation_of_nina),
        ("member_invited_by_an_administrator", "organisations.invited_by_administrator", "amina", _leaves("amina")),
        ("ways_in_changed", "organisations.ways_in", "amina", _stops_leading("amina")),
        ("access_requested", "organisations.access_requested", "dee", _dee_stops_administering),
        ("succession_passed_something_on", "organisations.handed_over", "oscar", _leaves("oscar")),
        ("handover_lines_proposed", "organisations.handover_proposed", "hana", _stops_leading("hana")),
        ("organisation_invited", "agreements.invitation", "chidi", _withdraws_invitation_of_tidewater),
        ("organisation_invited", "agreements.invitation", "chidi", _stops_leading("chidi")),
        ("terms_sent_for_signature", "agreements.terms_request", "ben", _stops_leading("ben")),
        ("terms_sent_for_signature", "agreements.terms_request", "ben", _removes_westmarch),
        ("terms_signed_by_one_party", "agreements.terms_signed", "ben", _removes_westmarch),
        ("terms_declined_by_a_party", "agreements.terms_declined", "amina", _leaves("amina")),
        ("terms_taken_back", "agreements.terms_stopped", "ben", _stops_leading("ben")),
        ("amendment_proposed", "agreements.terms_proposed", "amina", _stops_leading("amina")),
        ("post_filled", "agreements.post_filled", "eddie", _leaves("eddie")),
        ("last_lead_left", "agreements.no_lead", "dee", _dee_stops_administering),
        ("leads_reminded_of_dates", "agreements.dates_ahead", "ben", _removes_westmarch),
        ("leads_reminded_of_dates", "agreements.dates_ahead", "ben", _stops_leading("ben")),
        ("notice_given", "agreements.notice", "amina", _stops_leading("amina")),
        ("sign_off_requested", "plans.sign_off_request", "ben", _stops_leading("ben")),
        ("sign_off_requested", "plans.sign_off_request", "ben", _removes_westmarch),
        ("signatories_late", "plans.sign_off_escalation", "ben", _stops_leading("ben")),
        ("signatories_late", "plans.sign_off_escalation", "ben", _removes_westmarch),
        ("draft_shown", "plans.share", "nadia", _takes_share_back),
        ("access_asked_for", "plans.access_request", "amina", _stops_leading("amina")),
        ("access_refused", "plans.not_shown", "ben", _leaves("ben")),
        ("plan_offered", "plans.ownership_offer", "ben", _stops_leading("ben")),
        ("plan_offered", "plans.ownership_offer", "ben", _removes_westmarch),
        ("offered_plan_declined", "plans.ownership_answer", "amina", _stops_leading("amina")),
        ("people_mentioned_in_a_comment", "plans.mention", "ben", _removes_westmarch),
        ("entry_shared_with_those_asked", "exchange.asked", "ben", _withdraws_entry),
        ("entry_answered", "exchange.response", "amina", _stops_leading("amina")),
        ("facilitator_of_an_entry_named", "exchange.facilitator", "ben", _withdraws_entry),
        ("several_facilitated_by_one_person", "exchange.several", "eddie", _leaves("eddie")),
        ("entry_about_to_lapse", "exchange.closing_soon", "ben", _withdraws_entry),
        ("entry_enters_a_followed_view", "lists.followed", "ben", _withdraws_entry),
        ("report_sent_on_a_rhythm", "reports.scheduled", "ben", _removes_westmarch),
        ("scheduled_report_of_a_partnership_they_left", "reports.not_made", "ben", _leaves("ben")),
        ("commitments_proposed_from_a_spreadsheet", "commitments.proposed_together", "ben", _stops_leading("ben")),
        ("commitments_given_to_an_owner", "commitments.owned_together", "vera", _leaves("vera")),
        ("commitment_proposed", "commitments.proposed", "ben", _stops_leading("ben")),
        ("commitment_agreed", "commitments.agreed", "eddie", _leaves("eddie")),
        ("record_circulated", "conversations.circulated", "ben", _leaves("ben")),
        ("facilitator_named", "conversations.facilitator_named", "chidi", _ends_facilitation),
        ("report_due_soon", "conversations.report_due", "ben", _removes_westmarch),
        ("report_submitted", "conversations.report_submitted", "amina", _stops_leading("amina")),
        ("report_returned", "conversations.report_decided", "ben", _removes_westmarch),
        ("meeting_planned", "conversations.meeting_invitation", "ben", _removes_westmarch),
        ("meeting_with_fewer_people", "conversations.meeting_uninvited", "ben", _removes_westmarch),
        ("agenda_circulated", "conversations.meeting_agenda", "ben", _removes_westmarch),
        ("reply_came_in", "answers.confirm_reply", "ben", _leaves("ben")),
        ("email_forwarded", "answers.confirm_forwarded", "amina", _stops_leading("amina")),
        ("answer_refused", "answers.refused", "sol", _stops_following),
    ],
)
def test_email_does_not_leave_when_its_reader_lost_the_right(
    world: World, name: str, kind: str, reader: str, lose: Callable[[World], None]
) -> None:
    act = CASES[name].prepare(world)
    drop_emails()
    act()

    lose(world)
    deliver()

    addressee = User.objects.get(email__startswith=f"{reader}@")
    first = next(email for email in recorded(kind) if email.person_id == addressee.pk and email.status != "dropped")
    assert first.status == "suppressed"
