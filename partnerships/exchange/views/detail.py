"""The page of one ask or offer."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
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

#: The page shows this many events, the newest.
_MAX_EVENTS = 30
#: Statuses in which a commitment no longer promises anything.
_ENDED = (CommitmentStatus.CANCELLED, CommitmentStatus.SUPERSEDED)


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one ask or offer with its answers, questions, commitments and history."""
    user = signed_in(request)
    # Each `read_ahead` sends several queries at once; `rows_for` and `with_rows` then return the rows of these queries.
    read_ahead(
        [
            lookup(_entry, user, pk),
            rows_lookup(pk, *_KINDS_OF_ROWS),
            newest_events_lookup(user, kind="entry", record_id=pk, count=_MAX_EVENTS),
        ]
    )
    entry_rows = rows_for(_entry, user, pk)
    if not entry_rows:
        raise Http404
    entry = entry_rows[0]

    rights = rights_over(entry, user, timezone.now())
    existing_kinds = with_rows(pk, *_KINDS_OF_ROWS)
    read_ahead(_lookups(entry, user, existing_kinds, rights))
    rows = _rows(entry, user, rights, existing_kinds)
    _name_as_at(entry, rows)
    context = {
        "entry": entry,
        "own": rights.is_own,
        **rows,
        **_permissions(entry, user, rights, rows),
        "promised": _fully_promised(rows["fulfilments"]),
        "partnership": _partnership(entry, user),
        "matches": count_matches(reader_of(user), [entry]).get(entry.pk),
        "today": timezone.localdate(),
        "lines": _timeline(request, entry, user),
        "sections": ON_ENTRIES.of(user, entry),
        "came_from": links_of(entry, user) if entry.partnership_id else [],
    }
    return render(request, "exchange/detail.html", context)


class _Rows(TypedDict):
    """The records about an ask or offer that one reader may see, by the names that the template uses."""

    answering: list[Organisation]
    receipts: list[Receipt]
    responses: list[Response]
    questions: list[Question]
    fulfilments: list[Fulfilment]
    introductions: list[Introduction]
    addressees: list[Organisation]
    areas: list[Area]
    facilitators: list[EntryFacilitator]


def _rows(entry: Entry, user: User, rights: Rights, existing_kinds: Collection[RowsAbout]) -> _Rows:
    """Return the records about the entry. A kind without any record for the entry is not queried."""
    pk = entry.pk
    answering_ids = sorted(rights.answers_for)
    is_on_either_side = rights.may_edit or bool(answering_ids)
    return {
        "answering": rows_for(_organisations, answering_ids) if answering_ids else [],
        "receipts": _receipts(entry, user, rights) if _all_receipts in existing_kinds else [],
        "responses": _responses(entry, user) if _all_responses in existing_kinds else [],
        "questions": rows_for(_questions, user, pk) if _all_questions in existing_kinds else [],
        "fulfilments": rows_for(_fulfilments, user, pk) if _all_fulfilments in existing_kinds else [],
        "introductions": rows_for(_introductions, user, pk) if _all_introductions in existing_kinds else [],
        "addressees": rows_for(_addressees, user, pk, is_own=rights.is_own)
        if _all_addressees in existing_kinds
        else [],
        "areas": rows_for(_areas, pk) if _areas in existing_kinds else [],
        "facilitators": (
            _facilitators(entry, user, shows_all=is_on_either_side) if _facilitators_of in existing_kinds else []
        ),
    }


def _name_as_at(entry: Entry, rows: _Rows) -> None:
    """Name every organisation on the page as on the day of its record."""
    dated_organisations: list[tuple[dt.datetime | None, Organisation]] = [
        *((response.made_at, response.organisation) for response in rows["responses"]),
        *((question.asked_at, question.organisation) for question in rows["questions"]),
        *((receipt.acknowledged_at or receipt.declined_at, receipt.organisation) for receipt in rows["receipts"]),
    ]
    for introduction in rows["introductions"]:
        sides = (introduction.organisation, introduction.ask.organisation, introduction.offer.organisation)
        dated_organisations += ((introduction.at, organisation) for organisation in sides)

    commitments_as_at(row.commitment for row in rows["fulfilments"])
    name_as_at(
        [entry],
        beside=((timezone.localdate(at) if at else None, organisation) for at, organisation in dated_organisations),
        asked=((entry, organisation) for organisation in rows["addressees"]),
    )


