"""Emails about the dates of a partnership, and about notice."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.agreements.models import (
    DateKind,
    Notice,
    Partnership,
    PartyRole,
)
from partnerships.agreements.queries.dates import date_event_in_words, dates_ahead, leads_who_decide, people_to_remind
from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import DueEmail
from partnerships.people.models import User


def write_date_reached(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email that tells people that a partnership has started, gone under review or ended."""
    partnership = Partnership.objects.get(pk=due.params["partnership"])
    if partnership.state_on(timezone.localdate(now)) != due.params["status"]:
        return "The partnership’s status has since changed."
    if not leads_who_decide(partnership).filter(pk=person.pk).exists():
        return "The recipient is no longer a lead of an organisation in the partnership."
    context = {
        "partnership": partnership,
        "person": person,
        "status": due.params["status"],
        "link": link("agreements:detail", pk=partnership.pk),
    }
    return Content("agreements/date_came", context)


def write_coming_dates(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email about coming dates, without dates that have moved since the email was due."""
    today = timezone.localdate(now)
    partnerships = Partnership.objects.in_bulk({entry["partnership"] for entry in due.params["dates"]})
    dates = []
    for entry in due.params["dates"]:
        partnership, kind = partnerships.get(entry["partnership"]), DateKind(entry["kind"])
        day = dates_ahead(partnership, today).get(kind) if partnership else None
        if partnership is None or day is None or day.isoformat() != entry["on"]:
            continue  # since the email was recorded, the date has moved or passed
        if not _is_reminded(person, partnership, today):
            continue
        dates.append(
            {
                "partnership": partnership,
                "what": date_event_in_words(kind, partnership),
                "on": day,
                "days": (day - today).days,
                "link": link("agreements:dates", pk=partnership.pk),
            }
        )

    if not dates:
        return "The dates have moved, or the recipient no longer leads an organisation in the partnership."
    partnership_count = len({date["partnership"] for date in dates})
    return Content(
        "agreements/dates_ahead", {"person": person, "dates": dates, "first": dates[0], "count": partnership_count}
    )


def _is_reminded(person: User, partnership: Partnership, day: dt.date) -> bool:
    """Return whether the person gets reminders for at least one present party. Observers get none."""
    parties = partnership.parties.accepted().exclude(role=PartyRole.OBSERVER)
    return any(person.pk in people_to_remind(party, partnership, day) for party in parties)


def write_notice(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email that tells people that a party has given notice or withdrawn it."""
    notice = Notice.objects.select_related("partnership", "organisation").get(pk=due.params["notice"])
    if due.params["withdrawn"] == notice.is_open:
        return "The notice has since been withdrawn or carried out."
    if not leads_who_decide(notice.partnership).filter(pk=person.pk).exists():
        return "The recipient is no longer a lead of an organisation in the partnership."
    context = {
        "notice": notice,
        "reason": notice.withdrawn_because or notice.reason,
        "partnership": notice.partnership,
        "person": person,
        "link": link("agreements:dates", pk=notice.partnership_id),
    }
    return Content("agreements/notice", context)
