"""The records about one ask or offer, as its page shows them to one reader."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, TypedDict

from django.db.models import Q, QuerySet

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
from partnerships.exchange.rights import Rights
from partnerships.organisations.models import Area, Organisation
from partnerships.organisations.statements import (
    Lookup,
    RowsAbout,
    lookup,
    rows_for,
)
from partnerships.people.models import User


class Rows(TypedDict):
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


def rows_about(entry: Entry, user: User, rights: Rights, existing_kinds: Collection[RowsAbout]) -> Rows:
    """Return the records about the entry. A kind without any record for the entry is not queried."""
    pk = entry.pk
    rows: Rows = {
        "answering": [],
        "receipts": [],
        "responses": [],
        "questions": [],
        "fulfilments": [],
        "introductions": [],
        "addressees": [],
        "areas": [],
        "facilitators": [],
    }
    answering_ids = sorted(rights.answers_for)
    if answering_ids:
        rows["answering"] = rows_for(_organisations, answering_ids)
    if _all_receipts in existing_kinds:
        rows["receipts"] = _receipts(entry, user, rights)
    if _all_responses in existing_kinds:
        rows["responses"] = _responses(entry, user)
    if _all_questions in existing_kinds:
        rows["questions"] = rows_for(_questions, user, pk)
    if _all_fulfilments in existing_kinds:
        rows["fulfilments"] = rows_for(_fulfilments, user, pk)
    if _all_introductions in existing_kinds:
        rows["introductions"] = rows_for(_introductions, user, pk)
    if _all_addressees in existing_kinds:
        rows["addressees"] = rows_for(_addressees, user, pk, is_own=rights.is_own)
    if _areas in existing_kinds:
        rows["areas"] = rows_for(_areas, pk)
    if _facilitators_of in existing_kinds:
        is_on_either_side = rights.may_edit or bool(answering_ids)
        rows["facilitators"] = _facilitators(entry, user, shows_all=is_on_either_side)
    return rows


def lookups_of_rows(
    entry: Entry, user: User, existing_kinds: Collection[RowsAbout], rights: Rights
) -> Iterator[Lookup]:
    """Yield the lookups that `rows_about` makes, for `read_ahead`."""
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


def _organisations(ids: list[int]) -> QuerySet[Organisation]:
    """Return the organisations with these ids, ordered by name."""
    return Organisation.objects.filter(pk__in=ids).order_by("name", "pk")


def _areas(entry_id: int) -> QuerySet[Area]:
    """Return the areas of the entry, ordered by name."""
    return Area.objects.filter(entries=entry_id).order_by("name", "pk")


def _facilitators(entry: Entry, user: User, *, shows_all: bool) -> list[EntryFacilitator]:
    """Return all facilitators to people of both sides, and to other people only themselves."""
    facilitators = rows_for(_facilitators_of, entry.pk)
    return [facilitator for facilitator in facilitators if shows_all or facilitator.person_id == user.pk]


def _facilitators_of(entry_id: int) -> QuerySet[EntryFacilitator]:
    """Return all present facilitators of the entry, in the order in which they were named."""
    return EntryFacilitator.objects.filter(entry=entry_id).active().for_listing().order_by("named_at", "pk")


def _receipts(entry: Entry, user: User, rights: Rights) -> list[Receipt]:
    """Return the receipts: which organisations have seen the entry, referred it to a colleague or declined it."""
    receipts = rows_for(_receipts_of, user, entry.pk)
    for receipt in receipts:
        # Only the referring organisation may see the colleague and the message to them.
        if not rights.roles.acts_for(receipt.organisation_id):
            receipt.referred_to, receipt.note = None, ""
    return receipts


def _receipts_of(user: User, entry_id: int) -> QuerySet[Receipt]:
    """Return the receipts that the person may see."""
    return (
        Receipt.objects.visible_to(user)
        .filter(entry=entry_id)
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


def _responses_to(user: User, entry_id: int) -> QuerySet[Response]:
    """Return the answers that the person may see, oldest first."""
    return (
        Response.objects.visible_to(user)
        .filter(entry=entry_id)
        .select_related("organisation", "author", "counterpart", "decided_by", "entry")
        .order_by("made_at", "pk")
    )


def _groups(user: User, responses: list[int]) -> QuerySet[AnswerGroup]:
    """Return the working groups that were started from these answers, if the person may see them."""
    return AnswerGroup.objects.visible_to(user).filter(response__in=responses).select_related("partnership")


def _visible_counterparts(user: User, responses: list[int]) -> QuerySet[Entry, int]:
    """Return the ids of the entries that these answers name as their counterparts, if the person may see them."""
    return Entry.objects.visible_to(user).filter(answering__in=responses).order_by().values_list("pk", flat=True)


def _questions(user: User, entry_id: int) -> QuerySet[Question]:
    """Return the questions that the person may see, oldest first."""
    return (
        Question.objects.visible_to(user)
        .filter(entry=entry_id)
        .select_related("organisation", "author", "answered_by")
        .order_by("asked_at", "pk")
    )


def _fulfilments(user: User, entry_id: int) -> QuerySet[Fulfilment]:
    """Return the commitments linked to the entry that the person may see, each with its giver, receiver and owner."""
    return (
        Fulfilment.objects.visible_to(user)
        .filter(entry=entry_id)
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


def _introductions(user: User, entry_id: int) -> QuerySet[Introduction]:
    """Return the introductions of the entry to other entries that the person may see, oldest first."""
    return (
        Introduction.objects.visible_to(user)
        .filter(Q(ask=entry_id) | Q(offer=entry_id))
        .select_related("ask__organisation", "offer__organisation", "organisation", "author")
        .order_by("at", "pk")
    )


def _addressees(user: User, entry_id: int, *, is_own: bool) -> QuerySet[Organisation]:
    """Return the organisations that the entry names. Other organisations than its own see only themselves."""
    organisations = Organisation.objects.filter(addressed__entry=entry_id).order_by("name", "pk")
    if is_own:
        return organisations
    return organisations.filter(pk__in=Organisation.objects.of_person(user))


# The functions below return all rows of a kind, not only those that the person may see. The page first asks, in one
# query for all kinds, which kinds have any rows, and then reads only these.


def _all_receipts(entry_id: int) -> QuerySet[Receipt]:
    return Receipt.objects.filter(entry=entry_id)


def _all_responses(entry_id: int) -> QuerySet[Response]:
    return Response.objects.filter(entry=entry_id)


def _all_questions(entry_id: int) -> QuerySet[Question]:
    return Question.objects.filter(entry=entry_id)


def _all_fulfilments(entry_id: int) -> QuerySet[Fulfilment]:
    return Fulfilment.objects.filter(entry=entry_id)


def _all_introductions(entry_id: int) -> QuerySet[Introduction]:
    return Introduction.objects.filter(Q(ask=entry_id) | Q(offer=entry_id))


def _all_addressees(entry_id: int) -> QuerySet[Addressee]:
    return Addressee.objects.filter(entry=entry_id)


#: The query for the rows that a reader may see, by the query for all rows of the kind.
_READABLE_ROWS: dict[RowsAbout, Callable[[User, int], QuerySet[Any]]] = {
    _all_receipts: _receipts_of,
    _all_responses: _responses_to,
    _all_questions: _questions,
    _all_fulfilments: _fulfilments,
    _all_introductions: _introductions,
}
#: The kinds of rows that an ask or offer may have, whether or not the reader may see them.
KINDS_OF_ROWS = (
    _all_receipts,
    _all_responses,
    _all_questions,
    _all_fulfilments,
    _all_introductions,
    _all_addressees,
    _areas,
    _facilitators_of,
)
