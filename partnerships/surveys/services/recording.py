"""Lock a round and record events."""

from __future__ import annotations

import datetime as dt

from partnerships.agreements.services import recording
from partnerships.people.models import User
from partnerships.surveys.event_kinds import EventKind
from partnerships.surveys.models import Round


def lock_round(found: Round) -> Round:
    """The round as it is now, its partnership locked before it. Check what it allows only after this."""
    partnership = recording.lock_partnership(found.partnership_id)
    locked = Round.objects.select_for_update(of=("self",)).select_related("question_set").get(pk=found.pk)
    locked.partnership = partnership
    return locked


def record_event(found: Round, event: EventKind, *, author: User | None, now: dt.datetime, reason: str = "") -> None:
    """Record on the partnership what happened to a round."""
    after = {"survey": found.title, **({"reason": reason} if reason else {})}
    recording.record_event(
        found.partnership, event, author=author, now=now, data={"survey_round": found.pk, "after": after}
    )
