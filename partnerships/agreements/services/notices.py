"""Give notice, withdraw it, and carry it out after its last day."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import (
    ENDING,
    Notice,
    Partnership,
    Party,
    PartyStatus,
    Status,
)
from partnerships.agreements.queries.dates import leads_who_decide
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.notice_effects import set_end_by_notice
from partnerships.agreements.services.parties import UnableToLeave, leave_partnership
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.agreements.services.steps import take_status
from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.outbox.services import record_emails
from partnerships.people.models import User

#: The longest notice, in days from today.
LONGEST = 3 * 366


class UnableToGiveNotice(Exception):
    """Not in force, no reason, given already, or too early a day."""


class UnableToWithdrawNotice(Exception):
    """Withdrawn or carried out already, or no reason."""


def earliest_last_day(partnership: Partnership, today: dt.date) -> dt.date:
    """The first day on which a notice given today can run out."""
    return today + dt.timedelta(days=partnership.notice_days or 0)


@transaction.atomic
def give_notice(
    *, party: Party, reason: str, last_day: dt.date | None, author: User | None, now: dt.datetime
) -> Notice:
    """Give notice for a party, and email the other parties' leads.

    Without a last day it runs out as early as the terms allow. Raises `UnableToGiveNotice`.
    """
    today = timezone.localdate(now)
    locked = lock_partnership(party.partnership_id)
    own = Party.objects.select_related("organisation").get(pk=party.pk)
    require(rights_over(locked, author, now).may_leave(own))
    if locked.state_on(today) not in ENDING:
        raise UnableToGiveNotice("You can only give notice while the partnership is in force.")
    if own.status != PartyStatus.ACCEPTED:
        raise UnableToGiveNotice(f"{own.organisation.name} does not take part in this partnership.")
    if not reason.strip():
        raise UnableToGiveNotice("Give a reason.")
    if locked.notices.open().filter(organisation=own.organisation).exists():
        raise UnableToGiveNotice(f"{own.organisation.name} has already given notice.")
    earliest = earliest_last_day(locked, today)
    chosen = last_day or earliest
    if chosen < earliest:
        raise (
            UnableToGiveNotice(
                f"The terms ask for {locked.notice_days} days of notice. The earliest last day is "
                f"{long_date(earliest)}."
            )
            if (locked.notice_days)
            else UnableToGiveNotice("The last day must not be in the past.")
        )
    if (chosen - today).days > LONGEST:
        raise UnableToGiveNotice("The last day must be within three years.")
    notice = Notice.objects.create(
        partnership=locked,
        organisation=own.organisation,
        reason=reason.strip(),
        last_day=chosen,
        ends_partnership=False,
        given_by=author,
        given_at=now,
    )
    set_end_by_notice(locked)
    notice.refresh_from_db(fields=["ends_partnership"])
    record_event(
        locked,
        EventKind.NOTICE_GIVEN,
        author=author,
        now=now,
        organisation=own.organisation,
        data={"notice": notice.pk, "after": {"last_day": chosen.isoformat()}, "reason": notice.reason},
    )
    _email(notice, locked, author=author, now=now)
    return notice


@transaction.atomic
def withdraw_notice(*, notice: Notice, reason: str, author: User | None, now: dt.datetime) -> None:
    """Withdraw a notice before it runs out. Raises `UnableToWithdrawNotice`."""
    locked = lock_partnership(notice.partnership_id)
    locked_notice = Notice.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=notice.pk)
    require(rights_over(locked, author, now).may_withdraw_notice(locked_notice))
    if not locked_notice.is_open or locked_notice.last_day < timezone.localdate(now):
        raise UnableToWithdrawNotice("This notice has been withdrawn or has taken effect.")
    if not reason.strip():
        raise UnableToWithdrawNotice("Give a reason.")
    locked_notice.withdrawn_at, locked_notice.withdrawn_by, locked_notice.withdrawn_because = (
        now,
        author,
        reason.strip(),
    )
    locked_notice.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_because"])
    set_end_by_notice(locked)
    record_event(
        locked,
        EventKind.NOTICE_WITHDRAWN,
        author=author,
        now=now,
        organisation=locked_notice.organisation,
        data={
            "notice": locked_notice.pk,
            "before": {"last_day": locked_notice.last_day.isoformat()},
            "reason": locked_notice.withdrawn_because,
        },
    )
    _email(locked_notice, locked, author=author, now=now)


def _email(notice: Notice, locked: Partnership, *, author: User | None, now: dt.datetime) -> None:
    people = leads_who_decide(locked).values_list("pk", flat=True)
    record_emails(
        kind="agreements.notice",
        people=[pk for pk in people if author is None or pk != author.pk],
        params={"notice": notice.pk, "withdrawn": not notice.is_open},
        sender_id=notice.organisation_id,
        now=now,
    )


def carry_out_notices(*, now: dt.datetime) -> int:
    """Let the parties leave whose notice has run out; the number of notices.

    A partnership that ends by notice has ended by its date already. Each in its own transaction.
    """
    due = Notice.objects.run_out_by(timezone.localdate(now)).order_by("last_day", "pk")
    return sum(_carry_out(pk, now) for pk in list(due.values_list("pk", flat=True)))


@transaction.atomic
def _carry_out(pk: int, now: dt.datetime) -> bool:
    """Let the party leave, or end the partnership that cannot go on without it. False if done before."""
    locked = lock_partnership(Notice.objects.values_list("partnership_id", flat=True).get(pk=pk))
    notice = Notice.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=pk)
    if not notice.is_open:
        return False
    notice.done_at = now
    notice.save(update_fields=["done_at"])
    reason = f"Notice of {long_date(timezone.localdate(notice.given_at))}: {notice.reason}"
    party = locked.parties.present().filter(organisation=notice.organisation_id).first()
    if party is None or locked.is_over_on(timezone.localdate(now)):
        return True
    try:
        with transaction.atomic():
            leave_partnership(party=party, reason=reason, author=None, now=now, after_notice=True)
    except UnableToLeave:
        take_status(locked, Status.ENDED, reason=reason, author=None, now=now)
    return True
