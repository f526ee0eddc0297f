"""What a person typed, as a question to PostgreSQL."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from partnerships.kit.database import BY_INDEX, rows_of
from partnerships.search.entries import asked_postcodes, reference
from partnerships.search.models import EVERYONE
from partnerships.search.sources.every import KINDS

#: Shorter words match too much.
SHORTEST = 2
#: Characters of a question that count.
_LONGEST = 200
#: Words of a question about whom to ask, which PostgreSQL's list of small words lacks.
_SMALL_WORDS = frozenset(
    {"call", "contact", "contacts", "cover", "covers", "deal", "deals", "person", "phone", "ring", "speak", "talk"}
    | {"who", "whom", "whos", "who’s", "who's"}
)
_ASKS_WHO = re.compile(r"^who(m|[’']?s)?\b", re.IGNORECASE)
_WORD = re.compile(r"[\w’'-]+")
#: Similar words tried in place of one that nothing has, and words that are looked at for them.
_ALIKE, _LOOKED_AT = 5, 40
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
        """SQL that entries fit: the index finds those with the words of `rarer`, and the others are compared there."""
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
        text = " ".join(word for word in text.replace("?", " ").split() if word.lower() not in _SMALL_WORDS)
    rest, codes = asked_postcodes(text)
    values: dict[str, Any] = {"reference": reference(text)}
    parts = []
    if rest:
        values["rest"] = rest
        parts.append(
            "CASE WHEN numnode(websearch_to_tsquery('english', %(rest)s)) > 0"
            " THEN websearch_to_tsquery('english', %(rest)s) ELSE plainto_tsquery('simple', %(rest)s) END"
        )
    for place, code in enumerate(codes):
        values[f"code{place}"] = _quoted(code)
        parts.append(f"%(code{place})s::tsquery")
    values["reference"] = _quoted(values["reference"])
    asked = " && ".join(f"({part})" for part in parts) or "''::tsquery"
    return Asked(f"(({asked}) || %(reference)s::tsquery)", values, has_words=bool(rest), asks_who=asks_who)


def estimated(*conditions: Asked) -> list[int]:
    """How many entries fit each of these, by PostgreSQL's statistics; one statement."""
    parts, values = [], {}
    for place, asked in enumerate(conditions):
        sql = asked.sql
        for name, value in asked.values.items():
            sql = sql.replace(f"%({name})s", f"%({name}_{place})s")
            values[f"{name}_{place}"] = value
        parts.append(f"SELECT 1 FROM search_searchentry WHERE words @@ {sql}")  # noqa: S608 - SQL of ours
    # Without parallel workers, so that the parts of the plan are those of the statement.
    found = rows_of(f"{BY_INDEX}; EXPLAIN (FORMAT JSON) {' UNION ALL '.join(parts)}", values)[0][0]
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return [int(one["Plan Rows"]) for one in (plan["Plans"] if len(parts) > 1 else [plan])]


@dataclass(frozen=True, slots=True)
class Frequent:
    """Words of a question that are no use in an index: `small` ones such as "for", and `common` ones.

    Small words count as they were typed. Which words are common depends on records of others, so it may change how a
    statement runs, but never what it finds.
    """

    small: frozenset[str] = frozenset()
    common: frozenset[str] = frozenset()


def frequent_words(text: str, many: int) -> Frequent:
    """The small words of a question, and those that more than `many` entries have by PostgreSQL's statistics."""
    words = _words(text)
    if not words:
        return Frequent()
    numbers = estimated(*(Asked("plainto_tsquery('english', %(word)s)", {"word": word}) for word in words))
    small = frozenset(
        row[0]
        for row in rows_of("SELECT w FROM unnest(%s) w WHERE numnode(plainto_tsquery('english', w)) = 0", [list(words)])
    )
    common = frozenset(word for word, number in zip(words, numbers, strict=True) if number > many)
    return Frequent(small, common - small)


