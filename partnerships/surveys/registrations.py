"""Register the surveys room with other rooms at start-up."""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.agreements.origin import register_origin as register_partnership_origin
from partnerships.agreements.sections import ON_PARTNERSHIPS
from partnerships.commitments.origins import register_origin as register_commitment_origin
from partnerships.people.composing import register_emails
from partnerships.people.personal import register_personal
from partnerships.people.retention import register_retention
from partnerships.surveys import follower_notices, restoring
from partnerships.surveys.email_kinds import EMAILS
from partnerships.surveys.event_kinds import EventKind
from partnerships.surveys.models import UNREAD_KEPT
from partnerships.surveys.origins import RESULT, RESULTS
from partnerships.surveys.personal import RULES
from partnerships.surveys.sections import rounds_of, surveys_lookups, surveys_section
from partnerships.surveys.services.moderating import delete_unread_comments
from partnerships.surveys.services.rounds import DRAFT_KEPT, delete_old_lists


def register() -> None:
    """Register events, emails, origins, personal data, how long it is kept, and a section of partnerships."""
    register_events(EventKind)
    follower_notices.register()
    register_emails(*EMAILS)
    ON_PARTNERSHIPS.register_with_rows("surveys", surveys_section, rounds_of, order=50, lookups=surveys_lookups)

    # Results of surveys as sources of commitments and of partnerships.
    register_commitment_origin(RESULT)
    for origin in RESULTS:
        register_partnership_origin(origin)

    register_personal(RULES)
    _register_retention()
    restoring.register()


def _register_retention() -> None:
    """Register the personal data that the nightly job deletes, with its purpose and how long it is kept."""
    register_retention(
        "unread comments of surveys",
        what="Comments in surveys, as people wrote them",
        purpose="reading them before the members do, to remove anything that would identify people",
        basis="public task: working together on housing",
        kept_for=f"until they are read, and at most {UNREAD_KEPT.days} days after the survey",
        apply=delete_unread_comments,
    )
    register_retention(
        "lists of surveys that never opened",
        what="Lists of people to ask in surveys that were prepared and never opened",
        purpose="asking these people once the survey opens",
        basis="public task: working together on housing",
        kept_for=f"{DRAFT_KEPT.days} days after the survey was prepared",
        apply=delete_old_lists,
    )
