"""Fetching what a URL names, as far as the person may see it."""

from __future__ import annotations

from django.http import Http404
from django.shortcuts import get_object_or_404

from partnerships.digests.models.targets import Target
from partnerships.digests.rights import readable_targets
from partnerships.people.models import User


def visible_target(user: User, kind: str, pk: int) -> Target:
    """The thing to follow, or 404 if the person may not see it."""
    readable = readable_targets(user, kind)
    if readable is None:
        raise Http404
    target: Target = get_object_or_404(readable, pk=pk)
    return target


def page_of(target: Target) -> str:
    """The URL of its page."""
    return target.get_absolute_url()
