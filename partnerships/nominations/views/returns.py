"""Pages to read a nominations return, the progress of its count, and its files.

A *run* counts the lettings that the provider uploaded. Its *report* says which rows it set aside and why. The *result*
is the lines of the return with their refusals and total. Each confirmation creates a *record*, which does not change
when the return is corrected.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.kit.exports import csv_response
from partnerships.nominations.models import LettingsRun, NominationsAgreement, NominationsReturn, ReturnRecord
from partnerships.nominations.presenting import (
    FILES,
    HEADINGS,
    MASKED_HEADINGS,
    line_cells,
    masked_line_cells,
    named_cells,
    return_tables,
)
from partnerships.nominations.queries import (
    collection_year_of,
    masked_result_of,
    records_of,
    result_of,
    returns_of,
    row_outcomes,
    rows_by_authority,
    side_names,
    with_side_names,
)
from partnerships.nominations.queries.pages import line_shortfalls
from partnerships.nominations.rights import Rights, rights_lookups, rights_over
from partnerships.organisations.statements import lookup, read_ahead, row_or_404
from partnerships.people.models import User
from partnerships.people.requests import signed_in


def open_agreement(request: HttpRequest, pk: int) -> tuple[User, NominationsAgreement, Rights]:
    """Return the person, an agreement that they may see, and their rights. Raises Http404 for other people."""
    user, now = signed_in(request), timezone.now()
    read_ahead([lookup(_visible_agreement, user, pk), *rights_lookups(pk, now)])
    agreement = row_or_404(_visible_agreement, user, pk)
    return user, agreement, rights_over(agreement, user, now)


def _visible_agreement(user: User, partnership_id: int) -> QuerySet[NominationsAgreement]:
    """Return the agreement of a partnership (id) if the person may see it."""
    return NominationsAgreement.objects.visible_to(user).for_pages().filter(partnership=partnership_id)


def open_return(request: HttpRequest, pk: int, number: int) -> tuple[User, NominationsReturn, Rights]:
    """Return the person, a return (by id) of their own agreement, and their rights.

    Raises PermissionDenied without data-sharing terms in force. Raises Http404 for people of neither side, and for the
    council until the return is sent.
    """
    user = signed_in(request)
    returns = NominationsReturn.objects.visible_to(user).for_pages()
    nominations_return = get_object_or_404(returns, agreement__partnership=pk, pk=number)
    rights = rights_over(nominations_return.agreement, user, timezone.now())
    if not rights.reads_returns:
        raise PermissionDenied
    if not rights.reads_return(nominations_return):
        raise Http404
    return user, nominations_return, rights


def _readable_return(agreement: NominationsAgreement, rights: Rights, number: int) -> NominationsReturn:
    """Return the return with this id if the person may read it.

    Other parties may read only confirmed returns, with small counts masked. Raises Http404, or PermissionDenied if the
    person may read no return of the agreement.
    """
    nominations_return = get_object_or_404(with_side_names(returns_of(agreement)), pk=number)
    nominations_return.agreement = agreement
    if rights.reads_masked_results:
        is_readable = nominations_return.confirmations > 0
    elif rights.reads_returns:
        is_readable = rights.reads_return(nominations_return)
    else:
        raise PermissionDenied
    if not is_readable:
        raise Http404
    return nominations_return


def return_context(nominations_return: NominationsReturn, rights: Rights) -> dict[str, Any]:
    """Return the context of every page of a return."""
    return {
        "nominations_return": nominations_return,
        "agreement": nominations_return.agreement,
        "partnership": nominations_return.agreement.partnership,
        "quarter": str(nominations_return.quarter),
        "year": collection_year_of(nominations_return),
        "rights": rights,
    }


def lettings_run_of(nominations_return: NominationsReturn) -> LettingsRun | None:
    """Return the count of the lettings uploaded for a return, or None if nothing was uploaded."""
    run: LettingsRun | None = getattr(nominations_return, "run", None)
    return run


@require_safe
def detail(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show the progress of a return, its lines compared with the agreement, and shortfalls.

    Other parties see the return with small counts masked. If no data-sharing terms are in force, this redirects to the
    page of the agreement, which explains why.
    """
    user, agreement, rights = open_agreement(request, pk)
    if not rights.is_open:
        return redirect(agreement)
    nominations_return = _readable_return(agreement, rights, number)
    if rights.reads_masked_results:
        return _masked(request, nominations_return, rights)

    result = result_of(nominations_return)
    run = lettings_run_of(nominations_return)
    council, provider = side_names(nominations_return)
    context = {
        **return_context(nominations_return, rights),
        **_run_context(run, rights),
        **return_tables(nominations_return.quarter, result, run.report if run else {}),
        **_permitted_actions(nominations_return, rights),
        "council": council,
        "provider": provider,
        "records": _records_with_files(nominations_return),
        "shortfalls": [] if nominations_return.is_writable else line_shortfalls(result.lines, user),
    }
    return render(request, "nominations/return.html", context)