def beginning(text: str, *, in_titles: bool = False, frequent: Frequent | None = None) -> Asked | None:
    """Words that begin like those typed; None without any. In titles and references alone if asked."""
    words = [word for word in _words(text) if len(word) > 1]
    if not words:
        return None
    frequent = frequent or Frequent()
    weight = "A" if in_titles else ""
    parts = {word: _quoted(word) if word in frequent.small else f"{_quoted(word)}:*{weight}" for word in words}
    values = {"typed": " & ".join(parts.values())}
    rare = [part for word, part in parts.items() if word not in frequent.small | frequent.common]
    if not rare or len(rare) == len(parts):
        return Asked(_EITHER, values, has_beginnings=True)
    values["rare"] = " & ".join(rare)
    return Asked(_EITHER, values, has_beginnings=True, rarer=_EITHER.replace("%(typed)s", "%(rare)s"))


def alike(text: str, readers: Sequence[int], *, frequent: Frequent | None = None) -> Asked | None:
    """Words of a similar spelling in place of those typed that nothing has; None if there are none.

    `readers` are as whom the person finds entries: only words of entries that they might read count, so that words of
    others change nothing.
    """
    frequent, groups = frequent or Frequent(), []
    for word in _words(text):
        is_right = len(word) <= 3 or word in frequent.small or _has(word, readers, is_common=word in frequent.common)
        similar = [] if is_right else _similar(word, readers)
        if not similar and not is_right:
            return None
        groups.append("(" + " | ".join(_quoted(one) for one in dict.fromkeys([*similar, word])) + ")")
    if not groups:
        return None
    return Asked(_EITHER, {"typed": " & ".join(groups)})


def _has(word: str, readers: Sequence[int], *, is_common: bool) -> bool:
    """Whether an entry that these readers might read has the word; for common words, recent entries come first."""
    looks_in_recent = is_common and EVERYONE in readers
    values = {"word": word, "readers": list(readers), "recent": looks_in_recent, "kinds": list(KINDS)}
    return bool(rows_of(f"{BY_INDEX}; {_HAS_WORD}", values)[0][0])


def _similar(word: str, readers: Sequence[int]) -> list[str]:
    """Known words and names of people that are spelt like a word, at most this many of each."""
    values = {"word": word, "readers": list(readers)}
    return [row[0] for sql in (_SIMILAR_WORDS, _SIMILAR_NAMES) for row in rows_of(f"{BY_INDEX}; {sql}", values)]


_HAS_WORD = """
SELECT CASE WHEN %(recent)s AND EXISTS (
           SELECT 1 FROM unnest(%(kinds)s::text[]) these(this), LATERAL (
               SELECT words FROM search_searchentry
                WHERE kind = these.this AND for_everyone
                ORDER BY day DESC NULLS LAST, id DESC LIMIT 50
           ) recent
            WHERE words @@ plainto_tsquery('english', %(word)s)) THEN TRUE
       ELSE EXISTS (
           SELECT 1 FROM search_searchentry
            WHERE words @@ plainto_tsquery('english', %(word)s) AND readers && %(readers)s::bigint[]) END
"""
# Word by word, the most similar first, until there are enough.
_SIMILAR_WORDS = f"""
SELECT word FROM (
    SELECT word FROM search_word
     WHERE word %% %(word)s AND similarity(word, %(word)s) >= 0.4 AND abs(length(word) - length(%(word)s)) <= 2
     ORDER BY similarity(word, %(word)s) DESC, word LIMIT {_LOOKED_AT}
) near
 WHERE (SELECT TRUE FROM search_searchentry
         WHERE words @@ to_tsquery('english', near.word) AND readers && %(readers)s::bigint[] LIMIT 1)
 LIMIT {_ALIKE}
"""  # noqa: S608 - a number of ours
_SIMILAR_NAMES = f"""
SET LOCAL pg_trgm.word_similarity_threshold = 0.4;
SELECT word FROM (
    SELECT DISTINCT regexp_split_to_table(lower(title), '[^[:alpha:]]+') AS word FROM search_searchentry
     WHERE source IN ('holder', 'person') AND title %%> %(word)s AND readers && %(readers)s::bigint[]
) names
 WHERE similarity(word, %(word)s) >= 0.3 AND abs(length(word) - length(%(word)s)) <= 2
 ORDER BY similarity(word, %(word)s) DESC, word LIMIT {_ALIKE}
"""  # noqa: S608 - a number of ours


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)][:8]


def _quoted(lexeme: str) -> str:
    """A lexeme as tsquery writes it."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"
