"""Fetches the entry that a page changes, after checking the person's rights."""

from __future__ import annotations

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from partnerships.exchange.models import Entry
from partnerships.exchange.rights import rights_over
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation, OrganisationQuerySet
from partnerships.people.requests import signed_in


def editable_entry(request: HttpRequest, pk: int) -> Entry:
    """Return the entry if the person may edit it.

    Raises Http404 if the person cannot see the entry, and PermissionDenied if they can only read it.
    """
    user = signed_in(request)
    entry = get_object_or_404(Entry.objects.visible_to(user).select_related("organisation", "partnership"), pk=pk)
    require(rights_over(entry, user, timezone.now()).may_edit)
    return entry


def answerable_entry(request: HttpRequest, pk: int) -> tuple[Entry, OrganisationQuerySet]:
    """Return the entry, and the organisations for which the person may answer it.

    Raises Http404 if the person cannot see the entry, and PermissionDenied if they can only read it.
    """
    user = signed_in(request)
    entry = get_object_or_404(Entry.objects.visible_to(user).select_related("organisation"), pk=pk)
    answers_for = rights_over(entry, user, timezone.now()).answers_for
    require(bool(answers_for))
    return entry, Organisation.objects.filter(pk__in=answers_for).order_by("name", "pk")
