"""Fields and kinds of field that many shapes of the network file have in common."""

from __future__ import annotations

from django.db.models import TextChoices

from partnerships.kit.vocabularies import Vocabulary
from partnerships.transfer.reading.shapes import Part


def choice_field(code: str, choices: type[TextChoices], *, required: bool = False, default: str = "") -> Part:
    """Return a field whose value is a code of these choices."""
    return Part(code, "choice", required, choices=tuple(choices.values), default=default or None)


def vocabulary_field(code: str, vocabulary: type[Vocabulary], *, required: bool = False) -> Part:
    """Return a field whose value is a code from a list that administrators edit.

    The codes are read when a file is checked, not when this module is imported.
    """
    return Part(code, "choice", required, choices=lambda: tuple(vocabulary.by_code()))


def reference_field(code: str, to: str, *, required: bool = False) -> Part:
    """Return a field whose value is the key of an object in another part of the file, such as “people”."""
    return Part(code, "ref", required, to=to)


BY = reference_field("by", "people")


AT = Part("at", "moment", required=True)


REASON = Part("reason")


AREAS = Part("areas", "refs", to="areas")
