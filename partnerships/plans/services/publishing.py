"""Publish versions, which are numbered, never change, and may have an embargo."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypedDict, Unpack

from django.db import transaction

from partnerships.documents import PieceConflict
from partnerships.documents.services import (
    NOTHING_CHANGED,
    Prepared,
    UnableToPublish,
    create_version,
    prepare,
    rebase_draft,
    refuse_minor,
)
from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.plans.changes import Change, changes_between, homes_difference, summary
from partnerships.plans.content import (
    PLAN,
    Content,
    clean_up_milestones,
    content_for_outside,
    empty_content,
    get_piece,
    mixes_years,
    period_problems,
    set_piece,
    total_homes,
    year_kind,
)
from partnerships.plans.event_kinds import EventKind
from partnerships.plans.models import Draft, Plan, ReadingClass, Status, Version
from partnerships.plans.queries import content_of
from partnerships.plans.rights import rights_over
from partnerships.plans.services.drafting import lock_draft, save_piece
from partnerships.plans.services.opening import ask_for_signatures, copy_title_and_period, embargo_end, open_version
from partnerships.plans.services.projecting import write_rows_of_version
from partnerships.plans.services.recording import acting_organisation, lock_plan, record_event
from partnerships.plans.services.sharing import end_active_shares
from partnerships.plans.signals import version_published
from partnerships.plans.starters import is_untouched, untouched_parts

NOTHING_WRITTEN = "The draft still has only its starter text. Edit the draft first."
MIXED_YEARS = "Some homes use financial years and others use calendar years. Use the same kind of year for all homes."


class ImportArguments(TypedDict, total=False):
    """Arguments that only imports use."""

    #: The content to publish. It is merged into the draft.
    content: Any
    #: The list that the content comes from.
    source: str
    #: Whether the content was already published elsewhere, as in the file of a network. Such a version may be minor
    #: whatever it changes, and may mix kinds of years.
    published_elsewhere: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftChoices:
    """What the author of a version decided about its draft. Pieces are named like "milestones/start"."""

    #: The revision of the draft that the author saw. A draft saved since then is not published. None skips the check.
    revision: int | None = None
    #: Pieces to remove from the draft before it is published.
    leave_out: Sequence[str] = ()
    #: Pieces of the template to publish although nobody has changed them.
    keep: Sequence[str] = ()
    #: Whether to stop sharing the draft.
    end_shares: bool = False


NO_CHOICES = DraftChoices()


@transaction.atomic
def publish_version(
    *,
    plan: Plan,
    author: User | None,
    note: str,
    now: dt.datetime,
    minor: bool = False,
    embargo_until: dt.datetime | None = None,
    draft_choices: DraftChoices = NO_CHOICES,
    **imported: Unpack[ImportArguments],
) -> Version:
    """Publish the draft, or the content of an import, as the next version, and send `version_published`.

    `note` says what changed and why. A `minor` version keeps the signatures, so it cannot change homes, dates, money
    or parties. On the first version, `minor` has no effect. Only owners can read the version until `embargo_until`,
    and until the embargo of the previous version ends.

    The `draft_choices` must leave out or keep each piece of the template that nobody has changed. All homes must use
    the same kind of years. Raises `UnableToPublish`, or `UnableToEmbargo` for the embargo.
    """
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_publish)
    note = note.strip()
    _check_can_be_published(plan, note)
    embargo_until = embargo_end(plan, embargo_until, now)

    draft = _draft_to_publish(plan, draft_choices, author=author, now=now)
    previous_version = plan.versions.filter(number=plan.current_number).first()
    prepared = _content_to_publish(plan, draft, previous_version, keep=draft_choices.keep, imported=imported)
    is_minor = minor and previous_version is not None
    if is_minor and not imported.get("published_elsewhere", False):
        refuse_minor(prepared)

    version = create_version(
        Version,
        prepared,
        number=plan.current_number + 1,
        note=note,
        author=author,
        organisation=acting_organisation(plan, author),
        now=now,
        rendered=(previous_version, draft),
        plan=plan,
        title=prepared.content["about"]["title"][:200],
        figures=version_figures(prepared.previous, prepared.content, prepared.changes),
        minor=is_minor,
        embargo_until=embargo_until,
        source=imported.get("source", ""),
    )
    write_rows_of_version(plan, prepared.previous, prepared.content, version)
    # The import of a first version replaces the whole draft.
    rebase_draft(draft, prepared, version, author=author, now=now, keep=previous_version is not None)
    draft.based_on = version.number
    draft.save()
    _apply_version(plan, version, prepared.content, end_shares=draft_choices.end_shares, author=author, now=now)
    return version


def _apply_version(
    plan: Plan, version: Version, content: Content, *, end_shares: bool, author: User | None, now: dt.datetime
) -> None:
    """Update the plan for its new version, record the event, and ask for new signatures if they are needed."""
    status_before, substantive_before = plan.status, plan.substantive_number
    _update_plan(plan, version, content)
    _record_publication(plan, version, status_before=status_before, author=author, now=now)
    if end_shares:
        end_active_shares(plan, author=author, now=now)
    # A version under embargo needs no signatures until the embargo ends.
    if not version.is_under_embargo:
        ask_for_signatures(plan, substantive_before=substantive_before, author=author, now=now)
    version_published.send(sender=Version, version=version)


def _check_can_be_published(plan: Plan, note: str) -> None:
    """Check that the plan is not over and that there is a note. Raises `UnableToPublish`."""
    if plan.is_over:
        raise UnableToPublish(f"This plan is {plan.get_status_display().lower()}, so you can no longer publish it.")
    if not note:
        raise UnableToPublish("Enter what changed and why.")


def _draft_to_publish(plan: Plan, choices: DraftChoices, *, author: User | None, now: dt.datetime) -> Draft:
    """Return the draft, locked and without the pieces to leave out.

    Raises `UnableToPublish` if the draft has changed since the author saw it.
    """
    draft = lock_draft(plan, author=author, now=now)
    if choices.revision is not None and draft.revision != choices.revision:
        raise UnableToPublish(
            "The draft has changed since you opened this page. Read the draft again before you publish."
        )
    if choices.leave_out:
        _remove_pieces(plan, draft, choices.leave_out, author, now)
    return draft


def _content_to_publish(
    plan: Plan, draft: Draft, previous_version: Version | None, *, keep: Sequence[str], imported: ImportArguments
) -> Prepared:
    """Return the content to publish, from the draft or from an import. Raises `UnableToPublish`."""
    imported_content = imported.get("content")
    previous_content: Content = previous_version.content if previous_version else empty_content()
    prepared = prepare(
        PLAN, draft, previous_content, replacement=imported_content, finish=partial(_finish_content, plan)
    )
    if previous_version is None:
        _refuse_empty(plan, prepared.content)
    if imported_content is None:
        _refuse_untouched(plan, prepared.content, previous_content, keep)
    if not imported.get("published_elsewhere", False):
        _refuse_mixed_years(prepared.content, previous_content)
    return prepared


def _refuse_empty(plan: Plan, content: Content) -> None:
    """Refuse a first version that is empty or is still the template."""
    about_without_title = {**content["about"], "title": ""}
    if {**content, "about": about_without_title} == empty_content():
        raise UnableToPublish(NOTHING_CHANGED)
    if is_untouched(plan.kind, content):
        raise UnableToPublish(NOTHING_WRITTEN)


def _refuse_mixed_years(content: Content, previous_content: Content) -> None:
    """Refuse to mix kinds of years, unless the previous version mixes them too."""
    if mixes_years(content) and not mixes_years(previous_content):
        raise UnableToPublish(MIXED_YEARS)


def _record_publication(
    plan: Plan, version: Version, *, status_before: str, author: User | None, now: dt.datetime
) -> None:
    """Record the event of a new version, with the plan's status before and after the publication."""
    record_event(
        plan,
        EventKind.VERSION_PUBLISHED,
        author=author,
        organisation=version.organisation,
        target=version,
        now=now,
        data={
            "title": version.title,
            "number": version.number,
            "reason": version.note,
            "minor": version.minor,
            "before": {"version": version.number - 1, "status": status_before},
            "after": {"version": version.number, "status": plan.status},
        },
    )


