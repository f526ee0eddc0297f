"""Finds organisations that may be recorded twice, because their names or numbers are nearly the same."""

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

#: The similarity of two names, from 0 to 1, from which they are possible duplicates. “Ltd” at the end keeps it above.
ALIKE = 0.7
#: The most pairs that the page shows.
MAX_PAIRS = 200
#: Registers of one kind of body each: a LEP is not a council of the same name.
_OF_ONE_KIND = frozenset({Scheme.GSS, Scheme.RSH, Scheme.LEP})
#: Schemes with one number for each body: different numbers show that two records are not the same body.
_ONE_FOR_EACH_BODY = (Scheme.GSS, Scheme.RSH, Scheme.COMPANY, Scheme.CHARITY, Scheme.ODS, Scheme.LEP)

#: The index finds names that are roughly alike; then names are compared without legal words.
_ROUGHLY = "SET LOCAL pg_trgm.similarity_threshold = 0.5"
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
#: Numbers that differ only in case, spaces, punctuation and zeros in front.
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
    """Two organisations that may be the same body; `alike` is from 0 to 1."""

    one: Organisation
    other: Organisation
    why: str
    alike: float


def similar_to(name: str, *, but: int | None = None) -> list[Organisation]:
    """Return up to five organisations with nearly this name, the most similar first."""
    folded = core_name(name, words=LEGAL_WORDS, phrases=())[:300]
    names = OrganisationName.objects.filter(folded__trigram_similar=folded)
    names = names.annotate(alike=TrigramSimilarity("folded", folded)).filter(alike__gte=ALIKE).exclude(organisation=but)
    ids = list(dict.fromkeys(names.order_by("-alike", "pk").values_list("organisation", flat=True)[:20]))
    organisations = Organisation.objects.standing().in_bulk(ids)
    return [organisations[pk] for pk in ids if pk in organisations][:5]


class _Likeness(NamedTuple):
    """How similar two organisations are, from 0 to 1, and in what."""

    alike: float
    why: str


def _likenesses() -> dict[tuple[int, int], _Likeness]:
    """Return pairs of ids, the lower first, with nearly the same name or the same number."""
    likenesses: dict[tuple[int, int], _Likeness] = {}
    legal = rf"\m({'|'.join(sorted(LEGAL_WORDS))})\M"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ROUGHLY)
        cursor.execute(_PAIRS_BY_NAME, {"legal": legal, "alike": ALIKE})
        for one, other, alike in cursor.fetchall():
            likenesses[one, other] = _Likeness(alike, "Nearly the same name")
        cursor.execute(_PAIRS_BY_NUMBER)
        for one, other, value in cursor.fetchall():
            likenesses[one, other] = _Likeness(1.0, f"The same number, {value}")
    return likenesses


def possible_duplicates() -> list[Pair]:
    """Return pairs of records that may be the same body, the most similar first.

    Merged records are left out, and so are pairs that are certainly two bodies: an administrator said so, one followed
    the other, they have different numbers in one register, or each is in the register of a different kind of body.
    """
    likenesses = _likenesses()
    for pair in _kept_apart():
        likenesses.pop(pair, None)
    ids = {pk for pair in likenesses for pk in pair}
    numbers = _numbers(ids)
    bodies = Organisation.objects.standing().in_bulk(ids)
    pairs = []
    for (one, other), likeness in likenesses.items():
        if one not in bodies or other not in bodies or _differ(numbers[one], numbers[other]):
            continue
        if bodies[one].kind != bodies[other].kind and _are_registered(numbers[one], numbers[other]):
            continue
        pairs.append(Pair(bodies[one], bodies[other], likeness.why, likeness.alike))
    return sorted(pairs, key=lambda pair: (-pair.alike, pair.one.name, pair.one.pk, pair.other.pk))[:MAX_PAIRS]


def merges() -> Iterable[Merge]:
    """Return the merges in force, the newest first."""
    return Merge.objects.in_force().select_related("kept", "merged", "merged_by").order_by("-merged_at", "-pk")


def _kept_apart() -> set[tuple[int, int]]:
    """Return pairs of ids, the lower first, of two bodies: an administrator said so, or one followed the other."""
    apart = set(NotSame.objects.values_list("one", "other"))
    followed = SuccessionTie.objects.exclude(successor=None).values_list("predecessor", "successor")
    return apart | {(min(pair), max(pair)) for pair in followed if None not in pair}


def _numbers(organisations: Collection[int]) -> dict[int, dict[str, set[str]]]:
    """Return the present numbers of each organisation, by register."""
    numbers: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    rows = Identifier.objects.filter(organisation__in=organisations, scheme__in=_ONE_FOR_EACH_BODY, valid_to=None)
    for organisation, scheme, value in rows.values_list("organisation", "scheme", "value"):
        numbers[organisation][scheme].add(plain_number(value))
    return numbers


def _differ(numbers: dict[str, set[str]], other: dict[str, set[str]]) -> bool:
    """Whether both have numbers in one register, and none is the same."""
    return any(not (numbers[scheme] & other[scheme]) for scheme in numbers.keys() & other.keys())


def _are_registered(*numbers: dict[str, set[str]]) -> bool:
    """Whether each has a number in a register of one kind of body."""
    return all(_OF_ONE_KIND & number.keys() for number in numbers)
