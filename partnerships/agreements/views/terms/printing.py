"""The page to print a version of the terms, and its files for PDF readers and Word."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.agreements.models import TermsSignature, TermsVersion
from partnerships.agreements.presenting import Paper
from partnerships.agreements.queries.terms import first_days_in_force, schema_of
from partnerships.agreements.terms.contributions import Contributions
from partnerships.agreements.views.terms.fetching import open_version, paper_of_version, signing_context
from partnerships.agreements.views.terms.reading import compared_with_base
from partnerships.documents import Names
from partnerships.documents.downloads import pdf_response, word_response
from partnerships.documents.word import SignatureLine, WordPaper, write_word
from partnerships.kit.dates import long_date
from partnerships.kit.text import pounds
from partnerships.people.models import User
from partnerships.people.requests import signed_in


def _version_context(user: User, pk: int, number: int) -> dict[str, Any]:
    """Return the template context of a version, with the signatures on it and on the versions that it consolidates."""
    access, version = open_version(user, pk, number)
    starts = first_days_in_force(access.partnership, access.until)
    signing = signing_context(version, access.until)
    # Each version that somebody signed, with the lines of its signatures.
    signed_versions = []
    for combined_version in signing["combined_versions"]:
        combined_signing = signing_context(combined_version, access.until)
        signed_versions.append((combined_version, combined_signing["lines"]))
    signed_versions.append((version, signing["lines"]))
    return {
        "partnership": access.partnership,
        "version": version,
        "paper": paper_of_version(version),
        "compared": compared_with_base(user, version),
        "start_days": [day for day, version_id in starts if version_id == version.pk],
        "observers": [party["name"] for party in version.parties if not party["signs"]],
        "signed_versions": signed_versions,
        **signing,
    }


@require_safe
def version_print(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show a version as one page to print."""
    return render(request, "agreements/terms/print.html", _version_context(signed_in(request), pk, number))


@require_safe
def version_pdf(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Download a version as a PDF, with title page, schedules and signature page."""
    context = _version_context(signed_in(request), pk, number)
    return pdf_response(request, "agreements/terms/pdf.html", context, _file_title(context["version"]))


@require_safe
def version_word(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Download a version for Word, with title page, schedules and signatures."""
    context = _version_context(signed_in(request), pk, number)
    return word_response(write_word(_word_paper(context)), _file_title(context["version"]))


def _file_title(version: TermsVersion) -> str:
    """Return the name of a file with this version."""
    return f"{version.title} terms version {version.number}"


def _word_paper(context: dict[str, Any]) -> WordPaper:
    """Return the content of the Word document of a version."""
    version: TermsVersion = context["version"]
    paper: Paper = context["paper"]
    schema = schema_of(version)
    published_on = long_date(timezone.localdate(version.published_at))
    signatures: list[SignatureLine] = []
    for signed_version, lines in context["signed_versions"]:
        # Only a consolidated version shows signatures on several versions, so only there each line names its version.
        prefix = f"Version {signed_version.number}. " if version.is_consolidated else ""
        signatures.extend(_signature_line(line, prefix) for line in lines)
    table_headings = {table.code: f"Schedule {table.number}: {table.heading.lower()}" for table in paper.tables}
    return WordPaper(
        title=version.title,
        lead=f"{version.kind_label}. Terms, version {version.number}, published {published_on}.",
        facts=_word_facts(context),
        note=version.note,
        schema=schema,
        content=version.content,
        html=version.html,
        names=Names(schema, version.content),
        made_at=version.published_at,
        since=f"version {version.base.number}" if version.base else "",
        changes=context["compared"],
        signatures=signatures,
        clauses="clauses",
        about_heading="Schedule 1: particulars",
        about_facts=paper.facts,
        headings={"clauses": "Terms", **table_headings},
        totals={"contributions": _by_year(paper.contributions)},
    )


def _word_facts(context: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the facts at the top of the Word document, each with its heading. A fact may be empty."""
    version: TermsVersion = context["version"]
    parties = [f"{party['name']} ({party['role_label'].lower()})" for party in version.parties if party["signs"]]
    start_days = ", ".join(long_date(start) for start in context["start_days"])
    return [
        ("In force from", start_days or "Not in force"),
        ("Sent for signature as", version.proposal.name if version.proposal else ""),
        ("Changes", f"Version {version.base.number}" if version.base else ""),
        ("Between", "\n".join(parties)),
        ("Observers", "\n".join(context["observers"])),
    ]


def _by_year(totals: Contributions) -> list[list[str]]:
    """Return a table of the contributions in money, by party and year, with its headings in the first row."""
    table = [["In money", *(str(year.year) for year in totals.years), "All years"]]
    if not totals.years:
        return table
    for row in totals.rows:
        amounts = [pounds(amount) for amount in row.amounts]
        table.append([row.party, *amounts, pounds(row.total)])
    yearly_totals = [pounds(year.total) for year in totals.years]
    table.append(["All parties", *yearly_totals, pounds(totals.total)])
    if totals.budget is not None:
        differences = [_with_sign(year.against_budget) for year in totals.years]
        table.append([f"Against the annual budget of {pounds(totals.budget)}", *differences, ""])
    return table


def _with_sign(amount: Decimal | None) -> str:
    """Return an amount such as "+£1,000" or "-£1,000", or "" for None."""
    is_over_budget = amount is not None and amount > 0
    return f"+{pounds(amount)}" if is_over_budget else pounds(amount)


def _signature_line(line: dict[str, Any], version_name: str) -> SignatureLine:
    """Return the line of one party below the terms."""
    signature: TermsSignature | None = line["signature"]
    if signature is None:
        return SignatureLine(line["name"], line["role"])
    return SignatureLine(
        line["name"],
        signature.role or line["role"],
        decision=f"{version_name}{line['words']}",
        by=signature.name,
        answers=tuple((answer["question"], answer["answer"]) for answer in signature.answers),
    )
