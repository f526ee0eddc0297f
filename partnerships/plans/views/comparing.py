"""Pages that compare two versions of a plan, or a version with the draft."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.activity.seen import note_changes_seen
from partnerships.documents import downloads
from partnerships.documents.queries import last_saves
from partnerships.kit.dates import long_date
from partnerships.organisations.statements import rows_for
from partnerships.organisations.stored_statements import planned_for_each_reader
from partnerships.people.models import User
from partnerships.people.requests import is_reading_page
from partnerships.plans.comparisons import Comparison, csv_rows
from partnerships.plans.content import Content
from partnerships.plans.models import Draft, OpeningMethod, Version, VersionQuerySet
from partnerships.plans.queries import content_for_reader, draft_content, versions_for
from partnerships.plans.services import stored_pdf
from partnerships.plans.views.fetching import PlanAccess, log_opening, login_required_unless_public, open_plan
from partnerships.plans.views.whole import compare_contents

DRAFT = "draft"
BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Side:
    """A version or the draft as one side of a comparison. `version` is None for the draft."""

    value: str
    label: str
    version: Version | None


@dataclass(frozen=True, slots=True)
class ComparedSides:
    """A comparison of two sides of a plan, with the parts that the reader may see."""

    access: PlanAccess
    from_side: Side
    to_side: Side
    #: All sides that the reader can choose.
    sides: tuple[Side, ...]
    #: The versions after the older side, up to and including the newer side.
    between: tuple[Version, ...]
    compared: Comparison
    #: Whether the address asks for the baseline, but the plan has none.
    is_baseline_missing: bool

    @property
    def is_draft(self) -> bool:
        """Return whether one side is the draft."""
        return self.from_side.version is None or self.to_side.version is None


def _side_of_version(version: Version, *, baseline_number: int | None) -> Side:
    """Return the side of a comparison that shows this version."""
    published_on = long_date(timezone.localdate(version.published_at))
    suffix = ", baseline" if version.number == baseline_number else ""
    return Side(
        value=str(version.number),
        label=f"Version {version.number}, {published_on}{suffix}",
        version=version,
    )


def _sides(request: HttpRequest, access: PlanAccess) -> tuple[Side, ...]:
    """Return the sides that the reader can choose, newest first."""
    plan = access.plan
    versions = rows_for(_versions, request.user, plan.pk)
    sides = [_side_of_version(version, baseline_number=plan.baseline_number) for version in versions]
    if access.may_read_draft:
        sides.insert(0, Side(value=DRAFT, label="The draft", version=None))
    return tuple(sides)


@planned_for_each_reader
def _versions(user: User | AnonymousUser, plan_id: int) -> VersionQuerySet:
    """Return the versions that the reader may see, without their content."""
    return versions_for(user, plan_id).without_content().select_related("author")


@dataclass(frozen=True, slots=True)
class _ChosenSides:
    """The two sides that an address asks for."""

    from_side: Side
    to_side: Side
    is_baseline_missing: bool


def _choose_sides(request: HttpRequest, access: PlanAccess, sides: tuple[Side, ...]) -> _ChosenSides:
    """Return the two sides in the address, or else the newest two versions; 404 for an unknown side.

    If the address asks for the baseline and the plan has none, the default replaces the baseline.
    """
    side_by_value = {side.value: side for side in sides}
    from_value, to_value = request.GET.get("from", ""), request.GET.get("to", "")
    baseline = side_by_value.get(str(access.plan.baseline_number or ""))
    is_baseline_missing = baseline is None and BASELINE in (from_value, to_value)
    if baseline is not None:
        side_by_value[BASELINE] = baseline
    if is_baseline_missing:
        from_value = "" if from_value == BASELINE else from_value
        to_value = "" if to_value == BASELINE else to_value

    versions = [side for side in sides if side.version is not None]
    is_unknown = any(value and value not in side_by_value for value in (from_value, to_value))
    if is_unknown or not versions:
        raise Http404
    to_side = side_by_value[to_value] if to_value else versions[0]
    from_side = side_by_value[from_value] if from_value else _newest_before(to_side, versions)
    return _ChosenSides(from_side=from_side, to_side=to_side, is_baseline_missing=is_baseline_missing)


def _newest_before(side: Side, versions: list[Side]) -> Side:
    """Return the newest version before a side, or the side itself if it is the first version."""
    if side.version is None:
        return versions[0]
    older_sides = [older_side for older_side in versions if _version_number(older_side) < side.version.number]
    return older_sides[0] if older_sides else side


def _version_number(side: Side) -> int:
    """Return the number of the side's version; 0 for the draft."""
    return side.version.number if side.version else 0


def _contents(access: PlanAccess, chosen: _ChosenSides) -> tuple[Content, Content]:
    """Return the contents of both sides, as the reader may see them. One query reads the contents of both versions."""
    sides = (chosen.from_side, chosen.to_side)
    version_ids = {side.version.pk for side in sides if side.version is not None}
    content_by_version = dict(Version.objects.filter(pk__in=version_ids).values_list("pk", "content"))
    from_content, to_content = (
        content_by_version[side.version.pk] if side.version is not None else draft_content(access.plan)
        for side in sides
    )
    return content_for_reader(from_content, access.reader), content_for_reader(to_content, access.reader)


def _last_editors(access: PlanAccess) -> dict[str, str]:
    """Return the name of the person who last changed each piece of the draft, by piece.

    Returns no names to readers who may not edit the draft.
    """
    draft = Draft.objects.filter(plan=access.plan).first()
    if draft is None or not access.may_edit:
        return {}
    return {piece: last_save.by for piece, last_save in last_saves(draft).items() if last_save.by}


