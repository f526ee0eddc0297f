"""Services that change the directory.

Organisations with their names and identifiers, areas served and successions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.activity.services import record
from partnerships.activity.values import apply_changes
from partnerships.kit.names import fold_name
from partnerships.kit.rights import require
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import (
    Area,
    AreaServed,
    Identifier,
    NameKind,
    Organisation,
    OrganisationName,
    Status,
    Succession,
    SuccessionPredecessor,
    SuccessionSuccessor,
)
from partnerships.organisations.queries import leads_of
from partnerships.organisations.rights import rights_over, roles_of
from partnerships.organisations.services.own_sign_in import (
    end_sessions_by_password,
    required_since,
    sign_in_refusal,
)
from partnerships.outbox.services import record_emails
from partnerships.people.models import User

#: The fields for how an organisation's people sign in.
_WAYS_IN = frozenset({"sign_in_provider", "own_sign_in_required_at", "second_factor_required"})


class UnableToCreateOrganisation(Exception):
    """The name is empty, or an identifier belongs to another organisation."""


class UnableToUpdateOrganisation(Exception):
    """The name, dates or sign-in are invalid.

    The name is empty or another organisation's, the dates are impossible, or the sign-in provider does not exist or
    has not been used by a lead.
    """


class UnableToAddIdentifier(Exception):
    """The identifier is empty or belongs to another organisation."""


class UnableToCorrectIdentifier(Exception):
    """The correction is invalid.

    The reason or value is missing, the dates are impossible, or the identifier belongs to another organisation.
    """


class UnableToRecordSuccession(Exception):
    """One side is empty, or an organisation is on both sides.

    Both sides are allowed for a boundary change.
    """


class UnableToDissolve(Exception):
    """The organisation has ended already, or would end before it began."""


class OrganisationFields(TypedDict, total=False):
    """Optional fields of a new organisation; see the model."""

    short_name: str
    council_type: str
    designation: str
    legal_form: str
    status: str
    region: Area | None
    parent: Organisation | None
    website: str
    valid_from: dt.date | None
    valid_to: dt.date | None
    second_factor_required: bool
    sign_in_provider: str


class IdentifierFields(TypedDict, total=False):
    """Fields of an identifier that can be corrected.

    Not its scheme: in another scheme it is another identifier.
    """

    organisation: Organisation
    value: str
    valid_from: dt.date | None
    valid_to: dt.date | None


class ChangedFields(OrganisationFields, total=False):
    """Fields of an organisation that can be changed later."""

    name: str
    kind: str
    own_sign_in_required: bool


def _note(
    organisation: Organisation,
    event: EventKind,
    *,
    author: User | None,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
) -> Event:
    return record(
        actor_id=author.pk if author else None,
        kind=event,
        target_kind="organisation",
        target_id=organisation.pk,
        now=now,
        data=data,
    )


@transaction.atomic
def create_organisation(
    *,
    name: str,
    kind: str,
    author: User | None,
    now: dt.datetime,
    identifiers: Iterable[tuple[str, str]] = (),
    names: Iterable[tuple[str, str]] = (),
    areas: Iterable[Area] = (),
    **fields: Unpack[OrganisationFields],
) -> Organisation:
    """A new organisation with its identifiers, names and areas served.

    Identifiers are pairs of scheme and value, names pairs of name and kind. Raises `UnableToCreateOrganisation`.
    """
    require(roles_of(author, now).keeps_directory)
    name = " ".join(name.split())
    identifiers = [(scheme, value.strip()) for scheme, value in identifiers if value.strip()]
    if not name:
        raise UnableToCreateOrganisation("Give the organisation a name.")
    organisation = Organisation(name=name, kind=kind, **fields)
    try:
        with transaction.atomic():
            organisation.save(force_insert=True)
            Identifier.objects.bulk_create(
                Identifier(organisation=organisation, scheme=scheme, value=value) for scheme, value in identifiers
            )
    except IntegrityError as error:
        raise UnableToCreateOrganisation(_who_holds(identifiers) or str(error).splitlines()[0]) from error
    _keep_names(organisation, [(name, NameKind.OFFICIAL), (organisation.short_name, NameKind.SHORT), *names])
    AreaServed.objects.bulk_create(
        AreaServed(organisation=organisation, area=area, starts_on=organisation.valid_from) for area in areas
    )
    _note(organisation, EventKind.ADDED, author=author, now=now, data={"after": {"name": name, "kind": kind}})
    return organisation


def _who_holds(identifiers: Sequence[tuple[str, str]]) -> str:
    """Says which organisation holds one of the identifiers; empty: none."""
    condition = Q(pk__in=[])
    for scheme, value in identifiers:
        condition |= Q(scheme=scheme, value=value)
    held = Identifier.objects.filter(condition).select_related("organisation").order_by("pk").first()
    return f"{held} stands for {held.organisation.name} already." if held else ""


def _keep_names(organisation: Organisation, names: Iterable[tuple[str, str]]) -> None:
    rows = {
        name: OrganisationName(organisation=organisation, name=name, folded=fold_name(name), kind=kind)
        for name, kind in reversed([(" ".join(name.split()), kind) for name, kind in names])
        if name
    }
    OrganisationName.objects.bulk_create(rows.values(), ignore_conflicts=True)


def _is_anothers(organisation: Organisation, changed: dict[str, Any]) -> bool:
    """Whether a new name is already another organisation's name."""
    taken = [fold_name(changed[field]) for field in ("name", "short_name") if changed.get(field)]
    return OrganisationName.objects.filter(folded__in=taken).exclude(organisation=organisation).exists()


