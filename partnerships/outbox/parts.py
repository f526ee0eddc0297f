"""Stores messages without storing the parts that they share more than once.

For example, a digest to 500 readers has the same header and footer for all. These parts are stored once. Each message
is stored as a recipe, which lists the ids of its shared parts and its own texts, such as the reader's name.
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

#: The text that replaces a deleted token in a stored message.
HIDDEN = "hidden"


class Message(NamedTuple):
    """A composed message.

    `parts` has the shared parts in order and, between them, the names of slots. `values` has the text for each slot.
    `tokens` are the slots with secrets, such as a link that signs its reader in. They are deleted once a server has
    accepted the message.
    """

    subject: str
    parts: tuple[mime.Part | str, ...]
    values: dict[str, str]
    tokens: tuple[str, ...] = ()


class Recipe(NamedTuple):
    """A stored message.

    In `layout`, a number from 0 up is the id of a shared part. -1 is the first of the message's own texts (`words`), -2
    the second, and so on. For example, `[-1, 17, -2]` is an own text, part 17 and another own text. Tokens follow the
    `words` in this numbering. They are stored separately, because they are deleted when the email is settled.
    """

    layout: list[int]
    words: list[str]
    tokens: list[str] = []

    @property
    def all_words(self) -> list[str]:
        """Return the message's own texts, and its tokens until these are deleted."""
        return [*self.words, *self.tokens]

    @property
    def part_ids(self) -> list[int]:
        """Return the ids of the shared parts."""
        return [number for number in self.layout if number >= 0]

    def join(self, body_by_part: Mapping[int, str]) -> str:
        """Return the whole message from the stored parts. A deleted token is replaced by `HIDDEN`."""
        words = self.all_words

        def text_at(number: int) -> str:
            if number >= 0:
                return body_by_part[number]
            index = ~number  # 0 for -1, 1 for -2
            return words[index] if index < len(words) else HIDDEN

        return "".join(text_at(number) for number in self.layout)


@dataclass(frozen=True, slots=True)
class Pattern:
    """The shared text of messages with the same parts, as a template with gaps and the slots that fill them."""

    #: The names of the slots, each once. Tokens are last.
    slots: tuple[str, ...]
    #: How many slots are stored permanently. These are all slots except tokens.
    stored_count: int
    #: The `layout` of the recipes, as JSON.
    layout: str
    #: For each gap of the template, the index of the slot that fills it.
    order: tuple[int, ...]
    #: The whole message, with %b for each gap.
    template: bytes

    def fill(self, values: Mapping[str, str]) -> tuple[str, str, tuple[bytes, ...]]:
        """Return the recipe and the tokens of a message as JSON, and the texts for the gaps of the template.

        Runs once for every email that is sent, so it is written for speed.
        """
        texts = [values[slot] for slot in self.slots]
        encoded = [text.encode("ascii") for text in texts]
        as_json = list(map(encode_basestring_ascii, texts))  # the function that `json.dumps` calls in the end
        recipe = f"[{self.layout}, [{', '.join(as_json[: self.stored_count])}]]"
        tokens = f"[{', '.join(as_json[self.stored_count :])}]"
        return recipe, tokens, tuple([encoded[index] for index in self.order])


def patterns_for(messages: Iterable[Message], now: dt.datetime) -> dict[int, Pattern]:
    """Return the patterns of messages by the `id()` of their tuple of parts, after storing new parts.

    Messages with the same tuple object share a pattern.
    """
    message_by_parts = {id(message.parts): message for message in messages}
    part_by_digest = {
        part.digest: part
        for message in message_by_parts.values()
        for part in message.parts
        if isinstance(part, mime.Part)
    }
    id_by_digest = _store(part_by_digest, now)
    return {key: _pattern_of(message.parts, message.tokens, id_by_digest) for key, message in message_by_parts.items()}


def _pattern_of(parts: Sequence[mime.Part | str], tokens: Collection[str], id_by_digest: dict[str, int]) -> Pattern:
    """Return the pattern of messages with these parts, in which a string is the name of a slot."""
    slot_names = dict.fromkeys(part for part in parts if isinstance(part, str))
    stored_slots = [slot for slot in slot_names if slot not in tokens]
    slots = [*stored_slots, *(slot for slot in slot_names if slot in tokens)]
    layout = [~slots.index(part) if isinstance(part, str) else id_by_digest[part.digest] for part in parts]
    template = "".join("%b" if isinstance(part, str) else part.body.replace("%", "%%") for part in parts)
    order = tuple(slots.index(part) for part in parts if isinstance(part, str))
    return Pattern(
        slots=tuple(slots),
        stored_count=len(stored_slots),
        layout=json.dumps(layout),
        order=order,
        template=template.encode("ascii"),
    )


def _store(part_by_digest: dict[str, mime.Part], now: dt.datetime) -> dict[str, int]:
    """Store shared parts that are not stored yet, and return the ids of all parts by digest.

    Parts are stored in the order of their digests, so that two senders cannot deadlock. A part that was last used over
    a day ago is stored again, which records that it is still used.
    """
    if not part_by_digest:
        return {}
    digests = sorted(part_by_digest)
    since = now - dt.timedelta(days=1)
    id_by_digest = dict(rows_planned_once(_STORED, [digests, since], generic_plan=True))
    missing_digests = [digest for digest in digests if digest not in id_by_digest]
    if missing_digests:
        columns = {
            "digests": missing_digests,
            "bodies": [part_by_digest[digest].body for digest in missing_digests],
            "at": [now] * len(missing_digests),
        }
        id_by_digest |= dict(rows_of(_STORE, columns))
    return id_by_digest


def bodies_of_recipes(recipes: Iterable[Recipe]) -> dict[int, str]:
    """Return the bodies of the stored parts of these messages, by the id of the part."""
    part_ids = {part_id for recipe in recipes for part_id in recipe.part_ids}
    if not part_ids:
        return {}
    return dict(EmailPart.objects.filter(pk__in=part_ids).values_list("pk", "body"))
