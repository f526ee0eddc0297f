"""Pages that show the whole draft as it will be published, on screen, in print and as a PDF."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from partnerships.documents import downloads
from partnerships.documents.services import prose_of
from partnerships.kit.prose import StoredHtml, rules
from partnerships.plans.content import PLAN
from partnerships.plans.downloads import geojson
from partnerships.plans.models import Draft, OpeningMethod
from partnerships.plans.queries import comment_counts, content_for_reader, content_of_draft, owners_by_age, version_of
from partnerships.plans.views.fetching import PlanAccess, log_opening, open_draft
from partnerships.plans.views.whole import reading_context


def _draft_context(request: HttpRequest, access: PlanAccess, draft: Draft, *, on_paper: bool = False) -> dict[str, Any]:
    """Return the template context of the draft, for the reader's class."""
    plan = access.plan
    content = content_of_draft(draft)
    prose = StoredHtml(prose_of(PLAN, content, draft, version_of(plan, draft.based_on)), rules())
    context = {"plan": plan, "access": access, "draft": draft, "owners": owners_by_age(plan)}
    if on_paper:
        return context | reading_context(access.reader, content, prose)
    return context | reading_context(
        access.reader,
        content,
        prose,
        query=request.GET,
        comment_counts=comment_counts(request.user, plan, on_draft=True),
    )


def read_draft(request: HttpRequest, access: PlanAccess, draft: Draft) -> HttpResponse:
    """Show the draft as a page to read and comment on."""
    plan = access.plan
    share = log_opening(request, access, OpeningMethod.SCREEN)
    may_comment_by_share = share is not None and share.may_comment
    return render(
        request,
        "plans/preview.html",
        {
            "share": share,
            "may_comment": not plan.is_over and (access.may_edit or may_comment_by_share),
            "comments_url": reverse("plans:draft-comments", kwargs={"pk": plan.pk}),
            "map_url": reverse("plans:draft-map", kwargs={"pk": plan.pk}),
            **_draft_context(request, access, draft),
        },
    )


@require_safe
def draft_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the whole draft as it will look when it is published."""
    return read_draft(request, *open_draft(request, pk))


@require_safe
def draft_paper(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the draft to print, marked as a draft."""
    access, draft = open_draft(request, pk)
    log_opening(request, access, OpeningMethod.PAPER)
    return render(request, "plans/draft_paper.html", _draft_context(request, access, draft, on_paper=True))


@require_safe
def draft_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the draft as a PDF, with every page marked as a draft."""
    access, draft = open_draft(request, pk)
    context = _draft_context(request, access, draft, on_paper=True)
    response = downloads.pdf_response(request, "plans/draft_pdf.html", context, f"{context['about']['title']} draft")
    if response.status_code == 200:  # otherwise the page says only that PDFs cannot be made
        log_opening(request, access, OpeningMethod.PDF)
    return response


@require_safe
def draft_map(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the sites of the draft that have a position, as GeoJSON."""
    access, draft = open_draft(request, pk)
    log_opening(request, access, OpeningMethod.MAP)
    return geojson(content_for_reader(content_of_draft(draft), access.reader))
