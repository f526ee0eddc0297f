"""One version of a plan on paper: to print, as PDF and as Word."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.documents import downloads
from partnerships.documents.word import SignatureLine, WordPaper, write_word
from partnerships.kit.dates import long_date
from partnerships.plans.changes import names_in
from partnerships.plans.comparisons import LEFT_OUT, comparison
from partnerships.plans.content import PLAN
from partnerships.plans.models import Plan, PlanKind, SignOff, Version
from partnerships.plans.queries import (
    SigningState,
    area_names,
    content_for,
    decisions_for,
    number_to_sign,
    owners_as_at,
    signing_states,
    versions_for,
)
from partnerships.plans.services import paper_of
from partnerships.plans.views.fetching import Opened, open_published, sign_in_first
from partnerships.plans.views.whole import reading_context

#: The fields of a site and of a milestone that have a column of their own in Word.
WORD_COLUMNS = {
    "sites": ("area", "planning_status", "forecast_completion"),
    "milestones": ("site", "forecast", "actual", "status"),
    "documents": ("file_name",),
}


def _closed(request: HttpRequest, pk: int) -> bool:
    return not request.user.is_authenticated and not Plan.objects.public().filter(pk=pk).exists()


@login_not_required
@require_safe
def version_paper(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One version to print."""
    if _closed(request, pk):
        return sign_in_first(request)
    opened, version = open_published(request, pk, number)
    return render(request, "plans/paper.html", _paper_context(opened, version))


@login_not_required
@require_safe
def version_pdf(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One version as a PDF, stored for the next reader."""
    if _closed(request, pk):
        return sign_in_first(request)
    opened, version = open_published(request, pk, number)
    context = _paper_context(opened, version)

    def kept(page: str) -> bytes:
        return paper_of(page, version=version, reader=opened.reader, draw=downloads.draw_pdf, now=timezone.now())

    return downloads.pdf_response(
        request, "plans/pdf.html", context, f"{opened.plan.title} version {number}", draw=kept
    )


@login_not_required
@require_safe
def version_word(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One version as a Word document."""
    if _closed(request, pk):
        return sign_in_first(request)
    opened, version = open_published(request, pk, number)
    paper = _word_paper(request, opened, version)
    return downloads.word_response(write_word(paper), f"{opened.plan.title} version {number}")


def _word_paper(request: HttpRequest, opened: Opened, version: Version) -> WordPaper:
    """What the Word document of a version shows to this reader."""
    plan, content = opened.plan, content_for(version.content, opened.reader)
    owners = ", ".join(owner.organisation.name for owner in owners_as_at(plan, version))
    earlier = versions_for(request.user, plan).filter(number__lt=version.number).first()
    was = content_for(earlier.content, opened.reader) if earlier else content
    areas = area_names(content, was)
    names = names_in(content, areas=areas)
    secret = "" if opened.is_inside else " Without confidential sites and restricted text."
    published = long_date(timezone.localdate(version.published_at))
    about = [(field.label, names.in_words(field, content["about"][field.code])) for field in PLAN.about]
    return WordPaper(
        title=version.title,
        lead=f"{PlanKind.label_of(plan.kind)} of {owners}. Version {version.number}, published {published}. "
        f"{plan.get_status_display()}.{secret}",
        facts=[fact for fact in about if fact[0] not in ("Title", "Summary")],
        note=version.note,
        schema=PLAN,
        content=content,
        html=version.html,
        names=names,
        made_at=version.published_at,
        since=f"version {earlier.number}" if earlier else "",
        changes=comparison(was, content, None, areas) if earlier else None,
        signatures=_signature_lines(opened, version),
        columns=WORD_COLUMNS,
        headings={"sections": "Text", "sites": "Sites and homes"},
        left_out=LEFT_OUT,
    )


def _signature_lines(opened: Opened, version: Version) -> list[SignatureLine]:
    """The page of signatures, for readers inside: who must sign, or who decided."""
    if opened.is_inside and version.number == number_to_sign(opened.plan):
        return [_line_of_state(state) for state in signing_states(opened.plan)]
    return [_line_of(signed) for signed in signatures_of(opened, version)]


def _line_of_state(state: SigningState) -> SignatureLine:
    if state.sign_off is not None:
        return _line_of(state.sign_off)
    return SignatureLine(state.signatory.organisation.name, state.signatory.role)


def _line_of(signed: SignOff) -> SignatureLine:
    day = long_date(timezone.localdate(signed.signed_at))
    return SignatureLine(
        signed.organisation_then,  # type: ignore[attr-defined]  # annotated by both queries
        signed.role,
        decision=signed.words,
        by=f"{signed.person.display_name}, {day}, version {signed.version.number}",
        reason=signed.reason,
        answers=tuple((answer["question"], answer["answer"]) for answer in signed.answers),
    )


def _paper_context(opened: Opened, version: Version) -> dict[str, Any]:
    return {
        "plan": opened.plan,
        "version": version,
        "owners": owners_as_at(opened.plan, version),
        "states": signing_states(opened.plan)
        if opened.is_inside and version.number == number_to_sign(opened.plan)
        else [],
        "signatures": signatures_of(opened, version),
        **reading_context(opened.reader, version.content, version.html),
    }


def signatures_of(opened: Opened, version: Version) -> list[SignOff]:
    """The decisions on a version other than the one to sign now.

    For readers inside.
    """
    if not opened.is_inside or version.number == number_to_sign(opened.plan):
        return []
    return decisions_for(version)
