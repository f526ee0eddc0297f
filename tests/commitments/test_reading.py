"""Each person sees the commitments that they may read, and the tasks that wait for them."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.commitments import queries, services
from partnerships.commitments.models import Commitment, Status, commitment_readers
from partnerships.organisations.models import Role
from partnerships.organisations.waiting import tasks_from
from tests.commitments.promises import agree, done_commitment, in_days, propose, report, verified_commitment
from tests.world import World, join


@pytest.mark.parametrize(
    ("who", "sees"),
    [("amina", True), ("vera", True), ("ben", True), ("chidi", False), ("lena", False), ("dee", False), ("sol", False)],
)
def test_only_people_of_giver_and_receiver_see_a_commitment_of_no_partnership(
    world: World, who: str, sees: bool
) -> None:
    commitment = propose(world, partnership=None)

    visible = Commitment.objects.visible_to(getattr(world, who))

    assert (commitment in visible) is sees


def test_other_parties_see_commitments_of_their_partnership(world: World) -> None:
    party = agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.riverside,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=world.nadia, now=timezone.now())
    in_partnership = propose(world)
    between_two = propose(world, partnership=None)

    visible = Commitment.objects.visible_to(world.nadia)

    assert in_partnership in visible
    assert between_two not in visible


def test_readers_and_visibility_agree(world: World) -> None:
    commitments = [propose(world), propose(world, partnership=None)]

    for commitment in commitments:
        readers = set(commitment_readers(commitment))
        for person in vars(world).values():
            if hasattr(person, "email"):
                is_visible = Commitment.objects.visible_to(person).filter(pk=commitment.pk).exists()
                assert is_visible is (person in readers)


def test_proposal_waits_for_leads_who_have_not_confirmed(world: World) -> None:
    propose(world, confirm=True)
    now = timezone.now()

    people = ("amina", "ben", "chidi")
    waiting = {
        name: [item.action for item in tasks_from(queries.TASK_SOURCES, getattr(world, name), now)] for name in people
    }

    assert waiting == {"amina": [], "ben": ["Confirm this commitment"], "chidi": []}


def test_finished_commitment_waits_for_the_receiver(world: World) -> None:
    done_commitment(world)

    (item,) = tasks_from(queries.TASK_SOURCES, world.ben, timezone.now())

    assert item.action == "Verify this delivery"
    assert item.partnership_title == "Estuary Partnership"


def test_commitment_that_falls_due_waits_for_its_owner(world: World) -> None:
    near = agree(world, due_on=in_days(5))
    agree(world, due_on=in_days(60))

    (item,) = tasks_from(queries.TASK_SOURCES, world.eddie, timezone.now())

    assert item.path == near.get_absolute_url()
    assert queries.due_soon(world.eddie, timezone.now()) == [near]


def test_commitment_without_an_owner_waits_for_the_leads(world: World) -> None:
    agree(world)
    services.hand_over_commitments(
        person=world.eddie, organisation=world.larkhaven, to=None, author=None, now=timezone.now()
    )

    waiting = [item.action for item in tasks_from(queries.TASK_SOURCES, world.amina, timezone.now())]

    assert waiting == ["Name an owner"]


def promises_to_westmarch(world: World, *, today: dt.date) -> queries.Promises:
    """Return Larkhaven's promises to Westmarch by outcome, as Ben sees them."""
    return queries.promises_between(giver=world.larkhaven, receiver=world.westmarch, user=world.ben, today=today)


def test_each_promise_has_one_outcome(world: World) -> None:
    verified = verified_commitment(world)
    agreed = agree(world)
    cancelled = services.end_commitment(
        commitment=agree(world), reason="No money.", author=world.amina, now=timezone.now()
    )
    proposed = propose(world)

    promises = promises_to_westmarch(world, today=in_days(0))

    assert promises.kept == (verified,)
    assert promises.outstanding == (agreed,)
    assert promises.broken == (cancelled,)
    assert promises.proposed == (proposed,)


def test_declined_proposal_is_no_promise(world: World) -> None:
    services.end_commitment(commitment=propose(world), reason="Not for us.", author=world.ben, now=timezone.now())

    promises = promises_to_westmarch(world, today=in_days(0))

    assert (promises.kept, promises.outstanding, promises.broken, promises.proposed) == ((), (), (), ())


def test_overdue_commitment_is_broken(world: World) -> None:
    commitment = agree(world, due_on=in_days(2))

    promises = promises_to_westmarch(world, today=in_days(3))

    assert promises.broken == (commitment,)


def test_commitment_that_was_delivered_late_is_kept(world: World) -> None:
    commitment = agree(world, due_on=in_days(2))
    report(world, commitment, Status.DONE, delivered=commitment.quantity)

    promises = promises_to_westmarch(world, today=in_days(3))

    assert promises.broken == ()
    assert promises.kept == (commitment,)


def test_person_acting_for_two_organisations_sees_commitments_of_both(world: World) -> None:
    commitment = propose(world, partnership=None)
    join(world.chidi, world.westmarch, Role.VIEWER, world.now)

    assert commitment in Commitment.objects.visible_to(world.chidi)
