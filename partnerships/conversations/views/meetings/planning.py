"""Pages to plan a meeting, change it and call it off.

A view with a form passes an inner function to `take_step`, which calls it once the posted form is valid, shows its
message and redirects. If the service refuses, the form is shown again with the reason. With `say_who_gets_emails`, the
message also names who gets an email. On GET, `posted(request)` is None, so that the form is empty.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.conversations import services
from partnerships.conversations.forms.meetings.planning import MeetingForm, initial_of_meeting, initial_of_next
from partnerships.conversations.forms.reasons import ReasonForm
from partnerships.conversations.queries import meetings as queries
from partnerships.conversations.views.meetings.opening import acting_side, open_meeting, open_partnership
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.people.form_steps import ABOVE_FORM, take_step


@require_http_methods(["GET", "HEAD", "POST"])
def new_meeting(request: HttpRequest, pk: int) -> HttpResponse:
    """Plan the next meeting. The form is filled from the meeting cycle and from the last meeting."""
    user, partnership, rights = open_partnership(request, pk)
    require(rights.may_edit)
    now = timezone.now()
    proposed = queries.propose_next(partnership, now)
    last_meeting = partnership.meetings.order_by("-starts_at", "-pk").first()
    people = queries.people_who_may_come(partnership)
    invited_ids = queries.people_invited(partnership, last_meeting, timezone.localdate(now))
    back = reverse("conversations:meetings", args=[pk])
    form = MeetingForm(
        posted(request),
        people=people,
        holidays=queries.meeting_holidays(partnership),
        cancel=back,
        initial=initial_of_next(
            proposed,
            last_meeting.title if last_meeting else f"Meeting of {partnership.title}"[:200],
            invited_ids,
        ),
    )

    def plan_meeting() -> tuple[str, str]:
        meeting = services.plan_meeting(
            partnership=partnership,
            organisation=acting_side(rights),
            plan=form.plan,
            cycle_day=form.cleaned_data["cycle_day"],
            key=form.cleaned_data["key"],
            author=user,
            now=now,
        )
        return f"“{meeting.title}” is planned for {meeting.when}.", meeting.get_absolute_url()

    # `take_step` calls `plan_meeting` once the form is valid. If the service refuses, the form shows why.
    return take_step(
        request,
        "conversations/meetings/plan.html",
        form,
        plan_meeting,
        {services.UnableToPlan: ABOVE_FORM},
        say_who_gets_emails=True,
        partnership=partnership,
        proposed=proposed,
        back=back,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def edit_meeting(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a planned meeting, and email the people concerned."""
    user, meeting, rights = open_meeting(request, pk)
    require(rights.may_edit)
    form = MeetingForm(
        posted(request),
        people=queries.people_who_may_come(meeting.partnership),
        holidays=queries.meeting_holidays(meeting.partnership),
        cancel=meeting.get_absolute_url(),
        for_existing_meeting=True,
        initial=initial_of_meeting(meeting),
    )

    def save_changes() -> tuple[str, str]:
        services.change_meeting(
            meeting=meeting,
            plan=form.plan,
            organisation=acting_side(rights),
            reason=form.cleaned_data["reason"],
            author=user,
            now=timezone.now(),
        )
        return "The meeting has been saved.", meeting.get_absolute_url()

    return take_step(
        request,
        "conversations/meetings/change.html",
        form,
        save_changes,
        # Includes `UnableToChangeMeeting`: the meeting is no longer planned, or the reason is missing.
        {services.UnableToPlan: ABOVE_FORM},
        say_who_gets_emails=True,
        meeting=meeting,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def call_meeting_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Call a planned meeting off, with a reason."""
    user, meeting, rights = open_meeting(request, pk)
    require(rights.may_edit)
    form = ReasonForm(posted(request), submit="Call off the meeting", cancel=meeting.get_absolute_url())

    def call_off_meeting() -> tuple[str, str]:
        services.call_off_meeting(
            meeting=meeting,
            reason=form.cleaned_data["reason"],
            organisation=acting_side(rights),
            author=user,
            now=timezone.now(),
        )
        return f"“{meeting.title}” has been called off.", meeting.get_absolute_url()

    return take_step(
        request,
        "conversations/meetings/call_off.html",
        form,
        call_off_meeting,
        {services.UnableToChangeMeeting: ABOVE_FORM},
        say_who_gets_emails=True,
        meeting=meeting,
    )
