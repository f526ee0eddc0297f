"""Pages of a partnership's objectives."""

from __future__ import annotations

from copy import copy
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.agreements.forms.objectives import LinkForm, ObjectiveForm, ObjectiveStatusForm, ProgressForm
from partnerships.agreements.models import Objective, ObjectiveLink, Partnership, Party
from partnerships.agreements.origin import links_of, read_from
from partnerships.agreements.past import former_party
from partnerships.agreements.queries.objectives import organisations_for, people_for, standings
from partnerships.agreements.queries.partnerships import acting_party
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.objectives import (
    ObjectiveHasChanged,
    UnableToKeepObjective,
    add_objective,
    change_objective_status,
    edit_objective,
    link_record,
    move_objective,
    report_progress,
    unlink_record,
)
from partnerships.agreements.serving import provider_of, providers
from partnerships.agreements.views.access import held
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.organisations.models import EDITING_ROLES
from partnerships.organisations.naming import show_as_at
from partnerships.people.form_steps import take_step
from partnerships.people.models import User
from partnerships.people.requests import signed_in


def _kept(user: User, pk: int) -> Partnership:
    """A partnership whose objectives the person may change.

    403 for others who read it.
    """
    partnership = held(user, pk)
    require(rights_over(partnership, user, timezone.now()).may_keep_objectives)
    return partnership


def _objective(partnership: Partnership, pk: int) -> Objective:
    rows = Objective.objects.select_related("partnership", "organisation", "owner")
    return get_object_or_404(rows, pk=pk, partnership=partnership)


@require_safe
def objectives(request: HttpRequest, pk: int) -> HttpResponse:
    """All objectives in one table; for former parties as they were then."""
    user = signed_in(request)
    partnership = held(user, pk)
    former = former_party(user, partnership)
    if former is None:
        require(Party.objects.takes_part(user, pk))
    rows = standings(user, partnership, former, timezone.localdate())
    rights = rights_over(partnership, user, timezone.now())
    context = {
        "partnership": partnership,
        "rows": rows,
        "left_at": former.left_at if former else None,
        "may_keep": rights.may_keep_objectives and not partnership.is_over,
    }
    return render(request, "agreements/objectives/list.html", context)


@require_safe
def objective(request: HttpRequest, pk: int, objective: int) -> HttpResponse:
    """One objective: figures, reports of progress, and what serves it."""
    user = signed_in(request)
    partnership = held(user, pk)
    former = former_party(user, partnership)
    if former is None:
        require(Party.objects.takes_part(user, pk))
    rows = standings(user, partnership, former, timezone.localdate(), only=objective)
    if not rows:
        raise Http404
    may_keep = rights_over(partnership, user, timezone.now()).may_keep_objectives and not partnership.is_over
    show_as_at((report.on, report.organisation) for report in rows[0].reports)
    context = {
        "partnership": partnership,
        "row": rows[0],
        "objective": rows[0].objective,
        "start": rows[0].objective.in_words(rows[0].objective.baseline),
        "reports": [{"row": report, "words": rows[0].objective.in_words(report.figure)} for report in rows[0].reports],
        "came_from": [] if former else links_of(rows[0].objective, user),
        "served": [(provider, rows[0].lines.get(provider.code, [])) for provider in providers()],
        "left_at": former.left_at if former else None,
        "may_keep": may_keep,
    }
    return render(request, "agreements/objectives/detail.html", context)


