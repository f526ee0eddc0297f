"""Pages on which anybody reads open data, and authorities publish files and add agreements."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.kit.exports import count_rows
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.open_data import services
from partnerships.open_data.forms import AgreementForm, ContributionForm, PublishingForm
from partnerships.open_data.queries import (
    current_publication,
    current_publications,
    current_publications_of,
    file_of,
)
from partnerships.open_data.services import UnableToEnter, UnableToPublishData, begin_publishing, end_publishing
from partnerships.open_data.standards import DATASETS, PLAN, STANDARD_OF, STANDARDS, TIMETABLE
from partnerships.organisations.models import PLANNING_BODIES, Merge, Organisation
from partnerships.organisations.rights import rights_over, roles_of
from partnerships.people.limits import refuse_too_many
from partnerships.people.models import User
from partnerships.people.requests import signed_in

#: The number of pages that one address may open in a minute, because each page reads whole files.
PAGES_PER_MINUTE = 60
#: Codes of files that the page also shows as tables. A council must show its plans on a web page too (SI 2026/186).
_SHOWN_AS_TABLE = (PLAN.code, TIMETABLE.code)


@login_not_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the organisations that publish open data, each with the titles of its standards."""
    too_many_response = refuse_too_many(request, "open data", limit=PAGES_PER_MINUTE, stretch=dt.timedelta(minutes=1))
    if too_many_response is not None:
        return too_many_response
    titles_by_organisation: dict[Organisation, list[str]] = {}
    for publication in current_publications():
        titles_by_organisation.setdefault(publication.organisation, []).append(publication.files.title)
    return render(request, "open_data/index.html", {"publishers": list(titles_by_organisation.items())})


@login_not_required
@require_safe
def of_organisation(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the files that an organisation publishes, with their fields, addresses and content.

    Anybody may read the page. A visitor gets 404 if the organisation publishes nothing.
    """
    too_many_response = refuse_too_many(request, "open data", limit=PAGES_PER_MINUTE, stretch=dt.timedelta(minutes=1))
    if too_many_response is not None:
        return too_many_response

    organisation = get_object_or_404(Organisation, pk=pk, kind__in=PLANNING_BODIES)
    published_codes = set(current_publications_of(organisation).values_list("standard", flat=True))
    if not published_codes:
        merged_into = _merged_into(pk)
        if merged_into is not None:
            return redirect("open_data:of-organisation", merged_into)
        # Signed-in people see which standards the organisation could publish.
        if not request.user.is_authenticated:
            raise Http404

    standards = []
    for standard in STANDARDS.values():
        if standard.code in published_codes:
            files = [_file_context(organisation, dataset.code) for dataset in standard.datasets]
            standards.append({"standard": standard, "files": files})
    context = {
        "organisation": organisation,
        "standards": standards,
        "unpublished_standards": [files for files in STANDARDS.values() if files.code not in published_codes],
        "may_change": _may_change_settings(request, organisation),
    }
    return render(request, "open_data/of_organisation.html", context)


def _may_change_settings(request: HttpRequest, organisation: Organisation) -> bool:
    """Return whether the reader may begin and end publishing. Visitors may not."""
    user = request.user
    return isinstance(user, User) and rights_over(organisation, user, timezone.now()).may_change_settings


def _merged_into(pk: int) -> int | None:
    """Return the id of the organisation that this one was merged into, or None if it was not merged.

    The other organisation publishes the files now, so old addresses redirect to it.
    """
    return Merge.objects.in_force().filter(merged=pk).values_list("kept", flat=True).first()


def _file_context(organisation: Organisation, code: str) -> dict[str, Any]:
    """Return the template context of a file."""
    file = file_of(organisation, code)
    address = reverse("open_data:file", args=[organisation.pk, code])
    table = None
    if code in _SHOWN_AS_TABLE:
        table = [[row.get(name, "") for name in file.headings] for row in file.rows]
    return {
        "dataset": DATASETS[code],
        "content": file,
        "address": address,
        "whole_address": f"{settings.SITE_ORIGIN}{address}",
        "table": table,
    }


@login_not_required
@require_safe
def download(request: HttpRequest, pk: int, dataset: str) -> HttpResponse:
    """Send one file of a standard as CSV. Respond with 304 if the client already has this content."""
    standard = STANDARD_OF.get(dataset)
    if standard is None:
        raise Http404
    publication = current_publication(pk, standard.code)
    if publication is None:
        merged_into = _merged_into(pk)
        if merged_into is None:
            raise Http404
        return redirect("open_data:file", merged_into, dataset)

    file = file_of(publication.organisation, dataset)
    data = file.data
    response = HttpResponse(data, content_type="text/csv; charset=utf-8; header=present")
    count_rows(response, len(file.rows))
    response["Content-Disposition"] = f'attachment; filename="{dataset}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Access-Control-Allow-Origin"] = "*"
    # Caches must ask each time, because publishing can stop, and a site can become confidential.
    response["Cache-Control"] = "public, no-cache"
    response["ETag"] = f'"{hashlib.sha256(data).hexdigest()}"'
    return get_conditional_response(request, etag=response["ETag"], response=response) or response


@require_http_methods(["GET", "HEAD", "POST"])
def publishing(request: HttpRequest, pk: int, standard: str) -> HttpResponse:
    """Begin or end publishing the files of a standard, for people who may change the organisation's settings."""
    user = signed_in(request)
    organisation = get_object_or_404(Organisation.objects.visible_to(user), pk=pk, kind__in=PLANNING_BODIES)
    files = STANDARDS.get(standard)
    if files is None:
        raise Http404
    require(rights_over(organisation, user, timezone.now()).may_change_settings)
    return_url = reverse("open_data:of-organisation", args=[pk])
    ends = current_publication(pk, standard) is not None
    submit = "Stop publishing" if ends else "Publish files"
    form = PublishingForm(post_data(request), submit=submit, danger=ends, cancel=return_url)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToPublishData, field="reason"):
            change_publishing = end_publishing if ends else begin_publishing
            change_publishing(
                organisation=organisation,
                standard=standard,
                reason=form.cleaned_data["reason"],
                author=user,
                now=timezone.now(),
            )
            messages.success(request, f"{files.title}: {'no longer published' if ends else 'published'}.")
            return redirect(return_url)

    return form_page(request, "open_data/publishing.html", form, organisation=organisation, files=files, ends=ends)


