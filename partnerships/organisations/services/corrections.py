"""Correct names, areas served and areas, with a reason that is stored in the history."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypedDict, Unpack

from django.db import transaction

from partnerships.activity.values import apply_changes
from partnerships.kit.names import fold_name
from partnerships.kit.rights import require
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import Area, AreaServed, NameKind, Organisation, OrganisationName
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.areas import AreaFields, save_area
from partnerships.organisations.services.recording import lock_organisation, record_event
from partnerships.people.models import User

#: Kinds of name that are corrected on the organisation itself.
PRESENT_NAMES = frozenset({NameKind.OFFICIAL, NameKind.SHORT})


class UnableToCorrect(Exception):
    """Raised if the reason is missing, the dates are impossible, or another row is the same."""


class NameFields(TypedDict, total=False):
    """Fields of a name that can be corrected. The official and short name are corrected on the organisation."""

    name: str
    kind: str
    valid_from: dt.date | None
    valid_to: dt.date | None


class ServedFields(TypedDict, total=False):
    """Fields of an area served that can be corrected."""

    area: Area
    starts_on: dt.date | None
    ends_on: dt.date | None
    source: str


def _check_reason_and_dates(reason: str, first_day: dt.date | None, end_day: dt.date | None) -> None:
    """Raise `UnableToCorrect` if the reason is missing, or the end is before the start."""
    if not reason.strip():
        raise UnableToCorrect("Enter a reason.")
    if first_day and end_day and end_day < first_day:
        raise UnableToCorrect("The end must be on or after the start. Correct one of the two dates.")


@transaction.atomic
def correct_name(
    *, row: OrganisationName, reason: str, author: User | None, now: dt.datetime, **fields: Unpack[NameFields]
) -> tuple[str, ...]:
    """Correct a name other than the present official and short names; return the names of the changed fields.

    Raises `UnableToCorrect`.
    """
    require(roles_of(author, now).may_change_directory)
    organisation = lock_organisation(row.organisation_id)
    locked_name = OrganisationName.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if PRESENT_NAMES & {locked_name.kind, fields.get("kind")}:
        raise UnableToCorrect(
            "Correct the official or short name on the organisation’s own page. People can still find the "
            "organisation by its old name."
        )

    if "name" in fields:
        fields["name"] = " ".join(fields["name"].split())
    before, after = apply_changes(locked_name, fields)
    if not before:
        return ()
    _check_reason_and_dates(reason, locked_name.valid_from, locked_name.valid_to)
    if not locked_name.name:
        raise UnableToCorrect("Enter a name.")
    if organisation.names.filter(name=locked_name.name).exclude(pk=locked_name.pk).exists():
        raise UnableToCorrect(f"{organisation.name} already has the name “{locked_name.name}”. Enter a different name.")

    # Search compares folded names.
    locked_name.folded = fold_name(locked_name.name)
    locked_name.save(update_fields=[*before, "folded"])
    data = {"before": before, "after": {"name": locked_name.name, **after}, "reason": reason.strip()}
    record_event(organisation, EventKind.NAME_CORRECTED, author=author, now=now, data=data)
    return tuple(before)


@transaction.atomic
def correct_area_served(
    *, served: AreaServed, reason: str, author: User | None, now: dt.datetime, **fields: Unpack[ServedFields]
) -> tuple[str, ...]:
    """Correct which area an organisation serves, and when; return the names of the changed fields.

    Raises `UnableToCorrect`.
    """
    require(roles_of(author, now).may_change_directory)
    organisation = lock_organisation(served.organisation_id)
    locked_served = AreaServed.objects.select_for_update(of=("self",)).select_related("area").get(pk=served.pk)

    before, after = apply_changes(locked_served, fields)
    if not before:
        return ()
    area, starts_on = locked_served.area, locked_served.starts_on
    _check_reason_and_dates(reason, starts_on, locked_served.ends_on)
    rows_from_that_day = AreaServed.objects.filter(organisation=organisation, area=area, starts_on=starts_on)
    if rows_from_that_day.exclude(pk=locked_served.pk).exists():
        raise UnableToCorrect(
            f"{organisation.name} already serves {area.name} from that day. Choose another day or area."
        )

    locked_served.save(update_fields=list(before))
    data = {"before": before, "after": {"area": area.name, **after}, "reason": reason.strip()}
    record_event(organisation, EventKind.AREA_CORRECTED, author=author, now=now, data=data)
    return tuple(before)


@transaction.atomic
def correct_area(
    *, area: Area, reason: str, author: User | None, now: dt.datetime, **fields: Unpack[AreaFields]
) -> tuple[str, ...]:
    """Correct an area, and return the names of the changed fields.

    The reason appears in the history of each organisation that serves the area. The code never changes, because another
    code means another area. Raises `UnableToCorrect`.
    """
    require(roles_of(author, now).may_change_directory)
    old_values = {name: getattr(area, name) for name in fields}
    _check_reason_and_dates(reason, fields.get("valid_from", area.valid_from), fields.get("valid_to", area.valid_to))

    _area, _is_new, changed_fields = save_area(code=area.code, **fields)
    if not changed_fields:
        return ()
    new_values: dict[str, Any] = {**fields}
    data = {
        "before": {name: str(old_values[name] or "") for name in changed_fields},
        "after": {"area": area.name, **{name: str(new_values[name] or "") for name in changed_fields}},
        "reason": reason.strip(),
    }
    for organisation in _organisations_serving(area):
        record_event(organisation, EventKind.AREA_CORRECTED, author=author, now=now, data=data)
    return changed_fields


def _organisations_serving(area: Area) -> list[Organisation]:
    """Return the organisations that serve the area now or served it earlier, each once."""
    areas_served = AreaServed.objects.filter(area=area).select_related("organisation").order_by("organisation")
    organisation_by_id = {served.organisation_id: served.organisation for served in areas_served}
    return list(organisation_by_id.values())
