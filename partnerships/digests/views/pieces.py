"""The page to follow one site or milestone of a plan.

A view for a button without a form passes its inner function to `press_button`, which calls it and redirects with its
message or with the reason of a refusal.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.digests import services
from partnerships.digests.models import Subscription
from partnerships.digests.models.targets import Piece
from partnerships.digests.queries.readers import INSIDE, reading_class_of
from partnerships.people.form_steps import press_button
from partnerships.people.requests import signed_in
from partnerships.plans.content import get_piece, normalise, outside
from partnerships.plans.models import Plan, Version


@require_http_methods(["GET", "HEAD", "POST"])
def follow_piece(request: HttpRequest, pk: int, collection: str, key: str) -> HttpResponse:
    """Ask whether to follow one site or milestone of a plan. On POST, follow it.

    The person's digests then contain only the changes of the plan that are about this site or milestone.
    """
    person = signed_in(request)
    plan = get_object_or_404(Plan.objects.published_for(person), pk=pk)
    version = get_object_or_404(Version.objects.visible_to(person), plan=plan, number=plan.current_number)
    content = normalise(version.content)
    readable_content = content if reading_class_of(person, plan, timezone.now()) == INSIDE else outside(content)
    piece = f"{collection}/{key}"
    item = get_piece(readable_content, piece) if collection in ("sites", "milestones") else None
    if item is None:
        raise Http404
    target = Piece(plan, piece)
    own_subscription = Subscription.objects.live().filter(person=person, plan=plan, key=piece).first()
    if request.method == "POST" and own_subscription is None:
        back_url = plan.get_absolute_url()

        def follow_target() -> tuple[str, str]:
            """Subscribe the person to the site or milestone."""
            services.subscribe(person=person, target=target, author=person, now=timezone.now())
            return f"You now follow {item['name']}. Your digests list what changes from now on.", back_url

        # `press_button` calls `follow_target`, then redirects with its message or the refusal.
        return press_button(request, follow_target, services.UnableToSubscribe, back=back_url)
    context = {
        "plan": plan,
        "item": item,
        "mine": own_subscription,
        "kind": "site" if collection == "sites" else "milestone",
    }
    return render(request, "digests/follow_piece.html", context)
