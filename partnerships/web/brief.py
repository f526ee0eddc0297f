"""The brief tells a person what they need to know before meeting an organisation, as a page and as PDF."""

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
from partnerships.commitments.queries import Promises, promises_between
from partnerships.conversations.models import Conversation
from partnerships.conversations.queries import (
    SideAttendees,
    SidePoints,
    last_conversation_between,
    points_between,
    side_attendees,
)
from partnerships.documents import downloads
from partnerships.exchange.models import Entry
from partnerships.exchange.queries import entries_between
from partnerships.kit.http import row_number
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.queries import acting_memberships, contacts_of, organisation_for
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.plans.changes import changes_between, summary
from partnerships.plans.models import Plan
from partnerships.plans.queries import area_names, content_for_reader, reading_class, versions_for

#: The most asks and offers, plans and people of each kind in a brief.
_MAX_ROWS = 12
#: The most changes of one plan in a brief. The comparison page has all changes.
_MAX_CHANGES = 6
#: The most commitments of each kind in a brief.
_MAX_PROMISES = 8
#: The most sheets of paper of a brief.
_MAX_SHEETS = 2
#: The numbers of rows that are tried, one after another, until the brief fits on the paper.
_FEWER_ROWS = (6, 3, 1)
_ON_PAPER = "web/brief_pdf.html"


@dataclass(frozen=True, slots=True)
class PlanChanges:
    """A shared plan and its changes since the last conversation."""

    plan: Plan
    #: The number of the newest version.
    newest: int
    summary: str
    #: The first changes, each as a sentence.
    changes: tuple[str, ...] = ()
    #: The number of changes that are not listed.
    more: int = 0
    #: The number of the version with which the newest is compared, or None if there is none.
    earlier: int | None = None


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


def brief_for(
    *, user: User, ours: Organisation, theirs: Organisation, now: dt.datetime, rows: int = _MAX_ROWS
) -> Brief:
    """Collect the asks, offers, commitments, plans and conversations of the two organisations.

    The brief has at most `rows` of each kind. If that is fewer than usual, points of conversations are cut too.
    """
    today = timezone.localdate(now)
    their_partnerships = Party.objects.accepted().filter(organisation=theirs).values("partnership")
    shared_parties = Party.objects.accepted().filter(organisation=ours, partnership__in=their_partnerships)
    partnerships = Partnership.objects.readable_today_by(user).filter(pk__in=shared_parties.values("partnership"))

    entries = [entry for entry in entries_between(user=user, own_side=ours, other_side=theirs) if _is_live(entry)]
    our_entries = [entry for entry in entries if entry.organisation_id == ours.pk]
    their_entries = [entry for entry in entries if entry.organisation_id == theirs.pk]

    last_conversation = last_conversation_between(user=user, own_side=ours, other_side=theirs, today=today)
    plans, people = _plans(user, ours, theirs), contacts_of(theirs)
    points = points_between(user=user, own_side=ours, other_side=theirs)
    return Brief(
        ours=ours,
        theirs=theirs,
        partnerships=tuple(partnerships.order_by("title", "pk")),
        our_entries=tuple(our_entries[:rows]),
        their_entries=tuple(their_entries[:rows]),
        promised=promises_between(giver=ours, receiver=theirs, user=user, today=today),
        promised_to_us=promises_between(giver=theirs, receiver=ours, user=user, today=today),
        plans=tuple(_changes_of_plans(user, plans[:rows], last_conversation, min(rows, _MAX_CHANGES))),
        last=last_conversation,
        seats=tuple(side_attendees(last_conversation, _own_organisation_ids(user))) if last_conversation else (),
        points=tuple(points if rows == _MAX_ROWS else (_first_points(side, rows) for side in points)),
        people=tuple(people[:rows]),
        our_more=max(len(our_entries) - rows, 0),
        their_more=max(len(their_entries) - rows, 0),
        more_plans=max(plans.count() - rows, 0),
        more_people=max(people.count() - rows, 0),
    )


def _first_points(side: SidePoints, rows: int) -> SidePoints:
    """Return the side with at most `rows` points of each kind."""
    return replace(
        side,
        objectives=side.objectives[:rows],
        obstacles=side.obstacles[:rows],
        opportunities=side.opportunities[:rows],
    )


def _own_organisation_ids(user: User) -> list[int]:
    """Return the ids of the organisations that the person acts for."""
    return list(Organisation.objects.of_person(user).values_list("pk", flat=True))


