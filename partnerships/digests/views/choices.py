"""Parts of the page of choices, which people open signed in or by link."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest

from partnerships.agreements.models import Partnership, Party
from partnerships.digests.forms import PreferenceForm
from partnerships.digests.models import Preference
from partnerships.digests.queries.ways import ways_of
from partnerships.kit.http import Page, keyset_page
from partnerships.organisations.holdings import among
from partnerships.organisations.models import Membership, Role
from partnerships.outbox.groups import FOR_OPERATORS
from partnerships.outbox.kinds import all_kinds
from partnerships.people.lead_times import lead_times_of
from partnerships.people.models import User


def choices_form(request: HttpRequest, person: User, preference: Preference) -> PreferenceForm:
    """Return the form with everything that a person can choose; stakeholders can choose less."""
    has_account = not person.is_stakeholder
    return PreferenceForm(
        request.POST or None,
        person=person,
        preference=preference,
        ways=ways_of(person) if has_account else None,
        lead_times=lead_times_of(person) if has_account else None,
    )


def pause_of(person: User, preference: Preference, now: dt.datetime) -> dict[str, dt.date | None]:
    """Return the context of `_paused.html`: the pause that has begun, or that is set for later."""
    is_ahead = preference.pause_ahead(now, person.time_zone)
    return {
        "pause_from": preference.paused_from if is_ahead else None,
        "paused_until": preference.pause_to_come(now, person.time_zone),
    }


def date_reminders(request: HttpRequest, person: User) -> Page[Party]:
    """Return a page of the parties for which this person, as a lead, is reminded of dates.

    Each party chooses the dates. It also chooses the days, for those of its leads who have not chosen any themselves.
    """
    leads = Membership.objects.organisations_of(person, Role.LEAD)
    parties = Party.objects.present().filter(among("organisation", leads), partnership__in=Partnership.objects.live())
    rows = parties.select_related("partnership", "organisation")
    return keyset_page(request, rows, order=("partnership__title", "pk"))


def always_sent() -> list[tuple[str, list[str]]]:
    """Return the labels of emails that people cannot turn off, by the reason why not."""
    labels_by_reason: dict[str, list[str]] = {}
    for kind in all_kinds():
        if kind.always and kind.always != FOR_OPERATORS:
            labels_by_reason.setdefault(kind.always, []).append(kind.label)
    return sorted(labels_by_reason.items())
