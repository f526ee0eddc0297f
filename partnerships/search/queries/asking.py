"""What a person typed, as a question to PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from partnerships.kit.database import BY_INDEX, rows_of
from partnerships.search.entries import asked_postcodes, reference

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


@dataclass(frozen=True, slots=True)
class Asked:
    """A condition on the words of entries: SQL of a tsquery, and its values.

    `has_words` is False for postcodes alone, which nothing else is like.
    """

    sql: str
    values: dict[str, Any] = field(default_factory=dict)
    has_words: bool = True


def cleaned(text: str) -> str:
    """What was typed, without what cannot be searched; "" if it is too short."""
    text = " ".join(text.replace("\x00", "").split())[:_LONGEST]
    return text if len(text) >= SHORTEST else ""


def exact(text: str) -> Asked:
    """Every word, or its stem; a postcode, district or area; or the whole as a reference."""
    if _ASKS_WHO.match(text):
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
    return Asked(f"(({asked}) || %(reference)s::tsquery)", values, has_words=bool(rest))


def beginning(text: str, *, in_titles: bool = False) -> Asked | None:
    """Words that begin like those typed; None without any. In titles and references alone if asked."""
    words = [word for word in _words(text) if len(word) > 1]
    if not words:
        return None
    weight = "A" if in_titles else ""
    typed = " & ".join(f"{_quoted(word)}:*{weight}" for word in words)
    return Asked("(to_tsquery('simple', %(typed)s) || to_tsquery('english', %(typed)s))", {"typed": typed})


def alike(text: str, readers: Sequence[int]) -> Asked | None:
    """Words of a similar spelling in place of those typed; None if there are none.

    `readers` are as whom the person finds entries: only words of entries that they might read count, so that words of
    others change nothing.
    """
    groups = []
    for word in _words(text):
        similar = _similar(word, readers) if len(word) > 3 else []
        groups.append("(" + " | ".join(_quoted(one) for one in dict.fromkeys([*similar, word])) + ")")
        if not similar and len(word) > 3:
            return None
    if not groups:
        return None
    typed = {"typed": " & ".join(groups)}
    return Asked("(to_tsquery('simple', %(typed)s) || to_tsquery('english', %(typed)s))", typed)


def _similar(word: str, readers: Sequence[int]) -> list[str]:
    """Known words and names of people that are spelt like a word, at most so many of each."""
    values = {"word": word, "readers": list(readers)}
    return [row[0] for sql in (_SIMILAR_WORDS, _SIMILAR_NAMES) for row in rows_of(f"{BY_INDEX}; {sql}", values)]


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


def _words(text: str) -> Iterable[str]:
    return [word.lower() for word in _WORD.findall(text)][:8]


def _quoted(lexeme: str) -> str:
    """A lexeme as tsquery writes it."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"
