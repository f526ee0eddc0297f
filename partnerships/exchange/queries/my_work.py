"""The tasks in My work to answer entries and questions, and to decide about answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Least, TruncDate
from django.urls import reverse

from partnerships.agreements.models import DECIDING_ROLES, Party, PartyRole, PartyStatus
from partnerships.exchange.models import (
    Addressee,
    Audience,
    Direction,
    Entry,
    EntryQuerySet,
    Question,
    Receipt,
    Response,
    ResponseStatus,
    Status,
)
from partnerships.kit.addresses import page_address
from partnerships.kit.waiting import MAX_LISTED, TaskRows, WaitingTask
from partnerships.organisations.audience import EDITORS, Organisations, Reach
from partnerships.organisations.holdings import id_is_among
from partnerships.organisations.models import EDITING_ROLES, Membership
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.organisations.waiting import TaskSource
from partnerships.people.models import User

#: The route from a record about an entry to the editors of the entry's organisation.
_EDITORS_OF_ENTRY = (Organisations("entry__organisation", roles=EDITING_ROLES),)
_UNDECIDED = Reach(Response.objects.waiting(), _EDITORS_OF_ENTRY)
_QUESTIONS = Reach(Question.objects.unanswered().filter(entry__is_open=True), _EDITORS_OF_ENTRY)
#: The condition on entries that need an answer from the organisations they ask.
_TO_ANSWER = Q(is_open=True, standing=False, shared_at__isnull=False)


def _owes_answer(entry: OuterRef, organisation: OuterRef) -> Q:
    """Return the condition that an organisation has neither answered nor declined an entry."""
    answers = Response.objects.filter(entry=entry, organisation=organisation).exclude(status=ResponseStatus.WITHDRAWN)
    declines = Receipt.objects.filter(entry=entry, organisation=organisation).exclude(declined_at=None)
    return ~Exists(answers) & ~Exists(declines)


def unanswered_for(user: User) -> EntryQuerySet:
    """Return the entries that the person should answer for the organisations where they are an editor or lead.

    If an entry was referred to a colleague, only this colleague should answer it, while they are an editor or lead.
    `referred_by_name` is the name of the colleague who referred an entry to this person.
    """
    for_named, in_partnerships = _unanswered_by_audience(user)
    entry_ids = for_named.values("pk").union(in_partnerships.values("pk"))
    return _with_referrer(user, Entry.objects.filter(pk__in=entry_ids))


def _unanswered_by_audience(user: User) -> tuple[EntryQuerySet, EntryQuerySet]:
    """Return the entries that the person should answer, in two querysets.

    The first has entries that ask organisations by name. The second has entries for a partnership, each once for every
    organisation of the person that should answer it.
    """
    organisations = Membership.objects.organisations_of(user, *EDITING_ROLES)
    addressees = Addressee.objects.filter(
        _waits_for(user, OuterRef("entry"), OuterRef("organisation")),
        organisation__in=organisations,
        entry__in=Entry.objects.filter(_TO_ANSWER, audience=Audience.NAMED),
    ).exclude(organisation=F("entry__organisation"))
    in_partnerships = (
        Entry.objects.filter(
            _TO_ANSWER,
            audience=Audience.PARTNERSHIP,
            partnership__parties__status=PartyStatus.ACCEPTED,
            partnership__parties__role__in=DECIDING_ROLES,
            partnership__parties__organisation__in=organisations,
        )
        .annotate(party_organisation=F("partnership__parties__organisation"))
        .exclude(organisation=F("party_organisation"))
        .filter(_waits_for(user, OuterRef("pk"), OuterRef("party_organisation")))
    )
    return Entry.objects.filter(pk__in=addressees.values("entry")), in_partnerships


def _with_referrer(user: User, entries: EntryQuerySet) -> EntryQuerySet:
    """Add `referred_by_name` to the entries."""
    organisations = Membership.objects.organisations_of(user, *EDITING_ROLES)
    receipts = Receipt.objects.filter(entry=OuterRef("pk"), referred_to=user, organisation__in=organisations)
    return entries.annotate(
        referred_by_name=Subquery(receipts.order_by("-referred_at").values("referred_by__name")[:1])
    )


def _waits_for(user: User, entry: OuterRef, organisation: OuterRef) -> Q:
    """Return the condition that an organisation owes an answer that was not referred to a colleague of the person."""
    membership_of_colleague = Membership.objects.current().filter(
        person=OuterRef("referred_to"), organisation=OuterRef("organisation"), role__in=EDITING_ROLES
    )
    referrals = Receipt.objects.filter(entry=entry, organisation=organisation, referred_to__isnull=False)
    to_colleagues = referrals.exclude(referred_to=user).filter(Exists(membership_of_colleague))
    return _owes_answer(entry, organisation) & Q(~Exists(to_colleagues))


def _organisations_to_answer(now: dt.datetime) -> tuple[Reach, ...]:
    """Return the organisations that should answer an entry, asked by name or as a party, with their editors."""
    entries = Entry.objects.filter(_TO_ANSWER)
    addressees = Addressee.objects.filter(
        _owes_answer(OuterRef("entry"), OuterRef("organisation")), entry__in=entries.filter(audience=Audience.NAMED)
    )
    unanswered_entries = entries.filter(
        _owes_answer(OuterRef("pk"), OuterRef(OuterRef("organisation"))),
        audience=Audience.PARTNERSHIP,
        partnership=OuterRef("partnership"),
    ).exclude(organisation=OuterRef("organisation"))
    parties = Party.objects.accepted().exclude(role=PartyRole.OBSERVER).filter(Exists(unanswered_entries))
    return Reach(addressees, EDITORS), Reach(parties, EDITORS)


def responses_to_decide(user: User) -> list[Response]:
    """Return the answers that the person's organisations must decide about, the oldest first."""
    return rows_for(_undecided_for, user)


