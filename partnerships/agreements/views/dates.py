"""The pages of the dates of a partnership, its notices and the reminders about its dates.

`require` answers 403 if its condition is false.
"""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.agreements.forms import ReasonForm
from partnerships.agreements.forms.dates import DateRemindersForm, NoticeForm
from partnerships.agreements.models import ENDABLE_STATUSES, LEADING_ROLES, Notice, Partnership, Party
from partnerships.agreements.queries.dates import chain_of_agreements, gaps_of, last_day_for_notice, reminder_choices_of
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.notice_effects import end_if_notice_given
from partnerships.agreements.services.notices import (
    UnableToGiveNotice,
    UnableToWithdrawNotice,
    earliest_last_day,
    give_notice,
    withdraw_notice,
)
from partnerships.agreements.services.reminders import UnableToChooseReminders, choose_date_reminders
from partnerships.agreements.views.access import get_readable, get_visible
from partnerships.kit.dates import long_date
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.naming import show_names_of_day
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in


@require_safe
def dates(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the dates, the notices, days without cover, and earlier and later agreements.

    Only people of present and invited parties may see the page.
    """
    user = signed_in(request)
    partnership = get_readable(user, pk)
    require(Partnership.objects.readable_today_by(user).filter(pk=pk).exists())

    today = timezone.localdate()
    rights = rights_over(partnership, user, timezone.now())
    notices = list(partnership.notices.select_related("organisation", "given_by").order_by("-given_at", "-pk"))
    # A closed notice shows the organisation under the name that it had on that day.
    show_names_of_day((_closed_on(notice), notice.organisation) for notice in notices)
    parties = list(partnership.parties.accepted().select_related("organisation").order_by("organisation__name", "pk"))
    context = {
        "partnership": partnership,
        "today": today,
        "last_day_for_notice": last_day_for_notice(partnership),
        "gap": gaps_of(user, [pk], today).get(pk),
        "chain": chain_of_agreements(user, partnership, today),
        "in_force": partnership.state in ENDABLE_STATUSES,
        # Each notice is followed by whether the person may withdraw it.
        "notices": [(notice, notice.is_open and rights.may_withdraw_notice(notice)) for notice in notices],
        "own_parties": [party for party in parties if rights.may_leave(party)],
        "may_lead": rights.leads,
    }
    return render(request, "agreements/dates/dates.html", context)


def _closed_on(notice: Notice) -> dt.date | None:
    """Return the day on which a notice was withdrawn or took effect, or None while it is open."""
    closed_at = notice.withdrawn_at or notice.done_at
    return timezone.localdate(closed_at) if closed_at else None


def _own_party(user: User, pk: int, party_id: int) -> Party:
    """Return a present party that the person leads.

    Raises 404 for people who may not read the partnership, and 403 for other readers.
    """
    get_visible(user, pk)
    own_party = get_object_or_404(
        Party.objects.select_related("organisation", "partnership"),
        pk=party_id,
        partnership=pk,
        partnership__in=Partnership.objects.readable_today_by(user),
    )
    if not own_party.is_present:
        raise Http404
    require(rights_over(own_party.partnership, user, timezone.now()).may_leave(own_party))
    return own_party


@require_http_methods(["GET", "HEAD", "POST"])
def notice_give(request: HttpRequest, pk: int, party: int) -> HttpResponse:
    """Give notice for an organisation that the reader leads.

    The page says whether the partnership ends after the chosen last day, and which notices are already open.
    """
    user = signed_in(request)
    own_party = _own_party(user, pk, party)
    partnership = own_party.partnership
    dates_page = reverse("agreements:dates", args=[pk])
    earliest = earliest_last_day(partnership, timezone.localdate())
    form = NoticeForm(post_data(request), earliest=earliest, cancel=dates_page)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToGiveNotice):
            with collect_recipients() as recipients:
                new_notice = give_notice(party=own_party, author=user, now=timezone.now(), **form.cleaned_data)
            messages.success(request, f"{_notice_message(new_notice, own_party)}{recipients.sentence()}")
            return redirect(dates_page)

    # An invalid form may still have a valid day.
    chosen_day = form.cleaned_data.get("last_day") if form.is_bound else None
    last_day = chosen_day or earliest
    notices = partnership.notices.pending().exclude(organisation=own_party.organisation)
    other_notices = list(notices.select_related("organisation").order_by("last_day", "given_at", "pk"))
    role_by_organisation = rights_over(partnership, user, timezone.now()).present
    other_roles = [
        role for organisation, role in role_by_organisation.items() if organisation != own_party.organisation_id
    ]
    return form_page(
        request,
        "agreements/dates/notice.html",
        form,
        party=own_party,
        partnership=partnership,
        last_day=last_day,
        ends_on=end_if_notice_given(own_party, last_day, other_notices),
        other_notices=other_notices,
        has_other_leader=any(role in LEADING_ROLES for role in other_roles),
    )


def _notice_message(notice: Notice, party: Party) -> str:
    """Return the message after a notice, which says whether the partnership ends or only the party leaves."""
    last_day = long_date(notice.last_day)
    if notice.partnership.notice_ends_on == notice.last_day:
        return f"Notice has been given. {party.partnership.title} ends after {last_day}."
    return f"Notice has been given. {party.organisation.name} leaves after {last_day}."


@require_http_methods(["GET", "HEAD", "POST"])
def notice_withdraw(request: HttpRequest, pk: int, notice: int) -> HttpResponse:
    """Withdraw a notice that has not taken effect yet, with a reason."""
    user = signed_in(request)
    get_visible(user, pk)
    notices = Notice.objects.select_related("organisation", "partnership")
    readable_partnerships = Partnership.objects.readable_today_by(user)
    open_notice = get_object_or_404(notices, pk=notice, partnership=pk, partnership__in=readable_partnerships)
    partnership = open_notice.partnership
    require(rights_over(partnership, user, timezone.now()).may_withdraw_notice(open_notice))

    dates_page = reverse("agreements:dates", args=[pk])
    form = ReasonForm(post_data(request), submit="Withdraw notice", cancel=dates_page, danger=False)
    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToWithdrawNotice):
            with collect_recipients() as recipients:
                withdraw_notice(notice=open_notice, reason=form.cleaned_data["reason"], author=user, now=timezone.now())
            message = f"The notice from {open_notice.organisation.name} has been withdrawn."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(dates_page)

    return form_page(
        request, "agreements/dates/notice_withdraw.html", form, notice=open_notice, partnership=partnership
    )


@require_http_methods(["GET", "HEAD", "POST"])
def date_reminders(request: HttpRequest, pk: int, party: int) -> HttpResponse:
    """Choose the dates about which the leads of a party get reminders, and how many days before."""
    user = signed_in(request)
    own_party = _own_party(user, pk, party)
    dates_page = reverse("agreements:dates", args=[pk])
    days, chosen_dates = reminder_choices_of(own_party)
    form = DateRemindersForm(post_data(request), days=days, dates=chosen_dates, cancel=dates_page)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToChooseReminders):
            choose_date_reminders(
                party=own_party,
                days=form.chosen_days,
                dates=form.cleaned_data["dates"],
                author=user,
                now=timezone.now(),
            )
            messages.success(request, f"The reminders for {own_party.organisation.name} have been saved.")
            return redirect(dates_page)

    return form_page(
        request, "agreements/dates/reminders.html", form, party=own_party, partnership=own_party.partnership
    )
