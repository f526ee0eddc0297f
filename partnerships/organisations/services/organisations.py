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
from partnerships.organisations.services.identifiers import holder_in_words
from partnerships.organisations.services.names import (
    add_names_of_many,
    change_official_name,
    change_short_name,
    is_name_of_another,
    rename_refusal,
)
from partnerships.organisations.services.own_sign_in import (
    end_sessions_by_password,
    required_since,
    sign_in_refusal,
)
from partnerships.organisations.services.recording import lock_organisation, new_organisation_event, record_event
from partnerships.outbox.services import record_emails
from partnerships.people.models import User
from partnerships.people.rights import may_change_network_settings

#: The kind of journal line about changed rules for signing in.
SIGN_IN_RULES = "ways in"
#: The key of the advisory lock for changes of groups. No other lock in this database may use this key.
_GROUPS_LOCK = 7_261_052
#: The fields with the rules for how an organisation's people sign in.
SIGN_IN_FIELDS = frozenset({"sign_in_provider", "own_sign_in_required_at", "second_factor_required"})


class UnableToCreateOrganisation(Exception):
    """Raised if the name is empty, or an identifier belongs to another organisation."""


class UnableToUpdateOrganisation(Exception):
    """Raised if the name, parent, dates or sign-in page are not valid.

    The name is empty or another organisation has it, the parent belongs to the organisation's own group, the dates are
    impossible, or the sign-in page does not exist or has not been used by a lead.
    """


class UnableToDissolve(Exception):
    """Raised if the organisation has already ended, or would end before it started."""


class OrganisationFields(TypedDict, total=False):
    """The optional fields of a new organisation."""

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
    """The fields of an organisation that can be changed later."""

    name: str
    kind: str
    own_sign_in_required: bool


@dataclass(frozen=True, slots=True)
class NewOrganisation:
    """An organisation to create."""

    name: str
    kind: str
    #: The identifiers, as pairs of scheme and value.
    identifiers: tuple[tuple[str, str], ...] = ()
    #: Further names, as pairs of name and kind.
    names: tuple[tuple[str, str], ...] = ()
    areas: tuple[Area, ...] = ()
    #: The first day of the identifiers, and the first day on which the identifiers are no longer valid.
    numbered_from: dt.date | None = None
    numbered_to: dt.date | None = None
    fields: OrganisationFields = field(default_factory=OrganisationFields)

    @property
    def all_names(self) -> list[tuple[str, str]]:
        """Return all names as pairs of name and kind, the official name first."""
        return [(self.name, NameKind.OFFICIAL), (self.fields.get("short_name", ""), NameKind.SHORT), *self.names]

    @property
    def clean_identifiers(self) -> list[tuple[str, str]]:
        """Return the identifiers as pairs of scheme and value, without empty values and surrounding spaces."""
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
    """Create an organisation with its identifiers, names and areas served.

    Identifiers are pairs of scheme and value, names pairs of name and kind. Raises `UnableToCreateOrganisation`.
    """
    new_organisation = NewOrganisation(
        name=name, kind=kind, identifiers=tuple(identifiers), names=tuple(names), areas=tuple(areas), fields=fields
    )
    return create_organisations(details=[new_organisation], author=author, now=now)[0]


