"""What the exchange adds to a person's work: answers and decisions due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

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
from partnerships.kit.waiting import MAX_LISTED, InOrder, Waiting, addresses
from partnerships.organisations.audience import EDITORS, Organisations, Reach
from partnerships.organisations.holdings import among
from partnerships.organisations.models import EDITING_ROLES, Membership
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.organisations.waiting import Source
from partnerships.people.models import User

#: Reaches editors of the organisation whose entry the row is about.
_ASKERS = (Organisations("entry__organisation", roles=EDITING_ROLES),)
_UNDECIDED = Reach(Response.objects.waiting(), _ASKERS)
_QUESTIONS = Reach(Question.objects.open().filter(entry__is_open=True), _ASKERS)
#: Entries that need an answer from the organisations they ask.
_TO_ANSWER = Q(is_open=True, standing=False, shared_at__isnull=False)


def _owes_answer(entry: OuterRef, body: OuterRef) -> Q:
    """The condition that an organisation neither answered nor declined."""
    answers = Response.objects.filter(entry=entry, organisation=body).exclude(status=ResponseStatus.WITHDRAWN)
    declined = Receipt.objects.filter(entry=entry, organisation=body).exclude(declined_at=None)
    return ~Exists(answers) & ~Exists(declined)


def unanswered_for(user: User) -> EntryQuerySet:
    """Entries that an organisation the person edits for has not answered.

    Each organisation answers for itself. What was referred to a colleague waits for that colleague alone, while they
    may answer it; `referred_by_name` says who referred it to this person.
    """
    named, asked = _unanswered_by_way(user)
    return _with_referrer(user, Entry.objects.filter(pk__in=named.values("pk").union(asked.values("pk"))))


def _unanswered_by_way(user: User) -> tuple[EntryQuerySet, EntryQuerySet]:
    """`unanswered_for` in two: entries for named ones, and for partnerships.

    An entry may wait for several organisations of the person, and is then among the second ones several times.
    """
    organisations = Membership.objects.organisations_of(user, *EDITING_ROLES)
    named = Addressee.objects.filter(
        _waits_for(user, OuterRef("entry"), OuterRef("organisation")),
        organisation__in=organisations,
        entry__in=Entry.objects.filter(_TO_ANSWER, audience=Audience.NAMED),
    ).exclude(organisation=F("entry__organisation"))
    asked = (
        Entry.objects.filter(
            _TO_ANSWER,
            audience=Audience.PARTNERSHIP,
            partnership__parties__status=PartyStatus.ACCEPTED,
            partnership__parties__role__in=DECIDING_ROLES,
            partnership__parties__organisation__in=organisations,
        )
        .annotate(body=F("partnership__parties__organisation"))
        .exclude(organisation=F("body"))
        .filter(_waits_for(user, OuterRef("pk"), OuterRef("body")))
    )
    return Entry.objects.filter(pk__in=named.values("entry")), asked


def _with_referrer(user: User, entries: EntryQuerySet) -> EntryQuerySet:
    """With `referred_by_name`."""
    organisations = Membership.objects.organisations_of(user, *EDITING_ROLES)
    receipts = Receipt.objects.filter(entry=OuterRef("pk"), referred_to=user, organisation__in=organisations)
    return entries.annotate(
        referred_by_name=Subquery(receipts.order_by("-referred_at").values("referred_by__name")[:1])
    )


def _waits_for(user: User, entry: OuterRef, body: OuterRef) -> Q:
    """The condition that an organisation owes an answer, and not by a colleague."""
    able = Membership.objects.current().filter(
        person=OuterRef("referred_to"), organisation=OuterRef("organisation"), role__in=EDITING_ROLES
    )
    referred = Receipt.objects.filter(entry=entry, organisation=body, referred_to__isnull=False)
    return _owes_answer(entry, body) & Q(~Exists(referred.exclude(referred_to=user).filter(Exists(able))))


def _unanswered(now: dt.datetime) -> tuple[Reach, ...]:
    """Organisations that still need to answer an entry."""
    entries = Entry.objects.filter(_TO_ANSWER)
    addressees = Addressee.objects.filter(
        _owes_answer(OuterRef("entry"), OuterRef("organisation")), entry__in=entries.filter(audience=Audience.NAMED)
    )
    owed = entries.filter(
        _owes_answer(OuterRef("pk"), OuterRef(OuterRef("organisation"))),
        audience=Audience.PARTNERSHIP,
        partnership=OuterRef("partnership"),
    ).exclude(organisation=OuterRef("organisation"))
    parties = Party.objects.present().exclude(role=PartyRole.OBSERVER).filter(Exists(owed))
    return Reach(addressees, EDITORS), Reach(parties, EDITORS)


def responses_to_decide(user: User) -> list[Response]:
    """Answers that the person's organisations must decide, oldest first."""
    return rows_for(_undecided_for, user)


