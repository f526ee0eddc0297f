"""Pages of successions, and the forms on which administrators record and change them.

`require` answers 403 if its condition is false.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.kit.dates import known_day
from partnerships.kit.forms import ReasonForm
from partnerships.kit.http import form_page, post_data, row_number, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.lineage import (
    changes_of,
    others_of_order_with_status,
    responsible_body_for,
    rival_successions,
    successions_of,
    with_ties,
)
from partnerships.organisations.models import Function, Organisation, Succession, SuccessionTie
from partnerships.organisations.passed_on import events_signed_meanwhile
from partnerships.organisations.presenting import (
    has_function_ties,
    responsibility_in_words,
    succession_lines,
    succession_title,
)
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services import (
    UnableToChangeSuccession,
    UnableToRecordSuccession,
    add_tie,
    change_succession_status,
    correct_succession,
    record_succession,
    remove_tie,
    take_effect,
    undo_succession,
)
from partnerships.organisations.succession_forms import (
    CorrectSuccessionForm,
    ResponsibilityForm,
    SuccessionForm,
    SuccessionStatusForm,
    TieForm,
    UndoSuccessionForm,
)
from partnerships.organisations.succession_tasks import action_needed
from partnerships.organisations.timeline import timeline_lines
from partnerships.people.models import User
from partnerships.people.requests import signed_in

#: The template that all forms about successions share.
_FORM_TEMPLATE = "organisations/succession_form.html"


def _administrator_or_403(request: HttpRequest) -> User:
    """Return the signed-in administrator; raise 403 for anyone else."""
    user = signed_in(request)
    require(roles_of(user, timezone.now()).may_change_directory)
    return user


def _succession_url(succession: Succession) -> str:
    """Return the address of the page of a succession."""
    return reverse("organisations:succession", args=[succession.pk])


#: The exceptions with which the services refuse a change.
_REFUSALS = (UnableToRecordSuccession, UnableToChangeSuccession)


@require_safe
def succession_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a succession with its ties, sources and history."""
    user = signed_in(request)
    succession = get_object_or_404(with_ties(Succession.objects.select_related("undoes")), pk=pk)
    roles = roles_of(user, timezone.now())
    may_change_directory = roles.may_change_directory
    organisation_ids: set[int | None] = set()
    for tie in succession.ties.all():
        organisation_ids |= {tie.predecessor_id, tie.successor_id}
    leads_organisation = bool(roles.led_ids & organisation_ids)
    undoing_successions = list(succession.undone_by.live())
    signature_events = events_signed_meanwhile(succession, undoing_successions, user)
    context = {
        "succession": succession,
        "heading": succession_title(succession),
        "by_function": has_function_ties(succession),
        "rivals": with_ties(rival_successions(succession)),
        "undone_by": undoing_successions,
        "lines": timeline_lines(changes_of(succession)),
        "signed": timeline_lines(signature_events) if signature_events else [],
        "to_do": action_needed(succession, timezone.localdate()) if may_change_directory else "",
        # What the reader can do
        "may_change_directory": may_change_directory,
        "may_hand_over": may_change_directory or leads_organisation,
        "may_change_ties": may_change_directory and not succession.is_final,
        "may_take_effect": may_change_directory and succession.is_certain and not succession.is_final,
    }
    return render(request, "organisations/succession.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def succession_record(request: HttpRequest) -> HttpResponse:
    """Record a succession.

    With `like=ID` in the address, the form starts with the kind, dates and sources of that succession, because one
    order often makes several.
    """
    user = _administrator_or_403(request)
    list_url = reverse("organisations:pending")
    template_id = row_number(request.GET.get("like", ""))
    template_succession = Succession.objects.filter(pk=template_id).first() if template_id is not None else None
    form = SuccessionForm(post_data(request), cancel=list_url, like=template_succession)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, *_REFUSALS):
            succession = record_succession(ties=form.ties, author=user, now=timezone.now(), **form.fields_of_succession)
            messages.success(request, "The succession has been recorded.")
            return redirect(_succession_url(succession))

    return form_page(request, _FORM_TEMPLATE, form, title="Record a succession", back=list_url)


@require_http_methods(["GET", "HEAD", "POST"])
def succession_correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct the facts that were recorded about a succession."""
    user = _administrator_or_403(request)
    succession = get_object_or_404(Succession, pk=pk)
    succession_url = _succession_url(succession)
    form = CorrectSuccessionForm(post_data(request), succession=succession, cancel=succession_url)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, *_REFUSALS):
            changed_fields = correct_succession(
                succession=succession, author=user, now=timezone.now(), **form.cleaned_data
            )
            messages.success(request, "The correction has been saved." if changed_fields else "Nothing was changed.")
            return redirect(succession_url)

    return form_page(request, _FORM_TEMPLATE, form, title="Correct the succession", back=succession_url)


@require_http_methods(["GET", "HEAD", "POST"])
def succession_status(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the status of a succession, or cancel it.

    The person may change all successions with the same status in the same order together.
    """
    user = _administrator_or_403(request)
    succession = get_object_or_404(Succession, pk=pk)
    succession_url = _succession_url(succession)
    other_count = others_of_order_with_status(succession).count()
    form = SuccessionStatusForm(post_data(request), succession=succession, others=other_count, cancel=succession_url)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, *_REFUSALS):
            change_succession_status(
                succession=succession,
                to=form.cleaned_data["status"],
                reason=form.cleaned_data["reason"],
                author=user,
                now=timezone.now(),
                together=form.is_together,
            )
            subject = f"{other_count + 1} successions" if form.is_together else "the succession"
            messages.success(request, f"The status of {subject} is now “{succession.get_status_display()}”.")
            return redirect(succession_url)

    return form_page(request, _FORM_TEMPLATE, form, title="Change the status of the succession", back=succession_url)


