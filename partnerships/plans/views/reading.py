"""Pages to read versions of plans, their history, map and files."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.activity.models import Event
from partnerships.activity.queries import visible_events_of_kinds
from partnerships.activity.seen import note_events_seen
from partnerships.kit.http import private_file
from partnerships.organisations.models import Membership
from partnerships.organisations.naming import show_names_of_day
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.organisations.stored_statements import planned_for_each_reader
from partnerships.organisations.timeline import timeline_lines
from partnerships.people.models import User
from partnerships.people.requests import is_reading_page, signed_in
from partnerships.plans.downloads import geojson
from partnerships.plans.event_kinds import EventKind, EventTarget
from partnerships.plans.models import Document, Milestone, OpeningMethod, Plan, Site, Version
from partnerships.plans.origins import commitments_lookup, commitments_of, may_propose_commitment
from partnerships.plans.queries import (
    SigningState,
    comment_counts,
    content_for_reader,
    draft_content,
    newest_version_for,
    next_steps,
    owners_at_version,
    signing_states,
    version_number_to_sign,
    versions_for,
)
from partnerships.plans.queries.comments import comments_lookup
from partnerships.plans.queries.signing import signing_lookups
from partnerships.plans.views.fetching import (
    PlanAccess,
    log_opening,
    login_required_unless_public,
    open_plan,
    open_published,
)
from partnerships.plans.views.papers import shows_signing_states, signatures_of
from partnerships.plans.views.whole import reading_context

#: The most events on the history page of a plan, which shows the newest events first.
MAX_EVENTS = 50


@require_safe
@login_required_unless_public
def plan_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the newest version that the person may read, or else the draft."""
    access = open_plan(request, pk)
    version = newest_version_for(request.user, access.plan)
    if version is None:
        if not access.may_read_draft:
            raise Http404
        return redirect("plans:draft", pk=pk)
    return _show_version(request, access, version)


