"""Helpers that set up nominations returns at each step through the services.

Each step begins with the one before: `started_return`, `counted_return`, `sent_return`, and then `disputed_return` or
`confirmed_return`. For example, `sent_return(world, agreement)` is a return that Larkhaven has filled in and sent, and
that waits for Westmarch.

Unless a test passes a quarter, they are for the quarter after the one in which the test runs. The whole of that quarter
is after the day on which the terms are signed.
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
from tests.support.core_files import InventedLetting, Place, core_file, invent
from tests.world import World

#: The GSS code of the invented area that Westmarch serves.
CODE = "E07000901"


def next_quarter() -> Quarter:
    """Return the first whole quarter of an agreement that is signed today."""
    return Quarter.of(timezone.localdate()).next()


def days_after(quarter: Quarter | None = None) -> dt.datetime:
    """Return a moment nine days after the end of the quarter, when its return can be sent."""
    quarter = quarter or next_quarter()
    return timezone.now() + (quarter.ends_on - timezone.localdate()) + dt.timedelta(days=9)


def collection_year(quarter: Quarter | None = None) -> int:
    """Return the CORE collection year of the quarter."""
    starts_on = (quarter or next_quarter()).starts_on
    return starts_on.year if starts_on.month >= 4 else starts_on.year - 1


def place_of(world: World, quarter: Quarter | None = None) -> Place:
    """Return Westmarch, which serves an area of that name, as the place where Larkhaven lets homes in the quarter."""
    area, _ = Area.objects.get_or_create(code=CODE, defaults={"name": "Westmarch", "kind": AreaKind.DISTRICT})
    AreaServed.objects.get_or_create(organisation=world.westmarch, area=area)
    return Place(CODE, "Westmarch", world.larkhaven.name, (quarter or next_quarter()).starts_on)


def lettings_of(
    world: World, count: int = 200, *, seed: int = 1, quarter: Quarter | None = None
) -> list[InventedLetting]:
    """Return invented lettings of the quarter."""
    return invent(place_of(world, quarter), count, year=collection_year(quarter), seed=seed)


def started_return(
    world: World, agreement: NominationsAgreement, author: User | None = None, *, quarter: Quarter | None = None
) -> NominationsReturn:
    """Start the return of the quarter, as Amina unless another author is given."""
    starts_on = (quarter or next_quarter()).starts_on
    return services.start_return(
        agreement=agreement, starts_on=starts_on, author=author or world.amina, now=days_after(quarter)
    )


def lettings_file(content: bytes, name: str = "lettings.csv") -> services.FilteredFile:
    """Return the part of a file that the upload handler keeps."""
    lettings_filter = LettingsFilter()
    lettings_filter.feed(content)
    packed = lettings_filter.finish()
    return services.FilteredFile(name, packed, lettings_filter.columns, lettings_filter.rows)


def upload_lettings(
    world: World, nominations_return: NominationsReturn, lettings: list[InventedLetting], author: User | None = None
) -> None:
    """Upload an export of these lettings. No worker has counted them yet."""
    quarter = nominations_return.quarter
    content = core_file(lettings, year=collection_year(quarter))
    services.store_lettings(
        nominations_return=nominations_return,
        file=lettings_file(content),
        author=author or world.amina,
        now=days_after(quarter),
    )


def counted_return(
    world: World,
    agreement: NominationsAgreement,
    lettings: list[InventedLetting] | None = None,
    *,
    quarter: Quarter | None = None,
) -> NominationsReturn:
    """Start a return, upload its lettings and count them."""
    nominations_return = started_return(world, agreement, quarter=quarter)
    if lettings is None:
        lettings = lettings_of(world, quarter=quarter)
    upload_lettings(world, nominations_return, lettings)
    services.count_waiting(now=days_after(quarter))
    return reloaded(nominations_return)


def sent_return(
    world: World,
    agreement: NominationsAgreement,
    lettings: list[InventedLetting] | None = None,
    *,
    quarter: Quarter | None = None,
) -> NominationsReturn:
    """Start, fill in and send a return. It now waits for the council."""
    nominations_return = counted_return(world, agreement, lettings, quarter=quarter)
    services.send_return(nominations_return=nominations_return, author=world.amina, now=days_after(quarter))
    return reloaded(nominations_return)


def confirmed_return(
    world: World,
    agreement: NominationsAgreement,
    lettings: list[InventedLetting] | None = None,
    *,
    quarter: Quarter | None = None,
) -> NominationsReturn:
    """Start, fill in and send a return, and confirm every line as Ben."""
    nominations_return = sent_return(world, agreement, lettings, quarter=quarter)
    confirm_all_lines(world, nominations_return)
    return reloaded(nominations_return)


def disputed_return(world: World, agreement: NominationsAgreement) -> tuple[NominationsReturn, int]:
    """Return a return whose first line Ben has disputed, and the id of that line. The other lines are confirmed."""
    nominations_return = sent_return(world, agreement)
    disputed_id, *other_ids = nominations_return.lines.order_by("pk").values_list("pk", flat=True)
    decisions = dict.fromkeys(other_ids, (Decision.CONFIRMED, ""))
    decisions[disputed_id] = (Decision.DISPUTED, "One is missing.")
    decide_lines(world, nominations_return, decisions)
    return reloaded(nominations_return), disputed_id


def confirm_all_lines(world: World, nominations_return: NominationsReturn, author: User | None = None) -> None:
    """Confirm every line of a return as Ben, who leads the council, unless another author is given."""
    line_ids = nominations_return.lines.values_list("pk", flat=True)
    decide_lines(world, nominations_return, dict.fromkeys(line_ids, (Decision.CONFIRMED, "")), author)


def decide_lines(
    world: World,
    nominations_return: NominationsReturn,
    decisions: dict[int, tuple[Decision, str]],
    author: User | None = None,
) -> None:
    """Decide lines as Ben, who leads the council, unless another author is given."""
    services.decide_lines(
        nominations_return=nominations_return,
        sending=nominations_return.sendings,
        decisions=decisions,
        author=author or world.ben,
        now=days_after(nominations_return.quarter),
    )


def reloaded(nominations_return: NominationsReturn) -> NominationsReturn:
    """Read the return from the database again, with an empty cache."""
    cache.clear()
    return NominationsReturn.objects.for_pages().get(pk=nominations_return.pk)


def fill_in_table(
    nominations_return: NominationsReturn, figures_by_line: dict[int, services.Supplement], author: User
) -> None:
    """Fill in the table as a person who has seen the figures that are saved now."""
    saved_supplements = services.saved_supplements(nominations_return.lines.prefetch_related("refusals"))
    services.complete_return(
        nominations_return=nominations_return,
        figures=figures_by_line,
        figures_seen=saved_supplements,
        author=author,
        now=days_after(),
    )
