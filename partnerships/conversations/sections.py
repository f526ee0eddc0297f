"""Sections on an organisation's page: last conversation, and the next one."""

from __future__ import annotations

from django.utils import timezone

from partnerships.conversations.queries import last_held
from partnerships.kit.sections import Section
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.organisations.queries import acting_memberships
from partnerships.people.models import User


def meeting_section(user: User, organisation: Organisation) -> Section | None:
    """Last conversation, brief, and form for the next one.

    For people of other organisations.
    """
    acting = [membership for membership in acting_memberships(user) if membership.organisation_id != organisation.pk]
    if not acting:
        return None
    ours = acting[0].organisation
    return Section(
        "conversations/_meeting.html",
        {
            "organisation": organisation,
            "ours": ours,
            "last": last_held(user=user, ours=ours, theirs=organisation, today=timezone.localdate()),
            "may_record": any(membership.role in EDITING_ROLES for membership in acting),
        },
    )
