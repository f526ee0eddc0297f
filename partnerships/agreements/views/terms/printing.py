"""A version to print and to file: page, PDF, Word."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.agreements.models import TermsSignature, TermsVersion
from partnerships.agreements.queries.terms import in_force_from, schema_of
from partnerships.agreements.views.terms.fetching import open_version, paper_of_version, signing_context
from partnerships.agreements.views.terms.reading import compared_with_base
from partnerships.documents import Names
from partnerships.documents.downloads import pdf_response, word_response
from partnerships.documents.word import SignatureLine, WordPaper
from partnerships.kit.dates import long_date
from partnerships.people.models import User
from partnerships.people.requests import signed_in


def _context(user: User, pk: int, number: int) -> dict[str, Any]:
    opened, version = open_version(user, pk, number)
    starts = [start for start, key in in_force_from(opened.partnership, opened.until) if key == version.pk]
    return {
        "partnership": opened.partnership,
        "version": version,
        "paper": paper_of_version(version),
        "compared": compared_with_base(user, version),
        "starts": starts,
        **signing_context(version, opened.until),
    }


@require_safe
def printed(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A version as one page to print."""
    return render(request, "agreements/terms/print.html", _context(signed_in(request), pk, number))


@require_safe
def pdf(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A version as a PDF, with title page, schedules and signature page."""
    context = _context(signed_in(request), pk, number)
    return pdf_response(request, "agreements/terms/pdf.html", context, _file_title(context["version"]))


@require_safe
def word(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A version for Word, with the same parts."""
    context = _context(signed_in(request), pk, number)
    return word_response(_word_paper(context), _file_title(context["version"]))


def _file_title(version: TermsVersion) -> str:
    """The name of a file with this version."""
    return f"{version.title} terms version {version.number}"


def _word_paper(context: dict[str, Any]) -> WordPaper:
    """What the Word document of a version shows."""
    version: TermsVersion = context["version"]
    schema = schema_of(version)
    parties = [f"{party['name']} ({party['role_label'].lower()})" for party in version.parties]
    starts = ", ".join(long_date(start) for start in context["starts"]) or "Not in force"
    totals = context["paper"].contributions
    by_year = [(f"Contributions in money, {year.year}", f"£{year.total:,.2f}") for year in totals.years]
    return WordPaper(
        title=version.title,
        lead=f"{version.kind_label}. Terms, version {version.number}, "
        f"published {long_date(timezone.localdate(version.published_at))}.",
        facts=[("Between", "; ".join(parties)), ("In force from", starts), *context["paper"].facts, *by_year],
        note=version.note,
        schema=schema,
        content=version.content,
        html=version.html,
        names=Names(schema, version.content),
        made_at=version.published_at,
        since=f"version {version.base.number}" if version.base else "",
        changes=context["compared"],
        signatures=[_signature_line(line) for line in context["lines"]],
    )


def _signature_line(line: dict[str, Any]) -> SignatureLine:
    signature: TermsSignature | None = line["signature"]
    if signature is None:
        return SignatureLine(line["name"], line["role"])
    return SignatureLine(
        line["name"],
        signature.role or line["role"],
        decision="Declined" if signature.is_rejected else signature.get_how_display(),
        by=f"{signature.name}, {long_date(signature.signed_on)}",
        reason=signature.reason,
        answers=tuple((given["question"], given["answer"]) for given in signature.answers),
    )
