"""What a person typed, as a question to PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from partnerships.kit.database import BY_INDEX, rows_of
from partnerships.search.entries import asked_postcodes, reference
from partnerships.search.models import SAMPLED

#: Shorter words match too much.
SHORTEST = 2
#: Characters of a question that count.
_LONGEST = 200
#: Words of a question about who to ask, which PostgreSQL's list of stop words lacks.
_STOP_WORDS = frozenset(
    {"call", "contact", "contacts", "cover", "covers", "deal", "deals", "person", "phone", "ring", "speak", "talk"}
    | {"who", "whom", "whos", "who’s", "who's"}
)
_ASKS_WHO = re.compile(r"^who(m|[’']?s)?\b", re.IGNORECASE)
_WORD = re.compile(r"[\w’'-]+")
#: What was typed, as it is written or by its stem.
_EITHER = "(to_tsquery('simple', %(typed)s) || to_tsquery('english', %(typed)s))"


@dataclass(frozen=True, slots=True)
class Asked:
    """A condition on the words of entries: SQL of a tsquery, and its values.

    `has_words` is False for postcodes alone, which nothing else is like; `has_beginnings` is True where words are to
    begin in some way: the index then reads the entries of each word that does. `rarer` is the part of the question that
    the index should read, if not all of it. `asks_who` puts people first.
    """

    sql: str
    values: dict[str, Any] = field(default_factory=dict)
    has_words: bool = True
    has_beginnings: bool = False
    rarer: str = ""
    asks_who: bool = False

    @property
    def condition(self) -> str:
        """SQL that entries fit.

        The index finds those with the words of `rarer`, and the others are compared there.
        """
        if not self.rarer:
            return f"words @@ {self.sql}"
        return f"words @@ {self.rarer} AND (words || ''::tsvector) @@ {self.sql}"


def cleaned(text: str) -> str:
    """What was typed, without what cannot be searched; "" if it is too short."""
    text = " ".join(text.replace("\x00", "").split())[:_LONGEST]
    return text if len(text) >= SHORTEST else ""


def exact(text: str) -> Asked:
    """Every word, or its stem; a postcode, district or area; or the whole as a reference."""
    asks_who = bool(_ASKS_WHO.match(text))
    if asks_who:
        text = " ".join(word for word in text.replace("?", " ").split() if word.lower() not in _STOP_WORDS)
    other_words, codes = asked_postcodes(text)
    values: dict[str, Any] = {"reference": reference(text)}
    parts = []
    if other_words:
        values["words"] = other_words
        parts.append(
            "CASE WHEN numnode(websearch_to_tsquery('english', %(words)s)) > 0"
            " THEN websearch_to_tsquery('english', %(words)s) ELSE plainto_tsquery('simple', %(words)s) END"
        )
    for place, code in enumerate(codes):
        values[f"code{place}"] = _quoted(code)
        parts.append(f"%(code{place})s::tsquery")
    values["reference"] = _quoted(values["reference"])
    asked = " && ".join(f"({part})" for part in parts) or "''::tsquery"
    return Asked(f"(({asked}) || %(reference)s::tsquery)", values, has_words=bool(other_words), asks_who=asks_who)


def are_common(many: int, *conditions: Asked) -> list[bool]:
    """Whether more than `many` entries that everybody may read fit each of these, by the sample; one statement.

    What only some people may read does not count: otherwise the choice would tell others that it has these words.
    """
    parts: list[str] = []
    values: dict[str, Any] = {"enough": many // SAMPLED, "now": timezone.now()}
    for place, asked in enumerate(conditions):
        sql = asked.sql
        for name, value in asked.values.items():
            sql = sql.replace(f"%({name})s", f"%({name}_{place})s")
            # The index knows no weights, and reads all entries that have the word anywhere.
            values[f"{name}_{place}"] = value.replace(":*A", ":*")
        parts.append(_IN_SAMPLE.format(asked=sql))
    return list(rows_of(f"{BY_INDEX}; SELECT {', '.join(parts)}", values)[0])


#: Entries that everybody may read now, as SQL.
OPEN = "for_everyone AND (opens_at IS NULL OR opens_at <= %(now)s)"
# Materialized, so that PostgreSQL reads the index of the sample and stops at the limit.
_IN_SAMPLE = f"""
(WITH fitting AS MATERIALIZED (
     SELECT 1 FROM search_searchentry WHERE {OPEN} AND mod(id, {SAMPLED}) = 0 AND words @@ {{asked}}
 ) SELECT count(*) > %(enough)s FROM (SELECT 1 FROM fitting LIMIT %(enough)s + 1) counted)
"""  # noqa: S608 - SQL of ours


@dataclass(frozen=True, slots=True)
class Frequent:
    """Words of a question that are no use in an index.

    `stop` words such as "for" count as they were typed. `common` ones are in many entries that everybody may read.
    """

    stop: frozenset[str] = frozenset()
    common: frozenset[str] = frozenset()


def frequent_words(text: str, many: int) -> Frequent:
    """The stop words of a question, and words in more than `many` of the entries that everybody may read."""
    words = words_of(text)
    if not words:
        return Frequent()
    are_many = are_common(many, *(one_word(word) for word in words))
    stop = frozenset(
        row[0]
        for row in rows_of("SELECT w FROM unnest(%s) w WHERE numnode(plainto_tsquery('english', w)) = 0", [list(words)])
    )
    common = frozenset(word for word, is_many in zip(words, are_many, strict=True) if is_many)
    return Frequent(stop, common - stop)


def beginning(text: str, *, in_titles: bool = False, frequent: Frequent | None = None) -> Asked | None:
    """Words that begin like those typed.

    None without any. In titles and references alone if asked.
    """
    words = [word for word in words_of(text) if len(word) > 1]
    if not words:
        return None
    frequent = frequent or Frequent()
    weight = "A" if in_titles else ""
    parts = {word: _quoted(word) if word in frequent.stop else f"{_quoted(word)}:*{weight}" for word in words}
    values = {"typed": " & ".join(parts.values())}
    rare = [part for word, part in parts.items() if word not in frequent.stop | frequent.common]
    if not rare or len(rare) == len(parts):
        return Asked(_EITHER, values, has_beginnings=True)
    values["rare"] = " & ".join(rare)
    return Asked(_EITHER, values, has_beginnings=True, rarer=_EITHER.replace("%(typed)s", "%(rare)s"))


def one_word(word: str) -> Asked:
    """Entries with a word."""
    return Asked("plainto_tsquery('english', %(word)s)", {"word": word})


def any_of(groups: Sequence[Sequence[str]]) -> Asked:
    """Entries with one word of each group."""
    parts = ["(" + " | ".join(_quoted(word) for word in dict.fromkeys(group)) + ")" for group in groups]
    return Asked(_EITHER, {"typed": " & ".join(parts)})


def words_of(text: str) -> list[str]:
    """The first words of a question, in lower case."""
    return [word.lower() for word in _WORD.findall(text)][:8]


def _quoted(lexeme: str) -> str:
    """A lexeme as tsquery writes it."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"
