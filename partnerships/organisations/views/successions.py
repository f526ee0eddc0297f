"""Pages of successions, and the forms on which administrators record and change them.

A view with a form passes an inner function to `take_step`, which calls it if the posted form is valid, shows its
message and redirects. If the service refuses, the form shows why. `posted` returns the data for a form: None on GET.
`require` answers 403 if its condition is false.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.kit.dates import known_day
from partnerships.kit.forms import ReasonForm
from partnerships.kit.http import posted, row_number
from partnerships.kit.rights import require
from partnerships.organisations.lineage import (
    changes_of,
    rivals_of,
    same_status_in_order,
    successions_of,
    who_answers_for,
    with_ties,
)
from partnerships.organisations.models import Function, Organisation, Succession, SuccessionTie
from partnerships.organisations.overdue import what_to_do
from partnerships.organisations.passed_on import signed_meanwhile
from partnerships.organisations.presenting import answer_in_words, is_by_function, lines_for, title_of
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
    AnsweringForm,
    CorrectForm,
    StatusForm,
    SuccessionForm,
    TieForm,
    UndoForm,
)
from partnerships.organisations.timeline import timeline_lines
from partnerships.people.form_steps import ABOVE_FORM, take_step
from partnerships.people.models import User
from partnerships.people.requests import signed_in

#: The exceptions with which the services refuse; `take_step` shows the reason above the form.
_REFUSALS = {UnableToRecordSuccession: ABOVE_FORM, UnableToChangeSuccession: ABOVE_FORM}
#: The template that all forms about successions share.
_FORM_TEMPLATE = "organisations/succession_form.html"


def _administrator_or_403(request: HttpRequest) -> User:
    """Return the signed-in administrator; raise 403 for anyone else."""
    user = signed_in(request)
    require(roles_of(user, timezone.now()).keeps_directory)
    return user


def _succession_url(succession: Succession) -> str:
    """Return the address of the page of a succession."""
    return reverse("organisations:succession", args=[succession.pk])


@require_safe
def succession_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a succession with its ties, sources and history."""
    user = signed_in(request)
    succession = get_object_or_404(with_ties(Succession.objects.select_related("undoes")), pk=pk)
    roles = roles_of(user, timezone.now())
    may_keep = roles.keeps_directory
    organisation_ids = {pk for tie in succession.ties.all() for pk in (tie.predecessor_id, tie.successor_id)}
    undoing_successions = list(succession.undone_by.live())
    signature_events = signed_meanwhile(succession, undoing_successions, user)
    return render(
        request,
        "organisations/succession.html",
        {
            "succession": succession,
            "heading": title_of(succession),
            "by_function": is_by_function(succession),
            "rivals": with_ties(rivals_of(succession)),
            "undone_by": undoing_successions,
            "lines": timeline_lines(changes_of(succession)),
            "signed": timeline_lines(signature_events) if signature_events else [],
            "may_keep": may_keep,
            "to_do": what_to_do(succession, timezone.localdate()) if may_keep else "",
            "may_hand_over": may_keep or bool(organisation_ids & set(roles.led)),
            "may_change_ties": may_keep and not succession.is_final,
            "may_take_effect": may_keep and succession.is_certain and not succession.is_final,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def succession_record(request: HttpRequest) -> HttpResponse:
    """Record a succession.

    With `like=ID` in the URL, the form starts with the kind, dates and sources of that succession.
    """
    user = _administrator_or_403(request)
    list_url = reverse("organisations:pending")
    like_id = row_number(request.GET.get("like", ""))
    like = Succession.objects.filter(pk=like_id).first() if like_id is not None else None
    form = SuccessionForm(posted(request), cancel=list_url, like=like)

    def save_succession() -> tuple[str, str]:
        succession = record_succession(ties=form.ties, author=user, now=timezone.now(), **form.fields_of_succession)
        return "The succession has been recorded.", _succession_url(succession)

    # `take_step` calls `save_succession` once the form is valid. If the service refuses, the form shows why.
    return take_step(
        request, _FORM_TEMPLATE, form, save_succession, _REFUSALS, title="Record a succession", back=list_url
    )


@require_http_methods(["GET", "HEAD", "POST"])
def succession_correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct the facts that were recorded about a succession."""
    user = _administrator_or_403(request)
    succession = get_object_or_404(Succession, pk=pk)
    succession_url = _succession_url(succession)
    form = CorrectForm(posted(request), succession=succession, cancel=succession_url)

    def save_correction() -> tuple[str, str]:
        changed_fields = correct_succession(succession=succession, author=user, now=timezone.now(), **form.cleaned_data)
        return "The correction has been saved." if changed_fields else "Nothing was changed.", succession_url

    return take_step(
        request, _FORM_TEMPLATE, form, save_correction, _REFUSALS, title="Correct the succession", back=succession_url
    )


@require_http_methods(["GET", "HEAD", "POST"])
def succession_status(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the status of a succession, or cancel it.

    The person may change all successions with the same status in the same order together.
    """
    user = _administrator_or_403(request)
    succession = get_object_or_404(Succession, pk=pk)
    succession_url = _succession_url(succession)
    other_count = same_status_in_order(succession).count()
    form = StatusForm(posted(request), succession=succession, others=other_count, cancel=succession_url)

    def save_status() -> tuple[str, str]:
        change_succession_status(
            succession=succession,
            to=form.cleaned_data["status"],
            reason=form.cleaned_data["reason"],
            author=user,
            now=timezone.now(),
            together=form.is_together,
        )
        subject = f"{other_count + 1} successions are" if form.is_together else "The succession is"
        return f"{subject} now: {succession.get_status_display().lower()}.", succession_url

    return take_step(
        request,
        _FORM_TEMPLATE,
        form,
        save_status,
        _REFUSALS,
        title="Change the status of the succession",
        back=succession_url,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def let_take_effect(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a succession into effect, with a reason. If it has already taken effect, nothing changes."""
    user = _administrator_or_403(request)
    succession = get_object_or_404(Succession, pk=pk)
    succession_url = _succession_url(succession)
    form = ReasonForm(posted(request), submit="Put into effect", cancel=succession_url, danger=True)

    def put_into_effect() -> tuple[str, str]:
        is_new = take_effect(succession=succession, author=user, now=timezone.now(), reason=form.cleaned_data["reason"])
        return (
            "The succession has taken effect." if is_new else "The succession had already taken effect.",
            succession_url,
        )

    return take_step(
        request,
        _FORM_TEMPLATE,
        form,
        put_into_effect,
        _REFUSALS,
        title="Put the succession into effect",
        back=succession_url,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def succession_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a new succession that undoes this one."""
    user = _administrator_or_403(request)
    succession = get_object_or_404(Succession, pk=pk)
    succession_url = _succession_url(succession)
    form = UndoForm(posted(request), others=same_status_in_order(succession).count(), cancel=succession_url)

    def undo_effect() -> tuple[str, str]:
        data = form.cleaned_data
        undoing = undo_succession(
            succession=succession,
            vests_on=known_day(data["vests_on"]),
            status=data["status"],
            reason=data["reason"],
            author=user,
            now=timezone.now(),
            together=form.is_together,
        )
        return "The succession that undoes this one has been recorded.", _succession_url(undoing)

    return take_step(
        request, _FORM_TEMPLATE, form, undo_effect, _REFUSALS, title="Undo the succession", back=succession_url
    )


@require_http_methods(["GET", "HEAD", "POST"])
def tie_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a predecessor and its successor to a succession, with a reason."""
    user = _administrator_or_403(request)
    succession = get_object_or_404(Succession, pk=pk)
    succession_url = _succession_url(succession)
    form = TieForm(posted(request), cancel=succession_url)

    def save_tie() -> tuple[str, str]:
        add_tie(
            succession=succession,
            tie=form.tie,
            reason=form.cleaned_data["reason"],
            author=user,
            now=timezone.now(),
        )
        return "The predecessor and successor have been added.", succession_url

    return take_step(
        request, _FORM_TEMPLATE, form, save_tie, _REFUSALS, title="Add a predecessor and successor", back=succession_url
    )


@require_http_methods(["GET", "HEAD", "POST"])
def tie_remove(request: HttpRequest, pk: int, tie: int) -> HttpResponse:
    """Remove a predecessor and its successor from a succession, with a reason."""
    user = _administrator_or_403(request)
    succession_tie = get_object_or_404(SuccessionTie.objects.select_related("succession"), pk=tie, succession=pk)
    succession_url = _succession_url(succession_tie.succession)
    form = ReasonForm(posted(request), submit="Remove both", cancel=succession_url, danger=True)

    def delete_tie() -> tuple[str, str]:
        remove_tie(tie=succession_tie, reason=form.cleaned_data["reason"], author=user, now=timezone.now())
        return "The predecessor and successor have been removed.", succession_url

    return take_step(
        request,
        _FORM_TEMPLATE,
        form,
        delete_tie,
        _REFUSALS,
        title="Remove a predecessor and successor",
        back=succession_url,
    )


@require_safe
def answering_organisation(request: HttpRequest, pk: int) -> HttpResponse:
    """Show which organisation is responsible for a function on a day."""
    user = signed_in(request)
    organisation = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    is_submitted = "function" in request.GET
    form = AnsweringForm(request.GET if is_submitted else None, today=timezone.localdate())
    answer_sentence = None
    uncertain_successions: list[Succession] = []
    if is_submitted and form.is_valid():
        uncertain_successions = [succession for succession in successions_of(organisation) if not succession.is_certain]
        function, day = form.cleaned_data["function"], form.cleaned_data["day"]
        answer = who_answers_for(function=function, organisation=organisation, day=day)
        answer_sentence = answer_in_words(answer, organisation, function=Function.label_of(function), day=day)
    return render(
        request,
        "organisations/answering.html",
        {
            "organisation": organisation,
            "form": form,
            "answer": answer_sentence,
            "uncertain": lines_for(organisation, uncertain_successions, timezone.localdate()),
        },
        status=422 if is_submitted and not form.is_valid() else 200,
    )
