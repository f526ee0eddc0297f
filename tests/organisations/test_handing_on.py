"""Mergers of providers and transfers of a LEP's functions pass records on, and are undone."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from django.utils import timezone

from partnerships.agreements.models import Partnership
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
    """Return the number of homes in these bodies' records. Homes that two bodies share are counted twice."""
    return total_of_amounts(group.homes for body in bodies for group in held_records_by_kind(body, today()))


@pytest.fixture
def new_provider() -> Organisation:
    """Return Estuary Homes, which is proposed."""
    return services.create_organisation(
        name="Estuary Homes", kind="registered_provider", status="proposed", author=None, now=timezone.now()
    )


@pytest.fixture
def amalgamation(world: World, new_provider: Organisation) -> Succession:
    """Return the amalgamation of Larkhaven and Tidewater into Estuary Homes today, with all lines accepted."""
    agree(world)
    succession = services.record_succession(
        kind="amalgamation",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([world.larkhaven, world.tidewater], [new_provider]),
        author=None,
        now=timezone.now(),
    )
    for predecessor in (world.larkhaven, world.tidewater):
        propose_and_accept_everything(succession, predecessor, new_provider)
    return succession


def test_an_amalgamation_passes_all_records_to_the_new_provider(
    world: World, amalgamation: Succession, new_provider: Organisation
) -> None:
    homes_before = homes_held_by(world.larkhaven, world.tidewater)

    take_effect(amalgamation)

    assert held_records_by_kind(world.larkhaven, today()) == []
    assert held_records_by_kind(world.tidewater, today()) == []
    assert homes_held_by(new_provider) == homes_before > 0
    assert Commitment.objects.get().giver == new_provider


def test_an_amalgamation_starts_the_new_provider_and_ends_the_earlier_ones(
    world: World, amalgamation: Succession, new_provider: Organisation
) -> None:
    take_effect(amalgamation)

    new_provider.refresh_from_db()
    world.larkhaven.refresh_from_db()
    assert new_provider.status == Status.ACTIVE
    assert new_provider.valid_from == today()
    assert world.larkhaven.status == Status.DISSOLVED


def test_leads_of_both_providers_are_emailed_about_an_amalgamation(world: World, amalgamation: Succession) -> None:
    take_effect(amalgamation)

    emails = Email.objects.filter(kind="organisations.handed_over")
    assert emails.filter(person_id=world.amina.pk).exists()
    assert emails.filter(person_id=world.chidi.pk).exists()


def test_undoing_an_amalgamation_returns_all_records(world: World, amalgamation: Succession) -> None:
    holders_before = holders()
    homes_before = homes_held_by(world.larkhaven, world.tidewater)
    take_effect(amalgamation)

    undo_at_once(amalgamation)

    assert holders() == holders_before
    assert homes_held_by(world.larkhaven, world.tidewater) == homes_before


def test_undoing_the_undoing_of_an_amalgamation_passes_the_records_on_again(amalgamation: Succession) -> None:
    take_effect(amalgamation)
    holders_after = holders()
    undoing_succession = undo_at_once(amalgamation)

    undo_at_once(undoing_succession)

    assert holders() == holders_after


class Transfer(NamedTuple):
    """A transfer of two functions of a LEP to two bodies today, with a line for a commitment and a partnership."""

    succession: Succession
    lep: Organisation
    #: The body that gets strategic economic planning and the partnership. Westmarch gets the rest.
    authority: Organisation
    commitment: Commitment
    partnership: Partnership


@pytest.fixture
def transfer_of_functions(world: World) -> Transfer:
    """Return the transfer of a LEP's functions to Westmarch and a combined authority, with all lines accepted."""
    lep = services.create_organisation(name="Estuary LEP", kind="lep", author=None, now=timezone.now())
    authority = create_council("Estuary Combined Authority")
    lead = person("Lena Estuary", "lena@lep.example")
    join(lead, lep, Role.LEAD, world.now)
    partnership = make_partnership(
        "Growth Board", chair=lep, chair_lead=lead, other=world.larkhaven, other_lead=world.amina, now=timezone.now()
    )
    commitment = propose(world, receiver=lep, partnership=partnership)
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
    return Transfer(succession, lep, authority, commitment, partnership)


def test_a_transfer_makes_each_body_responsible_for_its_function(world: World, transfer_of_functions: Transfer) -> None:
    lep = transfer_of_functions.lep

    take_effect(transfer_of_functions.succession)

    lep.refresh_from_db()
    assert answering_body("business_representation", lep) == "Westmarch Borough Council"
    assert answering_body("strategic_economic_planning", lep) == "Estuary Combined Authority"
    assert answering_body("housing", lep) == "Estuary LEP"
    assert lep.status == Status.ACTIVE


def test_a_transfer_passes_each_record_to_the_body_of_its_line(world: World, transfer_of_functions: Transfer) -> None:
    line_count = take_effect(transfer_of_functions.succession)

    transfer_of_functions.commitment.refresh_from_db()
    present_parties = transfer_of_functions.partnership.parties.accepted()
    names_of_parties = present_parties.values_list("organisation__name", flat=True)
    assert line_count == 2
    assert transfer_of_functions.commitment.receiver == world.westmarch
    assert set(names_of_parties) == {"Estuary Combined Authority", "Larkhaven Homes"}
    assert set(Handover.objects.values_list("state", flat=True)) == {"applied"}


def test_undoing_a_transfer_returns_functions_and_records(transfer_of_functions: Transfer) -> None:
    lep = transfer_of_functions.lep
    holders_before = holders()
    take_effect(transfer_of_functions.succession)

    undo_at_once(transfer_of_functions.succession)

    assert holders() == holders_before
    assert answering_body("business_representation", lep) == "Estuary LEP"
    assert answering_body("strategic_economic_planning", lep) == "Estuary LEP"


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


def answering_body(function: str, organisation: Organisation) -> str:
    """Return the name of the organisation that answers today for a function of another one."""
    answer = responsible_body_for(function=function, organisation=organisation, day=today())
    return Organisation.objects.get(pk=answer.body).name
