"""Compare two versions, the draft or the baseline.

On screen, in print, as PDF and CSV.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.activity.seen import note_seen
from partnerships.documents import downloads
from partnerships.documents.queries import last_saves
from partnerships.kit.dates import long_date
from partnerships.people.models import User
from partnerships.people.requests import is_reading
from partnerships.plans.comparisons import Comparison, csv_rows
from partnerships.plans.content import Content
from partnerships.plans.models import Draft, Opening, Plan, Version
from partnerships.plans.queries import content_for, draft_content, versions_for
from partnerships.plans.services import paper_of
from partnerships.plans.views.fetching import Opened, log_opening, open_plan, sign_in_first
from partnerships.plans.views.whole import compare_contents

DRAFT = "draft"
BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison; `version` is None for the draft."""

    value: str
    label: str
    version: Version | None


@dataclass(frozen=True, slots=True)
class Compared:
    """Two sides of a plan compared, as the reader may see them."""

    opened: Opened
    a: Side
    b: Side
    sides: tuple[Side, ...]
    between: tuple[Version, ...]
    compared: Comparison
    no_baseline: bool

    @property
    def is_draft(self) -> bool:
        """Whether one side is the draft."""
        return self.a.version is None or self.b.version is None


def _label(version: Version, baseline: int | None) -> str:
    pinned = ", baseline" if version.number == baseline else ""
    return f"Version {version.number}, {long_date(timezone.localdate(version.published_at))}{pinned}"


def _sides(request: HttpRequest, opened: Opened) -> tuple[Side, ...]:
    """The sides that can be chosen, newest first."""
    plan = opened.plan
    versions = versions_for(request.user, plan).without_content().select_related("author")
    sides = [Side(str(version.number), _label(version, plan.baseline_number), version) for version in versions]
    if opened.may_read_draft:
        sides.insert(0, Side(DRAFT, "The draft", None))
    return tuple(sides)


def _choose(request: HttpRequest, opened: Opened, sides: tuple[Side, ...]) -> tuple[Side, Side, bool]:
    """The two sides in the address, by default the newest two versions.

    The third value says that the address names a baseline and none is set; the default then takes its place.
    """
    by_value = {side.value: side for side in sides}
    baseline = by_value.get(str(opened.plan.baseline_number or ""))
    numbers = [request.GET.get("from", ""), request.GET.get("to", "")]
    no_baseline = baseline is None and BASELINE in numbers
    if baseline is not None:
        by_value[BASELINE] = baseline
    wanted_a, wanted_b = ("" if no_baseline and name == BASELINE else name for name in numbers)
    versions = [side for side in sides if side.version is not None]
    if not versions or any(name and name not in by_value for name in (wanted_a, wanted_b)):
        raise Http404
    b = by_value[wanted_b] if wanted_b else versions[0]
    if wanted_a:
        return by_value[wanted_a], b, no_baseline
    older = [side for side in versions if b.version is None or _number(side) < _number(b)]
    return (older[0] if older else b), b, no_baseline


def _number(side: Side) -> int:
    return side.version.number if side.version else 0


def _content(opened: Opened, side: Side) -> Content:
    if side.version is None:
        return content_for(draft_content(opened.plan), opened.reader)
    content: Content = Version.objects.values_list("content", flat=True).get(pk=side.version.pk)
    return content_for(content, opened.reader)


def _touched(plan: Plan, opened: Opened) -> dict[str, str]:
    """Who last changed each piece of the draft; for its owners only."""
    draft = Draft.objects.filter(plan=plan).first()
    if draft is None or not opened.may_edit:
        return {}
    return {piece: saved.by for piece, saved in last_saves(draft).items() if saved.by}


