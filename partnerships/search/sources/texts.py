"""Words of contents, of files, and the names of organisations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from partnerships.organisations.models import Organisation
from partnerships.search.entries import UNSEEN
from partnerships.search.models import FileText


def texts_of(value: Any) -> Iterator[str]:
    """Every text in a content, without dates, figures and the keys of its items."""
    if isinstance(value, str):
        if any(character.isalpha() for character in value):
            yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            if name != "key":
                yield from texts_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts_of(part)


def texts_of_files(fingerprints: Iterable[str]) -> dict[str, str]:
    """The texts of files, as far as they were read, by SHA-256."""
    found = FileText.objects.filter(sha256__in=set(fingerprints)).exclude(text="")
    return dict(found.values_list("sha256", "text"))


def names_of(*organisations: Organisation | None) -> str:
    """Organisations by all their names, because records show the name of their day. Fetch the names too.

    Give them last: what follows `UNSEEN` is found and not shown in an excerpt.
    """
    names: set[str] = set()
    for organisation in organisations:
        if organisation is not None:
            names |= {organisation.name, *(past.name for past in organisation.names.all())}
    return UNSEEN + ", ".join(sorted(names)) if names else ""
