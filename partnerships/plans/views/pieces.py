"""Edit, add, remove and move the pieces of a draft."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from partnerships.kit.http import posted
from partnerships.people.requests import signed_in
from partnerships.plans.changes import HomesTotals, homes_totals
from partnerships.plans.content import (
    COLLECTION_BY_CODE,
    DOCUMENTS,
    SITES,
    Collection,
    Content,
    InvalidContent,
    Item,
    UnknownPiece,
    empty,
    get_piece,
    homes_count,
    normalise_homes,
)
from partnerships.plans.forms import BLANK_LINES, HomesFormSet, PieceForm, homes_lines
from partnerships.plans.models import Document, Draft, Plan
from partnerships.plans.queries import draft_content
from partnerships.plans.services import PieceConflict, UnableToSavePiece, move_piece, save_piece
from partnerships.plans.views.conflicts import conflict_context
from partnerships.plans.views.fetching import Opened, open_to_edit


@require_http_methods(["GET", "HEAD", "POST"])
def edit_about(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit the title, summary, period and source."""
    opened, draft = open_to_edit(request, pk)
    return _edit(request, opened, draft, None, "about", "")


@require_http_methods(["GET", "HEAD", "POST"])
def edit_item(request: HttpRequest, pk: int, code: str, key: str) -> HttpResponse:
    """Edit a section, site, milestone, outcome or risk."""
    opened, draft = open_to_edit(request, pk)
    collection = _collection(code)
    return _edit(request, opened, draft, collection, f"{code}/{key}", key)


