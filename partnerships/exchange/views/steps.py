"""What pages with a form share: the entry, one service call, the result."""

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
from partnerships.people.form_steps import take_step
from partnerships.people.requests import signed_in


def own_entry(request: HttpRequest, pk: int) -> Entry:
    """An entry the person may edit; else 404 (unseen) or 403 (read-only)."""
    user = signed_in(request)
    entry = get_object_or_404(Entry.objects.visible_to(user).select_related("organisation", "partnership"), pk=pk)
    require(rights_over(entry, user, timezone.now()).may_edit)
    return entry


def asked_entry(request: HttpRequest, pk: int) -> tuple[Entry, OrganisationQuerySet]:
    """The entry and the organisations the person may answer it for.

    404 if they cannot see it, 403 if they can only read it.
    """
    user = signed_in(request)
    entry = get_object_or_404(Entry.objects.visible_to(user).select_related("organisation"), pk=pk)
    answers_for = rights_over(entry, user, timezone.now()).answers_for
    require(bool(answers_for))
    return entry, Organisation.objects.filter(pk__in=answers_for).order_by("name", "pk")


def act(
    request: HttpRequest,
    form: BaseForm,
    step: Callable[[], str],
    *,
    entry: Entry,
    title: str,
    template: str = "exchange/act.html",
    to: str = "",
    **context: Any,
) -> HttpResponse:
    """The page of a form that does one step, or the redirect after it.

    If the form is valid, `step` calls one service and returns a message, which is shown with who gets an email. The
    next page is `to`, or the entry. If the service refuses, the form shows why.
    """
    return take_step(
        request,
        template,
        form,
        lambda: (step(), to or entry.get_absolute_url()),
        {services.UnableToChangeEntry: None},
        names_emailed=True,
        entry=entry,
        title=title,
        **context,
    )
