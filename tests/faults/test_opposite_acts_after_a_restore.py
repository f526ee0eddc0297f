"""After a restore the last act about each subject counts, and an act that was undone is not done again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from io import StringIO
from typing import Any, NamedTuple

import pytest
from django.core import mail
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Party
from partnerships.agreements.services import answer_invitation, change_party_role, invite_organisation, remove_party
from partnerships.digests import services as digests
from partnerships.digests.models import InboxItem, NoticeDelivery, Preference, Subscription
from partnerships.digests.planning.matches import find_new_matches
from partnerships.digests.services.sweep import plan_round
from partnerships.exchange.models import Direction, Match
from partnerships.kit import journal
from partnerships.organisations.services import change_role, end_membership
from partnerships.outbox.bounces import release_address, suppress_address
from partnerships.outbox.models import Suppression
from partnerships.outbox.queries.suppressions import is_suppressed
from partnerships.people.administrators import grant_administration, withdraw_administration
from partnerships.people.models import User
from partnerships.people.services import close_account, create_invitation, person_for_address, reopen_account
from partnerships.plans import services as plans
from partnerships.plans.models import Plan, Share
from tests.digests.conftest import publish
from tests.exchange.conftest import shared_entry
from tests.faults.restore import lost, redo
from tests.plans.drafts import ask_signatures, begin, published_plan
from tests.support.outbox import deliver, drop_emails, recorded
from tests.support.signing_in import signed_in
from tests.telling import upper_rooms
from tests.telling.case import CASES
from tests.world import World, person

__all__ = ["upper_rooms"]  # it fills the table

Act = Callable[[World], None]


@pytest.fixture(autouse=True)
def journal_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write lines of the journal at once. Tests roll back, so lines that wait for a commit would never be written."""
    monkeypatch.setattr(journal, "note", journal.write)


def close(world: World) -> None:
    close_account(person=User.objects.get(pk=world.nadia.pk), author=world.dee, reason="Left.", now=timezone.now())


def reopen(world: World) -> None:
    reopen_account(person=User.objects.get(pk=world.nadia.pk), author=world.dee, reason="Back.", now=timezone.now())


def is_open(world: World) -> bool:
    return User.objects.get(pk=world.nadia.pk).is_active


def leave(world: World) -> None:
    party = Party.objects.get(pk=world.party(world.westmarch).pk)
    remove_party(party=party, reason="Over.", author=world.amina, now=timezone.now())


def come_back(world: World) -> None:
    party = invite_organisation(
        partnership=world.partnership,
        organisation=world.westmarch,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )
    answer_invitation(party=party, accept=True, reason="", author=world.ben, now=timezone.now())


def takes_part(world: World) -> bool:
    return Party.objects.accepted().filter(pk=world.party(world.westmarch).pk).exists()


def show(world: World) -> None:
    plan = Plan.objects.filter(title=world.things["plan"].title).get()
    plans.share_draft(
        plan=plan,
        email=world.nadia.email,
        may_comment=True,
        message="",
        ends_on=None,
        author=world.amina,
        now=timezone.now(),
    )


def take_back(world: World) -> None:
    plans.revoke_share(share=Share.objects.get(person=world.nadia), author=world.amina, now=timezone.now())


def is_shown(world: World) -> bool:
    return Share.objects.active(timezone.now()).filter(person=world.nadia).exists()


def follow(world: World) -> None:
    digests.subscribe(person=world.ben, target=world.things["plan"], author=world.ben, now=timezone.now())


def stop(world: World) -> None:
    digests.stop(
        subscriptions=Subscription.objects.filter(person=world.ben), author=world.ben, reason="", now=timezone.now()
    )


def follows(world: World) -> bool:
    return Subscription.objects.confirmed().filter(person=world.ben).exists()


def allow(world: World) -> None:
    digests.allow_questions(person=world.ben, now=timezone.now())


def refuse(world: World) -> None:
    digests.refuse_questions(person=world.ben, now=timezone.now())


def may_be_asked(world: World) -> bool:
    return not Preference.objects.filter(person=world.ben, refused_at__isnull=False).exists()


def mail_comes_back(world: World) -> None:
    suppress_address(address=world.hana.email, reason="Came back.", email_id=None, author_id=None, now=timezone.now())


def let_go(world: World) -> None:
    release_address(address=world.hana.email, author_id=None, now=timezone.now())


def gets_mail(world: World) -> bool:
    return not is_suppressed(world.hana.email)


def begin_party_role(world: World) -> None:
    set_party_role("lead")(world)


def set_party_role(role: str) -> Callable[[World], None]:
    def act(world: World) -> None:
        party = Party.objects.get(pk=world.party(world.westmarch).pk)
        change_party_role(
            party=party, role=role, reason="Agreed at the meeting.", author=world.amina, now=timezone.now()
        )

    return act


def leads_party(world: World) -> bool:
    return Party.objects.get(pk=world.party(world.westmarch).pk).is_leading


def set_role(role: str) -> Callable[[World], None]:
    def act(world: World) -> None:
        change_role(membership=world.eddie.memberships.get(), role=role, author=world.amina, now=timezone.now())

    return act


