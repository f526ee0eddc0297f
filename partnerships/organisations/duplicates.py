"""Find organisations that may be recorded twice, because their names or numbers are nearly the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.contrib.postgres.search import TrigramSimilarity
from django.db import connection, transaction

from partnerships.kit.names import LEGAL_WORDS, core_name, plain_number
from partnerships.organisations.models import (
    Identifier,
    Merge,
    NotSame,
    Organisation,
    OrganisationName,
    Scheme,
    SuccessionTie,
)

#: The lowest similarity (from 0 to 1) of two names that makes the organisations possible duplicates. A difference of
#: only “Ltd” at the end leaves the similarity above this limit.
ALIKE = 0.7
#: The most pairs that the page shows.
MAX_PAIRS = 200
#: Registers that each contain only one kind of body. A LEP in its register is not a council of the same name.
_ONE_KIND_REGISTERS = frozenset({Scheme.GSS, Scheme.RSH, Scheme.LEP})
#: Schemes that give each body only one number, so that different numbers mean different bodies.
_ONE_FOR_EACH_BODY = (Scheme.GSS, Scheme.RSH, Scheme.COMPANY, Scheme.CHARITY, Scheme.ODS, Scheme.LEP)

#: The trigram index first finds names that are roughly alike. The query then compares names without legal words.
_SET_ROUGH_THRESHOLD = "SET LOCAL pg_trgm.similarity_threshold = 0.5"
_PAIRS_BY_NAME = r"""
WITH roughly AS MATERIALIZED (
    SELECT a.organisation_id AS one, b.organisation_id AS other,
           regexp_replace(a.folded, %(legal)s, '', 'g') AS name,
           regexp_replace(b.folded, %(legal)s, '', 'g') AS other_name
      FROM organisations_organisationname a
      JOIN organisations_organisationname b ON a.folded %% b.folded AND a.organisation_id < b.organisation_id
)
SELECT one, other, max(similarity(name, other_name)) FROM roughly
 WHERE similarity(name, other_name) >= %(alike)s GROUP BY 1, 2
"""
#: Finds numbers that differ only in case, spaces, punctuation and leading zeros.
_PAIRS_BY_NUMBER = """
WITH plain AS (
    SELECT organisation_id, scheme, ltrim(regexp_replace(upper(value), '[^0-9A-Z]', '', 'g'), '0') AS value
      FROM organisations_identifier
)
SELECT DISTINCT a.organisation_id, b.organisation_id, a.value
  FROM plain a JOIN plain b USING (scheme, value)
 WHERE a.organisation_id < b.organisation_id AND a.value <> ''
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two organisations that may be the same body. `alike` is their similarity, from 0 to 1."""

    one: Organisation
    other: Organisation
    why: str
    alike: float


def organisations_with_similar_name(name: str, *, excluded_id: int | None = None) -> list[Organisation]:
    """Return up to five organisations with nearly this name, the most similar first."""
    folded = core_name(name, words=LEGAL_WORDS, phrases=())[:300]
    names = OrganisationName.objects.filter(folded__trigram_similar=folded)
    names = (
        names.annotate(alike=TrigramSimilarity("folded", folded))
        .filter(alike__gte=ALIKE)
        .exclude(organisation=excluded_id)
    )
    ids = list(dict.fromkeys(names.order_by("-alike", "pk").values_list("organisation", flat=True)[:20]))
    organisations = Organisation.objects.not_merged().in_bulk(ids)
    return [organisations[pk] for pk in ids if pk in organisations][:5]


class _Likeness(NamedTuple):
    """How similar two organisations are, from 0 to 1, and the words that say what is similar."""

    alike: float
    why: str


def _likenesses() -> dict[tuple[int, int], _Likeness]:
    """Return the likeness of pairs with nearly the same name or number; each key is two ids, the lower id first."""
    likenesses: dict[tuple[int, int], _Likeness] = {}
    legal = rf"\m({'|'.join(sorted(LEGAL_WORDS))})\M"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SET_ROUGH_THRESHOLD)
        cursor.execute(_PAIRS_BY_NAME, {"legal": legal, "alike": ALIKE})
        for one, other, alike in cursor.fetchall():
            likenesses[one, other] = _Likeness(alike, "Nearly the same name")
        cursor.execute(_PAIRS_BY_NUMBER)
        for one, other, value in cursor.fetchall():
            likenesses[one, other] = _Likeness(1.0, f"The same number, {value}")
    return likenesses


def possible_duplicates() -> list[Pair]:
    """Return pairs of records that may be the same body, the most similar first.

    Merged records are excluded. Pairs that are certainly two bodies are excluded, too. For example, an administrator
    has said so, one followed the other, they have different numbers in one register, or each is in a register of a
    different kind of body.
    """
    likenesses = _likenesses()
    for pair in _separate_pairs():
        likenesses.pop(pair, None)
    ids = {pk for pair in likenesses for pk in pair}
    numbers_by_id = _numbers_by_organisation(ids)
    bodies = Organisation.objects.not_merged().in_bulk(ids)
    pairs = []
    for (one, other), likeness in likenesses.items():
        if (
            one not in bodies
            or other not in bodies
            or _have_different_numbers(numbers_by_id[one], numbers_by_id[other])
        ):
            continue
        if bodies[one].kind != bodies[other].kind and _are_registered(numbers_by_id[one], numbers_by_id[other]):
            continue
        pairs.append(Pair(bodies[one], bodies[other], likeness.why, likeness.alike))
    return sorted(pairs, key=lambda pair: (-pair.alike, pair.one.name, pair.one.pk, pair.other.pk))[:MAX_PAIRS]


def merges_in_force() -> Iterable[Merge]:
    """Return the merges in force, the newest first."""
    return Merge.objects.in_force().select_related("kept", "merged", "merged_by").order_by("-merged_at", "-pk")


def _separate_pairs() -> set[tuple[int, int]]:
    """Return the pairs of ids (the lower first) that are two bodies.

    An administrator said so, or one body followed the other.
    """
    separate_pairs = set(NotSame.objects.values_list("one", "other"))
    succession_pairs = SuccessionTie.objects.exclude(successor=None).values_list("predecessor", "successor")
    return separate_pairs | {(min(pair), max(pair)) for pair in succession_pairs if None not in pair}


def _numbers_by_organisation(organisation_ids: Collection[int]) -> dict[int, dict[str, set[str]]]:
    """Return the present numbers of each organisation, by register."""
    numbers: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    rows = Identifier.objects.filter(organisation__in=organisation_ids, scheme__in=_ONE_FOR_EACH_BODY, valid_to=None)
    for organisation, scheme, value in rows.values_list("organisation", "scheme", "value"):
        numbers[organisation][scheme].add(plain_number(value))
    return numbers


def _have_different_numbers(numbers: dict[str, set[str]], other_numbers: dict[str, set[str]]) -> bool:
    """Return True if both organisations have numbers in one register and share none of these numbers."""
    return any(not (numbers[scheme] & other_numbers[scheme]) for scheme in numbers.keys() & other_numbers.keys())


def _are_registered(*numbers: dict[str, set[str]]) -> bool:
    """Return True if each organisation has a number in a register that contains only one kind of body."""
    return all(_ONE_KIND_REGISTERS & values_by_scheme.keys() for values_by_scheme in numbers)
