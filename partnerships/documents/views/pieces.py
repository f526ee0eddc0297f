"""Edit, add, remove and move the pieces of a draft.

A room's view opens its document, finds the piece, and calls one of these with its services and templates.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from partnerships.documents.comparing.naming import Names
from partnerships.documents.forms.pieces import PieceForm
from partnerships.documents.merging import fingerprints
from partnerships.documents.models import Draft
from partnerships.documents.pieces import UnknownPiece, get_piece
from partnerships.documents.revisions import PieceConflict
from partnerships.documents.schema import Collection, Content, Item, Schema
from partnerships.documents.services import UnableToSavePiece
from partnerships.documents.views.conflicts import conflict_context

#: Saves a value (None removes the item) on top of the revision that the author saw.
Save: TypeAlias = Callable[[Any, int], object]


class Lines(Protocol):
    """A second form on the page of a piece, such as the homes of a site."""

    def is_valid(self) -> bool:
        """Whether everything in it is valid."""

    def value(self) -> Mapping[str, Any]:
        """The fields of the item that it gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One piece of a draft, as a page shows it."""

    schema: Schema
    content: Content  # what the draft says now
    name: str  # "about", "sites/north-quay"
    collection: Collection | None
    item: Item | None
    revision: int
    is_new: bool
    back: str  # the address of the draft's page

    @property
    def key(self) -> str:
        """The key of the item; "" for "about"."""
        return self.name.partition("/")[2]

    @property
    def title(self) -> str:
        """The title of the item as the draft has it."""
        return str(self.item[self.collection.title]) if self.item and self.collection else ""

    @property
    def initial(self) -> dict[str, Any]:
        """The first values of its form."""
        # The fields about the whole are one piece, but two people can change different ones of them.
        seen = fingerprints(self.item) if self.item and self.collection is None else None
        return {**(self.item or {}), "based_on": self.revision, "seen": seen}


def find_piece(
    request: HttpRequest,
    schema: Schema,
    draft: Draft,
    content: Content,
    code: str,
    key: str = "",
    *,
    back: str,
    new: bool = False,
) -> Piece:
    """The piece that an address names.

    "about", or an item of the collection `code`; else 404. A new item has a random key, which the form sends back: keys
    appear in addresses, which must not reveal a title. An item that somebody removed meanwhile is found when a form is
    sent, so that its author sees the conflict.
    """
    collection = None if code == "about" else schema.collection_by_code.get(code)
    if collection is None and (code != "about" or key or new):
        raise Http404
    sent = request.method == "POST"
    if new:
        key = request.POST.get("key", "") if sent else secrets.token_hex(5)
    name = f"{code}/{key}" if collection else "about"
    try:
        item = get_piece(schema, content, name)
    except UnknownPiece as error:
        raise Http404 from error
    if item is None and not new and not sent:
        raise Http404
    return Piece(
        schema=schema,
        content=content,
        name=name,
        collection=collection,
        item=item,
        revision=draft.revision_of(name),
        is_new=new,
        back=back,
    )


def edit_piece(
    request: HttpRequest,
    piece: Piece,
    form: PieceForm,
    *,
    save: Save,
    template: str,
    names: Callable[[Content], Names] | None = None,
    lines: Lines | None = None,
    kept: Mapping[str, Any] = MappingProxyType({}),
    context: Mapping[str, Any] = MappingProxyType({}),
) -> HttpResponse:
    """The page of a form for one piece, or the redirect after it is saved.

    If somebody saved the piece meanwhile, the page shows both texts, and the form is based on theirs. `names` gives the
    names behind keys and codes in a content. `kept` are fields of a new item that the form does not have.
    """
    if request.method != "POST":
        return show_piece(request, piece, form, template=template, context=context)
    status, conflicting = 422, {}
    if form.is_valid() and (lines is None or lines.is_valid()):
        value = {**(piece.item or kept), **form.value(), **(lines.value() if lines else {})}
        try:
            _save_with_others(piece, form, value, save)
        except PieceConflict as conflict:
            status = 409
            both = _with_both(piece, conflict)
            names_in_both = names(both) if names else Names(piece.schema, both)
            conflicting = conflict_context(piece.schema, piece.collection, conflict, names_in_both)
            form.rebase(conflict.revision)
        except UnableToSavePiece as error:
            form.explain(str(error), error.problems)
        else:
            name = value.get(piece.collection.title) if piece.collection else piece.schema.about_label
            messages.success(request, f"“{name}” saved in the draft.")
            return redirect(f"{piece.back}#{piece.name.replace('/', '-')}")
    return show_piece(request, piece, form, template=template, context={**context, **conflicting}, status=status)


def _save_with_others(piece: Piece, form: PieceForm, value: Item, save: Save) -> None:
    """Save the value, on top of other fields about the whole that a colleague saved meanwhile.

    Raises `PieceConflict` where both changed the same field.
    """
    try:
        save(value, form.cleaned_data["based_on"])
    except PieceConflict as conflict:
        merged = form.merged(conflict) if piece.collection is None else None
        if merged is None:
            raise
        save(merged, conflict.revision)


def show_piece(
    request: HttpRequest,
    piece: Piece,
    form: PieceForm,
    *,
    template: str,
    context: Mapping[str, Any],
    status: int = 200,
) -> HttpResponse:
    """The page of a form for one piece."""
    shown = {
        "piece": piece,
        "collection": piece.collection,
        "item": piece.item,
        "key": piece.key,
        "new": piece.is_new,
        "back": piece.back,
        "form": form,
        **context,
    }
    return render(request, template, shown, status=status)


def _with_both(piece: Piece, conflict: PieceConflict) -> Content:
    """The content with both texts of the piece, for the names in them."""
    if piece.collection is None:
        return piece.content
    others = [item for item in piece.content[piece.collection.code] if item["key"] != piece.key]
    return {**piece.content, piece.collection.code: [*others, *filter(None, (conflict.mine, conflict.theirs))]}


def remove_piece(
    request: HttpRequest, piece: Piece, *, save: Save, edit_url: str, template: str, context: Mapping[str, Any]
) -> HttpResponse:
    """The page that asks before an item is removed, or the redirect after it."""
    collection = piece.collection
    if piece.item is None or collection is None:
        raise Http404
    if request.method == "POST":
        based_on = request.POST.get("based_on", "")
        try:
            save(None, int(based_on) if based_on.isdecimal() else 0)
        except PieceConflict:
            messages.warning(request, f"Somebody has changed “{piece.title}”. Read it before you remove it.")
            return redirect(edit_url)
        except UnableToSavePiece as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"“{piece.title}” removed from the draft. Earlier versions keep it.")
        return redirect(piece.back)
    shown = {"piece": piece, "collection": collection, "item": piece.item, "title": piece.title, "back": piece.back}
    return render(request, template, {**shown, "based_on": piece.revision, **context})


def move_piece(
    request: HttpRequest, collection: Collection, key: str, *, move: Callable[[bool], bool], back: str
) -> HttpResponse:
    """Move an item one place up or down (`way` in the sent form), then back to the draft.

    `move` is given whether to move up, and says whether it moved.
    """
    up = request.POST.get("way") == "up"
    try:
        moved = move(up)
    except UnknownPiece as error:
        raise Http404 from error
    except UnableToSavePiece as error:
        messages.error(request, str(error))
    else:
        already = f"The {collection.one} is already the {'first' if up else 'last'}."
        messages.success(request, f"{collection.label} moved {'up' if up else 'down'}." if moved else already)
    return redirect(f"{back}#{collection.code}-{key}")