@transaction.atomic
def update_organisation(
    *,
    organisation: Organisation,
    author: User | None,
    now: dt.datetime,
    reason: str = "",
    **fields: Unpack[ChangedFields],
) -> tuple[str, ...]:
    """Change what differs and return the names of the changed fields.

    A former name stays findable. The leads are emailed when the way their people sign in changes. When own sign-in
    becomes required, people are signed out, leads after a day. Raises `UnableToUpdateOrganisation`.
    """
    locked = Organisation.objects.select_for_update().get(pk=organisation.pk)
    require(rights_over(locked, author, now).may_change(fields.keys()))
    required = fields.pop("own_sign_in_required", None)
    provider = fields.get("sign_in_provider", locked.sign_in_provider)
    if words := sign_in_refusal(locked, provider=provider, required=bool(required)):
        raise UnableToUpdateOrganisation(words)
    since = required_since(locked, provider=provider, required=required, now=now)
    before, after = apply_changes(locked, {**fields, "own_sign_in_required_at": since})
    if not before:
        return ()
    if not locked.name.strip():
        raise UnableToUpdateOrganisation("Give the organisation a name.")
    if locked.valid_from and locked.valid_to and locked.valid_to < locked.valid_from:
        raise UnableToUpdateOrganisation("The end must not be before the start.")
    if author is not None and not author.is_staff and _is_anothers(locked, after):
        raise UnableToUpdateOrganisation("Another organisation goes by this name.")
    locked.save(update_fields=list(before))
    today = timezone.localdate(now)
    if "name" in before:
        locked.names.filter(kind=NameKind.OFFICIAL).update(kind=NameKind.FORMER, valid_to=today)
        locked.names.filter(name=locked.name).update(kind=NameKind.OFFICIAL, valid_to=None)
        _keep_names(locked, [(locked.name, NameKind.OFFICIAL)])
    if "short_name" in before:
        locked.names.filter(kind=NameKind.SHORT).update(kind=NameKind.FORMER, valid_to=today)
        again = locked.names.filter(name=locked.short_name).exclude(kind=NameKind.OFFICIAL)
        again.update(kind=NameKind.SHORT, valid_to=None)
        _keep_names(locked, [(locked.short_name, NameKind.SHORT)])
    event = _note(
        locked,
        EventKind.CHANGED,
        author=author,
        now=now,
        data={"before": before, "after": after, "reason": reason},
    )
    if _WAYS_IN & before.keys():
        record_emails(
            kind="organisations.ways_in",
            people=[lead.pk for lead in leads_of(locked)],
            params={"event": event.pk},
            now=now,
        )
    if "own_sign_in_required_at" in before and locked.own_sign_in_required:
        end_sessions_by_password(locked)
    for name in before:
        setattr(organisation, name, getattr(locked, name))
    return tuple(before)


