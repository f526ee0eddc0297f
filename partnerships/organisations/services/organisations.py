"""Create, change and end organisations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from partnerships.activity.services import record_all
from partnerships.activity.values import apply_changes
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import (
    Area,
    AreaServed,
    Identifier,
    NameKind,
    Organisation,
    Status,
)
from partnerships.organisations.queries import ancestors_of, leads_of
from partnerships.organisations.rights import rights_over, roles_of
from partnerships.organisations.services.identifiers import holder_of
from partnerships.organisations.services.names import is_anothers, keep_names, keep_names_of, rename, rename_refusal
from partnerships.organisations.services.own_sign_in import (
    end_sessions_by_password,
    required_since,
    sign_in_refusal,
)
from partnerships.organisations.services.recording import lock_organisation, new_organisation_event, record_event
from partnerships.outbox.services import record_emails
from partnerships.people.models import User
from partnerships.people.rights import keeps_network

#: The journal's name for another way to sign in.
WAYS_IN = "ways in"
#: Not used by any other advisory lock in this database.
_GROUPS = 7_261_052
#: The fields for how an organisation's people sign in.
WAYS_IN_FIELDS = frozenset({"sign_in_provider", "own_sign_in_required_at", "second_factor_required"})


class UnableToCreateOrganisation(Exception):
    """The name is empty, or an identifier belongs to another organisation."""


class UnableToUpdateOrganisation(Exception):
    """The name, dates or sign-in are invalid.

    The name is empty or another organisation's, the dates are impossible, or the sign-in provider does not exist or
    has not been used by a lead.
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
    is_demonstration: bool


class ChangedFields(OrganisationFields, total=False):
    """Fields of an organisation that can be changed later."""

    name: str
    kind: str
    own_sign_in_required: bool


