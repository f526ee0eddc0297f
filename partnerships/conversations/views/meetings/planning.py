"""Pages to plan a meeting, change it and call it off."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.conversations import services
from partnerships.conversations.forms.meetings.planning import MeetingForm, initial_of_meeting, initial_of_next_meeting
from partnerships.conversations.forms.reasons import ReasonForm
from partnerships.conversations.queries import meetings as queries
from partnerships.conversations.views.meetings.opening import acting_party, open_meeting, open_partnership
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.people.recipients import collect_recipients


@require_http_methods(["GET", "HEAD", "POST"])
def new_meeting(request: HttpRequest, pk: int) -> HttpResponse:
    """Plan the next meeting. The form is filled from the meeting cycle and from the last meeting."""
    user, partnership, rights = open_partnership(request, pk)
    require(rights.may_edit)
    now = timezone.now()
    proposed_date = queries.propose_next_meeting(partnership, now)
    last_meeting = partnership.meetings.order_by("-starts_at", "-pk").first()
    title = last_meeting.title if last_meeting else f"Meeting of {partnership.title}"[:200]
    invited_ids = queries.next_attendee_ids(partnership, last_meeting, timezone.localdate(now))
    back = reverse("conversations:meetings", args=[pk])
    form = MeetingForm(
        post_data(request),
        people=queries.possible_attendees(partnership),
        holidays=queries.meeting_holidays(partnership),
        cancel=back,
        initial=initial_of_next_meeting(proposed_date, title, invited_ids),
    )

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToPlan):
            with collect_recipients() as recipients:
                meeting = services.plan_meeting(
                    partnership=partnership,
                    organisation=acting_party(rights),
                    plan=form.plan,
                    cycle_day=form.cleaned_data["cycle_day"],
                    key=form.cleaned_data["key"],
                    author=user,
                    now=now,
                )
            messages.success(
                request, f"“{meeting.title}” is planned for {meeting.date_and_time}.{recipients.sentence()}"
            )
            return redirect(meeting)

    return form_page(
        request, "conversations/meetings/plan.html", form, partnership=partnership, proposed=proposed_date, back=back
    )


@require_http_methods(["GET", "HEAD", "POST"])
def edit_meeting(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a planned meeting, and email the people concerned."""
    user, meeting, rights = open_meeting(request, pk)
    require(rights.may_edit)
    form = MeetingForm(
        post_data(request),
        people=queries.possible_attendees(meeting.partnership),
        holidays=queries.meeting_holidays(meeting.partnership),
        cancel=meeting.get_absolute_url(),
        for_existing_meeting=True,
        initial=initial_of_meeting(meeting),
    )

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToPlan):
            with collect_recipients() as recipients:
                services.change_meeting(
                    meeting=meeting,
                    plan=form.plan,
                    organisation=acting_party(rights),
                    reason=form.cleaned_data["reason"],
                    author=user,
                    now=timezone.now(),
                )
            messages.success(request, f"The meeting has been saved.{recipients.sentence()}")
            return redirect(meeting)

    return form_page(request, "conversations/meetings/change.html", form, meeting=meeting)


@require_http_methods(["GET", "HEAD", "POST"])
def call_meeting_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Call a planned meeting off, with a reason."""
    user, meeting, rights = open_meeting(request, pk)
    require(rights.may_edit)
    form = ReasonForm(post_data(request), submit="Call off the meeting", cancel=meeting.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToChangeMeeting):
            with collect_recipients() as recipients:
                services.call_off_meeting(
                    meeting=meeting,
                    reason=form.cleaned_data["reason"],
                    organisation=acting_party(rights),
                    author=user,
                    now=timezone.now(),
                )
            messages.success(request, f"“{meeting.title}” has been called off.{recipients.sentence()}")
            return redirect(meeting)

    return form_page(request, "conversations/meetings/call_off.html", form, meeting=meeting)
