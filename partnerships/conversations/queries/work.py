"""What conversations add to a person's work."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Exists, Min, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from partnerships.conversations.models import OPEN_FOR_CORRECTION, Conversation, Correction, Status
from partnerships.conversations.queries.contacts import Quiet, contacts_due, gone_quiet, past_contacts, quiet_parties
from partnerships.conversations.queries.listings import partnerships_known_to
from partnerships.conversations.queries.reports import REPORTS_WAITING
from partnerships.kit.waiting import Waiting, addresses
from partnerships.organisations.audience import EDITORS, Organisations, Reach, sorted_by_reach
from partnerships.organisations.models import EDITING_ROLES
from partnerships.organisations.waiting import Source
from partnerships.people.models import User


def _quiet_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    return [_quiet_waiting(quiet) for quiet in gone_quiet(user, now)]


def _records(now: dt.datetime) -> tuple[Reach, Reach, Reach]:
    """Records to agree to, corrections to answer, conversations to write up."""
    open_ones = Conversation.objects.filter(status__in=OPEN_FOR_CORRECTION)
    asked = Correction.objects.filter(conversation=OuterRef("pk"), answered_at=None)
    planned = Conversation.objects.filter(status=Status.PLANNED, held_on__lte=timezone.localdate(now))
    sides = Organisations("sides__organisation", when=Q(sides__agreed_at=None), roles=EDITING_ROLES)
    return Reach(open_ones, (sides,)), Reach(open_ones.filter(Exists(asked)), EDITORS), Reach(planned, EDITORS)


def _records_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    to_agree, to_correct, to_record = sorted_by_reach(_records(now), user)
    asked = Min("corrections__made_at", filter=Q(corrections__answered_at=None))
    rows = Conversation.objects.visible_to(user).filter(pk__in=to_agree | to_correct | to_record)
    found: list[Any] = list(rows.annotate(asked=asked).defer("said", "reason").order_by("pk"))
    return _in_words(
        user,
        [
            *(("Read and agree to this record", one, one.circulated_at, None) for one in found if one.pk in to_agree),
            *(("Answer a correction", one, one.asked, None) for one in found if one.pk in to_correct),
            *(("Write up this conversation", one, None, one.held_on) for one in found if one.pk in to_record),
        ],
    )


def _contacts_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    due = contacts_due(user, timezone.localdate(now))
    return _in_words(user, [("Get in touch again", one, None, one.next_contact_on) for one in due])


def _in_words(user: User, waiting: list[tuple[str, Conversation, dt.datetime | None, dt.date | None]]) -> list[Waiting]:
    titles = partnerships_known_to(user, [one for _, one, _, _ in waiting])
    address = addresses("conversations:detail")
    return [
        Waiting(
            what=what,
            title=one.subject,
            path=address(one.pk),
            since=since,
            due=due,
            within=titles.get(one.partnership_id or 0, ""),
            status=one.status,
            status_label=one.get_status_display(),
        )
        for what, one, since, due in waiting
    ]


def _quiet_waiting(quiet: Quiet) -> Waiting:
    too_long = quiet.since + dt.timedelta(days=quiet.partnership.quiet_after)
    words = f"No contact for {quiet.days} days" if quiet.ever else f"No conversation in {quiet.days} days"
    return Waiting(
        what=f"{words} with {quiet.with_whom}" if quiet.with_whom else words,
        title=quiet.partnership.title,
        path=f"{reverse('conversations:new')}?partnership={quiet.partnership.pk}",
        # Waiting since the limit was passed, not since the last conversation: requests from people sort first.
        since=timezone.make_aware(dt.datetime.combine(too_long, dt.time())),
        within=quiet.partnership.title,
    )


#: Work that waits: records to agree to, corrections to answer, conversations to write up or to hold, and reports.
WAITING = (
    Source(_records_wanted, _records),
    Source(_contacts_wanted, lambda now: (past_contacts(now),)),
    Source(_quiet_wanted, lambda now: (quiet_parties(now),)),
    *REPORTS_WAITING,
)
