"""A version to print and to file: page, PDF, Word."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.agreements.models import TermsSignature, TermsVersion
from partnerships.agreements.presenting import Paper
from partnerships.agreements.queries.terms import in_force_from, schema_of
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


def _context(user: User, pk: int, number: int) -> dict[str, Any]:
    """A version with the versions that it consolidates, and who signed each of them."""
    opened, version = open_version(user, pk, number)
    starts = [start for start, key in in_force_from(opened.partnership, opened.until) if key == version.pk]
    signing = signing_context(version, opened.until)
    signed = [
        (signed_version, signing_context(signed_version, opened.until)["lines"])
        for signed_version in signing["consolidates"]
    ]
    return {
        "partnership": opened.partnership,
        "version": version,
        "paper": paper_of_version(version),
        "compared": compared_with_base(user, version),
        "starts": starts,
        "observers": [party["name"] for party in version.parties if not party["signs"]],
        "signed": [*signed, (version, signing["lines"])],
        **signing,
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
    return word_response(write_word(_word_paper(context)), _file_title(context["version"]))


def _file_title(version: TermsVersion) -> str:
    """The name of a file with this version."""
    return f"{version.title} terms version {version.number}"


def _word_paper(context: dict[str, Any]) -> WordPaper:
    """What the Word document of a version shows."""
    version: TermsVersion = context["version"]
    schema = schema_of(version)
    paper: Paper = context["paper"]
    parties = [f"{party['name']} ({party['role_label'].lower()})" for party in version.parties if party["signs"]]
    starts = ", ".join(long_date(start) for start in context["starts"]) or "Not in force"
    changed = f"Version {version.base.number}" if version.base else ""
    proposal = version.proposal.name if version.proposal else ""
    return WordPaper(
        title=version.title,
        lead=f"{version.kind_label}. Terms, version {version.number}, "
        f"published {long_date(timezone.localdate(version.published_at))}.",
        facts=[
            ("In force from", starts),
            ("Sent for signature as", proposal),
            ("Changes", changed),
            ("Between", "\n".join(parties)),
            ("Observers", "\n".join(context["observers"])),
        ],
        note=version.note,
        schema=schema,
        content=version.content,
        html=version.html,
        names=Names(schema, version.content),
        made_at=version.published_at,
        since=f"version {version.base.number}" if version.base else "",
        changes=context["compared"],
        signatures=[
            _signature_line(line, f"Version {signed_version.number}. " if version.is_consolidated else "")
            for signed_version, lines in context["signed"]
            for line in lines
        ],
        clauses="clauses",
        about_heading="Schedule 1: particulars",
        about_facts=paper.facts,
        headings={
            "clauses": "Terms",
            **{table.code: f"Schedule {table.number}: {table.heading.lower()}" for table in paper.tables},
        },
        totals={"contributions": _by_year(paper.contributions)},
    )


def _by_year(totals: Contributions) -> list[list[str]]:
    """Contributions in money by party and year, headings first.

    Only headings if there are none.
    """
    table = [["In money", *(str(year.year) for year in totals.years), "All years"]]
    if totals.years:
        table += [[row.party, *map(pounds, row.amounts), pounds(row.total)] for row in totals.rows]
        table.append(["All parties", *(pounds(year.total) for year in totals.years), pounds(totals.total)])
        if totals.budget is not None:
            against = [_signed(year.against_budget) for year in totals.years]
            table.append([f"Against the annual budget of {pounds(totals.budget)}", *against, ""])
    return table


def _signed(amount: Decimal | None) -> str:
    """`+£1,000` or `-£1,000`; "" for None."""
    return f"+{pounds(amount)}" if amount is not None and amount > 0 else pounds(amount)


def _signature_line(line: dict[str, Any], version_name: str) -> SignatureLine:
    signature: TermsSignature | None = line["signature"]
    role = (signature.role if signature else "") or line["role"]
    if signature is None:
        return SignatureLine(line["name"], role)
    return SignatureLine(
        line["name"],
        role,
        decision=f"{version_name}{line['words']}",
        by=signature.name,
        answers=tuple((answer["question"], answer["answer"]) for answer in signature.answers),
    )
