"""Pages that print a version of a plan, or return it as a PDF or Word document."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.documents import downloads
from partnerships.documents.word import SignatureLine, WordPaper, write_word
from partnerships.kit.dates import long_date
from partnerships.plans.changes import Names, names_of_contents
from partnerships.plans.comparisons import LEFT_OUT, compare_plan_contents
from partnerships.plans.content import PLAN, Content
from partnerships.plans.models import PlanKind, SignOff, Version
from partnerships.plans.queries import (
    SigningState,
    area_names,
    content_for_reader,
    decisions_for,
    owners_at_version,
    signing_states,
    version_number_to_sign,
    versions_for,
)
from partnerships.plans.services import stored_pdf
from partnerships.plans.views.fetching import PlanAccess, login_required_unless_public, open_published
from partnerships.plans.views.whole import reading_context

#: The fields of sites, milestones and documents that have their own column in the Word document.
WORD_COLUMNS = {
    "sites": ("area", "planning_status", "forecast_completion"),
    "milestones": ("site", "forecast", "actual", "status"),
    "documents": ("file_name",),
}
#: The fields of "About this plan" that are in the title and the text of the Word document, and not in its facts.
_FACTS_SHOWN_ELSEWHERE = ("Title", "Summary")


@require_safe
@login_required_unless_public
def version_paper(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show one version to print."""
    access, version = open_published(request, pk, number)
    return render(request, "plans/paper.html", _paper_context(access, version))


@require_safe
@login_required_unless_public
def version_pdf(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Return one version as a PDF, stored for the next reader."""
    access, version = open_published(request, pk, number)
    context = _paper_context(access, version)
    file_name = f"{access.plan.title} version {number}"

    def stored_or_new_pdf(html: str) -> bytes:
        return stored_pdf(html, version=version, reader=access.reader, draw=downloads.draw_pdf, now=timezone.now())

    return downloads.pdf_response(request, "plans/pdf.html", context, file_name, draw=stored_or_new_pdf)


@require_safe
@login_required_unless_public
def version_word(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Return one version as a Word document."""
    access, version = open_published(request, pk, number)
    paper = _word_paper(request, access, version)
    return downloads.word_response(write_word(paper), f"{access.plan.title} version {number}")


def _word_paper(request: HttpRequest, access: PlanAccess, version: Version) -> WordPaper:
    """Return the Word document of a version, as this reader may see it."""
    content = content_for_reader(version.content, access.reader)
    previous_version = versions_for(request.user, access.plan).filter(number__lt=version.number).first()
    previous_content = content_for_reader(previous_version.content, access.reader) if previous_version else content
    areas = area_names(content, previous_content)
    names = names_of_contents(content, areas=areas)
    return WordPaper(
        title=version.title,
        lead=_word_lead(access, version),
        facts=_word_facts(content, names),
        note=version.note,
        schema=PLAN,
        content=content,
        html=version.html,
        names=names,
        made_at=version.published_at,
        since=f"version {previous_version.number}" if previous_version else "",
        changes=compare_plan_contents(previous_content, content, areas=areas) if previous_version else None,
        signatures=_signature_lines(access, version),
        columns=WORD_COLUMNS,
        headings={"sections": "Text", "sites": "Sites and homes"},
        left_out=LEFT_OUT,
    )


def _word_facts(content: Content, names: Names) -> list[tuple[str, str]]:
    """Return the label and value of each field of "About this plan" that is not shown elsewhere in the document."""
    return [
        (field.label, names.in_words(field, content["about"][field.code]))
        for field in PLAN.about
        if field.label not in _FACTS_SHOWN_ELSEWHERE
    ]


def _word_lead(access: PlanAccess, version: Version) -> str:
    """Return the sentences below the title, which name the kind of plan, its owners, version and status."""
    plan = access.plan
    owners = ", ".join(owner.organisation.name for owner in owners_at_version(plan, version))
    published_on = long_date(timezone.localdate(version.published_at))
    sentences = [
        f"{PlanKind.label_of(plan.kind)} of {owners}.",
        f"Version {version.number}, published {published_on}.",
        f"{plan.get_status_display()}.",
    ]
    if not access.is_inside:
        sentences.append("This copy leaves out confidential sites and restricted text.")
    return " ".join(sentences)


def shows_signing_states(access: PlanAccess, version: Version) -> bool:
    """Return whether this is the version to sign now, and the reader may see who has not signed yet."""
    return access.is_inside and version.number == version_number_to_sign(access.plan)


def _signature_lines(access: PlanAccess, version: Version) -> list[SignatureLine]:
    """Return the lines of the signatures page; none for readers outside.

    For the version to sign now, there is a line for each organisation that must sign. For other versions, there is a
    line for each decision.
    """
    if shows_signing_states(access, version):
        return [_line_of_state(state) for state in signing_states(access.plan)]
    return [_line_of_sign_off(sign_off) for sign_off in signatures_of(access, version)]


def _line_of_state(state: SigningState) -> SignatureLine:
    """Return the line of an organisation that must sign, with its decision if it has made one."""
    if state.sign_off is not None:
        return _line_of_sign_off(state.sign_off)
    return SignatureLine(organisation=state.signatory.organisation.name, role=state.signatory.role)


def _line_of_sign_off(sign_off: SignOff) -> SignatureLine:
    """Return the line of a decision, with the name of the organisation at that time."""
    day = long_date(timezone.localdate(sign_off.signed_at))
    return SignatureLine(
        organisation=sign_off.organisation_then,  # type: ignore[attr-defined]  # annotated by both queries
        role=sign_off.role,
        decision=sign_off.words,
        by=f"{sign_off.person.display_name}, {day}, version {sign_off.version.number}",
        reason=sign_off.reason,
        answers=tuple((answer["question"], answer["answer"]) for answer in sign_off.answers),
    )


def _paper_context(access: PlanAccess, version: Version) -> dict[str, Any]:
    """Return the template context of a version on paper, as the reader may see it."""
    return {
        "plan": access.plan,
        "version": version,
        "owners": owners_at_version(access.plan, version),
        "states": signing_states(access.plan) if shows_signing_states(access, version) else [],
        "signatures": signatures_of(access, version),
        **reading_context(access.reader, version.content, version.html),
    }


def signatures_of(access: PlanAccess, version: Version) -> list[SignOff]:
    """Return the decisions on a version; none for readers outside, and none for the version to sign now."""
    if not access.is_inside or shows_signing_states(access, version):
        return []
    return decisions_for(version)
