"""Writing, sharing, agreeing, withdrawing and ending asks and offers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.exchange.event_kinds import EventKind
from partnerships.exchange.models import (
    ANSWERABLE,
    THEME_NUMBERS,
    UNANSWERED,
    Addressee,
    Audience,
    Direction,
    Entry,
    ResponseStatus,
    Status,
)
from partnerships.exchange.queries.addressing import parties_able_to_answer
from partnerships.exchange.queries.places import known_places
from partnerships.exchange.reach import keys
from partnerships.exchange.rights import rights_over
from partnerships.exchange.services.common import (
    UnableToChangeEntry,
    close_responses,
    event_about,
    lock,
    move,
    note,
)
from partnerships.exchange.services.fulfilments import settle_entry
from partnerships.kit.rights import require
from partnerships.organisations.models import Area, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


class UnableToWriteEntry(UnableToChangeEntry):
    """What was written does not hold together."""


class UnableToEditEntry(UnableToChangeEntry):
    """It is over, or somebody else has changed it in the meantime."""


class UnableToShareEntry(UnableToChangeEntry):
    """It is not a draft, or it is addressed to those who cannot be asked."""


class UnableToWithdrawEntry(UnableToChangeEntry):
    """It is over already, or no reason was given."""


class UnableToMarkAgreed(UnableToChangeEntry):
    """It is a draft, over, or agreed already."""


class Details(TypedDict, total=False):
    """What an entry says, besides what it is and to whom."""

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


class Content(Details, total=False):
    """All that an edit may change."""

    title: str
    theme: str


#: Never told in the timeline, whoever reads it.
_RESTRICTED = {"private_note"}


@transaction.atomic
def create_entry(
    *,
    organisation: Organisation,
    direction: str,
    title: str,
    theme: str,
    audience: str,
    author: User | None,
    now: dt.datetime,
    addressees: Iterable[Organisation] = (),
    partnership: Partnership | None = None,
    areas: Iterable[Area] = (),
    key: uuid.UUID | None = None,
    **details: Unpack[Details],
) -> Entry:
    """Write a draft. The same `key` again (a form posted twice) returns the entry made first.

    Raises `UnableToWriteEntry` where what is said does not hold together, or its addressees cannot be asked.
    """
    require(roles_of(author, now).edit_for(organisation.pk))
    addressed = list(addressees)
    entry = Entry(
        organisation=organisation,
        direction=direction,
        title=title.strip(),
        theme=theme,
        audience=audience,
        partnership=partnership,
        created_by=author,
        created_at=now,
        changed_at=now,
        key=key or uuid.uuid4(),
        **details,
    )
    _check_content(entry)
    _check_addressing(entry, {body.pk for body in addressed}, UnableToWriteEntry)
    try:
        with transaction.atomic():
            entry.save()
    except IntegrityError:
        return Entry.objects.get(key=entry.key, organisation=organisation)
    entry.areas.set(areas)
    _address(entry, addressed)
    note(entry=entry, event=event_about(entry, "drafted"), author=author, organisation=organisation, now=now)
    return entry


@transaction.atomic
def edit_entry(
    *,
    entry: Entry,
    author: User | None,
    now: dt.datetime,
    revision: int | None = None,
    audience: str | None = None,
    partnership: Partnership | None = None,
    addressees: Iterable[Organisation] | None = None,
    areas: Iterable[Area] | None = None,
    **details: Unpack[Content],
) -> Entry:
    """Change what an entry says. `revision` is the one the author read; `UnableToEditEntry` if it is not the last.

    To whom it is addressed (`audience`, `partnership` and `addressees` together) can change only while it is a draft:
    what was said to some is not shown to others by a later edit. A shared one whose last day moves is reminded of anew,
    and takes answers again where it had stopped on that day.
    """
    lock(entry)
    require(rights_over(entry, author, now).may_edit)
    if entry.is_over:
        raise UnableToEditEntry(f"It is {entry.get_status_display().lower()}, so it can no longer be changed.")
    if revision is not None and revision != entry.revision:
        raise UnableToEditEntry("Somebody else changed it since you opened it. Read it again before you change it.")
    before = _told(entry)
    closed_on, ended_on = entry.closes_on, entry.available_until
    for name, value in details.items():
        setattr(entry, name, value)
    if audience is not None:
        _readdress(entry, audience, partnership, addressees)
    if entry.quantity is not None and entry.quantity < entry.agreed_quantity:
        raise UnableToEditEntry(
            f"{entry.in_words(entry.agreed_quantity)} are already agreed, so the quantity cannot be lower."
        )
    _check_content(entry)
    if not entry.is_draft:
        _move_last_day(entry, closed_on, ended_on, timezone.localdate(now))
    if areas is not None:
        entry.areas.set(areas)
    entry.revision += 1
    after = _told(entry)
    changed = {name for name in after if before[name] != after[name]}
    if changed:
        entry.changed_at = now
    if not entry.is_draft:
        _make_findable(entry)
    entry.save()
    if changed:
        # A draft's earlier words are nobody's business once it is shared.
        told = {} if entry.is_draft else {"before": _pick(before, changed), "after": _pick(after, changed)}
        note(
            entry=entry,
            event=event_about(entry, "changed"),
            author=author,
            organisation=entry.organisation_id,
            now=now,
            **told,
        )
    if "quantity" in changed:
        settle_entry(entry=entry, author=author, now=now)
    return entry


@transaction.atomic
def share_entry(*, entry: Entry, author: User | None, now: dt.datetime) -> Entry:
    """Show a draft to those it is addressed to. Raises `UnableToShareEntry`."""
    lock(entry)
    require(rights_over(entry, author, now).may_edit)
    _check_addressing(entry, set(entry.addressees.values_list("organisation_id", flat=True)), UnableToShareEntry)
    if entry.closes_on is None and not entry.standing:
        entry.closes_on = entry.available_until
    _check_last_day(entry, timezone.localdate(now), UnableToShareEntry)
    step = move(entry, Status.SHARED, now=now, error=UnableToShareEntry)
    entry.shared_at = now
    entry.is_open = True
    _make_findable(entry)
    entry.save()
    note(
        entry=entry,
        event=event_about(entry, "shared"),
        author=author,
        organisation=entry.organisation_id,
        now=now,
        **step,
    )
    return entry


@transaction.atomic
def mark_agreed(*, entry: Entry, reason: str, author: User, now: dt.datetime, part: bool = False) -> Entry:
    """Say that agreement was reached outside: an ask is accepted (or part-accepted), an offer taken up.

    A standing offer stays as it is, shared. `reason` says how and with whom. Raises `UnableToMarkAgreed`.
    """
    lock(entry)
    require(rights_over(entry, author, now).may_edit)
    if not reason.strip():
        raise UnableToMarkAgreed("Say how it was agreed, and who with.")
    if entry.standing and entry.is_open:
        entry.answered_at = entry.answered_at or now
        entry.save(update_fields=["answered_at"])
        note(
            entry=entry,
            event=EventKind.OFFER_AGREED,
            author=author,
            organisation=entry.organisation_id,
            now=now,
            reason=reason.strip(),
        )
        return entry
    if entry.is_ask:
        status = Status.PART_ACCEPTED if part else Status.ACCEPTED
    else:
        status = Status.TAKEN_UP
    step = move(entry, status, now=now, error=UnableToMarkAgreed)
    entry.reason = reason.strip()
    entry.answered_at = entry.answered_at or now
    entry.is_open = part
    entry.matched_at = None
    entry.save(update_fields=["status", "reason", "answered_at", "is_open", "matched_at"])
    note(
        entry=entry,
        event=event_about(entry, "marked_agreed"),
        author=author,
        organisation=entry.organisation_id,
        now=now,
        reason=entry.reason,
        **step,
    )
    return entry


@transaction.atomic
def withdraw_entry(*, entry: Entry, reason: str, author: User, now: dt.datetime) -> Entry:
    """Take an entry back, saying why; answers that wait get the same reason. Raises `UnableToWithdrawEntry`."""
    lock(entry)
    require(rights_over(entry, author, now).may_edit)
    if not reason.strip():
        raise UnableToWithdrawEntry("Say why you are withdrawing it.")
    step = move(entry, Status.WITHDRAWN, now=now, error=UnableToWithdrawEntry)
    entry.reason = reason.strip()
    entry.save(update_fields=["status", "closed_at", "is_open", "reason"])
    note(
        entry=entry,
        event=event_about(entry, "withdrawn"),
        author=author,
        organisation=entry.organisation_id,
        now=now,
        reason=entry.reason,
        **step,
    )
    close_responses(entry=entry, reason=f"This was withdrawn: {entry.reason}", author=author, now=now)
    return entry


@transaction.atomic
def lapse_due_entries(*, now: dt.datetime, limit: int = 500) -> int:
    """End what nobody answered by its last day, and stop asking for more where a part was agreed; returns how many.

    An entry with a response that its organisation has not decided stays until it has. May run twice, and beside itself.
    """
    due = (
        Entry.objects.select_for_update(skip_locked=True)
        .filter(is_open=True, closes_on__lt=timezone.localdate(now))
        .exclude(responses__status=ResponseStatus.MADE)
        .order_by("pk")[:limit]
    )
    ended = 0
    for entry in due:
        ended += 1
        if entry.status not in UNANSWERED:
            entry.is_open = False
            entry.save(update_fields=["is_open"])
            closed = event_about(entry, "closed_to_answers")
            note(entry=entry, event=closed, author=None, organisation=None, now=now)
            settle_entry(entry=entry, author=None, now=now)
            continue
        step = move(entry, Status.LAPSED, now=now, error=UnableToChangeEntry)
        entry.save(update_fields=["status", "closed_at", "is_open"])
        note(entry=entry, event=event_about(entry, "lapsed"), author=None, organisation=None, now=now, **step)
    return ended


def still_open(entry: Entry) -> bool:
    """Whether answers are still wanted, by its status and what is left of it."""
    return entry.status in ANSWERABLE and (entry.standing or entry.left is None or entry.left > 0)


def _move_last_day(entry: Entry, closed_on: dt.date | None, ended_on: dt.date | None, today: dt.date) -> None:
    """Let the last day of a shared entry follow its period where nobody chose another; remind anew where it moved."""
    is_moved = closed_on is not None or entry.available_until != ended_on
    follows = is_moved if entry.closes_on is None else entry.closes_on == closed_on == ended_on
    if follows and not entry.standing:
        entry.closes_on = entry.available_until
    if entry.closes_on == closed_on:
        return
    _check_last_day(entry, today, UnableToEditEntry)
    entry.reminded_at = None
    stopped = closed_on is not None and closed_on < today
    if stopped and (entry.agreed_quantity or entry.status == Status.PART_ACCEPTED) and still_open(entry):
        entry.is_open = True


def _check_last_day(entry: Entry, today: dt.date, error: type[UnableToChangeEntry]) -> None:
    if entry.closes_on is not None and entry.closes_on < today:
        raise error("The closing date is in the past. Choose a later date.")


def _make_findable(entry: Entry) -> None:
    """Set the keys matching finds it by, and say that it is due to be matched."""
    places = known_places()
    chosen = list(entry.areas.values_list("pk", flat=True)) or places.served_by(entry.organisation_id)
    entry.reach = keys(THEME_NUMBERS[entry.theme], chosen, places.areas)
    entry.matched_at = None


def _address(entry: Entry, organisations: Iterable[Organisation]) -> None:
    entry.addressees.all().delete()
    Addressee.objects.bulk_create([Addressee(entry=entry, organisation=body) for body in organisations])


def _readdress(
    entry: Entry, audience: str, partnership: Partnership | None, addressees: Iterable[Organisation] | None
) -> None:
    addressed = list(addressees or ())
    ids = {body.pk for body in addressed}
    same = (
        audience == entry.audience
        and (partnership.pk if partnership else None) == entry.partnership_id
        and ids == set(entry.addressees.values_list("organisation_id", flat=True))
    )
    if same:
        return
    if not entry.is_draft:
        raise UnableToEditEntry("You can no longer change who it is shared with. Withdraw it and write a new one.")
    entry.audience = audience
    entry.partnership = partnership
    _check_addressing(entry, ids, UnableToEditEntry)
    _address(entry, addressed)


def _check_content(entry: Entry) -> None:
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


def _check_addressing(entry: Entry, addressed: set[int], error: type[UnableToChangeEntry]) -> None:
    """Observers are never addressed; what belongs to a partnership comes from its present parties and goes to them."""
    if entry.organisation.is_ended:
        raise error(f"{entry.organisation.name} has ended, so it cannot ask or offer.")
    if entry.audience == Audience.NETWORK and entry.partnership_id:
        raise error("An ask or offer for the whole network cannot belong to a partnership.")
    if entry.audience != Audience.NAMED and addressed:
        raise error("Choose organisations only if you share it with named partners.")
    if entry.audience == Audience.PARTNERSHIP and entry.partnership is None:
        raise error("Choose the partnership to share it with.")
    if entry.audience == Audience.NAMED and not addressed:
        raise error("Choose at least one organisation.")
    if entry.organisation_id in addressed:
        raise error("You cannot share it with your own organisation.")
    if entry.partnership is None:
        return
    if entry.partnership.is_over:
        raise error(f"{entry.partnership.title} is over, so nothing can be added to it.")
    able = parties_able_to_answer(entry.partnership_id)
    if entry.organisation_id not in able:
        raise error(f"{entry.organisation.name} is not a party to {entry.partnership.title}, or is only an observer.")
    if addressed - able:
        raise error(f"You can only ask parties to {entry.partnership.title} that are not observers.")
    if entry.audience == Audience.PARTNERSHIP and able == {entry.organisation_id}:
        raise error(f"There is nobody else to ask in {entry.partnership.title} yet.")


def _told(entry: Entry) -> dict[str, Any]:
    """What the timeline compares: everything but what is restricted, as JSON holds it."""
    told = {name: getattr(entry, name) for name in ("audience", *Content.__annotations__) if name not in _RESTRICTED}
    told["areas"] = ", ".join(sorted(entry.areas.values_list("name", flat=True)))
    return {name: "" if value is None else str(value) for name, value in told.items()}


def _pick(values: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: values[name] for name in sorted(names)}
