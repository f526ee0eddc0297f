"""Pages to edit, add, remove and move the pieces of a draft.

The view of a room opens its document, finds the piece, and calls one of these functions with its own services and
templates.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from partnerships.documents.comparing.naming import Names
from partnerships.documents.forms.pieces import PieceForm
from partnerships.documents.merging import fingerprints
from partnerships.documents.pieces import UnknownPiece, get_piece
from partnerships.documents.revisions import PieceConflict
from partnerships.documents.schema import Collection, Content, Item, Schema
from partnerships.documents.services import OpenDraft, UnableToSavePiece
from partnerships.documents.views.conflicts import conflict_context

#: A function that saves a new value of a piece, or removes the item if the value is None. Its second argument is the
#: revision of the piece that the author saw.
Save: TypeAlias = Callable[[Any, int], object]


class Lines(Protocol):
    """A second form on the page of a piece, such as the homes of a site."""

    def is_valid(self) -> bool:
        """Return whether all fields of the form are valid."""

    def value(self) -> Mapping[str, Any]:
        """Return the fields of the item that this form edits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of a draft that a page shows."""

    schema: Schema
    #: The whole draft.
    content: Content
    #: "about", or an item such as "sites/north-quay".
    name: str
    #: The list of the item; None for "about".
    collection: Collection | None
    #: The fields of the piece in the draft; None for a new item, and for an item that another person has removed.
    item: Item | None
    revision: int
    is_new: bool
    #: The address of the page of the draft.
    back: str
    #: Fields of a new item that its form does not have.
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return the key of the item; "" for "about"."""
        return self.name.partition("/")[2]

    @property
    def title(self) -> str:
        """Return the title of the item in the draft; "" for a new item and for "about"."""
        if self.item is None or self.collection is None:
            return ""
        return str(self.item[self.collection.title_field])

    @property
    def initial(self) -> dict[str, Any]:
        """Return the initial values of the form."""
        # Two people may change different fields of "about" at the same time. The form contains the fingerprints of
        # the fields that its author saw, so that both edits can be merged.
        is_about = self.collection is None
        fingerprints_seen = fingerprints(self.item) if self.item and is_about else None
        return {**(self.item or {}), "based_on": self.revision, "seen": fingerprints_seen}


def find_piece(
    request: HttpRequest,
    open_draft: OpenDraft,
    code: str,
    key: str = "",
    *,
    back: str,
    new: bool = False,
) -> Piece:
    """Return the piece at an address, which is "about" or an item of the collection `code`; else 404.

    A new item gets a random key, because keys appear in addresses, which must not reveal a title. If another person
    has removed the item, a POST still finds the piece, so that its author sees the conflict.
    """
    schema = open_draft.schema
    if code == "about":
        collection = None
        if key or new:
            # "about" has no key, and nobody can add another.
            raise Http404
    else:
        collection = schema.collection_by_code.get(code)
        if collection is None:
            raise Http404

    is_submitted = request.method == "POST"
    if new:
        key = request.POST.get("key", "") if is_submitted else secrets.token_hex(5)
    name = f"{code}/{key}" if collection else "about"
    try:
        item = get_piece(schema, open_draft.content, name)
    except UnknownPiece as error:
        raise Http404 from error
    if item is None and not new and not is_submitted:
        raise Http404

    return Piece(
        schema=schema,
        content=open_draft.content,
        name=name,
        collection=collection,
        item=item,
        revision=open_draft.draft.revision_of(name),
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
    context: Mapping[str, Any] = MappingProxyType({}),
) -> HttpResponse:
    """Show the form of a piece. On POST, save the piece and redirect to the draft.

    If another person has saved the piece since, the page shows both texts with status 409. The author can then send
    the form again to replace the other person's text. `names` returns the names of the keys and codes in a content.
    """
    if request.method != "POST":
        return show_piece(request, piece, form, template=template, context=context)
    if not form.is_valid() or (lines is not None and not lines.is_valid()):
        return show_piece(request, piece, form, template=template, context=context, status=422)

    # Start from the saved item, because the form may leave out some of its fields.
    value = {**(piece.item or piece.defaults), **form.value()}
    if lines is not None:
        value.update(lines.value())
    try:
        _save_merged(piece, form, value, save)
    except PieceConflict as conflict:
        content = _with_both_texts(piece, conflict)
        names_in_both = names(content) if names else Names(piece.schema, content)
        conflict_details = conflict_context(piece.schema, piece.collection, conflict, names_in_both)
        form.rebase(conflict.revision)
        page_context = {**context, **conflict_details}
        return show_piece(request, piece, form, template=template, context=page_context, status=409)
    except UnableToSavePiece as error:
        form.explain(str(error), error.problems)
        return show_piece(request, piece, form, template=template, context=context, status=422)

    title = value.get(piece.collection.title_field) if piece.collection else piece.schema.about_label
    messages.success(request, f"“{title}” has been saved in the draft.")
    return redirect(f"{piece.back}#{piece.name.replace('/', '-')}")


