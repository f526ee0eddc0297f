"""The record of a conversation goes from draft to locked, and does not change afterwards."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.commitments.models import Status as CommitmentStatus
from partnerships.commitments.origins import parse_origin_record
from partnerships.commitments.services import UnableToPropose, propose_commitment
from partnerships.conversations import services
from partnerships.conversations.models import Conversation, Correction, Point, Side, Status
from partnerships.conversations.services import AttendeeInput, NextStepInput, PointInput
from partnerships.kit.rights import UnableToAct
from tests.conversations.talks import (
    agree,
    agreed,
    circulated_conversation,
    days_ago,
    draft_conversation,
    planned_conversation,
    the_record,
)
from tests.support.signing_in import signed_in
from tests.world import World


def changed_record(
    world: World, conversation: Conversation, revision: int | None = None, **changes: Any
) -> Conversation:
    """Change the record as Eddie, and return the conversation."""
    return services.edit_conversation(
        conversation=conversation,
        record=the_record(world, **changes),
        revision=conversation.revision if revision is None else revision,
        author=world.eddie,
        now=timezone.now(),
    )


def test_draft_is_read_only_by_the_side_that_writes_it(world: World) -> None:
    conversation = draft_conversation(world)

    can_read = {
        name: conversation in Conversation.objects.visible_to(getattr(world, name))
        for name in ("amina", "vera", "ben", "chidi", "dee", "lena")
    }

    assert can_read == {"amina": True, "vera": True, "ben": False, "chidi": False, "dee": False, "lena": False}


def test_circulated_record_is_read_by_every_side_and_nobody_else(world: World) -> None:
    conversation = circulated_conversation(world)

    can_read = {
        name: conversation in Conversation.objects.visible_to(getattr(world, name))
        for name in ("amina", "vera", "ben", "chidi", "dee", "lena")
    }

    assert can_read == {"amina": True, "vera": True, "ben": True, "chidi": False, "dee": False, "lena": False}


def test_record_is_locked_once_both_sides_agree(world: World) -> None:
    conversation = agreed(world)

    with pytest.raises(services.UnableToRecord, match="can no longer change it"):
        changed_record(world, conversation, said="Something else.")

    conversation.refresh_from_db()
    assert conversation.status == Status.AGREED


@pytest.mark.parametrize("how", ["update", "delete", "point words", "point delete"])
def test_database_refuses_changes_to_an_agreed_record(world: World, how: str) -> None:
    conversation = agreed(world)
    points = Point.objects.filter(conversation=conversation)

    conversations = Conversation.objects.filter(pk=conversation.pk)
    change_by_name = {
        "update": lambda: conversations.update(said="I never said that."),
        "delete": lambda: conversations._raw_delete("default"),
        "point words": lambda: points.update(text="Everything is fine."),
        "point delete": lambda: points._raw_delete("default"),
    }

    with pytest.raises(Exception, match=r"locked|Cannot"), transaction.atomic():
        change_by_name[how]()


def copies_on_sides(conversation: Conversation) -> set[tuple[str, dt.date | None]]:
    """Return the statuses and days of the conversation that its sides have."""
    return set(conversation.sides.values_list("status", "held_on"))


def test_sides_of_a_new_conversation_have_its_day_and_status(world: World) -> None:
    conversation = draft_conversation(world)

    assert copies_on_sides(conversation) == {("draft", days_ago(5))}


def test_sides_follow_the_day_and_status_of_their_conversation(world: World) -> None:
    conversation = changed_record(world, draft_conversation(world), held_on=days_ago(3))

    conversation = services.circulate(conversation=conversation, author=world.eddie, now=timezone.now())
    copies_once_circulated = copies_on_sides(conversation)
    conversation = agree(conversation, world.westmarch, world.ben)

    assert copies_once_circulated == {("circulated", days_ago(3))}
    assert copies_on_sides(conversation) == {("agreed", days_ago(3))}


def test_the_database_overwrites_a_day_and_status_that_code_sets_on_a_side(world: World) -> None:
    conversation = circulated_conversation(world)
    copies_before = copies_on_sides(conversation)

    for side in conversation.sides.all():
        side.status = "planned"
        side.held_on = None
        side.save()
    Side.objects.filter(conversation=conversation).update(status="planned", held_on=None)

    assert copies_on_sides(conversation) == copies_before


def test_point_of_a_locked_record_can_still_be_closed(world: World) -> None:
    point = agreed(world).points.get(kind="obstacle")

    services.close_point(point=point, reason="The depot was bought.", author=world.amina, now=timezone.now())

    point.refresh_from_db()
    assert not point.is_current


def agree_to_first_text(world: World, conversation: Conversation) -> None:
    """Agree for Westmarch, as Ben, to the record as it was first circulated."""
    services.agree_record(
        conversation=conversation, organisation=world.westmarch, revision=1, author=world.ben, now=timezone.now()
    )


@pytest.fixture
def suggested_correction(world: World) -> Correction:
    """Return Westmarch's correction of a circulated record, which waits for an answer."""
    return services.suggest_correction(
        conversation=circulated_conversation(world),
        organisation=world.westmarch,
        text="June, not May.",
        author=world.ben,
        now=timezone.now(),
    )


