"""The lists on the page of a draft, in which people add, change, move and remove items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from partnerships.documents.queries import LastSave
from partnerships.documents.schema import Collection, Content, Item, Schema

#: A function that returns the address of an action ("add", "edit", "move", "remove" or "comments"). Its arguments are
#: the action, the code of the collection, and the key of the item, which is "" for "add".
Address: TypeAlias = Callable[[str, str, str], str]


@dataclass(frozen=True, slots=True)
class PieceRow:
    """One item in a list on the page of a draft, such as a site."""

    code: str
    key: str
    title: str
    #: Whether the item is hidden from readers outside.
    hidden: bool
    #: Shown below the title, such as the number of homes.
    detail: str
    last_save: LastSave | None
    comment_count: int
    #: The addresses by action. "comments" is missing if the item has no comments.
    urls: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PieceList:
    """One list on the page of a draft, such as its sites."""

    code: str
    singular: str
    label: str
    plural_label: str
    add_url: str
    add_words: str
    #: The page to import a spreadsheet; "" if there is none.
    import_url: str
    items: list[PieceRow]


def _details(collection: Collection, item: Item) -> str:
    """Return the detail of an item in its schema, such as "120 homes"."""
    return collection.details(item)


def piece_lists(
    schema: Schema,
    content: Content,
    address: Address,
    *,
    last_saves: Mapping[str, LastSave] = MappingProxyType({}),
    comment_counts: Mapping[str, int] = MappingProxyType({}),
    details: Callable[[Collection, Item], str] = _details,
    add_words: Mapping[str, str] = MappingProxyType({}),
    import_urls: Mapping[str, str] = MappingProxyType({}),
) -> list[PieceList]:
    """Return each collection of a draft with its items, for `documents/_pieces.html`.

    `address` returns the URL of an action on an item. The other arguments are optional.

    - `last_saves` and `comment_counts` are by piece, such as "sites/north-quay".
    - `details` returns the detail of an item, such as "120 homes". By default, the schema says what it is.
    - `add_words` are the texts of links by the code of the collection, by default "Add a site" and so on.
    - `import_urls` are the pages to import a spreadsheet, by the code of the collection.
    """

    def make_row(collection: Collection, item: Item) -> PieceRow:
        code, key = collection.code, item["key"]
        comment_count = comment_counts.get(f"{code}/{key}", 0)
        actions = ["edit", "move", "remove"]
        if comment_count:
            actions.append("comments")
        return PieceRow(
            code=code,
            key=key,
            title=item[collection.title_field],
            hidden=collection.hides(item),
            detail=details(collection, item),
            last_save=last_saves.get(f"{code}/{key}"),
            comment_count=comment_count,
            urls={action: address(action, code, key) for action in actions},
        )

    return [
        PieceList(
            code=collection.code,
            singular=collection.singular,
            label=collection.label,
            plural_label=collection.plural_label,
            add_url=address("add", collection.code, ""),
            add_words=add_words.get(collection.code, f"Add {collection.singular_with_article}"),
            import_url=import_urls.get(collection.code, ""),
            items=[make_row(collection, item) for item in content[collection.code]],
        )
        for collection in schema.collections
    ]
