"""The home page, My work, the help, and the tabs of partnerships and organisations that show other rooms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from partnerships.agreements.former_parties import partnership_as_read_by
from partnerships.agreements.models import Partnership, Party
from partnerships.commitments.queries import name_as_at as commitments_as_at
from partnerships.commitments.queries import open_and_finished
from partnerships.conversations.models import Conversation, ConversationQuerySet
from partnerships.conversations.queries import contacts_of, points_of_partnership
from partnerships.conversations.queries import name_as_at as conversations_as_at
from partnerships.exchange.html import cards_html
from partnerships.exchange.models import Direction, Entry, EntryQuerySet
from partnerships.exchange.queries import new_matches_for, new_matches_lookups
from partnerships.exchange.queries.matches import entry_cards
from partnerships.exchange.queries.permission_sql import reader_of
from partnerships.kit.http import keyset_page_of
from partnerships.kit.waiting import WaitingTask
from partnerships.organisations.holdings import for_a_few_records
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation, Role
from partnerships.organisations.services import hide_steps
from partnerships.organisations.statements import read_ahead, row_or_404, rows_for
from partnerships.organisations.timeline import timeline_lines
from partnerships.organisations.waiting import with_full_texts
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.plans.models import Plan, PlanQuerySet
from partnerships.plans.queries import listed_plans, waiting_plans, waiting_plans_lookup
from partnerships.plans.queries import plans_as_read_by as plans_as_read_by
from partnerships.web import queries
from partnerships.web.first_steps import first_steps_at_home, first_steps_lookups, first_steps_of
from partnerships.web.group import group_of_organisation, group_with_predecessors
from partnerships.web.page_help import BY_KEY, GROUPS
from partnerships.work.queries import brief_tasks, work_lookups

#: The most records on a page of a partnership or an organisation.
MAX_RECORDS = 100
#: The number of tasks on one page of My work.
WORK_PAGE_SIZE = 50
#: The most tasks of My work on the home page.
WORK_AT_HOME = 6
#: The most plans on the home page. Visitors see the newest public plans, and others the plans that wait for somebody.
PLANS_AT_HOME = 5


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show a signed-in person's start page, or to visitors a page about Common Ground."""
    user = request.user
    if not isinstance(user, User):
        return _landing_page(request)

    now = timezone.now()
    recent = now - queries.RECENT
    # One statement makes the first queries of all the calls below.
    read_ahead(
        [
            *work_lookups(user, now),
            *first_steps_lookups(user, now),
            *queries.counts_lookups(user),
            queries.recent_changes_lookup(user, recent),
            waiting_plans_lookup(user),
            *new_matches_lookups(user, recent),
        ]
    )
    work = brief_tasks(user, now)
    first_steps = first_steps_at_home(user, now)
    # New people see only changes since they joined.
    since = max(user.joined_at, recent) if first_steps else recent
    context = {
        "part_of_day": _part_of_day(timezone.localtime(now).hour),
        "first_steps": first_steps,
        "waiting": with_full_texts(work.first(WORK_AT_HOME)),
        "more_waiting": max(len(work) - WORK_AT_HOME, 0),
        "counts": queries.counts(user, work),
        "may_write": bool(Membership.objects.organisations_of(user, *EDITING_ROLES)),
        "lines": timeline_lines(queries.recent_changes(user, since)),
        "waiting_plans": waiting_plans(user, PLANS_AT_HOME),
        "matches": new_matches_for(user, recent)[:4],
    }
    return render(request, "web/home.html", context)


def _landing_page(request: HttpRequest) -> HttpResponse:
    """Show visitors what Common Ground is, and the newest public plans."""
    newest_plans = Plan.objects.public().for_listing().order_by("-open_at", "-pk")[:PLANS_AT_HOME]
    return render(request, "web/landing.html", {"public_plans": newest_plans})


def _part_of_day(hour: int) -> str:
    """Return the part of the day for a greeting."""
    if hour < 12:
        return "morning"
    return "afternoon" if hour < 18 else "evening"


@require_safe
def first_steps_page(request: HttpRequest) -> HttpResponse:
    """Show the checklist of a new network's administrator, or of a lead."""
    steps = first_steps_of(signed_in(request))
    if steps is None:
        raise Http404
    return render(request, "web/first_steps.html", {"steps": steps})