def edits(world: World) -> bool:
    return world.eddie.memberships.get().role == "editor"


def begin_administration(world: World) -> None:
    world.things["gil"] = person("Gil Keeper", "gil@network.example")
    administer(world)


def administer(world: World) -> None:
    grant_administration(person=world.things["gil"], author=world.dee, reason="Help.", now=timezone.now())


def stop_administering(world: World) -> None:
    withdraw_administration(person=world.things["gil"], author=world.dee, reason="Over.", now=timezone.now())


def administers(world: World) -> bool:
    return User.objects.get(pk=world.things["gil"].pk).is_staff


def set_share(*, may_comment: bool) -> Callable[[World], None]:
    def act(world: World) -> None:
        plan = Plan.objects.get(pk=world.things["plan"].pk)
        plans.share_draft(
            plan=plan,
            email=world.nadia.email,
            may_comment=may_comment,
            message="",
            ends_on=None,
            author=world.amina,
            now=timezone.now(),
        )

    return act


def may_comment(world: World) -> bool:
    return Share.objects.get(person=world.nadia).may_comment


class OppositeActs(NamedTuple):
    """Acts about one subject that undo each other."""

    begin: Act
    end: Act
    undo_end: Act
    #: Whether what began has not ended.
    stands: Callable[[World], bool]
    #: Creates the plan of the acts.
    make_plan: Callable[[World], Plan] = published_plan


def nothing(world: World) -> None:
    """Begin nothing, because the subject is in the world from the start."""


ACTS = {
    "account": OppositeActs(nothing, close, reopen, is_open),
    "party": OppositeActs(nothing, leave, come_back, takes_part),
    "share": OppositeActs(show, take_back, show, is_shown, make_plan=begin),
    "party role": OppositeActs(begin_party_role, set_party_role("member"), set_party_role("lead"), leads_party),
    "membership role": OppositeActs(nothing, set_role("viewer"), set_role("editor"), edits),
    "administration": OppositeActs(begin_administration, stop_administering, administer, administers),
    "share terms": OppositeActs(
        show, set_share(may_comment=False), set_share(may_comment=True), may_comment, make_plan=begin
    ),
    "subscription": OppositeActs(follow, stop, follow, follows),
    "questions": OppositeActs(follow, refuse, allow, may_be_asked),
    "suppression": OppositeActs(nothing, mail_comes_back, let_go, gets_mail),
}


@pytest.mark.parametrize("acts", list(ACTS.values()), ids=list(ACTS))
def test_what_ended_and_was_taken_back_since_the_backup_stands(world: World, acts: OppositeActs) -> None:
    world.things["plan"] = acts.make_plan(world)
    acts.begin(world)
    with lost():
        acts.end(world)
        acts.undo_end(world)

    redo()

    assert acts.stands(world)


@pytest.mark.parametrize("acts", list(ACTS.values()), ids=list(ACTS))
def test_what_was_taken_back_and_ended_again_since_the_backup_ends(world: World, acts: OppositeActs) -> None:
    world.things["plan"] = acts.make_plan(world)
    acts.begin(world)
    with lost():
        acts.end(world)
        acts.undo_end(world)
        acts.end(world)

    redo()

    assert not acts.stands(world)


@pytest.mark.parametrize("subject", ["account", "suppression"])
def test_what_ended_before_the_backup_and_was_taken_back_since_stands(world: World, subject: str) -> None:
    acts = ACTS[subject]
    acts.end(world)
    with lost():
        acts.undo_end(world)

    redo()

    assert acts.stands(world)


def test_account_of_somebody_else_with_the_same_number_is_not_reopened(world: World) -> None:
    close(world)
    with lost():
        reopen(world)
    User.objects.filter(pk=world.nadia.pk).update(joined_at=timezone.now())

    redo()

    assert not is_open(world)


def test_membership_that_ended_since_the_backup_ends_again(world: World) -> None:
    with lost():
        end_membership(
            membership=world.eddie.memberships.get(ends_on=None), author=world.amina, reason="Left.", now=timezone.now()
        )

    redo()

    assert world.eddie.memberships.get().ends_on is not None


def test_sessions_and_open_invitations_end_with_a_restore(world: World, settings: Any) -> None:
    settings.EMAILS_HELD = True
    browser = signed_in(world.amina)
    made, _ = create_invitation(person=world.sol, invited_by=None, now=timezone.now())
    output = StringIO()

    call_command(
        "after_restore",
        "--since",
        (timezone.now() - dt.timedelta(hours=1)).isoformat(),
        "--without-journal",
        stdout=output,
    )

    made.refresh_from_db()
    assert made.revoked_at is not None
    assert browser.get(reverse("people:account")).status_code == 302
    assert "1 open invitations withdrawn" in output.getvalue()


# ---- Versions that were told of before the restore


def test_version_told_of_before_a_restore_is_not_told_again(world: World, settings: Any) -> None:
    settings.DIGEST_SETTLE_MINUTES = 0
    plan = published_plan(world)
    digests.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    publish(plan, 100, author=world.amina)
    drop_emails()
    with lost():
        plan_round(now=timezone.now())
        recipients = [email.to for email in deliver()]
    mail.outbox.clear()
    redo()

    plan_round(now=timezone.now())

    assert recipients == [[world.ben.email]]
    assert deliver() == []


