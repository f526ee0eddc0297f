"""Reports that are sent by email on a rhythm."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.kit.http import keyset_page, posted
from partnerships.people.form_steps import take_step
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.reports import services
from partnerships.reports.forms import ScheduleForm
from partnerships.reports.models import Schedule
from partnerships.reports.registry import find_report
from partnerships.reports.rights import may_report_for, reported_for
from partnerships.reports.views.reading import filters_in, found_report


@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest, slug: str) -> HttpResponse:
    """Have a report sent, with the filters of the address."""
    person, report = signed_in(request), found_report(slug)
    question, back, chips = filters_in(request, report)
    form = ScheduleForm(posted(request), bodies=reported_for(person), cancel=back)

    def step() -> tuple[str, str]:
        made = services.schedule_report(
            report=slug,
            question=question,
            name=form.cleaned_data["name"],
            every=form.cleaned_data["every"],
            first_on=form.cleaned_data["first_on"],
            people=form.cleaned_data["people"],
            body=form.chosen,
            author=person,
            now=timezone.now(),
        )
        return f"“{made.name}” will be sent {made.get_every_display().lower()}.", made.get_absolute_url()

    refusals: dict[type[Exception], str | None] = {services.UnableToSchedule: None}
    return take_step(request, "reports/set_up.html", form, step, refusals, report=report, chips=chips)


@require_safe
def schedules(request: HttpRequest) -> HttpResponse:
    """The schedules of the person's organisations and partnerships."""
    rows = Schedule.objects.visible_to(signed_in(request)).select_related("organisation", "partnership")
    page = keyset_page(request, rows, order=("name", "pk"))
    return render(request, "reports/schedules.html", {"page": page})


def _opened(person: User, pk: int) -> Schedule:
    rows = Schedule.objects.visible_to(person).select_related("organisation", "partnership")
    return get_object_or_404(rows, pk=pk)


@require_safe
def schedule(request: HttpRequest, pk: int) -> HttpResponse:
    """A schedule: its report, its rhythm, and who gets it."""
    person = signed_in(request)
    own_schedule = _opened(person, pk)
    recipients = own_schedule.recipients.select_related("person").order_by("person__name", "pk")
    context = {
        "schedule": own_schedule,
        "report": find_report(own_schedule.report),
        "recipients": recipients,
        "is_recipient": any(row.person_id == person.pk for row in recipients),
        "may_end": own_schedule.ended_at is None and may_report_for(person, own_schedule.body, timezone.now()),
    }
    return render(request, "reports/schedule.html", context)


@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Send it to nobody any more."""
    person = signed_in(request)
    ended_schedule = services.end_schedule(schedule=_opened(person, pk), author=person, now=timezone.now())
    messages.success(request, f"“{ended_schedule.name}” is no longer sent. Its frozen reports are kept.")
    return redirect(ended_schedule.get_absolute_url())


@require_POST
def receive(request: HttpRequest, pk: int) -> HttpResponse:
    """Send it to the person too."""
    person = signed_in(request)
    own_schedule = _opened(person, pk)
    services.receive_schedule(schedule=own_schedule, person=person, now=timezone.now())
    messages.success(request, f"You will get “{own_schedule.name}” by email.")
    return redirect(own_schedule.get_absolute_url())


@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Send it to the person no more."""
    person = signed_in(request)
    own_schedule = _opened(person, pk)
    services.stop_receiving(schedule=own_schedule, person=person, now=timezone.now())
    messages.success(request, f"You will no longer get “{own_schedule.name}”.")
    return redirect(own_schedule.get_absolute_url())
