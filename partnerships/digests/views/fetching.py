"""Fetching what an address names through what its person may see, and finding the way back to its page."""

from __future__ import annotations

from django.db.models import Model
from django.http import Http404
from django.shortcuts import get_object_or_404

from partnerships.agreements.models import Partnership
from partnerships.digests.models.targets import Target
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan


def visible_target(user: User, kind: str, pk: int) -> Target:
    """The thing that is to be followed, or 404 for what the person may not see."""
    if kind == "plan":
        return get_object_or_404(Plan.objects.published_for(user), pk=pk)
    if kind == "partnership":
        return get_object_or_404(Partnership.objects.inside_for(user), pk=pk)
    if kind == "organisation":
        return get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    raise Http404


def page_of(target: Model) -> str:
    """The address of its own page."""
    address: str = getattr(target, "get_absolute_url")()  # noqa: B009 - three models, one method, no common type
    return address