def compare_sides(request: HttpRequest, pk: int, how: OpeningMethod) -> ComparedSides:
    """Return the comparison of the two sides in the address; 404 if the reader may not see one of them.

    If one side is a draft shared with the reader, the opening is logged with `how`.
    """
    access = open_plan(request, pk)
    sides = _sides(request, access)
    chosen = _choose_sides(request, access, sides)
    if chosen.from_side.version is None or chosen.to_side.version is None:
        log_opening(request, access, how)

    from_content, to_content = _contents(access, chosen)
    compared = compare_contents(
        from_content,
        to_content,
        changed_by=_last_editors(access) if chosen.to_side.version is None else {},
    )
    return ComparedSides(
        access=access,
        from_side=chosen.from_side,
        to_side=chosen.to_side,
        sides=sides,
        between=_versions_between(access, chosen, sides),
        compared=compared,
        is_baseline_missing=chosen.is_baseline_missing,
    )


def _versions_between(access: PlanAccess, chosen: _ChosenSides, sides: tuple[Side, ...]) -> tuple[Version, ...]:
    """Return the versions after the older side, up to and including the newer side, oldest first."""
    # No version is newer than the draft, so the draft is treated like the current version.
    version_numbers = [
        side.version.number if side.version else access.plan.current_number
        for side in (chosen.from_side, chosen.to_side)
    ]
    older_number, newer_number = sorted(version_numbers)
    oldest_first = [side.version for side in reversed(sides) if side.version is not None]
    return tuple(version for version in oldest_first if older_number < version.number <= newer_number)


def _context(request: HttpRequest, compared_sides: ComparedSides) -> dict[str, Any]:
    """Return the template context of a comparison."""
    query = f"from={compared_sides.from_side.value}&to={compared_sides.to_side.value}"
    return {
        "plan": compared_sides.access.plan,
        "access": compared_sides.access,
        "from_side": compared_sides.from_side,
        "to_side": compared_sides.to_side,
        "sides": compared_sides.sides,
        "between": compared_sides.between,
        "compared": compared_sides.compared,
        "is_draft": compared_sides.is_draft,
        "is_baseline_missing": compared_sides.is_baseline_missing,
        "query": query,
        "shareable": request.build_absolute_uri(f"{request.path}?{query}"),
    }


@require_safe
@login_required_unless_public
def compare_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what changed between two versions, and record that the reader has seen these changes."""
    compared_sides = compare_sides(request, pk, OpeningMethod.COMPARED)
    _note_seen(request, compared_sides)
    return render(request, "plans/compare.html", _context(request, compared_sides))


def _note_seen(request: HttpRequest, compared_sides: ComparedSides) -> None:
    """Record between which versions the reader saw the changes. The draft and visitors are not recorded."""
    from_version, to_version = compared_sides.from_side.version, compared_sides.to_side.version
    if from_version is None or to_version is None:
        return
    if not isinstance(request.user, User) or not is_reading_page(request):
        return
    note_changes_seen(
        person_id=request.user.pk,
        kind="plan",
        record_id=compared_sides.access.plan.pk,
        from_number=from_version.number,
        to_number=to_version.number,
        now=timezone.now(),
    )


@require_safe
@login_required_unless_public
def compare_paper(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the comparison to print."""
    return render(
        request, "plans/compare_paper.html", _context(request, compare_sides(request, pk, OpeningMethod.PAPER))
    )


@require_safe
@login_required_unless_public
def compare_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the comparison as a PDF, stored for the next reader unless one side is the draft."""
    compared_sides = compare_sides(request, pk, OpeningMethod.PDF)
    context, title = _context(request, compared_sides), _title(compared_sides)
    draw: Callable[[str], bytes] = partial(_stored_or_new_pdf, compared_sides)
    if compared_sides.is_draft:
        draw = downloads.draw_pdf
    return downloads.pdf_response(request, "plans/compare_pdf.html", context, title, draw=draw)


def _stored_or_new_pdf(compared_sides: ComparedSides, html: str) -> bytes:
    """Return the PDF of two versions compared, which is rendered only once and then stored."""
    assert compared_sides.from_side.version is not None
    assert compared_sides.to_side.version is not None
    return stored_pdf(
        html,
        version=compared_sides.to_side.version,
        against=compared_sides.from_side.version,
        reader=compared_sides.access.reader,
        draw=downloads.draw_pdf,
        now=timezone.now(),
    )


@require_safe
@login_required_unless_public
def compare_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the comparison as a CSV file."""
    compared_sides = compare_sides(request, pk, OpeningMethod.SPREADSHEET)
    names_author = request.user.is_authenticated  # visitors of a public plan see no names of people
    warning = (
        "One of these two versions is a draft, which has not been published and may change."
        if compared_sides.is_draft
        else ""
    )
    rows = csv_rows(
        compared_sides.compared,
        was=compared_sides.from_side.label,
        now=compared_sides.to_side.label,
        notes=[(_describe(version, names_author=names_author), version.note) for version in compared_sides.between],
        warning=warning,
    )
    return downloads.csv_response(rows, _title(compared_sides))


def _describe(version: Version, *, names_author: bool) -> str:
    """Return a version in words, such as "Version 2, minor, 1 June 2026, Amina Khan"."""
    day = long_date(timezone.localdate(version.published_at))
    minor = ", minor" if version.minor else ""
    author = f", {version.author.display_name}" if names_author and version.author else ""
    return f"Version {version.number}{minor}, {day}{author}"


def _title(compared_sides: ComparedSides) -> str:
    """Return the name of a file with the comparison."""
    return f"{compared_sides.access.plan.title} {compared_sides.from_side.value} to {compared_sides.to_side.value}"
