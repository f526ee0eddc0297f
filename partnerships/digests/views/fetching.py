"""Find the record that a URL names, if the person may see it."""

from __future__ import annotations

from django.http import Http404
from django.shortcuts import get_object_or_404

from partnerships.digests.models.targets import Target
from partnerships.digests.rights import readable_targets
from partnerships.people.models import User


def visible_target(user: User, kind: str, pk: int) -> Target:
    """Return the record to follow; 404 if it does not exist or the person may not see it."""
    readable_records = readable_targets(user, kind)
    if readable_records is None:
        raise Http404
    target: Target = get_object_or_404(readable_records, pk=pk)
    return target


def page_of(target: Target) -> str:
    """Return the path of the target's page."""
    return target.get_absolute_url()
