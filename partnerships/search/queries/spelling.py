"""Similar words for those typed that nothing contains."""

from __future__ import annotations

from django.utils import timezone

from partnerships.kit.database import BY_INDEX, rows_of
from partnerships.people.models import User
from partnerships.search.models import EVERYONE
from partnerships.search.queries.asking import OPEN, Asked, Frequent, any_of, one_word, words_of
from partnerships.search.queries.candidates import Narrowed, readable, readers_as

#: Similar words tried in place of one.
_ALIKE = 5


def alike(user: User, text: str, *, frequent: Frequent | None = None) -> Asked | None:
    """The query with similar words for those typed that nothing contains.

    None if one has no similar word. Only entries that the person may read count, so that words of others change
    nothing.
    """
    frequent, groups = frequent or Frequent(), []
    for word in words_of(text):
        is_right = len(word) <= 3 or word in frequent.stop or _has(user, word, frequent)
        similar = [] if is_right else _similar(user, word)
        if not similar and not is_right:
            return None
        groups.append([*similar, word])
    return any_of(groups) if groups else None


def _has(user: User, word: str, frequent: Frequent) -> bool:
    """Whether something that the person may read has the word."""
    if word in frequent.common and EVERYONE in readers_as(user):
        return True
    return bool(readable(user, one_word(word), word, Narrowed(), limit=1).found)


def _similar(user: User, word: str) -> list[str]:
    """Known words and names of people that are spelt like a word, at most this many of each."""
    readers = readers_as(user)
    own = [reader for reader in readers if reader != EVERYONE]
    values = {"word": word, "own": own, "is_everyone": EVERYONE in readers, "now": timezone.now()}
    return [row[0] for sql in (_SIMILAR_WORDS, _SIMILAR_NAMES) for row in rows_of(f"{BY_INDEX}; {sql}", values)]


# Word by word, the most similar first, until there are enough. Materialized, so that the index of words is used.
_SIMILAR_WORDS = f"""
SELECT word FROM (
    SELECT word, to_tsquery('english', word) AS asked FROM search_word
     WHERE word %% %(word)s AND similarity(word, %(word)s) >= 0.4 AND abs(length(word) - length(%(word)s)) <= 2
     ORDER BY similarity(word, %(word)s) DESC, word OFFSET 0
) near
 WHERE (SELECT TRUE FROM search_searchentry WHERE words @@ near.asked AND readers && %(own)s::bigint[] LIMIT 1)
    OR %(is_everyone)s AND (
       WITH fitting AS MATERIALIZED (SELECT 1 FROM search_searchentry WHERE {OPEN} AND words @@ near.asked)
       SELECT TRUE FROM fitting LIMIT 1)
 LIMIT {_ALIKE}
"""  # noqa: S608 - a number of ours
_SIMILAR_NAMES = f"""
SET LOCAL pg_trgm.word_similarity_threshold = 0.4;
SELECT word FROM (
    SELECT DISTINCT regexp_split_to_table(lower(title), '[^[:alpha:]]+') AS word FROM search_searchentry
     WHERE source IN ('holder', 'person') AND title %%> %(word)s AND readers && %(own)s::bigint[]
) names
 WHERE similarity(word, %(word)s) >= 0.3 AND abs(length(word) - length(%(word)s)) <= 2
 ORDER BY similarity(word, %(word)s) DESC, word LIMIT {_ALIKE}
"""  # noqa: S608 - a number of ours