def _save_merged(piece: Piece, form: PieceForm, value: Item, save: Save) -> None:
    """Save the value. If another person has changed other fields of "about", save both edits.

    Raises `PieceConflict` if both people changed the same field or the same item.
    """
    try:
        save(value, form.cleaned_data["based_on"])
    except PieceConflict as conflict:
        merged = form.merge_with(conflict) if piece.collection is None else None
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
    """Show the form of a piece. `context` adds to the template context of every piece."""
    piece_context = {
        "piece": piece,
        "collection": piece.collection,
        "item": piece.item,
        "key": piece.key,
        "new": piece.is_new,
        "back": piece.back,
        "form": form,
        **context,
    }
    return render(request, template, piece_context, status=status)


def _with_both_texts(piece: Piece, conflict: PieceConflict) -> Content:
    """Return the content with both texts of a piece in conflict, so that the names in both can be found."""
    if piece.collection is None:
        return piece.content
    other_items = [item for item in piece.content[piece.collection.code] if item["key"] != piece.key]
    both_texts = [text for text in (conflict.mine, conflict.theirs) if text]
    return {**piece.content, piece.collection.code: [*other_items, *both_texts]}


def remove_piece(
    request: HttpRequest, piece: Piece, *, save: Save, edit_url: str, template: str, context: Mapping[str, Any]
) -> HttpResponse:
    """Ask whether to remove an item. On POST, remove the item and redirect to the draft."""
    collection = piece.collection
    if piece.item is None or collection is None:
        raise Http404
    if request.method != "POST":
        piece_context = {
            "piece": piece,
            "collection": collection,
            "item": piece.item,
            "title": piece.title,
            "back": piece.back,
            "based_on": piece.revision,
        }
        return render(request, template, {**piece_context, **context})

    based_on = request.POST.get("based_on", "")
    try:
        save(None, int(based_on) if based_on.isdecimal() else 0)
    except PieceConflict:
        messages.warning(request, f"Another person has changed “{piece.title}”. Read the change before you remove it.")
        return redirect(edit_url)
    except UnableToSavePiece as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"“{piece.title}” has been removed from the draft. Earlier versions still have it.")
    return redirect(piece.back)


def move_piece(
    request: HttpRequest, collection: Collection, key: str, *, move: Callable[[bool], bool], back: str
) -> HttpResponse:
    """Move an item one place up or down, as the form says, and redirect to the draft.

    `move` takes whether to move the item up, and returns whether it could move.
    """
    is_up = request.POST.get("way") == "up"
    try:
        has_moved = move(is_up)
    except UnknownPiece as error:
        raise Http404 from error
    except UnableToSavePiece as error:
        messages.error(request, str(error))
    else:
        if has_moved:
            message = f"The {collection.singular} has been moved {'up' if is_up else 'down'}."
        else:
            message = f"This {collection.singular} is already the {'first' if is_up else 'last'} in the list."
        messages.success(request, message)
    return redirect(f"{back}#{collection.code}-{key}")
