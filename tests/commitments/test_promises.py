"""A commitment is agreed when its giver and its receiver confirm the same terms."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.commitments import services
from partnerships.commitments.models import Commitment, Slippage, Status
from partnerships.kit.rights import UnableToAct
from tests.commitments.promises import agree, done_commitment, in_days, propose
from tests.world import World


def test_commitment_is_agreed_once_giver_and_receiver_have_confirmed(world: World) -> None:
    commitment = propose(world)
    now = timezone.now()

    after_giver = services.confirm_commitment(
        commitment=commitment, organisation=world.larkhaven, author=world.amina, revision=1, now=now
    )
    after_receiver = services.confirm_commitment(
        commitment=commitment, organisation=world.westmarch, author=world.ben, revision=1, now=now
    )

    assert after_giver.status == Status.PROPOSED
    assert after_receiver.status == Status.AGREED
    assert after_receiver.giver_confirmed_by == world.amina
    assert after_receiver.receiver_confirmed_by == world.ben


def test_editor_cannot_confirm(world: World) -> None:
    commitment = propose(world, author=world.eddie)

    with pytest.raises(UnableToAct, match="Only a lead"):
        services.confirm_commitment(
            commitment=commitment,
            organisation=world.larkhaven,
            author=world.eddie,
            revision=1,
            now=timezone.now(),
        )


def test_lead_cannot_confirm_for_the_other_organisation(world: World) -> None:
    commitment = propose(world)

    with pytest.raises(UnableToAct, match="Only a lead"):
        services.confirm_commitment(
            commitment=commitment,
            organisation=world.westmarch,
            author=world.amina,
            revision=1,
            now=timezone.now(),
        )


def test_lead_cannot_confirm_terms_that_have_changed_since(world: World) -> None:
    commitment = propose(world)
    services.edit_proposal(
        commitment=commitment,
        text="Six homes.",
        quantity=Decimal(6),
        unit="homes",
        owner=world.eddie,
        due_on=in_days(90),
        revision=1,
        author=world.eddie,
        now=timezone.now(),
    )

    with pytest.raises(services.UnableToConfirm, match="terms have changed"):
        services.confirm_commitment(
            commitment=commitment,
            organisation=world.westmarch,
            author=world.ben,
            revision=1,
            now=timezone.now(),
        )


def test_changed_terms_have_to_be_confirmed_again(world: World) -> None:
    commitment = propose(world, confirm=True)

    changed = services.edit_proposal(
        commitment=commitment,
        text=commitment.text,
        quantity=Decimal(40),
        unit="homes",
        owner=world.eddie,
        due_on=in_days(90),
        revision=1,
        author=world.ben,
        now=timezone.now(),
    )

    assert changed.giver_confirmed_at is None
    assert changed.revision == 2


def test_two_people_editing_at_once_do_not_overwrite_each_other(world: World) -> None:
    commitment = propose(world)
    terms = {"unit": "homes", "owner": world.eddie, "due_on": in_days(90), "now": timezone.now()}
    services.edit_proposal(
        commitment=commitment, text="Ben's words.", quantity=Decimal(50), revision=1, author=world.ben, **terms
    )

    with pytest.raises(services.UnableToEdit, match="while you were editing"):
        services.edit_proposal(
            commitment=commitment, text="Mine.", quantity=Decimal(70), revision=1, author=world.eddie, **terms
        )

    commitment.refresh_from_db()
    assert commitment.text == "Ben's words."


def test_giver_cannot_confirm_without_an_owner(world: World) -> None:
    commitment = propose(world, owner=None, author=world.ben)

    with pytest.raises(services.UnableToConfirm, match="Name an owner"):
        services.confirm_commitment(
            commitment=commitment,
            organisation=world.larkhaven,
            author=world.amina,
            revision=1,
            now=timezone.now(),
        )


def test_giver_names_the_owner_when_it_confirms(world: World) -> None:
    commitment = propose(world, owner=None, author=world.ben)

    confirmed = services.confirm_commitment(
        commitment=commitment,
        organisation=world.larkhaven,
        author=world.amina,
        revision=1,
        owner=world.eddie,
        now=timezone.now(),
    )

    assert confirmed.owner == world.eddie


@pytest.mark.parametrize("who", ["vera", "lena", "chidi", "dee"])
def test_only_editors_of_giver_or_receiver_can_propose(world: World, who: str) -> None:
    with pytest.raises(UnableToAct, match="cannot make changes for either"):
        propose(world, author=getattr(world, who))


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"text": "  "}, "Enter what"),
        ({"quantity": Decimal(0)}, "more than 0"),
        ({"unit": ""}, "a unit for the quantity"),
        ({"due_on": in_days(-1)}, "today or later"),
    ],
)
def test_invalid_terms_are_refused(world: World, terms: dict[str, object], words: str) -> None:
    with pytest.raises(services.UnableToPropose, match=words):
        propose(world, **terms)


def test_owner_who_does_not_act_for_the_giver_is_refused(world: World) -> None:
    with pytest.raises(services.UnableToPropose, match="does not act for"):
        propose(world, owner=world.ben)


def test_partnership_without_giver_and_receiver_is_refused(world: World) -> None:
    with pytest.raises(services.UnableToPropose, match="is not a party"):
        propose(world, partnership=world.other_partnership)


def test_form_sent_twice_makes_one_commitment(world: World) -> None:
    key = uuid.uuid4()

    first = propose(world, key=key)
    second = propose(world, key=key)

    assert first == second
    assert Commitment.objects.count() == 1


def test_every_due_date_is_kept_with_its_author_and_reason(world: World) -> None:
    commitment = agree(world)

    for days, reason in ((120, "The crane is late."), (150, "Ground gas was found.")):
        services.change_due_date(
            commitment=commitment, due_on=in_days(days), reason=reason, author=world.eddie, now=timezone.now()
        )

    commitment.refresh_from_db()
    assert commitment.original_due_on == in_days(90)
    assert commitment.due_on == in_days(150)
    assert commitment.slipped_days == 60
    assert list(commitment.slippages.order_by("pk").values_list("was", "now", "reason", "by")) == [
        (in_days(90), in_days(120), "The crane is late.", world.eddie.pk),
        (in_days(120), in_days(150), "Ground gas was found.", world.eddie.pk),
    ]


def test_database_refuses_changes_to_slippage(world: World) -> None:
    commitment = agree(world)
    services.change_due_date(
        commitment=commitment, due_on=in_days(120), reason="Late.", author=world.eddie, now=timezone.now()
    )

    with pytest.raises(Exception, match=r"slippage_kept|Cannot update"), transaction.atomic():
        Slippage.objects.update(reason="It was always so.")


def test_receiver_cannot_move_the_due_date_of_the_giver(world: World) -> None:
    commitment = agree(world)

    with pytest.raises(UnableToAct, match="organisation that made the promise"):
        services.change_due_date(
            commitment=commitment, due_on=in_days(10), reason="Sooner.", author=world.ben, now=timezone.now()
        )


def test_commitment_remains_agreed_while_new_terms_are_only_proposed(world: World) -> None:
    commitment = agree(world)

    propose(world, quantity=Decimal(40), replaces=commitment)

    commitment.refresh_from_db()
    assert commitment.status == Status.AGREED


def test_commitment_is_superseded_once_both_confirm_the_new_terms(world: World) -> None:
    old = agree(world)
    new = propose(world, quantity=Decimal(40), replaces=old)

    for organisation, lead in ((world.larkhaven, world.amina), (world.westmarch, world.ben)):
        services.confirm_commitment(
            commitment=new, organisation=organisation, author=lead, revision=1, now=timezone.now()
        )

    old.refresh_from_db()
    assert old.status == Status.SUPERSEDED
    assert new.reference in old.reason


def test_proposal_is_not_declined_without_a_reason(world: World) -> None:
    commitment = propose(world)

    with pytest.raises(services.UnableToEnd, match="reason"):
        services.end_commitment(commitment=commitment, reason=" ", author=world.ben, now=timezone.now())


def test_declined_proposal_is_kept_as_cancelled_with_its_reason(world: World) -> None:
    commitment = propose(world)

    ended = services.end_commitment(
        commitment=commitment, reason="We have no land there.", author=world.ben, now=timezone.now()
    )

    event = Event.objects.filter(target_kind="commitment", target_id=commitment.pk).latest("pk")
    assert ended.status == Status.CANCELLED
    assert event.kind == "commitment.proposal_declined"
    assert event.data["reason"] == "We have no land there."


def test_agreed_commitment_that_is_cancelled_is_broken(world: World) -> None:
    ended = services.end_commitment(
        commitment=agree(world), reason="The grant fell through.", author=world.amina, now=timezone.now()
    )

    assert ended.was_broken


def test_verified_commitment_cannot_be_cancelled(world: World) -> None:
    commitment = services.verify_delivery(commitment=done_commitment(world), author=world.ben, now=timezone.now())

    with pytest.raises(services.UnableToEnd, match="already"):
        services.end_commitment(commitment=commitment, reason="No.", author=world.amina, now=timezone.now())


@pytest.mark.parametrize(
    "fields",
    [
        {"status": Status.AGREED},
        {"status": Status.CANCELLED},
        {"giver_id": None},
        {"receiver_id": None},
        {"quantity": Decimal(-1)},
        {"due_on": None},
        {"delivered_quantity": Decimal(-1)},
    ],
)
def test_database_refuses_invalid_commitments(world: World, fields: dict[str, object]) -> None:
    commitment = propose(world)

    with pytest.raises(IntegrityError), transaction.atomic():
        Commitment.objects.filter(pk=commitment.pk).update(**fields)


def test_action_of_the_authors_own_organisation_is_agreed_at_once(world: World) -> None:
    action = services.propose_action(
        organisation=world.larkhaven,
        for_organisation=world.westmarch,
        text="Send the list of sites.",
        owner=world.eddie,
        due_on=in_days(7),
        author=world.eddie,
        now=timezone.now(),
    )

    assert action.status == Status.AGREED


@pytest.fixture
def action_for_westmarch(world: World) -> Commitment:
    """Return an action that Eddie of Larkhaven proposes for Westmarch to do."""
    return services.propose_action(
        organisation=world.westmarch,
        for_organisation=world.larkhaven,
        text="Send the list of sites.",
        owner=world.ben,
        due_on=in_days(7),
        author=world.eddie,
        now=timezone.now(),
    )


def test_action_for_another_organisation_is_only_proposed(action_for_westmarch: Commitment) -> None:
    assert action_for_westmarch.status == Status.PROPOSED


def test_action_is_agreed_once_the_organisation_that_does_it_confirms(
    world: World, action_for_westmarch: Commitment
) -> None:
    accepted = services.confirm_commitment(
        commitment=action_for_westmarch, organisation=world.westmarch, author=world.ben, revision=1, now=timezone.now()
    )

    assert accepted.status == Status.AGREED
