"""Set up returns at each step, through services, for the quarter after the one in which the test runs.

That whole quarter lies after the day on which the terms are signed.
"""

from __future__ import annotations

import datetime as dt

from django.core.cache import cache
from django.utils import timezone

from partnerships.nominations import services
from partnerships.nominations.lettings.filtering import LettingsFilter
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.models import Decision, NominationsAgreement, NominationsReturn
from partnerships.organisations.models import Area, AreaKind, AreaServed
from partnerships.people.models import User
from tests.support.core_files import Invented, Place, core_file, invent
from tests.world import World

CODE = "E07000901"


def next_quarter() -> Quarter:
    """The first whole quarter of an agreement that is signed today."""
    return Quarter.of(timezone.localdate()).next()


def afterwards() -> dt.datetime:
    """A moment some days after the end of that quarter."""
    return timezone.now() + (next_quarter().ends_on - timezone.localdate()) + dt.timedelta(days=9)


def collection_year() -> int:
    """The collection year of that quarter."""
    starts_on = next_quarter().starts_on
    return starts_on.year if starts_on.month >= 4 else starts_on.year - 1


def place_of(world: World) -> Place:
    """Where Larkhaven lets homes in that quarter: in Westmarch, which serves an area of that name."""
    area, _ = Area.objects.get_or_create(code=CODE, defaults={"name": "Westmarch", "kind": AreaKind.DISTRICT})
    AreaServed.objects.get_or_create(organisation=world.westmarch, area=area)
    return Place(CODE, "Westmarch", world.larkhaven.name, next_quarter().starts_on)


def lettings_of(world: World, number: int = 200, *, seed: int = 1) -> list[Invented]:
    """Invented lettings of that quarter."""
    return invent(place_of(world), number, year=collection_year(), seed=seed)


def begun(world: World, agreement: NominationsAgreement, author: User | None = None) -> NominationsReturn:
    """The return of that quarter, begun by Amina if nobody is named."""
    starts_on = next_quarter().starts_on
    return services.start_return(
        agreement=agreement, starts_on=starts_on, author=author or world.amina, now=afterwards()
    )


def kept(content: bytes, name: str = "lettings.csv") -> services.KeptLettings:
    """What the upload handler keeps of a file."""
    lettings_filter = LettingsFilter()
    lettings_filter.feed(content)
    packed = lettings_filter.finish()
    return services.KeptLettings(name, packed, lettings_filter.columns, lettings_filter.rows)


def upload(
    world: World, nominations_return: NominationsReturn, lettings: list[Invented], author: User | None = None
) -> None:
    """Take an export of these lettings; nothing is counted yet."""
    content = core_file(lettings, year=collection_year())
    services.take_lettings(
        nominations_return=nominations_return, file=kept(content), author=author or world.amina, now=afterwards()
    )


def counted(world: World, agreement: NominationsAgreement, lettings: list[Invented] | None = None) -> NominationsReturn:
    """A return whose lettings were counted."""
    nominations_return = begun(world, agreement)
    upload(world, nominations_return, lettings if lettings is not None else lettings_of(world))
    services.count_waiting(now=afterwards())
    return fresh(nominations_return)


def sent(world: World, agreement: NominationsAgreement, lettings: list[Invented] | None = None) -> NominationsReturn:
    """A return that waits for the council."""
    nominations_return = counted(world, agreement, lettings)
    services.send_return(nominations_return=nominations_return, author=world.amina, now=afterwards())
    return fresh(nominations_return)


def settled(world: World, agreement: NominationsAgreement, lettings: list[Invented] | None = None) -> NominationsReturn:
    """A return that Ben has confirmed."""
    nominations_return = sent(world, agreement, lettings)
    decide(
        world,
        nominations_return,
        dict.fromkeys(nominations_return.lines.values_list("pk", flat=True), (Decision.CONFIRMED, "")),
    )
    return fresh(nominations_return)


def decide(
    world: World,
    nominations_return: NominationsReturn,
    decisions: dict[int, tuple[Decision, str]],
    author: User | None = None,
) -> None:
    """Decide lines as Ben, who leads the council, if nobody else is named."""
    services.decide_lines(
        nominations_return=nominations_return,
        sending=nominations_return.sendings,
        decisions=decisions,
        author=author or world.ben,
        now=afterwards(),
    )


def fresh(nominations_return: NominationsReturn) -> NominationsReturn:
    """The return as it is now."""
    cache.clear()
    return NominationsReturn.objects.for_pages().get(pk=nominations_return.pk)


def complete(nominations_return: NominationsReturn, lines: dict[int, services.Supplement], author: User) -> None:
    """Fill in the table, as a person does who sees the values that are saved now."""
    saved_supplements = services.supplements_of(nominations_return.lines.prefetch_related("refusals"))
    services.complete_return(
        nominations_return=nominations_return, lines=lines, read=saved_supplements, author=author, now=afterwards()
    )
