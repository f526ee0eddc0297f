"""Register the lists room with other rooms at start-up."""

from __future__ import annotations

from partnerships.calendars.registry import register_views
from partnerships.digests.queries.stoppable import register_single_stop
from partnerships.kit.lists import register_pages
from partnerships.lists import obligations, restoring, views
from partnerships.lists.emails import write_followed
from partnerships.lists.personal import RULES
from partnerships.lists.queries import dated_view
from partnerships.lists.services import files
from partnerships.lists.services.following import FollowedViewStop, reported_changes
from partnerships.outbox.groups import NoticeGroup
from partnerships.people.composing import PersonEmail, register_emails
from partnerships.people.personal import register_personal


def register() -> None:
    """Register the pages of lists, the emails about followed views, and the room's personal data."""
    register_pages(views)
    register_views(dated_view)
    register_personal(RULES)
    files.register()
    obligations.register()
    restoring.register()
    register_single_stop("lists.followed", FollowedViewStop())
    # The email is about many records or none, so only the view names its subject.
    register_emails(
        PersonEmail(
            "lists.followed",
            "Change in a view that you follow",
            write_followed,
            group=NoticeGroup.VIEWS,
            reported_facts=reported_changes,
        )
    )