@require_safe
@login_required_unless_public
def plan_version(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show one version as it was published, with the parts that the reader may see."""
    access, version = open_published(request, pk, number)
    return _show_version(request, access, version)


def _show_version(request: HttpRequest, access: PlanAccess, version: Version) -> HttpResponse:
    """Show one version, with the parts that the reader may see."""
    plan = access.plan
    if isinstance(request.user, User):
        read_ahead(
            [
                *([] if version.number == plan.current_number else [lookup(_newest_numbers, request.user, plan.pk)]),
                *(signing_lookups([plan.pk]) if access.is_inside else ()),
                commitments_lookup(plan, request.user),
                comments_lookup(request.user, plan, on_draft=False),
            ]
        )
    newest_number = _newest_number(request, plan, version)
    is_newest = newest_number == version.number
    context = {
        "plan": plan,
        "access": access,
        "version": version,
        "figures": version.figures.get(access.reader.value, {}),
        "newest": newest_number,
        "is_newest": is_newest,
        "owners": owners_at_version(plan, version, is_newest=is_newest),
        "may_ask_for_draft": _may_ask_for_draft(request, access),
        "successor": _successor(request, plan),
        **_signing_context(request, access, version),
        **_commitments_context(request, access, newest_number),
        **_links_context(request, access),
        **reading_context(
            access.reader,
            version.content,
            version.html,
            query=request.GET,
            comment_counts=comment_counts(request.user, plan, on_draft=False),
        ),
    }
    return render(request, "plans/version.html", context)


def _may_ask_for_draft(request: HttpRequest, access: PlanAccess) -> bool:
    """Return whether to offer a link to ask for the draft. Partners who cannot read the draft yet get one."""
    is_partner = request.user.is_authenticated and access.is_inside and access.plan.partnership_id is not None
    return is_partner and not access.may_read_draft


def _signing_context(request: HttpRequest, access: PlanAccess, version: Version) -> dict[str, Any]:
    """Return the state of the signatures for readers inside, and whether the person must sign."""
    plan = access.plan
    states = signing_states(plan) if access.is_inside else []
    return {
        "steps": next_steps(plan, states) if access.is_inside else [],
        "states": states if shows_signing_states(access, version) else [],
        "signatures": signatures_of(access, version),
        "version_number_to_sign": version_number_to_sign(plan),
        "to_sign": _has_to_sign(request, plan, states),
    }


def _links_context(request: HttpRequest, access: PlanAccess) -> dict[str, Any]:
    """Return the address of the map and, for signed-in readers, of the comments."""
    plan = access.plan
    context: dict[str, Any] = {"map_url": reverse("plans:map", kwargs={"pk": plan.pk})}
    if request.user.is_authenticated:
        context["comments_url"] = reverse("plans:comments", kwargs={"pk": plan.pk})
        context["may_comment"] = access.takes_part and not plan.is_over
    return context


def _commitments_context(request: HttpRequest, access: PlanAccess, newest: int) -> dict[str, Any]:
    """Return the commitments that came from the plan, and the address of the form to propose a commitment."""
    if not request.user.is_authenticated:
        return {}
    user = signed_in(request)
    may_propose = access.is_inside and may_propose_commitment(user, access.plan)
    return {
        "promises": commitments_of(access.plan, user, newest=newest, inside=access.is_inside),
        "promise_url": reverse("plans:propose", kwargs={"pk": access.plan.pk}) if may_propose else "",
    }


def _successor(request: HttpRequest, plan: Plan) -> Plan | None:
    """Return the plan that superseded this one, if the person may read it."""
    if plan.superseded_by_id is None:
        return None
    return Plan.objects.visible_to(request.user).filter(pk=plan.superseded_by_id).first()


def _newest_number(request: HttpRequest, plan: Plan, version: Version) -> int:
    """Return the number of the newest version that the person may read."""
    if version.number == plan.current_number:  # no version is newer, so no query is needed
        return version.number
    return rows_for(_newest_numbers, request.user, plan.pk)[0]


def _newest_numbers(user: User | AnonymousUser, plan_id: int) -> QuerySet[Version, int]:
    """Return the number of the newest version that the person may read, as a query with one row or none.

    Unlike `_newest_version`, it is read ahead with one plan for all readers: it reads numbers only, which took 4 ms
    together with signatures, commitments and comments at ten times England.
    """
    return versions_for(user, plan_id).values_list("number", flat=True)[:1]


def _has_to_sign(request: HttpRequest, plan: Plan, states: list[SigningState]) -> bool:
    """Return whether the person leads a signatory that has not decided."""
    undecided_ids = {state.signatory.organisation_id for state in states if state.sign_off is None and state.takes_part}
    if not plan.is_awaiting_sign_off or not undecided_ids:
        return False
    return not undecided_ids.isdisjoint(Membership.objects.ids_led_by(request.user))


@require_safe
def plan_propose(request: HttpRequest, pk: int) -> HttpResponse:
    """Redirect to the form for a commitment from this plan, or from a site or milestone of the plan.

    The query parameter `from` names the site or milestone, as in `?from=sites/north-quay`.
    """
    access = open_plan(request, pk)
    if not access.is_inside or not may_propose_commitment(signed_in(request), access.plan):
        raise PermissionDenied
    code, _slash, key = request.GET.get("from", "").partition("/")
    origin = f"plan-{pk}"
    if code == "sites":
        site = get_object_or_404(Site.objects.visible_to(request.user), plan=pk, key=key)
        origin = f"plan-site-{site.pk}"
    elif code == "milestones":
        milestone = get_object_or_404(Milestone.objects.visible_to(request.user), plan=pk, key=key)
        origin = f"plan-milestone-{milestone.pk}"
    return redirect(f"{reverse('commitments:new')}?from={origin}")


@require_safe
def version_by_id(request: HttpRequest, pk: int) -> HttpResponse:
    """Redirect to the page of a version. Links from events contain only the id of the version."""
    version = get_object_or_404(Version.objects.visible_to(request.user).without_content(), pk=pk)
    return redirect(version)


@require_safe
def plan_history(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the versions that the person may read, and other events, newest first."""
    access = open_plan(request, pk)
    user, reader = signed_in(request), access.reader.value
    versions = rows_for(_versions, user, pk)
    # Each owner is shown under the name that it had when the version was published.
    show_names_of_day((timezone.localdate(version.published_at), version.organisation) for version in versions)
    events = rows_for(_events, user, pk)
    if is_reading_page(request):
        event_ids = [event.pk for event in events]
        note_events_seen(person_id=user.pk, kind="plan", record_id=pk, event_ids=event_ids, now=timezone.now())
    context = {
        "plan": access.plan,
        "access": access,
        "versions": [(version, version.figures.get(reader, {})) for version in versions],
        "events": timeline_lines(events),
        "newest": versions[0] if versions else None,
    }
    return render(request, "plans/history.html", context)


@planned_for_each_reader
def _versions(user: User, plan_id: int) -> QuerySet[Version]:
    """Return the versions that the person may read, without their content."""
    return versions_for(user, plan_id).without_content().select_related("author", "organisation")


def _events(user: User, plan_id: int) -> QuerySet[Event]:
    """Return the newest events of a plan that the person may see, without saves of the draft."""
    kinds = (EventTarget.PLAN, EventTarget.DRAFT, EventTarget.SIGNING)
    about_plan = Q(target_kind__in=kinds, target_id=plan_id)
    events = visible_events_of_kinds(user, about_plan, kinds).exclude(kind=EventKind.DRAFT_EDITED)
    return events.order_by("-at", "-id")[:MAX_EVENTS]


@require_safe
@login_required_unless_public
def plan_document(request: HttpRequest, pk: int, key: str) -> HttpResponseBase:
    """Return an attached file, for readers of a version or draft that lists it."""
    access = open_plan(request, pk)
    document = get_object_or_404(Document, plan=pk, key=key)
    if not _is_in_version(request, access, key):
        if not _is_in_draft(access, key):
            raise Http404
        log_opening(request, access, OpeningMethod.DOCUMENT, document.file_name)
    return private_file(document.file, name=document.file_name, content_type=document.content_type)


def _is_in_version(request: HttpRequest, access: PlanAccess, key: str) -> bool:
    """Return whether a version that the person may read lists the document."""
    item: dict[str, Any] = {"key": key}
    if not access.is_inside:
        item["restricted"] = False
    return versions_for(request.user, access.plan).filter(content__documents__contains=[item]).exists()


def _is_in_draft(access: PlanAccess, key: str) -> bool:
    """Return whether the person may read the draft, and the draft lists the document."""
    if not access.may_read_draft:
        return False
    content = content_for_reader(draft_content(access.plan), access.reader)
    return any(item["key"] == key for item in content["documents"])


@require_safe
@login_required_unless_public
def plan_map(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the sites that have a position, as GeoJSON."""
    access, version = open_published(request, pk)
    return geojson(content_for_reader(version.content, access.reader))
