"""Services that open a partnership and change its settings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypedDict, Unpack

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
    ProposalStatus,
    Status,
)
from partnerships.agreements.queries.terms import declarations_of
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.agreements.services.terms.drafting import first_content, open_first_proposal, redraft
from partnerships.documents import InvalidContent
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.organisations.models import Area, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


class UnableToCreatePartnership(Exception):
    """The title is missing, a date, number or kind is invalid, or the organisation has ended."""


class UnableToEditSettings(Exception):
    """The partnership is over, the reason is missing, or a new value is invalid."""


class OpeningTerms(TypedDict, total=False):
    """The values of a new partnership's fields (see the model).

    The first draft of its terms starts with the same values. Later, only signed terms change these fields.
    """

    purpose: str
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


class NewPartnership(OpeningTerms):
    """The title of a new partnership, and the values of its fields."""

    title: str


class PartnershipSettings(TypedDict, total=False):
    """The settings that people can change without signatures."""

    title: str
    kind: str
    audience: str
    contact_days: int | None


def _problem_with_terms(partnership: Partnership) -> str:
    """Return what is wrong with the dates, the contact rhythm or the notice period, or ""."""
    start, contact_days, notice_days = partnership.starts_on, partnership.contact_days, partnership.notice_days
    if start and partnership.ends_on and partnership.ends_on < start:
        return "The end date must not be before the start date."
    if start and partnership.review_on and partnership.review_on < start:
        return "The review date must not be before the start date."
    if contact_days is not None and contact_days not in CONTACT_DAYS:
        return f"Enter a number of days from {CONTACT_DAYS[0]} to {CONTACT_DAYS[-1]}."
    if notice_days is not None and notice_days not in NOTICE_DAYS:
        return f"Enter {NOTICE_DAYS[0]} to {NOTICE_DAYS[-1]} days’ notice."
    return ""


def _problem_with_kind(code: str, *, current: str) -> str:
    """Return why people cannot choose a kind, or "".

    A partnership can keep its `current` kind even if that kind is no longer offered.
    """
    kind = PartnershipKind.by_code().get(code)
    if kind is None:
        return f"There is no kind of partnership with the code “{code}”. Enter the code of another kind."
    if not kind.active and code != current:
        return f"“{kind.label}” is no longer offered. Choose another kind."
    return ""


@transaction.atomic
def create_partnership(
    *,
    organisation: Organisation,
    author: User | None,
    kind: str,
    now: dt.datetime,
    areas: Iterable[Area] = (),
    redefines: Partnership | None = None,
    content: dict[str, Any] | None = None,
    starter: bool = False,
    **opening: Unpack[NewPartnership],
) -> Partnership:
    """Create a partnership with the status "exploring", with `organisation` as its chair and only party.

    This also creates the first draft of its terms, with `content` or, without content, with the values in `opening`.
    `starter` fills what is empty in the draft with the clauses and texts of the kind. `redefines` is the partnership
    that this one renews. Raises `UnableToCreatePartnership`.
    """
    require(roles_of(author, now).leads(organisation.pk))
    opening["title"] = " ".join(opening["title"].split())
    partnership = Partnership(
        kind_id=kind,
        redefines=redefines,
        created_by=author,
        created_at=now,
        status=Status.EXPLORING,
        status_since=now,
        **opening,
    )
    _check_new_partnership(partnership, organisation)

    partnership.save(force_insert=True)
    partnership.areas.set(areas)
    _add_chair(partnership, organisation, author=author, now=now)
    record_event(partnership, EventKind.OPENED, author=author, now=now, organisation=organisation)

    chosen_kind = PartnershipKind.objects.get(code=kind)
    draft_content = content or first_content(chosen_kind, opening)
    if starter:
        _fill_with_starters(draft_content, chosen_kind)
    try:
        open_first_proposal(
            partnership,
            organisation=organisation,
            declarations=declarations_of(chosen_kind),
            raw=draft_content,
            reason="The first terms.",
            author=author,
            now=now,
        )
    except InvalidContent as error:
        raise UnableToCreatePartnership(str(error)) from error
    return partnership


def _check_new_partnership(partnership: Partnership, organisation: Organisation) -> None:
    """Raise `UnableToCreatePartnership` if the organisation may not open this partnership."""
    if not partnership.title:
        raise UnableToCreatePartnership("Enter a title for the partnership.")
    if organisation.is_ended:
        raise UnableToCreatePartnership(
            f"{organisation.name} has ended, so it cannot start a partnership. Choose another organisation."
        )
    current_kind = partnership.redefines.kind_id if partnership.redefines else ""
    if problem := _problem_with_kind(partnership.kind_id, current=current_kind):
        raise UnableToCreatePartnership(problem)
    if problem := _problem_with_terms(partnership):
        raise UnableToCreatePartnership(problem)


def _add_chair(partnership: Partnership, organisation: Organisation, *, author: User | None, now: dt.datetime) -> None:
    """Make the organisation the chair of a new partnership. It needs no invitation, because its lead is the author."""
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


def _fill_with_starters(content: dict[str, Any], kind: PartnershipKind) -> None:
    """Fill empty parts of the first draft with the clauses, texts and notice period of its kind."""
    if not content.get("clauses"):
        content["clauses"] = kind.clauses
    content["about"] = {**kind.starters, **content.get("about", {})}
    if kind.notice_days and not content["about"].get("notice_days"):
        content["about"]["notice_days"] = kind.notice_days


#: Name of the lines in the journal which record that the audience of a partnership has changed.
AUDIENCE = "partnership audience"


def partnership_identity(partnership: Partnership) -> str:
    """Return the hash by which the journal recognises a partnership."""
    return journal.identity(partnership.pk, partnership.created_at)


@transaction.atomic
def edit_settings(
    *,
    partnership: Partnership,
    reason: str,
    author: User | None,
    now: dt.datetime,
    areas: Iterable[Area] | None = None,
    organisation: Organisation | None = None,
    **settings: Unpack[PartnershipSettings],
) -> tuple[str, ...]:
    """Change title, kind, audience, areas or contact rhythm, and return the names of the changed fields.

    The kind can change only until the first terms are sent for signature. Their draft then keeps the values of fields
    that both kinds have. `organisation` is the party for which the author acts. Raises `UnableToEditSettings`.
    """
    locked_partnership = lock_partnership(partnership.pk)
    require(rights_over(locked_partnership, author, now).leads_for(organisation))
    if locked_partnership.is_over_on(timezone.localdate(now)):
        raise UnableToEditSettings("This partnership has ended, so you can read it but not change it.")
    if not reason.strip():
        raise UnableToEditSettings("Enter a reason.")

    before, after = _apply_settings(locked_partnership, settings)
    if "kind_id" in before:
        before["kind"], after["kind"] = before.pop("kind_id"), after.pop("kind_id")
        _change_kind(locked_partnership, now=now)
    if before:
        locked_partnership.save(update_fields=list(before))
    if "audience" in before:
        _journal_audience(locked_partnership, now=now)
    if areas is not None:
        _change_areas(locked_partnership, set(areas), before, after)
    # Checked only now, because areas may have changed even if no column has.
    if not before:
        return ()

    record_event(
        locked_partnership,
        EventKind.SETTINGS_CHANGED,
        author=author,
        now=now,
        organisation=organisation,
        data={"before": before, "after": after, "reason": reason.strip()},
    )

    # The caller's object gets the new values, too.
    for name in before.keys() - {"areas", "kind"}:
        setattr(partnership, name, getattr(locked_partnership, name))
    partnership.kind_id = locked_partnership.kind_id
    return tuple(before)


def _apply_settings(partnership: Partnership, settings: PartnershipSettings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set the new values on a locked partnership, without saving.

    Returns the earlier and the new values of the columns that changed. Raises `UnableToEditSettings` if a value is
    invalid.
    """
    kind = settings.get("kind", partnership.kind_id)
    if problem := _problem_with_kind(kind, current=partnership.kind_id):
        raise UnableToEditSettings(problem)
    changes: dict[str, Any] = {name: value for name, value in settings.items() if name != "kind"}
    before, after = apply_changes(partnership, changes | {"kind_id": kind})
    if not partnership.title.strip():
        raise UnableToEditSettings("Enter a title for the partnership.")
    if problem := _problem_with_terms(partnership):
        raise UnableToEditSettings(problem)
    return before, after