def mention_waits_for_a_summary(world: World) -> None:
    """Mention Ben, whose summary with the mention is due."""
    digests.choose_ways(
        person=world.ben, ways={"mentions": NoticeDelivery.SUMMARY}, author=world.ben, now=timezone.now()
    )
    plans.add_comment(
        plan=published_plan(world), version_number=1, text="@Ben West: why?", author=world.amina, now=timezone.now()
    )
    InboxItem.objects.for_summary().filter(person=world.ben).update(due_at=timezone.now())


def match_is_new(world: World) -> None:
    """Match an ask of Larkhaven with an offer of the council."""
    then = timezone.now() - dt.timedelta(hours=1)
    ask = shared_entry(world.larkhaven, world.amina, then, title="Land for sixty homes")
    offer = shared_entry(world.westmarch, world.ben, then, direction=Direction.OFFER, title="A level site by the quay")
    Match.objects.update_or_create(
        ask=ask, offer=offer, defaults={"score": 80, "reasons": [], "found_at": timezone.now()}
    )


@pytest.mark.parametrize("prepare", [mention_waits_for_a_summary, match_is_new], ids=["notice", "match"])
def test_what_a_digest_told_before_a_restore_is_not_told_again(
    world: World, settings: Any, prepare: Callable[[World], None]
) -> None:
    settings.DIGEST_SETTLE_MINUTES = 0
    prepare(world)
    drop_emails()

    def told() -> list[str]:
        mail.outbox.clear()
        find_new_matches(now=timezone.now())
        plan_round(now=timezone.now())
        return [email.to[0] for email in deliver()]

    with lost():
        before = told()
    redo()

    assert world.ben.email in before
    assert told() == []


# ---- Addresses that the restored database does not know


def bring_in(address: str) -> User:
    """Add somebody whom the restored database does not have."""
    return person_for_address(email=address, name="Paula Quiet")


@pytest.fixture
def unknown(world: World) -> str:
    """Return an address of somebody added since the backup, whose mail came back."""
    address = "paula@council.example"
    with lost():
        bring_in(address)
        suppress_address(address=address, reason="Came back.", email_id=None, author_id=None, now=timezone.now())
    return address


def test_suppressed_address_that_the_backup_does_not_know_gets_no_notice(world: World, unknown: str) -> None:
    redo()
    redo()

    plan = published_plan(world)
    User.objects.filter(pk=world.ben.pk).update(email=unknown)
    plans.add_comment(plan=plan, version_number=1, text="@Ben West: why?", author=world.amina, now=timezone.now())

    assert is_suppressed(unknown)
    assert not [email for email in deliver() if unknown in email.to]
    assert [one.status for one in recorded("plans.mention")] == ["suppressed"]
    assert not Suppression.objects.filter(address__icontains="paula").exists()


def test_administrator_finds_and_releases_an_address_known_by_its_hash(world: World, unknown: str) -> None:
    redo()
    dee = signed_in(world.dee)
    page = dee.get(reverse("admin:outbox_suppression_changelist"), {"q": unknown.upper()})
    [row] = page.context["cl"].result_list

    with lost():
        release_address(address_hash=row.address_hash, author_id=world.dee.pk, now=timezone.now())
        assert not is_suppressed(unknown)
    release_address(address=unknown, author_id=world.dee.pk, now=timezone.now())

    assert not is_suppressed(unknown)
    redo()
    assert not is_suppressed(unknown)


def test_unknown_address_that_was_released_since_the_backup_stays_free(world: World, unknown: str) -> None:
    with lost():
        suppress_address(address=unknown, reason="Came back.", email_id=None, author_id=None, now=timezone.now())
        release_address(address=unknown, author_id=None, now=timezone.now())

    redo()

    assert not is_suppressed(unknown)


# ---- Reminders by the clock


@pytest.mark.parametrize("name", ["owners_reminded", "signatories_reminded", "entry_about_to_lapse"])
def test_reminder_delivered_before_a_restore_is_not_delivered_again(world: World, name: str) -> None:
    remind = CASES[name].prepare(world)
    drop_emails()
    with lost():
        remind()
        reminded = sorted(email.to[0] for email in deliver())
    mail.outbox.clear()
    redo()

    remind()
    deliver()

    assert reminded == sorted(User.objects.get(email__startswith=f"{who}@").email for _, who in CASES[name].told)
    assert mail.outbox == []
    assert {email.status for email in recorded() if "restore" in email.reason} == {"dropped"}


def test_next_reminder_after_a_restore_is_delivered(world: World) -> None:
    ask_signatures(published_plan(world), world)
    drop_emails()
    with lost():
        plans.remind_signatories(now=timezone.now() + dt.timedelta(days=8))
        deliver()
    redo()
    mail.outbox.clear()

    for days in (8, 16):
        plans.remind_signatories(now=timezone.now() + dt.timedelta(days=days))
        deliver()

    assert sorted(email.to[0] for email in mail.outbox) == [world.amina.email, world.ben.email]
