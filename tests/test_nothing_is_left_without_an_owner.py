"""What a leaver held passes to somebody, or is listed until it does."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.apps import apps
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.agreements.models import Holder
from partnerships.commitments.models import Commitment
from partnerships.commitments.services import escalate
from partnerships.conversations.services import NextStepInput
from partnerships.digests.models import Subscription
from partnerships.digests.services import subscribe
from partnerships.exchange.models import Audience
from partnerships.exchange.services import refer_entry
from partnerships.kit.dates import known_day
from partnerships.kit.rights import UnableToAct
from partnerships.organisations.models import Membership, Role, Succession
from partnerships.organisations.obligations import held_records_by_kind as obligations_of
from partnerships.organisations.owned import UnableToHandOver, left_without_owner, owned_kinds, owned_records_by_kind
from partnerships.organisations.services import (
    answer_handovers,
    end_membership,
    hand_over_due,
    hand_over_records,
    propose_handovers,
    record_succession,
    take_effect,
    ties_between,
)
from partnerships.outbox.models import Email
from partnerships.people.models import User
from partnerships.people.personal import is_history, personal_fields
from partnerships.work.queries import tasks_of_person
from tests.agreements.test_objectives import add as add_objective
from tests.agreements.test_posts import create_post_of, fill
from tests.commitments.promises import agree
from tests.conversations.talks import draft_conversation as draft_record
from tests.exchange.conftest import shared_entry
from tests.support.moments import today
from tests.support.signing_in import signed_in
from tests.world import World, join, person

#: Names of columns that say who did something: nobody needs to take these over.
AUTHORS = ("author", "by", "_by")
#: Columns that name a person for another reason.
NOT_OWNERS = {
    "people.Invitation.person": "ends with the membership",
    "people.SecurityEvent.person": "the log of an account",
    "people.ViewAs.administrator": "who looked",
    "people.ViewAs.person": "who was looked at",
    "organisations.Membership.person": "what ends",
    "surveys.Round.moderator": "outside the parties; a survey that is open ends, or its comments stay unread",
    "surveys.Invitation.person": "who is asked, until the survey is over",
    "surveys.NamedAnswer.person": "who answered",
    "lists.ListFile.person": "a file that the person asked for, kept for a day",
    "reports.ReportFile.person": "a file that the person asked for, kept for a day",
    "people.LeadTimes.person": "how the person is reminded",
    "commitments.Reminder.person": "who was reminded",
    "lists.SavedView.owner": "the person's own view",
    "lists.Follow.person": "who follows a view",
    "reports.Recipient.person": "who gets a report by email",
    "lists.DefaultView.person": "how the person's own list opens",
    "plans.Share.person": "ends with the membership",
    "plans.AccessRequest.person": "who asked",
    "plans.Mention.person": "who was named in a comment",
    "plans.SignOff.person": "who signed",
    "agreements.TermsSignature.person": "who signed",
    "agreements.DateReminder.person": "who was reminded",
    "plans.ConditionMet.person": "who said so",
    "conversations.Attendee.person": "who was there",
    "conversations.AgendaItem.presenter": "who presents it at one meeting",
    "exchange.EntryFacilitator.person": "named in person; it ends when they stop acting for their organisation",
    "conversations.Facilitator.person": "named in person; it ends when they stop acting for their organisation",
    "conversations.MeetingSeat.person": "who is asked to one meeting",
    "digests.Preference.person": "when the person wants digests",
    "digests.Watermark.recipient": "what the person was told",
    "digests.SubjectWatermark.recipient": "what the person was told",
    "digests.InboxItem.person": "what the person was told",
    "digests.NoticeChoice.person": "how the person wants notices",
    "digests.Stop.person": "what the person stopped, to undo",
    "answers.Answer.person": "whose answer it is",
    "answers.Incoming.person": "whose email it is",
    "answers.WorkRole.person": "the person's own role",
    "answers.Trust.person": "who is trusted",
    "digests.Slot.recipient": "when the person gets digests",
    "digests.OpenDigest.recipient": "a digest being written",
    "calendars.CalendarAddress.person": "an address of the person's own dates; it ends with their account",
    "digests.MatchNotice.recipient": "what the person was told",
}


def leave(world: World, someone: User, **fields: Any) -> None:
    membership = Membership.objects.get(person=someone, organisation=world.larkhaven, ends_on=None)
    end_membership(membership=membership, reason="Moved.", author=world.amina, now=timezone.now(), **fields)


def left(world: World) -> dict[str, list[str]]:
    groups = left_without_owner(world.larkhaven.pk, timezone.now())
    return {group.kind.code: [record.title for record in group.records] for group in groups}


def lead(world: World, name: str) -> User:
    """Return a second lead of Larkhaven, who can leave."""
    someone = person(name, f"{name.split()[0].lower()}@larkhaven.example")
    join(someone, world.larkhaven, Role.LEAD, world.now)
    return someone


def test_every_column_that_names_an_owner_is_registered() -> None:
    registered = {field for kind in owned_kinds() for field in kind.fields}
    unknown = []
    for label, name in personal_fields():
        model = apps.get_model(label)
        field = f"{label}.{name}"
        if is_history(model) or label.split(".")[0] not in ROOMS or not model._meta.get_field(name).is_relation:
            continue
        if not name.endswith(AUTHORS) and field not in registered | NOT_OWNERS.keys():
            unknown.append(field)

    assert unknown == [], "register these with register_owned, or say in NOT_OWNERS why nobody takes them over"


ROOMS = {config.label for config in apps.get_app_configs() if config.name.startswith("partnerships.")}


def test_registered_columns_exist() -> None:
    for kind in owned_kinds():
        for field in kind.fields:
            label, _, name = field.rpartition(".")
            assert apps.get_model(label)._meta.get_field(name)


def test_what_a_leaver_held_is_listed_and_handed_over(world: World) -> None:
    lena = lead(world, "Lara Larch")
    post = create_post_of(world, "lead")
    fill(post, lena)
    promise = agree(world)
    Commitment.objects.filter(pk=promise.pk).update(owner=lena)
    subscribe(person=lena, target=world.partnership, author=lena, now=world.now)

    leave(world, lena)

    assert left(world).keys() == {"posts", "commitments", "followed"}
    for group in left_without_owner(world.larkhaven.pk, timezone.now()):
        hand_over_records(
            organisation=world.larkhaven,
            kind=group.kind.code,
            records=[record.pk for record in group.records],
            to=world.eddie,
            reason="Lara left.",
            author=world.amina,
            now=timezone.now(),
        )
    promise.refresh_from_db()
    assert left(world) == {}
    assert promise.owner == world.eddie
    assert post.holders.current().get().person == world.eddie
    assert Subscription.objects.get(person=world.eddie, partnership=world.partnership).status == "asked"


def test_successor_takes_over_posts_in_the_same_step(world: World) -> None:
    lara = lead(world, "Lara Larch")
    nominations = create_post_of(world)
    lead_post = create_post_of(world, "lead")
    fill(nominations, lara)
    fill(lead_post, lara)

    leave(world, lara, successor=world.eddie)

    assert {post.holders.current().get().person for post in (nominations, lead_post)} == {world.eddie}


def holds_all_kinds(world: World, someone: User) -> None:
    """Somebody owns an objective and a next step, has an ask to answer and a commitment escalated to them."""
    add_objective(world, owner=someone)
    draft_record(world, next_steps=[NextStepInput(world.larkhaven, "Send it.", today(), someone)])
    asked = {"audience": Audience.NAMED, "addressees": [world.larkhaven], "closes_on": None}
    entry = shared_entry(world.westmarch, world.ben, timezone.now(), **asked)
    refer_entry(entry=entry, organisation=world.larkhaven, person=someone, author=world.amina, now=timezone.now())
    escalate(commitment=agree(world), helper=someone, author=world.eddie, now=timezone.now())


def test_successor_takes_over_objectives_referrals_next_steps_and_escalations(world: World) -> None:
    lara = lead(world, "Lara Larch")
    holds_all_kinds(world, lara)
    kinds = {"objectives", "next_steps", "referrals", "escalations"}
    assert {group.kind.code for group in owned_records_by_kind(lara, world.larkhaven, today())} == kinds

    leave(world, lara, successor=world.eddie)

    kinds_held = {group.kind.code for group in owned_records_by_kind(world.eddie, world.larkhaven, today())}
    assert kinds <= kinds_held
    assert not kinds & left(world).keys()


def test_what_the_successor_may_not_hold_is_left_for_the_leads(world: World) -> None:
    lara = lead(world, "Lara Larch")
    holds_all_kinds(world, lara)

    leave(world, lara, successor=world.vera)

    assert left(world).keys() == {"referrals"}, "a viewer cannot answer an ask"


def test_editor_who_leaves_cannot_pass_on_the_post_of_a_lead(world: World) -> None:
    post = create_post_of(world, "signatory")
    fill(post, world.eddie)
    membership = Membership.objects.get(person=world.eddie, ends_on=None)

    end_membership(membership=membership, reason="Moved.", successor=world.vera, author=world.eddie, now=timezone.now())

    assert not post.holders.current().exists()
    assert left(world) == {"posts": ["Signatory"]}


def test_vacant_posts_of_a_partnership_that_is_over_are_not_listed(world: World) -> None:
    create_post_of(world)
    agreements.change_status(
        partnership=world.partnership, status="ended", reason="Done.", author=world.amina, now=timezone.now()
    )

    assert left(world) == {}


def test_handing_over_needs_a_lead_a_reason_and_somebody_of_the_organisation(world: World) -> None:
    post = create_post_of(world)

    def hand_over(**fields: Any) -> int:
        given = {"to": world.eddie, "reason": "New.", "author": world.amina, "records": [post.pk]} | fields
        return hand_over_records(organisation=world.larkhaven, kind="posts", now=timezone.now(), **given)

    with pytest.raises(UnableToAct):
        hand_over(author=world.eddie)
    with pytest.raises(UnableToHandOver, match="reason"):
        hand_over(reason=" ")
    with pytest.raises(UnableToHandOver, match="does not act for"):
        hand_over(to=world.ben)
    assert hand_over() == 1
    with pytest.raises(UnableToHandOver, match="Another person"):
        hand_over()


def test_page_hands_over_the_ticked_things(world: World) -> None:
    finance = create_post_of(world, "finance")
    planning = create_post_of(world, "planning")
    client = signed_in(world.amina)
    address = reverse("organisations:without-owner", args=[world.larkhaven.pk])
    assert "Planning" in client.get(address).content.decode()

    client.post(
        address,
        {"posts-kind": "posts", "posts-records": [finance.pk], "posts-to": world.vera.pk, "posts-reason": "New."},
    )

    assert finance.holders.current().get().person == world.vera
    assert not planning.holders.exists()


def test_page_that_ends_a_membership_says_what_the_person_holds(world: World) -> None:
    fill(create_post_of(world, title="Nominations officer"), world.eddie)
    client = signed_in(world.amina)
    membership = Membership.objects.get(person=world.eddie, ends_on=None)

    page = client.get(reverse("organisations:member-end", args=[world.larkhaven.pk, membership.pk]))

    assert "Nominations officer" in page.content.decode()


def test_administrators_and_the_escalation_post_hear_that_the_last_lead_left(world: World) -> None:
    fill(create_post_of(world, "escalation", partnership=None), world.vera)
    membership = Membership.objects.get(person=world.amina, ends_on=None)

    end_membership(membership=membership, reason="Left.", author=world.dee, now=timezone.now(), even_last_lead=True)

    people_told = Email.objects.filter(kind="agreements.no_lead").values_list("person_id", flat=True)
    assert set(people_told) == {world.dee.pk, world.vera.pk}


def test_former_holder_is_in_no_post(world: World) -> None:
    fill(create_post_of(world), world.eddie, now=timezone.now() - dt.timedelta(days=3))
    leave(world, world.eddie)

    assert not Holder.objects.current().filter(person=world.eddie).exists()


def test_my_work_of_a_lead_shows_what_nobody_took_over(world: World) -> None:
    lara = lead(world, "Lara Larch")
    subscribe(person=lara, target=world.partnership, author=lara, now=world.now)
    leave(world, lara)

    lines = {item.action: item.title for item in tasks_of_person(world.amina, timezone.now())}

    assert lines["Hand over records without an owner"] == f"Followed (1) of {world.larkhaven.display_name}"
    assert "Hand over records without an owner" not in {
        item.action for item in tasks_of_person(world.eddie, timezone.now())
    }


def ended(world: World) -> Succession:
    """Larkhaven has ended, and Harbour Homes has followed it."""
    succession = record_succession(
        kind="absorb",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([world.larkhaven], [world.harbour]),
        author=None,
        now=timezone.now(),
    )
    take_effect(succession=succession, author=None, now=timezone.now())
    return succession


def test_what_an_ended_organisation_still_holds_passes_on_by_handover_lines(world: World) -> None:
    post = create_post_of(world, "finance")
    fill(post, world.eddie)
    promise = agree(world)
    succession = ended(world)
    for group in obligations_of(world.larkhaven, today(), ["partnerships", "posts", "commitments"]):
        propose_handovers(
            succession=succession,
            predecessor=world.larkhaven,
            kind=group.kind.code,
            records=[record.pk for record in group.records],
            successor=world.harbour,
            author=world.dee,
            now=timezone.now(),
        )
    answer_handovers(lines=list(succession.handovers.all()), accept=True, author=world.hana, now=timezone.now())

    hand_over_due(now=timezone.now())

    promise.refresh_from_db()
    post.refresh_from_db()
    assert promise.giver == world.harbour
    assert post.organisation == world.harbour
    left = {
        group.kind.code: [record.pk for record in group.records]
        for group in left_without_owner(world.harbour.pk, timezone.now())
    }
    assert left == {"posts": [post.pk], "commitments": [promise.pk]}


def test_page_of_an_ended_organisation_leads_to_the_handover_of_what_it_holds(world: World) -> None:
    promise = agree(world)
    handover = reverse("organisations:handover", args=[ended(world).pk])
    address = reverse("organisations:without-owner", args=[world.larkhaven.pk])

    def page(someone: User) -> Any:
        client = signed_in(someone)
        return client.get(address)

    readers = (world.amina, world.hana, world.ben, world.dee)
    assert [page(reader).status_code for reader in readers] == [200, 200, 403, 200]
    assert promise.reference in page(world.hana).content.decode()
    assert "(has no handover line yet)" in page(world.hana).content.decode()
    assert handover in page(world.dee).content.decode()


def test_why_a_successor_disputes_a_line_is_not_shown_to_another_successor(world: World) -> None:
    promise = agree(world)
    succession = record_succession(
        kind="split",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([world.larkhaven], [world.harbour, world.tidewater]),
        author=None,
        now=timezone.now(),
    )
    propose_handovers(
        succession=succession,
        predecessor=world.larkhaven,
        kind="commitments",
        records=[promise.pk],
        successor=world.harbour,
        author=world.amina,
        now=timezone.now(),
    )
    answer_handovers(
        lines=list(succession.handovers.all()),
        accept=False,
        reason="We cannot pay for it.",
        author=world.hana,
        now=timezone.now(),
    )
    take_effect(succession=succession, author=None, now=timezone.now())
    address = reverse("organisations:without-owner", args=[world.larkhaven.pk])

    def page_of(reader: User) -> str:
        response = signed_in(reader).get(address)
        assert response.status_code == 200
        return response.content.decode()

    for reader in (world.amina, world.hana, world.dee):
        assert "(disputed: Harbour" in page_of(reader)
        assert "We cannot pay for it." in page_of(reader)
    assert "(disputed: Harbour" in page_of(world.chidi)
    assert "We cannot pay for it." not in page_of(world.chidi)
