"""Helpers of pages that change one entry: fetch the entry with the person's rights, and call one service from a form.

`take_entry_step` adds to `take_step` what all these pages share: the entry, the title, the template, the next page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from partnerships.exchange import services
from partnerships.exchange.models import Entry
from partnerships.exchange.rights import rights_over
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation, OrganisationQuerySet
from partnerships.people.form_steps import ABOVE_FORM, take_step
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


def take_entry_step(
    request: HttpRequest,
    form: BaseForm,
    step: Callable[[], str],
    *,
    entry: Entry,
    title: str,
    template: str = "exchange/act.html",
    next_page: str = "",
    **context: Any,
) -> HttpResponse:
    """Change an entry with a form, then redirect to `next_page` or, without one, to the entry's page.

    `step` is called only if the form is valid. It calls one service and returns a message for the person, to which
    the names of those who get an email are added. If the service refuses, the form is shown again with the reason.
    """
    return take_step(
        request,
        template,
        form,
        lambda: (step(), next_page or entry.get_absolute_url()),
        {services.UnableToChangeEntry: ABOVE_FORM},
        say_who_gets_emails=True,
        entry=entry,
        title=title,
        **context,
    )
