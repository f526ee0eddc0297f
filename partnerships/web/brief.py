"""The brief: what to know before a meeting with an organisation, as page and PDF."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.agreements.models import Partnership, Party
from partnerships.commitments.queries import Promises, promises
from partnerships.conversations.models import Conversation
from partnerships.conversations.queries import Seats, SidePoints, last_held, points_between, seats_shown
from partnerships.documents import downloads
from partnerships.exchange.models import Entry
from partnerships.exchange.queries import entries_between
from partnerships.kit.http import row_number
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.queries import acting_memberships, contacts_of, organisation_for
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.plans.changes import changes, summary
from partnerships.plans.models import Plan
from partnerships.plans.queries import area_names, content_for, reading_class, versions_for

#: Entries, plans and people listed of each kind.
_MAX_ROWS = 12
#: Changes listed for each plan; the comparison page has them all.
_MAX_CHANGES = 6
#: Commitments listed of each kind.
_MAX_PROMISES = 8
#: A brief on paper fits on two sheets: if need be, it lists fewer rows of each kind.
_SHEETS, _FEWER_ROWS = 2, (6, 3, 1)
_ON_PAPER = "web/brief_pdf.html"


@dataclass(frozen=True, slots=True)
class PlanSince:
    """A shared plan and its changes since the last conversation."""

    plan: Plan
    number: int
    words: str
    lines: tuple[str, ...] = ()
    more: int = 0
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Brief:
    """What a person of `ours` should know before meeting `theirs`, within their rights."""

    ours: Organisation
    theirs: Organisation
    partnerships: tuple[Partnership, ...]
    our_entries: tuple[Entry, ...]
    their_entries: tuple[Entry, ...]
    promised: Promises
    promised_to_us: Promises
    plans: tuple[PlanSince, ...]
    last: Conversation | None
    seats: tuple[Seats, ...]
    points: tuple[SidePoints, ...]
    people: tuple[Membership, ...]
    #: How many more there are than the lists show.
    our_more: int = 0
    their_more: int = 0
    more_plans: int = 0
    more_people: int = 0


def brief_for(
    *, user: User, ours: Organisation, theirs: Organisation, now: dt.datetime, rows: int = _MAX_ROWS
) -> Brief:
    """Collect the asks, offers, commitments, plans and conversations of the two organisations.

    `rows` are listed of each kind. Fewer than usual also shorten the points of conversations.
    """
    today = timezone.localdate(now)
    shared = Party.objects.present().filter(organisation=theirs).values("partnership")
    partnerships = Partnership.objects.inside_for(user).filter(
        pk__in=Party.objects.present().filter(organisation=ours, partnership__in=shared).values("partnership")
    )
    entries = [entry for entry in entries_between(user=user, ours=ours, theirs=theirs) if _is_live(entry)]
    last = last_held(user=user, ours=ours, theirs=theirs, today=today)
    sides = [[entry for entry in entries if entry.organisation_id == body.pk] for body in (ours, theirs)]
    plans, people = _plans(user, ours, theirs), contacts_of(theirs)
    points = points_between(user=user, ours=ours, theirs=theirs)
    return Brief(
        ours=ours,
        theirs=theirs,
        partnerships=tuple(partnerships.order_by("title", "pk")),
        our_entries=tuple(sides[0][:rows]),
        their_entries=tuple(sides[1][:rows]),
        promised=promises(giver=ours, receiver=theirs, user=user, today=today),
        promised_to_us=promises(giver=theirs, receiver=ours, user=user, today=today),
        plans=tuple(_plans_since(user, plans[:rows], last, min(rows, _MAX_CHANGES))),
        last=last,
        seats=tuple(seats_shown(last, _own(user))) if last else (),
        points=tuple(points if rows == _MAX_ROWS else (_first_points(side, rows) for side in points)),
        people=tuple(people[:rows]),
        our_more=max(len(sides[0]) - rows, 0),
        their_more=max(len(sides[1]) - rows, 0),
        more_plans=max(plans.count() - rows, 0),
        more_people=max(people.count() - rows, 0),
    )


def _first_points(side: SidePoints, rows: int) -> SidePoints:
    return replace(
        side,
        objectives=side.objectives[:rows],
        obstacles=side.obstacles[:rows],
        opportunities=side.opportunities[:rows],
    )


def _own(user: User) -> list[int]:
    return list(Organisation.objects.of_person(user).values_list("pk", flat=True))


def _is_live(entry: Entry) -> bool:
    return not entry.is_draft and not entry.is_over


def _plans(user: User, ours: Organisation, theirs: Organisation) -> QuerySet[Plan]:
    """Plans in a shared partnership or owned by the other side, newest first."""
    shared = Party.objects.present().filter(organisation=theirs).values("partnership")
    both = Party.objects.present().filter(organisation=ours, partnership__in=shared).values("partnership")
    visible = Plan.objects.published_for(user)
    of_theirs = visible.owned_by(theirs).values("pk")
    of_both = visible.filter(partnership__in=both).values("pk")
    plans = Plan.objects.filter(pk__in=of_theirs.union(of_both)).for_listing()
    return plans.order_by("-last_published_at", "-pk")


def _plans_since(user: User, plans: Iterable[Plan], last: Conversation | None, listed: int) -> list[PlanSince]:
    changed_plans = (_since(user, plan, last, listed) for plan in plans)
    return [plan_changes for plan_changes in changed_plans if plan_changes is not None]


def _since(user: User, plan: Plan, last: Conversation | None, listed: int) -> PlanSince | None:
    """The first `listed` changes since the version that was current at the last conversation."""
    versions = versions_for(user, plan)
    newest = versions.first()
    if newest is None:
        return None
    if last is None:
        return PlanSince(plan, newest.number, "No conversation has been recorded yet. See the plan.")
    before = versions.filter(published_at__date__lte=last.held_on).first()
    is_new, first = before is None, before or versions.last()
    if first is None or first.pk == newest.pk:
        words = "Published since the last conversation." if is_new else "Nothing changed."
        return PlanSince(plan, newest.number, words)
    reader = reading_class(user, plan)
    was, now = content_for(first.content, reader), content_for(newest.content, reader)
    all_changes = changes(was, now, area_names(was, now))
    words = f"Published since the last conversation. Since version {first.number}: " if is_new else ""
    return PlanSince(
        plan,
        newest.number,
        words + summary(all_changes),
        lines=tuple(change.sentence() for change in all_changes[:listed]),
        more=max(len(all_changes) - listed, 0),
        before=first.number,
    )


def chosen_side(request: HttpRequest, user: User) -> Organisation | None:
    """The organisation that `for` in the address names; None without it.

    404 if the person does not act for it.
    """
    wanted = request.GET.get("for", "")
    if not wanted:
        return None
    number = row_number(wanted)
    chosen = organisation_for(user, number) if number is not None else None
    if chosen is None:
        raise Http404
    return chosen


def our_side(request: HttpRequest, user: User, theirs: Organisation) -> Organisation:
    """The organisation the person reads for.

    The one in `for`, else where they have most rights.

    403 for somebody who acts for none, 404 for one's own organisation.
    """
    chosen = chosen_side(request, user)
    if chosen is not None:
        if chosen.pk == theirs.pk:
            raise Http404
        return chosen
    acting = [membership.organisation for membership in acting_memberships(user)]
    if not acting:
        raise PermissionDenied
    others = [organisation for organisation in acting if organisation.pk != theirs.pk]
    if not others:
        raise Http404
    return others[0]


def _context(request: HttpRequest, pk: int, rows: int = _MAX_ROWS) -> dict[str, object]:
    """What page and PDF show.

    A PDF that takes too long is made again with fewer rows.
    """
    user = signed_in(request)
    theirs = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    ours = our_side(request, user, theirs)
    now = timezone.now()
    brief = brief_for(user=user, ours=ours, theirs=theirs, now=now, rows=rows)
    listed = min(rows, _MAX_PROMISES)
    return {
        "brief": brief,
        "organisation": theirs,
        "sides": (
            (ours, brief.our_entries, brief.our_more),
            (theirs, brief.their_entries, brief.their_more),
        ),
        "promises": (brief.promised, brief.promised_to_us),
        "listed": listed,
        "first_promises": f":{listed}",
        "fewer": -listed,
        "is_shortened": rows < _MAX_ROWS,
        "now": now,
        "query": request.GET.urlencode(),
    }


@require_safe
def brief(request: HttpRequest, pk: int) -> HttpResponse:
    """The brief as a page that prints."""
    return render(request, "web/brief.html", _context(request, pk))


@require_safe
def brief_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The brief as PDF, or a page that says how to print it where no PDF can be made."""
    context = _context(request, pk) | {"back": reverse("web:brief", args=[pk])}

    def drafts(page: str) -> Iterator[str]:
        yield page
        for rows in _FEWER_ROWS:
            yield render_to_string(_ON_PAPER, _context(request, pk, rows), request)

    return downloads.pdf_response(
        request,
        _ON_PAPER,
        context,
        f"Brief {context['organisation']}",
        draw=lambda page: downloads.draw_fitting(drafts(page), _SHEETS),
    )