def test_a_side_cannot_agree_before_its_correction_is_answered(world: World, suggested_correction: Correction) -> None:
    with pytest.raises(services.UnableToAgree, match="Wait for the answer"):
        agree_to_first_text(world, suggested_correction.conversation)


def test_a_side_cannot_agree_to_the_text_from_before_its_correction(
    world: World, suggested_correction: Correction
) -> None:
    conversation = changed_record(world, suggested_correction.conversation, said="It falls empty in June.")
    services.answer_correction(
        correction=suggested_correction, taken_up=True, answer="", author=world.eddie, now=timezone.now()
    )

    with pytest.raises(services.UnableToAgree, match="has changed since"):
        agree_to_first_text(world, conversation)

    assert conversation.status == Status.CORRECTED


@pytest.fixture
def corrected_conversation(world: World) -> Conversation:
    """Return a conversation whose text Eddie changed after the Harbour Trust, one of its two other sides, agreed."""
    other_sides = [world.westmarch, world.harbour]
    conversation = agree(circulated_conversation(world, organisations=other_sides), world.harbour, world.hana)
    return changed_record(world, conversation, said="Other words.", organisations=other_sides)


def test_correction_asks_every_other_side_again(world: World, corrected_conversation: Conversation) -> None:
    sides_asked = corrected_conversation.sides.filter(agreed_at=None)

    assert set(sides_asked.values_list("organisation", flat=True)) == {world.westmarch.pk, world.harbour.pk}


def test_corrected_conversation_is_agreed_only_by_its_last_side(
    world: World, corrected_conversation: Conversation
) -> None:
    status_after_first = agree(corrected_conversation, world.westmarch, world.ben).status
    status_after_last = agree(corrected_conversation, world.harbour, world.hana).status

    assert status_after_first == Status.CORRECTED
    assert status_after_last == Status.AGREED


def test_refusing_a_correction_needs_a_reason(world: World) -> None:
    correction = services.suggest_correction(
        conversation=circulated_conversation(world),
        organisation=world.westmarch,
        text="No.",
        author=world.ben,
        now=timezone.now(),
    )

    with pytest.raises(services.UnableToCorrect, match="why"):
        services.answer_correction(
            correction=correction, taken_up=False, answer=" ", author=world.eddie, now=timezone.now()
        )


def test_two_people_editing_at_once_do_not_overwrite_each_other(world: World) -> None:
    conversation = draft_conversation(world)
    changed_record(world, conversation, said="Eddie's words.")

    with pytest.raises(services.UnableToRecord, match="while you were editing"):
        services.edit_conversation(
            conversation=conversation,
            record=the_record(world, said="Amina's words."),
            revision=1,
            author=world.amina,
            now=timezone.now(),
        )

    conversation.refresh_from_db()
    assert conversation.said == "Eddie's words."


def test_form_sent_twice_makes_one_conversation(world: World) -> None:
    key = uuid.uuid4()

    for _ in range(2):
        services.record_conversation(
            organisation=world.larkhaven, record=the_record(world), author=world.eddie, now=timezone.now(), key=key
        )

    assert Conversation.objects.count() == 1


def test_next_steps_become_actions_once_the_record_is_circulated(world: World) -> None:
    count_before = Commitment.objects.count()

    conversation = circulated_conversation(world)

    actions = Commitment.objects.order_by("due_on")
    assert count_before == 0
    assert [(action.text, action.giver, action.receiver, action.owner, action.status) for action in actions] == [
        ("Send the layout.", world.larkhaven, world.westmarch, world.eddie, CommitmentStatus.AGREED),
        ("Ask the valuer.", world.westmarch, world.larkhaven, world.ben, CommitmentStatus.PROPOSED),
    ]
    assert {step.action for step in conversation.next_steps.all()} == set(actions)


def test_next_step_added_later_becomes_an_action_at_once(world: World) -> None:
    conversation = circulated_conversation(world)
    later_step = NextStepInput(world.larkhaven, "Book the crane.", days_ago(-30), world.amina)

    changed_record(world, conversation, next_steps=[later_step])

    assert Commitment.objects.filter(text="Book the crane.").count() == 1
    assert Commitment.objects.count() == 3