@require_POST
def hide_first_steps(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a lead's checklist from the home page."""
    user = signed_in(request)
    membership = get_object_or_404(Membership.objects.current().of_person(user, Role.LEAD), organisation=pk)
    hide_steps(membership=membership, author=user, now=timezone.now())
    messages.info(request, "The first steps have been hidden.")
    return redirect("web:home")


@require_safe
def my_work(request: HttpRequest) -> HttpResponse:
    """Show everything that is waiting for the reader, by partnership, the oldest tasks first."""
    user, now = signed_in(request), timezone.now()
    read_ahead(work_lookups(user, now))
    work = brief_tasks(user, now)
    if "after" in request.GET or "before" in request.GET:
        tasks = work.first()
    else:
        # The first page needs one task more than it shows, to know whether there is a second page.
        tasks = work.first(WORK_PAGE_SIZE + 1)

    page = keyset_page_of(request, tasks, key=WaitingTask.oldest_first, size=WORK_PAGE_SIZE)
    context = {"page": page, "groups": queries.by_partnership(with_full_texts(page.rows)), "count": len(work)}
    return render(request, "web/my_work.html", context)


@login_not_required
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Show how to do the main tasks, and what our words mean."""
    return render(request, "web/help.html", {"groups": GROUPS})


@login_not_required
@require_safe
def page_help(request: HttpRequest, key: str) -> HttpResponse:
    """Show what some pages do, and who may do what on them."""
    topic = BY_KEY.get(key)
    if topic is None:
        raise Http404
    group_of_topic = next(group for group in GROUPS if topic in group.topics)
    return render(request, "web/page_help.html", {"topic": topic, "group": group_of_topic})


def _partnership(request: HttpRequest, pk: int) -> Partnership:
    """Return the partnership with the details that the reader may see. Raises `Http404` if they may not see it."""
    user = signed_in(request)
    return partnership_as_read_by(user, row_or_404(_readable_partnerships, user, pk))


def _readable_partnerships(user: User, pk: int) -> QuerySet[Partnership]:
    """Return the partnership with this id, or nothing if the person may not read it."""
    return Partnership.objects.readable_by(user).filter(pk=pk)


@require_safe
def partnership_entries(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the asks and offers of one partnership, side by side."""
    user = signed_in(request)
    partnership = _partnership(request, pk)
    context = {
        "partnership": partnership,
        **_board_cards(user, rows_for(_entries_of_partnership, user, pk)),
        "may_write": _may_commit(user, partnership),
    }
    return render(request, "web/partnership_entries.html", context)


def _board_cards(user: User, entries: Sequence[Entry]) -> dict[str, Any]:
    """Return the template context with the cards of asks and the cards of offers."""
    cards = entry_cards(entries, reader_of(user))
    return {
        "asks": cards_html(card for card in cards if card.direction == Direction.ASK),
        "offers": cards_html(card for card in cards if card.direction == Direction.OFFER),
    }


def _entries_of_partnership(user: User, partnership_id: int) -> EntryQuerySet:
    """Return the newest asks and offers of a partnership that the person may see."""
    # Rights are checked for each entry of the partnership, which has few. The reader may see tens of thousands.
    with for_a_few_records():
        entries = Entry.objects.visible_to(user).filter(partnership=partnership_id)
    return entries.for_listing().order_by("-shared_at", "-pk")[:MAX_RECORDS]


def _entries_of_organisation(user: User, organisation_id: int) -> EntryQuerySet:
    """Return the newest asks and offers of an organisation that the person may see."""
    entries = Entry.objects.visible_to(user).filter(organisation=organisation_id)
    return entries.for_listing().order_by("-shared_at", "-pk")[:MAX_RECORDS]


@require_safe
def partnership_plans(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the plans of one partnership."""
    user = signed_in(request)
    partnership = _partnership(request, pk)
    plans = plans_as_read_by(user, rows_for(_plans_of_partnership, user, pk))
    context = {
        "partnership": partnership,
        "plans": listed_plans(user, plans),
        "may_write": _may_write(user, partnership),
    }
    return render(request, "web/partnership_plans.html", context)


def _plans_of_partnership(user: User, partnership_id: int) -> PlanQuerySet:
    """Return the plans of a partnership that the person may see, the last published first."""
    # Rights are checked for each plan of the partnership, which has few. The reader may see thousands elsewhere.
    with for_a_few_records():
        plans = Plan.objects.visible_to(user).filter(partnership=partnership_id)
    return plans.for_listing().order_by("-last_published_at", "-pk")[:MAX_RECORDS]


@require_safe
def partnership_commitments(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the commitments of one partnership."""
    user = signed_in(request)
    partnership = _partnership(request, pk)
    open_commitments, ended_commitments = open_and_finished(partnership, user, MAX_RECORDS)
    commitments_as_at([*open_commitments, *ended_commitments])
    context = {
        "partnership": partnership,
        "open_commitments": open_commitments,
        "ended_commitments": ended_commitments,
        "may_write": _may_commit(user, partnership),
    }
    return render(request, "web/partnership_commitments.html", context)


def _takes_part(user: User, partnership: Partnership) -> bool:
    """Return whether the person acts, in any role, for a present party."""
    return not partnership.is_over and Party.objects.person_takes_part(user, partnership.pk)


def _may_commit(user: User, partnership: Partnership) -> bool:
    """Return whether the person may make commitments, as an editor or lead of a party that is not an observer."""
    return not partnership.is_over and Party.objects.person_takes_decisions(user, partnership.pk, *EDITING_ROLES)


def _may_write(user: User, partnership: Partnership) -> bool:
    """Return whether the person is an editor or lead of a present party."""
    return not partnership.is_over and Party.objects.person_takes_part(user, partnership.pk, *EDITING_ROLES)


@require_safe
def partnership_conversations(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the conversations of one partnership, with each party's objectives, obstacles and opportunities."""
    user = signed_in(request)
    partnership = _partnership(request, pk)
    conversations = rows_for(_conversations, user, pk)
    conversations_as_at(conversations)
    context = {
        "partnership": partnership,
        "conversations": conversations,
        "may_write": _may_write(user, partnership),
        "sides": points_of_partnership(partnership, user),
        "contacts": contacts_of(partnership, user, timezone.now()) if _takes_part(user, partnership) else [],
    }
    return render(request, "web/partnership_conversations.html", context)


def _conversations(user: User, partnership_id: int) -> ConversationQuerySet:
    """Return the newest conversations of a partnership that its reader may see."""
    # Rights are checked for each conversation of the partnership, which has few. The reader may see tens of thousands.
    with for_a_few_records():
        visible_conversations = Conversation.objects.visible_to(user)
    conversations = visible_conversations.filter(partnership=partnership_id).for_listing()
    return conversations.order_by("-held_on", "-pk")[:MAX_RECORDS]


@require_safe
def organisation_entries(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the asks and offers of one organisation that the reader may see."""
    user = signed_in(request)
    organisation = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    cards = _board_cards(user, rows_for(_entries_of_organisation, user, pk))
    return render(request, "web/organisation_entries.html", {"organisation": organisation, **cards})


@require_safe
def organisation_plans(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the plans of one organisation that the reader may see."""
    user = signed_in(request)
    organisation = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    plans = plans_as_read_by(user, rows_for(_plans_of_organisation, user, pk))
    context = {"organisation": organisation, "plans": listed_plans(user, plans)}
    return render(request, "web/organisation_plans.html", context)


def _plans_of_organisation(user: User, organisation_id: int) -> PlanQuerySet:
    """Return the plans of an organisation that the person may see, the last published first."""
    plans = Plan.objects.visible_to(user).owned_by(organisation_id)
    return plans.for_listing().order_by("-last_published_at", "-pk")[:MAX_RECORDS]


@require_safe
def predecessors(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the figures of an organisation together with those of its predecessors."""
    user = signed_in(request)
    organisation = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    context = {"organisation": organisation, "group": group_with_predecessors(user, organisation)}
    return render(request, "web/with_predecessors.html", context)


@require_safe
def group(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the figures of the organisations of a group, and their total."""
    user = signed_in(request)
    organisation = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    context = {"organisation": organisation, "group": group_of_organisation(user, organisation)}
    return render(request, "web/group.html", context)
