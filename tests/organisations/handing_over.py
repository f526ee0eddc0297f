"""Helpers that record successions, and propose, accept and apply handover lines in tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.agreements.models import Party
from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.kit.dates import known_day
from partnerships.organisations import services
from partnerships.organisations.models import Membership, Organisation, Role, Succession
from partnerships.organisations.obligations import held_records_by_kind
from partnerships.organisations.services import ties_between
from partnerships.people.models import User
from partnerships.work.queries import tasks_of_person
from tests.commitments.promises import agree
from tests.support.moments import today
from tests.world import World, join, make_partnership, person

EAST = ("Elmbridge", "Epsom and Ewell", "Mole Valley", "Reigate and Banstead", "Tandridge")
WEST = ("Guildford", "Runnymede", "Spelthorne", "Surrey Heath", "Waverley", "Woking")
COUNTY = "Surrey County"
#: The GSS codes, as in the register of pending successions. The districts are numbered in the order of their names.
CODES = {name: f"E07000{207 + number}" for number, name in enumerate(sorted(EAST + WEST))} | {COUNTY: "E10000030"}


def create_council(name: str) -> Organisation:
    """Return a new council without areas, people or codes."""
    return services.create_organisation(name=name, kind="council", author=None, now=timezone.now())


def record_absorption(predecessor: Organisation, successor: Organisation, days: int = 0) -> Succession:
    """Record that one organisation takes over another today, or in some days; the order has been made."""
    return services.record_succession(
        kind="absorb",
        status="order_made",
        vests_on=known_day(today() + dt.timedelta(days)),
        ties=ties_between([predecessor], [successor]),
        author=None,
        now=timezone.now(),
    )


def record_merger(world: World, days: int = 0) -> Succession:
    """Record that Harbour takes over Westmarch today, or in some days; the order has been made."""
    return record_absorption(world.westmarch, world.harbour, days)


def record_undoing(succession: Succession, on: dt.date | None = None, **fields: Any) -> Succession:
    """Record the succession that undoes another one from a day on; it has yet to take effect."""
    return services.undo_succession(
        succession=succession,
        vests_on=known_day(on or today()),
        status="order_made",
        reason="Quashed.",
        author=None,
        now=timezone.now(),
        **fields,
    )


def propose_lines(world: World, succession: Succession, kind: str, *records: int, **fields: Any) -> int:
    """Propose, by default as Westmarch's lead, that Harbour takes over these records; return the number of lines."""
    arguments = {"predecessor": world.westmarch, "successor": world.harbour, "author": world.ben} | fields
    return services.propose_handovers(
        succession=succession, kind=kind, records=records, now=timezone.now(), **arguments
    )


def accept_lines(world: World, succession: Succession, **fields: Any) -> int:
    """Accept all lines of the succession, by default as Harbour's lead; return the number of lines."""
    arguments = {"accept": True, "author": world.hana, "now": timezone.now()} | fields
    return services.answer_handovers(lines=list(succession.handovers.all()), **arguments)


def propose_and_accept_everything(succession: Succession, predecessor: Organisation, successor: Organisation) -> None:
    """Propose that one successor takes over all records of the predecessor, and accept the proposal."""
    for group in held_records_by_kind(predecessor, today()):
        services.propose_handovers(
            succession=succession,
            predecessor=predecessor,
            kind=group.kind.code,
            records=[record.pk for record in group.records],
            successor=successor,
            author=None,
            now=timezone.now(),
        )
    services.answer_handovers(
        lines=list(succession.handovers.filter(predecessor=predecessor)), accept=True, author=None, now=timezone.now()
    )


def take_effect(succession: Succession) -> int:
    """Put the succession into effect, and return the number of lines that were passed on or undone."""
    services.take_effect(succession=succession, author=None, now=timezone.now())
    return services.hand_over_due(now=timezone.now())


def task_names(world: World, user: User) -> set[str]:
    """Return the names of a person's tasks on My work."""
    return {task.action for task in tasks_of_person(user, timezone.now())}


def record_consent(world: World, succession: Succession, **fields: Any) -> int:
    """Record the consent to all lines of the succession, by default as Westmarch's lead; return their number."""
    arguments = {
        "given_by": "Estuary Bank",
        "given_on": today(),
        "evidence": "Minutes of 3 May",
        "author": world.ben,
    } | fields
    return services.record_consent(lines=list(succession.handovers.all()), now=timezone.now(), **arguments)


def councils(world: World, names: Iterable[str]) -> dict[str, Organisation]:
    """Create councils of Surrey, each with a lead, a partnership, a commitment and a post."""
    return {name: create_council_of_surrey(world, name) for name in names}


def create_council_of_surrey(world: World, name: str) -> Organisation:
    """Create one council of Surrey, with a lead, a partnership, a commitment and a post."""
    council = services.create_organisation(
        name=f"{name} Council" if name == COUNTY else f"{name} Borough Council",
        kind="council",
        identifiers=[("gss", CODES[name])],
        author=None,
        now=timezone.now(),
    )
    lead = person(f"{name} Lead", f"{name.lower().replace(' ', '-')}@surrey.example")
    join(lead, council, Role.LEAD, world.now)
    partnership = make_partnership(
        f"{name} Homes",
        chair=council,
        chair_lead=lead,
        other=world.larkhaven,
        other_lead=world.amina,
        now=timezone.now(),
    )
    commitments.propose_commitment(
        giver=world.larkhaven,
        receiver=council,
        text=f"Forty homes in {name}.",
        quantity=Decimal(40),
        unit="homes",
        owner=world.eddie,
        due_on=today() + dt.timedelta(90),
        partnership=partnership,
        author=world.amina,
        now=timezone.now(),
    )
    agreements.create_post(organisation=council, role="planning", author=lead, now=timezone.now())
    return council


def holders() -> dict[str, list[Any]]:
    """Return the present parties, sides of commitments and members, without the ids of rows created on the way."""
    parties = Party.objects.filter(status="accepted").order_by("partnership", "organisation")
    people = Membership.objects.current().order_by("person", "organisation")
    return {
        "parties": list(parties.values_list("partnership", "organisation", "role")),
        "commitments": list(Commitment.objects.order_by("pk").values_list("pk", "giver", "receiver")),
        "people": list(people.values_list("person", "organisation", "role")),
    }


def split_of_westmarch(world: World) -> Succession:
    """Record that Westmarch is divided today between Harbour and Tidewater."""
    return services.record_succession(
        kind="split",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([world.westmarch], [world.harbour, world.tidewater]),
        author=None,
        now=timezone.now(),
    )


def division(world: World) -> Succession:
    """Divide Westmarch today between Harbour and Tidewater, which are proposed to share a commitment jointly."""
    succession = split_of_westmarch(world)
    propose_lines(world, succession, "commitments", agree(world).pk, sharing="jointly", others=[world.tidewater])
    return succession
