"""The pages to report progress on a commitment, to escalate it and to verify the delivery.

`require` answers 403 if its condition is false.
"""

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
from partnerships.commitments.views.fetching import open_commitment
from partnerships.kit.http import form_page, post_data, post_data_and_files, show_refusal
from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients


@require_http_methods(["GET", "HEAD", "POST"])
def record_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Report progress on a commitment, for the organisation that delivers. A file of evidence is optional."""
    user, commitment, rights = open_commitment(request, pk)
    require(rights.edits_for_deliverer)
    newest = commitment.progress.order_by("-pk").values_list("pk", flat=True).first() or 0
    form = ProgressForm(*post_data_and_files(request), commitment=commitment, seen=newest)

    if request.method == "POST" and form.is_valid():
        try:
            with collect_recipients() as recipients:
                _save_report_and_file(form.cleaned_data, commitment, user)
        except services.UnableToRecordProgress as error:
            form.add_error(None, str(error))
        except services.UnableToAttach as error:
            form.add_error("evidence", str(error))
        else:
            message = f"Your progress report on {commitment.reference} has been saved."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(commitment)

    return form_page(request, "commitments/progress.html", form, commitment=commitment)


@transaction.atomic
def _save_report_and_file(report_data: dict[str, Any], commitment: Commitment, user: User) -> None:
    """Save the report and its file in one transaction. If one of them is refused, neither is saved."""
    now = timezone.now()
    if report_data["evidence"]:
        services.attach_evidence(commitment=commitment, file=report_data["evidence"], author=user, now=now)
    services.record_progress(
        commitment=commitment,
        status=report_data["status"],
        delivered=report_data.get("delivered"),
        note_text=report_data["note_text"],
        blocker=report_data["blocker"],
        newest_seen_id=report_data["seen"],
        author=user,
        now=now,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def escalate_with_reason(request: HttpRequest, pk: int) -> HttpResponse:
    """Escalate a commitment to a person."""
    user, commitment, rights = open_commitment(request, pk)
    require(rights.edits)
    people = commitment_readers(commitment).exclude(pk=user.pk)
    form = EscalateForm(post_data(request), commitment=commitment, people=people)

    if request.method == "POST" and form.is_valid():
        person = form.cleaned_data["person"]
        with show_refusal(form, services.UnableToEscalate):
            with collect_recipients() as recipients:
                services.escalate(
                    commitment=commitment,
                    helper=person,
                    reason=form.cleaned_data["reason"],
                    author=user,
                    now=timezone.now(),
                )
            message = f"{commitment.reference} has been escalated to {person.display_name}."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(commitment)

    return form_page(request, "commitments/escalate.html", form, commitment=commitment)


@require_http_methods(["GET", "HEAD", "POST"])
def verify_delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm that a commitment was delivered or an action done, or send it back."""
    user, commitment, rights = open_commitment(request, pk)
    require(rights.verifies)
    form = VerifyForm(post_data(request), commitment=commitment)

    if request.method == "POST" and form.is_valid():
        is_verified = form.cleaned_data["verdict"] == "verified"
        note, now = form.cleaned_data["note_text"], timezone.now()
        with show_refusal(form, services.UnableToVerify):
            with collect_recipients() as recipients:
                if is_verified:
                    services.verify_delivery(commitment=commitment, note_text=note, author=user, now=now)
                else:
                    services.send_back(commitment=commitment, reason=note, author=user, now=now)
            if is_verified and commitment.is_action:
                message = f"{commitment.reference} has been verified."
            elif is_verified:
                message = f"{commitment.reference} has been verified as delivered."
            else:
                message = f"{commitment.reference} has been sent back and is in progress again."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(commitment)

    return form_page(request, "commitments/verify.html", form, commitment=commitment)
