"""Queries of facilitators, and what is stuck in conversations and reports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.agreements.stuck import Stuck, stuck_facilitated, stuck_in
from partnerships.conversations.models import Conversation, Facilitator, Report, Status
from partnerships.kit.waiting import Waiting, addresses
from partnerships.organisations.audience import People, Reach
from partnerships.organisations.waiting import Source
from partnerships.people.models import User


def watched_by(user: User) -> list[Partnership]:
    """Partnerships whose stuck things the person sees as a list.

    As a facilitator, or as a lead of the partnership.
    """
    facilitated = Facilitator.objects.acting().filter(person=user).values("partnership")
    live = Partnership.objects.live()
    watched = live.filter(pk__in=facilitated) | live.filter(pk__in=Partnership.objects.led_by(user).values("pk"))
    return list(watched.order_by("title", "pk"))


def stuck_for(
    user: User, partnerships: Collection[Partnership], now: dt.datetime
) -> list[tuple[Partnership | None, Stuck]]:
    """What is stuck in partnerships and single records, longest first.

    In these partnerships, and in records that the person facilitates. Each with its partnership, if it is one of these.
    """
    by_pk = {partnership.pk: partnership for partnership in partnerships}
    inside = stuck_in(user, list(by_pk), now)
    known = {(record.what, record.path) for record in inside}
    alone = [record for record in stuck_facilitated(user, now) if (record.what, record.path) not in known]
    stuck = sorted([*inside, *alone], key=lambda record: (record.since, record.title, record.path))
    return [(by_pk.get(record.partnership or 0), record) for record in stuck]


def stuck_talks_and_reports(user: User, partnerships: Collection[int], now: dt.datetime) -> list[Stuck]:
    """Conversations without a record after their day, and progress reports that are overdue."""
    today = timezone.localdate(now)
    talks = Conversation.objects.visible_to(user).filter(
        partnership__in=partnerships, status=Status.PLANNED, held_on__lt=today
    )
    reports = Report.objects.visible_to(user).overdue(today).filter(round__partnership__in=partnerships)
    return [
        *(
            Stuck(
                partnership=talk.partnership_id or 0,
                what="Conversation not written up",
                title=talk.subject,
                path=talk.get_absolute_url(),
                since=talk.held_on,
                waits_for=talk.organisation.display_name,
            )
            for talk in talks.select_related("organisation").order_by("held_on", "pk")
        ),
        *(
            Stuck(
                partnership=report.round.partnership_id,
                what="Progress report overdue",
                title=f"{report.party.organisation.display_name}, {report.period_words}",
                path=report.get_absolute_url(),
                since=report.due_on,
                waits_for=report.party.organisation.display_name,
            )
            for report in reports.for_listing().order_by("due_on", "pk")
        ),
    ]


def _named(now: dt.datetime) -> tuple[Reach]:
    waiting = Facilitator.objects.named().filter(accepted_at=None, partnership__in=Partnership.objects.live())
    return (Reach(waiting, (People("person"),)),)


def _named_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    (named,) = _named(now)
    address = addresses("conversations:facilitation")
    return [
        Waiting(
            what="Say whether you will be a facilitator",
            title=facilitator.partnership.title,
            path=address(facilitator.pk),
            since=facilitator.named_at,
            within=facilitator.partnership.title,
        )
        for facilitator in named.of(user).select_related("partnership").order_by("named_at", "pk")
    ]


#: Work that waits: being named a facilitator.
FACILITATORS_WAITING = (Source(_named_wanted, _named),)
