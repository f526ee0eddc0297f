"""The lists on the page of a draft: every item, with the addresses of the pages to change the item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from partnerships.documents.queries import LastSave
from partnerships.documents.schema import Collection, Content, Item, Schema

NO_COUNTS: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PieceRow:
    """One item in a list on the page of a draft."""

    code: str
    key: str
    title: str
    hidden: bool
    detail: str
    touch: LastSave | None
    comments: int
    urls: Mapping[str, str]  # by action: "edit", "move", "remove", and "comments" if the item has comments


@dataclass(frozen=True, slots=True)
class PieceList:
    """One list on the page of a draft."""

    code: str
    one: str
    label: str
    many: str
    add_url: str
    add_words: str
    import_url: str = ""
    items: list[PieceRow] = field(default_factory=list)


#: A function that returns the address of an action ("add", "edit", "move", "remove") on an item. Its arguments are the
#: action, the code of the collection, and the key of the item; the key is "" for "add".
Address = Callable[[str, str, str], str]


def _details(collection: Collection, item: Item) -> str:
    """Return what the page shows below the title of an item, unless a room has a function of its own."""
    return collection.details(item)


def piece_lists(
    schema: Schema,
    content: Content,
    address: Address,
    *,
    touches: Mapping[str, LastSave] = MappingProxyType({}),
    comments: Mapping[str, int] = NO_COUNTS,
    details: Callable[[Collection, Item], str] = _details,
    add_words: Mapping[str, str] = MappingProxyType({}),
    imports: Mapping[str, str] = MappingProxyType({}),
) -> list[PieceList]:
    """Return each collection with its items, for `documents/_pieces.html`.

    `touches` is the last save of each piece, and `comments` the number of its comments. By the code of the
    collection, `add_words` are the texts of links that are not "Add a …", and `imports` the addresses to import a
    spreadsheet.
    """

    def make_row(collection: Collection, item: Item) -> PieceRow:
        code, key = collection.code, item["key"]
        comment_count = comments.get(f"{code}/{key}", 0)
        actions = ["edit", "move", "remove"]
        if comment_count:
            actions.append("comments")
        return PieceRow(
            code=code,
            key=key,
            title=item[collection.title],
            hidden=collection.hides(item),
            detail=details(collection, item),
            touch=touches.get(f"{code}/{key}"),
            comments=comment_count,
            urls={action: address(action, code, key) for action in actions},
        )

    return [
        PieceList(
            code=collection.code,
            one=collection.one,
            label=collection.label,
            many=collection.many,
            add_url=address("add", collection.code, ""),
            add_words=add_words.get(collection.code, f"Add {collection.one_with_article}"),
            import_url=imports.get(collection.code, ""),
            items=[make_row(collection, item) for item in content[collection.code]],
        )
        for collection in schema.collections
    ]