def _finish_content(plan: Plan, content: Content, previous_content: Content) -> Content:
    """Return the content with a title and without references to removed sites.

    Raises `UnableToPublish` if the period ends before it begins.
    """
    content = clean_up_milestones(content, previous_content)
    about = content["about"]
    problems = period_problems(about)
    if problems:
        raise UnableToPublish(f"{problems[0].message} Change the period under “About this plan” in the draft.")
    return {**content, "about": {**about, "title": about["title"] or plan.title}}


def _refuse_untouched(plan: Plan, content: Content, previous_content: Content, keep: Sequence[str]) -> None:
    """Refuse to publish parts of the template that nobody has changed or decided to keep."""
    title_by_piece = untouched_parts(plan.kind, content, previous_content)
    titles = "; ".join(title for piece, title in title_by_piece.items() if piece not in keep)
    if titles:
        raise UnableToPublish(
            f"Nobody has changed these parts since the plan was started. Keep or remove each one: {titles}."
        )


def _remove_pieces(plan: Plan, draft: Draft, pieces: Sequence[str], author: User | None, now: dt.datetime) -> None:
    """Remove pieces from the locked draft before it is published.

    Raises `UnableToPublish` if the draft of a new plan is still the template.
    """
    # Without this check, removing parts of the template would make the draft look edited.
    if plan.is_draft and draft.content is not None and is_untouched(plan.kind, draft.content):
        raise UnableToPublish(NOTHING_WRITTEN)
    for piece in pieces:
        save_piece(plan=plan, piece=piece, value=None, based_on=None, author=author, now=now)
    draft.refresh_from_db()


