"""How messages are stored: shared parts once, and for each message a recipe.

A recipe lists the numbers of the parts and the message's own words (name, links) in the order of the message.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import NamedTuple

from partnerships.kit.database import rows_of, rows_planned_once
from partnerships.outbox import mime
from partnerships.outbox.models import EmailPart

_STORED = "SELECT digest, id FROM outbox_emailpart WHERE digest = ANY(%s) AND used_at > %s"
_STORE = """
INSERT INTO outbox_emailpart (digest, body, used_at)
SELECT * FROM unnest(%(digests)s::text[], %(bodies)s::text[], %(at)s::timestamptz[]) AS x(digest, body, used_at)
 ORDER BY digest
ON CONFLICT (digest) DO UPDATE SET used_at = EXCLUDED.used_at
RETURNING digest, id
"""


#: Replaces a token in a stored message.
HIDDEN = "hidden"


class Message(NamedTuple):
    """A composed message: its parts in order, and the slots between them.

    `tokens` are the slots with values that open something: they are deleted once a server has accepted the message.
    """

    subject: str
    parts: tuple[mime.Part | str, ...]
    values: dict[str, str]
    tokens: tuple[str, ...] = ()


class Recipe(NamedTuple):
    """A stored message: what it consists of, in order.

    In `layout` a number from 0 up is a shared part, -1 is the first of the message's own words, -2 the second, and so
    on. Tokens are numbered after the words and stored apart; they are deleted when the email is settled.
    """

    layout: list[int]
    words: list[str]
    tokens: list[str] = []

    @property
    def all_words(self) -> list[str]:
        """Its own words, and its tokens while they are kept."""
        return [*self.words, *self.tokens]

    @property
    def part_ids(self) -> list[int]:
        """The numbers of its shared parts."""
        return [number for number in self.layout if number >= 0]

    def join(self, stored: Mapping[int, str]) -> str:
        """The whole message, from these parts."""
        words = self.all_words
        return "".join(
            stored[number] if number >= 0 else words[~number] if ~number < len(words) else HIDDEN
            for number in self.layout
        )


@dataclass(frozen=True, slots=True)
class Form:
    """What messages with the same parts share: their text, with gaps."""

    slots: tuple[str, ...]  # the name of each of a message's own words, once; tokens come last
    kept: int  # how many slots are kept: all but the tokens
    layout: str  # the `layout` of their recipes, as JSON
    order: tuple[int, ...]  # for each gap of the template, which slot fills it
    template: bytes  # the whole message, with %b for each gap

    def fill(self, values: Mapping[str, str]) -> tuple[str, str, tuple[bytes, ...]]:
        """The recipe and tokens of a message as JSON, and the template's values.

        Runs once for every email that is sent, so it is written for speed.
        """
        own = [values[slot] for slot in self.slots]
        encoded = [word.encode("ascii") for word in own]
        words = list(map(encode_basestring_ascii, own))  # like `json.dumps`, but faster
        recipe = f"[{self.layout}, [{', '.join(words[: self.kept])}]]"
        tokens = f"[{', '.join(words[self.kept :])}]"
        return recipe, tokens, tuple([encoded[place] for place in self.order])


def forms_for(messages: Iterable[Message], now: dt.datetime) -> dict[int, Form]:
    """The form of each message, by the `id()` of its tuple of parts.

    Messages that were given the same tuple share a form. Stores the parts that are not stored yet.
    """
    by_parts = {id(message.parts): message for message in messages}
    stored = _store(
        {part.digest: part for by_part in by_parts.values() for part in by_part.parts if isinstance(part, mime.Part)},
        now,
    )
    return {key: _form(one.parts, one.tokens, stored) for key, one in by_parts.items()}


def _form(parts: Sequence[mime.Part | str], tokens: Collection[str], stored: dict[str, int]) -> Form:
    """The form of messages with these parts; a string is the name of a slot."""
    part_names = dict.fromkeys(part for part in parts if isinstance(part, str))
    words = [slot for slot in part_names if slot not in tokens]
    slots = [*words, *(slot for slot in part_names if slot in tokens)]
    layout = [~slots.index(part) if isinstance(part, str) else stored[part.digest] for part in parts]
    template = "".join("%b" if isinstance(part, str) else part.body.replace("%", "%%") for part in parts)
    order = tuple(slots.index(part) for part in parts if isinstance(part, str))
    return Form(
        slots=tuple(slots), kept=len(words), layout=json.dumps(layout), order=order, template=template.encode("ascii")
    )


def _store(parts: dict[str, mime.Part], now: dt.datetime) -> dict[str, int]:
    """Store shared parts once; returns their numbers.

    Always in the same order, so that two senders cannot deadlock.
    """
    if not parts:
        return {}
    digests = sorted(parts)
    since = now - dt.timedelta(days=1)
    stored = dict(rows_planned_once(_STORED, [digests, since], generic_plan=True))
    missing = [digest for digest in digests if digest not in stored]
    if missing:
        new = {"digests": missing, "bodies": [parts[part].body for part in missing], "at": [now] * len(missing)}
        stored |= dict(rows_of(_STORE, new))
    return stored


def bodies(recipes: Iterable[Recipe]) -> dict[int, str]:
    """The stored parts of these messages by number."""
    numbers = {number for recipe in recipes for number in recipe.part_ids}
    return dict(EmailPart.objects.filter(pk__in=numbers).values_list("pk", "body")) if numbers else {}
