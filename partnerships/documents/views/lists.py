"""The lists of a draft's page: every item with its addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from partnerships.documents.queries import LastSave
from partnerships.documents.schema import Collection, Content, Item, Schema

NO_COUNTS: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PieceRow:
    """One item in a list of the draft's page."""

    code: str
    key: str
    title: str
    hidden: bool
    detail: str
    touch: LastSave | None
    comments: int
    urls: Mapping[str, str]  # "edit", "move", "remove"; "comments" where there are some


@dataclass(frozen=True, slots=True)
class PieceList:
    """One list of the draft's page."""

    code: str
    one: str
    label: str
    many: str
    add_url: str
    add_words: str
    import_url: str = ""
    items: list[PieceRow] = field(default_factory=list)


#: The address of an action ("add", "edit", "move", "remove") on a collection and, but for "add", an item.
Address = Callable[[str, str, str], str]


def _details(collection: Collection, item: Item) -> str:
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
    """Each collection with its items, for `documents/_pieces.html`.

    `touches` says who last saved each piece, `comments` how many comments it has. `add_words` are
    the words of links to add an item, by collection, where they are not "Add a …". `imports` are
    addresses to import items of a spreadsheet.
    """
    return [
        PieceList(
            code=collection.code,
            one=collection.one,
            label=collection.label,
            many=collection.many,
            add_url=address("add", collection.code, ""),
            add_words=add_words.get(collection.code, f"Add {collection.one_with_article}"),
            import_url=imports.get(collection.code, ""),
            items=[
                _row(
                    collection,
                    item,
                    address,
                    touches.get(f"{collection.code}/{item['key']}"),
                    comments.get(f"{collection.code}/{item['key']}", 0),
                    details(collection, item),
                )
                for item in content[collection.code]
            ],
        )
        for collection in schema.collections
    ]


def _row(
    collection: Collection, item: Item, address: Address, touch: LastSave | None, comments: int, detail: str
) -> PieceRow:
    code, key = collection.code, item["key"]
    actions = ("edit", "move", "remove", *(("comments",) if comments else ()))
    return PieceRow(
        code=code,
        key=key,
        title=item[collection.title],
        hidden=collection.hides(item),
        detail=detail,
        touch=touch,
        comments=comments,
        urls={action: address(action, code, key) for action in actions},
    )
