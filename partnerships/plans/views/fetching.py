"""Fetch plans for a request. People who may not see the plan get 404, and people who may not change it get 403."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone

from partnerships.organisations.statements import lookup, read_ahead, row_or_404, rows_for
from partnerships.people.models import User
from partnerships.people.requests import PrefetchRefused, is_prefetch, is_reading_page, signed_in
from partnerships.plans.models import Draft, OpeningMethod, Plan, ReadingClass, Share, Version
from partnerships.plans.queries import departures_lookup, newest_version_for, plans_as_read_by, versions_for
from partnerships.plans.rights import Rights, rights_over
from partnerships.plans.services import log_share_opening

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class PlanAccess:
    """A plan, with what the person who makes the request may do. Templates get it as `access`."""

    plan: Plan
    #: None for visitors who are not signed in.
    rights: Rights | None
    reader: ReadingClass
    may_read_draft: bool
    may_edit: bool
    may_publish: bool
    may_read_versions: bool
    #: Whether the person may edit the draft, and the draft differs from the newest version.
    shows_draft: bool

    @property
    def is_inside(self) -> bool:
        """Return whether the reader sees confidential sites and restricted text too."""
        return self.reader == ReadingClass.INSIDE

    @property
    def takes_part(self) -> bool:
        """Return whether the reader may comment on versions. People of former parties may not."""
        return self.rights is not None and self.rights.takes_part


def _visible_plan(user: User | AnonymousUser, pk: int) -> QuerySet[Plan]:
    """Return the plan with its owners, and with whether its draft has any text (`has_draft_text`)."""
    draft = Draft.objects.filter(plan=OuterRef("pk"), content__isnull=False)
    return Plan.objects.for_listing().visible_to(user).filter(pk=pk).annotate(has_draft_text=Exists(draft))


def _pk_if_draft_is_visible(user: User | AnonymousUser, pk: int) -> QuerySet[Plan, int]:
    """Return the id of the plan if the person may read its draft."""
    return Plan.objects.draft_visible_to(user).filter(pk=pk).values_list("pk", flat=True)


def open_plan(request: HttpRequest, pk: int) -> PlanAccess:
    """Return the plan if the person may read a version or the draft; else 404."""
    user = request.user
    if user.is_authenticated:
        # One query instead of three. `rows_for` and `plans_as_read_by` below use its rows.
        plan_lookup, draft_lookup = lookup(_visible_plan, user, pk), lookup(_pk_if_draft_is_visible, user, pk)
        read_ahead([plan_lookup, draft_lookup, departures_lookup(user, [pk])])
    # A reader whose organisation left the plan gets the plan as it was on that day.
    (plan,) = plans_as_read_by(user, [row_or_404(_visible_plan, user, pk)])

    rights = rights_over(plan, user, timezone.now()) if user.is_authenticated else None
    is_inside = rights is not None and rights.is_inside
    may_edit = rights is not None and rights.edits_for_owner
    has_share = not may_edit and bool(rows_for(_pk_if_draft_is_visible, user, pk))
    return PlanAccess(
        plan=plan,
        rights=rights,
        reader=ReadingClass.INSIDE if is_inside else ReadingClass.OUTSIDE,
        may_read_draft=may_edit or has_share,
        may_edit=may_edit,
        may_publish=rights is not None and rights.leads_owner,
        # Everyone who sees the plan without a share may read a version.
        may_read_versions=plan.is_published and (not has_share or versions_for(user, plan).exists()),
        shows_draft=may_edit and plan.has_draft_text,  # type: ignore[attr-defined]  # annotated by `_visible_plan`
    )


def open_published(request: HttpRequest, pk: int, number: int | None = None) -> tuple[PlanAccess, Version]:
    """Return the plan and a version that the person may read, by default the newest version; else 404."""
    access = open_plan(request, pk)
    if number is None:
        version = newest_version_for(request.user, access.plan)
    else:
        version = versions_for(request.user, access.plan).select_related("author").filter(number=number).first()
    if version is None:
        raise Http404
    return access, version


def draft_of(plan: Plan) -> Draft:
    """Return the draft of a plan. If nobody has edited the plan yet, the draft is not saved."""
    draft = Draft.objects.filter(plan=plan).select_related("plan", "updated_by").first()
    if draft is not None:
        return draft
    return Draft(plan=plan, based_on=plan.current_number, updated_at=plan.created_at)


def open_draft(request: HttpRequest, pk: int) -> tuple[PlanAccess, Draft]:
    """Return the plan and its draft if the person may read the draft; else 404."""
    access = open_plan(request, pk)
    if not access.may_read_draft:
        raise Http404
    return access, draft_of(access.plan)


def open_to_edit(request: HttpRequest, pk: int) -> tuple[PlanAccess, Draft]:
    """Return the plan and its draft if the person may edit the draft; else 404 or 403."""
    access, draft = open_draft(request, pk)
    if not access.may_edit:
        raise PermissionDenied
    return access, draft


def open_to_publish(request: HttpRequest, pk: int) -> PlanAccess:
    """Return the plan if the person may publish it; else 404 or 403."""
    access = open_plan(request, pk)
    if not access.may_publish:
        raise PermissionDenied
    return access


def log_opening(request: HttpRequest, access: PlanAccess, how: OpeningMethod, page_kind: str = "") -> Share | None:
    """Log that a person opened a draft shared with them, and return the share; None for editors.

    A HEAD request, or a page that an administrator views as the person, is not logged. `page_kind` adds to `how`, for
    example the name of a file. Raises `PrefetchRefused` if a browser fetches the page ahead: the person could otherwise
    read it without being logged.
    """
    if access.may_edit:
        return None
    if request.method == "GET" and is_prefetch(request):
        raise PrefetchRefused
    if request.method != "POST" and not is_reading_page(request):
        return access.plan.shares.active(timezone.now()).filter(person=signed_in(request)).first()
    return log_share_opening(plan=access.plan, person=signed_in(request), how=how, what=page_kind, now=timezone.now())


def login_required_unless_public(
    view: Callable[Concatenate[HttpRequest, int, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Let visitors read a public plan without signing in. For other plans, redirect them to the sign-in page.

    The first argument of the view after the request is the id of the plan.
    """

    @login_not_required
    @wraps(view)
    def check_visitor(request: HttpRequest, pk: int, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated and not Plan.objects.public().filter(pk=pk).exists():
            return redirect_to_login(request.get_full_path())
        return view(request, pk, *args, **kwargs)

    return check_visitor
