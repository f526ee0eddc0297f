"""Pages of commitments."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.activity.queries import timeline
from partnerships.agreements.models import Partnership
from partnerships.agreements.past import as_read_by
from partnerships.commitments import queries, services
from partnerships.commitments.forms import (
    ConfirmForm,
    DueDateForm,
    EditTermsForm,
    EndForm,
    EscalateForm,
    EvidenceForm,
    FilterForm,
    OwnerForm,
    ProgressForm,
    ProposeForm,
    RemindersForm,
    VerifyForm,
)
from partnerships.commitments.models import (
    Commitment,
    CommitmentQuerySet,
    Evidence,
    Status,
    commitment_readers,
)
from partnerships.commitments.origins import Suggestion, links_of, read_from
from partnerships.commitments.quantities import plain_number
from partnerships.commitments.rights import Rights, rights_over, waits_for
from partnerships.commitments.services.reminders import lead_times_of
from partnerships.kit.dates import long_date
from partnerships.kit.forms import active_filters
from partnerships.kit.http import keyset_page, private_file
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.organisations.timeline import TimelineLine, timeline_lines
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.people.told import noting_told


@require_safe
def commitment_list(request: HttpRequest) -> HttpResponse:
    """Commitments the person may see, by due date."""
    user = signed_in(request)
    form = FilterForm(request.GET, user=user)
    rows = Commitment.objects.visible_to(user)
    if form.is_valid():
        rows = _filtered(rows, form.cleaned_data, user)
    undated = dt.date(9999, 12, 31)
    page = keyset_page(
        request,
        rows.annotate(due_key=Coalesce("due_on", Value(undated))).for_listing(),
        order=("due_key", "pk"),
    )
    context = {
        "form": form,
        "page": page,
        "chips": active_filters(form, request.GET),
        "today": timezone.localdate(),
        "may_propose": Organisation.objects.of_person(user, *EDITING_ROLES).exists(),
    }
    partial = bool(getattr(request, "htmx", False))
    return render(request, "commitments/_results.html" if partial else "commitments/list.html", context)


def _filtered(rows: CommitmentQuerySet, chosen: dict[str, Any], user: User) -> CommitmentQuerySet:
    mine = Organisation.objects.of_person(user).values("pk")
    sides: dict[str, dict[str, Any]] = {
        "given": {"giver__in": mine},
        "received": {"receiver__in": mine},
        "mine": {"owner": user},
    }
    standing: dict[str, dict[str, Any]] = {
        "proposed": {"status": Status.PROPOSED},
        "risk": {"status__in": [Status.AT_RISK, Status.BLOCKED]},
        "done": {"status": Status.DONE},
        "verified": {"status": Status.VERIFIED},
        "ended": {"status__in": [Status.CANCELLED, Status.SUPERSEDED]},
    }
    rows = rows.filter(**sides.get(chosen["side"], {}), **standing.get(chosen["standing"], {}))
    if chosen["standing"] == "open":
        rows = rows.under_way()
    if chosen["standing"] == "overdue":
        rows = rows.overdue(timezone.localdate())
    if chosen["kind"]:
        rows = rows.filter(kind=chosen["kind"])
    if chosen["register"]:
        rows = rows.exclude(source="") if chosen["register"] == "read" else rows.filter(source="")
    if chosen["partnership"]:
        rows = rows.filter(partnership=chosen["partnership"])
    return queries.with_words(rows, chosen["words"]) if chosen["words"] else rows


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Propose a commitment: from scratch, from a record, or as a replacement.

    `?from=response-12` names the record.
    """
    user = signed_in(request)
    if not Organisation.objects.of_person(user, *EDITING_ROLES).exists():
        raise PermissionDenied
    came_from = read_from(request.GET.get("from", ""))
    suggestion = came_from.origin.suggest(user=user, record_id=came_from.record_id) if came_from else None
    if request.GET.get("from") and (came_from is None or suggestion is None):
        raise Http404
    replaces = _replaced(request, user)
    form = ProposeForm(
        _posted(request)[0],
        user=user,
        extra=_bodies_of(suggestion, replaces),
        pair=_pair_of(suggestion, replaces),
        initial=_initial(request, user, suggestion, replaces),
    )
    if request.method == "POST" and form.is_valid():
        terms = {name: form.cleaned_data[name] for name in _TERMS}
        try:
            with noting_told() as told:
                made = services.propose_commitment(
                    **terms,
                    giver=form.cleaned_data["giver"],
                    receiver=form.cleaned_data["receiver"],
                    partnership=form.cleaned_data["partnership"],
                    confirm=form.cleaned_data.get("confirm", False),
                    key=form.cleaned_data["key"],
                    replaces=replaces,
                    came_from=came_from,
                    author=user,
                    now=timezone.now(),
                )
        except (services.UnableToPropose, services.UnableToConfirm) as error:
            form.add_error(None, str(error))
        else:
            waiting = " and ".join(side.display_name for side in waits_for(made))
            words = f"{made.reference} is proposed. It waits for {waiting} to confirm it."
            messages.success(request, words + told.words())
            return redirect(made)
    context = {"form": form, "suggestion": suggestion, "replaces": replaces}
    return _answer(request, "commitments/new.html", context, form)


