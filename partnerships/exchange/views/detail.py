"""The page of one ask or offer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypedDict

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from partnerships.activity.seen import note_events_seen
from partnerships.agreements.models import Partnership
from partnerships.agreements.origin import links_of
from partnerships.agreements.queries import leads_a_party
from partnerships.commitments.models import Status as CommitmentStatus
from partnerships.commitments.queries import name_as_at as commitments_as_at
from partnerships.exchange import services
from partnerships.exchange.models import (
    Addressee,
    AnswerGroup,
    Entry,
    EntryFacilitator,
    Fulfilment,
    Introduction,
    Question,
    Receipt,
    Response,
)
from partnerships.exchange.queries.listings import name_as_at
from partnerships.exchange.queries.matches import count_matches
from partnerships.exchange.queries.permission_sql import reader_of
from partnerships.exchange.rights import Rights, rights_over
from partnerships.exchange.sections import ON_ENTRIES
from partnerships.organisations.models import Area, Organisation
from partnerships.organisations.statements import (
    Lookup,
    RowsAbout,
    lookup,
    read_ahead,
    rows_for,
    rows_lookup,
    with_rows,
)
from partnerships.organisations.timeline import TimelineLine, newest_events, newest_events_lookup, timeline_lines
from partnerships.people.models import User
from partnerships.people.requests import is_reading, signed_in

#: Newest events on the page.
_EVENTS = 30
#: Commitments in these statuses no longer promise anything.
_ENDED = (CommitmentStatus.CANCELLED, CommitmentStatus.SUPERSEDED)


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One ask or offer with its answers, questions, commitments and history."""
    user = signed_in(request)
    read_ahead(
        [
            lookup(_entry, user, pk),
            rows_lookup(pk, *_ABOUT),
            newest_events_lookup(user, kind="entry", record_id=pk, count=_EVENTS),
        ]
    )
    entry_rows = rows_for(_entry, user, pk)
    if not entry_rows:
        raise Http404
    entry = entry_rows[0]
    rights = rights_over(entry, user, timezone.now())
    there = with_rows(pk, *_ABOUT)
    read_ahead(_lookups(entry, user, there, own=rights.is_own, answers_for=sorted(rights.answers_for)))
    rows = _rows(entry, user, rights, there)
    _name_as_at(entry, rows)
    context = {
        "entry": entry,
        "own": rights.is_own,
        **rows,
        **_may(entry, user, rights, rows),
        "promised": _promised(rows["fulfilments"]),
        "partnership": _partnership(entry, user),
        "matches": count_matches(reader_of(user), [entry]).get(entry.pk),
        "today": timezone.localdate(),
        "lines": _lines(request, entry, user),
        "sections": ON_ENTRIES.of(user, entry),
        "came_from": links_of(entry, user) if entry.partnership_id else [],
    }
    return render(request, "exchange/detail.html", context)


class _Rows(TypedDict):
    """What one reader sees about an ask or offer, by the names that the template uses."""

    answering: list[Organisation]
    receipts: list[Receipt]
    responses: list[Response]
    questions: list[Question]
    fulfilments: list[Fulfilment]
    introductions: list[Introduction]
    addressees: list[Organisation]
    areas: list[Area]
    facilitators: list[EntryFacilitator]


def _rows(entry: Entry, user: User, rights: Rights, there: Collection[RowsAbout]) -> _Rows:
    """Read what the entry has; `there` lists the kinds of rows that exist."""
    answers_for = sorted(rights.answers_for)
    answering = rows_for(_named, answers_for) if answers_for else []
    pk, shown = entry.pk, rights.may_edit or bool(answering)
    return {
        "answering": answering,
        "receipts": _receipts(entry, user, rights) if _all_receipts in there else [],
        "responses": _responses(entry, user) if _all_responses in there else [],
        "questions": rows_for(_questions, user, pk) if _all_questions in there else [],
        "fulfilments": rows_for(_fulfilments, user, pk) if _all_fulfilments in there else [],
        "introductions": rows_for(_introductions, user, pk) if _all_introductions in there else [],
        "addressees": rows_for(_addressed, user, pk, own=rights.is_own) if _all_addressees in there else [],
        "areas": rows_for(_areas, pk) if _areas in there else [],
        "facilitators": _facilitators(entry, user, shown=shown) if _facilitators_of in there else [],
    }


def _name_as_at(entry: Entry, rows: _Rows) -> None:
    """Let everything on the page name organisations as on its day."""
    dated = [
        *((response.made_at, response.organisation) for response in rows["responses"]),
        *((question.asked_at, question.organisation) for question in rows["questions"]),
        *((receipt.acknowledged_at or receipt.declined_at, receipt.organisation) for receipt in rows["receipts"]),
        *((introduction.at, body) for introduction in rows["introductions"] for body in _introduced(introduction)),
    ]
    commitments_as_at(row.commitment for row in rows["fulfilments"])
    name_as_at(
        [entry],
        beside=((timezone.localdate(at) if at else None, body) for at, body in dated),
        asked=((entry, body) for body in rows["addressees"]),
    )


