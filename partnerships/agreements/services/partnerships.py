"""Services that open a partnership and change its terms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TypedDict, Unpack

from django.db import transaction
from django.utils import timezone

from partnerships.activity.values import apply_changes
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import (
    CONTACT_DAYS,
    NOTICE_DAYS,
    Partnership,
    PartnershipKind,
    Party,
    PartyRole,
    PartyStatus,
    Status,
)
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.organisations.models import Area, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


class UnableToCreatePartnership(Exception):
    """Title missing, dates, rhythm or kind invalid, or organisation ended."""


class UnableToEditTerms(Exception):
    """Partnership over, dates or rhythm invalid, or agreed terms emptied."""


class Terms(TypedDict, total=False):
    """The terms of a partnership; see the model."""

    audience: str
    legally_binding: bool
    terms_of_reference: str
    starts_on: dt.date | None
    review_on: dt.date | None
    ends_on: dt.date | None
    goes_on: bool
    notice_days: int | None
    quorum: int | None
    meeting_frequency: str
    contact_days: int | None
    reports_to: str
    contribution: str
    annual_budget: Decimal | None
    liabilities: str


class ChangedTerms(Terms, total=False):
    """Fields that can be changed later, also title, kind and purpose."""

    title: str
    kind: str
    purpose: str


def _terms_fault(partnership: Partnership) -> str:
    start = partnership.starts_on
    if start and partnership.ends_on and partnership.ends_on < start:
        return "The end must not be before the start."
    if start and partnership.review_on and partnership.review_on < start:
        return "The review date must not be before the start."
    if partnership.contact_days is not None and partnership.contact_days not in CONTACT_DAYS:
        return f"Be in touch every {CONTACT_DAYS[0]} to {CONTACT_DAYS[-1]} days."
    if partnership.notice_days is not None and partnership.notice_days not in NOTICE_DAYS:
        return f"Give {NOTICE_DAYS[0]} to {NOTICE_DAYS[-1]} days of notice."
    return ""


def _kind_fault(code: str, *, keep: str) -> str:
    """Error text for a kind that cannot be chosen; `keep` is chosen already."""
    kind = PartnershipKind.by_code().get(code)
    if kind is None:
        return f"There is no kind of partnership with the code “{code}”."
    return "" if kind.active or code == keep else f"“{kind.label}” is no longer offered: choose another kind."


@transaction.atomic
def create_partnership(
    *,
    organisation: Organisation,
    author: User | None,
    title: str,
    kind: str,
    now: dt.datetime,
    purpose: str = "",
    areas: Iterable[Area] = (),
    redefines: Partnership | None = None,
    **terms: Unpack[Terms],
) -> Partnership:
    """Open a partnership; its status is exploring.

    The author's organisation is the chair and has accepted. Raises `UnableToCreatePartnership`.
    """
    require(roles_of(author, now).lead(organisation.pk))
    title = " ".join(title.split())
    if not title:
        raise UnableToCreatePartnership("Give the partnership a title.")
    if organisation.is_ended:
        raise UnableToCreatePartnership(f"{organisation.name} has ended.")
    if fault := _kind_fault(kind, keep=redefines.kind_id if redefines else ""):
        raise UnableToCreatePartnership(fault)
    partnership = Partnership(
        title=title,
        kind_id=kind,
        purpose=purpose,
        redefines=redefines,
        created_by=author,
        created_at=now,
        status=Status.EXPLORING,
        status_since=now,
        **terms,
    )
    fault = _terms_fault(partnership)
    if fault:
        raise UnableToCreatePartnership(fault)
    partnership.save(force_insert=True)
    partnership.areas.set(areas)
    Party.objects.create(
        partnership=partnership,
        organisation=organisation,
        role=PartyRole.CHAIR,
        status=PartyStatus.ACCEPTED,
        invited_at=now,
        invited_by=author,
        answered_at=now,
        answered_by=author,
        joined_on=timezone.localdate(now),
    )
    record_event(partnership, EventKind.OPENED, author=author, now=now, organisation=organisation)
    return partnership


def _agreed_fault(partnership: Partnership, changed: Mapping[str, object]) -> str:
    """Error text if terms or review date would be emptied after sign-off."""
    if partnership.status in (Status.EXPLORING, Status.DRAFTING):
        return ""
    if "terms_of_reference" in changed and not partnership.terms_of_reference.strip():
        return "The terms have gone to sign-off: you can change them, but not leave them empty."
    if "review_on" in changed and partnership.review_on is None:
        return "The review date has gone to sign-off: you can change it, but not leave it empty."
    return ""


#: The journal's name for who may know of a partnership.
AUDIENCE = "partnership audience"


def partnership_identity(partnership: Partnership) -> str:
    """The journal's hash of a partnership."""
    return journal.identity(partnership.pk, partnership.created_at)


@transaction.atomic
def edit_terms(
    *,
    partnership: Partnership,
    author: User | None,
    now: dt.datetime,
    areas: Iterable[Area] | None = None,
    organisation: Organisation | None = None,
    reason: str = "",
    **terms: Unpack[ChangedTerms],
) -> tuple[str, ...]:
    """Change the terms; the names of the changed fields.

    Raises `UnableToEditTerms` when the partnership is over, the dates are invalid, or terms or a review date that went
    to sign-off would be emptied.
    """
    locked = lock_partnership(partnership.pk)
    require(rights_over(locked, author, now).leads_for(organisation))
    if locked.is_over_on(timezone.localdate(now)):
        raise UnableToEditTerms("This partnership is over: you can read its terms, but not change them.")
    if fault := _kind_fault(terms.get("kind", locked.kind_id), keep=locked.kind_id):
        raise UnableToEditTerms(fault)
    before, after = apply_changes(locked, {"kind_id" if name == "kind" else name: terms[name] for name in terms})
    for told in (before, after):
        if "kind_id" in told:
            told["kind"] = told.pop("kind_id")
    if not locked.title.strip():
        raise UnableToEditTerms("Give the partnership a title.")
    fault = _terms_fault(locked) or _agreed_fault(locked, before)
    if fault:
        raise UnableToEditTerms(fault)
    if before:
        locked.save(update_fields=list(before))
    if "audience" in before:
        same = partnership_identity(locked)
        journal.note(AUDIENCE, now=now, partnership=locked.pk, same=same, audience=locked.audience)
    if areas is not None:
        was, now_served = set(locked.areas.all()), set(areas)
        if was != now_served:
            locked.areas.set(now_served)
            before["areas"] = sorted(area.name for area in was)
            after["areas"] = sorted(area.name for area in now_served)
    if not before:
        return ()
    record_event(
        locked,
        EventKind.TERMS_CHANGED,
        author=author,
        now=now,
        organisation=organisation,
        data={"before": before, "after": after, "reason": reason},
    )
    for name in before.keys() - {"areas"}:
        setattr(partnership, name, getattr(locked, name))
    return tuple(before)
