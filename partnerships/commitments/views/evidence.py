"""Pages about files of evidence."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.commitments import services
from partnerships.commitments.forms.evidence import EvidenceForm
from partnerships.commitments.models import Evidence
from partnerships.commitments.rights import rights_over
from partnerships.commitments.views.fetching import commitment_for, open_commitment
from partnerships.kit.http import form_page, post_data_and_files, private_file, show_refusal
from partnerships.kit.rights import require
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def attach_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """Attach a file of evidence to a commitment, for the organisation that delivers."""
    user, commitment, rights = open_commitment(request, pk)
    require(rights.edits_for_deliverer)
    form = EvidenceForm(*post_data_and_files(request), commitment=commitment)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToAttach, field="file"):
            services.attach_evidence(
                commitment=commitment,
                file=form.cleaned_data["file"],
                title=form.cleaned_data["title"],
                author=user,
                now=timezone.now(),
            )
            messages.success(request, f"The file has been attached to {commitment.reference}.")
            return redirect(commitment)

    return form_page(request, "commitments/attach.html", form, commitment=commitment)


@require_safe
def download_evidence(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Download a file of evidence."""
    evidence_file = get_object_or_404(Evidence.objects.visible_to(signed_in(request)), pk=pk)
    return private_file(evidence_file.file, name=evidence_file.file_name, content_type=evidence_file.content_type)


@require_http_methods(["GET", "HEAD", "POST"])
def remove_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for confirmation on GET, and remove a file of evidence on POST."""
    user = signed_in(request)
    evidence_file = get_object_or_404(Evidence.objects.visible_to(user), pk=pk)
    commitment = commitment_for(user, evidence_file.commitment_id)
    require(rights_over(commitment, user, timezone.now()).may_attach)
    if request.method == "POST":
        try:
            services.remove_evidence(evidence=evidence_file, author=user, now=timezone.now())
        except services.UnableToAttach as error:
            messages.warning(request, str(error))
        else:
            messages.success(request, f"“{evidence_file.title}” has been removed from {commitment.reference}.")
        return redirect(commitment)
    return render(request, "commitments/remove.html", {"evidence": evidence_file, "commitment": commitment})
