"""Pages of the objectives of a partnership.

`require` answers 403 if its condition is false.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.agreements.former_parties import former_party
from partnerships.agreements.forms.objectives import LinkRecordForm, ObjectiveForm, ObjectiveStatusForm, ProgressForm
from partnerships.agreements.models import Objective, ObjectiveLink, Partnership, Party
from partnerships.agreements.origin import origin_links_of, record_named_in
from partnerships.agreements.queries.objectives import choosable_organisations, choosable_people, objective_states
from partnerships.agreements.queries.partnerships import acting_party
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.objectives import (
    ObjectiveHasChanged,
    ProgressReport,
    UnableToChangeObjective,
    add_objective,
    change_objective_status,
    edit_objective,
    link_record,
    move_objective,
    report_progress,
    unlink_record,
)
from partnerships.agreements.serving import provider_of, providers
from partnerships.agreements.views.access import get_readable
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import EDITING_ROLES
from partnerships.organisations.naming import show_names_of_day
from partnerships.people.models import User
from partnerships.people.requests import signed_in


def _get_with_objectives(user: User, pk: int) -> tuple[Partnership, Party | None]:
    """Return a partnership whose objectives the person may read, and the person's former party or None.

    Raises 403 for people of an invited party. They may read the partnership in full, but do not take part yet.
    """
    partnership = get_readable(user, pk)
    former = former_party(user, partnership)
    if former is None:
        require(Party.objects.person_takes_part(user, pk))
    return partnership, former


def _get_editable(user: User, pk: int) -> Partnership:
    """Return a partnership whose objectives the person may change, or raise 403 for other readers."""
    partnership = get_readable(user, pk)
    require(rights_over(partnership, user, timezone.now()).may_edit_objectives)
    return partnership


def _objective(partnership: Partnership, pk: int) -> Objective:
    """Return an objective of a partnership with its related rows, or raise 404."""
    rows = Objective.objects.select_related("partnership", "organisation", "owner")
    return get_object_or_404(rows, pk=pk, partnership=partnership)


@require_safe
def objectives(request: HttpRequest, pk: int) -> HttpResponse:
    """List all objectives of a partnership.

    People of a former party see the objectives as they were when the party left.
    """
    user = signed_in(request)
    partnership, former = _get_with_objectives(user, pk)
    rights = rights_over(partnership, user, timezone.now())
    context = {
        "partnership": partnership,
        "rows": objective_states(user, partnership, former, timezone.localdate()),
        "left_at": former.left_at if former else None,
        "may_edit": rights.may_edit_objectives and not partnership.is_over,
    }
    return render(request, "agreements/objectives/list.html", context)


@require_safe
def objective_detail(request: HttpRequest, pk: int, objective: int) -> HttpResponse:
    """Show one objective with its figures, the reports of progress and the records that serve it."""
    user = signed_in(request)
    partnership, former = _get_with_objectives(user, pk)
    rows = objective_states(user, partnership, former, timezone.localdate(), only_id=objective)
    if not rows:
        raise Http404
    progress = rows[0]
    shown_objective = progress.objective
    # Each report shows the organisation under the name that it had on that day.
    show_names_of_day((report.on, report.organisation) for report in progress.reports)

    rights = rights_over(partnership, user, timezone.now())
    context = {
        "partnership": partnership,
        "progress": progress,
        "objective": shown_objective,
        "starting_figure": shown_objective.in_words(shown_objective.baseline),
        "reports": [{"row": report, "words": shown_objective.in_words(report.figure)} for report in progress.reports],
        "origin_links": [] if former else origin_links_of(shown_objective, user),
        "linked_records": [(provider, progress.lines.get(provider.code, [])) for provider in providers()],
        "left_at": former.left_at if former else None,
        "may_edit": rights.may_edit_objectives and not partnership.is_over,
    }
    return render(request, "agreements/objectives/detail.html", context)


def _form(
    request: HttpRequest, partnership: Partnership, objective: Objective | None, *, text: str = ""
) -> ObjectiveForm:
    """Return the form to change an objective or, if `objective` is None, to add one that starts with a text."""
    list_page = reverse("agreements:objectives", args=[partnership.pk])
    return ObjectiveForm(
        post_data(request),
        text=text,
        organisations=choosable_organisations(partnership),
        people=choosable_people(partnership),
        objective=objective,
        today=timezone.localdate(),
        cancel=objective.get_absolute_url() if objective else list_page,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def objective_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form to add an objective. On POST, save the new objective.

    The address may name a record that suggests the text of the objective, as in `?from=recommendation-12`.
    """
    user = signed_in(request)
    partnership = _get_editable(user, pk)
    came_from = record_named_in(request.GET.get("from", ""))
    suggestion = came_from.origin.suggest(user, partnership, came_from.record) if came_from else None
    if request.GET.get("from") and suggestion is None:
        raise Http404
    form = _form(request, partnership, objective=None, text=suggestion.text if suggestion else "")

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToChangeObjective):
            objective = add_objective(
                partnership=partnership, author=user, now=timezone.now(), came_from=came_from, **form.cleaned_data
            )
            messages.success(request, "The objective has been added.")
            return redirect(objective)

    return form_page(request, "agreements/objectives/add.html", form, partnership=partnership, suggested=suggestion)


