"""Link what was done to a theme of a closed round."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.surveys.event_kinds import EventKind
from partnerships.surveys.models import Action, Round
from partnerships.surveys.queries.results import actions_to_choose
from partnerships.surveys.rights import rights_over
from partnerships.surveys.services.recording import lock_round, record_event


class UnableToLink(Exception):
    """The round has no results yet, has no such theme, or the thing is not the partnership's."""


@transaction.atomic
def link_action(*, found: Round, theme: str, thing: str, author: User, now: dt.datetime) -> Action:
    """Say that a thing of the partnership, such as `objective-12`, was done about a theme. Raises `UnableToLink`."""
    locked = lock_round(found)
    require(rights_over(locked.partnership, author, now).may_act)
    if not locked.is_closed or theme not in locked.questions().themes():
        raise UnableToLink("This survey has no such result.")
    choices = {value for _, options in actions_to_choose(locked, author) for value, _ in options}
    if thing not in choices:
        raise UnableToLink("Choose an objective, ask, offer, commitment or meeting of this partnership.")
    kind, _, pk = thing.partition("-")
    made, is_new = Action.objects.get_or_create(
        round=locked, theme=theme, **{f"{kind}_id": int(pk)}, defaults={"added_by": author, "added_at": now}
    )
    if is_new:
        record_event(locked, EventKind.ACTION_LINKED, author=author, now=now)
    return made


@transaction.atomic
def unlink_action(*, found: Round, action: int, author: User, now: dt.datetime) -> None:
    """Take back a link that was wrong."""
    locked = lock_round(found)
    require(rights_over(locked.partnership, author, now).may_act)
    deleted, _ = Action.objects.filter(round=locked, pk=action).delete()
    if deleted:
        record_event(locked, EventKind.ACTION_UNLINKED, author=author, now=now)
