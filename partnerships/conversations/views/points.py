"""Pages that close a point, or turn it into an ask or offer."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.conversations import queries, services
from partnerships.conversations.forms.points import TurnIntoEntryForm
from partnerships.conversations.forms.reasons import ReasonForm
from partnerships.conversations.models import Point
from partnerships.conversations.rights import Rights, rights_over
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def close_with_reason(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a point, with a reason. Only people of the organisation whose point it is can do this."""
    user, point, rights = open_point(request, pk)
    require(point.organisation in rights.sides)
    back = _return_address(request, point)
    kind = point.get_kind_display().lower()
    form = ReasonForm(post_data(request), submit=f"Close {kind}", cancel=back)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToChangePoint):
            services.close_point(point=point, reason=form.cleaned_data["reason"], author=user, now=timezone.now())
            messages.success(request, f"The {kind} has been closed.")
            return redirect(back)

    return form_page(request, "conversations/close.html", form, point=point, back=back)


@require_http_methods(["GET", "HEAD", "POST"])
def turn_into_ask_or_offer(request: HttpRequest, pk: int) -> HttpResponse:
    """Turn an obstacle into an ask, or an opportunity into an offer.

    Any organisation that took part can make an offer. Only the organisation that has the obstacle can make an ask.
    """
    user, point, rights = open_point(request, pk)
    if not point.direction:
        raise Http404
    if point.direction == "offer":
        possible_authors = list(rights.sides)
    else:
        possible_authors = [side for side in rights.sides if side == point.organisation]
    require(bool(possible_authors))
    # A person who edits for several organisations writes for the first.
    organisation = possible_authors[0]
    possible_addressees = queries.find_addressees(point.conversation, organisation)
    back = _return_address(request, point)
    form = TurnIntoEntryForm(post_data(request), point=point, possible_addressees=possible_addressees, cancel=back)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToChangePoint):
            entry = services.turn_into_entry(
                point=point, organisation=organisation, **form.cleaned_data, author=user, now=timezone.now()
            )
            messages.success(request, f"The {point.direction} has been drafted. Share the draft when it is ready.")
            return redirect(entry)

    return form_page(
        request,
        "conversations/become.html",
        form,
        point=point,
        organisation=organisation,
        possible_addressees=possible_addressees,
        back=back,
    )


def _return_address(request: HttpRequest, point: Point) -> str:
    """Return the page that the person came from: the partnership's conversations, or the record."""
    partnership = point.conversation.partnership_id
    if partnership and request.GET.get("from") == "partnership":
        return reverse("web:partnership-conversations", args=[partnership])
    return point.conversation.get_absolute_url()


def open_point(request: HttpRequest, pk: int) -> tuple[User, Point, Rights]:
    """Return the person, a point, and the person's rights over its conversation.

    Raises Http404 unless the person may read the point and see who made it.
    """
    user = signed_in(request)
    readable = Point.objects.visible_to(user).select_related("conversation__organisation", "organisation")
    point = get_object_or_404(readable, pk=pk)
    return user, point, rights_over(point.conversation, user, timezone.now())
