"""Turns the text that a person typed into full-text queries for PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from partnerships.kit.database import BY_INDEX, rows_of
from partnerships.search.entries import postcodes_in_query, reference_code
from partnerships.search.models import SAMPLED

#: Minimum characters of a search, as shorter words match too much.
MIN_LENGTH = 2
#: Number of characters of a search that are used.
_MAX_LENGTH = 200
#: Number of words of a search that are used where each word is looked up.
_MAX_WORDS = 8
#: Words of a question about who to ask, which PostgreSQL's list of stop words lacks.
_QUESTION_WORDS = frozenset(
    {"call", "contact", "contacts", "cover", "covers", "deal", "deals", "person", "phone", "ring", "speak", "talk"}
    | {"who", "whom", "whos", "who’s", "who's"}
)
_STARTS_WITH_WHO = re.compile(r"^who(m|[’']?s)?\b", re.IGNORECASE)
_WORD = re.compile(r"[\w’'-]+")
#: Matches the words themselves, or their stems.
_WRITTEN_OR_STEM = "(to_tsquery('simple', %(typed)s) || to_tsquery('english', %(typed)s))"
#: Matches every word, or its stem. If the search has only stop words, which have no stem, it matches these words.
_EVERY_WORD = """
CASE WHEN numnode(websearch_to_tsquery('english', %(words)s)) > 0
     THEN websearch_to_tsquery('english', %(words)s)
     ELSE plainto_tsquery('simple', %(words)s)
END
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextQuery:
    """A full-text query, as the SQL of a tsquery and the values for its placeholders."""

    sql: str
    values: dict[str, Any] = field(default_factory=dict)
    #: False if the query has postcodes only, which no other spelling can match.
    has_words: bool = True
    #: True if words match by how they begin. The index then reads the entries of every word with this beginning.
    has_prefixes: bool = False
    #: The tsquery of the rarer words, if the index should look up these alone.
    rare_words_sql: str = ""
    #: True for “Who …?”, which lists people first.
    asks_who: bool = False

    @property
    def condition(self) -> str:
        """Return SQL that is true for matching entries.

        With `rare_words_sql`, the index finds the entries with the rare words.
        """
        if not self.rare_words_sql:
            return f"words @@ {self.sql}"
        return f"words @@ {self.rare_words_sql} AND {self.condition_without_index}"

    @property
    def condition_without_index(self) -> str:
        """Return SQL that is true for matching entries, and that PostgreSQL checks entry by entry.

        Adding an empty tsvector prevents PostgreSQL from using the index.
        """
        return f"(words || ''::tsvector) @@ {self.sql}"

    def in_sample(self) -> TextQuery:
        """Return the query for the index of the sample, with other placeholders.

        This index has no weights, so it finds all entries with a word, not only those with it in the title.
        """
        sql = self.sql
        values = {}
        for name, value in self.values.items():
            sql = sql.replace(f"%({name})s", f"%(sample_{name})s")
            values[f"sample_{name}"] = value.replace(":*A", ":*")
        return TextQuery(sql=sql, values=values)


def clean_text(text: str) -> str:
    """Return the text without characters that cannot be searched, or "" if it is too short."""
    cleaned = " ".join(text.replace("\x00", "").split())[:_MAX_LENGTH]
    return cleaned if len(cleaned) >= MIN_LENGTH else ""


def exact_query(text: str) -> TextQuery:
    """Return a query for every word or its stem and every postcode, or for the whole text as a reference."""
    asks_who = bool(_STARTS_WITH_WHO.match(text))
    if asks_who:
        text = " ".join(word for word in text.replace("?", " ").split() if word.lower() not in _QUESTION_WORDS)
    words, postcodes = postcodes_in_query(text)

    conditions = []
    values: dict[str, Any] = {"reference": _quoted(reference_code(text))}
    if words:
        conditions.append(f"({_EVERY_WORD})")
        values["words"] = words
    for index, postcode in enumerate(postcodes):
        conditions.append(f"(%(postcode{index})s::tsquery)")
        values[f"postcode{index}"] = _quoted(postcode)

    words_and_postcodes = " && ".join(conditions) or "''::tsquery"
    return TextQuery(
        sql=f"(({words_and_postcodes}) || %(reference)s::tsquery)",
        values=values,
        has_words=bool(words),
        asks_who=asks_who,
    )


