"""Pages to show a response, and to add and remove its evidence.

A view with a form passes an inner function to `take_step`, which calls it once the posted form is valid, shows its
message and redirects. If the service refuses, the form is shown again with the reason. On GET, `posted(request)` is
None, so that the form is empty.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.kit.http import posted, row_number
from partnerships.kit.rights import require
from partnerships.people.form_steps import take_step
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.recommendations.forms.responses import EvidenceForm
from partnerships.recommendations.models import Evidence, Response
from partnerships.recommendations.models.responses import KINDS_OF_EVIDENCE
from partnerships.recommendations.queries.evidence import choices_for, proofs_of, unreadable_of
from partnerships.recommendations.rights import may_answer_for
from partnerships.recommendations.services import UnableToProve, add_evidence, remove_evidence


def _response_or_404(user: User, pk: int) -> Response:
    rows = Response.objects.visible_to(user).select_related("recommendation__source", "organisation", "owner")
    return get_object_or_404(rows, pk=pk)


@require_safe
def response(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an organisation's response, and the evidence that the reader may see."""
    user = signed_in(request)
    current_response = _response_or_404(user, pk)
    may_answer = may_answer_for(current_response.organisation, user, timezone.now())
    context = {
        "response": current_response,
        "recommendation": current_response.recommendation,
        "proofs": proofs_of([current_response.pk], user).get(current_response.pk, []),
        "kinds": KINDS_OF_EVIDENCE.items(),
        "is_own": Response.objects.own_of(user).filter(pk=current_response.pk).exists(),
        "may_answer": may_answer,
        "unreadable": unreadable_of(current_response, user) if may_answer else [],
        "today": timezone.localdate(),
    }
    return render(request, "recommendations/response.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add_to_response(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Add a record as evidence for the response."""
    user = signed_in(request)
    current_response = _response_or_404(user, pk)
    require(may_answer_for(current_response.organisation, user, timezone.now()))
    if kind not in KINDS_OF_EVIDENCE:
        raise Http404
    choices = choices_for(kind, user)
    label = KINDS_OF_EVIDENCE[kind]
    form = EvidenceForm(posted(request), label=label, choices=choices, cancel=current_response.get_absolute_url())

    def save_evidence() -> tuple[str, str]:
        data = form.cleaned_data
        record = row_number(data["record"]) or 0
        add_evidence(
            response=current_response, kind=kind, record=record, words=data["words"], author=user, now=timezone.now()
        )
        return "The evidence has been added.", current_response.get_absolute_url()

    # `take_step` calls `save_evidence` once the form is valid. If the service refuses, the form shows why.
    return take_step(
        request,
        "recommendations/evidence_add.html",
        form,
        save_evidence,
        {UnableToProve: "record"},
        response=current_response,
        kind=label,
        choices=choices,
    )


@require_POST
def remove_from_response(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a piece of evidence."""
    user = signed_in(request)
    rows = Evidence.objects.removable_by(user).select_related("response")
    evidence = get_object_or_404(rows, pk=pk)
    try:
        remove_evidence(evidence=evidence, author=user, now=timezone.now())
    except UnableToProve as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, "The evidence has been removed.")
    return redirect(evidence.response.get_absolute_url())
