"""A topic of the help says what some pages do, and who may do what on them."""

from __future__ import annotations

from dataclasses import dataclass

#: The page of the documentation to which most topics link.
EVERYDAY = "how-to/everyday-tasks/"


@dataclass(frozen=True)
class Topic:
    """Help about some pages."""

    #: The last part of the topic's address. It never changes, because people bookmark it.
    key: str
    title: str
    #: What the pages do, in one to four short sentences.
    does: str
    #: Who can do what on these pages, in one sentence for each group of people.
    who: tuple[str, ...]
    #: The page of the documentation to read next, below /docs/.
    guide: str
    #: The URL names of the pages, separated by spaces, for example "plans:detail plans:version".
    views: str


SAME_AS_PARTNERSHIP = "People in the organisations that take part in the partnership can read this page."
