"""Pages to show a response, and to add and remove its evidence."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.kit.http import form_page, post_data, row_number, show_refusal
from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.recommendations.forms.responses import EvidenceForm
from partnerships.recommendations.models import Evidence, Response
from partnerships.recommendations.models.responses import KINDS_OF_EVIDENCE
from partnerships.recommendations.queries.evidence import evidence_choices, shown_evidence, unreadable_evidence
from partnerships.recommendations.rights import may_answer_for
from partnerships.recommendations.services import UnableToChangeEvidence, add_evidence, remove_evidence


def _response_or_404(user: User, pk: int) -> Response:
    """Return the response with this id. Raises Http404 unless the person may read it."""
    responses = Response.objects.visible_to(user).select_related("recommendation__source", "organisation", "owner")
    return get_object_or_404(responses, pk=pk)


@require_safe
def response_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an organisation's response, and the evidence that the reader may see."""
    user = signed_in(request)
    response = _response_or_404(user, pk)
    may_answer = may_answer_for(response.organisation, user, timezone.now())
    context = {
        "response": response,
        "recommendation": response.recommendation,
        "proofs": shown_evidence([response.pk], user).get(response.pk, []),
        "kinds": KINDS_OF_EVIDENCE.items(),
        "is_own": Response.objects.of_person(user).filter(pk=response.pk).exists(),
        "may_answer": may_answer,
        "unreadable": unreadable_evidence(response, user) if may_answer else [],
        "today": timezone.localdate(),
    }
    return render(request, "recommendations/response.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add_to_response(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Add a record as evidence for the response."""
    user = signed_in(request)
    response = _response_or_404(user, pk)
    require(may_answer_for(response.organisation, user, timezone.now()))
    if kind not in KINDS_OF_EVIDENCE:
        raise Http404
    choices = evidence_choices(kind, user)
    label = KINDS_OF_EVIDENCE[kind]
    form = EvidenceForm(post_data(request), label=label, choices=choices, cancel=response.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToChangeEvidence, field="record"):
            add_evidence(
                response=response,
                kind=kind,
                record=row_number(form.cleaned_data["record"]) or 0,
                words=form.cleaned_data["words"],
                author=user,
                now=timezone.now(),
            )
            messages.success(request, "The evidence has been added.")
            return redirect(response)

    return form_page(request, "recommendations/evidence_add.html", form, response=response, kind=label, choices=choices)


@require_POST
def remove_from_response(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a piece of evidence."""
    user = signed_in(request)
    removable_evidence = Evidence.objects.removable_by(user).select_related("response")
    evidence = get_object_or_404(removable_evidence, pk=pk)

    try:
        remove_evidence(evidence=evidence, author=user, now=timezone.now())
    except UnableToChangeEvidence as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, "The evidence has been removed.")
    return redirect(evidence.response)