def _undecided_for(user: User) -> QuerySet[Response]:
    """Return the answers that the person should decide about, the oldest first."""
    return _UNDECIDED.of(user).select_related("entry__partnership", "organisation").order_by("made_at", "pk")


def questions_to_answer(user: User) -> list[Question]:
    """Return the questions that the person's organisations must answer, the oldest first."""
    return rows_for(_questions_for, user)


def _questions_for(user: User) -> QuerySet[Question]:
    """Return the questions that the person should answer, the oldest first."""
    return _QUESTIONS.of(user).select_related("entry__partnership", "organisation").order_by("asked_at", "pk")


class _EntryRow(NamedTuple):
    """The values of an entry to answer."""

    pk: int
    title: str
    shared_at: dt.datetime
    closes_on: dt.date | None
    status: str
    #: The closing date or the day of sharing, whichever is earlier. Entries are sorted by it.
    day: dt.date


def _answers_for(user: User) -> QuerySet[Entry, tuple[Any, ...]]:
    """Return the fields of `_EntryRow` for the entries that the person should answer, the most urgent first."""
    day = Least(Coalesce("closes_on", Value(dt.date.max)), TruncDate("shared_at", tzinfo=dt.UTC))
    columns = ("id", "title", "shared_at", "closes_on", "status", "day")
    for_named, in_partnerships = _unanswered_by_audience(user)
    values_of_named = for_named.annotate(day=day).values_list(*columns)
    values_in_partnerships = in_partnerships.annotate(day=day).values_list(*columns)
    # The union is of values, not of ids, because thousands of ids would need a second query.
    return values_of_named.union(values_in_partnerships).order_by("day", "shared_at", "id")[:MAX_LISTED]


def _askers(user: User, entry_ids: list[int]) -> QuerySet[Entry, tuple[Any, ...]]:
    """Return the organisation, the referring colleague and the partnership of each of these entries."""
    entries: Any = _with_referrer(user, Entry.objects.filter(id_is_among("pk", entry_ids)))
    askers: QuerySet[Entry, tuple[Any, ...]] = entries.values_list(
        "pk",
        "direction",
        "organisation__short_name",
        "organisation__name",
        "referred_by_name",
        "partnership__title",
    )
    return askers


