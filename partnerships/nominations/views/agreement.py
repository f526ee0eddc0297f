"""The page of a nominations agreement."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.nominations.models import NominationsAgreement
from partnerships.nominations.queries import agreed_on
from partnerships.nominations.rights import rights_over
from partnerships.people.requests import signed_in


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What council and provider have agreed, and the way to their returns."""
    user = signed_in(request)
    agreement = get_object_or_404(NominationsAgreement.objects.visible_to(user).for_pages(), partnership=pk)
    context = {
        "agreement": agreement,
        "partnership": agreement.partnership,
        "agreed": agreed_on(agreement, timezone.localdate()),
        "rights": rights_over(agreement, user, timezone.now()),
    }
    return render(request, "nominations/detail.html", context)
