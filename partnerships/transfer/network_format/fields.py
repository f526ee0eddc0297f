"""Fields that many shapes of the network file share."""

from __future__ import annotations

from django.db.models import TextChoices

from partnerships.kit.vocabularies import Vocabulary
from partnerships.transfer.reading.shapes import Part


def choice(code: str, choices: type[TextChoices], *, required: bool = False, default: str = "") -> Part:
    return Part(code, "choice", required, choices=tuple(choices.values), default=default or None)


def word(code: str, words: type[Vocabulary], *, required: bool = False) -> Part:
    """Return the code of a word from a list that administrators edit."""
    return Part(code, "choice", required, choices=lambda: tuple(words.by_code()))


def ref(code: str, to: str, *, required: bool = False) -> Part:
    return Part(code, "ref", required, to=to)


BY = ref("by", "people")


AT = Part("at", "moment", required=True)


REASON = Part("reason")


AREAS = Part("areas", "refs", to="areas")
