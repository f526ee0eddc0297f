"""Moves the areas served and the GSS codes of organisations when a succession takes effect."""

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
    """Move areas served and GSS codes along the ties of a succession, from a day on.

    Rows about the days before stay. If an ended organisation has a single successor, that serves its areas; areas of
    one that is divided are not assigned by guessing. A successor also serves the area of its own code. Check the rights
    first, and call this after the predecessors have ended.
    """
    undone = succession.undoes
    returned_area_ids: set[int] = set()
    if undone is not None and undone.undoes is None:
        returned_area_ids = _return_areas(succession, undone, on, author, now)

    ended = ending(succession)
    areas_by_ended = {organisation.pk: _end_areas(organisation, on, author, now) for organisation in ended}
    _end_codes(succession, ended, on, author, now)
    _recode(succession, on, author, now)

    successor_by_ended = _only_successors(succession)
    for organisation in ended:
        for area in areas_by_ended[organisation.pk]:
            if organisation.pk in successor_by_ended and area.pk not in returned_area_ids:
                _serve(successor_by_ended[organisation.pk], area, succession, on, author, now)
    for successor in Organisation.objects.filter(ties_as_successor__succession=succession).distinct().order_by("pk"):
        codes = successor.identifiers.filter(scheme=Scheme.GSS, valid_to=None).values("value")
        for area in Area.objects.filter(code__in=codes).order_by("pk"):
            _serve(successor, area, succession, on, author, now)


def _end_areas(body: Organisation, on: dt.date, author: User | None, now: dt.datetime) -> list[Area]:
    """End all areas that the organisation serves, and return them."""
    served = list(body.areas_served.filter(ends_on=None).select_related("area", "organisation").order_by("pk"))
    for area_served in served:
        end_area_served(served=area_served, on=max(on, area_served.starts_on or on), author=author, now=now)
    return [area_served.area for area_served in served]


def _only_successors(succession: Succession) -> dict[int, Organisation]:
    """Return the successor of each predecessor (by id) that has only one.

    Ties of other successions on the same day count too, because it must not matter which one takes effect first.
    Successions that transfer only functions do not divide an area.
    """
    undone = Succession.objects.filter(undone_by__status__in=CERTAIN)
    same_day = Succession.objects.filter(status__in=CERTAIN, vests_on=succession.vests_on).exclude(pk__in=undone)
    same_day = same_day.exclude(kind=SuccessionKind.FUNCTION_TRANSFER)
    ties = SuccessionTie.objects.filter(Q(succession=succession) | Q(succession__in=same_day))
    ties = ties.filter(predecessor__in=succession.ties.values("predecessor"), role__in=STRENGTH)

    successors_by_predecessor: dict[int, set[Organisation]] = {}
    for tie in ties.exclude(successor=None).select_related("successor"):
        if tie.successor is not None:
            successors_by_predecessor.setdefault(tie.predecessor_id, set()).add(tie.successor)
    return {
        predecessor_id: successors.pop()
        for predecessor_id, successors in successors_by_predecessor.items()
        if len(successors) == 1
    }


def _serve(
    body: Organisation, area: Area, succession: Succession, on: dt.date, author: User | None, now: dt.datetime
) -> None:
    """Let the organisation serve the area from a day on, unless it does already."""
    if body.areas_served.filter(area=area, ends_on=None).exists():
        return
    # If the succession was undone and takes effect again on the same day, the row of that day continues.
    if row_of_day := body.areas_served.filter(area=area, starts_on=on).first():
        correct_area_served(served=row_of_day, ends_on=None, reason=str(succession), author=author, now=now)
    else:
        serve_area(organisation=body, area=area, starts_on=on, source=str(succession)[:200], author=author, now=now)


def _return_areas(
    succession: Succession, undone: Succession, on: dt.date, author: User | None, now: dt.datetime
) -> set[int]:
    """Let organisations that exist again serve the areas from before the undone succession; return the areas' ids.

    Organisations that took these areas over with that succession no longer serve them, and codes are restored.
    """
    day = undone.vests_on.earliest if undone.vests_on else None
    if day is None:
        return set()
    returned_area_ids: set[int] = set()
    for body in Organisation.objects.filter(ties_as_successor__succession=succession).distinct().order_by("pk"):
        served = body.areas_served.filter(ends_on=day).select_related("area").order_by("pk")
        for area_served in served:
            _serve(body, area_served.area, succession, on, author, now)
            returned_area_ids.add(area_served.area_id)
        codes = body.identifiers.filter(scheme__in={Scheme.GSS, undone.new_code_scheme})
        is_new_code = Q(value=undone.new_code, scheme=undone.new_code_scheme)
        for code in codes.filter(valid_to=_code_day(undone, day)).exclude(is_new_code).order_by("pk"):
            correct_identifier(identifier=code, valid_to=None, reason=str(succession), author=author, now=now)
        for code in codes.filter(is_new_code, valid_to=None):
            until = max(_code_day(succession, on), code.valid_from or on)
            correct_identifier(identifier=code, valid_to=until, reason=str(succession), author=author, now=now)
    taken_over = AreaServed.objects.filter(
        organisation__in=undone.ties.values("successor"), area__in=returned_area_ids, starts_on=day, ends_on=None
    )
    for area_served in taken_over.select_related("area", "organisation").order_by("pk"):
        end_area_served(served=area_served, on=max(on, day), author=author, now=now)
    return returned_area_ids


def _code_day(succession: Succession, on: dt.date) -> dt.date:
    """Return the first day of the new codes, or the given day if it is not known."""
    codes_on = succession.codes_on
    return codes_on.earliest if codes_on is not None and codes_on.day else on


def _end_codes(
    succession: Succession, bodies: list[Organisation], on: dt.date, author: User | None, now: dt.datetime
) -> None:
    """End the GSS codes of ended organisations, which can still be found by them."""
    valid_codes = Identifier.objects.filter(organisation__in=bodies, scheme=Scheme.GSS, valid_to=None)
    for code in valid_codes.order_by("pk"):
        until = max(_code_day(succession, on), code.valid_from or on)
        correct_identifier(identifier=code, valid_to=until, reason=str(succession), author=author, now=now)


def _recode(succession: Succession, on: dt.date, author: User | None, now: dt.datetime) -> None:
    """Give a continuing organisation its new code; the old one ends, and the organisation can still be found by it."""
    if succession.kind != SuccessionKind.RECODE or not succession.new_code:
        return
    day, reason = _code_day(succession, on), str(succession)
    scheme, value = succession.new_code_scheme, succession.new_code
    for body in Organisation.objects.filter(ties_as_successor__succession=succession).distinct().order_by("pk"):
        for old_code in body.identifiers.filter(scheme=scheme, valid_to=None).exclude(value=value).order_by("pk"):
            until = max(day, old_code.valid_from or day)
            correct_identifier(identifier=old_code, valid_to=until, reason=reason, author=author, now=now)
        new_code = add_identifier(
            organisation=body, scheme=scheme, value=value, valid_from=day, reason=reason, author=author, now=now
        )
        correct_identifier(identifier=new_code, valid_to=None, reason=reason, author=author, now=now)
