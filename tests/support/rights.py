"""The rights table, which has who may call each service, and how a test calls it.

Each room has its rows in tests/<room>/rights.py:

    ROWS = (
        Row("agreements.edit_settings", lambda world, author, _: edit_settings(author=author, ...), permitted=LEAD),
    )
    #: Services that no person calls, each with the reason.
    WITHOUT_A_PERSON = {"agreements.record_due_steps": "called by the clock"}

`prepare` creates what the service needs, through services, as a person with the right to. `call` gets the world, the
author and the result of `prepare`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from partnerships.agreements import services as agreements
from partnerships.organisations.models import Role
from partnerships.people.models import User
from tests.world import World, join, person

#: The person of each persona, from the world or from `add_personas`.
PERSONAS = {
    "lead": "amina",  # leads Larkhaven, the chair of the Estuary Partnership
    "editor": "eddie",
    "viewer": "vera",
    "partner": "ben",  # leads Westmarch, a member
    "partner_editor": "petra",
    "observer": "nadia",  # leads Riverside, an observer
    "former": "hana",  # leads Harbour, which has left
    "stranger": "chidi",  # leads Tidewater, in another partnership
    "left": "lena",  # no longer acts for Larkhaven
    "inactive": "ines",  # leads Larkhaven, with a closed account
    "stakeholder": "sol",
    "administrator": "dee",
}

#: The result of a permitted call that changed something, and of one that did not.
DONE = "done"
NO_WRITES = "done without writing anything"

NOBODY: frozenset[str] = frozenset()
EVERYBODY = frozenset(PERSONAS) - {"inactive"}
LEAD = frozenset({"lead"})
EDITORS = frozenset({"lead", "editor"})
OWN = frozenset({"lead", "editor", "viewer"})
PARTNER = frozenset({"partner"})
PARTNER_EDITORS = frozenset({"partner", "partner_editor"})
ADMINISTRATOR = frozenset({"administrator"})


def _nothing(world: World) -> Any:
    """Prepare nothing."""
    return None


@dataclass(frozen=True)
class Row:
    """A service in one situation, and the personas permitted there.

    `result` is the outcome of a permitted call: DONE, NO_WRITES if there is nothing left to do, or the error that it
    raises.
    """

    service: str
    call: Callable[[World, User, Any], object]
    permitted: frozenset[str]
    prepare: Callable[[World], Any] = _nothing
    situation: str = ""
    result: str = DONE

    def __str__(self) -> str:
        return f"{self.service} {self.situation}".strip().replace(" ", "-")


def add_personas(world: World) -> None:
    """Add the personas that are not in the world.

    Riverside observes the Estuary Partnership. Harbour joined and left it.
    """
    estuary, now = world.partnership, world.now
    petra = person("Petra West", "petra@westmarch.example")
    join(petra, world.westmarch, Role.EDITOR, now)
    ines = person("Ines Larch", "ines@larkhaven.example")
    join(ines, world.larkhaven, Role.LEAD, now)
    for organisation, role, lead in ((world.riverside, "observer", world.nadia), (world.harbour, "member", world.hana)):
        party = agreements.invite_organisation(
            partnership=estuary,
            organisation=organisation,
            role=role,
            reason="We need them.",
            author=world.amina,
            now=now,
        )
        agreements.answer_invitation(party=party, accept=True, reason="", author=lead, now=now)
    agreements.leave_partnership(party=world.party(world.harbour), reason="Reorganised.", author=world.hana, now=now)
    # A closed account with an open membership is harder to refuse than one whose membership has ended too.
    User.objects.filter(pk=ines.pk).update(is_active=False)
    ines.refresh_from_db()
    world.things |= {"petra": petra, "ines": ines}


def who(world: World, persona: str) -> User:
    """Return the person of a persona."""
    name = PERSONAS[persona]
    person: User = world.things[name] if name in world.things else getattr(world, name)
    return person
