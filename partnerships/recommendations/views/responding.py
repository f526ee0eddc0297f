"""The page to write the response of an organisation to a recommendation."""

from __future__ import annotations

from copy import copy
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.kit.http import form_page, post_data
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.requests import signed_in
from partnerships.recommendations.forms.responses import ResponseForm
from partnerships.recommendations.models import Recommendation, Response
from partnerships.recommendations.rights import may_answer_for
from partnerships.recommendations.services import ResponseHasChanged, UnableToRespond, respond


@require_http_methods(["GET", "HEAD", "POST"])
def respond_for(request: HttpRequest, pk: int, organisation: int) -> HttpResponse:
    """Write an organisation's response to a recommendation.

    If a colleague saved another response after the page was opened, the page shows it next to the form.
    """
    user = signed_in(request)
    now = timezone.now()
    recommendation = get_object_or_404(Recommendation.objects.visible_to(user).for_listing(), pk=pk)
    body = get_object_or_404(Organisation.objects.visible_to(user), pk=organisation)
    require(may_answer_for(body, user, now))
    response = Response.objects.filter(recommendation=recommendation, organisation=body).first()
    present_revision = str(response.revision if response else 0)
    form = ResponseForm(
        post_data(request), organisation=body, response=response, cancel=recommendation.get_absolute_url()
    )

    if request.method == "POST" and form.is_valid():
        try:
            new_response = respond(
                recommendation=recommendation,
                organisation=body,
                new_response=form.details,
                author=user,
                now=now,
                revision=form.cleaned_data["revision"],
            )
        except ResponseHasChanged as error:
            # The page now shows the colleague's response. With its revision in the form, saving again replaces it.
            data: Any = copy(form.data)  # a copied QueryDict can be changed
            data["revision"] = present_revision
            form.data = data
            form.add_error(None, str(error))
        except UnableToRespond as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "The response has been saved.")
            return redirect(new_response)

    has_changed = request.method == "POST" and request.POST.get("revision") != present_revision
    return form_page(
        request,
        "recommendations/respond.html",
        form,
        recommendation=recommendation,
        organisation=body,
        theirs=response if has_changed else None,
    )