@require_http_methods(["GET", "HEAD", "POST"])
def let_take_effect(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a succession into effect, with a reason. Nothing changes if it took effect before."""
    user = _administrator_or_403(request)
    succession = get_object_or_404(Succession, pk=pk)
    succession_url = _succession_url(succession)
    form = ReasonForm(post_data(request), submit="Put succession into effect", cancel=succession_url, danger=True)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, *_REFUSALS):
            is_new = take_effect(
                succession=succession, author=user, now=timezone.now(), reason=form.cleaned_data["reason"]
            )
            message = "The succession has taken effect." if is_new else "The succession had already taken effect."
            messages.success(request, message)
            return redirect(succession_url)

    return form_page(request, _FORM_TEMPLATE, form, title="Put the succession into effect", back=succession_url)


@require_http_methods(["GET", "HEAD", "POST"])
def succession_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a new succession that undoes this one."""
    user = _administrator_or_403(request)
    succession = get_object_or_404(Succession, pk=pk)
    succession_url = _succession_url(succession)
    form = UndoSuccessionForm(
        post_data(request), others=others_of_order_with_status(succession).count(), cancel=succession_url
    )

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, *_REFUSALS):
            undoing_succession = undo_succession(
                succession=succession,
                vests_on=known_day(form.cleaned_data["vests_on"]),
                status=form.cleaned_data["status"],
                reason=form.cleaned_data["reason"],
                author=user,
                now=timezone.now(),
                together=form.is_together,
            )
            messages.success(request, "The succession that undoes this one has been recorded.")
            return redirect(_succession_url(undoing_succession))

    return form_page(request, _FORM_TEMPLATE, form, title="Undo the succession", back=succession_url)


@require_http_methods(["GET", "HEAD", "POST"])
def tie_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a predecessor and its successor to a succession, with a reason."""
    user = _administrator_or_403(request)
    succession = get_object_or_404(Succession, pk=pk)
    succession_url = _succession_url(succession)
    form = TieForm(post_data(request), cancel=succession_url)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, *_REFUSALS):
            add_tie(
                succession=succession,
                tie=form.tie,
                reason=form.cleaned_data["reason"],
                author=user,
                now=timezone.now(),
            )
            messages.success(request, "The predecessor and successor have been added.")
            return redirect(succession_url)

    return form_page(request, _FORM_TEMPLATE, form, title="Add a predecessor and successor", back=succession_url)


@require_http_methods(["GET", "HEAD", "POST"])
def tie_remove(request: HttpRequest, pk: int, tie: int) -> HttpResponse:
    """Remove a predecessor and its successor from a succession, with a reason."""
    user = _administrator_or_403(request)
    succession_tie = get_object_or_404(SuccessionTie.objects.select_related("succession"), pk=tie, succession=pk)
    succession_url = _succession_url(succession_tie.succession)
    form = ReasonForm(post_data(request), submit="Remove predecessor and successor", cancel=succession_url, danger=True)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, *_REFUSALS):
            remove_tie(tie=succession_tie, reason=form.cleaned_data["reason"], author=user, now=timezone.now())
            messages.success(request, "The predecessor and successor have been removed.")
            return redirect(succession_url)

    return form_page(request, _FORM_TEMPLATE, form, title="Remove a predecessor and successor", back=succession_url)


@require_safe
def answering_organisation(request: HttpRequest, pk: int) -> HttpResponse:
    """Show which organisation is responsible for a function on a day."""
    user = signed_in(request)
    organisation = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    today = timezone.localdate()
    form = ResponsibilityForm(request.GET if "function" in request.GET else None, today=today)

    answer_sentence = None
    uncertain_successions: list[Succession] = []
    if form.is_valid():
        function, day = form.cleaned_data["function"], form.cleaned_data["day"]
        answer = responsible_body_for(function=function, organisation=organisation, day=day)
        answer_sentence = responsibility_in_words(answer, organisation, function=Function.label_of(function), day=day)
        uncertain_successions = [succession for succession in successions_of(organisation) if not succession.is_certain]
    return form_page(
        request,
        "organisations/answering.html",
        form,
        organisation=organisation,
        answer=answer_sentence,
        uncertain=succession_lines(organisation, uncertain_successions, today),
    )
