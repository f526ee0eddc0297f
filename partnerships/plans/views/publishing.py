"""Pages to publish a plan, update a milestone, and change status, audience and baseline."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from partnerships.documents import why_not_minor
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in
from partnerships.plans.changes import changes_between
from partnerships.plans.content import Item, get_piece
from partnerships.plans.forms import AudienceForm, MilestoneForm, PublishForm, StatusForm
from partnerships.plans.models import Plan, Version
from partnerships.plans.queries import content_of, draft_content
from partnerships.plans.services import (
    PieceConflict,
    UnableToChangeStatus,
    UnableToEmbargo,
    UnableToPinBaseline,
    UnableToPublish,
    change_audience,
    change_status,
    pin_baseline,
    publish_piece,
    publish_version,
)
from partnerships.plans.services.lifecycle import possible_statuses
from partnerships.plans.services.opening import moment_in_words
from partnerships.plans.starters import is_untouched, untouched_parts
from partnerships.plans.views.fetching import draft_of, open_published, open_to_publish
from partnerships.plans.views.whole import compare_contents


@require_http_methods(["GET", "HEAD", "POST"])
def draft_publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what the draft changes, and ask for a note. On POST, publish the draft as a new version.

    If the draft has changed since the page was opened, the page shows the newest draft again.
    """
    access = open_to_publish(request, pk)
    plan = access.plan
    draft = draft_of(plan)
    content, published_content = draft_content(plan), content_of(plan, plan.current_number)
    compared = compare_contents(published_content, content)
    not_minor_reason = why_not_minor(compared.changes) if plan.is_published else ""

    form_kwargs: dict[str, Any] = {
        "plan": plan,
        "shares": list(plan.shares.active(timezone.now()).select_related("person").order_by("pk")),
        "may_be_minor": not not_minor_reason,
        "untouched": untouched_parts(plan.kind, content, published_content),
    }
    form = PublishForm(post_data(request), initial={"draft_revision": draft.revision}, **form_kwargs)
    if request.method == "POST" and form.is_valid():
        try:
            with collect_recipients() as recipients:
                version = _publish(plan, form, author=signed_in(request))
        except UnableToPublish as error:
            # The page shows the newest draft, so the person can send the form again for that revision.
            form = PublishForm({**request.POST.dict(), "draft_revision": draft.revision}, **form_kwargs)
            form.add_error("embargo_day" if isinstance(error, UnableToEmbargo) else None, str(error))
        else:
            message = f"Version {version.number} published.{_embargo_sentence(version)}"
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect("plans:detail", pk=pk)

    has_only_starter_text = plan.is_draft and is_untouched(plan.kind, content)
    return form_page(
        request,
        "plans/publish.html",
        form,
        plan=plan,
        access=access,
        draft=draft,
        compared=compared,
        not_minor_reason=not_minor_reason,
        empty_sections=[section["title"] for section in content["sections"] if not section["body"]],
        has_only_starter_text=has_only_starter_text,
        can_be_published=not has_only_starter_text and not compared.is_empty,
    )


def _publish(plan: Plan, form: PublishForm, *, author: User) -> Version:
    """Publish the draft as a valid form says, and return the new version. Raises `UnableToPublish`."""
    return publish_version(
        plan=plan,
        author=author,
        note=form.cleaned_data["note"],
        minor=form.cleaned_data.get("minor", False),
        now=timezone.now(),
        embargo_until=form.embargo(),
        draft_choices=form.draft_choices(),
    )


def _embargo_sentence(version: Version) -> str:
    """Return the sentence of a message that says when the embargo ends; "" without an embargo."""
    if not version.is_under_embargo or version.embargo_until is None:
        return ""
    return f" Only the owners can see this version until {moment_in_words(version.embargo_until)}."


