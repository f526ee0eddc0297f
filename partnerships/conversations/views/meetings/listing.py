"""Pages for the meetings of a partnership and for its meeting cycle."""

from __future__ import annotations

from typing import NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.conversations import services
from partnerships.conversations.forms.meetings.planning import CycleForm, initial_of_cycle
from partnerships.conversations.forms.reasons import ReasonForm
from partnerships.conversations.models import Attendance, Meeting
from partnerships.conversations.queries import meetings as queries
from partnerships.conversations.quorum import Quorum
from partnerships.conversations.views.meetings.opening import name_as_at, open_partnership
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation, Role
from partnerships.people.models import User

#: The page shows at most this many past meetings.
MAX_PAST = 100


class PastMeeting(NamedTuple):
    """A meeting that was held or called off, the names of the people present, and the quorum."""

    meeting: Meeting
    present_names: list[str]
    quorum: Quorum | None


def _past_meeting(meeting: Meeting) -> PastMeeting:
    """Return the row of the page for a past meeting, whose seats must have been fetched."""
    present_names = [seat.display_name for seat in meeting.seats.all() if seat.attendance == Attendance.PRESENT]
    return PastMeeting(meeting, present_names, queries.quorum_of(meeting))


@require_safe
def meeting_list(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the meeting cycle, the next meetings, and past meetings with attendance and quorum."""
    user, partnership, rights = open_partnership(request, pk)
    coming_meetings, past_meetings = queries.coming_and_past_meetings(partnership, user, past_limit=MAX_PAST)
    name_as_at([*coming_meetings, *past_meetings])

    now = timezone.now()
    cycle, cycle_from_terms, next_meeting = None, None, None
    # Only people who act for a party see the cycle, and the meeting that follows from it.
    if any(rights.roles.acts_for(party) for party in rights.party_roles):
        cycle = queries.running_cycle(partnership)
        if cycle is None:
            cycle_from_terms = queries.cycle_from_terms(partnership, timezone.localdate(now))
        if not partnership.is_over:
            next_meeting = queries.propose_next_meeting(partnership, now)

    may_plan = rights.may_edit and not partnership.is_over
    context = {
        "partnership": partnership,
        "rights": rights,
        "may_plan": may_plan,
        "may_plan_proposed": may_plan and next_meeting is not None,
        "may_set_cycle": rights.may_set_cycle and not partnership.is_over,
        "cycle": cycle,
        "cycle_from_terms": cycle_from_terms,
        "next_meeting": next_meeting,
        "coming_meetings": coming_meetings,
        "past_meetings": [_past_meeting(meeting) for meeting in past_meetings],
    }
    return render(request, "conversations/meetings/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_cycle(request: HttpRequest, pk: int) -> HttpResponse:
    """Set how often the partnership meets. Without a cycle, the form offers the cycle that the terms describe."""
    user, partnership, rights = open_partnership(request, pk)
    require(rights.may_set_cycle)
    back = reverse("conversations:meetings", args=[pk])
    today = timezone.localdate()
    cycle = queries.running_cycle(partnership)
    cycle_from_terms = None if cycle else queries.cycle_from_terms(partnership, today)
    form = CycleForm(post_data(request), initial=initial_of_cycle(cycle, cycle_from_terms, today), cancel=back)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToSetCycle):
            meeting_cycle = services.set_cycle(
                partnership=partnership,
                cycle=form.cycle,
                sitting=form.sitting,
                on_holiday=form.cleaned_data["on_holiday"],
                organisation=_led_party(user, pk),
                author=user,
                now=timezone.now(),
            )
            # The text starts with a capital, such as "Every 3 months".
            words = meeting_cycle.cycle.words
            messages.success(request, f"The partnership meets: {words[:1].lower()}{words[1:]}.")
            return redirect(back)

    return form_page(
        request,
        "conversations/meetings/cycle.html",
        form,
        partnership=partnership,
        cycle_from_terms=cycle_from_terms,
        cycle=cycle,
        back=back,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def stop_meeting_cycle(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop the meeting cycle, with a reason. Meetings already planned still go ahead."""
    user, partnership, rights = open_partnership(request, pk)
    require(rights.may_set_cycle)
    back = reverse("conversations:meetings", args=[pk])
    form = ReasonForm(post_data(request), submit="Stop meeting cycle", cancel=back)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToSetCycle):
            services.stop_cycle(
                partnership=partnership,
                reason=form.cleaned_data["reason"],
                organisation=_led_party(user, pk),
                author=user,
                now=timezone.now(),
            )
            messages.success(request, "The meeting cycle has been stopped. Meetings already planned still go ahead.")
            return redirect(back)

    return form_page(request, "conversations/meetings/stop.html", form, partnership=partnership, back=back)


def _led_party(user: User, partnership_id: int) -> Organisation | None:
    """Return the present party that the person leads, if any."""
    own_organisations = Organisation.objects.of_person(user, Role.LEAD)
    return (
        own_organisations.filter(parties__partnership=partnership_id, parties__status="accepted").order_by("pk").first()
    )
