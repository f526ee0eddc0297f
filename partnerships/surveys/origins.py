"""Lets people create objectives, asks, offers, conversations and commitments from a published result.

A result is a published figure, so the record ids here are those of figures.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, QuerySet

from partnerships.agreements.models import Objective, Partnership
from partnerships.agreements.origin import Origin as PartnershipOrigin
from partnerships.agreements.origin import OriginSuggestion, UnableToLinkOrigin
from partnerships.commitments.models import Commitment
from partnerships.commitments.origins import CommitmentSuggestion, Origin, OriginLink
from partnerships.commitments.services import UnableToPropose
from partnerships.conversations.models import Conversation
from partnerships.exchange.models import Entry
from partnerships.kit.text import shorten
from partnerships.people.models import User
from partnerships.surveys.models import Action, Figure, Round
from partnerships.surveys.queries.rounds import partnerships_of
from partnerships.surveys.services import UnableToLink, link_new_record

#: Limit of characters in a suggested title.
_MAX_TITLE = 100


def _figure(user: User | AnonymousUser, record_id: int) -> Figure | None:
    """Return the figure with this id, if the person may read its round."""
    figures = Figure.objects.visible_to(user).select_related("round__partnership", "round__question_set")
    return figures.filter(pk=record_id).first()


def _theme_name(survey_round: Round, theme: str) -> str:
    return survey_round.questions().themes().get(theme, theme)


def _result_name(survey_round: Round, theme: str) -> str:
    """Return the name of a result, such as “the survey “Spring 2027”: Trust”."""
    return f"the survey “{survey_round.title}”: {_theme_name(survey_round, theme)}"


def suggest(user: User, partnership: Partnership, record_id: int) -> OriginSuggestion | None:
    """Return what the form of a new record shows and suggests for a result.

    Returns None if the partnership did not run the survey, or if the person may not read the result.
    """
    figure = _figure(user, record_id)
    if figure is None or partnership not in partnerships_of(figure.round):
        return None
    survey_round = figure.round
    return OriginSuggestion(
        _result_name(survey_round, figure.theme),
        survey_round.get_absolute_url(),
        shorten(_theme_name(survey_round, figure.theme), _MAX_TITLE),
    )


def _link(
    new_record: Objective | Entry | Conversation | Commitment,
    record_id: int,
    author: User,
    now: dt.datetime,
    *,
    unable: type[Exception] = UnableToLinkOrigin,
) -> None:
    """Link a new record to the result. Raises the exception `unable`, which the caller's room expects."""
    figure = _figure(author, record_id)
    if figure is None:
        raise unable("This result no longer exists, so you cannot link anything to it.")
    try:
        link_new_record(survey_round=figure.round, theme=figure.theme, record=new_record, author=author, now=now)
    except UnableToLink as error:
        raise unable(str(error)) from error


def _actions(kind: str, record: Model, user: User) -> QuerySet[Action]:
    """Return the links of a record to results that the person may read."""
    actions = Action.objects.filter(**{kind: record}, round__in=Round.objects.visible_to(user).values("pk"))
    return actions.select_related("round__question_set").order_by("pk")


def _links(record: Model, user: User, *, kind: str) -> Sequence[OriginSuggestion]:
    """Return links from a record to the results that it is about."""
    return [
        OriginSuggestion(
            f"Survey “{action.round.title}”: {_theme_name(action.round, action.theme)}", action.round.get_absolute_url()
        )
        for action in _actions(kind, record, user)
    ]


def _actions_for_entry(pk: int) -> QuerySet[Action]:
    return Action.objects.filter(entry=pk)


def _actions_for_conversation(pk: int) -> QuerySet[Action]:
    return Action.objects.filter(conversation=pk)


def _actions_for_objective(pk: int) -> QuerySet[Action]:
    return Action.objects.filter(objective=pk)


def _actions_for_commitment(pk: int) -> QuerySet[Action]:
    return Action.objects.filter(commitment=pk)


_RECORD_KINDS: tuple[tuple[str, type[Model], Callable[[int], QuerySet[Any]]], ...] = (
    ("objective", Objective, _actions_for_objective),
    ("entry", Entry, _actions_for_entry),
    ("conversation", Conversation, _actions_for_conversation),
)
#: The origins for records of a partnership. Commitments have their own origin below.
RESULTS = tuple(
    PartnershipOrigin("result", suggest, _link, partial(_links, kind=kind), target_model=model, rows=(rows,))
    for kind, model, rows in _RECORD_KINDS
)


def _suggest_commitment(*, user: User, record_id: int) -> CommitmentSuggestion | None:
    """Return what the form of a new commitment suggests for a result, or None if the person may not read it."""
    figure = _figure(user, record_id)
    if figure is None:
        return None
    survey_round = figure.round
    # Several partnerships may run the round. Suggest one in which the person takes part.
    own_partnerships = Partnership.objects.with_party_of(user).filter(
        pk__in=[partnership.pk for partnership in partnerships_of(survey_round)]
    )
    return CommitmentSuggestion(
        words=_result_name(survey_round, figure.theme),
        href=survey_round.get_absolute_url(),
        partnership=own_partnerships.order_by("pk").first(),
        text=_theme_name(survey_round, figure.theme),
    )


def _link_commitment(*, commitment: Commitment, record_id: int, author: User, now: dt.datetime) -> None:
    _link(commitment, record_id, author, now, unable=UnableToPropose)


def _links_of_commitment(*, commitment: Commitment, user: User) -> Sequence[OriginLink]:
    return [OriginLink(link.words, link.path) for link in _links(commitment, user, kind="commitment")]


def _copy_links(*, old: Commitment, new: Commitment) -> None:
    """Link a replacement commitment to the same results."""
    Action.objects.bulk_create(
        [
            Action(
                round_id=action.round_id,
                theme=action.theme,
                commitment=new,
                added_by_id=action.added_by_id,
                added_at=action.added_at,
            )
            for action in Action.objects.filter(commitment=old)
        ],
        ignore_conflicts=True,
    )


RESULT = Origin(
    name="result",
    suggest=_suggest_commitment,
    link=_link_commitment,
    links_of=_links_of_commitment,
    copy_links=_copy_links,
    rows=(_actions_for_commitment,),
)