@dataclass(frozen=True, slots=True)
class NewOrganisation:
    """An organisation to create.

    Identifiers are pairs of scheme and value, names pairs of name and kind. The identifiers count from `numbered_from`
    to `numbered_to`, if these are known.
    """

    name: str
    kind: str
    identifiers: tuple[tuple[str, str], ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    areas: tuple[Area, ...] = ()
    numbered_from: dt.date | None = None
    numbered_to: dt.date | None = None
    fields: OrganisationFields = field(default_factory=OrganisationFields)

    @property
    def given_names(self) -> list[tuple[str, str]]:
        """All its names, the official one first."""
        return [(self.name, NameKind.OFFICIAL), (self.fields.get("short_name", ""), NameKind.SHORT), *self.names]

    @property
    def given_identifiers(self) -> list[tuple[str, str]]:
        """Its identifiers without spaces around them and without empty ones."""
        return [(scheme, value.strip()) for scheme, value in self.identifiers if value.strip()]


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
    new = NewOrganisation(
        name=name, kind=kind, identifiers=tuple(identifiers), names=tuple(names), areas=tuple(areas), fields=fields
    )
    return create_organisations(bodies=[new], author=author, now=now)[0]


@transaction.atomic
def create_organisations(
    *, bodies: Sequence[NewOrganisation], author: User | None, now: dt.datetime
) -> list[Organisation]:
    """New organisations, in their order; as many queries for a thousand as for one.

    Raises `UnableToCreateOrganisation`, and then creates none.
    """
    require(roles_of(author, now).keeps_directory)
    bodies = [replace(body, name=" ".join(body.name.split())) for body in bodies]
    if not all(body.name for body in bodies):
        raise UnableToCreateOrganisation("Give the organisation a name.")
    organisations = [Organisation(name=body.name, kind=body.kind, **body.fields) for body in bodies]
    try:
        with transaction.atomic():
            Organisation.objects.bulk_create(organisations)
            Identifier.objects.bulk_create(
                Identifier(
                    organisation=organisation,
                    scheme=scheme,
                    value=value,
                    valid_from=body.numbered_from,
                    valid_to=body.numbered_to,
                )
                for organisation, body in zip(organisations, bodies, strict=True)
                for scheme, value in body.given_identifiers
            )
    except IntegrityError as error:
        holder = holder_of([pair for body in bodies for pair in body.given_identifiers])
        raise UnableToCreateOrganisation(holder or str(error).splitlines()[0]) from error
    keep_names_of((organisation, body.given_names) for organisation, body in zip(organisations, bodies, strict=True))
    AreaServed.objects.bulk_create(
        AreaServed(organisation=organisation, area=area, starts_on=organisation.valid_from)
        for organisation, body in zip(organisations, bodies, strict=True)
        for area in body.areas
    )
    record_all(
        new_organisation_event(
            organisation,
            EventKind.ADDED,
            author=author,
            now=now,
            data={"after": {"name": organisation.name, "kind": organisation.kind}},
        )
        for organisation in organisations
    )
    return organisations


@transaction.atomic
def update_organisation(
    *,
    organisation: Organisation,
    author: User | None,
    now: dt.datetime,
    reason: str = "",
    named_from: dt.date | None = None,
    **fields: Unpack[ChangedFields],
) -> tuple[str, ...]:
    """Change what differs and return the names of the changed fields.

    A former name stays findable; a new one counts from `named_from`, by default today. The leads are emailed when the
    way their people sign in changes. When own sign-in becomes required, people are signed out, leads after a day.
    Raises `UnableToUpdateOrganisation`.
    """
    if fields.get("parent") is not None:
        _lock_groups()
    locked = lock_organisation(organisation.pk)
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
    if author is not None and not author.is_staff and is_anothers(locked, after):
        raise UnableToUpdateOrganisation("Another organisation already has this name.")
    if "parent" in before and locked.parent_id:
        _refuse_circle(locked)
    today = timezone.localdate(now)
    if "name" in before and named_from and (words := rename_refusal(locked, named_from)):
        raise UnableToUpdateOrganisation(words)
    locked.save(update_fields=list(before))
    if "name" in before:
        rename(locked, before["name"], on=named_from or today)
    if "short_name" in before:
        locked.names.filter(kind=NameKind.SHORT).update(kind=NameKind.FORMER_SHORT, valid_to=today)
        again = locked.names.filter(name=locked.short_name).exclude(kind=NameKind.OFFICIAL)
        again.update(kind=NameKind.SHORT, valid_to=None)
        keep_names(locked, [(locked.short_name, NameKind.SHORT)])
    if WAYS_IN_FIELDS & before.keys():
        tell_ways_in(locked, before=before, after=after, reason=reason, author=author, now=now)
    else:
        data = {"before": before, "after": after, "reason": reason}
        record_event(locked, EventKind.CHANGED, author=author, now=now, data=data)
    for name in before:
        setattr(organisation, name, getattr(locked, name))
    return tuple(before)


def tell_ways_in(
    organisation: Organisation,
    *,
    before: dict[str, Any],
    after: dict[str, Any],
    reason: str,
    author: User | None,
    now: dt.datetime,
) -> None:
    """Record that its people sign in in another way, and email its leads.

    Where own sign-in is required now, people are signed out.
    """
    event = record_event(
        organisation,
        EventKind.CHANGED,
        author=author,
        now=now,
        data={"before": before, "after": after, "reason": reason},
    )
    journal_ways_in(organisation, now=now)
    record_emails(
        kind="organisations.ways_in",
        people=[lead.pk for lead in leads_of(organisation)],
        params={"event": event.pk},
        now=now,
    )
    if "own_sign_in_required_at" in before and organisation.own_sign_in_required:
        end_sessions_by_password(organisation)


@transaction.atomic
def retry_own_sign_in(provider: str, *, since: dt.datetime | None, reason: str, author: User, now: dt.datetime) -> None:
    """Require a provider whose settings changed only from another moment on, or, with None, offer it alone again."""
    require(keeps_network(author))
    requiring = Organisation.objects.filter(sign_in_provider=provider, own_sign_in_required_at__isnull=False)
    for organisation in requiring.select_for_update().order_by("pk"):
        before, after = apply_changes(organisation, {"own_sign_in_required_at": since})
        organisation.save(update_fields=list(before))
        tell_ways_in(organisation, before=before, after=after, reason=reason, author=author, now=now)


def _lock_groups() -> None:
    """Let one parent change at a time, so that two at once do not make a circle.

    Before any row is locked: the parent's row is locked too, by its foreign key.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_GROUPS])


def _refuse_circle(organisation: Organisation) -> None:
    """Refuse a parent that is part of the organisation's own group."""
    if organisation.pk in ancestors_of(organisation.parent_id or 0):
        raise UnableToUpdateOrganisation(
            f"{organisation.name} heads a group that its new parent is part of. Choose another parent."
        )


def organisation_identity(organisation: Organisation) -> str:
    """The journal's hash of an organisation."""
    return journal.identity(organisation.pk, organisation.created_at)


def ways_in_identity(organisation: Organisation) -> str:
    """The journal's hash of how an organisation's people sign in."""
    since = organisation.own_sign_in_required_at or ""
    return journal.identity(organisation.sign_in_provider, since, organisation.second_factor_required)


def journal_ways_in(organisation: Organisation, *, now: dt.datetime) -> None:
    """Note that an organisation's people sign in in another way."""
    journal.note(
        WAYS_IN,
        now=now,
        organisation=organisation.pk,
        same=organisation_identity(organisation),
        ways=ways_in_identity(organisation),
    )


@transaction.atomic
def dissolve(
    *, organisation: Organisation, on: dt.date | None, author: User | None, now: dt.datetime, reason: str = ""
) -> None:
    """End the organisation.

    `on` is the first day on which it no longer existed (None: unknown). Raises `UnableToDissolve`.
    """
    require(roles_of(author, now).keeps_directory)
    locked = lock_organisation(organisation.pk)
    if locked.is_ended:
        raise UnableToDissolve(f"{locked.name} has already ended.")
    if on and locked.valid_from and on < locked.valid_from:
        raise UnableToDissolve("The organisation cannot end before it began.")
    before, after = apply_changes(locked, {"status": Status.DISSOLVED, "valid_to": on})
    locked.save(update_fields=["status", "valid_to"])
    record_event(
        locked,
        EventKind.ENDED,
        author=author,
        now=now,
        data={"before": before, "after": after, "reason": reason},
    )
    organisation.status, organisation.valid_to = locked.status, locked.valid_to
