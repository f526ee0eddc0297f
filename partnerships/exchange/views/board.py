"""The board of asks and offers, and the page of one's own asks and offers."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from partnerships.exchange.forms.filters import FilterForm
from partnerships.exchange.html import cards_html, counts_by_element, filter_panel
from partnerships.exchange.models import Direction, Entry, EntryQuerySet, Status
from partnerships.exchange.queries import board as boards
from partnerships.exchange.queries.matches import entry_cards, with_match_counts
from partnerships.exchange.queries.permission_sql import Reader, reader_of
from partnerships.kit.active_filters import active_filters
from partnerships.kit.http import keyset_page
from partnerships.kit.record_fields import suggestions
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User
from partnerships.people.requests import signed_in

#: The board shows this many asks, and as many offers. The list has the others.
CARDS_ON_A_SIDE = 10
#: The page of one's own asks and offers shows this many drafts, the newest.
MAX_DRAFTS = 100
ORDER = ("-shared_at", "-pk")


@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """Show the board: asks on the left, offers on the right. htmx requests only the results, without the page."""
    reader = reader_of(signed_in(request))
    # While a person types into a filter, the page asks for suggestions at the same address.
    suggestions_response = suggestions(FilterForm(), request.GET)
    if suggestions_response is not None:
        return suggestions_response

    form = FilterForm(request.GET)
    # One card more than a side shows says whether there are more.
    results = boards.read_board(reader, form.filters(), CARDS_ON_A_SIDE + 1)
    counts = counts_by_element(results.counts)
    is_partial = bool(getattr(request, "htmx", False))
    context = {
        "panel": "" if is_partial else filter_panel(request, form, counts),
        # htmx replaces only the results, and the counts in the panel.
        "counts": counts if is_partial else {},
        "chips": active_filters(form, request.GET),
        "clear": request.path,
        "query": _filter_query(request),
        "is_one": results.counts.total == 1 and not results.counts.capped,
        "total": f"more than {boards.CAP:,}" if results.counts.capped else f"{results.counts.total:,}",
        "may_write": bool(reader.editing),
        "acting_for": reader.acting_for,
        "sides": _sides(request, reader, results),
    }
    return render(request, "exchange/_board.html" if is_partial else "exchange/board.html", context)


def _filter_query(request: HttpRequest) -> str:
    """Return the query string of the filters, without the position in a list."""
    query = request.GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    return query.urlencode()


def _sides(request: HttpRequest, reader: Reader, results: boards.Board) -> list[dict[str, object]]:
    """Return the asks and the offers, each with its heading, its cards and the link to the whole list."""
    shown_cards = []
    for cards_of_side in results.sides.values():
        shown_cards += cards_of_side[:CARDS_ON_A_SIDE]
    # One query counts the matches of both sides.
    cards = with_match_counts(shown_cards, reader)
    sides: list[dict[str, object]] = []
    for direction in Direction:
        query = request.GET.copy()
        query.setlist("direction", [direction])
        has_more = len(results.sides.get(direction, [])) > CARDS_ON_A_SIDE
        sides.append(
            {
                "direction": direction,
                "heading": f"{direction.label}s",
                "cards": cards_html(card for card in cards if card.direction == direction),
                "more": f"{reverse('exchange:list')}?{query.urlencode()}" if has_more else "",
                # The reader may have filtered out this direction.
                "wanted": direction in results.sides,
            }
        )
    return sides


@require_safe
def own_entries(request: HttpRequest) -> HttpResponse:
    """Show the entries of the person's organisations: drafts first, then shared entries, the newest first."""
    user = signed_in(request)
    reader = reader_of(user)
    drafts = rows_for(_own_drafts, user)
    page = keyset_page(
        request,
        partial(_own_shared, user),
        order=ORDER,
        read_first_rows=lambda size: rows_for(_own_newest, user, size=size),
    )
    context = {
        "drafts": cards_html(entry_cards(drafts, reader)),
        "page": page,
        "cards": cards_html(entry_cards(page.rows, reader)),
        "may_write": bool(reader.editing),
    }
    return render(request, "exchange/ours.html", context)


def _own_drafts(user: User) -> EntryQuerySet:
    """Return the newest drafts of the person's organisations."""
    drafts = Entry.objects.of_person(user).for_listing().filter(status=Status.DRAFT)
    return drafts.order_by("-created_at", "-pk")[:MAX_DRAFTS]


def _own_shared(user: User) -> EntryQuerySet:
    """Return the entries that the person's organisations have shared, in no order."""
    return Entry.objects.of_person(user).for_listing().exclude(shared_at=None)


def _own_newest(user: User, *, size: int) -> EntryQuerySet:
    """Return the newest entries that the person's organisations have shared."""
    return _own_shared(user).order_by(*ORDER)[:size]
