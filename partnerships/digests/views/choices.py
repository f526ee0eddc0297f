"""The page of choices, the same signed in and by link."""

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
    """The form of all choices of a person.

    People without an account have fewer.
    """
    has_account = not person.is_stakeholder
    return PreferenceForm(
        request.POST or None,
        person=person,
        preference=preference,
        ways=ways_of(person) if has_account else None,
        lead_times=lead_times_of(person) if has_account else None,
    )


def pause_of(person: User, preference: Preference, now: dt.datetime) -> dict[str, dt.date | None]:
    """The pause that lasts or is set, for `_paused.html`."""
    ahead = preference.pause_ahead(now, person.time_zone)
    return {
        "pause_from": preference.paused_from if ahead else None,
        "paused_until": preference.pause_to_come(now, person.time_zone),
    }


def date_reminders(request: HttpRequest, person: User) -> Page[Party]:
    """The parties for which this person, as a lead, is reminded of dates.

    They come page by page. Each party chooses which dates, and the days for those of its leads who chose none
    themselves.
    """
    leads = Membership.objects.organisations_of(person, Role.LEAD)
    parties = Party.objects.present().filter(among("organisation", leads), partnership__in=Partnership.objects.live())
    rows = parties.select_related("partnership", "organisation")
    return keyset_page(request, rows, order=("partnership__title", "pk"))


def always_sent() -> list[tuple[str, list[str]]]:
    """Why some emails cannot be turned off, and which they are."""
    reasons: dict[str, list[str]] = {}
    for kind in all_kinds():
        if kind.always and kind.always != FOR_OPERATORS:
            reasons.setdefault(kind.always, []).append(kind.label)
    return sorted(reasons.items())