@transaction.atomic
def add_identifier(
    *,
    organisation: Organisation,
    scheme: str,
    value: str,
    author: User | None,
    now: dt.datetime,
    valid_from: dt.date | None = None,
    valid_to: dt.date | None = None,
    reason: str = "",
) -> Identifier:
    """The identifier, created unless this organisation has it already.

    Raises `UnableToAddIdentifier`.
    """
    require(roles_of(author, now).keeps_directory)
    value = value.strip()
    if not value:
        raise UnableToAddIdentifier("Give the identifier a value.")
    found, made = Identifier.objects.get_or_create(
        scheme=scheme,
        value=value,
        defaults={"organisation": organisation, "valid_from": valid_from, "valid_to": valid_to},
    )
    if found.organisation_id != organisation.pk:
        raise UnableToAddIdentifier(f"{found} stands for {found.organisation.name} already.")
    if made:
        _note(
            organisation,
            EventKind.IDENTIFIER_ADDED,
            author=author,
            now=now,
            data={"after": {"identifier": str(found)}, "reason": reason.strip()},
        )
    return found


@transaction.atomic
def correct_identifier(
    *,
    identifier: Identifier,
    reason: str,
    author: User | None,
    now: dt.datetime,
    **fields: Unpack[IdentifierFields],
) -> tuple[str, ...]:
    """Correct an identifier and return the names of the changed fields.

    If it moves to another organisation, the event is in both organisations' timelines. Raises
    `UnableToCorrectIdentifier`.
    """
    require(roles_of(author, now).keeps_directory)
    locked = Identifier.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=identifier.pk)
    holder, was = locked.organisation, str(locked)
    before, after = apply_changes(locked, fields)
    if not before:
        return ()
    if not reason.strip():
        raise UnableToCorrectIdentifier("Say why.")
    locked.value = locked.value.strip()
    if not locked.value:
        raise UnableToCorrectIdentifier("Give the identifier a value.")
    if locked.valid_from and locked.valid_to and locked.valid_to < locked.valid_from:
        raise UnableToCorrectIdentifier("The end must not be before the start.")
    taken = Identifier.objects.filter(scheme=locked.scheme, value=locked.value).exclude(pk=locked.pk)
    if other := taken.select_related("organisation").first():
        raise UnableToCorrectIdentifier(f"{other} stands for {other.organisation.name} already.")
    locked.save(update_fields=list(before))
    for body in {holder.pk: holder, locked.organisation_id: locked.organisation}.values():
        _note(
            body,
            EventKind.IDENTIFIER_CORRECTED,
            author=author,
            now=now,
            data={
                "before": {"identifier": was, **before},
                "after": {"identifier": str(locked), **after},
                "reason": reason.strip(),
            },
        )
    for name in before:
        setattr(identifier, name, getattr(locked, name))
    return tuple(before)


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
    found, made = OrganisationName.objects.get_or_create(
        organisation=organisation,
        name=name,
        defaults={"folded": fold_name(name), "kind": kind, "valid_from": valid_from, "valid_to": valid_to},
    )
    if made:
        _note(organisation, EventKind.NAME_ADDED, author=author, now=now, data={"after": {"name": name}})
    return found


@transaction.atomic
def serve_area(
    *,
    organisation: Organisation,
    area: Area,
    author: User | None,
    now: dt.datetime,
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
    source: str = "",
) -> AreaServed:
    """Record that the organisation serves the area between two days.

    The last day is exclusive; None leaves a side open.
    """
    require(roles_of(author, now).keeps_directory)
    served, made = AreaServed.objects.get_or_create(
        organisation=organisation,
        area=area,
        starts_on=starts_on,
        defaults={"ends_on": ends_on, "source": source},
    )
    if made:
        _note(organisation, EventKind.AREA_ADDED, author=author, now=now, data={"after": {"area": area.name}})
    return served


@transaction.atomic
def end_area_served(*, served: AreaServed, on: dt.date, author: User | None, now: dt.datetime) -> None:
    """End the area served: this day is the first without it."""
    require(roles_of(author, now).keeps_directory)
    AreaServed.objects.filter(pk=served.pk).update(ends_on=on)
    served.ends_on = on
    _note(
        served.organisation,
        EventKind.AREA_ENDED,
        author=author,
        now=now,
        data={"after": {"area": served.area.name, "ends_on": on.isoformat()}},
    )


