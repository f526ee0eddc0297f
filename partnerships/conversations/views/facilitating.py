"""Pages to name a facilitator, to accept or end the role, and to see what is stuck.

A view with a form passes an inner function to `take_step`, which calls it once the posted form is valid, shows its
message and redirects. If the service refuses, the form is shown again with the reason. With `say_who_gets_emails`, the
message also names who gets an email. On GET, `posted(request)` is None, so that the form is empty.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.agreements.models import Partnership
from partnerships.agreements.rights import rights_over
from partnerships.conversations import services
from partnerships.conversations.forms.facilitating import EndFacilitationForm, NameFacilitatorForm
from partnerships.conversations.forms.reasons import ConfirmForm
from partnerships.conversations.models import Facilitator
from partnerships.conversations.queries.facilitating import stuck_for, watched_by
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.people.form_steps import ABOVE_FORM, take_step
from partnerships.people.requests import signed_in


@require_safe
def stuck_records(request: HttpRequest) -> HttpResponse:
    """Show the records that are stuck in the partnerships that the reader facilitates or leads."""
    user, now = signed_in(request), timezone.now()
    watched = watched_by(user)
    today = timezone.localdate(now)
    rows = [(partnership, record, record.days(today)) for partnership, record in stuck_for(user, watched, now)]
    return render(request, "conversations/facilitating/stuck.html", {"watched": watched, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
def name_new_facilitator(request: HttpRequest, pk: int) -> HttpResponse:
    """Name a facilitator of a partnership. Only leads of the partnership can do this."""
    user = signed_in(request)
    partnership = get_object_or_404(Partnership.objects.visible_to(user), pk=pk)
    require(rights_over(partnership, user, timezone.now()).leads)
    form = NameFacilitatorForm(posted(request), cancel=partnership.get_absolute_url())

    def name_facilitator() -> tuple[str, str]:
        facilitator = services.name_facilitator(
            partnership=partnership, author=user, now=timezone.now(), **form.cleaned_data
        )
        return (
            f"{facilitator.person.display_name} has been named. They can now accept or decline.",
            partnership.get_absolute_url(),
        )

    # `take_step` calls `name_facilitator` once the form is valid. If the service refuses, the form shows why.
    return take_step(
        request,
        "conversations/facilitating/name.html",
        form,
        name_facilitator,
        {services.UnableToNameFacilitator: "email"},
        say_who_gets_emails=True,
        partnership=partnership,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def accept_role(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a person who was named as facilitator accept the role."""
    user = signed_in(request)
    facilitator = get_object_or_404(Facilitator.objects.filter(person=user).named().for_listing(), pk=pk)
    form = ConfirmForm(posted(request), submit="Accept", cancel=reverse("web:home"))

    def accept_facilitation() -> tuple[str, str]:
        services.accept_facilitation(facilitator=facilitator, author=user, now=timezone.now())
        return f"You are a facilitator of {facilitator.partnership.title}.", reverse("conversations:stuck")

    return take_step(
        request,
        "conversations/facilitating/accept.html",
        form,
        accept_facilitation,
        {services.UnableToAcceptFacilitation: ABOVE_FORM},
        facilitator=facilitator,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def end_role(request: HttpRequest, pk: int) -> HttpResponse:
    """End a facilitator's role: for leads of the partnership, and for the facilitator."""
    user = signed_in(request)
    facilitator = get_object_or_404(Facilitator.objects.visible_to(user).named().for_listing(), pk=pk)
    require(facilitator.person_id == user.pk or rights_over(facilitator.partnership, user, timezone.now()).leads)
    form = EndFacilitationForm(posted(request), submit="Remove facilitator", cancel=reverse("web:home"))

    def end_facilitation() -> tuple[str, str]:
        reason = form.cleaned_data["reason"]
        services.end_facilitation(facilitator=facilitator, reason=reason, author=user, now=timezone.now())
        return f"{facilitator.person.display_name} is no longer a facilitator.", reverse("web:home")

    return take_step(
        request,
        "conversations/facilitating/end.html",
        form,
        end_facilitation,
        {services.UnableToEndFacilitation: ABOVE_FORM},
        facilitator=facilitator,
    )
