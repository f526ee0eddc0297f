"""Corrects names, areas served and areas, with a reason that the history keeps."""

from __future__ import annotations

import datetime as dt
from typing import TypedDict, Unpack

from django.db import transaction

from partnerships.activity.values import apply_changes
from partnerships.kit.names import fold_name
from partnerships.kit.rights import require
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import Area, AreaServed, NameKind, OrganisationName
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.areas import AreaFields, save_area
from partnerships.organisations.services.recording import lock_organisation, record_event
from partnerships.people.models import User

#: Kinds of names that are corrected on the organisation itself.
PRESENT_NAMES = frozenset({NameKind.OFFICIAL, NameKind.SHORT})


class UnableToCorrect(Exception):
    """The reason is missing, the dates are impossible, or there is such a row already."""


class NameFields(TypedDict, total=False):
    """Fields of a name that can be corrected; the official and short name are corrected on the organisation."""

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


def _check_reason_and_dates(reason: str, since: dt.date | None, until: dt.date | None) -> None:
    if not reason.strip():
        raise UnableToCorrect("Give a reason.")
    if since and until and until < since:
        raise UnableToCorrect("The end must not be before the start.")


@transaction.atomic
def correct_name(
    *, row: OrganisationName, reason: str, author: User | None, now: dt.datetime, **fields: Unpack[NameFields]
) -> tuple[str, ...]:
    """Correct a name other than the official and short one, and return the names of the changed fields.

    Raises `UnableToCorrect`.
    """
    require(roles_of(author, now).keeps_directory)
    organisation = lock_organisation(row.organisation_id)
    locked = OrganisationName.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if PRESENT_NAMES & {locked.kind, fields.get("kind")}:
        raise UnableToCorrect(
            "Correct the official or short name on the organisation’s own page. People can still find the "
            "organisation by its old name."
        )
    if "name" in fields:
        fields["name"] = " ".join(fields["name"].split())
    before, after = apply_changes(locked, fields)
    if not before:
        return ()
    _check_reason_and_dates(reason, locked.valid_from, locked.valid_to)
    if not locked.name:
        raise UnableToCorrect("Enter a name.")
    if organisation.names.filter(name=locked.name).exclude(pk=locked.pk).exists():
        raise UnableToCorrect(f"{organisation.name} already has the name “{locked.name}”. Enter a different name.")
    locked.folded = fold_name(locked.name)
    locked.save(update_fields=[*before, "folded"])
    data = {"before": before, "after": {"name": locked.name, **after}, "reason": reason.strip()}
    record_event(organisation, EventKind.NAME_CORRECTED, author=author, now=now, data=data)
    return tuple(before)


@transaction.atomic
def correct_area_served(
    *, served: AreaServed, reason: str, author: User | None, now: dt.datetime, **fields: Unpack[ServedFields]
) -> tuple[str, ...]:
    """Correct which area an organisation serves, and when; return the names of the changed fields.

    Raises `UnableToCorrect`.
    """
    require(roles_of(author, now).keeps_directory)
    organisation = lock_organisation(served.organisation_id)
    locked = AreaServed.objects.select_for_update(of=("self",)).select_related("area").get(pk=served.pk)
    before, after = apply_changes(locked, fields)
    if not before:
        return ()
    _check_reason_and_dates(reason, locked.starts_on, locked.ends_on)
    duplicates = AreaServed.objects.filter(organisation=organisation, area=locked.area, starts_on=locked.starts_on)
    if duplicates.exclude(pk=locked.pk).exists():
        raise UnableToCorrect(
            f"{organisation.name} already serves {locked.area.name} from that day. Choose another day or area."
        )
    locked.save(update_fields=list(before))
    data = {"before": before, "after": {"area": locked.area.name, **after}, "reason": reason.strip()}
    record_event(organisation, EventKind.AREA_CORRECTED, author=author, now=now, data=data)
    return tuple(before)


@transaction.atomic
def correct_area(
    *, area: Area, reason: str, author: User | None, now: dt.datetime, **fields: Unpack[AreaFields]
) -> tuple[str, ...]:
    """Correct an area, and return the names of the changed fields.

    The reason appears in the history of each organisation that serves it. The code never changes, because another code
    is another area. Raises `UnableToCorrect`.
    """
    require(roles_of(author, now).keeps_directory)
    old_values = {name: getattr(area, name) for name in fields}
    _check_reason_and_dates(reason, fields.get("valid_from", area.valid_from), fields.get("valid_to", area.valid_to))
    _, _, changed = save_area(code=area.code, **fields)
    if changed:
        data = {
            "before": {name: str(old_values[name] or "") for name in changed},
            "after": {"area": area.name, **{name: str(fields[name] or "") for name in changed}},  # type: ignore[literal-required]  # names of these fields
            "reason": reason.strip(),
        }
        serving = AreaServed.objects.filter(area=area).select_related("organisation").order_by("organisation")
        organisation_by_id = {served.organisation_id: served.organisation for served in serving}
        for organisation in organisation_by_id.values():
            record_event(organisation, EventKind.AREA_CORRECTED, author=author, now=now, data=data)
    return changed