@transaction.atomic
def record_succession(
    *,
    kind: str,
    on: dt.date | None,
    predecessors: Iterable[Organisation],
    successors: Iterable[Organisation],
    author: User | None,
    now: dt.datetime,
    instrument: str = "",
    source: str = "",
) -> Succession:
    """Record who followed whom on a day; the same again makes no new row.

    It does not end the predecessors: see `dissolve`. Raises `UnableToRecordSuccession`.
    """
    require(roles_of(author, now).keeps_directory)
    before, after = {one.pk for one in predecessors}, {one.pk for one in successors}
    if not before or not after:
        raise UnableToRecordSuccession("Name at least one predecessor and one successor.")
    if before & after and (before == after or len(before) == len(after) == 1):
        raise UnableToRecordSuccession("An organisation cannot follow itself.")
    list(Organisation.objects.select_for_update().filter(pk__in=before | after).order_by("pk"))
    for known in Succession.objects.filter(kind=kind, on=on, predecessors__in=before).distinct():
        if set(known.predecessors.values_list("pk", flat=True)) == before and (
            set(known.successors.values_list("pk", flat=True)) == after
        ):
            return known
    succession = Succession.objects.create(kind=kind, on=on, instrument=instrument, source=source)
    SuccessionPredecessor.objects.bulk_create(
        SuccessionPredecessor(succession=succession, organisation_id=pk) for pk in sorted(before)
    )
    SuccessionSuccessor.objects.bulk_create(
        SuccessionSuccessor(succession=succession, organisation_id=pk) for pk in sorted(after)
    )
    for organisation in Organisation.objects.filter(pk__in=before | after).order_by("pk"):
        _note(
            organisation,
            EventKind.SUCCESSION_RECORDED,
            author=author,
            now=now,
            data={"after": {"kind": kind, "on": on.isoformat() if on else None, "succession": succession.pk}},
        )
    return succession


@transaction.atomic
def dissolve(
    *, organisation: Organisation, on: dt.date | None, author: User | None, now: dt.datetime, reason: str = ""
) -> None:
    """End the organisation.

    `on` is the first day on which it no longer existed (None: unknown). Raises `UnableToDissolve`.
    """
    require(roles_of(author, now).keeps_directory)
    locked = Organisation.objects.select_for_update().get(pk=organisation.pk)
    if locked.is_ended:
        raise UnableToDissolve(f"{locked.name} has ended already.")
    if on and locked.valid_from and on < locked.valid_from:
        raise UnableToDissolve("It cannot end before it began.")
    before, after = apply_changes(locked, {"status": Status.DISSOLVED, "valid_to": on})
    locked.save(update_fields=["status", "valid_to"])
    _note(
        locked,
        EventKind.ENDED,
        author=author,
        now=now,
        data={"before": before, "after": after, "reason": reason},
    )
    organisation.status, organisation.valid_to = locked.status, locked.valid_to


@transaction.atomic
def mark_missing(
    *, organisation: Organisation, register: str, as_of: dt.date, author: User | None, now: dt.datetime
) -> bool:
    """Record that a register's latest list lacks it; whether that is new.

    Each register counts separately: a council can be missing from one of two lists.
    """
    require(roles_of(author, now).keeps_directory)
    locked = Organisation.objects.select_for_update().get(pk=organisation.pk)
    if register in locked.missing_from:
        return False
    _keep_missing(organisation, locked, {**locked.missing_from, register: as_of.isoformat()})
    _note(
        organisation,
        EventKind.MISSING_FROM_LIST,
        author=author,
        now=now,
        data={"after": {"missing_from": register, "since": as_of.isoformat()}},
    )
    return True


@transaction.atomic
def mark_found(*, organisation: Organisation, author: User | None, now: dt.datetime, register: str = "") -> bool:
    """Record that its register lists it again, or that somebody checked it.

    With a register, only that register's mark is cleared. Returns whether anything changed.
    """
    require(roles_of(author, now).keeps_directory)
    locked = Organisation.objects.select_for_update().get(pk=organisation.pk)
    before = locked.missing_from
    left = {name: day for name, day in before.items() if register and name != register}
    if left == before:
        return False
    _keep_missing(organisation, locked, left)
    _note(
        organisation,
        EventKind.BACK_IN_LIST,
        author=author,
        now=now,
        data={"before": {"missing_from": sorted(before)}, "after": {"missing_from": sorted(left)}},
    )
    return True


def _keep_missing(organisation: Organisation, locked: Organisation, missing_from: dict[str, str]) -> None:
    locked.missing_from = missing_from
    locked.missing_since = min(map(dt.date.fromisoformat, missing_from.values()), default=None)
    locked.save(update_fields=["missing_from", "missing_since"])
    organisation.missing_from, organisation.missing_since = locked.missing_from, locked.missing_since
