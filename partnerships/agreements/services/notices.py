"""Give notice for a party, withdraw a notice, and let the party leave after its last day."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import (
    ENDABLE_STATUSES,
    Notice,
    Partnership,
    Party,
    Status,
)
from partnerships.agreements.queries.dates import leads_who_decide
from partnerships.agreements.queries.terms import notice_words
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.notice_effects import set_end_by_notice
from partnerships.agreements.services.parties import UnableToLeave, leave_partnership
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.agreements.services.steps import set_status
from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.outbox.services import record_emails
from partnerships.people.models import User

#: How far ahead the last day of a notice may be, in days.
MAX_DAYS_AHEAD = 3 * 366


class UnableToGiveNotice(Exception):
    """The partnership is not in force, notice was given before, the day is invalid, or the reason is missing."""


class UnableToWithdrawNotice(Exception):
    """The notice was withdrawn or has taken effect, or the reason is missing."""


def earliest_last_day(partnership: Partnership, today: dt.date) -> dt.date:
    """Return the earliest last day of a notice that is given today."""
    return today + dt.timedelta(days=partnership.notice_days or 0)


@transaction.atomic
def give_notice(
    *, party: Party, reason: str, last_day: dt.date | None, author: User | None, now: dt.datetime
) -> Notice:
    """Give notice that a party will leave, and email the leads of all parties except the author.

    `last_day` is the last day on which the party takes part. None means the earliest day that the terms allow. For
    example, with a notice period of 90 days, this is the day 90 days from today. Raises `UnableToGiveNotice`.
    """
    today = timezone.localdate(now)
    locked_partnership = lock_partnership(party.partnership_id)
    fresh_party = Party.objects.select_related("organisation").get(pk=party.pk)
    organisation = fresh_party.organisation
    require(rights_over(locked_partnership, author, now).may_leave(fresh_party))
    _check_may_give_notice(locked_partnership, fresh_party, today, reason=reason)
    final_day = last_day or earliest_last_day(locked_partnership, today)
    _check_last_day(locked_partnership, final_day, today)

    notice = Notice.objects.create(
        partnership=locked_partnership,
        organisation=organisation,
        reason=reason.strip(),
        last_day=final_day,
        ends_partnership=False,
        given_by=author,
        given_at=now,
    )
    # This notice may end the partnership, for example because too few parties remain.
    set_end_by_notice(locked_partnership)
    notice.refresh_from_db(fields=["ends_partnership"])

    record_event(
        locked_partnership,
        EventKind.NOTICE_GIVEN,
        author=author,
        now=now,
        organisation=organisation,
        data={"notice": notice.pk, "after": {"last_day": final_day.isoformat()}, "reason": notice.reason},
    )
    _email_leads(notice, locked_partnership, author=author, now=now)
    return notice


def _check_may_give_notice(partnership: Partnership, party: Party, today: dt.date, *, reason: str) -> None:
    """Raise `UnableToGiveNotice` if the partnership is not in force, or the party cannot give notice now."""
    name = party.organisation.name
    if partnership.state_on(today) not in ENDABLE_STATUSES:
        raise UnableToGiveNotice("The partnership is not in force, so you do not need to give notice to leave it.")
    if not party.is_present:
        raise UnableToGiveNotice(f"{name} does not take part in this partnership, so it cannot give notice.")
    if not reason.strip():
        raise UnableToGiveNotice("Enter a reason.")
    if partnership.notices.pending().filter(organisation=party.organisation).exists():
        raise UnableToGiveNotice(
            f"{name} has already given notice. To change the last day, withdraw that notice first."
        )


def _check_last_day(partnership: Partnership, last_day: dt.date, today: dt.date) -> None:
    """Raise `UnableToGiveNotice` for a last day that is too early or too far ahead."""
    earliest = earliest_last_day(partnership, today)
    if last_day < earliest and partnership.notice_days:
        raise UnableToGiveNotice(
            f"The terms ask for {notice_words(partnership)}. Choose {long_date(earliest)} or a later day."
        )
    if last_day < earliest:
        raise UnableToGiveNotice("The last day cannot be in the past. Choose today or a later day.")
    if (last_day - today).days > MAX_DAYS_AHEAD:
        raise UnableToGiveNotice("The last day cannot be more than three years from now. Choose an earlier day.")


@transaction.atomic
def withdraw_notice(*, notice: Notice, reason: str, author: User | None, now: dt.datetime) -> None:
    """Withdraw a notice before it takes effect, and email the leads. Raises `UnableToWithdrawNotice`."""
    locked_partnership = lock_partnership(notice.partnership_id)
    locked_notice = Notice.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=notice.pk)
    require(rights_over(locked_partnership, author, now).may_withdraw_notice(locked_notice))
    if not locked_notice.is_open or locked_notice.last_day < timezone.localdate(now):
        raise UnableToWithdrawNotice(
            "This notice has already been withdrawn or has taken effect, so you cannot withdraw it."
        )
    if not reason.strip():
        raise UnableToWithdrawNotice("Enter a reason.")

    locked_notice.withdrawn_at = now
    locked_notice.withdrawn_by = author
    locked_notice.withdrawn_because = reason.strip()
    locked_notice.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_because"])
    set_end_by_notice(locked_partnership)

    record_event(
        locked_partnership,
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
    _email_leads(locked_notice, locked_partnership, author=author, now=now)


def _email_leads(notice: Notice, partnership: Partnership, *, author: User | None, now: dt.datetime) -> None:
    """Email the leads of the parties, except the author, that notice was given or withdrawn."""
    lead_ids = leads_who_decide(partnership).values_list("pk", flat=True)
    record_emails(
        kind="agreements.notice",
        people=[pk for pk in lead_ids if author is None or pk != author.pk],
        params={"notice": notice.pk, "withdrawn": not notice.is_open},
        sender_id=notice.organisation_id,
        now=now,
    )


def carry_out_notices(*, now: dt.datetime) -> int:
    """Let the parties leave whose notice is over, and return the number of notices carried out.

    If a notice ends the whole partnership, the partnership is over as soon as the last day has passed. Then only the
    notice is closed here.
    """
    due_notices = Notice.objects.past_last_day(timezone.localdate(now)).order_by("last_day", "pk")
    return sum(_carry_out(pk, now) for pk in list(due_notices.values_list("pk", flat=True)))


@transaction.atomic
def _carry_out(notice_id: int, now: dt.datetime) -> bool:
    """Let the party leave, or end the partnership if it cannot continue without the party.

    Returns False if the notice was already carried out or withdrawn.
    """
    partnership_id = Notice.objects.values_list("partnership_id", flat=True).get(pk=notice_id)
    locked_partnership = lock_partnership(partnership_id)
    notice = Notice.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=notice_id)
    if not notice.is_open:
        return False
    notice.done_at = now
    notice.save(update_fields=["done_at"])

    party = locked_partnership.parties.accepted().filter(organisation=notice.organisation_id).first()
    if party is None or locked_partnership.is_over_on(timezone.localdate(now)):
        return True
    reason = f"Notice of {long_date(timezone.localdate(notice.given_at))}: {notice.reason}"
    try:
        # A savepoint undoes what `leave_partnership` has changed before it refuses.
        with transaction.atomic():
            leave_partnership(party=party, reason=reason, author=None, now=now, after_notice=True)
    except UnableToLeave:
        set_status(locked_partnership, Status.ENDED, reason=reason, author=None, now=now)
    return True