def _may(entry: Entry, user: User, rights: Rights, rows: _Rows) -> dict[str, Any]:
    """What the reader may do with the entry, and what still waits for them."""
    answering, responses = rows["answering"], rows["responses"]
    editing = rights.roles.edited_among(rights.roles.of)
    answered = {response.organisation_id for response in responses if response.is_waiting}
    seen = {receipt.organisation_id for receipt in rows["receipts"]}
    is_editor = entry.organisation_id in editing
    return {
        "may_edit": rights.may_edit,
        "editing": editing,
        "may_respond": entry.is_open and any(body.pk not in answered for body in answering),
        "may_decline": entry.is_open and not entry.is_for_network and bool(answering),
        "unseen": any(body.pk not in seen for body in answering),
        "may_commit": is_editor or any(response.organisation_id in editing for response in responses),
        "may_start_group": entry.partnership_id is not None
        and any(rights.roles.led & {entry.organisation_id, response.organisation_id} for response in responses),
        "questions_waiting": sum(not question.is_answered for question in rows["questions"]) if is_editor else 0,
        "may_tell_stakeholders": not entry.is_draft and leads_a_party(user, entry.partnership_id),
    }


def _lookups(
    entry: Entry, user: User, there: Collection[RowsAbout], *, own: bool, answers_for: list[int]
) -> Iterator[Lookup]:
    """What the page is going to ask about the entry, as far as there is any."""
    for kind, rows in _READ.items():
        if kind in there:
            yield lookup(rows, user, entry.pk)
    yield lookup(_named, answers_for)
    if _all_addressees in there:
        yield lookup(_addressed, user, entry.pk, own=own)
    yield from (lookup(about, entry.pk) for about in (_areas, _facilitators_of) if about in there)
    if entry.partnership_id is not None:
        yield lookup(_known_partnership, user, entry.partnership_id)


def _entry(user: User, pk: int) -> QuerySet[Entry]:
    entries = Entry.objects.visible_to(user).select_related("organisation", "partnership", "created_by")
    return entries.filter(pk=pk)


def _named(organisations: list[int]) -> QuerySet[Organisation]:
    return Organisation.objects.filter(pk__in=organisations).order_by("name", "pk")


def _areas(entry: int) -> QuerySet[Area]:
    return Area.objects.filter(entries=entry).order_by("name", "pk")