def _permissions(entry: Entry, user: User, rights: Rights, rows: _Rows) -> dict[str, Any]:
    """Return what the reader may do with the entry, and how many questions they still have to answer."""
    answering, responses = rows["answering"], rows["responses"]
    edited_ids = rights.roles.edited_among(rights.roles.by_organisation)
    answered_ids = {response.organisation_id for response in responses if response.is_waiting}
    receipt_ids = {receipt.organisation_id for receipt in rows["receipts"]}
    is_editor = entry.organisation_id in edited_ids
    leads_a_side = any(rights.roles.led & {entry.organisation_id, response.organisation_id} for response in responses)
    return {
        "may_edit": rights.may_edit,
        "editing": edited_ids,
        "may_respond": entry.is_open and any(organisation.pk not in answered_ids for organisation in answering),
        "may_decline": entry.is_open and not entry.is_for_network and bool(answering),
        "unseen": any(organisation.pk not in receipt_ids for organisation in answering),
        "may_commit": is_editor or any(response.organisation_id in edited_ids for response in responses),
        "may_start_group": entry.partnership_id is not None and leads_a_side,
        "questions_waiting": sum(not question.is_answered for question in rows["questions"]) if is_editor else 0,
        "may_tell_stakeholders": not entry.is_draft and leads_a_party(user, entry.partnership_id),
    }


def _lookups(entry: Entry, user: User, existing_kinds: Collection[RowsAbout], rights: Rights) -> Iterator[Lookup]:
    """Yield the lookups that `_rows` and `_partnership` make, for `read_ahead`."""
    for kind, readable_rows in _READABLE_ROWS.items():
        if kind in existing_kinds:
            yield lookup(readable_rows, user, entry.pk)
    yield lookup(_organisations, sorted(rights.answers_for))
    if _all_addressees in existing_kinds:
        yield lookup(_addressees, user, entry.pk, is_own=rights.is_own)
    if _areas in existing_kinds:
        yield lookup(_areas, entry.pk)
    if _facilitators_of in existing_kinds:
        yield lookup(_facilitators_of, entry.pk)
    if entry.partnership_id is not None:
        yield lookup(_visible_partnership, user, entry.partnership_id)


def _entry(user: User, pk: int) -> QuerySet[Entry]:
    entries = Entry.objects.visible_to(user).select_related("organisation", "partnership", "created_by")
    return entries.filter(pk=pk)


def _organisations(ids: list[int]) -> QuerySet[Organisation]:
    """Return the organisations with these ids, ordered by name."""
    return Organisation.objects.filter(pk__in=ids).order_by("name", "pk")


def _areas(entry: int) -> QuerySet[Area]:
    return Area.objects.filter(entries=entry).order_by("name", "pk")


