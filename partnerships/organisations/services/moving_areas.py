"""Move the areas served and the codes of bodies that a succession ends or lets exist again."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from partnerships.organisations.answering import STRENGTH
from partnerships.organisations.lineage import ending
from partnerships.organisations.models import (
    CERTAIN,
    Area,
    AreaServed,
    Identifier,
    Organisation,
    Scheme,
    Succession,
    SuccessionKind,
    SuccessionTie,
)
from partnerships.organisations.services.areas_served import end_area_served, serve_area
from partnerships.organisations.services.corrections import correct_area_served
from partnerships.organisations.services.identifiers import add_identifier, correct_identifier
from partnerships.people.models import User


def move_areas(*, succession: Succession, on: dt.date, author: User | None, now: dt.datetime) -> None:
    """Let areas served and GSS codes follow the ties from a day on.

    The rows of the days before stay. The only successor of a body that ends serves its areas. Areas of a body that is
    divided go to nobody by guessing. A successor also serves the area of its own code. Call with the rights checked,
    after predecessors have ended.
    """
    undone = succession.undoes
    if undone is not None and undone.undoes is None:
        given_back = _areas_again(succession, undone, on, author, now)
    else:
        given_back = set()
    bodies = ending(succession)
    gone = {body.pk: _end_areas(body, on, author, now) for body in bodies}
    _end_codes(succession, bodies, on, author, now)
    _recode(succession, on, author, now)
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
    for area_served in served:
        end_area_served(served=area_served, on=max(on, area_served.starts_on or on), author=author, now=now)
    return [area_served.area for area_served in served]


def _only_successors(succession: Succession) -> dict[int, Organisation]:
    """By predecessor (id), the one body that follows it in everything.

    None where several follow. Also by another succession of the same day: which of the two takes effect first does not
    matter. One that passes functions only divides no area.
    """
    organisations: dict[int, set[Organisation]] = {}
    undone = Succession.objects.filter(undone_by__status__in=CERTAIN)
    same_day = Succession.objects.filter(status__in=CERTAIN, vests_on=succession.vests_on).exclude(pk__in=undone)
    same_day = same_day.exclude(kind=SuccessionKind.FUNCTION_TRANSFER)
    together = SuccessionTie.objects.filter(Q(succession=succession) | Q(succession__in=same_day))
    together = together.filter(predecessor__in=succession.ties.values("predecessor"), role__in=STRENGTH)
    for tie in together.exclude(successor=None).select_related("successor"):
        if tie.successor is not None:
            organisations.setdefault(tie.predecessor_id, set()).add(tie.successor)
    return {pk: next(iter(bodies)) for pk, bodies in organisations.items() if len(bodies) == 1}


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
        for area_served in served:
            _serve(body, area_served.area, succession, on, author, now)
            back.add(area_served.area_id)
        codes = body.identifiers.filter(scheme__in={Scheme.GSS, undone.new_code_scheme})
        new = Q(value=undone.new_code, scheme=undone.new_code_scheme)
        for code in codes.filter(valid_to=_code_day(undone, day)).exclude(new).order_by("pk"):
            correct_identifier(identifier=code, valid_to=None, reason=str(succession), author=author, now=now)
        for code in codes.filter(new, valid_to=None):
            until = max(_code_day(succession, on), code.valid_from or on)
            correct_identifier(identifier=code, valid_to=until, reason=str(succession), author=author, now=now)
    taken = AreaServed.objects.filter(
        organisation__in=undone.ties.values("successor"), area__in=back, starts_on=day, ends_on=None
    )
    for area_served in taken.select_related("area", "organisation").order_by("pk"):
        end_area_served(served=area_served, on=max(on, day), author=author, now=now)
    return back


def _code_day(succession: Succession, on: dt.date) -> dt.date:
    """From when the new codes are used.

    The day of the code change if it is known, else vesting day.
    """
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


def _recode(succession: Succession, on: dt.date, author: User | None, now: dt.datetime) -> None:
    """Give a continuing body its new code from the day of the change.

    The old code ends, and still finds it.
    """
    if succession.kind != SuccessionKind.RECODE or not succession.new_code:
        return
    day, reason = _code_day(succession, on), str(succession)
    scheme, value = succession.new_code_scheme, succession.new_code
    for body in Organisation.objects.filter(ties_as_successor__succession=succession).distinct().order_by("pk"):
        for old in body.identifiers.filter(scheme=scheme, valid_to=None).exclude(value=value).order_by("pk"):
            until = max(day, old.valid_from or day)
            correct_identifier(identifier=old, valid_to=until, reason=reason, author=author, now=now)
        new = add_identifier(
            organisation=body, scheme=scheme, value=value, valid_from=day, reason=reason, author=author, now=now
        )
        correct_identifier(identifier=new, valid_to=None, reason=reason, author=author, now=now)