@require_POST
def stakeholders(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose whether stakeholders without an account hear about the ask or offer."""
    user = signed_in(request)
    opened_entry = get_object_or_404(Entry.objects.visible_to(user), pk=pk)
    tell = request.POST.get("tell") == "yes"
    entry = services.tell_stakeholders(entry=opened_entry, tell=tell, author=user, now=timezone.now())
    messages.success(
        request,
        "Stakeholders will be told about it from now on." if tell else "Stakeholders will no longer be told about it.",
    )
    return redirect(entry)


def _facilitators(entry: Entry, user: User, *, shown: bool) -> list[EntryFacilitator]:
    """The facilitators, for both sides; others see themselves alone."""
    return [row for row in rows_for(_facilitators_of, entry.pk) if shown or row.person_id == user.pk]


def _facilitators_of(entry: int) -> QuerySet[EntryFacilitator]:
    return EntryFacilitator.objects.filter(entry=entry).named().for_listing().order_by("named_at", "pk")


def _receipts(entry: Entry, user: User, rights: Rights) -> list[Receipt]:
    receipts = rows_for(_receipts_of, user, entry.pk)
    for receipt in receipts:
        # Only their own organisation sees who it was referred to, and the message.
        if not rights.roles.act_for(receipt.organisation_id):
            receipt.referred_to, receipt.note = None, ""
    return receipts


def _receipts_of(user: User, entry: int) -> QuerySet[Receipt]:
    return (
        Receipt.objects.visible_to(user)
        .filter(entry=entry)
        .select_related("organisation", "referred_to", "acknowledged_by", "declined_by")
        .order_by("pk")
    )


def _responses(entry: Entry, user: User) -> list[Response]:
    """The answers, with `counterpart_seen` where the reader can see it."""
    responses = rows_for(_responses_to, user, entry.pk)
    ids = [response.pk for response in responses]
    groups = {row.response_id: row.partnership for row in rows_for(_groups, user, ids)} if ids else {}
    seen = set(rows_for(_counterparts, user, ids)) if any(response.counterpart_id for response in responses) else set()
    for response in responses:
        response.group_seen = groups.get(response.pk)  # type: ignore[attr-defined]  # for the page only
        response.counterpart_seen = response.counterpart_id in seen  # type: ignore[attr-defined]  # for the page only
    return responses


def _responses_to(user: User, entry: int) -> QuerySet[Response]:
    return (
        Response.objects.visible_to(user)
        .filter(entry=entry)
        .select_related("organisation", "author", "counterpart", "decided_by", "entry")
        .order_by("made_at", "pk")
    )


def _groups(user: User, responses: list[int]) -> QuerySet[AnswerGroup]:
    return AnswerGroup.objects.visible_to(user).filter(response__in=responses).select_related("partnership")


def _counterparts(user: User, responses: list[int]) -> QuerySet[Entry, int]:
    return Entry.objects.visible_to(user).filter(answering__in=responses).order_by().values_list("pk", flat=True)


def _questions(user: User, entry: int) -> QuerySet[Question]:
    return (
        Question.objects.visible_to(user)
        .filter(entry=entry)
        .select_related("organisation", "author", "answered_by")
        .order_by("asked_at", "pk")
    )


def _fulfilments(user: User, entry: int) -> QuerySet[Fulfilment]:
    return (
        Fulfilment.objects.visible_to(user)
        .filter(entry=entry)
        .select_related(
            "entry",
            "response",
            "commitment__giver",
            "commitment__receiver",
            "commitment__owner",
            "commitment__owner_organisation",
        )
        .order_by("pk")
    )


def _introductions(user: User, entry: int) -> QuerySet[Introduction]:
    return (
        Introduction.objects.visible_to(user)
        .filter(Q(ask=entry) | Q(offer=entry))
        .select_related("ask__organisation", "offer__organisation", "organisation", "author")
        .order_by("at", "pk")
    )


def _introduced(introduction: Introduction) -> tuple[Organisation, ...]:
    return introduction.organisation, introduction.ask.organisation, introduction.offer.organisation


def _promised(fulfilments: Iterable[Fulfilment]) -> set[int]:
    """Ids of accepted answers that open commitments cover completely."""
    shares: dict[int, Decimal] = {}
    promised: dict[int, Decimal] = {}
    for row in fulfilments:
        if row.answer_id is not None and row.response is not None and row.commitment.status not in _ENDED:
            promised[row.answer_id] = row.response.agreed_quantity or Decimal(0)
            shares[row.answer_id] = shares.get(row.answer_id, Decimal(0)) + (row.share or Decimal(0))
    return {answer for answer, share in shares.items() if share >= promised[answer]}


def _lines(request: HttpRequest, entry: Entry, user: User) -> list[TimelineLine]:
    """Events of the entry and its answers, newest first, without its title."""
    events = newest_events(user, kind="entry", record_id=entry.pk, count=_EVENTS)
    if is_reading(request):
        shown = [event.pk for event in events]
        note_events_seen(person_id=user.pk, kind="entry", record_id=entry.pk, events=shown, now=timezone.now())
    return [replace(line, subject="") for line in timeline_lines(events)]


def _partnership(entry: Entry, user: User) -> Partnership | None:
    """Its partnership, if the reader can see that."""
    if entry.partnership_id is None:
        return None
    return next(iter(rows_for(_known_partnership, user, entry.partnership_id)), None)


def _known_partnership(user: User, pk: int) -> QuerySet[Partnership]:
    return Partnership.objects.visible_to(user).filter(pk=pk)


def _addressed(user: User, entry: int, *, own: bool) -> QuerySet[Organisation]:
    """The organisations it names; others who were asked see only themselves."""
    organisations = Organisation.objects.filter(addressed__entry=entry).order_by("name", "pk")
    return organisations if own else organisations.filter(pk__in=Organisation.objects.of_person(user))


def _all_receipts(entry: int) -> QuerySet[Receipt]:
    return Receipt.objects.filter(entry=entry)


def _all_responses(entry: int) -> QuerySet[Response]:
    return Response.objects.filter(entry=entry)


def _all_questions(entry: int) -> QuerySet[Question]:
    return Question.objects.filter(entry=entry)


def _all_fulfilments(entry: int) -> QuerySet[Fulfilment]:
    return Fulfilment.objects.filter(entry=entry)


def _all_introductions(entry: int) -> QuerySet[Introduction]:
    return Introduction.objects.filter(Q(ask=entry) | Q(offer=entry))


def _all_addressees(entry: int) -> QuerySet[Addressee]:
    return Addressee.objects.filter(entry=entry)


#: How each kind of row is read for a reader.
_READ: dict[RowsAbout, Callable[[User, int], QuerySet[Any]]] = {
    _all_receipts: _receipts_of,
    _all_responses: _responses_to,
    _all_questions: _questions,
    _all_fulfilments: _fulfilments,
    _all_introductions: _introductions,
}
#: What an ask or offer may have, for its reader or others.
_ABOUT = (
    _all_receipts,
    _all_responses,
    _all_questions,
    _all_fulfilments,
    _all_introductions,
    _all_addressees,
    _areas,
    _facilitators_of,
)
