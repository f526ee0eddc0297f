"""Move the areas served and the codes of bodies that a succession ends or lets exist again."""

from __future__ import annotations

import datetime as dt

from partnerships.organisations.answering import STRENGTH
from partnerships.organisations.lineage import ending
from partnerships.organisations.models import Area, AreaServed, Identifier, Organisation, Scheme, Succession
from partnerships.organisations.services.areas_served import end_area_served, serve_area
from partnerships.organisations.services.corrections import correct_area_served
from partnerships.organisations.services.identifiers import correct_identifier
from partnerships.people.models import User


def move_areas(*, succession: Succession, on: dt.date, author: User | None, now: dt.datetime) -> None:
    """Let areas served and GSS codes follow the ties from a day on; the rows of the days before stay.

    The only successor of a body that ends serves its areas. Areas of a body that is divided go to nobody by guessing.
    A successor also serves the area of its own code. Call with the rights checked, after predecessors have ended.
    """
    undone = succession.undoes
    if undone is not None and undone.undoes is None:
        given_back = _areas_again(succession, undone, on, author, now)
    else:
        given_back = set()
    bodies = ending(succession)
    gone = {body.pk: _end_areas(body, on, author, now) for body in bodies}
    _end_codes(succession, bodies, on, author, now)
    following = _only_successors(succession)
    for body in bodies:
        for area in gone[body.pk]:
            if body.pk in following and area.pk not in given_back:
                _serve(following[body.pk], area, succession, on, author, now)
    for successor in Organisation.objects.filter(ties_as_successor__succession=succession).distinct().order_by("pk"):
        codes = successor.identifiers.filter(scheme=Scheme.GSS, valid_to=None).values("value")
        for area in Area.objects.filter(code__in=codes).order_by("pk"):
            _serve(successor, area, succession, on, author, now)


def _end_areas(body: Organisation, on: dt.date, author: User | None, now: dt.datetime) -> list[Area]:
    served = list(body.areas_served.filter(ends_on=None).select_related("area", "organisation").order_by("pk"))
    for one in served:
        end_area_served(served=one, on=max(on, one.starts_on or on), author=author, now=now)
    return [one.area for one in served]


def _only_successors(succession: Succession) -> dict[int, Organisation]:
    """By predecessor (id), the one body that follows it in everything; none where several follow."""
    found: dict[int, set[Organisation]] = {}
    ties = succession.ties.filter(role__in=STRENGTH).exclude(successor=None).select_related("successor")
    for tie in ties:
        if tie.successor is not None:
            found.setdefault(tie.predecessor_id, set()).add(tie.successor)
    return {pk: next(iter(bodies)) for pk, bodies in found.items() if len(bodies) == 1}


def _serve(
    body: Organisation, area: Area, succession: Succession, on: dt.date, author: User | None, now: dt.datetime
) -> None:
    if body.areas_served.filter(area=area, ends_on=None).exists():
        return
    # Undone and done again on one day: the row of that day goes on.
    if again := body.areas_served.filter(area=area, starts_on=on).first():
        correct_area_served(served=again, ends_on=None, reason=str(succession), author=author, now=now)
    else:
        serve_area(organisation=body, area=area, starts_on=on, source=str(succession)[:200], author=author, now=now)


def _areas_again(
    succession: Succession, undone: Succession, on: dt.date, author: User | None, now: dt.datetime
) -> set[int]:
    """Let bodies that exist again serve what they served until the undone succession; the areas' ids.

    What a body that goes on took over with it then, it serves no longer.
    """
    day = undone.vests_on.earliest if undone.vests_on else None
    if day is None:
        return set()
    back: set[int] = set()
    for body in Organisation.objects.filter(ties_as_successor__succession=succession).distinct().order_by("pk"):
        served = body.areas_served.filter(ends_on=day).select_related("area").order_by("pk")
        for one in served:
            _serve(body, one.area, succession, on, author, now)
            back.add(one.area_id)
        for code in body.identifiers.filter(scheme=Scheme.GSS, valid_to=_code_day(undone, day)).order_by("pk"):
            correct_identifier(identifier=code, valid_to=None, reason=str(succession), author=author, now=now)
    taken = AreaServed.objects.filter(
        organisation__in=undone.ties.values("successor"), area__in=back, starts_on=day, ends_on=None
    )
    for one in taken.select_related("area", "organisation").order_by("pk"):
        end_area_served(served=one, on=max(on, day), author=author, now=now)
    return back


def _code_day(succession: Succession, on: dt.date) -> dt.date:
    """From when the new codes are used: the day of the code change if it is known, else vesting day."""
    codes = succession.codes_on
    return codes.earliest if codes is not None and codes.day else on


def _end_codes(
    succession: Succession, bodies: list[Organisation], on: dt.date, author: User | None, now: dt.datetime
) -> None:
    """End the GSS codes of bodies that end; they still find the body."""
    open_ones = Identifier.objects.filter(organisation__in=bodies, scheme=Scheme.GSS, valid_to=None)
    for code in open_ones.order_by("pk"):
        until = max(_code_day(succession, on), code.valid_from or on)
        correct_identifier(identifier=code, valid_to=until, reason=str(succession), author=author, now=now)
