"""Pages for the meetings of a partnership and for its meeting cycle.

A view with a form passes an inner function to `take_step`, which calls it once the posted form is valid, shows its
message and redirects. If the service refuses, the form is shown again with the reason. On GET, `posted(request)` is
None, so that the form is empty.
"""

from __future__ import annotations

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
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
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation, Role
from partnerships.people.form_steps import ABOVE_FORM, take_step
from partnerships.people.models import User

#: The page shows at most this many past meetings.
MAX_PAST = 100


class PastMeeting(NamedTuple):
    """A meeting that was held or called off, the names of the people present, and the quorum."""

    meeting: Meeting
    present_names: list[str]
    quorum: Quorum | None


def _past(meeting: Meeting) -> PastMeeting:
    present_names = [seat.display_name for seat in meeting.seats.all() if seat.attendance == Attendance.PRESENT]
    return PastMeeting(meeting, present_names, queries.quorum_of(meeting))


@require_safe
def meeting_list(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the meeting cycle, the next meetings, and past meetings with attendance and quorum."""
    user, partnership, rights = open_partnership(request, pk)
    now = timezone.now()
    is_inside = bool(rights.party_roles) and any(rights.roles.act_for(party) for party in rights.party_roles)
    cycle = queries.running_cycle(partnership) if is_inside else None
    coming = queries.coming_meetings(partnership, user)
    past = queries.past_meetings(partnership, user, MAX_PAST)
    name_as_at([*coming, *past])
    context = {
        "partnership": partnership,
        "rights": rights,
        "may_plan": rights.may_edit and not partnership.is_over,
        "may_set_cycle": rights.may_set_cycle and not partnership.is_over,
        "cycle": cycle,
        "offered": queries.cycle_from_terms(partnership, timezone.localdate(now))
        if is_inside and cycle is None
        else None,
        "proposed": queries.propose_next(partnership, now) if is_inside and not partnership.is_over else None,
        "coming": coming,
        "past": [_past(meeting) for meeting in past],
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
    offered = None if cycle else queries.cycle_from_terms(partnership, today)
    form = CycleForm(posted(request), initial=initial_of_cycle(cycle, offered, today), cancel=back)

    def save_cycle() -> tuple[str, str]:
        meeting_cycle = services.set_cycle(
            partnership=partnership,
            cycle=form.cycle,
            sitting=form.sitting,
            on_holiday=form.cleaned_data["on_holiday"],
            organisation=_leading(user, pk),
            author=user,
            now=timezone.now(),
        )
        return f"The partnership meets: {meeting_cycle.cycle.words[:1].lower()}{meeting_cycle.cycle.words[1:]}.", back

    # `take_step` calls `save_cycle` once the form is valid. If the service refuses, the form shows why.
    return take_step(
        request,
        "conversations/meetings/cycle.html",
        form,
        save_cycle,
        {services.UnableToSetCycle: ABOVE_FORM},
        partnership=partnership,
        offered=offered,
        cycle=cycle,
        back=back,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def stop_meeting_cycle(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop the meeting cycle, with a reason. Meetings already planned still go ahead."""
    user, partnership, rights = open_partnership(request, pk)
    require(rights.may_set_cycle)
    back = reverse("conversations:meetings", args=[pk])
    form = ReasonForm(posted(request), submit="Stop meeting cycle", cancel=back)

    def stop_cycle() -> tuple[str, str]:
        services.stop_cycle(
            partnership=partnership,
            reason=form.cleaned_data["reason"],
            organisation=_leading(user, pk),
            author=user,
            now=timezone.now(),
        )
        return "The meeting cycle has been stopped. Meetings already planned still go ahead.", back

    return take_step(
        request,
        "conversations/meetings/stop.html",
        form,
        stop_cycle,
        {services.UnableToSetCycle: ABOVE_FORM},
        partnership=partnership,
        back=back,
    )


def _leading(user: User, partnership: int) -> Organisation | None:
    """Return the present party that the person leads, if any."""
    own_organisations = Organisation.objects.of_person(user, Role.LEAD)
    return own_organisations.filter(parties__partnership=partnership, parties__status="accepted").order_by("pk").first()
