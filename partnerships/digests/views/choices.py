"""Parts of the page of choices, which people open signed in or by link."""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party
from partnerships.digests import services
from partnerships.digests.forms import PreferenceForm
from partnerships.digests.models import Preference
from partnerships.digests.queries.ways import ways_of
from partnerships.kit.http import Page, keyset_page
from partnerships.organisations.holdings import id_is_among
from partnerships.organisations.models import Membership, Role
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.outbox.groups import FOR_OPERATORS
from partnerships.outbox.kinds import all_kinds
from partnerships.people.lead_times import with_usual_lead_times
from partnerships.people.models import LeadTimes, User

#: Parties on a page of `date_reminders`, and their order.
_PARTIES = 25
_BY_TITLE = ("partnership__title", "pk")


def choices_form(request: HttpRequest, person: User, preference: Preference) -> PreferenceForm:
    """Return the form with everything that a person can choose; stakeholders have fewer choices."""
    has_account = not person.is_stakeholder
    return PreferenceForm(
        request.POST or None,
        person=person,
        preference=preference,
        ways=ways_of(person) if has_account else None,
        lead_times=with_usual_lead_times(dict(rows_for(chosen_lead_times, person))) if has_account else None,
    )


def save_choices(form: PreferenceForm, person: User, preference: Preference) -> Preference:
    """Save the choices in a valid form, and return the saved preference."""
    return services.save_choices(
        person=person,
        preferences=form.preferences,
        ways=form.ways,
        lead_times=form.lead_times,
        # A new frequency replaces those of single records too.
        for_everything=form.cleaned_data["frequency"] != preference.frequency,
        author=person,
        now=timezone.now(),
    )


def chosen_lead_times(person: User) -> QuerySet[LeadTimes, tuple[str, list[int]]]:
    """Return the kinds of reminder for which a person has chosen lead times, each with these."""
    return LeadTimes.objects.filter(person=person).values_list("kind", "days")


def preference_of(person: User) -> QuerySet[Preference]:
    """Return the person's preference, if they have saved one."""
    return Preference.objects.filter(person=person)


def pause_of(person: User, preference: Preference, now: dt.datetime) -> dict[str, dt.date | None]:
    """Return the context of `_paused.html`: a pause that has begun, or that is set for later."""
    is_ahead = preference.has_future_pause(now, person.time_zone)
    return {
        "pause_from": preference.paused_from if is_ahead else None,
        "paused_until": preference.pause_end(now, person.time_zone),
    }


def date_reminders(request: HttpRequest, person: User) -> Page[Party]:
    """Return a page of the parties for which this person, as a lead, is reminded of dates.

    Each party chooses the dates. It also chooses the days before them, for leads who have not chosen any days
    themselves.
    """
    return keyset_page(
        request,
        partial(_parties_reminded, person),
        order=_BY_TITLE,
        size=_PARTIES,
        read_first_rows=lambda count: rows_for(first_parties, person, count=count),
    )


def first_parties(person: User, *, count: int) -> QuerySet[Party]:
    """Return the first parties of `date_reminders`."""
    return _parties_reminded(person).order_by(*_BY_TITLE)[:count]


def first_parties_lookup(person: User) -> Lookup:
    """Return the first lookup of a later `date_reminders`, for `read_ahead`."""
    return lookup(first_parties, person, count=_PARTIES + 1)


def _parties_reminded(person: User) -> QuerySet[Party]:
    """Return the present parties of live partnerships for which the person is a lead."""
    leads = Membership.objects.organisations_of(person, Role.LEAD)
    parties = Party.objects.accepted().filter(
        id_is_among("organisation", leads), partnership__in=Partnership.objects.live()
    )
    return parties.select_related("partnership", "organisation")


def always_sent() -> list[tuple[str, list[str]]]:
    """Return the labels of emails that people cannot turn off, by the reason."""
    labels_by_reason: dict[str, list[str]] = {}
    for kind in all_kinds():
        if kind.always and kind.always != FOR_OPERATORS:
            labels_by_reason.setdefault(kind.always, []).append(kind.label)
    return sorted(labels_by_reason.items())
