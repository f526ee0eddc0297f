"""Read a nominations return: its page, its progress, its files.

A *run* counts the lettings that the provider uploaded, and its *report* says what it left out and why. The *result* is
what the return says: its lines, with the refusals of each by ground, and their total. Each confirmation keeps a
*record*, which stays when the return is corrected.
"""

from __future__ import annotations

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
    masked_cells_of,
    named_cells,
    return_tables,
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
    nominations_return = get_object_or_404(returns, agreement__partnership=pk, pk=number)
    rights = rights_over(nominations_return.agreement, user, timezone.now())
    if not rights.reads_returns:
        raise PermissionDenied
    if not rights.reads(nominations_return):
        raise Http404
    return user, nominations_return, rights


def _readable_return(agreement: NominationsAgreement, rights: Rights, number: int) -> NominationsReturn:
    """A return this person may read. Other parties see it masked, and only once confirmed."""
    nominations_return = get_object_or_404(with_sides(returns_of(agreement)), pk=number)
    nominations_return.agreement = agreement
    if rights.reads_masked:
        is_readable = nominations_return.confirmations > 0
    elif rights.reads_returns:
        is_readable = rights.reads(nominations_return)
    else:
        raise PermissionDenied
    if not is_readable:
        raise Http404
    return nominations_return


def return_context(nominations_return: NominationsReturn, rights: Rights) -> dict[str, Any]:
    """The context of every page of a return."""
    return {
        "nominations_return": nominations_return,
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


@require_safe
def detail(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A return: its progress, its lines against the agreement, and shortfalls.

    Small numbers are masked for other parties. If no data-sharing terms are in force, redirects to the agreement's
    page, which explains this.
    """
    user, agreement, rights = open_agreement(request, pk)
    if not rights.is_open:
        return redirect(agreement)
    nominations_return = _readable_return(agreement, rights, number)
    if rights.reads_masked:
        return _masked(request, nominations_return, rights)
    result, run = result_of(nominations_return), run_of(nominations_return)
    report = run.report if run else {}
    council, provider = sides_of(nominations_return)
    context = {
        **return_context(nominations_return, rights),
        **return_tables(nominations_return.quarter, result, report),
        "council": council,
        "provider": provider,
        "run": run,
        "outcomes": outcomes_of(run) if run else [],
        "let_again": report.get("let_again", 0),
        "not_counted": report.get("not_counted", ()),
        "authorities": authorities_of(run) if run and rights.reads_other_areas else [],
        "records": [
            (record, [(label, record.address(code)) for code, label in FILES.items()])
            for record in records_of(nominations_return)
        ],
        "shortfalls": shortfalls_of(result.lines, user) if not nominations_return.is_writable else [],
        "may_reopen": rights.may_reopen_return(nominations_return),
        "may_write": rights.may_fill_in(nominations_return),
        "may_decide": rights.may_decide_about(nominations_return),
    }
    return render(request, "nominations/return.html", context)


def _masked(request: HttpRequest, nominations_return: NominationsReturn, rights: Rights) -> HttpResponse:
    """A confirmed return as other parties see it: its newest record."""
    lines = masked_result_of(nominations_return)
    rows = [(line.words, named_cells(MASKED_HEADINGS, masked_cells_of(line))) for line in lines]
    council, provider = sides_of(nominations_return)
    sides = {"council": council, "provider": provider}
    context = {**return_context(nominations_return, rights), **sides, "rows": rows, "headings": MASKED_HEADINGS}
    return render(request, "nominations/masked.html", context)


@require_safe
def progress(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The progress of counting, for htmx.

    When it is done, the page is loaded again.
    """
    _, nominations_return, rights = open_return(request, pk, number)
    if not getattr(request, "htmx", False):
        return redirect(nominations_return)
    run = run_of(nominations_return)
    response = render(request, "nominations/_run.html", {**return_context(nominations_return, rights), "run": run})
    if run is None or not run.is_running:
        response["HX-Refresh"] = "true"
    return response


@require_safe
def lines_csv(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    """The lines of a return as CSV; other parties get them masked."""
    _, agreement, rights = open_agreement(request, pk)
    nominations_return = _readable_return(agreement, rights, number)
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
    _, nominations_return, _ = open_return(request, pk, number)
    run = run_of(nominations_return)
    rows = [
        (outcome.label, outcome.remedy, outcome.number, outcome.rows) for outcome in (outcomes_of(run) if run else [])
    ]
    name = f"rows-{nominations_return.starts_on:%Y-%m}.csv"
    return csv_response(name, ["What happened to them", "What to do", "Rows", "Which"], rows)


def _file_name(nominations_return: NominationsReturn) -> str:
    return f"nominations-{nominations_return.starts_on:%Y-%m}.csv"
