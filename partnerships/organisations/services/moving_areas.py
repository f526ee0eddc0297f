"""Move the areas served and the GSS codes of organisations when a succession takes effect."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from partnerships.organisations.lineage import ending_predecessors
from partnerships.organisations.models import (
    CERTAIN_STATUSES,
    Area,
    AreaServed,
    Identifier,
    Organisation,
    Scheme,
    Succession,
    SuccessionKind,
    SuccessionTie,
)
from partnerships.organisations.responsibility import STRENGTH
from partnerships.organisations.services.areas_served import end_area_served, serve_area
from partnerships.organisations.services.corrections import correct_area_served
from partnerships.organisations.services.identifiers import add_identifier, correct_identifier
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class _Vesting:
    """A succession that takes effect on a day, with the author and time of the change."""

    succession: Succession
    day: dt.date
    author: User | None
    now: dt.datetime

    @property
    def reason(self) -> str:
        """Return the reason in the histories of organisations."""
        return str(self.succession)

    @property
    def code_day(self) -> dt.date:
        """Return the first day of new codes."""
        return _first_day_of_codes(self.succession, self.day)

    def successors(self) -> QuerySet[Organisation]:
        """Return the successors, each once."""
        return Organisation.objects.filter(ties_as_successor__succession=self.succession).distinct().order_by("pk")


def move_areas(*, succession: Succession, on: dt.date, author: User | None, now: dt.datetime) -> None:
    """Move areas served and GSS codes along the ties of a succession, from this day on.

    Rows about earlier days do not change. If an ended organisation has a single successor, this successor serves its
    areas. The areas of a divided organisation are not assigned, because that would be guessing. A successor also serves
    the area of its own code. Check the rights first, and call this after the predecessors have ended.
    """
    vesting = _Vesting(succession, on, author, now)
    returned_area_ids: set[int] = set()
    if succession.undoes is not None and succession.undoes.undoes is None:
        returned_area_ids = _return_areas(vesting, succession.undoes)

    ended_organisations = ending_predecessors(succession)
    areas_by_ended = {organisation.pk: _end_areas(organisation, vesting) for organisation in ended_organisations}
    _end_codes(ended_organisations, vesting)
    _recode(vesting)

    successor_by_ended = _only_successors(succession)
    for organisation in ended_organisations:
        successor = successor_by_ended.get(organisation.pk)
        if successor is None:
            continue
        for area in areas_by_ended[organisation.pk]:
            if area.pk not in returned_area_ids:
                _serve(successor, area, vesting)
    for successor in vesting.successors():
        _serve_areas_of_codes(successor, vesting)


def _serve_areas_of_codes(organisation: Organisation, vesting: _Vesting) -> None:
    """Record that the organisation serves the areas that have its GSS codes."""
    codes = organisation.identifiers.filter(scheme=Scheme.GSS, valid_to=None).values("value")
    for area in Area.objects.filter(code__in=codes).order_by("pk"):
        _serve(organisation, area, vesting)


def _end_areas(organisation: Organisation, vesting: _Vesting) -> list[Area]:
    """End all areas that the organisation serves, and return them."""
    areas_served = list(
        organisation.areas_served.filter(ends_on=None).select_related("area", "organisation").order_by("pk")
    )
    for served in areas_served:
        # An area must not end before it starts.
        end_day = max(vesting.day, served.starts_on or vesting.day)
        end_area_served(served=served, day=end_day, author=vesting.author, now=vesting.now)
    return [served.area for served in areas_served]


def _only_successors(succession: Succession) -> dict[int, Organisation]:
    """Return the only successor of each predecessor (by id). Predecessors with several successors have no entry.

    Ties of other successions on the same day are included, because the order in which they take effect must not matter.
    Successions that transfer only functions are excluded, because they do not divide an area.
    """
    undone_successions = Succession.objects.filter(undone_by__status__in=CERTAIN_STATUSES)
    successions_on_day = Succession.objects.filter(status__in=CERTAIN_STATUSES, vests_on=succession.vests_on)
    successions_on_day = successions_on_day.exclude(pk__in=undone_successions)
    successions_on_day = successions_on_day.exclude(kind=SuccessionKind.FUNCTION_TRANSFER)
    ties = SuccessionTie.objects.filter(Q(succession=succession) | Q(succession__in=successions_on_day))
    ties = ties.filter(predecessor__in=succession.ties.values("predecessor"), role__in=STRENGTH)

    successors_by_predecessor: dict[int, set[Organisation]] = defaultdict(set)
    for tie in ties.select_related("successor"):
        if tie.successor is not None:
            successors_by_predecessor[tie.predecessor_id].add(tie.successor)
    return {
        predecessor_id: successors.pop()
        for predecessor_id, successors in successors_by_predecessor.items()
        if len(successors) == 1
    }


def _serve(organisation: Organisation, area: Area, vesting: _Vesting) -> None:
    """Record that the organisation serves the area from this day on, unless it serves the area now."""
    day, reason, author, now = vesting.day, vesting.reason, vesting.author, vesting.now
    if organisation.areas_served.filter(area=area, ends_on=None).exists():
        return
    # There is such a row if the succession was undone and takes effect again on the same day.
    row_of_day = organisation.areas_served.filter(area=area, starts_on=day).first()
    if row_of_day is not None:
        correct_area_served(served=row_of_day, ends_on=None, reason=reason, author=author, now=now)
    else:
        serve_area(organisation=organisation, area=area, starts_on=day, source=reason[:200], author=author, now=now)


def _return_areas(vesting: _Vesting, undone_succession: Succession) -> set[int]:
    """Return the areas of the undone succession to organisations that exist again; return the ids of the areas.

    Organisations that had taken these areas over by the undone succession no longer serve them. Codes are restored,
    too.
    """
    undone_day = undone_succession.vests_on.earliest if undone_succession.vests_on else None
    if undone_day is None:
        return set()

    returned_area_ids: set[int] = set()
    for organisation in vesting.successors():
        areas_served = organisation.areas_served.filter(ends_on=undone_day).select_related("area").order_by("pk")
        for served in areas_served:
            _serve(organisation, served.area, vesting)
            returned_area_ids.add(served.area_id)
        _restore_codes(organisation, undone_succession, undone_day, vesting)

    areas_of_successors = AreaServed.objects.filter(
        organisation__in=undone_succession.ties.values("successor"),
        area__in=returned_area_ids,
        starts_on=undone_day,
        ends_on=None,
    )
    for served in areas_of_successors.select_related("area", "organisation").order_by("pk"):
        end_day = max(vesting.day, undone_day)
        end_area_served(served=served, day=end_day, author=vesting.author, now=vesting.now)
    return returned_area_ids


def _restore_codes(
    organisation: Organisation, undone_succession: Succession, undone_day: dt.date, vesting: _Vesting
) -> None:
    """Make the codes valid again that the undone succession ended, and end the code that it gave."""
    codes = organisation.identifiers.filter(scheme__in={Scheme.GSS, undone_succession.new_code_scheme})
    is_new_code = Q(value=undone_succession.new_code, scheme=undone_succession.new_code_scheme)
    ended_codes = codes.filter(valid_to=_first_day_of_codes(undone_succession, undone_day)).exclude(is_new_code)
    for code in ended_codes.order_by("pk"):
        correct_identifier(
            identifier=code, valid_to=None, reason=vesting.reason, author=vesting.author, now=vesting.now
        )
    for code in codes.filter(is_new_code, valid_to=None):
        _end_code(code, vesting, earliest=vesting.day)


def _first_day_of_codes(succession: Succession, day: dt.date) -> dt.date:
    """Return the first day of the new codes, or the given day if the first day is not known exactly."""
    codes_on = succession.codes_on
    return codes_on.earliest if codes_on is not None and codes_on.day else day


def _end_codes(organisations: list[Organisation], vesting: _Vesting) -> None:
    """End the GSS codes of ended organisations. People can still find the organisations by these codes."""
    valid_codes = Identifier.objects.filter(organisation__in=organisations, scheme=Scheme.GSS, valid_to=None)
    for code in valid_codes.order_by("pk"):
        _end_code(code, vesting, earliest=vesting.day)


def _end_code(code: Identifier, vesting: _Vesting, *, earliest: dt.date) -> None:
    """End a code on the first day of new codes, but not before the code starts.

    If nobody knows when the code starts, it does not end before `earliest`.
    """
    end_day = max(vesting.code_day, code.valid_from or earliest)
    correct_identifier(identifier=code, valid_to=end_day, reason=vesting.reason, author=vesting.author, now=vesting.now)


def _recode(vesting: _Vesting) -> None:
    """Give a continuing organisation its new code.

    The old code ends, but people can still find the organisation by it.
    """
    succession = vesting.succession
    if succession.kind != SuccessionKind.RECODE or not succession.new_code:
        return
    scheme, value = succession.new_code_scheme, succession.new_code
    reason, author, now = vesting.reason, vesting.author, vesting.now
    for organisation in vesting.successors():
        for old_code in (
            organisation.identifiers.filter(scheme=scheme, valid_to=None).exclude(value=value).order_by("pk")
        ):
            _end_code(old_code, vesting, earliest=vesting.code_day)
        new_code = add_identifier(
            organisation=organisation,
            scheme=scheme,
            value=value,
            valid_from=vesting.code_day,
            reason=reason,
            author=author,
            now=now,
        )
        # Needed if the organisation had this code before, and it ended when an earlier succession was undone.
        correct_identifier(identifier=new_code, valid_to=None, reason=reason, author=author, now=now)
