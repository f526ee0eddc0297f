"""Pages to name and remove the facilitators of one ask or offer."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.exchange import services
from partnerships.exchange.forms.facilitating import EndFacilitatorForm, NameFacilitatorForm
from partnerships.exchange.models import EntryFacilitator
from partnerships.exchange.rights import rights_over
from partnerships.exchange.views.fetching import editable_entry
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def name_entry_facilitator(request: HttpRequest, pk: int) -> HttpResponse:
    """Name a facilitator of an ask or offer. Only its editors can do this."""
    entry = editable_entry(request, pk)
    form = NameFacilitatorForm(post_data(request), cancel=entry.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToChangeEntry):
            with collect_recipients() as recipients:
                facilitator = services.name_entry_facilitator(
                    entry=entry, author=signed_in(request), now=timezone.now(), **form.cleaned_data
                )
            messages.success(request, f"{facilitator.person.display_name} is now a facilitator.{recipients.sentence()}")
            return redirect(entry)

    return form_page(request, "exchange/act.html", form, entry=entry, title="Name a facilitator")


@require_http_methods(["GET", "HEAD", "POST"])
def remove_facilitator(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a facilitator, with a reason: for editors of the entry, and for the facilitator."""
    user = signed_in(request)
    facilitator = get_object_or_404(EntryFacilitator.objects.visible_to(user).active().for_listing(), pk=pk)
    is_facilitator = facilitator.person_id == user.pk
    require(is_facilitator or rights_over(facilitator.entry, user, timezone.now()).may_edit)
    form = EndFacilitatorForm(
        post_data(request), submit="Remove facilitator", cancel=facilitator.entry.get_absolute_url()
    )

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToChangeEntry):
            with collect_recipients() as recipients:
                services.end_entry_facilitator(
                    facilitator=facilitator, reason=form.cleaned_data["reason"], author=user, now=timezone.now()
                )
            messages.success(
                request, f"{facilitator.person.display_name} is no longer a facilitator.{recipients.sentence()}"
            )
            return redirect(facilitator.entry)

    return form_page(
        request,
        "exchange/act.html",
        form,
        entry=facilitator.entry,
        title=f"Remove {facilitator.person.display_name} as a facilitator",
    )
