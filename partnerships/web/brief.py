"""The brief tells a person what they need to know before meeting an organisation, as a page and as PDF."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.agreements.models import Partnership, Party
from partnerships.commitments.queries import Promises, promises_between, promises_lookup
from partnerships.conversations.models import Conversation
from partnerships.conversations.queries import (
    SideAttendees,
    SidePoints,
    last_conversation_between,
    last_conversation_lookup,
    points_between,
    points_between_lookup,
    side_attendees,
)
from partnerships.documents import downloads
from partnerships.exchange.models import Entry
from partnerships.exchange.queries import entries_between
from partnerships.kit.http import row_number
from partnerships.organisations.holdings import for_a_few_records
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.queries import acting_memberships, contacts_of, organisation_for
from partnerships.organisations.statements import count_for, count_lookup, lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.plans.models import Plan
from partnerships.web.brief_plans import PlanChanges, changes_of_plans

#: The most asks and offers, plans and people of each kind in a brief.
_MAX_ROWS = 12
#: The most commitments of each kind in a brief.
_MAX_PROMISES = 8
#: The most sheets of paper of a brief.
_MAX_SHEETS = 2
#: The numbers of rows that are tried, one after another, until the brief fits on the paper.
_FEWER_ROWS = (6, 3, 1)
_ON_PAPER = "web/brief_pdf.html"


@dataclass(frozen=True, slots=True)
class Brief:
    """What a person of organisation `ours` may read about `theirs`, before the two organisations meet."""

    ours: Organisation
    theirs: Organisation
    partnerships: tuple[Partnership, ...]
    our_entries: tuple[Entry, ...]
    their_entries: tuple[Entry, ...]
    promised: Promises
    promised_to_us: Promises
    plans: tuple[PlanChanges, ...]
    last: Conversation | None
    seats: tuple[SideAttendees, ...]
    points: tuple[SidePoints, ...]
    people: tuple[Membership, ...]
    #: The numbers of asks and offers, plans and people that the lists leave out.
    our_more: int = 0
    their_more: int = 0
    more_plans: int = 0
    more_people: int = 0


def brief_for(*, user: User, ours: Organisation, theirs: Organisation, now: dt.datetime) -> Brief:
    """Collect the asks, offers, commitments, plans and conversations of the two organisations.

    The brief has at most `_MAX_ROWS` asks, offers, plans and people.
    """
    today = timezone.localdate(now)
    _read_brief_ahead(user, ours, theirs, today)
    entries = [entry for entry in rows_for(_entries, user, ours.pk, theirs.pk) if _is_live(entry)]
    our_entries = [entry for entry in entries if entry.organisation_id == ours.pk]
    their_entries = [entry for entry in entries if entry.organisation_id == theirs.pk]

    last_conversation = last_conversation_between(user=user, own_side=ours, other_side=theirs, today=today)
    own_ids = set(Membership.objects.roles_of(user))
    plans = rows_for(_first_plans, user, ours.pk, theirs.pk)
    inside_ids = set(rows_for(_ids_of_plans_read_inside, user, ours.pk, theirs.pk))
    return Brief(
        ours=ours,
        theirs=theirs,
        partnerships=tuple(rows_for(_partnerships, user, ours.pk, theirs.pk)),
        our_entries=tuple(our_entries[:_MAX_ROWS]),
        their_entries=tuple(their_entries[:_MAX_ROWS]),
        promised=promises_between(giver=ours, receiver=theirs, user=user, today=today),
        promised_to_us=promises_between(giver=theirs, receiver=ours, user=user, today=today),
        plans=tuple(changes_of_plans(user, plans, inside_ids, last_conversation)),
        last=last_conversation,
        seats=tuple(side_attendees(last_conversation, own_ids)) if last_conversation else (),
        points=tuple(points_between(user=user, own_side=ours, other_side=theirs)),
        people=tuple(rows_for(_first_contacts, theirs.pk)),
        our_more=max(len(our_entries) - _MAX_ROWS, 0),
        their_more=max(len(their_entries) - _MAX_ROWS, 0),
        more_plans=max(count_for(_plans, user, ours.pk, theirs.pk) - _MAX_ROWS, 0),
        more_people=max(count_for(contacts_of, theirs.pk) - _MAX_ROWS, 0),
    )


def _read_brief_ahead(user: User, ours: Organisation, theirs: Organisation, today: dt.date) -> None:
    """Read most rows of `brief_for` in one query."""
    read_ahead(
        [
            lookup(_entries, user, ours.pk, theirs.pk),
            lookup(_partnerships, user, ours.pk, theirs.pk),
            promises_lookup(giver=ours, receiver=theirs, user=user),
            promises_lookup(giver=theirs, receiver=ours, user=user),
            lookup(_first_plans, user, ours.pk, theirs.pk),
            count_lookup(_plans, user, ours.pk, theirs.pk),
            lookup(_ids_of_plans_read_inside, user, ours.pk, theirs.pk),
            last_conversation_lookup(user=user, own_side=ours, other_side=theirs, today=today),
            points_between_lookup(user=user, own_side=ours, other_side=theirs),
            lookup(_first_contacts, theirs.pk),
            count_lookup(contacts_of, theirs.pk),
        ]
    )


def _entries(user: User, ours: int, theirs: int) -> QuerySet[Entry]:
    """Return the asks and offers between the organisations, without their areas, which a brief does not show."""
    return entries_between(user, ours, theirs).prefetch_related(None)


def _is_live(entry: Entry) -> bool:
    """Return whether an ask or offer is neither a draft nor over."""
    return not entry.is_draft and not entry.is_over


def _shared_partnership_ids(ours: int, theirs: int) -> QuerySet[Party, Any]:
    """Return the ids, as a subquery, of the partnerships in which both organisations are present."""
    their_partnerships = Party.objects.accepted().filter(organisation=theirs).values("partnership")
    return Party.objects.accepted().filter(organisation=ours, partnership__in=their_partnerships).values("partnership")


def _partnerships(user: User, ours: int, theirs: int) -> QuerySet[Partnership]:
    """Return the shared partnerships that the person may read, by title."""
    shared_partnerships = Partnership.objects.filter(pk__in=_shared_partnership_ids(ours, theirs))
    return shared_partnerships.readable_today_by(user).order_by("title", "pk")


def _plans(user: User, ours: int, theirs: int) -> QuerySet[Plan]:
    """Return the plans of shared partnerships and of the other organisation, the last published first."""
    visible_plans = Plan.objects.published_for(user)
    ids_of_their_plans = visible_plans.owned_by(theirs).values("pk")
    ids_of_shared_plans = visible_plans.filter(partnership__in=_shared_partnership_ids(ours, theirs)).values("pk")
    plans = Plan.objects.filter(pk__in=ids_of_their_plans.union(ids_of_shared_plans))
    return plans.order_by("-last_published_at", "-pk")


def _first_plans(user: User, ours: int, theirs: int) -> QuerySet[Plan]:
    """Return the plans that a brief lists."""
    return _plans(user, ours, theirs)[:_MAX_ROWS]


def _ids_of_plans_read_inside(user: User, ours: int, theirs: int) -> QuerySet[Plan, int]:
    """Return the ids of the plans of a brief in which the person acts for an owner or a present party."""
    with for_a_few_records():
        insider_plans = Plan.objects.with_insider(user)
    return insider_plans.filter(pk__in=_plans(user, ours, theirs).order_by().values("pk")).values_list("pk", flat=True)


def _first_contacts(theirs: int) -> QuerySet[Membership]:
    """Return the people of the other organisation that a brief lists."""
    return contacts_of(theirs)[:_MAX_ROWS]


def chosen_side(request: HttpRequest, user: User) -> Organisation | None:
    """Return the organisation given by `for` in the URL, or None without `for`.

    Raises `Http404` if the person does not act for the organisation.
    """
    id_text = request.GET.get("for", "")
    if not id_text:
        return None
    organisation_id = row_number(id_text)
    chosen = organisation_for(user, organisation_id) if organisation_id is not None else None
    if chosen is None:
        raise Http404
    return chosen


def our_side_for(request: HttpRequest, user: User, theirs: Organisation) -> Organisation:
    """Return the organisation that the person reads for, which is not the one that the brief is about.

    It is the organisation given by `for` in the URL. Without `for`, it is the one in which the person has most rights.
    Raises `PermissionDenied` if the person acts for no organisation, and `Http404` if only for that of the brief.
    """
    chosen = chosen_side(request, user)
    if chosen is not None:
        if chosen.pk == theirs.pk:
            raise Http404
        return chosen
    own_organisations = [membership.organisation for membership in acting_memberships(user)]
    if not own_organisations:
        raise PermissionDenied
    other_organisations = [organisation for organisation in own_organisations if organisation.pk != theirs.pk]
    if not other_organisations:
        raise Http404
    return other_organisations[0]


def _context(request: HttpRequest, pk: int) -> dict[str, object]:
    """Return the template context of the page and the PDF."""
    user = signed_in(request)
    theirs = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    ours = our_side_for(request, user, theirs)
    now = timezone.now()
    brief = brief_for(user=user, ours=ours, theirs=theirs, now=now)
    return {"organisation": theirs, "now": now, "query": request.GET.urlencode(), **_context_of_brief(brief)}


def _context_of_brief(brief: Brief, rows: int = _MAX_ROWS) -> dict[str, object]:
    """Return the part of the template context that depends on the brief. It shows at most `rows` of each kind."""
    is_shortened = rows < _MAX_ROWS
    shown_brief = _shorten(brief, rows) if is_shortened else brief
    max_promises = min(rows, _MAX_PROMISES)
    return {
        "brief": shown_brief,
        "sides": (
            (brief.ours, shown_brief.our_entries, shown_brief.our_more),
            (brief.theirs, shown_brief.their_entries, shown_brief.their_more),
        ),
        "promises": (brief.promised, brief.promised_to_us),
        "listed": max_promises,
        "first_promises": f":{max_promises}",
        "fewer": -max_promises,
        "is_shortened": is_shortened,
    }


def _shorten(brief: Brief, rows: int) -> Brief:
    """Return the brief with at most `rows` rows of each kind, and with at most that many changes of each plan."""
    return replace(
        brief,
        our_entries=brief.our_entries[:rows],
        their_entries=brief.their_entries[:rows],
        plans=tuple(_first_changes(plan_changes, rows) for plan_changes in brief.plans[:rows]),
        points=tuple(_first_points(side, rows) for side in brief.points),
        people=brief.people[:rows],
        our_more=brief.our_more + max(len(brief.our_entries) - rows, 0),
        their_more=brief.their_more + max(len(brief.their_entries) - rows, 0),
        more_plans=brief.more_plans + max(len(brief.plans) - rows, 0),
        more_people=brief.more_people + max(len(brief.people) - rows, 0),
    )


def _first_changes(plan_changes: PlanChanges, rows: int) -> PlanChanges:
    """Return the plan with at most `rows` changes."""
    omitted_count = max(len(plan_changes.changes) - rows, 0)
    return replace(plan_changes, changes=plan_changes.changes[:rows], more=plan_changes.more + omitted_count)


def _first_points(side: SidePoints, rows: int) -> SidePoints:
    """Return the side with at most `rows` points of each kind."""
    return replace(
        side,
        objectives=side.objectives[:rows],
        obstacles=side.obstacles[:rows],
        opportunities=side.opportunities[:rows],
    )


@require_safe
def brief(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the brief as a page that can be printed."""
    return render(request, "web/brief.html", _context(request, pk))


@require_safe
def brief_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the brief as PDF.

    If this server cannot draw PDFs, the response is a page that explains how to print the brief.
    """
    context = _context(request, pk) | {"back": reverse("web:brief", args=[pk])}
    whole_brief = cast(Brief, context["brief"])

    def drafts(page: str) -> Iterator[str]:
        """Yield the page, then shorter and shorter ones. The first that fits on the paper is drawn."""
        yield page
        for rows in _FEWER_ROWS:
            yield render_to_string(_ON_PAPER, context | _context_of_brief(whole_brief, rows), request)

    return downloads.pdf_response(
        request,
        _ON_PAPER,
        context,
        f"Brief {context['organisation']}",
        draw=lambda page: downloads.draw_fitting(drafts(page), _MAX_SHEETS),
    )