@require_http_methods(["GET", "HEAD", "POST"])
def enter_agreement(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a developer agreement of a planning authority, for its leads and administrators."""
    user = signed_in(request)
    organisation = get_object_or_404(Organisation.objects.visible_to(user), pk=pk, kind__in=PLANNING_BODIES)
    require(roles_of(user, timezone.now()).may_import_published({pk}))
    return_url = reverse("developer_agreements:of-organisation", args=[pk])
    form = AgreementForm(post_data(request), cancel=return_url)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToEnter, field="reference"):
            agreement = services.enter_agreement(
                organisation=organisation, **form.cleaned_data, author=user, now=timezone.now()
            )
            message = f"Agreement {agreement.reference} has been added. Now add its contributions."
            messages.success(request, message)
            return redirect(agreement)

    return form_page(
        request,
        "open_data/entering.html",
        form,
        back=return_url,
        heading="Add a developer agreement",
        organisation=organisation,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def enter_contribution(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a contribution to a developer agreement, for leads of its authority and administrators."""
    user = signed_in(request)
    agreements = DeveloperAgreement.objects.visible_to(user).select_related("organisation")
    agreement = get_object_or_404(agreements, pk=pk)
    require(roles_of(user, timezone.now()).may_import_published({agreement.organisation_id}))
    return_url = agreement.get_absolute_url()
    form = ContributionForm(post_data(request), cancel=return_url)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToEnter, field="reference"):
            commitment = services.enter_contribution(
                agreement=agreement, **form.cleaned_data, author=user, now=timezone.now()
            )
            message = f"Contribution {commitment.source_reference} has been added as {commitment.reference}."
            messages.success(request, message)
            return redirect(agreement)

    return form_page(
        request,
        "open_data/entering.html",
        form,
        back=return_url,
        heading=f"Add a contribution to agreement {agreement.reference}",
        organisation=agreement.organisation,
    )