@transaction.atomic
def create_organisations(
    *, details: Sequence[NewOrganisation], author: User | None, now: dt.datetime
) -> list[Organisation]:
    """Create organisations, all or none, and return them in the given order.

    A thousand organisations take as many queries as one. Raises `UnableToCreateOrganisation`.
    """
    require(roles_of(author, now).may_change_directory)
    details = [replace(detail, name=" ".join(detail.name.split())) for detail in details]
    if not all(detail.name for detail in details):
        raise UnableToCreateOrganisation("Enter a name for the organisation.")

    organisations = _insert_with_identifiers(details)
    organisations_with_details = list(zip(organisations, details, strict=True))
    add_names_of_many((organisation, detail.all_names) for organisation, detail in organisations_with_details)
    AreaServed.objects.bulk_create(
        AreaServed(organisation=organisation, area=area, starts_on=organisation.valid_from)
        for organisation, detail in organisations_with_details
        for area in detail.areas
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


def _insert_with_identifiers(details: Sequence[NewOrganisation]) -> list[Organisation]:
    """Insert the rows of organisations and of their identifiers, and return the organisations.

    Raises `UnableToCreateOrganisation` if an identifier belongs to another organisation.
    """
    organisations = [Organisation(name=detail.name, kind=detail.kind, **detail.fields) for detail in details]
    try:
        # A savepoint, because after the error of a constraint PostgreSQL would refuse the query for the holder.
        with transaction.atomic():
            Organisation.objects.bulk_create(organisations)
            Identifier.objects.bulk_create(
                Identifier(
                    organisation=organisation,
                    scheme=scheme,
                    value=value,
                    valid_from=detail.numbered_from,
                    valid_to=detail.numbered_to,
                )
                for organisation, detail in zip(organisations, details, strict=True)
                for scheme, value in detail.clean_identifiers
            )
    except IntegrityError as error:
        identifiers = [identifier for detail in details for identifier in detail.clean_identifiers]
        raise UnableToCreateOrganisation(holder_in_words(identifiers) or str(error).splitlines()[0]) from error
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
    """Change an organisation, and return the names of the changed fields.

    A new name starts on `named_from`, by default today, and people still find the organisation by its former names. If
    the rules for signing in change, the leads are emailed. If own sign-in becomes required, people are signed out at
    once, and leads a day later. Raises `UnableToUpdateOrganisation`.
    """
    if fields.get("parent") is not None:
        _lock_groups()
    locked_organisation = lock_organisation(organisation.pk)
    require(rights_over(locked_organisation, author, now).may_change(fields.keys()))

    before, after = _apply_fields(locked_organisation, fields, now=now)
    if not before:
        return ()
    is_by_member = author is not None and not author.is_staff
    _check_changed(locked_organisation, before, after, named_from=named_from, names_must_differ=is_by_member)

    locked_organisation.save(update_fields=list(before))
    today = timezone.localdate(now)
    if "name" in before:
        change_official_name(locked_organisation, before["name"], on=named_from or today)
    if "short_name" in before:
        change_short_name(locked_organisation, on=today)

    if SIGN_IN_FIELDS & before.keys():
        record_sign_in_change(locked_organisation, before=before, after=after, reason=reason, author=author, now=now)
    else:
        data = {"before": before, "after": after, "reason": reason}
        record_event(locked_organisation, EventKind.CHANGED, author=author, now=now, data=data)

    # The caller's object gets the new values, too.
    for name in before:
        setattr(organisation, name, getattr(locked_organisation, name))
    return tuple(before)


def _apply_fields(
    organisation: Organisation, fields: ChangedFields, *, now: dt.datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set the changed fields without saving, and return their values before and after.

    Raises `UnableToUpdateOrganisation` if the organisation cannot have these rules for signing in.
    """
    column_values: dict[str, Any] = {name: value for name, value in fields.items() if name != "own_sign_in_required"}
    provider = fields.get("sign_in_provider", organisation.sign_in_provider)
    is_required = fields.get("own_sign_in_required")
    if refusal := sign_in_refusal(organisation, provider=provider, required=bool(is_required)):
        raise UnableToUpdateOrganisation(refusal)

    column_values["own_sign_in_required_at"] = required_since(
        organisation, provider=provider, required=is_required, now=now
    )
    return apply_changes(organisation, column_values)


def _check_changed(
    organisation: Organisation,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    named_from: dt.date | None,
    names_must_differ: bool,
) -> None:
    """Raise `UnableToUpdateOrganisation` if the changed name, dates or parent are not valid.

    With `names_must_differ`, a name that another organisation has is not valid.
    """
    first_day, end_day = organisation.valid_from, organisation.valid_to
    if not organisation.name.strip():
        raise UnableToUpdateOrganisation("Enter a name for the organisation.")
    if first_day and end_day and end_day < first_day:
        raise UnableToUpdateOrganisation("The end must be on or after the start. Correct one of the two dates.")
    if names_must_differ and is_name_of_another(organisation, after):
        raise UnableToUpdateOrganisation("Another organisation already has this name. Enter a different name.")
    if "parent" in before and organisation.parent_id:
        _refuse_circle(organisation)
    if "name" in before and named_from and (refusal := rename_refusal(organisation, named_from)):
        raise UnableToUpdateOrganisation(refusal)


def record_sign_in_change(
    organisation: Organisation,
    *,
    before: dict[str, Any],
    after: dict[str, Any],
    reason: str,
    author: User | None,
    now: dt.datetime,
) -> None:
    """Record that an organisation's rules for signing in have changed, and email its leads.

    If own sign-in is required from now on, its people are signed out.
    """
    data = {"before": before, "after": after, "reason": reason}
    event = record_event(organisation, EventKind.CHANGED, author=author, now=now, data=data)
    journal_sign_in(organisation, now=now)

    lead_ids = [lead.pk for lead in leads_of(organisation)]
    record_emails(kind="organisations.ways_in", people=lead_ids, params={"event": event.pk}, now=now)

    if "own_sign_in_required_at" in before and organisation.own_sign_in_required:
        end_sessions_by_password(organisation)


@transaction.atomic
def recheck_own_sign_in(
    provider: str, *, since: dt.datetime | None, reason: str, author: User, now: dt.datetime
) -> None:
    """Change the moment from which organisations require a provider whose settings changed.

    If `since` is None, the provider is offered again but no longer required.
    """
    require(may_change_network_settings(author))
    organisations = Organisation.objects.filter(sign_in_provider=provider, own_sign_in_required_at__isnull=False)
    for organisation in organisations.select_for_update().order_by("pk"):
        before, after = apply_changes(organisation, {"own_sign_in_required_at": since})
        organisation.save(update_fields=list(before))
        record_sign_in_change(organisation, before=before, after=after, reason=reason, author=author, now=now)


def _lock_groups() -> None:
    """Let only one transaction at a time change parents, so that two transactions cannot create a circle.

    Call this before any row is locked, because the foreign key also locks the parent's row.
    """
    with connection.cursor() as cursor:
        # PostgreSQL releases this lock when the transaction ends.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_GROUPS_LOCK])


def _refuse_circle(organisation: Organisation) -> None:
    """Raise `UnableToUpdateOrganisation` if the new parent belongs to the organisation's own group."""
    if organisation.pk in ancestors_of(organisation.parent_id or 0):
        raise UnableToUpdateOrganisation(
            f"The new parent belongs to a group that {organisation.name} heads. Choose another parent."
        )


def organisation_identity(organisation: Organisation) -> str:
    """Return the journal's hash of an organisation's id and time of creation."""
    return journal.identity(organisation.pk, organisation.created_at)


def sign_in_identity(organisation: Organisation) -> str:
    """Return the journal's hash of an organisation's rules for signing in."""
    since = organisation.own_sign_in_required_at or ""
    return journal.identity(organisation.sign_in_provider, since, organisation.second_factor_required)


def journal_sign_in(organisation: Organisation, *, now: dt.datetime) -> None:
    """Write to the journal that an organisation's rules for signing in have changed."""
    journal.note(
        SIGN_IN_RULES,
        now=now,
        organisation=organisation.pk,
        same=organisation_identity(organisation),
        ways=sign_in_identity(organisation),
    )


@transaction.atomic
def dissolve(
    *, organisation: Organisation, on: dt.date | None, author: User | None, now: dt.datetime, reason: str = ""
) -> None:
    """End an organisation.

    `on` is the first day on which the organisation no longer exists, or None if this day is unknown. Raises
    `UnableToDissolve`.
    """
    require(roles_of(author, now).may_change_directory)
    locked_organisation = lock_organisation(organisation.pk)
    if locked_organisation.is_ended:
        raise UnableToDissolve(f"{locked_organisation.name} has already ended, so you cannot end it again.")
    if on and locked_organisation.valid_from and on < locked_organisation.valid_from:
        raise UnableToDissolve("The organisation cannot end before its first day. Enter a later day.")

    before, after = apply_changes(locked_organisation, {"status": Status.DISSOLVED, "valid_to": on})
    locked_organisation.save(update_fields=["status", "valid_to"])
    data = {"before": before, "after": after, "reason": reason}
    record_event(locked_organisation, EventKind.ENDED, author=author, now=now, data=data)

    organisation.status = locked_organisation.status
    organisation.valid_to = locked_organisation.valid_to
