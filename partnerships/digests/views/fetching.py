"""Fetching what a URL names, as far as the person may see it."""

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
    """The thing to follow, or 404 if the person may not see it."""
    if kind == "plan":
        return get_object_or_404(Plan.objects.published_for(user), pk=pk)
    if kind == "partnership":
        return get_object_or_404(Partnership.objects.inside_for(user), pk=pk)
    if kind == "organisation":
        return get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    raise Http404


def page_of(target: Model) -> str:
    """The URL of its page."""
    address: str = getattr(target, "get_absolute_url")()  # noqa: B009 - three models, one method, no common type
    return address
