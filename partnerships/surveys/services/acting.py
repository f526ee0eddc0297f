"""Link what was done to a theme of a closed round."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.agreements.models import Objective
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Conversation, Meeting
from partnerships.exchange.models import Entry
from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.surveys.event_kinds import EventKind
from partnerships.surveys.models import KINDS_OF_ACTION, Action, Round
from partnerships.surveys.queries.results import actions_of, actions_to_choose
from partnerships.surveys.queries.rounds import partnerships_of
from partnerships.surveys.rights import rights_in
from partnerships.surveys.services.recording import lock_round, record_event


class UnableToLink(Exception):
    """The round has no results yet, has no such theme, or the thing is not the partnership's."""


@transaction.atomic
def link_action(*, survey_round: Round, theme: str, thing: str, author: User, now: dt.datetime) -> Action:
    """Say that a thing of the partnership, such as `objective-12`, was done about a theme. Raises `UnableToLink`."""
    require(rights_in(survey_round, author, now).may_act)
    choices = {value for _, options in actions_to_choose(survey_round, author) for value, _ in options}
    if thing not in choices:
        raise UnableToLink("Choose an objective, ask, offer, commitment, conversation or meeting of this partnership.")
    kind, _, pk = thing.partition("-")
    return _link(survey_round, theme, {f"{kind}_id": int(pk)}, author, now)


@transaction.atomic
def link_made(
    *,
    survey_round: Round,
    theme: str,
    made: Objective | Entry | Commitment | Conversation | Meeting,
    author: User,
    now: dt.datetime,
) -> Action:
    """Link a record that was just made to the theme of a result that it is to improve. Raises `UnableToLink`."""
    require(rights_in(survey_round, author, now).may_act)
    if made.partnership_id not in {partnership.pk for partnership in partnerships_of(survey_round)}:
        raise UnableToLink(
            f"Choose the partnership “{survey_round.partnership}”, because this result comes from its survey."
        )
    kind = next(name for name in KINDS_OF_ACTION if Action._meta.get_field(name).related_model is type(made))
    return _link(survey_round, theme, {f"{kind}_id": made.pk}, author, now)


def _link(survey_round: Round, theme: str, thing: dict[str, int], author: User, now: dt.datetime) -> Action:
    """Link a record to a theme.

    No lock is needed: a closed round never changes, and a record that was just made has its partnership locked.
    """
    if not survey_round.is_closed or theme not in survey_round.questions().themes():
        raise UnableToLink("This survey has no such result. Choose a result from the list.")
    created, is_new = Action.objects.get_or_create(
        round=survey_round, theme=theme, **thing, defaults={"added_by": author, "added_at": now}
    )
    if is_new:
        record_event(survey_round, EventKind.ACTION_LINKED, author=author, now=now)
    return created


@transaction.atomic
def unlink_action(*, survey_round: Round, action: int, author: User, now: dt.datetime) -> None:
    """Take back a link that was wrong, to something that the author may open."""
    locked = lock_round(survey_round)
    require(rights_in(locked, author, now).may_act)
    known_actions = {done.action for done_list in actions_of([locked], author).values() for done in done_list}
    if action in known_actions and Action.objects.filter(round=locked, pk=action).delete()[0]:
        record_event(locked, EventKind.ACTION_UNLINKED, author=author, now=now)
