"""Publish versions: numbered, never changed, with an optional embargo."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Any, TypedDict, Unpack

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from partnerships.documents import PieceConflict
from partnerships.documents.services import (
    NOTHING_CHANGED,
    UnableToPublish,
    create_version,
    prepare,
    rebase_draft,
    refuse_minor,
)
from partnerships.kit.dates import long_time
from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.plans.changes import Change, changes, homes_difference, summary
from partnerships.plans.content import (
    PLAN,
    Content,
    empty,
    get_piece,
    mixes_years,
    outside,
    period_problems,
    set_piece,
    settle_milestones,
    total_homes,
    year_kind,
)
from partnerships.plans.event_kinds import EventKind
from partnerships.plans.models import Draft, Plan, ReadingClass, Status, Version
from partnerships.plans.queries import content_of
from partnerships.plans.rights import rights_over
from partnerships.plans.services.drafting import lock_draft, save_piece, year_of
from partnerships.plans.services.projecting import project
from partnerships.plans.services.recording import acting_organisation, lock_plan, record_event
from partnerships.plans.services.sharing import end_active_shares
from partnerships.plans.services.signatories import ask_all_again
from partnerships.plans.signals import version_published
from partnerships.plans.starters import is_untouched, untouched_parts

log = structlog.get_logger(__name__)

NOTHING_WRITTEN = "Nothing has been written yet: the draft has only its starter text."
MIXED_YEARS = "Some homes use financial years and some calendar years. Use the same kind for all of them."


class Imported(TypedDict, total=False):
    """What only an import gives."""

    #: The content to publish. It is merged into the draft.
    content: Any
    #: The list that it comes from.
    source: str
    #: It was published so before: it may be minor whatever it changes, and have years of both kinds.
    elsewhere: bool


class UnableToEmbargo(UnableToPublish):
    """The embargo would end in the past, or before that of the last version."""


@transaction.atomic
def publish_version(
    *,
    plan: Plan,
    author: User | None,
    note: str,
    minor: bool = False,
    now: dt.datetime,
    embargo_until: dt.datetime | None = None,
    draft_revision: int | None = None,
    end_shares: bool = False,
    leave_out: Sequence[str] = (),
    keep: Sequence[str] = (),
    **imported: Unpack[Imported],
) -> Version:
    """Publish the draft, or a content given by an import, as the next version.

    Sends `version_published`. `note` says what changed and why. `minor` keeps signatures; the first version is never
    minor, and no version is that changes homes, dates, money or parties. `draft_revision` is the revision of the draft
    that the author saw: a draft saved since is not published. Until `embargo_until` only owners can read the version;
    it also waits for the embargo of the version before. `end_shares` ends all shares of the draft. `leave_out` are
    pieces ("milestones/start") that are taken out of the draft first, `keep` those of the template that are published
    although nobody changed them: each such piece must be in one of the two. Years of homes must be of one kind. Raises
    `UnableToPublish`, for the embargo `UnableToEmbargo`.
    """
    given, elsewhere = imported.get("content"), imported.get("elsewhere", False)
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_publish)
    note = note.strip()
    if plan.is_over:
        raise UnableToPublish(f"This plan is {plan.get_status_display().lower()}. Nothing can be published.")
    if not note:
        raise UnableToPublish("Enter what changed and why.")
    embargo_until = _embargo_end(plan, embargo_until, now)
    draft = lock_draft(plan, author=author, now=now)
    if draft_revision is not None and draft.revision != draft_revision:
        raise UnableToPublish("The draft has changed since you looked at it. Read it again before you publish.")
    if leave_out:
        _take_out(plan, draft, leave_out, author, now)
    last = plan.versions.filter(number=plan.current_number).first()
    was: Content = last.content if last else empty()
    prepared = prepare(PLAN, draft, was, given=given, finish=partial(_finished, plan))
    fresh = prepared.content
    if last is None:
        _refuse_empty(plan, fresh)
    if given is None:
        _refuse_unasked(plan, fresh, was, keep)
    if mixes_years(fresh) and not mixes_years(was) and not elsewhere:
        raise UnableToPublish(MIXED_YEARS)
    if minor and last is not None and not elsewhere:
        refuse_minor(prepared)
    version = create_version(
        Version,
        prepared,
        number=plan.current_number + 1,
        note=note,
        author=author,
        organisation=acting_organisation(plan, author),
        now=now,
        known=(last, draft),
        plan=plan,
        title=fresh["about"]["title"][:200],
        figures=figures_of(was, fresh, prepared.found),
        minor=minor and last is not None,
        embargo_until=embargo_until,
        source=imported.get("source", ""),
    )
    project(plan, was, fresh, version)
    rebase_draft(draft, prepared, version, author=author, now=now, keep=last is not None)
    draft.based_on = version.number
    draft.save()
    before, was_substantive = plan.status, plan.substantive_number
    _update_plan(plan, version, fresh)
    _record_publication(plan, version, status_before=before, author=author, now=now)
    if end_shares:
        end_active_shares(plan, author=author, now=now)
    if not version.is_under_embargo:
        _ask_for_signatures(plan, was_substantive, version.number, author=author, now=now)
    version_published.send(sender=Version, version=version)
    return version


def _refuse_empty(plan: Plan, fresh: Content) -> None:
    """Refuse a first version that says nothing, or only what the template says."""
    untitled = {**fresh["about"], "title": ""}
    if {**fresh, "about": untitled} == empty():
        raise UnableToPublish(NOTHING_CHANGED)
    if is_untouched(plan.kind, fresh):
        raise UnableToPublish(NOTHING_WRITTEN)


def _record_publication(
    plan: Plan, version: Version, *, status_before: str, author: User | None, now: dt.datetime
) -> None:
    """Record the version and what it did to the plan's status."""
    record_event(
        plan,
        EventKind.VERSION_PUBLISHED,
        author=author,
        organisation=version.organisation,
        version=version,
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


def _finished(plan: Plan, content: Content, was: Content) -> Content:
    """The content as it is published: with a title, milestones settled, its period in order."""
    content = settle_milestones(content, was)
    for problem in period_problems(content["about"]):
        raise UnableToPublish(f"{problem.message} Change it under “About this plan” in the draft.")
    return {**content, "about": {**content["about"], "title": content["about"]["title"] or plan.title}}


def _refuse_unasked(plan: Plan, content: Content, was: Content, keep: Sequence[str]) -> None:
    """Refuse to publish parts of the template that nobody has changed, and nobody decided to keep."""
    unasked = [title for piece, title in untouched_parts(plan.kind, content, was).items() if piece not in keep]
    if unasked:
        raise UnableToPublish(f"Nobody has changed these since the plan began. Keep or remove: {'; '.join(unasked)}.")


def _take_out(plan: Plan, draft: Draft, pieces: Sequence[str], author: User | None, now: dt.datetime) -> None:
    """Take pieces out of the locked draft before it is published.

    Raises `UnableToPublish` if nothing was written: taking parts of a template out writes nothing.
    """
    if plan.is_draft and draft.content is not None and is_untouched(plan.kind, draft.content):
        raise UnableToPublish(NOTHING_WRITTEN)
    for piece in pieces:
        save_piece(plan=plan, piece=piece, value=None, based_on=None, author=author, now=now)
    draft.refresh_from_db()


def _embargo_end(plan: Plan, wanted: dt.datetime | None, now: dt.datetime) -> dt.datetime | None:
    """When the next version's embargo ends.

    Never before that of the version before, which it includes.
    """
    if wanted is not None and wanted <= now:
        raise UnableToEmbargo(
            "The end of the embargo is in the past. Choose a later time, or leave the day empty to publish now."
        )
    held = plan.embargoed_until if plan.embargoed_until and plan.embargoed_until > now else None
    if held is None or wanted is None:
        return held or wanted
    if wanted < held:
        raise UnableToEmbargo(
            f"Version {plan.current_number} is under embargo until {moment_in_words(held)}, and this version includes "
            "its changes. Choose that time or a later one, or leave the day empty to publish them together."
        )
    return wanted


def moment_in_words(moment: dt.datetime) -> str:
    """A moment in the site's time zone: "12 November 2026, 09:14"."""
    return long_time(timezone.localtime(moment))


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
    """Publish the newest version with one piece replaced, such as a milestone.

    The draft keeps its other changes. `based_on` is the number of the version that the author saw. Raises
    `PieceConflict`, with the newest number as its `revision`, if somebody has published another value of the piece
    since; and `UnableToPublish`.
    """
    with transaction.atomic():
        locked = lock_plan(plan)
        require(rights_over(locked, author, now).may_publish)
        last = locked.versions.filter(number=locked.current_number).first()
        if last is None:
            raise UnableToPublish("This plan has no version yet.")
        try:
            content = set_piece(last.content, piece, value)
            theirs = get_piece(last.content, piece)
            seen = get_piece(content_of(locked, based_on), piece) if based_on != last.number else theirs
        except ValueError as error:
            raise UnableToPublish(str(error)) from error
        mine = get_piece(content, piece)
        if theirs not in (seen, mine):
            raise PieceConflict(
                piece=piece,
                mine=mine,
                theirs=theirs,
                revision=last.number,
                by=last.author_id,
                at=last.published_at.isoformat(),
            )
        return publish_version(plan=locked, author=author, note=note, minor=minor, now=now, content=content)


def figures_of(was: Content, now: Content, found: tuple[Change, ...]) -> dict[str, Any]:
    """The figures of a version for lists, by reading class."""
    hidden = outside(now)
    outer = changes(outside(was), hidden)
    return {
        ReadingClass.INSIDE.value: _figures(now, found),
        ReadingClass.OUTSIDE.value: _figures(hidden, outer),
    }


def _figures(content: Content, found: tuple[Change, ...]) -> dict[str, Any]:
    return {
        "homes": total_homes(content),
        "homes_difference": homes_difference(found),
        "sites": len(content["sites"]),
        "changes": len(found),
        "summary": summary(found),
    }


def _copy_title(plan: Plan, version: Version, content: Content) -> None:
    """Copy title and period of an open version to the plan.

    An embargo covers the title too.
    """
    plan.title = version.title
    plan.period_start = year_of(content["about"]["period_start"])
    plan.period_end = year_of(content["about"]["period_end"])


def _ask_for_signatures(
    plan: Plan, was_substantive: int, number: int, *, author: User | None, now: dt.datetime
) -> None:
    """Ask signatories again if earlier signatures no longer count."""
    if plan.substantive_number > was_substantive and plan.is_awaiting_sign_off:
        ask_all_again(plan, author=author, now=now)


def lift_embargoes(*, now: dt.datetime) -> int:
    """Open versions whose embargo is over; returns the number of plans.

    Safe to run twice or late. Failures are logged and tried again in the next run; they do not hold up other plans.
    """
    held = Version.objects.filter(plan=OuterRef("pk"), number__gt=OuterRef("open_number"), embargo_until__lte=now)
    over = Plan.objects.filter(Exists(held), open_number__lt=F("current_number")).order_by("pk")
    lifted = 0
    for pk in over.values_list("pk", flat=True):
        try:
            lifted += _open_newest(pk, now)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one plan, the others open on time
            log.error("embargo_not_lifted", plan=pk, kind=type(error).__name__)
    return lifted


@transaction.atomic
def _open_newest(pk: int, now: dt.datetime) -> bool:
    """Open the plan's newest version whose embargo is over.

    Returns whether there was one.
    """
    plan = lock_plan(Plan(pk=pk))
    free = plan.versions.filter(Q(embargo_until=None) | Q(embargo_until__lte=now), number__gt=plan.open_number)
    version = free.order_by("-number").first()
    if version is None:
        return False
    opened, before, was_substantive = plan.open_number, plan.status, plan.substantive_number
    _copy_title(plan, version, version.content)
    _make_open(plan, version, version.embargo_until or version.published_at)
    if version.number == plan.current_number:
        plan.embargoed_until = None
    plan.save()
    record_event(
        plan,
        EventKind.EMBARGO_LIFTED,
        author=None,
        organisation=None,
        version=version,
        now=now,
        data={
            "title": version.title,
            "number": version.number,
            "before": {"version": opened, "status": before},
            "after": {"version": version.number, "status": plan.status},
        },
    )
    _ask_for_signatures(plan, was_substantive, version.number, author=None, now=now)
    version_published.send(sender=Version, version=version)
    return True


def _make_open(plan: Plan, version: Version, at: dt.datetime) -> None:
    """Update status and numbers for a version that its readers can see now."""
    substantive = plan.versions.filter(number__lte=version.number, minor=False).order_by("-number")
    number = substantive.values_list("number", flat=True).first() or 0
    if number > plan.substantive_number and plan.status in (Status.AGREED, Status.MONITORING):
        plan.status = Status.AWAITING_SIGN_OFF
    plan.substantive_number = max(plan.substantive_number, number)
    plan.last_published_at = at
    plan.open_number = version.number


def _update_plan(plan: Plan, version: Version, content: Content) -> None:
    """Update the plan's row for the new version.

    Under embargo without title, period and status.
    """
    opens = version.embargo_until or version.published_at
    plan.current_number = version.number
    if version.number == 1:
        _copy_title(plan, version, content)
    if not version.is_under_embargo:
        _copy_title(plan, version, content)
        _make_open(plan, version, version.published_at)
    plan.open_at = min(plan.open_at, opens) if plan.open_at else opens
    plan.embargoed_until = version.embargo_until
    plan.first_published_at = plan.first_published_at or version.published_at
    if plan.status == Status.DRAFT:
        plan.status = Status.SHARED
    plan.years = year_kind(content) or plan.years
    plan.save()
