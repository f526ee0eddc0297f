"""What a person typed, as a question to PostgreSQL."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
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
#: What was typed, as it is written or by its stem.
_EITHER = "(to_tsquery('simple', %(typed)s) || to_tsquery('english', %(typed)s))"


@dataclass(frozen=True, slots=True)
class Asked:
    """A condition on the words of entries: SQL of a tsquery, and its values.

    `has_words` is False for postcodes alone, which nothing else is like; `has_beginnings` is True where words are to
    begin in some way: the index then reads the entries of each word that does. `asks_who` puts people first.
    """

    sql: str
    values: dict[str, Any] = field(default_factory=dict)
    has_words: bool = True
    has_beginnings: bool = False
    asks_who: bool = False


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


def whole_words(text: str, many: int) -> frozenset[str]:
    """The words that people have typed in full: small words, and those that more than `many` entries have.

    To look for what begins or is spelt like them would read most of the index.
    """
    words = _words(text)
    if not words:
        return frozenset()
    numbers = estimated(*(Asked("plainto_tsquery('english', %(word)s)", {"word": word}) for word in words))
    small = {
        row[0]
        for row in rows_of("SELECT w FROM unnest(%s) w WHERE numnode(plainto_tsquery('english', w)) = 0", [list(words)])
    }
    return frozenset(small.union(word for word, number in zip(words, numbers, strict=True) if number > many))


def beginning(text: str, *, in_titles: bool = False, whole: Collection[str] = ()) -> Asked | None:
    """Words that begin like those typed; None without any. In titles and references alone if asked.

    Those in `whole` count as they are.
    """
    words = [word for word in _words(text) if len(word) > 1]
    if not words:
        return None
    weight = "A" if in_titles else ""
    typed = " & ".join(_quoted(word) if word in whole else f"{_quoted(word)}:*{weight}" for word in words)
    return Asked(_EITHER, {"typed": typed}, has_beginnings=True)


def alike(text: str, readers: Sequence[int], *, whole: Collection[str] = ()) -> Asked | None:
    """Words of a similar spelling in place of those typed, but for those in `whole`; None if there are none.

    `readers` are as whom the person finds entries: only words of entries that they might read count, so that words of
    others change nothing.
    """
    groups = []
    for word in sorted(_words(text), key=lambda one: one in whole):
        is_right = len(word) <= 3 or word in whole
        similar = [] if is_right else _similar(word, readers)
        if not similar and not is_right:
            return None
        groups.append("(" + " | ".join(_quoted(one) for one in dict.fromkeys([*similar, word])) + ")")
    if not groups:
        return None
    return Asked(_EITHER, {"typed": " & ".join(groups)})


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


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)][:8]


def _quoted(lexeme: str) -> str:
    """A lexeme as tsquery writes it."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"
