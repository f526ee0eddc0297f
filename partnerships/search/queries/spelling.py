"""Suggests similar words instead of typed words that no entry contains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.utils import timezone

from partnerships.kit.database import BY_INDEX, rows_of
from partnerships.people.models import User
from partnerships.search.models import EVERYONE
from partnerships.search.queries.asking import OPEN, FrequentWords, TextQuery, any_word_query, search_words
from partnerships.search.queries.candidates import reader_ids, words_read_by

#: Limit of similar words that are tried instead of a word.
_MAX_SIMILAR = 5
#: Words up to this length are not corrected, because too many others are similar.
_SHORT_WORD = 3


def similar_words_query(user: User, text: str, *, frequent: FrequentWords | None = None) -> TextQuery | None:
    """Return a query that has similar words instead of those that no entry contains.

    Returns None if a misspelt word has no similar word. Only entries that the person may read are searched, so that
    nobody learns which words are in other records.
    """
    words = search_words(text)
    misspelt_words = _misspelt_words(user, words, frequent or FrequentWords())
    similar_words = _similar_words(user, misspelt_words)
    if any(not similar_words[word] for word in misspelt_words):
        return None
    return any_word_query([[*similar_words[word], word] for word in words]) if words else None


def _misspelt_words(user: User, words: Sequence[str], frequent: FrequentWords) -> list[str]:
    """Return the words to correct.

    These are not short, not stop words, and in no entry that the person may read.
    """
    known_words = frequent.stop_words
    if EVERYONE in reader_ids(user):
        known_words |= frequent.common_words
    rare_words = [word for word in words if len(word) > _SHORT_WORD and word not in known_words]
    right_words = words_read_by(user, rare_words)
    return [word for word in rare_words if word not in right_words]


def _similar_words(user: User, words: Sequence[str]) -> defaultdict[str, list[str]]:
    """Return indexed words and names of people that are spelt like each word, at most `_MAX_SIMILAR` of each."""
    similar_words: defaultdict[str, list[str]] = defaultdict(list)
    if words:
        readers = reader_ids(user)
        values = {
            "words": list(words),
            "own": [reader for reader in readers if reader != EVERYONE],
            "is_everyone": EVERYONE in readers,
            "now": timezone.now(),
        }
        for word, similar_word in rows_of(f"{BY_INDEX}; {_SIMILAR}", values):
            similar_words[word].append(similar_word)
    return similar_words


# Checks word by word, the most similar first, until there are enough. OFFSET 0 prevents PostgreSQL from merging the
# inner query. MATERIALIZED makes it use the index of words.
_SIMILAR_WORDS = f"""
SELECT word
  FROM (
      SELECT word, to_tsquery('english', word) AS query
        FROM search_word
       WHERE word %% typed.word
         AND similarity(word, typed.word) >= 0.4
         AND abs(length(word) - length(typed.word)) <= 2
       ORDER BY similarity(word, typed.word) DESC, word
      OFFSET 0
  ) AS similar_word
 WHERE (
         SELECT TRUE
           FROM search_searchentry
          WHERE words @@ similar_word.query
            AND readers && %(own)s::bigint[]
          LIMIT 1
       )
    OR %(is_everyone)s AND (
         WITH matching AS MATERIALIZED (
             SELECT 1 FROM search_searchentry WHERE {OPEN} AND words @@ similar_word.query
         )
         SELECT TRUE FROM matching LIMIT 1
       )
 LIMIT {_MAX_SIMILAR}
"""  # noqa: S608 - a number of ours
_SIMILAR_NAMES = f"""
SELECT word
  FROM (
      SELECT DISTINCT regexp_split_to_table(lower(title), '[^[:alpha:]]+') AS word
        FROM search_searchentry
       WHERE source IN ('holder', 'person')
         AND title %%> typed.word
         AND readers && %(own)s::bigint[]
  ) AS name_part
 WHERE similarity(word, typed.word) >= 0.3
   AND abs(length(word) - length(typed.word)) <= 2
 ORDER BY similarity(word, typed.word) DESC, word
 LIMIT {_MAX_SIMILAR}
"""  # noqa: S608 - a number of ours
#: Returns the words and names for every misspelt word in one statement.
_SIMILAR = f"""
SET LOCAL pg_trgm.word_similarity_threshold = 0.4;
SELECT typed.word, correction.word
  FROM unnest(%(words)s::text[]) AS typed(word),
       LATERAL (({_SIMILAR_WORDS}) UNION ALL ({_SIMILAR_NAMES})) AS correction
"""  # noqa: S608 - SQL of ours