#: SQL for entries that everybody may read now.
OPEN = "for_everyone AND (opens_at IS NULL OR opens_at <= %(now)s)"
#: SQL that is true if a query matches more than `enough` entries of the sample. Only entries that everybody may read
#: are counted. Otherwise the choice of how to search would reveal which words are in records that people cannot read.
#: MATERIALIZED makes PostgreSQL read the index of the sample and stop at the limit.
IS_COMMON_IN_SAMPLE = f"""
(WITH matching AS MATERIALIZED (
     SELECT 1
       FROM search_searchentry
      WHERE {OPEN}
        AND mod(id, {SAMPLED}) = 0
        AND words @@ {{query}}
 )
 SELECT count(*) > %(enough)s
   FROM (SELECT 1 FROM matching LIMIT %(enough)s + 1) AS first_matches
)
"""  # noqa: S608 - SQL of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequentWords:
    """Words of a search for which the index would read too many entries.

    `stop_words`, such as "for", match only as they were typed. `common_words` are in many entries that everybody may
    read.
    """

    stop_words: frozenset[str] = frozenset()
    common_words: frozenset[str] = frozenset()


def frequent_words_in(text: str, threshold: int) -> FrequentWords:
    """Return the stop words of a text, and its words that are in more public entries than the threshold."""
    words = search_words(text)
    if not words:
        return FrequentWords()
    values = {"words": words, "enough": threshold // SAMPLED, "now": timezone.now()}
    rows = rows_of(f"{BY_INDEX}; {_FREQUENCY_OF_WORDS}", values)
    stop_words = frozenset(word for word, is_stop_word, _ in rows if is_stop_word)
    common_words = frozenset(word for word, _, is_common_word in rows if is_common_word)
    return FrequentWords(stop_words=stop_words, common_words=common_words - stop_words)


#: Returns for each word whether it is a stop word, and whether it is common.
_FREQUENCY_OF_WORDS = f"""
SELECT typed.word, numnode(typed.query) = 0, {IS_COMMON_IN_SAMPLE.format(query="typed.query")}
  FROM (
      SELECT word, plainto_tsquery('english', word) AS query FROM unnest(%(words)s::text[]) AS word OFFSET 0
  ) AS typed
"""  # noqa: S608 - SQL of ours


def prefix_query(text: str, *, in_titles: bool = False, frequent: FrequentWords | None = None) -> TextQuery | None:
    """Return a query for words that start like those typed, or None without words.

    With `in_titles`, match titles and references only.
    """
    words = [word for word in search_words(text) if len(word) > 1]
    if not words:
        return None
    frequent = frequent or FrequentWords()
    prefix = ":*A" if in_titles else ":*"
    term_by_word = {
        word: _quoted(word) if word in frequent.stop_words else f"{_quoted(word)}{prefix}" for word in words
    }
    frequent_words = frequent.stop_words | frequent.common_words
    rare_terms = [term for word, term in term_by_word.items() if word not in frequent_words]

    values = {"typed": " & ".join(term_by_word.values())}
    if not rare_terms or len(rare_terms) == len(term_by_word):
        return TextQuery(sql=_WRITTEN_OR_STEM, values=values, has_prefixes=True)
    return TextQuery(
        sql=_WRITTEN_OR_STEM,
        values={**values, "rare": " & ".join(rare_terms)},
        has_prefixes=True,
        rare_words_sql=_WRITTEN_OR_STEM.replace("%(typed)s", "%(rare)s"),
    )


def any_word_query(word_groups: Sequence[Sequence[str]]) -> TextQuery:
    """Return a query for at least one word of every group."""
    terms = []
    for words in word_groups:
        alternatives = " | ".join(_quoted(word) for word in dict.fromkeys(words))
        terms.append(f"({alternatives})")
    return TextQuery(sql=_WRITTEN_OR_STEM, values={"typed": " & ".join(terms)})


def search_words(text: str) -> list[str]:
    """Return the first words of a text, in lower case."""
    return [word.lower() for word in _WORD.findall(text)][:_MAX_WORDS]


def _quoted(lexeme: str) -> str:
    """Return the lexeme quoted for a tsquery."""
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
