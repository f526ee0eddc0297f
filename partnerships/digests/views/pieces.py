"""The page to follow one site or milestone of a plan."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.digests import services
from partnerships.digests.models import Subscription
from partnerships.digests.models.targets import Piece
from partnerships.digests.queries.readers import INSIDE, reading_class_of
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.plans.content import Content, content_for_outside, get_piece, normalise
from partnerships.plans.models import Plan, Version


@require_http_methods(["GET", "HEAD", "POST"])
def follow_piece(request: HttpRequest, pk: int, collection: str, key: str) -> HttpResponse:
    """Ask whether to follow one site or milestone of a plan. On POST, follow it.

    The person's digests then contain only the changes of the plan that are about this site or milestone.
    """
    person = signed_in(request)
    plan = get_object_or_404(Plan.objects.published_for(person), pk=pk)
    # Other pieces of a plan, such as texts and documents, cannot be followed one by one.
    if collection not in ("sites", "milestones"):
        raise Http404
    piece = f"{collection}/{key}"
    item = get_piece(_readable_content(person, plan), piece)
    if item is None:
        raise Http404

    own_subscription = Subscription.objects.live().filter(person=person, plan=plan, key=piece).first()
    if request.method == "POST" and own_subscription is None:
        try:
            services.subscribe(person=person, target=Piece(plan, piece), author=person, now=timezone.now())
        except services.UnableToSubscribe as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"You now follow {item['name']}. Your digests list what changes from now on.")
        return redirect(plan)

    context = {
        "plan": plan,
        "item": item,
        "own_subscription": own_subscription,
        "kind": "site" if collection == "sites" else "milestone",
    }
    return render(request, "digests/follow_piece.html", context)


def _readable_content(person: User, plan: Plan) -> Content:
    """Return the content of the newest version, as the person may read it; 404 if they may not read this version."""
    version = get_object_or_404(Version.objects.visible_to(person), plan=plan, number=plan.current_number)
    content = normalise(version.content)
    if reading_class_of(person, plan, timezone.now()) == INSIDE:
        return content
    return content_for_outside(content)
