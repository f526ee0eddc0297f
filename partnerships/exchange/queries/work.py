"""What the exchange adds to a person's work: answers and decisions due."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, OuterRef, Q, Subquery
from django.urls import reverse

from partnerships.agreements.models import Party, PartyRole
from partnerships.exchange.models import (
    Addressee,
    Audience,
    Entry,
    EntryQuerySet,
    Question,
    Receipt,
    Response,
    ResponseStatus,
)
from partnerships.kit.waiting import Waiting
from partnerships.organisations.audience import EDITORS, Organisations, Reach
from partnerships.organisations.models import EDITING_ROLES, Membership
from partnerships.organisations.waiting import Source
from partnerships.people.models import User

#: Reaches editors of the organisation whose entry the row is about.
_ASKERS = (Organisations("entry__organisation", roles=EDITING_ROLES),)
_UNDECIDED = Reach(Response.objects.waiting(), _ASKERS)
_QUESTIONS = Reach(Question.objects.open().filter(entry__is_open=True), _ASKERS)
#: Entries that need an answer from the organisations they ask.
_TO_ANSWER = Q(is_open=True, standing=False)


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
    mine = Membership.objects.current().of_person(user, *EDITING_ROLES)
    entry, body = OuterRef(OuterRef("pk")), OuterRef("organisation")
    receipts = Receipt.objects.filter(entry=entry, organisation=body)
    able = Membership.objects.current().filter(
        person=OuterRef("referred_to"), organisation=OuterRef("organisation"), role__in=EDITING_ROLES
    )
    with_others = receipts.exclude(referred_to=None).exclude(referred_to=user).filter(Exists(able))
    waits = (
        mine.exclude(organisation=OuterRef("organisation"))
        .filter(_owes_answer(entry, body))
        .exclude(Exists(with_others))
    )
    named = Addressee.objects.filter(entry=entry, organisation=body)
    parties = Party.objects.present().exclude(role=PartyRole.OBSERVER)
    party = parties.filter(partnership=OuterRef(OuterRef("partnership")), organisation=body)
    given = Receipt.objects.filter(entry=OuterRef("pk"), referred_to=user, organisation__in=mine.values("organisation"))
    return (
        Entry.objects.addressing(user)
        .filter(
            Q(Exists(waits.filter(Exists(named))), audience=Audience.NAMED)
            | Q(Exists(waits.filter(Exists(party))), audience=Audience.PARTNERSHIP),
            _TO_ANSWER,
        )
        .annotate(referred_by_name=Subquery(given.order_by("-referred_at").values("referred_by__name")[:1]))
    )


def _unanswered(now: dt.datetime) -> tuple[Reach, ...]:
    """Organisations that still need to answer an entry."""
    entries = Entry.objects.filter(_TO_ANSWER)
    named = Addressee.objects.filter(
        _owes_answer(OuterRef("entry"), OuterRef("organisation")), entry__in=entries.filter(audience=Audience.NAMED)
    )
    owed = entries.filter(
        _owes_answer(OuterRef("pk"), OuterRef(OuterRef("organisation"))),
        audience=Audience.PARTNERSHIP,
        partnership=OuterRef("partnership"),
    ).exclude(organisation=OuterRef("organisation"))
    parties = Party.objects.present().exclude(role=PartyRole.OBSERVER).filter(Exists(owed))
    return Reach(named, EDITORS), Reach(parties, EDITORS)


def responses_to_decide(user: User) -> list[Response]:
    """Answers that the person's organisations must decide, oldest first."""
    return list(_UNDECIDED.of(user).select_related("entry__partnership", "organisation").order_by("made_at", "pk"))


def questions_to_answer(user: User) -> list[Question]:
    """Questions that the person's organisations must answer, oldest first."""
    return list(_QUESTIONS.of(user).select_related("entry__partnership", "organisation").order_by("asked_at", "pk"))


def _answer_this(entry: Entry) -> str:
    """`Answer this ask from Larkhaven Homes`, and who referred it, if anyone."""
    words = f"this {'ask' if entry.is_ask else 'offer'} from {entry.organisation.display_name}"
    giver = getattr(entry, "referred_by_name", None)
    return f"Answer {words}, which {giver} referred to you" if giver else f"Answer {words}"


def _answers_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    return [
        Waiting(
            what=_answer_this(entry),
            title=entry.title,
            path=reverse("exchange:detail", args=[entry.pk]),
            since=entry.shared_at,
            due=entry.closes_on,
            within=entry.partnership.title if entry.partnership else "",
            status=entry.status,
            status_label=entry.get_status_display(),
        )
        for entry in unanswered_for(user).select_related("organisation", "partnership").order_by("shared_at", "pk")
    ]


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
    Source(_answers_wanted, _unanswered),
    Source(_decisions_wanted, lambda _: (_UNDECIDED,)),
    Source(_words_wanted, lambda _: (_QUESTIONS,)),
)
