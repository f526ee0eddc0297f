"""Pages to read asks and offers, and the CSV export."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import islice

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.activity.queries import timeline
from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Status as CommitmentStatus
from partnerships.exchange.forms.filters import FilterForm
from partnerships.exchange.models import (
    Direction,
    Entry,
    EntryQuerySet,
    Fulfilment,
    Introduction,
    Question,
    Receipt,
    Response,
    Status,
)
from partnerships.exchange.queries import board as boards
from partnerships.exchange.queries.matches import count_matches, entry_cards, with_matches
from partnerships.exchange.queries.permission_sql import Reader, reader_of
from partnerships.exchange.rights import rights_over
from partnerships.kit.exports import MAX_ROWS, csv_response, day_of
from partnerships.kit.forms import active_filters
from partnerships.kit.http import keyset_page
from partnerships.organisations.models import Organisation
from partnerships.organisations.timeline import TimelineLine, timeline_lines
from partnerships.people.models import User
from partnerships.people.requests import signed_in

#: Cards on each side of the board; the list has the rest.
SIDE = 10
ORDER = ("-shared_at", "-pk")
#: Commitments in these statuses no longer promise anything.
_ENDED = (CommitmentStatus.CANCELLED, CommitmentStatus.SUPERSEDED)


def _filtered(
    request: HttpRequest, reader: Reader, limit: int = 0
) -> tuple[boards.Filters, boards.Board, dict[str, object]]:
    """The chosen filters, what they find, and context for board and list."""
    form = FilterForm(request.GET)
    filters = form.filters()
    chips = active_filters(form, request.GET)
    found = boards.read(reader, filters, limit)
    kept = request.GET.copy()
    for name in ("after", "before"):
        kept.pop(name, None)
    return (
        filters,
        found,
        {
            "form": form,
            "is_partial": _is_partial(request),
            "counts": form.show_counts(found.counts),
            "chips": chips,
            "clear": request.path,
            "query": kept.urlencode(),
            "is_one": found.counts.total == 1 and not found.counts.capped,
            "total": f"more than {boards.CAP:,}" if found.counts.capped else f"{found.counts.total:,}",
            "may_write": bool(reader.editing),
            "acting_for": reader.acting_for,
        },
    )


def _page(request: HttpRequest, template: str, results: str, context: dict[str, object]) -> HttpResponse:
    return render(request, results if _is_partial(request) else template, context)


def _is_partial(request: HttpRequest) -> bool:
    """Whether htmx asks for the results only, without the page around them."""
    return bool(getattr(request, "htmx", False))


@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """Asks on the left, offers on the right."""
    reader = reader_of(signed_in(request))
    _, found, context = _filtered(request, reader, SIDE + 1)
    cards = iter(with_matches([card for side in found.sides.values() for card in side[:SIDE]], reader))
    sides = []
    for direction in Direction:
        shown = found.sides.get(direction, [])
        rest = request.GET.copy()
        rest.setlist("direction", [direction])
        more = f"{reverse('exchange:list')}?{rest.urlencode()}" if len(shown) > SIDE else ""
        wanted = list(islice(cards, min(len(shown), SIDE)))
        sides.append(
            {
                "direction": direction,
                "heading": f"{direction.label}s",
                "cards": wanted,
                "more": more,
                "wanted": direction in found.sides,
            }
        )
    return _page(request, "exchange/board.html", "exchange/_board.html", {**context, "sides": sides, "mode": "board"})


@require_safe
def entry_list(request: HttpRequest) -> HttpResponse:
    """The same entries as one list, page by page."""
    user = signed_in(request)
    reader = reader_of(user)
    filters, _, context = _filtered(request, reader)
    page = keyset_page(request, boards.board(user, filters).for_listing(), order=filters.order)
    shown = {"page": page, "cards": entry_cards(page.rows, reader), "mode": "list"}
    return _page(request, "exchange/board.html", "exchange/_list.html", {**context, **shown})


@require_safe
def ours(request: HttpRequest) -> HttpResponse:
    """Entries of the person's organisations: drafts first, then the newest."""
    user = signed_in(request)
    reader = reader_of(user)
    mine = Entry.objects.of_person(user).for_listing()
    drafts = list(mine.filter(status=Status.DRAFT).order_by("-created_at", "-pk")[:100])
    page = keyset_page(request, mine.exclude(shared_at=None), order=ORDER)
    context = {
        "drafts": entry_cards(drafts, reader),
        "page": page,
        "cards": entry_cards(page.rows, reader),
        "may_write": bool(reader.editing),
    }
    return render(request, "exchange/ours.html", context)


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One ask or offer with its answers, questions, commitments and history."""
    user = signed_in(request)
    entry = get_object_or_404(
        Entry.objects.visible_to(user).select_related("organisation", "partnership", "created_by"), pk=pk
    )
    rights = rights_over(entry, user, timezone.now())
    answering = list(Organisation.objects.filter(pk__in=rights.answers_for).order_by("name", "pk"))
    receipts = list(
        Receipt.objects.visible_to(user)
        .filter(entry=entry)
        .select_related("organisation", "referred_to", "acknowledged_by", "declined_by")
        .order_by("pk")
    )
    for receipt in receipts:
        # Only their own organisation sees who it was referred to, and the message.
        if not rights.roles.act_for(receipt.organisation_id):
            receipt.referred_to, receipt.note = None, ""
    responses = (
        Response.objects.visible_to(user)
        .filter(entry=entry)
        .select_related("organisation", "author", "counterpart", "decided_by", "entry")
        .order_by("made_at", "pk")
    )
    questions = (
        Question.objects.visible_to(user)
        .filter(entry=entry)
        .select_related("organisation", "author", "answered_by")
        .order_by("asked_at", "pk")
    )
    seen = set(Entry.objects.visible_to(user).filter(answering__in=responses).order_by().values_list("pk", flat=True))
    for response in responses:
        response.counterpart_seen = response.counterpart_id in seen  # type: ignore[attr-defined]  # for the page alone
    editing = rights.roles.edited_among(rights.roles.of)
    fulfilments = list(
        Fulfilment.objects.visible_to(user)
        .filter(entry=entry)
        .select_related("entry", "response", "commitment__giver", "commitment__receiver", "commitment__owner")
        .order_by("pk")
    )
    answered = {response.organisation_id for response in responses if response.is_waiting}
    context = {
        "entry": entry,
        "own": rights.is_own,
        "may_edit": rights.may_edit,
        "answering": answering,
        "may_respond": entry.is_open and any(body.pk not in answered for body in answering),
        "may_decline": entry.is_open and not entry.is_for_network and bool(answering),
        "unseen": any(body.pk not in {receipt.organisation_id for receipt in receipts} for body in answering),
        "editing": editing,
        "may_commit": entry.organisation_id in editing or any(one.organisation_id in editing for one in responses),
        "fulfilments": fulfilments,
        "promised": _promised(fulfilments),
        "introductions": Introduction.objects.visible_to(user)
        .filter(Q(ask=entry) | Q(offer=entry))
        .select_related("ask__organisation", "offer__organisation", "organisation", "author")
        .order_by("at", "pk"),
        "areas": entry.areas.order_by("name", "pk"),
        "addressees": _addressees(entry, user, own=rights.is_own),
        "partnership": _partnership(entry, user),
        "receipts": receipts,
        "responses": responses,
        "questions": questions,
        "questions_waiting": sum(not one.is_answered for one in questions) if entry.organisation_id in editing else 0,
        "matches": count_matches(reader_of(user), [entry]).get(entry.pk),
        "today": timezone.localdate(),
        "lines": _lines(entry, user),
    }
    return render(request, "exchange/detail.html", context)


def _promised(fulfilments: Iterable[Fulfilment]) -> set[int]:
    """Ids of accepted answers that open commitments cover completely."""
    shares: dict[int, Decimal] = {}
    wanted: dict[int, Decimal] = {}
    for row in fulfilments:
        if row.answer_id is not None and row.response is not None and row.commitment.status not in _ENDED:
            wanted[row.answer_id] = row.response.agreed_quantity or Decimal(0)
            shares[row.answer_id] = shares.get(row.answer_id, Decimal(0)) + (row.share or Decimal(0))
    return {answer for answer, share in shares.items() if share >= wanted[answer]}


def _lines(entry: Entry, user: User) -> list[TimelineLine]:
    """Events of the entry and its answers, newest first, without its title."""
    lines = timeline_lines(timeline(user=user, kind="entry", record_id=entry.pk)[:30])
    return [replace(line, subject="") for line in lines]


def _partnership(entry: Entry, user: User) -> Partnership | None:
    """Its partnership, if the reader can see that."""
    if entry.partnership_id is None:
        return None
    return Partnership.objects.visible_to(user).filter(pk=entry.partnership_id).first()


def _addressees(entry: Entry, user: User, *, own: bool) -> list[Organisation]:
    """The organisations it names; others who were asked see only themselves."""
    named = Organisation.objects.filter(addressed__entry=entry).order_by("name", "pk")
    return list(named if own else named.filter(pk__in=Organisation.objects.of_person(user)))


@require_safe
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The filtered entries that the person can see, as CSV."""
    user = signed_in(request)
    filters = FilterForm(request.GET).filters()
    entries = (
        boards.board(user, filters).for_listing().select_related("organisation").order_by(*filters.order)[:MAX_ROWS]
    )
    return csv_response("asks-and-offers.csv", _HEADINGS, _rows(entries))


_HEADINGS = (
    "Ask or offer",
    "Title",
    "Statement",
    "Organisation",
    "Theme",
    "Quantity",
    "Unit",
    "Areas",
    "Site",
    "From",
    "Until",
    "Closing date",
    "Status",
    "Shared",
    "Unanswered since",
    "Address",
)


def _rows(entries: EntryQuerySet) -> list[tuple[object, ...]]:
    return [
        (
            entry.get_direction_display(),
            entry.title,
            entry.statement,
            entry.organisation.name,
            entry.get_theme_display(),
            entry.quantity,
            entry.get_unit_display(),
            "; ".join(area.name for area in entry.areas.all()),
            entry.site,
            entry.available_from,
            entry.available_until,
            entry.closes_on,
            entry.get_status_display(),
            day_of(entry.shared_at),
            day_of(entry.waiting_since),
            entry.get_absolute_url(),
        )
        for entry in entries
    ]
