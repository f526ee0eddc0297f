"""Read a nominations return: its page, its progress, its files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.kit.exports import csv_response
from partnerships.nominations.models import LettingsRun, NominationsAgreement, NominationsReturn
from partnerships.nominations.presenting import (
    FILES,
    HEADINGS,
    MASKED_HEADINGS,
    cells_of,
    cells_of_total,
    chart_of,
    days_chart,
    days_counted,
    masked_cells_of,
    refusals_chart,
    time_to_nominate,
)
from partnerships.nominations.queries import (
    authorities_of,
    masked_result_of,
    outcomes_of,
    records_of,
    result_of,
    returns_of,
    sides_of,
    with_sides,
    year_of,
)
from partnerships.nominations.queries.pages import shortfalls_of
from partnerships.nominations.queries.returns import median_in
from partnerships.nominations.rights import Rights, rights_over
from partnerships.people.models import User
from partnerships.people.requests import signed_in


def open_agreement(request: HttpRequest, pk: int) -> tuple[User, NominationsAgreement, Rights]:
    """The person, an agreement that they may know of, and their rights. 404 for others."""
    user = signed_in(request)
    agreement = get_object_or_404(NominationsAgreement.objects.visible_to(user).for_pages(), partnership=pk)
    return user, agreement, rights_over(agreement, user, timezone.now())


def open_return(request: HttpRequest, pk: int, number: int) -> tuple[User, NominationsReturn, Rights]:
    """The person, a return of their own agreement, and their rights.

    403 while it is closed. 404 for others, and for the council while the provider has not sent it.
    """
    user = signed_in(request)
    returns = NominationsReturn.objects.visible_to(user).for_pages()
    found = get_object_or_404(returns, agreement__partnership=pk, pk=number)
    rights = rights_over(found.agreement, user, timezone.now())
    if not rights.reads_returns:
        raise PermissionDenied
    if not rights.reads(found):
        raise Http404
    return user, found, rights


def _at_least_masked(agreement: NominationsAgreement, rights: Rights, number: int) -> NominationsReturn:
    """A return for pages that other parties read masked, once it was confirmed; else as `open_return`."""
    found = get_object_or_404(with_sides(returns_of(agreement)), pk=number)
    found.agreement = agreement
    if not (rights.reads_returns or rights.reads_masked):
        raise PermissionDenied
    if not (found.confirmations if rights.reads_masked else rights.reads(found)):
        raise Http404
    return found


def about(nominations_return: NominationsReturn, rights: Rights) -> dict[str, Any]:
    """What every page of a return shows."""
    return {
        "found": nominations_return,
        "agreement": nominations_return.agreement,
        "partnership": nominations_return.agreement.partnership,
        "quarter": str(nominations_return.quarter),
        "year": year_of(nominations_return),
        "rights": rights,
    }


def run_of(nominations_return: NominationsReturn) -> LettingsRun | None:
    """The upload of a return, if there was one."""
    run: LettingsRun | None = getattr(nominations_return, "run", None)
    return run


def named_cells(headings: Sequence[str], cells: Sequence[str]) -> list[tuple[str, str]]:
    """Each cell with its heading, for tables that stack on a phone."""
    return list(zip(headings, cells, strict=True))


@require_safe
def detail(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A return: its progress, its lines against the agreement, and shortfalls.

    Small numbers are masked for other parties. Without data sharing in force it leads to the agreement's page, which
    says so.
    """
    user, agreement, rights = open_agreement(request, pk)
    if not rights.is_open:
        return redirect(agreement)
    nominations_return = _at_least_masked(agreement, rights, number)
    if rights.reads_masked:
        return _masked(request, nominations_return, rights)
    result, run = result_of(nominations_return), run_of(nominations_return)
    report, records = run.report if run else {}, records_of(nominations_return)
    charts = [chart_of(nominations_return.quarter, result.lines), days_chart(nominations_return.quarter, result.lines)]
    if result.refusals:
        charts.append(refusals_chart(nominations_return.quarter, result.refusals))
    council, provider = sides_of(nominations_return)
    context = {
        **about(nominations_return, rights),
        "council": council,
        "provider": provider,
        "run": run,
        "outcomes": outcomes_of(run) if run else [],
        "let_again": report.get("let_again", 0),
        "not_counted": report.get("not_counted", ()),
        "authorities": authorities_of(run) if run and rights.reads_other_areas else [],
        "rows": [
            (line, named_cells(HEADINGS, cells_of(line, refused)))
            for line, refused in zip(result.lines, result.refused, strict=True)
        ],
        "total": named_cells(HEADINGS, cells_of_total(result, median_in(report, "all"))),
        "days": days_counted(nominations_return.quarter, report),
        "in_time": time_to_nominate(result.lines),
        "headings": HEADINGS,
        "charts": charts,
        "records": [(record, [(label, record.address(code)) for code, label in FILES.items()]) for record in records],
        "may_reopen": rights.may_reopen and nominations_return.is_settled,
        "shortfalls": shortfalls_of(result.lines, user) if not nominations_return.is_writable else [],
        "may_write": rights.may_report and nominations_return.is_writable,
        "may_decide": rights.may_decide and nominations_return.is_sent,
    }
    return render(request, "nominations/return.html", context)


def _masked(request: HttpRequest, nominations_return: NominationsReturn, rights: Rights) -> HttpResponse:
    """A confirmed return as other parties see it: its newest record."""
    lines = masked_result_of(nominations_return)
    rows = [(line.words, named_cells(MASKED_HEADINGS, masked_cells_of(line))) for line in lines]
    council, provider = sides_of(nominations_return)
    sides = {"council": council, "provider": provider}
    context = {**about(nominations_return, rights), **sides, "rows": rows, "headings": MASKED_HEADINGS}
    return render(request, "nominations/masked.html", context)


@require_safe
def progress(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The progress of counting, for htmx.

    When it is done, the page is loaded again.
    """
    _, found, rights = open_return(request, pk, number)
    if not getattr(request, "htmx", False):
        return redirect(found)
    run = run_of(found)
    response = render(request, "nominations/_run.html", {**about(found, rights), "run": run})
    if run is None or not run.is_running:
        response["HX-Refresh"] = "true"
    return response


@require_safe
def csv(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    """The lines of a return as CSV; other parties get them masked."""
    _, agreement, rights = open_agreement(request, pk)
    nominations_return = _at_least_masked(agreement, rights, number)
    if rights.reads_masked:
        masked = [(line.words, *masked_cells_of(line)) for line in masked_result_of(nominations_return)]
        return csv_response(_file_name(nominations_return), ["Homes", *MASKED_HEADINGS], masked)
    result = result_of(nominations_return)
    rows = [
        (line.words, *cells_of(line, refused), line.get_decision_display(), line.reason, line.answer)
        for line, refused in zip(result.lines, result.refused, strict=True)
    ]
    return csv_response(_file_name(nominations_return), ["Homes", *HEADINGS, "Council", "Why", "Answer"], rows)


@require_safe
def rows_csv(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    """What became of the rows of the upload, as CSV: reason, remedy, how many and which."""
    _, found, _ = open_return(request, pk, number)
    run = run_of(found)
    rows = [
        (outcome.label, outcome.remedy, outcome.number, outcome.rows) for outcome in (outcomes_of(run) if run else [])
    ]
    name = f"rows-{found.starts_on:%Y-%m}.csv"
    return csv_response(name, ["What happened to them", "What to do", "Rows", "Which"], rows)


def _file_name(nominations_return: NominationsReturn) -> str:
    return f"nominations-{nominations_return.starts_on:%Y-%m}.csv"
