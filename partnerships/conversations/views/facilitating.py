"""Pages to name a facilitator, to accept or end the role, and to see what is stuck."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.agreements.models import Partnership
from partnerships.agreements.rights import rights_over
from partnerships.conversations import services
from partnerships.conversations.forms.facilitating import EndFacilitationForm, NameFacilitatorForm
from partnerships.conversations.forms.reasons import ConfirmForm
from partnerships.conversations.models import Facilitator
from partnerships.conversations.queries.facilitating import partnerships_watched_by, stuck_records_for
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in


@require_safe
def stuck_records(request: HttpRequest) -> HttpResponse:
    """Show the records that are stuck in the partnerships that the reader facilitates or leads."""
    user, now = signed_in(request), timezone.now()
    partnerships = partnerships_watched_by(user)
    today = timezone.localdate(now)
    stuck = stuck_records_for(user, partnerships, now)
    # Each record with its partnership and the number of days for which it has been stuck.
    rows = [(partnership, record, record.days(today)) for partnership, record in stuck]
    return render(request, "conversations/facilitating/stuck.html", {"partnerships": partnerships, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
def name_new_facilitator(request: HttpRequest, pk: int) -> HttpResponse:
    """Name a facilitator of a partnership. Only leads of the partnership can do this."""
    user = signed_in(request)
    partnership = get_object_or_404(Partnership.objects.visible_to(user), pk=pk)
    require(rights_over(partnership, user, timezone.now()).leads)
    form = NameFacilitatorForm(post_data(request), cancel=partnership.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToNameFacilitator, field="email"):
            with collect_recipients() as recipients:
                facilitator = services.name_facilitator(
                    partnership=partnership, author=user, now=timezone.now(), **form.cleaned_data
                )
            name = facilitator.person.display_name
            message = f"{name} has been named. They can now accept or decline.{recipients.sentence()}"
            messages.success(request, message)
            return redirect(partnership)

    return form_page(request, "conversations/facilitating/name.html", form, partnership=partnership)


@require_http_methods(["GET", "HEAD", "POST"])
def accept_role(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a person who was named as facilitator accept the role."""
    user = signed_in(request)
    facilitator = get_object_or_404(Facilitator.objects.filter(person=user).not_ended().for_listing(), pk=pk)
    form = ConfirmForm(post_data(request), submit="Accept role", cancel=reverse("web:home"))

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToAcceptFacilitation):
            services.accept_facilitation(facilitator=facilitator, author=user, now=timezone.now())
            messages.success(request, f"You are a facilitator of {facilitator.partnership.title}.")
            return redirect("conversations:stuck")

    return form_page(request, "conversations/facilitating/accept.html", form, facilitator=facilitator)


@require_http_methods(["GET", "HEAD", "POST"])
def end_role(request: HttpRequest, pk: int) -> HttpResponse:
    """End a facilitator's role: for leads of the partnership, and for the facilitator."""
    user = signed_in(request)
    facilitator = get_object_or_404(Facilitator.objects.visible_to(user).not_ended().for_listing(), pk=pk)
    is_facilitator = facilitator.person_id == user.pk
    require(is_facilitator or rights_over(facilitator.partnership, user, timezone.now()).leads)
    form = EndFacilitationForm(post_data(request), submit="Remove facilitator", cancel=reverse("web:home"))

    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        with show_refusal(form, services.UnableToEndFacilitation):
            services.end_facilitation(facilitator=facilitator, reason=reason, author=user, now=timezone.now())
            messages.success(request, f"{facilitator.person.display_name} is no longer a facilitator.")
            return redirect("web:home")

    return form_page(request, "conversations/facilitating/end.html", form, facilitator=facilitator)