@dataclass(frozen=True, slots=True)
class _WithAskers:
    """Adds to tasks the organisation that asks, when a page shows them.

    My work may count thousands of tasks but shows only a few, so the rest need no names.
    """

    user: User

    def __call__(self, tasks: Sequence[WaitingTask]) -> list[WaitingTask]:
        """Return the tasks with the asking organisation, the colleague who referred the entry, and the partnership."""
        askers = rows_for(_askers, self.user, [task.record_id for task in tasks])
        texts_by_entry: dict[int, dict[str, Any]] = {}
        for pk, direction, short_name, name, referrer, partnership_title in askers:
            action = _answer_task(direction, asker=short_name or name, referrer=referrer)
            texts_by_entry[pk] = {"action": action, "partnership_title": partnership_title or ""}
        return [replace(task, **texts_by_entry[task.record_id]) for task in tasks]

    def lookups(self, tasks: Sequence[WaitingTask]) -> list[Lookup]:
        """Return the lookup that the call makes, for `read_ahead`."""
        return [lookup(_askers, self.user, [task.record_id for task in tasks])]


def _answers_wanted(user: User, now: dt.datetime) -> TaskRows:
    """Return the tasks to answer asks and offers that the person's organisations have not answered."""
    completer = _WithAskers(user)

    def make_task(entry: _EntryRow) -> WaitingTask:
        """Return the task to answer this entry. `completer` adds who asks."""
        return WaitingTask(
            action="Answer this",
            title=entry.title,
            path=page_address("exchange:detail", entry.pk),
            since=entry.shared_at,
            due=entry.closes_on,
            status=entry.status,
            status_label=str(Status(entry.status).label),
            record_id=entry.pk,
            completer=completer,
        )

    entries = [_EntryRow._make(values) for values in rows_for(_answers_for, user)]
    return TaskRows(entries, make_task, due=attrgetter("closes_on"))


def _answer_task(direction: str, *, asker: str, referrer: str | None) -> str:
    """Return, for example, `Answer this ask from Larkhaven Homes`, with the colleague who referred it, if any."""
    noun = "ask" if direction == Direction.ASK else "offer"
    action = f"Answer this {noun} from {asker}"
    return f"{action}, which {referrer} referred to you" if referrer else action


def _decisions_wanted(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return the tasks to decide about answers to the entries of the person's organisations."""
    return [
        WaitingTask(
            action=f"Accept or decline the answer from {response.organisation.display_name}",
            title=response.entry.title,
            path=f"{reverse('exchange:detail', args=[response.entry_id])}#response-{response.pk}",
            since=response.made_at,
            partnership_title=response.entry.partnership.title if response.entry.partnership else "",
        )
        for response in responses_to_decide(user)
    ]


def _question_answers_wanted(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return the tasks to answer questions about the entries of the person's organisations."""
    return [
        WaitingTask(
            action=f"Answer the question from {question.organisation.display_name}",
            title=question.entry.title,
            path=f"{reverse('exchange:detail', args=[question.entry_id])}#question-{question.pk}",
            since=question.asked_at,
            partnership_title=question.entry.partnership.title if question.entry.partnership else "",
        )
        for question in questions_to_answer(user)
    ]


#: The sources of the tasks about asks and offers in My work.
TASK_SOURCES = (
    TaskSource(
        _answers_wanted, _organisations_to_answer, is_usual=True, lookups=lambda user, _: (lookup(_answers_for, user),)
    ),
    TaskSource(_decisions_wanted, lambda _: (_UNDECIDED,), lookups=lambda user, _: (lookup(_undecided_for, user),)),
    TaskSource(
        _question_answers_wanted, lambda _: (_QUESTIONS,), lookups=lambda user, _: (lookup(_questions_for, user),)
    ),
)
