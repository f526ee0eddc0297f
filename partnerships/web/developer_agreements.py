"""Developer agreements: those of an authority, page by page, and one with what was promised in it and paid so far."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from partnerships.commitments.models import Commitment
from partnerships.commitments.queries import in_order
from partnerships.kit.http import keyset_page
from partnerships.organisations.models import Organisation
from partnerships.people.requests import signed_in
from partnerships.transfer.models import DeveloperAgreement


@require_safe
def of_organisation(request: HttpRequest, pk: int) -> HttpResponse:
    """The agreements an authority has published, the newest first; they are published, so the directory's readers
    read them.
    """
    organisation = get_object_or_404(Organisation.objects.visible_to(signed_in(request)), pk=pk)
    rows = DeveloperAgreement.objects.filter(organisation=organisation)
    undated = Value(dt.date(1, 1, 1))
    page = keyset_page(
        request,
        rows.annotate(promised=Count("promises"), agreed_key=Coalesce("agreed_on", undated)),
        order=("-agreed_key", "-pk"),
        size=50,
    )
    context = {"organisation": organisation, "page": page, "number": rows.count()}
    return render(request, "web/developer_agreements.html", context)


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One agreement. Its promises are commitments, and read by those who may read these."""
    user = signed_in(request)
    found = DeveloperAgreement.objects.select_related("organisation").annotate(promised=Count("promises"))
    agreement = get_object_or_404(found.filter(organisation__in=Organisation.objects.visible_to(user)), pk=pk)
    promises = Commitment.objects.visible_to(user).filter(promised_in__agreement=agreement).for_listing()
    context = {"agreement": agreement, "commitments": in_order(promises)}
    return render(request, "web/developer_agreement.html", context)
