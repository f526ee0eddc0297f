"""Pages to close a point or make an ask or offer of it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.conversations import queries, services
from partnerships.conversations.forms.points import BecomeForm
from partnerships.conversations.forms.reasons import ReasonForm
from partnerships.conversations.models import Point
from partnerships.conversations.rights import Rights, rights_over
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.people.form_steps import take_step
from partnerships.people.models import User
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a point."""
    user, point, rights = open_point(request, pk)
    require(any(side.pk == point.organisation_id for side in rights.sides))
    back = _back(request, point)
    form = ReasonForm(posted(request), submit=f"Close {point.get_kind_display().lower()}", cancel=back)

    def step() -> tuple[str, str]:
        services.close_point(point=point, reason=form.cleaned_data["reason"], author=user, now=timezone.now())
        return f"The {point.get_kind_display().lower()} is closed.", back

    return take_step(
        request, "conversations/close.html", form, step, {services.UnableToChangePoint: None}, point=point, back=back
    )


@require_http_methods(["GET", "HEAD", "POST"])
def become(request: HttpRequest, pk: int) -> HttpResponse:
    """Make an ask of an obstacle, or an offer of an opportunity."""
    user, point, rights = open_point(request, pk)
    if not point.direction:
        raise Http404
    mine = [side for side in rights.sides if point.direction == "offer" or side.pk == point.organisation_id]
    require(bool(mine))
    able = queries.who_may_be_asked(point.conversation, mine[0])
    back = _back(request, point)
    form = BecomeForm(posted(request), point=point, able=able, cancel=back)

    def step() -> tuple[str, str]:
        entry = services.turn_into_entry(
            point=point, organisation=mine[0], **form.cleaned_data, author=user, now=timezone.now()
        )
        return f"The {point.direction} is drafted. Share it when it is ready.", entry.get_absolute_url()

    return take_step(
        request,
        "conversations/become.html",
        form,
        step,
        {services.UnableToChangePoint: None},
        point=point,
        organisation=mine[0],
        able=able,
        back=back,
    )


def _back(request: HttpRequest, point: Point) -> str:
    """Where the person came from: the partnership's page, or the record."""
    partnership = point.conversation.partnership_id
    if partnership and request.GET.get("from") == "partnership":
        return reverse("web:partnership-conversations", args=[partnership])
    return point.conversation.get_absolute_url()


def open_point(request: HttpRequest, pk: int) -> tuple[User, Point, Rights]:
    """The person, a point whose side they may know, and their rights.

    Rights over the point's conversation.
    """
    user = signed_in(request)
    seen = Point.objects.visible_to(user).select_related("conversation__organisation", "organisation")
    point = get_object_or_404(seen, pk=pk)
    return user, point, rights_over(point.conversation, user, timezone.now())
