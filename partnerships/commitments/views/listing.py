"""The list of commitments."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.commitments import queries
from partnerships.commitments.forms.filters import FilterForm
from partnerships.commitments.models import Commitment, CommitmentQuerySet, Status
from partnerships.kit.forms import active_filters
from partnerships.kit.http import keyset_page
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.people.models import User
from partnerships.people.requests import signed_in


@require_safe
def commitment_list(request: HttpRequest) -> HttpResponse:
    """Commitments the person may see, by due date."""
    user = signed_in(request)
    form = FilterForm(request.GET, user=user)
    rows = Commitment.objects.visible_to(user)
    if form.is_valid():
        rows = _filtered(rows, form.cleaned_data, user)
    undated = dt.date(9999, 12, 31)
    page = keyset_page(
        request,
        rows.annotate(due_key=Coalesce("due_on", Value(undated))).for_listing(),
        order=("due_key", "pk"),
    )
    queries.name_as_at(page.rows)
    context = {
        "form": form,
        "page": page,
        "chips": active_filters(form, request.GET),
        "today": timezone.localdate(),
        "may_propose": bool(Membership.objects.organisations_of(user, *EDITING_ROLES)),
    }
    partial = bool(getattr(request, "htmx", False))
    return render(request, "commitments/_results.html" if partial else "commitments/list.html", context)


def _filtered(rows: CommitmentQuerySet, chosen: dict[str, Any], user: User) -> CommitmentQuerySet:
    mine = Organisation.objects.of_person(user).values("pk")
    sides: dict[str, dict[str, Any]] = {
        "given": {"giver__in": mine},
        "received": {"receiver__in": mine},
        "mine": {"owner": user},
    }
    standing: dict[str, dict[str, Any]] = {
        "proposed": {"status": Status.PROPOSED},
        "risk": {"status__in": [Status.AT_RISK, Status.BLOCKED]},
        "done": {"status": Status.DONE},
        "verified": {"status": Status.VERIFIED},
        "ended": {"status__in": [Status.CANCELLED, Status.SUPERSEDED]},
    }
    rows = rows.filter(**sides.get(chosen["side"], {}), **standing.get(chosen["standing"], {}))
    if chosen["standing"] == "open":
        rows = rows.under_way()
    if chosen["standing"] == "overdue":
        rows = rows.overdue(timezone.localdate())
    if chosen["kind"]:
        rows = rows.filter(kind=chosen["kind"])
    if chosen["register"]:
        rows = rows.exclude(source="") if chosen["register"] == "read" else rows.filter(source="")
    if chosen["partnership"]:
        rows = rows.filter(partnership=chosen["partnership"])
    return queries.with_words(rows, chosen["words"]) if chosen["words"] else rows
