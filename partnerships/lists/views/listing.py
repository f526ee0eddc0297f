"""The page of a list, and the download of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from partnerships.kit.http import Page, keyset_page
from partnerships.kit.lists import ListDefinition, find_list
from partnerships.kit.record_fields import find_without_script, suggestions
from partnerships.kit.rights import require
from partnerships.lists.downloads import FORMATS, TooManyRows, file_response
from partnerships.lists.grouping import groups
from partnerships.lists.models import SavedView
from partnerships.lists.presenting import (
    chips_of,
    column_choices,
    group_choices,
    headings,
    rows_with_cells,
    sort_choices,
)
from partnerships.lists.queries import MAX_NAMED, parameters_for, view_in, views_of
from partnerships.lists.reading import CARDS, EVERYTHING, TABLE, Listing, parameters_of, read
from partnerships.lists.services import AT_ONCE
from partnerships.lists.views.bulk import action_choices, row_ids_in
from partnerships.people.models import User
from partnerships.people.requests import signed_in

#: A page shows this many rows.
PAGE = 25
#: Rows are counted up to this number, because counting more is too slow.
MAX_COUNTED = 1_000


def listing_in(
    request: HttpRequest, reader: User, definition: ListDefinition, views: Sequence[SavedView]
) -> tuple[Listing, SavedView | None]:
    """Return the list with the parameters of the address, and the saved view that the address names, or None.

    For example, `view=7` opens view 7 with its saved filters. `from=7` names the view that the reader is changing, and
    other parameters are its new filters. Without parameters, the list opens with the reader's default view. `view=`
    without an id shows everything.
    """
    try:
        view = view_in(request.GET, views, reader)
    except SavedView.DoesNotExist as error:
        raise Http404 from error
    return read(definition, reader, parameters_for(request.GET, view)), view


@require_safe
def show(request: HttpRequest, definition: ListDefinition, /) -> HttpResponse:
    """Show the filters, rows, counts and saved views of a list. A request of htmx gets only the results."""
    reader = signed_in(request)
    require(definition.may_open(reader))
    views = views_of(reader, definition)
    listing, view = listing_in(request, reader, definition, views)
    if (suggested_values := suggestions(listing.own_form, request.GET)) is not None:
        return suggested_values

    is_valid = listing.form.is_valid()
    find_without_script(listing.form, request.GET)
    page = _page(request, listing)
    definition.make_ready(reader, page.rows, listing.columns)
    has_one_page = page.is_first and not page.next
    row_count = len(page.rows) if has_one_page else listing.count(MAX_COUNTED + 1)

    is_htmx = bool(getattr(request, "htmx", False))
    context = {
        **({} if is_htmx else definition.context(reader)),
        "definition": definition,
        "form": listing.form,
        "listing": listing,
        # Rows
        "page": page,
        "count": min(row_count, MAX_COUNTED),
        "more": row_count > MAX_COUNTED,
        "actions": action_choices(definition),
        "formats": FORMATS.items(),
        # Filters and saved views
        "chips": chips_of(listing),
        "clear": f"{request.path}{EVERYTHING}",
        "view": view,
        "is_changed": view is not None and listing.state != read(definition, reader, parameters_of(view.state)).state,
        "views": views[:MAX_NAMED],
        **_appearance_context(listing),
        **_rows_context(listing, reader, page.rows),
    }
    template = "lists/_results.html" if is_htmx else definition.template
    return render(request, template, context, status=200 if is_valid else 422)


def _page(request: HttpRequest, listing: Listing) -> Page[Any]:
    """Return the rows of one page."""
    # One more row is read than the page shows, to see whether there is a next page. One more is counted, to say "more
    # than 1,000".
    listing.read_ahead(PAGE + 1, MAX_COUNTED + 1)
    return keyset_page(
        request,
        listing.rows_to_show,
        order=listing.order,
        size=PAGE,
        nullable=listing.nullable,
        link_parameters=listing.parameters,
        read_first_rows=listing.first,
    )


def _appearance_context(listing: Listing) -> dict[str, Any]:
    """Return the context of the controls above a list, which change its columns, order, groups and layout."""
    parameters = [(name, value) for name, values in listing.parameters.lists() for value in values]
    return {
        "query": listing.address()[1:],
        "as_table": listing.address(look=TABLE)[1:],
        "as_cards": listing.address(look=CARDS)[1:],
        "filters": parameters,
        # The form to choose columns sends these parameters in hidden fields.
        "other_parameters": [(name, value) for name, value in parameters if name not in ("columns", "look")],
        "groups": groups(listing),
        "group_choices": group_choices(listing),
        "sort_choices": sort_choices(listing),
        "columns": column_choices(listing),
    }


def _rows_context(listing: Listing, reader: User, records: Sequence[Any]) -> dict[str, Any]:
    """Return the records as the rows of a table, or as cards if the reader has chosen cards.

    If the list does not define cards, each card has the cells of a row.
    """
    definition = listing.definition
    if listing.look == CARDS and definition.cards:
        return {"cards": definition.cards(reader, records)}
    rows = rows_with_cells(listing, records)
    if listing.look == CARDS:
        return {"rows": rows}
    column_headings = headings(listing)
    return {
        "rows": rows,
        "headings": column_headings,
        # Joined here, because a loop in the template takes as long as the rows themselves.
        "rows_html": SafeString("".join(row.html for row in rows)),
        "headings_html": SafeString("".join(heading.html for heading in column_headings)),
    }


@require_safe
def export(request: HttpRequest, definition: ListDefinition, form: str, /) -> HttpResponseBase:
    """Download every row that matches the filters, or the rows in the parameter `rows`.

    A long list redirects to the page on which the reader can request a file from a worker.
    """
    reader = signed_in(request)
    require(definition.may_open(reader))
    # Only an address without parameters opens the default view, so other addresses need no views here.
    views = [] if request.GET else views_of(reader, definition)
    listing, _ = listing_in(request, reader, definition, views)
    row_ids = row_ids_in(request.GET.get("rows"))
    if "rows" in request.GET and not row_ids:  # an empty parameter names no rows; without it the file has all rows
        raise Http404
    if not listing.form.is_valid():  # the page of the list says what is wrong
        return redirect(f"{reverse(definition.address)}{listing.address()}")

    try:
        return file_response(listing, form, AT_ONCE, row_ids)
    except TooManyRows:
        return redirect(f"{reverse('lists:make-file', args=[definition.slug, form])}{listing.address()}")


@require_safe
def download(request: HttpRequest, kind: str, form: str) -> HttpResponseBase:
    """Download every row of a list that matches the filters, or the rows in the parameter `rows`."""
    definition = find_list(kind)
    if definition is None or form not in FORMATS:
        raise Http404
    return export(request, definition, form)