_TERMS = ("text", "quantity", "unit", "owner", "due_on")


def _replaced(request: HttpRequest, user: User) -> Commitment | None:
    """The commitment to be replaced."""
    number = request.GET.get("replaces", "")
    if not number:
        return None
    if not number.isascii() or not number.isdecimal() or len(number) > 18:
        raise Http404
    commitment = _seen(user, int(number))
    _require(rights_over(commitment, user, timezone.now()).may_replace)
    return commitment


def _bodies_of(suggestion: Suggestion | None, replaces: Commitment | None) -> tuple[Organisation, ...]:
    named = [
        *((suggestion.giver, suggestion.receiver) if suggestion else ()),
        *((replaces.giver, replaces.receiver) if replaces else ()),
    ]
    return tuple(body for body in named if body is not None)


def _pair_of(suggestion: Suggestion | None, replaces: Commitment | None) -> tuple[Organisation, ...]:
    """The two sides, if the origin or the replaced commitment fixes them."""
    if replaces is not None:
        return _bodies_of(None, replaces)
    return suggestion.pair if suggestion else ()


def _initial(
    request: HttpRequest, user: User, suggestion: Suggestion | None, replaces: Commitment | None
) -> dict[str, Any]:
    """Initial values of the form."""
    if replaces is not None:
        named = {name: getattr(replaces, name) for name in (*_TERMS, "giver", "receiver", "partnership")}
        return named | {"quantity": plain_number(replaces.quantity)}
    if suggestion is not None:
        named = {
            name: getattr(suggestion, name) for name in ("giver", "receiver", "partnership", "text", "unit", "due_on")
        }
        return named | {"quantity": plain_number(suggestion.quantity)}
    initial: dict[str, Any] = {}
    mine = Organisation.objects.of_person(user, *EDITING_ROLES)
    if mine.count() == 1:
        initial["giver"] = mine.get()
    partnership = request.GET.get("partnership", "")
    if partnership.isascii() and partnership.isdecimal() and len(partnership) <= 18:
        initial["partnership"] = Partnership.objects.present_for(user, *EDITING_ROLES).filter(pk=partnership).first()
    return initial


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One commitment: terms, next step, deliveries and timeline."""
    user = signed_in(request)
    commitment = get_object_or_404(queries.with_story(Commitment.objects.visible_to(user)), pk=pk)
    if commitment.partnership is not None:
        commitment.partnership = as_read_by(user, commitment.partnership)
    context = {
        "commitment": commitment,
        "rights": rights_over(commitment, user, timezone.now()),
        "waits_for": waits_for(commitment),
        "origins": links_of(commitment, user),
        "replacements": Commitment.objects.visible_to(user).filter(replaces=commitment).order_by("pk"),
        "overdue": commitment.is_overdue(timezone.localdate()),
        "lines": _lines(user, commitment),
    }
    return render(request, "commitments/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit proposed terms."""
    user, commitment, rights = _opened(request, pk)
    _require(rights.edits and commitment.giver_id is not None)
    initial = {name: getattr(commitment, name) for name in _TERMS} | {"quantity": plain_number(commitment.quantity)}
    form = EditTermsForm(_posted(request)[0], commitment=commitment, initial=initial)
    if request.method == "POST" and form.is_valid():
        terms = {name: form.cleaned_data[name] for name in (*_TERMS, "revision")}
        try:
            with noting_told() as told:
                services.edit_proposal(commitment=commitment, **terms, author=user, now=timezone.now())
        except (services.UnableToEdit, services.UnableToPropose) as error:
            form.add_error(None, str(error))
        else:
            words = f"The terms of {commitment.reference} are changed. Both sides have to confirm them."
            messages.success(request, words + told.words())
            return redirect(commitment)
    return _answer(request, "commitments/edit.html", {"form": form, "commitment": commitment}, form)


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, pk: int, side: str) -> HttpResponse:
    """Confirm for the giver or the receiver."""
    if side not in ("giving", "receiving"):
        raise Http404
    user, commitment, rights = _opened(request, pk)
    giving = side == "giving"
    organisation = commitment.giver if giving else commitment.receiver
    if organisation is None:
        raise Http404
    _require(rights.leads_side(giving=giving))
    form = ConfirmForm(_posted(request)[0], commitment=commitment, organisation=organisation, giving=giving)
    if request.method == "POST" and form.is_valid():
        try:
            with noting_told() as told:
                confirmed = services.confirm_commitment(
                    commitment=commitment,
                    organisation=organisation,
                    revision=form.cleaned_data["revision"],
                    owner=form.cleaned_data.get("owner"),
                    author=user,
                    now=timezone.now(),
                )
        except services.UnableToConfirm as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _confirmed_words(confirmed, organisation) + told.words())
            return redirect(commitment)
    context = {"form": form, "commitment": commitment, "organisation": organisation, "giving": giving}
    return _answer(request, "commitments/confirm.html", context, form)


