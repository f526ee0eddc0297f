"""The page to choose when to get reminders."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.commitments import services
from partnerships.commitments.forms.reminders import RemindersForm
from partnerships.commitments.services.reminders import lead_times_of
from partnerships.kit.http import form_page, posted
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def reminders(request: HttpRequest) -> HttpResponse:
    """Choose lead times for one's own reminders."""
    user = signed_in(request)
    now_chosen = lead_times_of(user)
    offered = {day for day, _ in RemindersForm.CHOICES}
    initial = {"days": now_chosen, "other": next((day for day in now_chosen if day not in offered), None)}
    form = RemindersForm(posted(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        chosen = services.choose_lead_times(person=user, days=form.chosen, now=timezone.now()).days
        words = ", ".join({0: "on the day", 1: "the day before"}.get(day, f"{day} days before") for day in chosen)
        messages.success(request, f"You will get reminders {words}." if chosen else "You will get no reminders.")
        return redirect(reverse("commitments:list"))
    return form_page(request, "commitments/reminders.html", form)
