"""Pages of a partnership's dates: what is coming, notices, reminders."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.agreements.forms import ReasonForm
from partnerships.agreements.forms.dates import DateRemindersForm, NoticeForm
from partnerships.agreements.models import ENDING, LEADING_ROLES, Notice, Partnership, Party
from partnerships.agreements.queries.dates import chain_of, choice_of, gaps_of, last_day_for_notice
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
from partnerships.agreements.views.access import held, seen
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.organisations.naming import show_as_at
from partnerships.people.form_steps import take_step
from partnerships.people.models import User
from partnerships.people.requests import signed_in


@require_safe
def dates(request: HttpRequest, pk: int) -> HttpResponse:
    """Dates, notices, days without cover and the chain of agreements.

    For people of present and invited parties.
    """
    user = signed_in(request)
    partnership = held(user, pk)
    require(Partnership.objects.inside_for(user).filter(pk=pk).exists())
    today = timezone.localdate()
    rights = rights_over(partnership, user, timezone.now())
    notices = list(partnership.notices.select_related("organisation", "given_by").order_by("-given_at", "-pk"))
    ended = ((notice.withdrawn_at or notice.done_at, notice.organisation) for notice in notices)
    show_as_at((timezone.localdate(at) if at else None, body) for at, body in ended)
    parties = list(partnership.parties.present().select_related("organisation").order_by("organisation__name", "pk"))
    context = {
        "partnership": partnership,
        "today": today,
        "last_day_for_notice": last_day_for_notice(partnership),
        "gap": gaps_of(user, [pk], today).get(pk),
        "chain": chain_of(user, partnership, today),
        "notices": [(notice, notice.is_open and rights.may_withdraw_notice(notice)) for notice in notices],
        "own": [party for party in parties if rights.may_leave(party)],
        "in_force": partnership.state in ENDING,
        "may_lead": rights.leads,
    }
    return render(request, "agreements/dates/dates.html", context)


def _own(user: User, pk: int, party: int) -> Party:
    """A present party that the person leads; 403 for other readers."""
    seen(user, pk)
    own_party = get_object_or_404(
        Party.objects.select_related("organisation", "partnership"),
        pk=party,
        partnership=pk,
        partnership__in=Partnership.objects.inside_for(user),
    )
    if not own_party.is_present:
        raise Http404
    require(rights_over(own_party.partnership, user, timezone.now()).may_leave(own_party))
    return own_party


@require_http_methods(["GET", "HEAD", "POST"])
def notice(request: HttpRequest, pk: int, party: int) -> HttpResponse:
    """Give notice for an organisation that the reader leads."""
    user = signed_in(request)
    own_party = _own(user, pk, party)
    back = reverse("agreements:dates", args=[pk])
    earliest = earliest_last_day(own_party.partnership, timezone.localdate())
    form = NoticeForm(posted(request), earliest=earliest, cancel=back)

    def step() -> tuple[str, str]:
        notice_given = give_notice(party=own_party, author=user, now=timezone.now(), **form.cleaned_data)
        ends = notice_given.partnership.notice_ends_on == notice_given.last_day
        verb, subject = ("ends", own_party.partnership.title) if ends else ("leaves", own_party.organisation.name)
        return f"Notice has been given. {subject} {verb} after {notice_given.last_day:%-d %B %Y}.", back

    present = rights_over(own_party.partnership, user, timezone.now()).present
    form.is_valid()  # a form with another error still has the chosen day
    last_day = (form.cleaned_data.get("last_day") if form.is_bound else None) or earliest
    notices = own_party.partnership.notices.open().exclude(organisation=own_party.organisation)
    other_notices = list(notices.select_related("organisation").order_by("last_day", "given_at", "pk"))
    return take_step(
        request,
        "agreements/dates/notice.html",
        form,
        step,
        {UnableToGiveNotice: None},
        names_emailed=True,
        party=own_party,
        partnership=own_party.partnership,
        last_day=last_day,
        ends_on=end_if_notice_given(own_party, last_day, other_notices),
        others=other_notices,
        others_lead=any(role in LEADING_ROLES for pk, role in present.items() if pk != own_party.organisation_id),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def notice_withdraw(request: HttpRequest, pk: int, notice: int) -> HttpResponse:
    """Withdraw a notice that has not run out."""
    user = signed_in(request)
    seen(user, pk)
    rows = Notice.objects.select_related("organisation", "partnership")
    inside = Partnership.objects.inside_for(user)
    notice_given = get_object_or_404(rows, pk=notice, partnership=pk, partnership__in=inside)
    require(rights_over(notice_given.partnership, user, timezone.now()).may_withdraw_notice(notice_given))
    back = reverse("agreements:dates", args=[pk])
    form = ReasonForm(posted(request), submit="Withdraw notice", cancel=back, danger=False)

    def step() -> tuple[str, str]:
        withdraw_notice(notice=notice_given, reason=form.cleaned_data["reason"], author=user, now=timezone.now())
        return f"The notice from {notice_given.organisation.name} has been withdrawn.", back

    return take_step(
        request,
        "agreements/dates/notice_withdraw.html",
        form,
        step,
        {UnableToWithdrawNotice: None},
        names_emailed=True,
        notice=notice_given,
        partnership=notice_given.partnership,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def reminders(request: HttpRequest, pk: int, party: int) -> HttpResponse:
    """Choose which dates a party's leads are emailed about, and when."""
    user = signed_in(request)
    own_party = _own(user, pk, party)
    back = reverse("agreements:dates", args=[pk])
    days, chosen = choice_of(own_party)
    form = DateRemindersForm(posted(request), days=days, dates=chosen, cancel=back)

    def step() -> tuple[str, str]:
        choose_date_reminders(
            party=own_party,
            days=form.chosen_days,
            dates=form.cleaned_data["dates"],
            author=user,
            now=timezone.now(),
        )
        return f"The reminders for {own_party.organisation.name} have been saved.", back

    return take_step(
        request,
        "agreements/dates/reminders.html",
        form,
        step,
        {UnableToChooseReminders: None},
        party=own_party,
        partnership=own_party.partnership,
    )
