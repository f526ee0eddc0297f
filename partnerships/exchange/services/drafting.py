"""Services that write and change asks and offers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NotRequired, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.agreements.origin import OriginRecord, UnableToLinkOrigin
from partnerships.commitments.models import unit_fault
from partnerships.exchange.models import Addressee, Direction, Entry, Status, theme_fault
from partnerships.exchange.rights import rights_over
from partnerships.exchange.services.recording import (
    UnableToChangeEntry,
    event_kind_of,
    lock_entry,
    record_event,
)
from partnerships.exchange.services.sharing import check_addressing, check_closing_date, set_matching_keys
from partnerships.exchange.services.status import takes_answers, update_entry_status
from partnerships.kit.rights import require
from partnerships.organisations.models import Area, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


class UnableToWriteEntry(UnableToChangeEntry):
    """Raised if the content is invalid, or the organisations cannot be asked."""


class UnableToEditEntry(UnableToChangeEntry):
    """Raised if the entry is over, or a colleague has changed it since the author opened it."""


class EntryDetails(TypedDict, total=False):
    """The fields of an entry apart from its title, theme and audience."""

    statement: str
    rationale: str
    quantity: Decimal | None
    unit: str
    site: str
    available_from: dt.date | None
    available_until: dt.date | None
    closes_on: dt.date | None
    conditions: str
    private_note: str
    standing: bool


@dataclass(frozen=True, slots=True)
class EntrySharing:
    """Who an entry is shared with."""

    audience: str
    #: The partnership of the entry, if any.
    partnership: Partnership | None = None
    #: The organisations that the entry asks by name.
    addressees: Iterable[Organisation] = ()


class EntryContent(EntryDetails, total=False):
    """The fields that an edit can change, apart from the audience."""

    title: str
    theme: str


class NewEntryContent(EntryDetails):
    """The fields of a new entry. Only the partnership may be left out."""

    direction: str
    audience: str
    title: str
    theme: str
    partnership: NotRequired[Partnership | None]


#: Fields that the timeline never shows, because only the entry's organisation may read them.
_RESTRICTED = {"private_note"}


@transaction.atomic
def create_entry(
    *,
    organisation: Organisation,
    author: User | None,
    now: dt.datetime,
    addressees: Iterable[Organisation] = (),
    areas: Iterable[Area] = (),
    key: uuid.UUID | None = None,
    came_from: OriginRecord | None = None,
    **content: Unpack[NewEntryContent],
) -> Entry:
    """Create a draft. Raises `UnableToWriteEntry`.

    `came_from` is the record that led to the entry, for example a recommendation. If the organisation already
    has an entry with this `key`, because a form was sent twice, that entry is returned.
    """
    require(roles_of(author, now).may_edit_for(organisation.pk))
    addressees = list(addressees)
    entry = Entry(
        organisation=organisation,
        created_by=author,
        created_at=now,
        changed_at=now,
        key=key or uuid.uuid4(),
        **content,
    )
    entry.title = entry.title.strip()
    _check_content(entry)
    if fault := theme_fault(entry.theme) or unit_fault(entry.unit):
        raise UnableToWriteEntry(fault)
    addressee_ids = {addressee.pk for addressee in addressees}
    check_addressing(entry, addressee_ids, UnableToWriteEntry, timezone.localdate(now))

    try:
        with transaction.atomic():
            entry.save()
    except IntegrityError:
        # The form was sent twice.
        return Entry.objects.get(key=entry.key, organisation=organisation)
    entry.areas.set(areas)
    _set_addressees(entry, addressees)

    record_event(entry, event=event_kind_of(entry, "drafted"), author=author, organisation=organisation, now=now)
    if came_from is not None and author is not None:
        _link_origin(entry, came_from, author, now)
    return entry


def _link_origin(entry: Entry, came_from: OriginRecord, author: User, now: dt.datetime) -> None:
    """Link a new entry with the record that led to it. Raises `UnableToWriteEntry`."""
    try:
        came_from.origin.link(entry, came_from.record, author, now)
    except UnableToLinkOrigin as error:
        raise UnableToWriteEntry(str(error)) from error


@transaction.atomic
def edit_entry(
    *,
    entry: Entry,
    author: User | None,
    now: dt.datetime,
    revision: int | None = None,
    sharing: EntrySharing | None = None,
    areas: Iterable[Area] | None = None,
    **details: Unpack[EntryContent],
) -> Entry:
    """Change an entry. Raises `UnableToEditEntry` or `UnableToWriteEntry`.

    `revision` is the revision that the author read. The edit is refused if the entry has changed since. `sharing` can
    change only while the entry is a draft, so that text written for some readers is not shown to others later.

    If a shared entry gets a new closing date, people are reminded of the new date too. If the old date had closed the
    entry, it takes answers again.
    """
    lock_entry(entry)
    require(rights_over(entry, author, now).may_edit)
    _check_edit(entry, details, revision)

    values_before = _timeline_values(entry)
    _change_content(entry, details, sharing, timezone.localdate(now))
    if areas is not None:
        entry.areas.set(areas)
    before, after = _differing_values(values_before, _timeline_values(entry))

    entry.revision += 1
    if after:
        # Former parties may read an entry only while it has not changed since they left.
        entry.changed_at = now
    if not entry.is_draft:
        set_matching_keys(entry)
    entry.save()

    if after:
        # The event of a draft contains no text, because later readers of the shared entry must not see earlier text.
        changes = {} if entry.is_draft else {"before": before, "after": after}
        record_event(
            entry,
            event=event_kind_of(entry, "changed"),
            author=author,
            organisation=entry.organisation_id,
            now=now,
            **changes,
        )
    if "quantity" in after:
        update_entry_status(entry=entry, author=author, now=now)
    return entry


def _check_edit(entry: Entry, details: EntryContent, revision: int | None) -> None:
    """Refuse an edit of an entry that is over or has changed, or with a theme or unit that is not listed."""
    if entry.is_over:
        raise UnableToEditEntry(refusal_of_change(entry))
    if revision is not None and revision != entry.revision:
        raise UnableToEditEntry(
            f"A colleague has changed this {entry.noun} since you opened it. "
            "Open its page again, read the changes, then make yours."
        )

    theme_error = theme_fault(details.get("theme", entry.theme), keep=entry.theme)
    unit_error = unit_fault(details.get("unit", entry.unit), keep=entry.unit)
    if theme_error or unit_error:
        raise UnableToWriteEntry(theme_error or unit_error)


def _change_content(entry: Entry, details: EntryContent, sharing: EntrySharing | None, today: dt.date) -> None:
    """Set the fields of an entry, its audience and its closing date, and check the result. The caller saves it."""
    previous_closing_date, previous_end_date = entry.closes_on, entry.available_until
    for name, value in details.items():
        setattr(entry, name, value)
    if sharing is not None:
        _change_sharing(entry, sharing, today)

    if entry.quantity is not None and entry.quantity < entry.agreed_quantity:
        agreed_amount = entry.in_words(entry.agreed_quantity)
        raise UnableToEditEntry(f"Enter at least {agreed_amount}, because that much is already agreed.")
    _check_content(entry)
    if not entry.is_draft:
        _move_closing_date(entry, previous_closing_date, previous_end_date, today)


def refusal_of_change(entry: Entry) -> str:
    """Return the refusal to change an entry that is over."""
    return f"This {entry.noun} is {entry.get_status_display().lower()}, so you can no longer change it."


def _check_content(entry: Entry) -> None:
    """Refuse an entry without a title, or with a quantity or dates that are not possible."""
    if not entry.title:
        raise UnableToWriteEntry("Enter a title.")
    if entry.quantity is not None and entry.quantity <= 0:
        raise UnableToWriteEntry("The quantity must be more than 0.")
    if entry.quantity is not None and not entry.unit:
        raise UnableToWriteEntry("Choose a unit for the quantity.")
    if entry.available_from and entry.available_until and entry.available_until < entry.available_from:
        raise UnableToWriteEntry("The end date must not be before the start date.")
    if entry.standing and entry.direction != Direction.OFFER:
        raise UnableToWriteEntry("Only an offer can be a standing offer.")


def _set_addressees(entry: Entry, organisations: Iterable[Organisation]) -> None:
    """Replace the organisations that the entry asks by name."""
    entry.addressees.all().delete()
    Addressee.objects.bulk_create([Addressee(entry=entry, organisation=organisation) for organisation in organisations])


def _change_sharing(entry: Entry, sharing: EntrySharing, today: dt.date) -> None:
    """Change the audience of a draft. Raises `UnableToEditEntry`, for instance if the entry has been shared."""
    addressees = list(sharing.addressees)
    addressee_ids = {addressee.pk for addressee in addressees}
    partnership_id = sharing.partnership.pk if sharing.partnership else None
    is_unchanged = (
        sharing.audience == entry.audience
        and partnership_id == entry.partnership_id
        and addressee_ids == set(entry.addressees.values_list("organisation_id", flat=True))
    )
    if is_unchanged:
        return
    if not entry.is_draft:
        raise UnableToEditEntry(
            f"You can no longer change who this {entry.noun} is shared with. Withdraw it and write a new one."
        )
    entry.audience = sharing.audience
    entry.partnership = sharing.partnership
    check_addressing(entry, addressee_ids, UnableToEditEntry, today)
    _set_addressees(entry, addressees)


def _move_closing_date(
    entry: Entry, previous_closing_date: dt.date | None, previous_end_date: dt.date | None, today: dt.date
) -> None:
    """Set the closing date of a shared entry to its end date, unless the author chose another date.

    If the closing date changes, people get another reminder. If the old date had closed the entry, it opens again.
    """
    if not entry.standing:
        was_cleared = entry.closes_on is None and previous_closing_date is not None
        has_only_a_new_end_date = entry.closes_on is None and entry.available_until != previous_end_date
        followed_end_date = entry.closes_on == previous_closing_date == previous_end_date
        if was_cleared or has_only_a_new_end_date or followed_end_date:
            entry.closes_on = entry.available_until
    if entry.closes_on == previous_closing_date:
        return

    check_closing_date(entry, today, UnableToEditEntry)
    entry.reminded_at = None
    _reopen_if_the_old_date_closed_it(entry, previous_closing_date, today)


def _reopen_if_the_old_date_closed_it(entry: Entry, previous_closing_date: dt.date | None, today: dt.date) -> None:
    """Let an entry take answers again if it was agreed in part and its previous closing date had passed.

    Only an entry agreed in part can have been closed by its date. An unanswered entry lapses on that date, and a lapsed
    entry cannot be edited.
    """
    if previous_closing_date is None or previous_closing_date >= today:
        return
    is_agreed_in_part = bool(entry.agreed_quantity) or entry.status == Status.PART_ACCEPTED
    if is_agreed_in_part and takes_answers(entry):
        entry.is_open = True


def _timeline_values(entry: Entry) -> dict[str, str]:
    """Return the values that the timeline may show, as text by field."""
    names = [name for name in ("audience", *EntryContent.__annotations__) if name not in _RESTRICTED]
    values = {name: getattr(entry, name) for name in names}
    values["areas"] = ", ".join(sorted(entry.areas.values_list("name", flat=True)))
    return {name: "" if value is None else str(value) for name, value in values.items()}


def _differing_values(before: dict[str, str], after: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the values before and after of the fields that differ, sorted by name."""
    names = sorted(name for name in after if before[name] != after[name])
    return {name: before[name] for name in names}, {name: after[name] for name in names}
