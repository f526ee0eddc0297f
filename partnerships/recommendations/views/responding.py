"""The page to write the response of an organisation to a recommendation.

A view with a form passes an inner function to `take_step`, which calls it once the posted form is valid, shows its
message and redirects. If the service refuses, the form is shown again with the reason. On GET, `posted(request)` is
None, so that the form is empty.
"""

from __future__ import annotations

from copy import copy
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.form_steps import ABOVE_FORM, take_step
from partnerships.people.requests import signed_in
from partnerships.recommendations.forms.responses import ResponseForm
from partnerships.recommendations.models import Recommendation, Response
from partnerships.recommendations.rights import may_answer_for
from partnerships.recommendations.services import ResponseHasChanged, UnableToRespond, respond


@require_http_methods(["GET", "HEAD", "POST"])
def respond_for(request: HttpRequest, pk: int, organisation: int) -> HttpResponse:
    """Write an organisation's response to a recommendation.

    If a colleague saved another response after the page was opened, the page shows that response beside the form.
    """
    user = signed_in(request)
    now = timezone.now()
    recommendation = get_object_or_404(Recommendation.objects.visible_to(user).for_listing(), pk=pk)
    body = get_object_or_404(Organisation.objects.visible_to(user), pk=organisation)
    require(may_answer_for(body, user, now))
    response = Response.objects.filter(recommendation=recommendation, organisation=body).first()
    form = ResponseForm(posted(request), organisation=body, response=response, cancel=recommendation.get_absolute_url())

    def save_response() -> tuple[str, str]:
        """Save the response.

        If a colleague has saved first, the page shows the colleague's response beside the form.
        """
        try:
            saved = respond(
                recommendation=recommendation,
                organisation=body,
                new_response=form.details,
                author=user,
                now=now,
                revision=form.cleaned_data["revision"],
            )
        except ResponseHasChanged:
            # The page shows the colleague's response, so saving again may replace it.
            data: Any = copy(form.data)  # a copied QueryDict can be changed
            data["revision"] = str(response.revision if response else 0)
            form.data = data
            raise
        return "The response has been saved.", saved.get_absolute_url()

    has_changed = request.method == "POST" and request.POST.get("revision") != str(response.revision if response else 0)
    # `take_step` calls `save_response` once the form is valid. If the service refuses, the form shows why.
    return take_step(
        request,
        "recommendations/respond.html",
        form,
        save_response,
        {UnableToRespond: ABOVE_FORM},
        recommendation=recommendation,
        organisation=body,
        theirs=response if has_changed else None,
    )