def _undecided_for(user: User) -> QuerySet[Response]:
    return _UNDECIDED.of(user).select_related("entry__partnership", "organisation").order_by("made_at", "pk")


def questions_to_answer(user: User) -> list[Question]:
    """Questions that the person's organisations must answer, oldest first."""
    return rows_for(_questions_for, user)


def _questions_for(user: User) -> QuerySet[Question]:
    return _QUESTIONS.of(user).select_related("entry__partnership", "organisation").order_by("asked_at", "pk")


def _answers_for(user: User) -> QuerySet[Entry, tuple[Any, ...]]:
    day = Least(Coalesce("closes_on", Value(dt.date.max)), TruncDate("shared_at", tzinfo=dt.UTC))
    # Joined as rows, not as ids: thousands of entries would be looked up twice.
    named, asked = (
        entries.annotate(day=day).values_list("id", "title", "shared_at", "closes_on", "status", "day")
        for entries in _unanswered_by_way(user)
    )
    return named.union(asked).order_by("day", "shared_at", "id")[:MAX_LISTED]


def _asking(user: User, entries: list[int]) -> QuerySet[Entry, tuple[Any, ...]]:
    """Who asks in these entries, who referred them to this person, and within which partnership."""
    entries_asked: Any = _with_referrer(user, Entry.objects.filter(among("pk", entries)))
    rows: QuerySet[Entry, tuple[Any, ...]] = entries_asked.values_list(
        "pk",
        "direction",
        "organisation__short_name",
        "organisation__name",
        "referred_by_name",
        "partnership__title",
    )
    return rows


@dataclass(frozen=True, slots=True)
class _WithAskers:
    """Says who asks."""

    user: User

    def __call__(self, waiting: Sequence[Waiting]) -> list[Waiting]:
        """The same rows, with who asks, who referred it, and within which partnership."""
        words = {
            pk: (_answer_this(direction, short_name or name, giver), within or "")
            for pk, direction, short_name, name, giver, within in rows_for(
                _asking, self.user, [task.number for task in waiting]
            )
        }
        return [replace(task, what=words[task.number][0], within=words[task.number][1]) for task in waiting]

    def lookups(self, waiting: Sequence[Waiting]) -> list[Lookup]:
        """Who asks."""
        return [lookup(_asking, self.user, [task.number for task in waiting])]


def _answers_wanted(user: User, now: dt.datetime) -> InOrder:
    """Asks and offers that wait for an answer of the person's organisations."""
    address, labels, complete = addresses("exchange:detail"), dict(Status.choices), _WithAskers(user)

    def make(row: tuple[Any, ...]) -> Waiting:
        pk, title, shared_at, closes_on, status, _ = row
        return Waiting(
            what="Answer this",
            title=title,
            path=address(pk),
            since=shared_at,
            due=closes_on,
            status=status,
            status_label=str(labels[status]),
            number=pk,
            complete=complete,
        )

    return InOrder(rows_for(_answers_for, user), make, due=itemgetter(3))


def _answer_this(direction: str, asker: str, giver: str | None) -> str:
    """`Answer this ask from Larkhaven Homes`, and who referred it, if anyone."""
    words = f"this {'ask' if direction == Direction.ASK else 'offer'} from {asker}"
    return f"Answer {words}, which {giver} referred to you" if giver else f"Answer {words}"


def _decisions_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    return [
        Waiting(
            what=f"Accept or decline the answer from {response.organisation.display_name}",
            title=response.entry.title,
            path=f"{reverse('exchange:detail', args=[response.entry_id])}#response-{response.pk}",
            since=response.made_at,
            within=response.entry.partnership.title if response.entry.partnership else "",
        )
        for response in responses_to_decide(user)
    ]


def _words_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    return [
        Waiting(
            what=f"Answer the question from {question.organisation.display_name}",
            title=question.entry.title,
            path=f"{reverse('exchange:detail', args=[question.entry_id])}#question-{question.pk}",
            since=question.asked_at,
            within=question.entry.partnership.title if question.entry.partnership else "",
        )
        for question in questions_to_answer(user)
    ]


#: What the exchange adds to My work: entries to answer, answers to decide, questions to answer.
WAITING = (
    Source(_answers_wanted, _unanswered, is_usual=True, lookups=lambda user, _: (lookup(_answers_for, user),)),
    Source(_decisions_wanted, lambda _: (_UNDECIDED,), lookups=lambda user, _: (lookup(_undecided_for, user),)),
    Source(_words_wanted, lambda _: (_QUESTIONS,), lookups=lambda user, _: (lookup(_questions_for, user),)),
)
