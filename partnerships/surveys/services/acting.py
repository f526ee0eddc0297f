"""Links work of the partnership to a theme of a closed round."""

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
    """Raised if the round has no such result, or the record belongs to another partnership."""


@transaction.atomic
def link_action(*, survey_round: Round, theme: str, choice: str, author: User, now: dt.datetime) -> Action:
    """Link an existing record to a theme. Raises `UnableToLink`.

    `choice` names the record, such as `objective-12`.
    """
    require(rights_in(survey_round, author, now).may_act)
    choices = {value for _label, options in actions_to_choose(survey_round, author) for value, _text in options}
    if choice not in choices:
        raise UnableToLink("Choose an objective, ask, offer, commitment, conversation or meeting of this partnership.")
    kind, _hyphen, pk = choice.partition("-")
    return _link(survey_round, theme, {f"{kind}_id": int(pk)}, author, now)


@transaction.atomic
def link_new_record(
    *,
    survey_round: Round,
    theme: str,
    record: Objective | Entry | Commitment | Conversation | Meeting,
    author: User,
    now: dt.datetime,
) -> Action:
    """Link a record that the author has just created from a result to its theme. Raises `UnableToLink`."""
    require(rights_in(survey_round, author, now).may_act)
    if record.partnership_id not in {partnership.pk for partnership in partnerships_of(survey_round)}:
        raise UnableToLink(
            f"Choose the partnership “{survey_round.partnership}”, because this result comes from its survey."
        )
    # The field of `Action` that refers to records of this type.
    kind = next(field for field in KINDS_OF_ACTION if Action._meta.get_field(field).related_model is type(record))
    return _link(survey_round, theme, {f"{kind}_id": record.pk}, author, now)


def _link(survey_round: Round, theme: str, record_field: dict[str, int], author: User, now: dt.datetime) -> Action:
    """Create the link, unless it exists. `record_field` is the field of `Action` with the record's id.

    No lock is needed, because a closed round never changes. For a new record, the caller has locked the partnership.
    """
    if not survey_round.is_closed or theme not in survey_round.questions().themes():
        raise UnableToLink("This result does not belong to the survey. Choose a result from the list.")
    action, is_new = Action.objects.get_or_create(
        round=survey_round, theme=theme, **record_field, defaults={"added_by": author, "added_at": now}
    )
    if is_new:
        record_event(survey_round, EventKind.ACTION_LINKED, author=author, now=now)
    return action


@transaction.atomic
def unlink_action(*, survey_round: Round, action_pk: int, author: User, now: dt.datetime) -> None:
    """Remove a wrong link. If the author may not open the linked record, the link remains without an error."""
    survey_round = lock_round(survey_round)
    require(rights_in(survey_round, author, now).may_act)
    linked_records = actions_of([survey_round], author).values()
    readable_pks = {record.action for records_of_theme in linked_records for record in records_of_theme}
    if action_pk not in readable_pks:
        return
    deleted_count, _count_by_model = Action.objects.filter(round=survey_round, pk=action_pk).delete()
    if deleted_count:
        record_event(survey_round, EventKind.ACTION_UNLINKED, author=author, now=now)
