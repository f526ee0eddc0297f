"""Pages about delivery: progress, escalation, verification."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.commitments import services
from partnerships.commitments.forms.delivery import EscalateForm, ProgressForm, VerifyForm
from partnerships.commitments.models import Commitment, commitment_readers
from partnerships.commitments.views.steps import open_commitment, posted_with_files
from partnerships.kit.http import form_page, posted
from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.people.told import noting_told


@require_http_methods(["GET", "HEAD", "POST"])
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Report progress."""
    user, commitment, rights = open_commitment(request, pk)
    require(rights.edits_for_deliverer)
    newest = commitment.progress.order_by("-pk").values_list("pk", flat=True).first() or 0
    form = ProgressForm(*posted_with_files(request), commitment=commitment, seen=newest)
    if request.method == "POST" and form.is_valid():
        try:
            with noting_told() as told:
                _report(form.cleaned_data, commitment, user)
        except (services.UnableToRecordProgress, services.UnableToAttach) as error:
            form.add_error("evidence" if isinstance(error, services.UnableToAttach) else None, str(error))
        else:
            messages.success(request, f"Your progress on {commitment.reference} is recorded.{told.words()}")
            return redirect(commitment)
    return form_page(request, "commitments/progress.html", form, commitment=commitment)


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
def escalate(request: HttpRequest, pk: int) -> HttpResponse:
    """Escalate to a person."""
    user, commitment, rights = open_commitment(request, pk)
    require(rights.edits)
    people = commitment_readers(commitment).exclude(pk=user.pk)
    form = EscalateForm(posted(request), commitment=commitment, people=people)
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
    return form_page(request, "commitments/escalate.html", form, commitment=commitment)


@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest, pk: int) -> HttpResponse:
    """Verify the delivery, or send it back."""
    user, commitment, rights = open_commitment(request, pk)
    require(rights.leads_side(giving=False) and not commitment.is_action)
    form = VerifyForm(posted(request), commitment=commitment)
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
    return form_page(request, "commitments/verify.html", form, commitment=commitment)