def _run_context(run: LettingsRun | None, rights: Rights) -> dict[str, Any]:
    """Return the count of the uploaded lettings for the page, with what happened to the uploaded rows."""
    report = run.report if run else {}
    return {
        "run": run,
        "outcomes": row_outcomes(run) if run else [],
        "let_again": report.get("let_again", 0),
        "not_counted": report.get("not_counted", ()),
        "authorities": rows_by_authority(run) if run and rights.reads_other_areas else [],
    }


def _permitted_actions(nominations_return: NominationsReturn, rights: Rights) -> dict[str, bool]:
    """Return what the person may do with a return now, for the buttons and links of its page."""
    return {
        "may_reopen": rights.may_reopen_return(nominations_return),
        "may_write": rights.may_fill_in(nominations_return),
        "may_decide": rights.may_decide_about(nominations_return),
    }


def _records_with_files(nominations_return: NominationsReturn) -> list[tuple[ReturnRecord, list[tuple[str, str]]]]:
    """Return the records of a return, each with the label and the address of its files."""
    return [
        (record, [(label, record.address(code)) for code, label in FILES.items()])
        for record in records_of(nominations_return)
    ]


def _masked(request: HttpRequest, nominations_return: NominationsReturn, rights: Rights) -> HttpResponse:
    """Show the newest record of a return with small counts masked, for other parties."""
    lines = masked_result_of(nominations_return)
    rows = [(line.words, named_cells(MASKED_HEADINGS, masked_line_cells(line))) for line in lines]
    council, provider = side_names(nominations_return)
    context = {
        **return_context(nominations_return, rights),
        "council": council,
        "provider": provider,
        "headings": MASKED_HEADINGS,
        "rows": rows,
    }
    return render(request, "nominations/masked.html", context)


@require_safe
def progress(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show the progress of the count, for htmx. When the count is done, the page reloads."""
    _, nominations_return, rights = open_return(request, pk, number)
    if not getattr(request, "htmx", False):
        return redirect(nominations_return)
    run = lettings_run_of(nominations_return)
    response = render(request, "nominations/_run.html", {**return_context(nominations_return, rights), "run": run})
    if run is None or not run.is_running:
        response["HX-Refresh"] = "true"
    return response


@require_safe
def lines_csv(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    """Download the lines of a return as CSV, masked for other parties."""
    _, agreement, rights = open_agreement(request, pk)
    nominations_return = _readable_return(agreement, rights, number)
    if rights.reads_masked_results:
        masked_rows = [(line.words, *masked_line_cells(line)) for line in masked_result_of(nominations_return)]
        return csv_response(_file_name(nominations_return), ["Homes", *MASKED_HEADINGS], masked_rows)

    result = result_of(nominations_return)
    rows = [
        (line.words, *line_cells(line, refused), line.get_decision_display(), line.reason, line.answer)
        for line, refused in zip(result.lines, result.refused, strict=True)
    ]
    return csv_response(_file_name(nominations_return), ["Homes", *HEADINGS, "Council", "Why", "Answer"], rows)


@require_safe
def rows_csv(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    """Download as CSV what happened to the rows of an upload, with remedies and row numbers."""
    _, nominations_return, _ = open_return(request, pk, number)
    run = lettings_run_of(nominations_return)
    outcomes = row_outcomes(run) if run else []
    rows = [(outcome.label, outcome.remedy, outcome.number, outcome.rows) for outcome in outcomes]
    name = f"rows-{nominations_return.starts_on:%Y-%m}.csv"
    return csv_response(name, ["What happened", "What to do", "Number of rows", "Row numbers"], rows)


def _file_name(nominations_return: NominationsReturn) -> str:
    """Return the name of the CSV file with the lines of a return."""
    return f"nominations-{nominations_return.starts_on:%Y-%m}.csv"
