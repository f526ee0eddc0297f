"""The pages of an authority's developer agreements, and of one agreement with its promises."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.commitments.queries import name_as_at
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.developer_agreements.queries import NEWEST_FIRST, agreements_of, original_authority_of, promises_in
from partnerships.kit.http import keyset_page
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.people.requests import signed_in


@require_safe
def organisation_agreements(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the developer agreements of a planning authority, newest first."""
    user = signed_in(request)
    organisation = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    agreements = agreements_of(organisation, user)
    context = {
        "organisation": organisation,
        "page": keyset_page(request, agreements, order=NEWEST_FIRST, size=50),
        "agreement_count": agreements.count(),
        "may_add": _may_add(organisation, user),
    }
    return render(request, "developer_agreements/of_organisation.html", context)


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one developer agreement, with the promises in it that the reader may see."""
    user = signed_in(request)
    agreements = DeveloperAgreement.objects.visible_to(user).select_related("organisation").for_listing()
    agreement = get_object_or_404(agreements, pk=pk)
    commitments = list(promises_in(agreement, user))
    original_authority = original_authority_of(agreement)
    context = {
        "agreement": agreement,
        "made_by": original_authority,
        "commitments": commitments,
        "may_add": _may_add(agreement.organisation, user),
    }
    # The page shows each organisation under its name of the day of the agreement or of the promise.
    name_as_at(commitments, beside=[(agreement.agreed_on, original_authority or agreement.organisation)])
    return render(request, "developer_agreements/detail.html", context)


def _may_add(authority: Organisation, user: User) -> bool:
    """Return whether the person may enter agreements and contributions of the authority on pages."""
    return authority.is_planning_authority and roles_of(user, timezone.now()).may_import_published({authority.pk})
