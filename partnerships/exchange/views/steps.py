"""What pages with a form share: the entry, one service call, the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from partnerships.exchange import services
from partnerships.exchange.models import Entry
from partnerships.exchange.rights import rights_over
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation, OrganisationQuerySet
from partnerships.people.requests import signed_in
from partnerships.people.told import noting_told


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


def form_page(request: HttpRequest, template: str, form: BaseForm, **context: Any) -> HttpResponse:
    """The page of a form, with status 422 if what was sent is invalid."""
    status = 422 if form.is_bound and (form.errors or form.non_field_errors()) else 200
    return render(request, template, {"form": form, **context}, status=status)


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
    if form.is_valid():
        try:
            with noting_told() as told:
                message = step()
        except services.UnableToChangeEntry as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{message}{told.words()}")
            return redirect(to or entry.get_absolute_url())
    return form_page(request, template, form, entry=entry, title=title, **context)