def compare_sides(request: HttpRequest, pk: int, how: Opening) -> Compared:
    """Fetch both sides and compare them in the reader's class.

    404 if the reader may not see either. `how` is logged if one side is a draft shared with the reader.
    """
    opened = open_plan(request, pk)
    sides = _sides(request, opened)
    a, b, no_baseline = _choose(request, opened, sides)
    if a.version is None or b.version is None:
        log_opening(request, opened, how)
    low, high = sorted((_number(a), _number(b) or opened.plan.current_number))
    versions = [side.version for side in sides if side.version is not None]
    was, now = _content(opened, a), _content(opened, b)
    return Compared(
        opened=opened,
        a=a,
        b=b,
        sides=sides,
        between=tuple(version for version in reversed(versions) if low < version.number <= high),
        compared=compare_contents(was, now, _touched(opened.plan, opened) if b.version is None else None),
        no_baseline=no_baseline,
    )


def _context(request: HttpRequest, both: Compared) -> dict[str, Any]:
    return {
        "plan": both.opened.plan,
        "opened": both.opened,
        "a": both.a,
        "b": both.b,
        "sides": both.sides,
        "between": both.between,
        "compared": both.compared,
        "is_draft": both.is_draft,
        "no_baseline": both.no_baseline,
        "query": f"from={both.a.value}&to={both.b.value}",
        "shareable": request.build_absolute_uri(f"{request.path}?from={both.a.value}&to={both.b.value}"),
    }


def _closed(request: HttpRequest, pk: int) -> bool:
    return not request.user.is_authenticated and not Plan.objects.public().filter(pk=pk).exists()


@login_not_required
@require_safe
def compare(request: HttpRequest, pk: int) -> HttpResponse:
    """The comparison in words and figures."""
    if _closed(request, pk):
        return sign_in_first(request)
    both = compare_sides(request, pk, Opening.COMPARED)
    _note_seen(request, both)
    return render(request, "plans/compare.html", _context(request, both))


def _note_seen(request: HttpRequest, both: Compared) -> None:
    """Note which versions the reader saw the changes between."""
    user = request.user
    if not is_reading(request) or not isinstance(user, User) or both.a.version is None or both.b.version is None:
        return
    note_seen(
        person_id=user.pk,
        kind="plan",
        record_id=both.opened.plan.pk,
        from_number=both.a.version.number,
        to_number=both.b.version.number,
        now=timezone.now(),
    )


@login_not_required
@require_safe
def compare_paper(request: HttpRequest, pk: int) -> HttpResponse:
    """The comparison to print."""
    if _closed(request, pk):
        return sign_in_first(request)
    return render(request, "plans/compare_paper.html", _context(request, compare_sides(request, pk, Opening.PAPER)))


@login_not_required
@require_safe
def compare_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The comparison as a PDF, stored for the next reader unless one side is the draft."""
    if _closed(request, pk):
        return sign_in_first(request)
    both = compare_sides(request, pk, Opening.PDF)
    draw: Callable[[str], bytes] = downloads.draw_pdf if both.is_draft else partial(_kept, both)
    return downloads.pdf_response(request, "plans/compare_pdf.html", _context(request, both), _title(both), draw=draw)


def _kept(both: Compared, page: str) -> bytes:
    """The stored PDF of two versions compared."""
    assert both.a.version is not None
    assert both.b.version is not None
    return paper_of(
        page,
        version=both.b.version,
        against=both.a.version,
        reader=both.opened.reader,
        draw=downloads.draw_pdf,
        now=timezone.now(),
    )


@login_not_required
@require_safe
def compare_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """The comparison as a spreadsheet."""
    if _closed(request, pk):
        return sign_in_first(request)
    both = compare_sides(request, pk, Opening.SPREADSHEET)
    by_name = request.user.is_authenticated
    rows = csv_rows(
        both.compared,
        was=both.a.label,
        now=both.b.label,
        notes=[(_describe(version, by_name=by_name), version.note) for version in both.between],
        warning="One side is a draft: it is not published and may change." if both.is_draft else "",
    )
    return downloads.csv_response(rows, _title(both))


def _describe(version: Version, *, by_name: bool) -> str:
    """The version, its date and, for signed-in readers, its author."""
    day = long_date(timezone.localdate(version.published_at))
    minor = ", minor" if version.minor else ""
    author = f", {version.author.display_name}" if by_name and version.author else ""
    return f"Version {version.number}{minor}, {day}{author}"


def _title(both: Compared) -> str:
    return f"{both.opened.plan.title} {both.a.value} to {both.b.value}"