def _confirmed_words(commitment: Commitment, organisation: Organisation) -> str:
    if commitment.is_proposed:
        waiting = " and ".join(side.display_name for side in waits_for(commitment))
        return f"You confirmed {commitment.reference} for {organisation.display_name}. It waits for {waiting}."
    return f"{commitment.reference} is agreed."


@require_http_methods(["GET", "HEAD", "POST"])
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Report progress."""
    user, commitment, rights = _opened(request, pk)
    _require(rights.edits_for_deliverer)
    newest = commitment.progress.order_by("-pk").values_list("pk", flat=True).first() or 0
    form = ProgressForm(*_posted(request), commitment=commitment, seen=newest)
    if request.method == "POST" and form.is_valid():
        try:
            with noting_told() as told:
                _report(form.cleaned_data, commitment, user)
        except (services.UnableToRecordProgress, services.UnableToAttach) as error:
            form.add_error("evidence" if isinstance(error, services.UnableToAttach) else None, str(error))
        else:
            messages.success(request, f"Your progress on {commitment.reference} is recorded.{told.words()}")
            return redirect(commitment)
    return _answer(request, "commitments/progress.html", {"form": form, "commitment": commitment}, form)


@transaction.atomic
def _report(given: dict[str, Any], commitment: Commitment, user: User) -> None:
    """Save report and file in one transaction."""
    now = timezone.now()
    if given["evidence"]:
        services.attach_evidence(commitment=commitment, file=given["evidence"], author=user, now=now)
    services.record_progress(
        commitment=commitment,
        status=given["status"],
        delivered=given.get("delivered"),
        note_text=given["note_text"],
        blocker=given["blocker"],
        seen=given["seen"],
        author=user,
        now=now,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def due_date(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the due date."""
    user, commitment, rights = _opened(request, pk)
    _require(rights.edits_for_deliverer)
    form = DueDateForm(_posted(request)[0], commitment=commitment)
    if request.method == "POST" and form.is_valid():
        try:
            moved = services.change_due_date(
                commitment=commitment, **form.cleaned_data, author=user, now=timezone.now()
            )
        except services.UnableToChangeDueDate as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{commitment.reference} is now due on {long_date(moved.now)}.")
            return redirect(commitment)
    return _answer(request, "commitments/due_date.html", {"form": form, "commitment": commitment}, form)