@require_http_methods(["GET", "HEAD", "POST"])
def milestone_update(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """Show a short form to update one milestone. On POST, publish the change as a new version.

    If a newer version has changed the milestone since the form was opened, the page shows what changed, with status
    409.
    """
    access, version = open_published(request, pk)
    plan = access.plan
    if not access.may_publish or version.number != plan.current_number:
        raise PermissionDenied
    milestone = get_piece(version.content, f"milestones/{key}") if key else None
    if milestone is None:
        raise Http404

    plan_url = plan.get_absolute_url()
    form = MilestoneForm(post_data(request), cancel=plan_url, newest=version.number)
    if request.method == "POST" and form.is_valid():
        try:
            with collect_recipients() as recipients:
                new_version = publish_piece(
                    plan=plan,
                    piece=f"milestones/{key}",
                    value=form.apply_to(milestone),
                    based_on=form.cleaned_data["based_on"],
                    author=signed_in(request),
                    note=form.cleaned_data["note"],
                    minor=form.cleaned_data["minor"],
                    now=timezone.now(),
                )
        except PieceConflict as conflict:
            return _show_milestone_conflict(request, plan, milestone, form, conflict)
        except UnableToPublish as error:
            form.add_error(None, str(error))
        else:
            message = f"Version {new_version.number} published: {milestone['name']}.{_embargo_sentence(new_version)}"
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(plan)

    return form_page(request, "plans/milestone.html", form, plan=plan, back=plan_url, item=milestone)


def _show_milestone_conflict(
    request: HttpRequest, plan: Plan, milestone: Item, form: MilestoneForm, conflict: PieceConflict
) -> HttpResponse:
    """Show what a colleague has published since the form was opened, and show the form again."""
    plan_url = plan.get_absolute_url()
    seen_content = content_of(plan, form.cleaned_data["based_on"])
    newest_content = content_of(plan, conflict.revision)
    # The person can send the form again, which then replaces the colleague's change.
    data = {**request.POST.dict(), "based_on": conflict.revision}
    context = {
        "plan": plan,
        "back": plan_url,
        "item": conflict.theirs or milestone,
        "form": MilestoneForm(data, cancel=plan_url, newest=conflict.revision),
        "changes_since": [
            change for change in changes_between(seen_content, newest_content) if change.anchor == conflict.piece
        ],
        "colleague": User.objects.filter(pk=conflict.by or 0).first(),
    }
    return render(request, "plans/milestone.html", context, status=409)


@require_http_methods(["GET", "HEAD", "POST"])
def plan_status(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the status of a plan, for example to monitoring, superseded or closed."""
    plan = open_to_publish(request, pk).plan
    user = signed_in(request)
    choices = possible_statuses(plan)
    successors = Plan.objects.published_for(user).exclude(pk=pk).exclude(status__in=["superseded", "closed"])
    form = StatusForm(
        post_data(request),
        choices=choices,
        successors=Plan.objects.filter(pk__in=successors.values("pk")).order_by("title", "pk"),
        submit="Change status",
        cancel=plan.get_absolute_url(),
    )

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToChangeStatus):
            changed_plan = change_status(
                plan=plan,
                to=form.cleaned_data["status"],
                reason=form.cleaned_data["reason"],
                author=user,
                now=timezone.now(),
                successor=form.cleaned_data.get("successor"),
            )
            messages.success(request, f"The plan is now {changed_plan.get_status_display().lower()}.")
            return redirect(plan)

    return form_page(request, "plans/status.html", form, plan=plan, back=plan.get_absolute_url(), choices=choices)


@require_http_methods(["GET", "HEAD", "POST"])
def plan_audience(request: HttpRequest, pk: int) -> HttpResponse:
    """Change who may read the published versions of a plan."""
    plan = open_to_publish(request, pk).plan
    form = AudienceForm(
        post_data(request),
        initial={"audience": plan.audience},
        submit="Change audience",
        cancel=plan.get_absolute_url(),
    )

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToChangeStatus, field="audience"):
            changed_plan = change_audience(
                plan=plan,
                audience=form.cleaned_data["audience"],
                reason=form.cleaned_data["reason"],
                author=signed_in(request),
                now=timezone.now(),
            )
            messages.success(request, f"Audience changed to: {changed_plan.get_audience_display().lower()}.")
            return redirect(plan)

    return form_page(request, "plans/audience.html", form, plan=plan, back=plan.get_absolute_url())


@require_POST
def plan_baseline(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a version the baseline of its plan or, if the form has no number, remove the baseline."""
    plan = open_to_publish(request, pk).plan
    number_text = request.POST.get("number", "")
    number = int(number_text) if number_text.isdecimal() and len(number_text) < 9 else None

    try:
        changed_plan = pin_baseline(plan=plan, number=number, author=signed_in(request), now=timezone.now())
    except UnableToPinBaseline as error:
        messages.error(request, str(error))
    else:
        if changed_plan.baseline_number:
            messages.success(request, f"Version {changed_plan.baseline_number} is now the baseline.")
        else:
            messages.success(request, "The plan has no baseline now.")
    return redirect("plans:history", pk)
