"""Pages to edit, add, remove and move the pieces of a draft."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from partnerships.documents import Names
from partnerships.documents import views as documents
from partnerships.documents.services import OpenDraft
from partnerships.documents.views import Piece
from partnerships.kit.forms import is_search, searching_form
from partnerships.people.requests import signed_in
from partnerships.plans.changes import names_of_contents
from partnerships.plans.content import (
    DOCUMENTS,
    PLAN,
    SITES,
    YEAR_KINDS,
    Content,
    Item,
    homes_count,
    year_kinds,
)
from partnerships.plans.forms import HomesFormSet, PieceForm
from partnerships.plans.forms.homes import add_row_or_year, is_too_large, suggested_years
from partnerships.plans.forms.pieces import OF_THE_FILE
from partnerships.plans.models import Document, Plan
from partnerships.plans.queries import area_names, content_of_draft
from partnerships.plans.services import move_piece, save_piece
from partnerships.plans.views.fetching import open_to_edit


@require_http_methods(["GET", "HEAD", "POST"])
def edit_about(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit the title, summary, period and source in the draft of a plan."""
    plan, piece = _open_piece(request, pk, "about")
    return _edit(request, plan, piece)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_item(request: HttpRequest, pk: int, code: str, key: str) -> HttpResponse:
    """Edit a section, site, milestone, outcome or risk of the draft."""
    plan, piece = _open_piece(request, pk, code, key)
    return _edit(request, plan, piece)


@require_http_methods(["GET", "HEAD", "POST"])
def add_item(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Add a section, site, milestone, outcome or risk to the draft. For documents, see `add_document`."""
    plan, piece = _open_piece(request, pk, code, new=True)
    if piece.collection is DOCUMENTS:
        raise Http404
    return _edit(request, plan, piece)


def _open_piece(request: HttpRequest, pk: int, code: str, key: str = "", *, new: bool = False) -> tuple[Plan, Piece]:
    """Return the plan and a piece of its draft if the person may edit the draft; else 404 or 403."""
    access, draft = open_to_edit(request, pk)
    content = content_of_draft(draft)
    back = reverse("plans:draft", kwargs={"pk": pk})
    open_draft = OpenDraft(PLAN, draft, content)
    return access.plan, documents.find_piece(request, open_draft, code, key, back=back, new=new)


def _edit(request: HttpRequest, plan: Plan, piece: Piece) -> HttpResponse:
    """Show the form of one piece, and save the piece.

    The form of a site has a grid of homes, unless the grid would be too large.
    """
    form = searching_form(
        request,
        PieceForm,
        collection=piece.collection,
        content=piece.content,
        initial=piece.initial,
        cancel=piece.back,
    )

    is_site = piece.collection is SITES
    homes = piece.item["homes"] if is_site and piece.item else []
    has_too_many_homes = is_too_large(homes)
    # Without a grid, saving the form leaves the homes unchanged.
    homes_grid = _homes_grid(request, plan, piece) if is_site and not has_too_many_homes else None
    context: dict[str, Any] = {
        "plan": plan,
        "lines": homes_grid,
        "too_many_lines": len(homes) if has_too_many_homes else 0,
        "year_words": YEAR_KINDS.get(plan.years, ""),
    }

    # Some buttons of the form save nothing. They search for an area by name, or add rows or years to the grid.
    changes_grid_only = homes_grid is not None and "more" in request.POST
    if is_search(request.POST) or changes_grid_only:
        return documents.show_piece(request, piece, form, template="plans/piece.html", context=context)

    if piece.item is None and request.method == "POST":
        # The form does not have the fields of the file, which must be saved with a document again.
        piece = replace(piece, defaults=_file_fields(plan, piece))
    return documents.edit_piece(
        request,
        piece,
        form,
        save=_save_function(request, plan, piece),
        template="plans/piece.html",
        names=_names,
        lines=homes_grid,
        context=context,
    )


def _save_function(request: HttpRequest, plan: Plan, piece: Piece) -> documents.Save:
    """Return a function that saves a new value of the piece, for the views of documents."""

    def save_value(value: Any, based_on: int) -> object:
        draft = save_piece(
            plan=plan, piece=piece.name, value=value, based_on=based_on, author=signed_in(request), now=timezone.now()
        )
        if piece.collection is SITES and value is not None:
            _report_years(request, plan, value["homes"])
        return draft

    return save_value


def _report_years(request: HttpRequest, plan: Plan, homes: list[Item]) -> None:
    """Show a message if the saved homes use another kind of years than the plan used before."""
    kinds = year_kinds(homes)
    if plan.years and len(kinds) == 1 and plan.years not in kinds:
        messages.info(request, f"The homes in this plan are now counted in {kinds.pop()} years.")


def _names(content: Content) -> Names:
    """Return the names for the keys and codes in the content, such as the names of sites and areas."""
    return names_of_contents(content, areas=area_names(content))


def _file_fields(plan: Plan, piece: Piece) -> Item:
    """Return the fields of the stored file, for a document that a colleague has removed; {} for other pieces."""
    if piece.collection is not DOCUMENTS:
        return {}
    document = get_object_or_404(Document, plan=plan, key=piece.key)
    return {code: getattr(document, code) for code in OF_THE_FILE}


def _homes_grid(request: HttpRequest, plan: Plan, piece: Piece) -> Any:
    """Return the grid of homes with blank rows, and with more rows or years if the person asked for them."""
    if request.method == "POST":
        return HomesFormSet(add_row_or_year(request.POST, plan.years))
    homes = piece.item["homes"] if piece.item else []
    return HomesFormSet(homes=homes, years=suggested_years(piece.content, plan.years, timezone.localdate()))


@require_http_methods(["GET", "HEAD", "POST"])
def remove_item(request: HttpRequest, pk: int, code: str, key: str) -> HttpResponse:
    """Remove an item from the draft. Earlier versions still contain the item."""
    plan, piece = _open_piece(request, pk, code, key)
    is_site = piece.collection is SITES and piece.item is not None
    milestones = [milestone for milestone in piece.content["milestones"] if milestone["site"] == key]
    return documents.remove_piece(
        request,
        piece,
        save=_save_function(request, plan, piece),
        edit_url=reverse("plans:edit-item", kwargs={"pk": pk, "code": code, "key": key}),
        template="plans/remove.html",
        context={
            "plan": plan,
            "homes": homes_count(piece.item) if is_site and piece.item else 0,
            "milestones": len(milestones) if is_site else 0,
        },
    )


@require_POST
def move_item(request: HttpRequest, pk: int, code: str, key: str) -> HttpResponse:
    """Move an item of the draft one place up or down."""
    access, _draft = open_to_edit(request, pk)
    collection = PLAN.collection_by_code.get(code)
    if collection is None:
        raise Http404

    def move(up: bool) -> bool:
        return move_piece(plan=access.plan, piece=f"{code}/{key}", up=up, author=signed_in(request), now=timezone.now())

    return documents.move_piece(request, collection, key, move=move, back=reverse("plans:draft", kwargs={"pk": pk}))