@require_http_methods(["GET", "HEAD", "POST"])
def owner(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the owner."""
    user, commitment, rights = _opened(request, pk)
    _require(rights.edits_for_deliverer)
    form = OwnerForm(_posted(request)[0], commitment=commitment)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_owner(
                commitment=commitment, owner=form.cleaned_data["owner"], author=user, now=timezone.now()
            )
        except services.UnableToChangeOwner as error:
            form.add_error(None, str(error))
        else:
            name = form.cleaned_data["owner"].display_name
            messages.success(request, f"{name} now sees {commitment.reference} through.")
            return redirect(commitment)
    return _answer(request, "commitments/owner.html", {"form": form, "commitment": commitment}, form)


@require_http_methods(["GET", "HEAD", "POST"])
def escalate(request: HttpRequest, pk: int) -> HttpResponse:
    """Escalate to a person."""
    user, commitment, rights = _opened(request, pk)
    _require(rights.edits)
    people = commitment_readers(commitment).exclude(pk=user.pk)
    form = EscalateForm(_posted(request)[0], commitment=commitment, people=people)
    if request.method == "POST" and form.is_valid():
        person = form.cleaned_data["person"]
        try:
            with noting_told() as told:
                services.escalate(
                    commitment=commitment,
                    to=person,
                    reason=form.cleaned_data["reason"],
                    author=user,
                    now=timezone.now(),
                )
        except services.UnableToEscalate as error:
            form.add_error(None, str(error))
        else:
            words = f"{commitment.reference} is brought before {person.display_name}."
            messages.success(request, words + told.words())
            return redirect(commitment)
    return _answer(request, "commitments/escalate.html", {"form": form, "commitment": commitment}, form)


@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest, pk: int) -> HttpResponse:
    """Verify the delivery, or send it back."""
    user, commitment, rights = _opened(request, pk)
    _require(rights.leads_side(giving=False) and not commitment.is_action)
    form = VerifyForm(_posted(request)[0], commitment=commitment)
    if request.method == "POST" and form.is_valid():
        note, now = form.cleaned_data["note_text"], timezone.now()
        try:
            with noting_told() as told:
                if form.cleaned_data["verdict"] == "verified":
                    services.verify_delivery(commitment=commitment, note_text=note, author=user, now=now)
                    words = f"{commitment.reference} is verified: the promise is kept."
                else:
                    services.send_back(commitment=commitment, reason=note, author=user, now=now)
                    words = f"{commitment.reference} is in progress again."
        except services.UnableToVerify as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, words + told.words())
            return redirect(commitment)
    return _answer(request, "commitments/verify.html", {"form": form, "commitment": commitment}, form)


@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Decline, withdraw or cancel."""
    user, commitment, rights = _opened(request, pk)
    _require(rights.may_end if not commitment.is_over else rights.leads)
    form = EndForm(_posted(request)[0], commitment=commitment, rights=rights)
    if request.method == "POST" and form.is_valid():
        try:
            with noting_told() as told:
                services.end_commitment(
                    commitment=commitment, reason=form.cleaned_data["reason"], author=user, now=timezone.now()
                )
        except services.UnableToEnd as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{commitment.reference} is cancelled.{told.words()}")
            return redirect(commitment)
    return _answer(request, "commitments/end.html", {"form": form, "commitment": commitment, "rights": rights}, form)


@require_http_methods(["GET", "HEAD", "POST"])
def attach(request: HttpRequest, pk: int) -> HttpResponse:
    """Attach a file of evidence."""
    user, commitment, rights = _opened(request, pk)
    _require(rights.edits_for_deliverer)
    form = EvidenceForm(*_posted(request), commitment=commitment)
    if request.method == "POST" and form.is_valid():
        try:
            services.attach_evidence(
                commitment=commitment,
                file=form.cleaned_data["file"],
                title=form.cleaned_data["title"],
                author=user,
                now=timezone.now(),
            )
        except services.UnableToAttach as error:
            form.add_error("file", str(error))
        else:
            messages.success(request, f"The file is attached to {commitment.reference}.")
            return redirect(commitment)
    return _answer(request, "commitments/attach.html", {"form": form, "commitment": commitment}, form)


@require_safe
def evidence(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Download a file of evidence."""
    found = get_object_or_404(Evidence.objects.visible_to(signed_in(request)), pk=pk)
    return private_file(found.file, name=found.file_name, content_type=found.content_type)


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for confirmation, then remove a file of evidence."""
    user = signed_in(request)
    found = get_object_or_404(Evidence.objects.visible_to(user), pk=pk)
    commitment = _seen(user, found.commitment_id)
    _require(rights_over(commitment, user, timezone.now()).may_attach)
    if request.method == "POST":
        try:
            services.remove_evidence(evidence=found, author=user, now=timezone.now())
        except services.UnableToAttach as error:
            messages.warning(request, str(error))
        else:
            messages.success(request, f"“{found.title}” is taken away from {commitment.reference}.")
        return redirect(commitment)
    return render(request, "commitments/remove.html", {"evidence": found, "commitment": commitment})


@require_http_methods(["GET", "HEAD", "POST"])
def reminders(request: HttpRequest) -> HttpResponse:
    """Choose lead times for one's own reminders."""
    user = signed_in(request)
    now_chosen = lead_times_of(user)
    offered = {day for day, _ in RemindersForm.CHOICES}
    initial = {"days": now_chosen, "other": next((day for day in now_chosen if day not in offered), None)}
    form = RemindersForm(_posted(request)[0], initial=initial)
    if request.method == "POST" and form.is_valid():
        chosen = services.choose_lead_times(person=user, days=form.chosen, now=timezone.now()).days
        words = ", ".join({0: "on the day", 1: "the day before"}.get(day, f"{day} days before") for day in chosen)
        messages.success(request, f"You will be reminded {words}." if chosen else "You will get no reminders.")
        return redirect(reverse("commitments:list"))
    return _answer(request, "commitments/reminders.html", {"form": form}, form)


def _lines(user: User, commitment: Commitment) -> list[TimelineLine]:
    """Timeline, newest first, without the commitment's own title."""
    events = timeline(user=user, kind="commitment", record_id=commitment.pk)[:100]
    return [replace(line, subject="") for line in timeline_lines(events)]


def _seen(user: User, pk: int) -> Commitment:
    """A commitment the person may see, or 404."""
    return get_object_or_404(Commitment.objects.visible_to(user).for_listing(), pk=pk)


def _opened(request: HttpRequest, pk: int) -> tuple[User, Commitment, Rights]:
    """The person, the commitment they may see, and their rights."""
    user = signed_in(request)
    commitment = _seen(user, pk)
    return user, commitment, rights_over(commitment, user, timezone.now())


def _require(allowed: bool) -> None:
    """Raise 403 for somebody who sees the record but may not do this."""
    if not allowed:
        raise PermissionDenied


def _posted(request: HttpRequest) -> tuple[Any, Any]:
    """A form's `data` and `files`; None for both on GET."""
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


def _answer(request: HttpRequest, template: str, context: dict[str, Any], form: BaseForm) -> HttpResponse:
    """The page; status 422 when the form has errors."""
    return render(request, template, context, status=422 if form.errors else 200)
