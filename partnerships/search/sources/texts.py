"""Collects words for the index from versioned contents, from files and from names of organisations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from partnerships.organisations.models import Organisation
from partnerships.search.entries import UNSEEN
from partnerships.search.models import FileText


def texts_in_content(value: Any) -> Iterator[str]:
    """Yield every text in a content, without dates, figures and the keys of items."""
    if isinstance(value, str):
        if any(character.isalpha() for character in value):
            yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            if name != "key":
                yield from texts_in_content(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts_in_content(part)


def texts_of_files(hashes: Iterable[str]) -> dict[str, str]:
    """Return the texts of files by SHA-256. A file that the worker has not read yet is left out."""
    file_texts = FileText.objects.filter(sha256__in=set(hashes)).exclude(text="")
    return dict(file_texts.values_list("sha256", "text"))


def all_names_of(*organisations: Organisation | None) -> str:
    """Return all names of these organisations, because a record shows the name that was in use on its day.

    `names` should be prefetched. The result must be at the end of a text, as words after `UNSEEN` are found but not
    shown.
    """
    names: set[str] = set()
    for organisation in organisations:
        if organisation is not None:
            names |= {organisation.name, *(other_name.name for other_name in organisation.names.all())}
    return UNSEEN + ", ".join(sorted(names)) if names else ""
