"""Create a plan; show its draft, attach files to it and discard it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.documents import touched_since
from partnerships.kit.forms import ReasonForm
from partnerships.kit.http import posted
from partnerships.people.form_steps import take_step
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.plans import presenting
from partnerships.plans.changes import homes_totals
from partnerships.plans.content import COLLECTIONS, Content
from partnerships.plans.forms import DocumentForm, PlanForm
from partnerships.plans.models import Draft
from partnerships.plans.queries import area_names, comment_counts, draft_content, owners_of
from partnerships.plans.services import (
    UnableToAttach,
    UnableToCreatePlan,
    UnableToSavePiece,
    attach_document,
    create_plan,
    discard_draft,
)
from partnerships.plans.views.fetching import open_draft, open_to_edit
from partnerships.plans.views.previewing import read_draft


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Create a plan."""
    user = signed_in(request)
    initial = {"partnership": request.GET.get("partnership", "")}
    form = PlanForm(posted(request), user=user, initial=initial)

    def step() -> tuple[str, str]:
        chosen = form.cleaned_data
        plan = create_plan(
            owners=form.all_owners(),
            partnership=chosen["partnership"],
            title=chosen["title"],
            kind=chosen["kind"],
            audience=chosen["audience"],
            author=user,
            now=timezone.now(),
        )
        words = f"“{plan.title}” created. Only editors of its owners can see this draft."
        return words, reverse("plans:draft", args=[plan.pk])

    return take_step(request, "plans/create.html", form, step, {UnableToCreatePlan: None})


def _touches(draft: Draft, content: Content) -> dict[str, dict[str, Any]]:
    """Who changed each piece since the newest version, and when."""
    pieces = touched_since(draft.pieces, draft.clean_revision)
    people = User.objects.in_bulk({touch["by"] for touch in pieces.values() if touch["by"]})
    return {
        piece: {
            "by": people[touch["by"]].display_name if touch["by"] in people else "",
            "at": dt.datetime.fromisoformat(touch["at"]),
        }
        for piece, touch in pieces.items()
    }


@require_safe
def draft_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The draft with links to edit each piece.

    People who may not edit it can read it.
    """
    opened, draft = open_draft(request, pk)
    if not opened.may_edit:
        return read_draft(request, opened, draft)
    content = draft_content(opened.plan)
    touches = _touches(draft, content)
    comments = comment_counts(request.user, opened.plan, on_draft=True)
    lists = [
        {
            "code": collection.code,
            "one": collection.one,
            "label": collection.label,
            "many": f"{collection.label}s",
            "items": [
                {
                    "key": item["key"],
                    "title": item[collection.title],
                    "hidden": item[collection.hidden_by],
                    "detail": presenting.item_detail(collection, item),
                    "touch": touches.get(f"{collection.code}/{item['key']}"),
                    "comments": comments.get(f"{collection.code}/{item['key']}", 0),
                }
                for item in content[collection.code]
            ],
        }
        for collection in COLLECTIONS
    ]
    return render(
        request,
        "plans/draft.html",
        {
            "plan": opened.plan,
            "opened": opened,
            "draft": draft,
            "owners": owners_of(opened.plan),
            "about": content["about"],
            "about_touch": touches.get("about"),
            "lists": lists,
            "totals": homes_totals(content, content, area_names(content)),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def add_document(request: HttpRequest, pk: int) -> HttpResponse:
    """Attach a file to the draft."""
    opened, _draft = open_to_edit(request, pk)
    back = reverse("plans:draft", kwargs={"pk": pk})
    form = DocumentForm(posted(request), request.FILES or None, cancel=back)

    def step() -> tuple[str, str]:
        chosen = form.cleaned_data
        document = attach_document(
            plan=opened.plan,
            title=chosen["title"],
            file=chosen["file"],
            restricted=chosen["restricted"],
            author=signed_in(request),
            now=timezone.now(),
        )
        return f"“{document.file_name}” attached to the draft.", f"{back}#documents"

    return take_step(request, "plans/attach.html", form, step, {UnableToAttach: "file"}, plan=opened.plan, back=back)


@require_http_methods(["GET", "HEAD", "POST"])
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Discard the draft and return to the newest version."""
    opened, _draft = open_to_edit(request, pk)
    back = reverse("plans:draft", kwargs={"pk": pk})
    form = ReasonForm(posted(request), submit="Discard draft", cancel=back, danger=True)

    def step() -> tuple[str, str]:
        discard_draft(
            plan=opened.plan, author=signed_in(request), reason=form.cleaned_data["reason"], now=timezone.now()
        )
        words = f"Draft discarded. It is the same as version {opened.plan.current_number} again."
        return words, opened.plan.get_absolute_url()

    return take_step(request, "plans/discard.html", form, step, {UnableToSavePiece: None}, plan=opened.plan, back=back)
