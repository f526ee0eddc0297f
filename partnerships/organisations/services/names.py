"""Add and change the names by which people find an organisation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from partnerships.kit.dates import long_date
from partnerships.kit.names import fold_name
from partnerships.kit.rights import require
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import NameKind, Organisation, OrganisationName
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.recording import record_event
from partnerships.people.models import User


def add_names(organisation: Organisation, names: Iterable[tuple[str, str]]) -> None:
    """Add names to an organisation, as pairs of name and kind. Its existing names do not change."""
    add_names_of_many([(organisation, names)])


def add_names_of_many(names_by_organisation: Iterable[tuple[Organisation, Iterable[tuple[str, str]]]]) -> None:
    """Add names to several organisations in one statement, as pairs of name and kind.

    Existing names do not change. If a name is given twice, its first kind is used.
    """
    row_by_name: dict[tuple[int, str], OrganisationName] = {}
    for organisation, names in names_by_organisation:
        for raw_name, kind in names:
            name = " ".join(raw_name.split())
            row = OrganisationName(organisation=organisation, name=name, folded=fold_name(name), kind=kind)
            if name:
                row_by_name.setdefault((organisation.pk, name), row)
    OrganisationName.objects.bulk_create(row_by_name.values(), ignore_conflicts=True)


def rename_refusal(organisation: Organisation, on: dt.date) -> str:
    """Return why a new name cannot start on a day; "" if it can."""
    first_day = organisation.valid_from
    if first_day is not None and on < first_day:
        return f"The organisation cannot get a new name before its first day, {long_date(first_day)}."
    later_name = organisation.names.filter(kind=NameKind.OFFICIAL, valid_from__gt=on).order_by("valid_from").first()
    if later_name is not None and later_name.valid_from is not None:
        name_day = long_date(later_name.valid_from)
        return f"The organisation’s present name is valid from {name_day}. Correct that date first."
    return ""


def change_official_name(organisation: Organisation, former_name: str, *, on: dt.date) -> None:
    """End the former official name on a day, and start the organisation's present official name on the same day."""
    # Either name may lack a row, so it is added before the rows change.
    add_names(organisation, [(former_name, NameKind.FORMER)])
    organisation.names.filter(kind=NameKind.OFFICIAL).update(kind=NameKind.FORMER, valid_to=on)
    organisation.names.filter(name=former_name).update(kind=NameKind.FORMER, valid_to=on)

    add_names(organisation, [(organisation.name, NameKind.OFFICIAL)])
    organisation.names.filter(name=organisation.name).update(kind=NameKind.OFFICIAL, valid_from=on, valid_to=None)


def change_short_name(organisation: Organisation, *, on: dt.date) -> None:
    """End the former short name on a day, and make the organisation's present short name findable."""
    organisation.names.filter(kind=NameKind.SHORT).update(kind=NameKind.FORMER_SHORT, valid_to=on)
    earlier_rows = organisation.names.filter(name=organisation.short_name).exclude(kind=NameKind.OFFICIAL)
    earlier_rows.update(kind=NameKind.SHORT, valid_to=None)
    add_names(organisation, [(organisation.short_name, NameKind.SHORT)])


def is_name_of_another(organisation: Organisation, new_values: dict[str, Any]) -> bool:
    """Return True if another organisation already has one of the changed names."""
    new_names = [fold_name(new_values[field]) for field in ("name", "short_name") if new_values.get(field)]
    return OrganisationName.objects.filter(folded__in=new_names).exclude(organisation=organisation).exists()


@transaction.atomic
def add_name(
    *,
    organisation: Organisation,
    name: str,
    kind: str,
    author: User | None,
    now: dt.datetime,
    valid_from: dt.date | None = None,
    valid_to: dt.date | None = None,
) -> OrganisationName | None:
    """Return the organisation's name with this text, which is added if necessary; None if the text is empty."""
    require(roles_of(author, now).may_change_directory)
    name = " ".join(name.split())
    if not name:
        return None
    organisation_name, is_new = OrganisationName.objects.get_or_create(
        organisation=organisation,
        name=name,
        defaults={"folded": fold_name(name), "kind": kind, "valid_from": valid_from, "valid_to": valid_to},
    )
    if is_new:
        record_event(organisation, EventKind.NAME_ADDED, author=author, now=now, data={"after": {"name": name}})
    return organisation_name