def test_points_that_stay_keep_their_identity(world: World) -> None:
    conversation = draft_conversation(world)
    obstacle = conversation.points.get(kind="obstacle")
    points = [
        PointInput(world.larkhaven, "obstacle", "No land with consent."),
        PointInput(world.westmarch, "objective", "Fewer families in hotels."),
    ]

    changed_record(world, conversation, points=points)

    assert {point.text for point in conversation.points.all()} == {"No land with consent.", "Fewer families in hotels."}
    assert conversation.points.get(kind="obstacle") == obstacle


def test_planned_conversation_has_no_content_yet(world: World) -> None:
    with pytest.raises(services.UnableToRecord, match="private note"):
        planned_conversation(world, said="We shall offer two million.")


def test_planned_conversation_becomes_a_draft_of_its_organisation_when_held(world: World) -> None:
    conversation = planned_conversation(world)
    ben_could_read = conversation in Conversation.objects.visible_to(world.ben)

    held_conversation = changed_record(world, conversation)

    assert ben_could_read
    assert held_conversation.status == Status.DRAFT
    assert conversation not in Conversation.objects.visible_to(world.ben)


def test_planned_conversation_is_cancelled_only_with_a_reason(world: World) -> None:
    conversation = planned_conversation(world)

    with pytest.raises(services.UnableToCancel, match="reason"):
        services.cancel_planned(conversation=conversation, reason="", author=world.eddie, now=timezone.now())

    conversation.refresh_from_db()
    assert conversation.status == Status.PLANNED


def test_planned_conversation_is_cancelled(world: World) -> None:
    conversation = planned_conversation(world)

    services.cancel_planned(conversation=conversation, reason="Snow.", author=world.eddie, now=timezone.now())

    conversation.refresh_from_db()
    assert conversation.status == Status.CANCELLED


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"subject": " "}, "Enter a subject"),
        ({"organisations": []}, "at least one other organisation"),
        ({"held_on": days_ago(-3)}, "in the future"),
        ({"next_contact_on": days_ago(30)}, "next contact"),
    ],
)
def test_invalid_record_is_refused(world: World, said: dict[str, Any], words: str) -> None:
    with pytest.raises(services.UnableToRecord, match=words):
        draft_conversation(world, **said)


def test_participant_must_act_for_the_organisation_they_are_listed_under(world: World) -> None:
    with pytest.raises(services.UnableToRecord, match=r"has never acted for .* Choose someone who has"):
        draft_conversation(world, attendees=[AttendeeInput(world.westmarch, world.chidi)])


@pytest.mark.parametrize("who", ["vera", "ben", "chidi", "lena"])
def test_only_editors_of_the_keeper_change_the_record(world: World, who: str) -> None:
    conversation = circulated_conversation(world)

    with pytest.raises(UnableToAct, match="Only editors"):
        services.edit_conversation(
            conversation=conversation,
            record=the_record(world),
            revision=1,
            author=getattr(world, who),
            now=timezone.now(),
        )


def test_record_can_be_locked_when_nobody_signs_in_for_one_side(world: World) -> None:
    world.ben.memberships.update(ends_on=timezone.localdate())
    conversation = circulated_conversation(world)

    locked = services.agree_record(
        conversation=conversation, organisation=world.larkhaven, revision=1, author=world.amina, now=timezone.now()
    )

    assert locked.is_locked
    assert not locked.sides.get(organisation=world.westmarch).agreed_at


def test_form_of_a_commitment_from_a_conversation_offers_its_sides(world: World) -> None:
    conversation = circulated_conversation(world)
    address = f"{reverse('commitments:new')}?from=conversation-{conversation.pk}"
    client = signed_in(world.amina)

    page = client.get(address)

    offered_receivers = page.context["form"].fields["receiver"].queryset
    assert {organisation.name for organisation in offered_receivers} == {"Larkhaven Homes", "Westmarch Borough Council"}


def test_a_commitment_to_an_organisation_not_in_the_conversation_is_refused(world: World) -> None:
    conversation = circulated_conversation(world)

    with pytest.raises(UnableToPropose, match="must be between"):
        propose_commitment(
            giver=world.larkhaven,
            receiver=world.harbour,
            text="Land for somebody else",
            quantity=None,
            unit="",
            owner=world.eddie,
            due_on=days_ago(-30),
            partnership=None,
            author=world.amina,
            now=timezone.now(),
            came_from=parse_origin_record(f"conversation-{conversation.pk}"),
        )