def _is_live(entry: Entry) -> bool:
    """Return whether an ask or offer is neither a draft nor over."""
    return not entry.is_draft and not entry.is_over


def _plans(user: User, ours: Organisation, theirs: Organisation) -> QuerySet[Plan]:
    """Return the plans of shared partnerships and of the other organisation, the last published first."""
    their_partnerships = Party.objects.accepted().filter(organisation=theirs).values("partnership")
    shared_partnerships = (
        Party.objects.accepted().filter(organisation=ours, partnership__in=their_partnerships).values("partnership")
    )
    visible_plans = Plan.objects.published_for(user)
    ids_of_their_plans = visible_plans.owned_by(theirs).values("pk")
    ids_of_shared_plans = visible_plans.filter(partnership__in=shared_partnerships).values("pk")
    plans = Plan.objects.filter(pk__in=ids_of_their_plans.union(ids_of_shared_plans)).for_listing()
    return plans.order_by("-last_published_at", "-pk")


def _changes_of_plans(
    user: User, plans: Iterable[Plan], last_conversation: Conversation | None, max_changes: int
) -> list[PlanChanges]:
    """Return the changes of each plan, without plans whose versions the reader may not see."""
    changed_plans = (_plan_changes(user, plan, last_conversation, max_changes) for plan in plans)
    return [plan_changes for plan_changes in changed_plans if plan_changes is not None]


def _plan_changes(
    user: User, plan: Plan, last_conversation: Conversation | None, max_changes: int
) -> PlanChanges | None:
    """Return the first changes since the version that was current at the last conversation.

    Returns None if the reader may see no version.
    """
    versions = versions_for(user, plan)
    newest_version = versions.first()
    if newest_version is None:
        return None
    if last_conversation is None:
        return PlanChanges(plan, newest_version.number, "No conversation has been recorded yet. See the plan.")
    at_conversation = versions.filter(published_at__date__lte=last_conversation.held_on).first()
    is_new = at_conversation is None
    # A plan that was first published later is compared with its first version.
    earlier_version = versions.last() if is_new else at_conversation
    if earlier_version is None or earlier_version.pk == newest_version.pk:
        sentence = "Published since the last conversation." if is_new else "Nothing changed."
        return PlanChanges(plan, newest_version.number, sentence)
    reader = reading_class(user, plan)
    old_content, new_content = (
        content_for_reader(earlier_version.content, reader),
        content_for_reader(newest_version.content, reader),
    )
    all_changes = changes_between(old_content, new_content, area_names(old_content, new_content))
    introduction = f"Published since the last conversation. Since version {earlier_version.number}: " if is_new else ""
    return PlanChanges(
        plan,
        newest_version.number,
        introduction + summary(all_changes),
        changes=tuple(change.sentence() for change in all_changes[:max_changes]),
        more=max(len(all_changes) - max_changes, 0),
        earlier=earlier_version.number,
    )


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


def _context(request: HttpRequest, pk: int, rows: int = _MAX_ROWS) -> dict[str, object]:
    """Return the template context of the page and the PDF. A PDF that is too long is drawn again with fewer rows."""
    user = signed_in(request)
    theirs = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    ours = our_side_for(request, user, theirs)
    now = timezone.now()
    brief = brief_for(user=user, ours=ours, theirs=theirs, now=now, rows=rows)
    max_promises = min(rows, _MAX_PROMISES)
    return {
        "brief": brief,
        "organisation": theirs,
        "sides": (
            (ours, brief.our_entries, brief.our_more),
            (theirs, brief.their_entries, brief.their_more),
        ),
        "promises": (brief.promised, brief.promised_to_us),
        "listed": max_promises,
        "first_promises": f":{max_promises}",
        "fewer": -max_promises,
        "is_shortened": rows < _MAX_ROWS,
        "now": now,
        "query": request.GET.urlencode(),
    }


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

    def drafts(page: str) -> Iterator[str]:
        """Yield the page, then shorter and shorter ones. The first that fits on the paper is drawn."""
        yield page
        for rows in _FEWER_ROWS:
            yield render_to_string(_ON_PAPER, _context(request, pk, rows), request)

    return downloads.pdf_response(
        request,
        _ON_PAPER,
        context,
        f"Brief {context['organisation']}",
        draw=lambda page: downloads.draw_fitting(drafts(page), _MAX_SHEETS),
    )
