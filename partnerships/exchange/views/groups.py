"""The page that starts a working group from an accepted answer.

A view with a form passes an inner function to `take_entry_step`, which calls it once the posted form is valid, shows
its message and redirects. If the service refuses, the form is shown again with the reason. On GET, `posted(request)`
is None, so that the form is empty.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.agreements.models import PartyRole
from partnerships.agreements.services import NewGroup
from partnerships.exchange import services
from partnerships.exchange.forms.groups import GroupForm
from partnerships.exchange.models import Response
from partnerships.exchange.views.steps import take_entry_step
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.organisations.rights import roles_of
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
    require(bool(led_ids) and response.is_accepted and entry.partnership is not None)
    assert entry.partnership is not None
    # Both sides of the answer take part anyway, so the form offers the other parties.
    parties = entry.partnership.parties.present().exclude(role=PartyRole.OBSERVER)
    other_ids = sorted(set(parties.values_list("organisation_id", flat=True)) - side_by_id.keys())
    form = GroupForm(posted(request), response=response, others=other_ids, cancel=entry.get_absolute_url())

    def start_group_from_answer() -> str:
        services.start_group_from_answer(
            response=response,
            organisation=side_by_id[min(led_ids)],
            group=NewGroup(**{"members": (), **form.cleaned_data}),
            author=user,
            now=timezone.now(),
        )
        return "You have started the working group and invited the other organisations."

    # `take_entry_step` calls the function above if the form is valid. If the service refuses, the form shows why.
    return take_entry_step(request, form, start_group_from_answer, entry=entry, title="Start a working group")
