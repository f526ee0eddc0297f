"""Suggests similar words instead of typed words that no entry contains."""

from __future__ import annotations

from django.utils import timezone

from partnerships.kit.database import BY_INDEX, rows_of
from partnerships.people.models import User
from partnerships.search.models import EVERYONE
from partnerships.search.queries.asking import OPEN, FrequentWords, TextQuery, any_word_query, search_words, word_query
from partnerships.search.queries.candidates import SearchFilters, readable_entries, reader_ids

#: Limit of similar words that are tried instead of a word.
_MAX_SIMILAR = 5
#: Words up to this length are not corrected, because too many others are similar.
_SHORT_WORD = 3


def similar_words_query(user: User, text: str, *, frequent: FrequentWords | None = None) -> TextQuery | None:
    """Return a query that has similar words instead of those that no entry contains.

    Returns None if a misspelt word has no similar word. Only entries that the person may read are searched, so that
    nobody learns which words are in other records.
    """
    frequent = frequent or FrequentWords()
    word_groups = []
    for word in search_words(text):
        if _is_spelt_right(user, word, frequent):
            word_groups.append([word])
            continue
        similar_words = _similar_words(user, word)
        if not similar_words:
            return None
        word_groups.append([*similar_words, word])
    return any_word_query(word_groups) if word_groups else None


def _is_spelt_right(user: User, word: str, frequent: FrequentWords) -> bool:
    """Return whether the word needs no correction.

    This is so if it is short, a stop word, or in an entry that the person may read.
    """
    if len(word) <= _SHORT_WORD or word in frequent.stop_words:
        return True
    if word in frequent.common_words and EVERYONE in reader_ids(user):
        return True
    return bool(readable_entries(user, word_query(word), word, SearchFilters(), limit=1).entries)


def _similar_words(user: User, word: str) -> list[str]:
    """Return indexed words and names of people that are spelt like a word, at most `_MAX_SIMILAR` of each."""
    readers = reader_ids(user)
    values = {
        "word": word,
        "own": [reader for reader in readers if reader != EVERYONE],
        "is_everyone": EVERYONE in readers,
        "now": timezone.now(),
    }
    rows = [
        *rows_of(f"{BY_INDEX}; {_SIMILAR_WORDS}", values),
        *rows_of(f"{BY_INDEX}; {_SIMILAR_NAMES}", values),
    ]
    return [similar_word for (similar_word,) in rows]


# Checks word by word, the most similar first, until there are enough. OFFSET 0 prevents PostgreSQL from merging the
# inner query. MATERIALIZED makes it use the index of words.
_SIMILAR_WORDS = f"""
SELECT word
  FROM (
      SELECT word, to_tsquery('english', word) AS query
        FROM search_word
       WHERE word %% %(word)s
         AND similarity(word, %(word)s) >= 0.4
         AND abs(length(word) - length(%(word)s)) <= 2
       ORDER BY similarity(word, %(word)s) DESC, word
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
SET LOCAL pg_trgm.word_similarity_threshold = 0.4;
SELECT word
  FROM (
      SELECT DISTINCT regexp_split_to_table(lower(title), '[^[:alpha:]]+') AS word
        FROM search_searchentry
       WHERE source IN ('holder', 'person')
         AND title %%> %(word)s
         AND readers && %(own)s::bigint[]
  ) AS name_part
 WHERE similarity(word, %(word)s) >= 0.3
   AND abs(length(word) - length(%(word)s)) <= 2
 ORDER BY similarity(word, %(word)s) DESC, word
 LIMIT {_MAX_SIMILAR}
"""  # noqa: S608 - a number of ours
