"""Mergers of providers and transfers of a LEP's functions pass records on, and are undone."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.kit.dates import known_day
from partnerships.organisations import services
from partnerships.organisations.lineage import responsible_body_for
from partnerships.organisations.models import Handover, Organisation, Role, Status, Succession
from partnerships.organisations.obligations import held_records_by_kind, total_of_amounts
from partnerships.organisations.services import NewTie, ties_between
from partnerships.outbox.models import Email
from partnerships.people.models import User
from tests.commitments.promises import agree, propose
from tests.organisations.handing_over import create_council, holders, propose_and_accept_everything, take_effect
from tests.support.moments import today
from tests.world import World, join, make_partnership, person


def undo_at_once(succession: Succession) -> Succession:
    """Undo the succession from today, and return the succession that undoes it."""
    undoing_succession = services.undo_succession(
        succession=succession,
        vests_on=known_day(today()),
        status="order_made",
        reason="Set aside.",
        author=None,
        now=timezone.now(),
    )
    take_effect(undoing_succession)
    return undoing_succession


def homes_held_by(*bodies: Organisation) -> Any:
    """Return the number of homes in these bodies' records. Homes that two bodies share count for each."""
    return total_of_amounts(group.homes for body in bodies for group in held_records_by_kind(body, today()))


def test_two_providers_amalgamate_and_everything_passes_to_the_new_one_and_back(world: World) -> None:
    agree(world)
    new_provider = services.create_organisation(
        name="Estuary Homes", kind="registered_provider", status="proposed", author=None, now=timezone.now()
    )
    succession = services.record_succession(
        kind="amalgamation",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([world.larkhaven, world.tidewater], [new_provider]),
        author=None,
        now=timezone.now(),
    )
    holders_before = holders()
    homes = homes_held_by(world.larkhaven, world.tidewater)
    for predecessor in (world.larkhaven, world.tidewater):
        propose_and_accept_everything(succession, predecessor, new_provider)

    take_effect(succession)

    holders_after = holders()
    assert [held_records_by_kind(predecessor, today()) for predecessor in (world.larkhaven, world.tidewater)] == [
        [],
        [],
    ]
    assert homes_held_by(new_provider) == homes > 0
    new_provider.refresh_from_db()
    assert new_provider.status == Status.ACTIVE
    assert new_provider.valid_from == today()
    assert {commitment.giver for commitment in Commitment.objects.all()} == {new_provider}
    emails = Email.objects.filter(kind="organisations.handed_over")
    assert {world.amina.pk, world.chidi.pk} <= set(emails.values_list("person_id", flat=True))
    world.larkhaven.refresh_from_db()
    assert world.larkhaven.status == Status.DISSOLVED

    undoing_succession = undo_at_once(succession)

    assert holders() == holders_before
    assert homes_held_by(world.larkhaven, world.tidewater) == homes
    undo_at_once(undoing_succession)
    assert holders() == holders_after


def test_two_functions_of_a_lep_go_to_two_bodies_with_what_belongs_to_each_and_back(world: World) -> None:
    lep = services.create_organisation(name="Estuary LEP", kind="lep", author=None, now=timezone.now())
    authority = create_council("Estuary Combined Authority")
    lead = person("Lena Estuary", "lena@lep.example")
    join(lead, lep, Role.LEAD, world.now)
    partnership = make_partnership(
        "Growth Board", chair=lep, chair_lead=lead, other=world.larkhaven, other_lead=world.amina, now=timezone.now()
    )
    commitment = propose(world, receiver=lep, partnership=partnership)
    holders_before = holders()
    succession = services.record_succession(
        kind="function_transfer",
        status="order_made",
        vests_on=known_day(today()),
        ties=[
            NewTie(lep, world.westmarch, function="business_representation"),
            NewTie(lep, authority, function="strategic_economic_planning"),
        ],
        author=None,
        now=timezone.now(),
    )
    propose_record(succession, lep, "commitments", commitment.pk, successor=world.westmarch, author=lead)
    propose_record(succession, lep, "partnerships", partnership.pk, successor=authority, author=lead)
    services.answer_handovers(lines=list(succession.handovers.all()), accept=True, author=None, now=timezone.now())

    assert take_effect(succession) == 2

    assert answering_body("business_representation", lep) == world.westmarch.pk
    assert answering_body("strategic_economic_planning", lep) == authority.pk
    assert answering_body("housing", lep) == lep.pk
    lep.refresh_from_db()
    assert lep.status == Status.ACTIVE
    commitment.refresh_from_db()
    assert commitment.receiver == world.westmarch
    present_ids = set(partnership.parties.accepted().values_list("organisation", flat=True))
    assert present_ids == {authority.pk, world.larkhaven.pk}
    assert set(Handover.objects.values_list("state", flat=True)) == {"applied"}

    undo_at_once(succession)

    assert holders() == holders_before
    assert answering_body("business_representation", lep) == lep.pk
    assert answering_body("strategic_economic_planning", lep) == lep.pk


def propose_record(
    succession: Succession,
    predecessor: Organisation,
    kind: str,
    record: int,
    *,
    successor: Organisation,
    author: User,
) -> None:
    """Propose that a successor takes over one record."""
    services.propose_handovers(
        succession=succession,
        predecessor=predecessor,
        kind=kind,
        records=[record],
        successor=successor,
        author=author,
        now=timezone.now(),
    )


def answering_body(function: str, organisation: Organisation) -> int | None:
    """Return the id of the organisation that answers today for a function of another one."""
    return responsible_body_for(function=function, organisation=organisation, day=today()).body
