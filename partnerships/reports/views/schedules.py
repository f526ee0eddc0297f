"""Pages of schedules, by which reports are emailed at regular intervals."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.kit.http import form_page, keyset_page, post_data, show_refusal
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.reports import services
from partnerships.reports.forms import ScheduleForm
from partnerships.reports.models import Schedule
from partnerships.reports.registry import find_report
from partnerships.reports.rights import bodies_to_report_for, may_report_for
from partnerships.reports.views.reading import report_filters, report_or_404


@require_http_methods(["GET", "HEAD", "POST"])
def new_schedule(request: HttpRequest, slug: str) -> HttpResponse:
    """Schedule emails of a report, with the filters in the URL."""
    person = signed_in(request)
    report = report_or_404(slug)
    filters = report_filters(request, report)
    form = ScheduleForm(post_data(request), audiences=bodies_to_report_for(person), cancel=filters.report_url)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToSchedule):
            schedule = services.schedule_report(
                details=services.ScheduleDetails(
                    report=slug,
                    query_string=filters.query_string,
                    name=form.cleaned_data["name"],
                    every=form.cleaned_data["every"],
                    first_on=form.cleaned_data["first_on"],
                    people=form.cleaned_data["people"],
                    audience=form.chosen_audience,
                ),
                author=person,
                now=timezone.now(),
            )
            frequency = schedule.get_every_display().lower()
            messages.success(request, f"“{schedule.name}” will be sent {frequency}.")
            return redirect(schedule)

    return form_page(request, "reports/set_up.html", form, report=report, chips=filters.chips)


@require_safe
def schedules(request: HttpRequest) -> HttpResponse:
    """Show the list of schedules of the person's organisations and partnerships."""
    visible_schedules = Schedule.objects.visible_to(signed_in(request)).select_related("organisation", "partnership")
    page = keyset_page(request, visible_schedules, order=("name", "pk"))
    return render(request, "reports/schedules.html", {"page": page})


def _schedule_or_404(person: User, pk: int) -> Schedule:
    """Return the schedule with this id. Raises Http404 unless the person's organisation or partnership has it."""
    visible_schedules = Schedule.objects.visible_to(person).select_related("organisation", "partnership")
    return get_object_or_404(visible_schedules, pk=pk)


@require_safe
def schedule(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the report, the frequency and the recipients of a schedule."""
    person = signed_in(request)
    own_schedule = _schedule_or_404(person, pk)
    recipients = own_schedule.recipients.select_related("person").order_by("person__name", "pk")
    context = {
        "schedule": own_schedule,
        "report": find_report(own_schedule.report),
        "recipients": recipients,
        "is_recipient": any(recipient.person_id == person.pk for recipient in recipients),
        "may_end": own_schedule.ended_at is None and may_report_for(person, own_schedule.audience, timezone.now()),
    }
    return render(request, "reports/schedule.html", context)


@require_POST
def end_own_schedule(request: HttpRequest, pk: int) -> HttpResponse:
    """End a schedule."""
    person = signed_in(request)
    ended_schedule = services.end_schedule(schedule=_schedule_or_404(person, pk), author=person, now=timezone.now())
    messages.success(request, f"“{ended_schedule.name}” is no longer sent. Its frozen reports are kept.")
    return redirect(ended_schedule)


@require_POST
def start_receiving(request: HttpRequest, pk: int) -> HttpResponse:
    """Add the signed-in person to the recipients."""
    person = signed_in(request)
    own_schedule = _schedule_or_404(person, pk)
    services.receive_schedule(schedule=own_schedule, person=person, now=timezone.now())
    messages.success(request, f"You will get “{own_schedule.name}” by email.")
    return redirect(own_schedule.get_absolute_url())


@require_POST
def stop_receiving(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove the signed-in person from the recipients."""
    person = signed_in(request)
    own_schedule = _schedule_or_404(person, pk)
    services.stop_receiving(schedule=own_schedule, person=person, now=timezone.now())
    messages.success(request, f"You will no longer get “{own_schedule.name}”.")
    return redirect(own_schedule.get_absolute_url())