@require_http_methods(["GET", "HEAD", "POST"])
def objective_edit(request: HttpRequest, pk: int, objective: int) -> HttpResponse:
    """Change an objective, with a reason.

    If somebody else has changed the objective since the form was opened, the page shows their text beside the person's.
    """
    user = signed_in(request)
    partnership = _get_editable(user, pk)
    opened_objective = _objective(partnership, objective)
    form = _form(request, partnership, opened_objective)
    is_stale = request.method == "POST" and request.POST.get("revision") != str(opened_objective.revision)

    if request.method == "POST" and form.is_valid():
        try:
            changed_fields = edit_objective(
                objective=opened_objective, author=user, now=timezone.now(), **form.cleaned_data
            )
        except ObjectiveHasChanged as error:
            form.add_error(None, str(error))
            # The page now shows the other person's text, so saving again may replace it.
            posted_data = request.POST.copy()
            posted_data["revision"] = str(opened_objective.revision)
            form.data = posted_data
        except UnableToChangeObjective as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "The objective has been saved." if changed_fields else "Nothing was changed.")
            return redirect(opened_objective)

    return form_page(
        request,
        "agreements/objectives/edit.html",
        form,
        partnership=partnership,
        objective=opened_objective,
        saved_objective=opened_objective if is_stale else None,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def objective_progress(request: HttpRequest, pk: int, objective: int) -> HttpResponse:
    """Report progress on an objective, for an organisation of the reader."""
    user = signed_in(request)
    partnership = _get_editable(user, pk)
    opened_objective = _objective(partnership, objective)
    form = ProgressForm(post_data(request), objective=opened_objective, today=timezone.localdate())

    if request.method == "POST" and form.is_valid():
        party = acting_party(user, partnership, *EDITING_ROLES)
        with show_refusal(form, UnableToChangeObjective):
            report_progress(
                objective=opened_objective,
                report=ProgressReport(**form.cleaned_data),
                author=user,
                organisation=party.organisation if party else None,
                now=timezone.now(),
            )
            messages.success(request, "Your progress report has been saved.")
            return redirect(opened_objective)

    return form_page(
        request, "agreements/objectives/progress.html", form, partnership=partnership, objective=opened_objective
    )


@require_http_methods(["GET", "HEAD", "POST"])
def objective_status(request: HttpRequest, pk: int, objective: int) -> HttpResponse:
    """Mark an objective as met, drop it, or open it again."""
    user = signed_in(request)
    partnership = _get_editable(user, pk)
    opened_objective = _objective(partnership, objective)
    form = ObjectiveStatusForm(post_data(request), objective=opened_objective)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToChangeObjective):
            change_objective_status(objective=opened_objective, author=user, now=timezone.now(), **form.cleaned_data)
            messages.success(request, "The status has been saved.")
            return redirect(opened_objective)

    return form_page(
        request, "agreements/objectives/status.html", form, partnership=partnership, objective=opened_objective
    )


@require_POST
def objective_move(request: HttpRequest, pk: int, objective: int) -> HttpResponse:
    """Move an objective up or down in the list."""
    user = signed_in(request)
    opened_objective = _objective(_get_editable(user, pk), objective)
    try:
        move_objective(objective=opened_objective, up="up" in request.POST, author=user, now=timezone.now())
    except UnableToChangeObjective as error:
        messages.warning(request, str(error))
    return redirect("agreements:objectives", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
def objective_link_record(request: HttpRequest, pk: int, objective: int, provider: str) -> HttpResponse:
    """Show the records of one kind that can serve the objective. On POST, link the chosen record."""
    user = signed_in(request)
    partnership = _get_editable(user, pk)
    opened_objective = _objective(partnership, objective)
    chosen_provider = provider_of(provider)
    if chosen_provider is None:
        raise Http404
    linked_keys = set(opened_objective.links.filter(provider=provider).values_list("key", flat=True))
    choices = [(key, label) for key, label in chosen_provider.choices(user, partnership) if key not in linked_keys]
    form = LinkRecordForm(
        post_data(request), provider=chosen_provider, choices=choices, cancel=opened_objective.get_absolute_url()
    )

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToChangeObjective, field="key"):
            link_record(
                objective=opened_objective,
                provider=provider,
                key=form.cleaned_data["key"],
                author=user,
                now=timezone.now(),
            )
            messages.success(request, f"The {chosen_provider.label} has been linked.")
            return redirect(opened_objective)

    return form_page(
        request,
        "agreements/objectives/link.html",
        form,
        partnership=partnership,
        objective=opened_objective,
        provider=chosen_provider,
        choices=choices,
    )


@require_POST
def objective_unlink_record(request: HttpRequest, pk: int, objective: int, link: int) -> HttpResponse:
    """Remove the link between an objective and a record that serves it."""
    user = signed_in(request)
    opened_objective = _objective(_get_editable(user, pk), objective)
    objective_link = get_object_or_404(
        ObjectiveLink.objects.select_related("objective"), pk=link, objective=opened_objective
    )
    try:
        unlink_record(link=objective_link, author=user, now=timezone.now())
    except UnableToChangeObjective as error:
        messages.warning(request, str(error))
    return redirect(opened_objective.get_absolute_url())