def _journal_audience(partnership: Partnership, *, now: dt.datetime) -> None:
    """Note in the journal who may read the partnership from now on."""
    identity = partnership_identity(partnership)
    journal.note(AUDIENCE, now=now, partnership=partnership.pk, same=identity, audience=partnership.audience)


def _change_areas(partnership: Partnership, areas: set[Area], before: dict[str, Any], after: dict[str, Any]) -> None:
    """Save the areas if they have changed, and add their names to `before` and `after`."""
    earlier_areas = set(partnership.areas.all())
    if areas == earlier_areas:
        return
    partnership.areas.set(areas)
    before["areas"] = sorted(area.name for area in earlier_areas)
    after["areas"] = sorted(area.name for area in areas)


def _change_kind(partnership: Partnership, *, now: dt.datetime) -> None:
    """Give the draft of the first terms the fields of another kind.

    Raises `UnableToEditSettings` once terms have been sent for signature.
    """
    drafts = partnership.terms_proposals.select_for_update()
    if partnership.terms_versions.exists() or drafts.exclude(status=ProposalStatus.DRAFTING).exists():
        raise UnableToEditSettings(
            "Terms have been sent for signature, so you can no longer change the kind of partnership."
        )
    partnership.kind = PartnershipKind.objects.get(code=partnership.kind_id)
    for draft in drafts:
        redraft(draft, declarations=declarations_of(partnership.kind), now=now)
