"""Pages to name and remove the facilitators of one ask or offer.

A view with a form passes an inner function to `take_entry_step`, which calls it once the posted form is valid, shows
its message and redirects. If the service refuses, the form is shown again with the reason. On GET, `posted(request)`
is None, so that the form is empty.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.exchange import services
from partnerships.exchange.forms.facilitating import EndFacilitatorForm, NameFacilitatorForm
from partnerships.exchange.models import EntryFacilitator
from partnerships.exchange.rights import rights_over
from partnerships.exchange.views.steps import editable_entry, take_entry_step
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def name_entry_facilitator(request: HttpRequest, pk: int) -> HttpResponse:
    """Name a facilitator of an ask or offer. Only its editors can do this."""
    entry = editable_entry(request, pk)
    form = NameFacilitatorForm(posted(request), cancel=entry.get_absolute_url())

    def name_facilitator() -> str:
        facilitator = services.name_entry_facilitator(
            entry=entry, author=signed_in(request), now=timezone.now(), **form.cleaned_data
        )
        return f"{facilitator.person.display_name} is now a facilitator."

    # `take_entry_step` calls `name_facilitator` once the form is valid. If the service refuses, the form shows why.
    return take_entry_step(request, form, name_facilitator, entry=entry, title="Name a facilitator")


@require_http_methods(["GET", "HEAD", "POST"])
def remove_facilitator(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a facilitator, with a reason: for editors of the entry, and for the facilitator."""
    user = signed_in(request)
    facilitator = get_object_or_404(EntryFacilitator.objects.visible_to(user).named().for_listing(), pk=pk)
    require(facilitator.person_id == user.pk or rights_over(facilitator.entry, user, timezone.now()).may_edit)
    form = EndFacilitatorForm(posted(request), submit="Remove facilitator", cancel=facilitator.entry.get_absolute_url())

    def end_facilitator() -> str:
        services.end_entry_facilitator(
            facilitator=facilitator, reason=form.cleaned_data["reason"], author=user, now=timezone.now()
        )
        return f"{facilitator.person.display_name} is no longer a facilitator."

    return take_entry_step(
        request,
        form,
        end_facilitator,
        entry=facilitator.entry,
        title=f"Remove {facilitator.person.display_name} as a facilitator",
    )
