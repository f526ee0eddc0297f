"""The page that starts a working group from an accepted answer."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.agreements.models import PartyRole
from partnerships.agreements.services import NewGroup
from partnerships.exchange import services
from partnerships.exchange.forms.groups import GroupForm
from partnerships.exchange.models import Response
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.organisations.rights import roles_of
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def start_group(request: HttpRequest, pk: int) -> HttpResponse:
    """Start a working group, as a lead of either side of an accepted answer."""
    user = signed_in(request)
    responses = Response.objects.visible_to(user)
    response = get_object_or_404(
        responses.select_related("entry__organisation", "entry__partnership", "organisation"), pk=pk
    )
    entry = response.entry
    side_by_id = {entry.organisation_id: entry.organisation, response.organisation_id: response.organisation}
    led_ids = roles_of(user, timezone.now()).led_among(side_by_id.keys())
    if not led_ids or not response.is_accepted or entry.partnership is None:
        raise PermissionDenied

    # Both sides of the answer take part anyway, so the form offers the other parties.
    parties = entry.partnership.parties.accepted().exclude(role=PartyRole.OBSERVER)
    party_ids = set(parties.values_list("organisation_id", flat=True))
    other_ids = sorted(party_ids - side_by_id.keys())
    form = GroupForm(post_data(request), response=response, others=other_ids, cancel=entry.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        # The form has no field for members if there is nobody to choose.
        group = NewGroup(**{"members": (), **form.cleaned_data})
        with show_refusal(form, services.UnableToChangeEntry):
            with collect_recipients() as recipients:
                services.start_group_from_answer(
                    response=response,
                    organisation=side_by_id[min(led_ids)],
                    group=group,
                    author=user,
                    now=timezone.now(),
                )
            messages.success(
                request,
                f"You have started the working group and invited the other organisations.{recipients.sentence()}",
            )
            return redirect(entry)

    return form_page(request, "exchange/act.html", form, entry=entry, title="Start a working group")
