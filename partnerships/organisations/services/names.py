"""Add names by which an organisation can be found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from partnerships.kit.dates import long_date
from partnerships.kit.names import fold_name
from partnerships.kit.rights import require
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import (
    NameKind,
    Organisation,
    OrganisationName,
)
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.recording import record_event
from partnerships.people.models import User


def keep_names(organisation: Organisation, names: Iterable[tuple[str, str]]) -> None:
    keep_names_of([(organisation, names)])


def keep_names_of(names_by_organisation: Iterable[tuple[Organisation, Iterable[tuple[str, str]]]]) -> None:
    """Add names (pairs of name and kind) of several organisations in one statement; those that they have stay."""
    rows = {
        (organisation.pk, name): OrganisationName(
            organisation=organisation, name=name, folded=fold_name(name), kind=kind
        )
        for organisation, names in names_by_organisation
        for name, kind in reversed([(" ".join(name.split()), kind) for name, kind in names])
        if name
    }
    OrganisationName.objects.bulk_create(rows.values(), ignore_conflicts=True)


def rename_refusal(organisation: Organisation, on: dt.date) -> str:
    """Why a new name cannot count from a day; empty: it can."""
    if organisation.valid_from is not None and on < organisation.valid_from:
        return f"The organisation cannot get a new name before its first day, {long_date(organisation.valid_from)}."
    present = organisation.names.filter(kind=NameKind.OFFICIAL, valid_from__gt=on).order_by("valid_from").first()
    if present is not None and present.valid_from is not None:
        return f"The organisation’s present name is valid from {long_date(present.valid_from)}: correct that first."
    return ""


def rename(organisation: Organisation, former: str, *, on: dt.date) -> None:
    """End the official name on a day and begin the organisation's present one."""
    keep_names(organisation, [(former, NameKind.FORMER)])
    organisation.names.filter(kind=NameKind.OFFICIAL).update(kind=NameKind.FORMER, valid_to=on)
    organisation.names.filter(name=former).update(kind=NameKind.FORMER, valid_to=on)
    keep_names(organisation, [(organisation.name, NameKind.OFFICIAL)])
    organisation.names.filter(name=organisation.name).update(kind=NameKind.OFFICIAL, valid_from=on, valid_to=None)


def is_anothers(organisation: Organisation, changed: dict[str, Any]) -> bool:
    """Whether a new name is already another organisation's name."""
    taken = [fold_name(changed[field]) for field in ("name", "short_name") if changed.get(field)]
    return OrganisationName.objects.filter(folded__in=taken).exclude(organisation=organisation).exists()


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
    """Add a name by which the organisation can be found.

    None for an empty name. A name that it has already is not added again.
    """
    require(roles_of(author, now).keeps_directory)
    name = " ".join(name.split())
    if not name:
        return None
    added_name, made = OrganisationName.objects.get_or_create(
        organisation=organisation,
        name=name,
        defaults={"folded": fold_name(name), "kind": kind, "valid_from": valid_from, "valid_to": valid_to},
    )
    if made:
        record_event(organisation, EventKind.NAME_ADDED, author=author, now=now, data={"after": {"name": name}})
    return added_name