def _form(request: HttpRequest, partnership: Partnership, found: Objective | None, text: str = "") -> ObjectiveForm:
    return ObjectiveForm(
        posted(request),
        text=text,
        organisations=organisations_for(partnership),
        people=people_for(partnership),
        objective=found,
        today=timezone.localdate(),
        cancel=found.get_absolute_url() if found else reverse("agreements:objectives", args=[partnership.pk]),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Add an objective.

    `?from=recommendation-12` names the record that it comes from.
    """
    user = signed_in(request)
    partnership = _kept(user, pk)
    came_from = read_from(request.GET.get("from", ""))
    suggested = came_from.origin.suggest(user, partnership, came_from.record) if came_from else None
    if request.GET.get("from") and suggested is None:
        raise Http404
    form = _form(request, partnership, None, suggested.text if suggested else "")

    def step() -> tuple[str, str]:
        objective = add_objective(
            partnership=partnership, author=user, now=timezone.now(), came_from=came_from, **form.cleaned_data
        )
        return "The objective has been added.", objective.get_absolute_url()

    return take_step(
        request,
        "agreements/objectives/add.html",
        form,
        step,
        {UnableToKeepObjective: None},
        partnership=partnership,
        suggested=suggested,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int, objective: int) -> HttpResponse:
    """Change an objective, with a reason."""
    user = signed_in(request)
    partnership = _kept(user, pk)
    opened_objective = _objective(partnership, objective)
    form = _form(request, partnership, opened_objective)

    def step() -> tuple[str, str]:
        try:
            changed = edit_objective(objective=opened_objective, author=user, now=timezone.now(), **form.cleaned_data)
        except ObjectiveHasChanged:
            # The page shows the present words, so saving again may replace them.
            data: Any = copy(form.data)  # a copied QueryDict can be changed
            data["revision"] = str(opened_objective.revision)
            form.data = data
            raise
        return (
            "The objective has been saved." if changed else "Nothing was changed.",
            opened_objective.get_absolute_url(),
        )

    stale = request.method == "POST" and request.POST.get("revision") != str(opened_objective.revision)
    return take_step(
        request,
        "agreements/objectives/edit.html",
        form,
        step,
        {UnableToKeepObjective: None},
        partnership=partnership,
        objective=opened_objective,
        theirs=opened_objective if stale else None,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def progress(request: HttpRequest, pk: int, objective: int) -> HttpResponse:
    """Report progress."""
    user = signed_in(request)
    partnership = _kept(user, pk)
    opened_objective = _objective(partnership, objective)
    form = ProgressForm(posted(request), objective=opened_objective, today=timezone.localdate())

    def step() -> tuple[str, str]:
        party = acting_party(user, partnership, *EDITING_ROLES)
        report_progress(
            objective=opened_objective,
            author=user,
            organisation=party.organisation if party else None,
            now=timezone.now(),
            **form.cleaned_data,
        )
        return "Your progress report has been saved.", opened_objective.get_absolute_url()

    return take_step(
        request,
        "agreements/objectives/progress.html",
        form,
        step,
        {UnableToKeepObjective: None},
        partnership=partnership,
        objective=opened_objective,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def status(request: HttpRequest, pk: int, objective: int) -> HttpResponse:
    """Mark as met, drop or open again."""
    user = signed_in(request)
    partnership = _kept(user, pk)
    opened_objective = _objective(partnership, objective)
    form = ObjectiveStatusForm(posted(request), objective=opened_objective)

    def step() -> tuple[str, str]:
        change_objective_status(objective=opened_objective, author=user, now=timezone.now(), **form.cleaned_data)
        return "The status has been saved.", opened_objective.get_absolute_url()

    return take_step(
        request,
        "agreements/objectives/status.html",
        form,
        step,
        {UnableToKeepObjective: None},
        partnership=partnership,
        objective=opened_objective,
    )


@require_POST
def move(request: HttpRequest, pk: int, objective: int) -> HttpResponse:
    """Move an objective up or down in the list."""
    user = signed_in(request)
    opened_objective = _objective(_kept(user, pk), objective)
    try:
        move_objective(objective=opened_objective, up="up" in request.POST, author=user, now=timezone.now())
    except UnableToKeepObjective as error:
        messages.warning(request, str(error))
    return redirect("agreements:objectives", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, pk: int, objective: int, provider: str) -> HttpResponse:
    """Link a record that serves the objective."""
    user = signed_in(request)
    partnership = _kept(user, pk)
    opened_objective = _objective(partnership, objective)
    offered = provider_of(provider)
    if offered is None:
        raise Http404
    linked = set(opened_objective.links.filter(provider=provider).values_list("key", flat=True))
    choices = [choice for choice in offered.choices(user, partnership) if choice[0] not in linked]
    form = LinkForm(posted(request), provider=offered, choices=choices, cancel=opened_objective.get_absolute_url())

    def step() -> tuple[str, str]:
        link_record(
            objective=opened_objective, provider=provider, key=form.cleaned_data["key"], author=user, now=timezone.now()
        )
        return f"The {offered.label} has been linked.", opened_objective.get_absolute_url()

    return take_step(
        request,
        "agreements/objectives/link.html",
        form,
        step,
        {UnableToKeepObjective: "key"},
        partnership=partnership,
        objective=opened_objective,
        provider=offered,
        choices=choices,
    )


@require_POST
def unlink(request: HttpRequest, pk: int, objective: int, link: int) -> HttpResponse:
    """Remove a link."""
    user = signed_in(request)
    opened_objective = _objective(_kept(user, pk), objective)
    objective_link = get_object_or_404(
        ObjectiveLink.objects.select_related("objective"), pk=link, objective=opened_objective
    )
    try:
        unlink_record(link=objective_link, author=user, now=timezone.now())
    except UnableToKeepObjective as error:
        messages.warning(request, str(error))
    return redirect(opened_objective.get_absolute_url())