@require_http_methods(["GET", "HEAD", "POST"])
def add_item(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Add a section, site, milestone, outcome or risk."""
    opened, draft = open_to_edit(request, pk)
    collection = _collection(code)
    if collection is DOCUMENTS:
        raise Http404
    # A random key: it appears in addresses, which must not reveal the name of a confidential site.
    key = request.POST.get("key", "") if request.method == "POST" else secrets.token_hex(5)
    return _edit(request, opened, draft, collection, f"{code}/{key}", key, new=True)


def _collection(code: str) -> Collection:
    if code not in COLLECTION_BY_CODE:
        raise Http404
    return COLLECTION_BY_CODE[code]


def _edit(
    request: HttpRequest,
    opened: Opened,
    draft: Draft,
    collection: Collection | None,
    piece: str,
    key: str,
    *,
    new: bool = False,
) -> HttpResponse:
    plan = opened.plan
    content = draft_content(plan)
    try:
        item: Item | None = get_piece(content, piece)
    except ValueError as error:
        raise Http404 from error
    sent = request.method == "POST"
    if item is None and not new and not sent:
        raise Http404
    back = reverse("plans:draft", kwargs={"pk": plan.pk})
    initial = {**(item or {}), "based_on": draft.revision_of(piece)}
    form = PieceForm(posted(request), collection=collection, content=content, initial=initial, cancel=back)
    lines = _homes_formset(request, item) if collection is SITES else None
    context: dict[str, Any] = {
        "plan": plan,
        "collection": collection,
        "item": item,
        "key": key,
        "new": new,
        "form": form,
        "lines": lines,
        "back": back,
    }
    if lines is not None:
        context["totals"] = _totals_of(lines)
    status = 200
    if sent and lines is not None and "more" in request.POST:
        return render(request, "plans/piece.html", context)
    if sent:
        status = 422
        if form.is_valid() and (lines is None or lines.is_valid()):
            value = {**(item or _attached(plan, collection, key)), **form.value()}
            if lines is not None:
                value["homes"] = homes_lines(lines)
            try:
                save_piece(
                    plan=plan,
                    piece=piece,
                    value=value,
                    based_on=form.cleaned_data["based_on"],
                    author=signed_in(request),
                    now=timezone.now(),
                )
            except PieceConflict as conflict:
                status = 409
                context |= conflict_context(conflict, collection, content)
                form = _rebased(request, form, conflict, collection, content, back)
                context["form"] = form
            except UnableToSavePiece as error:
                _explain(form, error)
            else:
                name = value.get(collection.title) if collection else "About this plan"
                messages.success(request, f"“{name}” saved in the draft.")
                return redirect(f"{back}#{piece.replace('/', '-')}")
    return render(request, "plans/piece.html", context, status=status)


def _attached(plan: Plan, collection: Collection | None, key: str) -> Item:
    """The file fields of a document that somebody removed meanwhile, or {}."""
    if collection is not DOCUMENTS:
        return {}
    document = get_object_or_404(Document, plan=plan, key=key)
    return {code: getattr(document, code) for code in ("file_name", "content_type", "size", "sha256")}


def _explain(form: PieceForm, error: UnableToSavePiece) -> None:
    """Add each problem to its field, or above the form."""
    for problem in error.problems:
        field = problem.path.rpartition("/")[2]
        form.add_error(field if field in form.fields else None, problem.message)
    if not error.problems:
        form.add_error(None, str(error))


def _rebased(
    request: HttpRequest,
    form: PieceForm,
    conflict: PieceConflict,
    collection: Collection | None,
    content: Content,
    cancel: str,
) -> PieceForm:
    """The same form and text, now based on the other person's save."""
    data = request.POST.copy()
    data["based_on"] = str(conflict.revision)
    return PieceForm(data, collection=collection, content=content, cancel=cancel)


def _homes_formset(request: HttpRequest, item: Item | None) -> Any:
    """The lines of homes, with some blank ones.

    More on request, keeping what was typed.
    """
    blank = {"tenure": "social_rent", "needs": "general"}
    if request.method != "POST":
        lines = [*(item["homes"] if item else []), *([blank] * BLANK_LINES)]
        initial = [{**line, "bedrooms": "" if line.get("bedrooms") is None else line["bedrooms"]} for line in lines]
        return HomesFormSet(initial=initial, prefix="homes")
    data = request.POST.copy()
    if data.get("more") == "lines":
        total = data.get("homes-TOTAL_FORMS", "0")
        data["homes-TOTAL_FORMS"] = str(int(total) + BLANK_LINES if total.isdecimal() else BLANK_LINES)
    return HomesFormSet(data, prefix="homes")


def _totals_of(lines: Any) -> HomesTotals:
    """The totals of the valid lines of homes, for use without JavaScript."""
    typed = [line.cleaned_data if line.is_valid() else {} for line in lines] if lines.is_bound else lines.initial
    site: Item = {"area": "", "planning_authority": "", "homes": []}
    for line in typed:
        with suppress(InvalidContent):
            site["homes"] += normalise_homes([line])
    content = {**empty(), "sites": [site]}
    return homes_totals(content, content)


@require_http_methods(["GET", "HEAD", "POST"])
def remove_item(request: HttpRequest, pk: int, code: str, key: str) -> HttpResponse:
    """Remove an item from the draft; earlier versions keep it."""
    opened, draft = open_to_edit(request, pk)
    collection = _collection(code)
    piece = f"{code}/{key}"
    content = draft_content(opened.plan)
    try:
        item = get_piece(content, piece)
    except ValueError as error:
        raise Http404 from error
    if item is None:
        raise Http404
    if request.method == "POST":
        based_on = request.POST.get("based_on", "")
        try:
            save_piece(
                plan=opened.plan,
                piece=piece,
                value=None,
                based_on=int(based_on) if based_on.isdecimal() else 0,
                author=signed_in(request),
                now=timezone.now(),
            )
        except PieceConflict:
            messages.warning(request, f"Somebody has changed “{item[collection.title]}”. Read it before you remove it.")
            return redirect("plans:edit-item", pk=pk, code=code, key=key)
        except UnableToSavePiece as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"“{item[collection.title]}” removed from the draft. Earlier versions keep it.")
        return redirect("plans:draft", pk=pk)
    is_site = collection is SITES
    homes = homes_count(item) if is_site else 0
    return render(
        request,
        "plans/remove.html",
        {
            "plan": opened.plan,
            "collection": collection,
            "item": item,
            "title": item[collection.title],
            "based_on": draft.revision_of(piece),
            "homes": homes,
            "milestones": sum(milestone["site"] == key for milestone in content["milestones"]) if is_site else 0,
        },
    )


@require_POST
def move_item(request: HttpRequest, pk: int, code: str, key: str) -> HttpResponse:
    """Move an item one place up or down."""
    opened, _draft = open_to_edit(request, pk)
    collection = _collection(code)
    up = request.POST.get("way") == "up"
    try:
        moved = move_piece(
            plan=opened.plan, piece=f"{code}/{key}", up=up, author=signed_in(request), now=timezone.now()
        )
    except UnknownPiece as error:
        raise Http404 from error
    except UnableToSavePiece as error:
        messages.error(request, str(error))
    else:
        where = "up" if up else "down"
        already = f"The {collection.one} is already the {'first' if up else 'last'}."
        messages.success(request, f"{collection.label} moved {where}." if moved else already)
    return redirect(f"{reverse('plans:draft', kwargs={'pk': pk})}#{code}-{key}")