@transaction.atomic
def publish_piece(
    *,
    plan: Plan,
    piece: str,
    value: Any,
    based_on: int,
    author: User,
    note: str,
    minor: bool = False,
    now: dt.datetime,
) -> Version:
    """Publish the newest version with one piece replaced, for example a milestone.

    The draft keeps its other changes. `based_on` is the number of the version that the author saw. Raises
    `UnableToPublish`, or `PieceConflict` if a colleague has published another value of the piece since. The
    `revision` of the conflict is the number of the newest version.
    """
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_publish)
    newest_version = plan.versions.filter(number=plan.current_number).first()
    if newest_version is None:
        raise UnableToPublish("This plan has no version yet. Publish its draft first.")

    try:
        content = set_piece(newest_version.content, piece, value)
        _check_conflict(plan, newest_version, piece, content=content, based_on=based_on)
    except ValueError as error:
        raise UnableToPublish(str(error)) from error
    return publish_version(plan=plan, author=author, note=note, minor=minor, now=now, content=content)


def _check_conflict(plan: Plan, newest: Version, piece: str, *, content: Content, based_on: int) -> None:
    """Raise `PieceConflict` if a colleague has published another value of the piece since version `based_on`."""
    if based_on == newest.number:
        return
    own_value = get_piece(content, piece)
    newest_value = get_piece(newest.content, piece)
    value_seen = get_piece(content_of(plan, based_on), piece)
    # A colleague who published the author's own value causes no conflict.
    if newest_value not in (value_seen, own_value):
        raise PieceConflict(
            piece=piece,
            mine=own_value,
            theirs=newest_value,
            revision=newest.number,
            by=newest.author_id,
            at=newest.published_at.isoformat(),
        )


def version_figures(previous_content: Content, content: Content, all_changes: tuple[Change, ...]) -> dict[str, Any]:
    """Return the figures of a version for lists, by reading class."""
    public_content = content_for_outside(content)
    public_changes = changes_between(content_for_outside(previous_content), public_content)
    return {
        ReadingClass.INSIDE.value: _figures(content, all_changes),
        ReadingClass.OUTSIDE.value: _figures(public_content, public_changes),
    }


def _figures(content: Content, version_changes: tuple[Change, ...]) -> dict[str, Any]:
    """Return the figures of a version as one class of readers sees it."""
    return {
        "homes": total_homes(content),
        "homes_difference": homes_difference(version_changes),
        "sites": len(content["sites"]),
        "changes": len(version_changes),
        "summary": summary(version_changes),
    }


def _update_plan(plan: Plan, version: Version, content: Content) -> None:
    """Update the plan's row for the new version.

    The title and period of a version under embargo are copied to the plan when the embargo ends. Those of the first
    version are copied at once.
    """
    opens_at = version.embargo_until or version.published_at
    plan.current_number = version.number
    if version.number == 1 or not version.is_under_embargo:
        copy_title_and_period(plan, version, content)
    if not version.is_under_embargo:
        open_version(plan, version, version.published_at)

    plan.open_at = min(plan.open_at, opens_at) if plan.open_at else opens_at
    plan.embargoed_until = version.embargo_until
    plan.first_published_at = plan.first_published_at or version.published_at
    if plan.status == Status.DRAFT:
        plan.status = Status.SHARED
    plan.years = year_kind(content) or plan.years
    plan.save()