@require_POST
def stakeholders(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose whether digests tell stakeholders without an account about the ask or offer."""
    user = signed_in(request)
    visible_entry = get_object_or_404(Entry.objects.visible_to(user), pk=pk)
    tell = request.POST.get("tell") == "yes"
    entry = services.tell_stakeholders(entry=visible_entry, tell=tell, author=user, now=timezone.now())
    if tell:
        messages.success(request, f"We will tell stakeholders about this {entry.noun} from now on.")
    else:
        messages.success(request, f"We will no longer tell stakeholders about this {entry.noun}.")
    return redirect(entry)


def _facilitators(entry: Entry, user: User, *, shows_all: bool) -> list[EntryFacilitator]:
    """Return all facilitators to people of both sides, and to other people only themselves."""
    facilitators = rows_for(_facilitators_of, entry.pk)
    return [facilitator for facilitator in facilitators if shows_all or facilitator.person_id == user.pk]


def _facilitators_of(entry: int) -> QuerySet[EntryFacilitator]:
    return EntryFacilitator.objects.filter(entry=entry).named().for_listing().order_by("named_at", "pk")


def _receipts(entry: Entry, user: User, rights: Rights) -> list[Receipt]:
    receipts = rows_for(_receipts_of, user, entry.pk)
    for receipt in receipts:
        # Only the referring organisation may see the colleague and the message to them.
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
    """Return the answers, each with its working group and whether its counterpart is visible to the reader."""
    responses = rows_for(_responses_to, user, entry.pk)
    response_ids = [response.pk for response in responses]
    groups = rows_for(_groups, user, response_ids) if response_ids else []
    group_by_response = {group.response_id: group.partnership for group in groups}
    visible_counterparts: set[int] = set()
    if any(response.counterpart_id for response in responses):
        visible_counterparts = set(rows_for(_visible_counterparts, user, response_ids))
    for response in responses:
        # Only the template uses these two attributes.
        response.group_seen = group_by_response.get(response.pk)  # type: ignore[attr-defined]
        response.counterpart_seen = response.counterpart_id in visible_counterparts  # type: ignore[attr-defined]
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


def _visible_counterparts(user: User, responses: list[int]) -> QuerySet[Entry, int]:
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


def _fully_promised(fulfilments: Iterable[Fulfilment]) -> set[int]:
    """Return the ids of the accepted answers that open commitments cover completely."""
    agreed_by_answer: dict[int, Decimal] = {}
    promised_by_answer: defaultdict[int, Decimal] = defaultdict(Decimal)
    for fulfilment in fulfilments:
        answer_id, response = fulfilment.answer_id, fulfilment.response
        if answer_id is None or response is None or fulfilment.commitment.status in _ENDED:
            continue
        agreed_by_answer[answer_id] = response.agreed_quantity or Decimal(0)
        promised_by_answer[answer_id] += fulfilment.share or Decimal(0)
    return {answer for answer, agreed in agreed_by_answer.items() if promised_by_answer[answer] >= agreed}


def _timeline(request: HttpRequest, entry: Entry, user: User) -> list[TimelineLine]:
    """Return the events of the entry and its answers, newest first, without the entry's title.

    The events count as seen by the reader if a person reads the page, and not a program.
    """
    events = newest_events(user, kind="entry", record_id=entry.pk, count=_MAX_EVENTS)
    if is_reading(request):
        event_ids = [event.pk for event in events]
        note_events_seen(person_id=user.pk, kind="entry", record_id=entry.pk, events=event_ids, now=timezone.now())
    return [replace(line, subject="") for line in timeline_lines(events)]


def _partnership(entry: Entry, user: User) -> Partnership | None:
    """Return the partnership of the entry, if the reader can see it."""
    if entry.partnership_id is None:
        return None
    return next(iter(rows_for(_visible_partnership, user, entry.partnership_id)), None)


def _visible_partnership(user: User, pk: int) -> QuerySet[Partnership]:
    return Partnership.objects.visible_to(user).filter(pk=pk)


def _addressees(user: User, entry: int, *, is_own: bool) -> QuerySet[Organisation]:
    """Return the organisations that the entry names. Other organisations than its own see only themselves."""
    organisations = Organisation.objects.filter(addressed__entry=entry).order_by("name", "pk")
    return organisations if is_own else organisations.filter(pk__in=Organisation.objects.of_person(user))


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


#: The query for the rows that a reader may see, by the query for all rows of the kind.
_READABLE_ROWS: dict[RowsAbout, Callable[[User, int], QuerySet[Any]]] = {
    _all_receipts: _receipts_of,
    _all_responses: _responses_to,
    _all_questions: _questions,
    _all_fulfilments: _fulfilments,
    _all_introductions: _introductions,
}
#: The kinds of rows that an ask or offer may have, whether or not the reader may see them.
_KINDS_OF_ROWS = (
    _all_receipts,
    _all_responses,
    _all_questions,
    _all_fulfilments,
    _all_introductions,
    _all_addressees,
    _areas,
    _facilitators_of,
)
