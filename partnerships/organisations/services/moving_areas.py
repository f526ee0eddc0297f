"""Move the areas served and the GSS codes of organisations when a succession takes effect."""

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
    """Move areas served and GSS codes along the ties of a succession, from this day on.

    Rows about earlier days do not change. If an ended organisation has a single successor, this successor serves its
    areas. The areas of a divided organisation are not assigned, because that would be guessing. A successor also serves
    the area of its own code. Check the rights first, and call this after the predecessors have ended.
    """
    undone_succession = succession.undoes
    returned_area_ids: set[int] = set()
    if undone_succession is not None and undone_succession.undoes is None:
        returned_area_ids = _return_areas(succession, undone_succession, on, author, now)

    ended_organisations = ending(succession)
    areas_by_ended = {
        organisation.pk: _end_areas(organisation, on, author, now) for organisation in ended_organisations
    }
    _end_codes(succession, ended_organisations, on, author, now)
    _recode(succession, on, author, now)

    successor_by_ended = _only_successors(succession)
    for organisation in ended_organisations:
        for area in areas_by_ended[organisation.pk]:
            if organisation.pk in successor_by_ended and area.pk not in returned_area_ids:
                _serve(successor_by_ended[organisation.pk], area, succession, on, author, now)
    for successor in Organisation.objects.filter(ties_as_successor__succession=succession).distinct().order_by("pk"):
        codes = successor.identifiers.filter(scheme=Scheme.GSS, valid_to=None).values("value")
        for area in Area.objects.filter(code__in=codes).order_by("pk"):
            _serve(successor, area, succession, on, author, now)


def _end_areas(body: Organisation, on: dt.date, author: User | None, now: dt.datetime) -> list[Area]:
    """End all areas that the organisation serves, and return them."""
    areas_served = list(body.areas_served.filter(ends_on=None).select_related("area", "organisation").order_by("pk"))
    for area_served in areas_served:
        end_area_served(served=area_served, day=max(on, area_served.starts_on or on), author=author, now=now)
    return [area_served.area for area_served in areas_served]


def _only_successors(succession: Succession) -> dict[int, Organisation]:
    """Return the only successor of each predecessor (by id); predecessors with several successors have no entry.

    Ties of other successions on the same day also count, because the order in which they take effect must not matter.
    Successions that transfer only functions do not divide an area.
    """
    undone_successions = Succession.objects.filter(undone_by__status__in=CERTAIN)
    successions_on_day = Succession.objects.filter(status__in=CERTAIN, vests_on=succession.vests_on).exclude(
        pk__in=undone_successions
    )
    successions_on_day = successions_on_day.exclude(kind=SuccessionKind.FUNCTION_TRANSFER)
    ties = SuccessionTie.objects.filter(Q(succession=succession) | Q(succession__in=successions_on_day))
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
    """Record that the organisation serves the area from this day on, unless it already does."""
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
    """Return the areas of the undone succession to organisations that exist again; return the ids of the areas.

    Organisations that had taken these areas over by the undone succession no longer serve them. Codes are restored,
    too.
    """
    day = undone.vests_on.earliest if undone.vests_on else None
    if day is None:
        return set()
    returned_area_ids: set[int] = set()
    for body in Organisation.objects.filter(ties_as_successor__succession=succession).distinct().order_by("pk"):
        areas_served = body.areas_served.filter(ends_on=day).select_related("area").order_by("pk")
        for area_served in areas_served:
            _serve(body, area_served.area, succession, on, author, now)
            returned_area_ids.add(area_served.area_id)
        codes = body.identifiers.filter(scheme__in={Scheme.GSS, undone.new_code_scheme})
        is_new_code = Q(value=undone.new_code, scheme=undone.new_code_scheme)
        for code in codes.filter(valid_to=_code_day(undone, day)).exclude(is_new_code).order_by("pk"):
            correct_identifier(identifier=code, valid_to=None, reason=str(succession), author=author, now=now)
        for code in codes.filter(is_new_code, valid_to=None):
            end_day = max(_code_day(succession, on), code.valid_from or on)
            correct_identifier(identifier=code, valid_to=end_day, reason=str(succession), author=author, now=now)
    rows_to_end = AreaServed.objects.filter(
        organisation__in=undone.ties.values("successor"), area__in=returned_area_ids, starts_on=day, ends_on=None
    )
    for area_served in rows_to_end.select_related("area", "organisation").order_by("pk"):
        end_area_served(served=area_served, day=max(on, day), author=author, now=now)
    return returned_area_ids


def _code_day(succession: Succession, on: dt.date) -> dt.date:
    """Return the first day of the new codes, or the given day if the first day is not known exactly."""
    codes_on = succession.codes_on
    return codes_on.earliest if codes_on is not None and codes_on.day else on


def _end_codes(
    succession: Succession, bodies: list[Organisation], on: dt.date, author: User | None, now: dt.datetime
) -> None:
    """End the GSS codes of ended organisations. People can still find the organisations by these codes."""
    valid_codes = Identifier.objects.filter(organisation__in=bodies, scheme=Scheme.GSS, valid_to=None)
    for code in valid_codes.order_by("pk"):
        end_day = max(_code_day(succession, on), code.valid_from or on)
        correct_identifier(identifier=code, valid_to=end_day, reason=str(succession), author=author, now=now)


def _recode(succession: Succession, on: dt.date, author: User | None, now: dt.datetime) -> None:
    """Give a continuing organisation its new code.

    The old code ends, but people can still find the organisation by it.
    """
    if succession.kind != SuccessionKind.RECODE or not succession.new_code:
        return
    day, reason = _code_day(succession, on), str(succession)
    scheme, value = succession.new_code_scheme, succession.new_code
    for body in Organisation.objects.filter(ties_as_successor__succession=succession).distinct().order_by("pk"):
        for old_code in body.identifiers.filter(scheme=scheme, valid_to=None).exclude(value=value).order_by("pk"):
            end_day = max(day, old_code.valid_from or day)
            correct_identifier(identifier=old_code, valid_to=end_day, reason=reason, author=author, now=now)
        new_code = add_identifier(
            organisation=body, scheme=scheme, value=value, valid_from=day, reason=reason, author=author, now=now
        )
        # The organisation may already have had this code, ended when an earlier succession was undone.
        correct_identifier(identifier=new_code, valid_to=None, reason=reason, author=author, now=now)
