"""Finds candidates for a batch of questions, in the same number of queries whatever its size."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from partnerships.kit.database import rows_of
from partnerships.kit.names import fold_name, plain_number
from partnerships.organisations.lineage import predecessors_of_each, successors_of_each
from partnerships.organisations.models import (
    AreaServed,
    Identifier,
    Kind,
    Merge,
    NameKind,
    Organisation,
    OrganisationName,
    Scheme,
    of_org_id,
)
from partnerships.organisations.queries import find_publicly_listed, publicly_listed
from partnerships.reconciliation.matching import (
    Body,
    Named,
    Numbered,
    Verdict,
    beginnings,
    judge,
    place_begun,
    place_in,
)
from partnerships.reconciliation.questions import Question
from partnerships.reconciliation.vocabulary import AREA, SCHEMES, types_of

#: Bodies of one place are found by it.
_PUBLIC = frozenset(
    {Kind.COUNCIL, Kind.STRATEGIC_AUTHORITY, Kind.NATIONAL_PARK, Kind.DEVELOPMENT_CORPORATION, Kind.LEP}
)
#: The id of a body, with the number of its organisation.
ID = re.compile(r"o(\d{1,18})", re.ASCII)
#: Names looked at for each question.
_MAX_NAMES = 40
#: How councils are usually called.
_USUAL = ("london borough of {}", "{} district council", "{} borough council", "{} city council", "{} council")
#: Suggestions in one answer.
SUGGESTED = 20

_NAMES_LIKE = """
WITH listed (body) AS MATERIALIZED ({listed})
SELECT asked.number, found.organisation_id, found.alike
  FROM unnest(%s::int[], %s::text[], %s::text[]) AS asked(number, folded, place)
 CROSS JOIN LATERAL (
    SELECT name.organisation_id,
           max(greatest(similarity(name.folded, asked.folded), similarity(name.folded, asked.place))) AS alike
      FROM organisations_organisationname name
     WHERE (name.folded = asked.folded OR name.folded %%> asked.place)
       AND name.organisation_id IN (SELECT listed.body FROM listed)
     GROUP BY name.organisation_id
     ORDER BY alike DESC, name.organisation_id
     LIMIT {limit}
 ) found
 UNION ALL
SELECT part.number, name.organisation_id, 0
  FROM unnest(%s::int[], %s::text[]) AS part(number, folded)
  JOIN organisations_organisationname name ON name.folded = part.folded
 WHERE name.organisation_id IN (SELECT listed.body FROM listed)
"""


@dataclass(frozen=True, slots=True)
class Lineage:
    """What bodies became and what they followed, by their ids."""

    after: dict[int, list[int]]
    before: dict[int, list[int]]
    bodies: dict[int, Body]


def find(questions: Collection[Question]) -> list[list[Verdict]]:
    """The candidates of each question, the best first, no more than it asks for."""
    asked = list(questions)
    likeness = _alike(asked)
    numbered = _numbered(asked)
    chosen = {number: _ids((*question.ids, question.text)) for number, question in enumerate(asked)}
    wanted: set[int] = set()
    for found in (*likeness.values(), *numbered.values(), *chosen.values()):
        wanted.update(found)
    with_places = any(condition.property == AREA for question in asked for condition in question.conditions)
    bodies = bodies_of(wanted, with_places=with_places)
    results = []
    for number, question in enumerate(asked):
        ids = {*likeness.get(number, ()), *numbered.get(number, ()), *chosen[number]}
        candidates = [bodies[pk] for pk in ids if pk in bodies]
        results.append(judge(question, candidates, likeness.get(number, {}))[: question.limit])
    return results


def _ids(texts: Iterable[str]) -> set[int]:
    """The numbers of organisations in ids such as `o12`."""
    return {int(found[1]) for found in map(ID.fullmatch, texts) if found}


def _alike(questions: list[Question]) -> dict[int, dict[int, float]]:
    """Bodies with a name like the text, and how alike, by the number of the question."""
    texts: dict[int, str] = {}
    for number, question in enumerate(questions):
        if text := fold_name(question.text)[:300]:
            texts[number] = text
    if not texts:
        return {}
    listed, values = publicly_listed().values("pk").query.sql_with_params()
    sql = _NAMES_LIKE.format(listed=listed, limit=_MAX_NAMES)
    whole = (list(texts), list(texts.values()), [place_in(text) for text in texts.values()])
    parts = [(number, part) for number, text in texts.items() for part in _begun(text)]
    begun = ([number for number, _ in parts], [part for _, part in parts])
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for number, pk, alike in rows_of(sql, [*values, *whole, *begun]):
        found[number][pk] = max(alike, found[number].get(pk, 0.0))
    return found


def _begun(text: str) -> set[str]:
    """Names that the text may begin with, before a note.

    Those of councils are in their usual order of words.
    """
    names = set(beginnings(text))
    for place in set(filter(None, map(place_begun, names))):
        names |= {form.format(place) for form in _USUAL}
    return names


def _numbered(questions: list[Question]) -> dict[int, set[int]]:
    """Bodies with a number that a question gives, as a property or as its text."""
    numbers_given = _numbers_given(questions)
    forms = set().union(*(_forms(plain) for _, _, plain in numbers_given))
    if not forms:
        return {}
    rows = Identifier.objects.filter(scheme__in=SCHEMES, value__in=forms).values_list("organisation", "scheme", "value")
    holders: dict[tuple[str, str], set[int]] = defaultdict(set)
    for organisation, scheme, value in rows:
        for key in (scheme, ""):  # a question may not say which scheme its number is of
            holders[key, plain_number(value)].add(organisation)
    found: dict[int, set[int]] = defaultdict(set)
    for number, scheme, plain in numbers_given:
        found[number] |= holders.get((scheme, plain), set())
    return found


def _numbers_given(questions: list[Question]) -> list[tuple[int, str, str]]:
    """The number of each question, a scheme ("" if unknown), and what may be a number of that scheme."""
    given = []
    for number, question in enumerate(questions):
        values = [(condition.property, value) for condition in question.conditions for value in condition.values]
        for code, value in [*values, ("", question.text)]:
            scheme, plain = of_org_id(value)
            if scheme:
                given.append((number, scheme, plain_number(plain)))
            elif code in SCHEMES or not code:
                given.append((number, code, plain_number(value.rpartition(":")[2])))
    return given


def _forms(plain: str) -> set[str]:
    """How a number can be written in registers: with the zeros in front that they use."""
    if not plain or len(plain) > 20:
        return set()
    return {plain, plain.lower(), *(plain.zfill(length) for length in (4, 5, 6, 7, 8) if length > len(plain))}


def bodies_of(ids: Iterable[int], *, with_places: bool = False) -> dict[int, Body]:
    """The publicly listed bodies with these ids.

    Three queries, and one more for places.
    """
    found = {
        organisation.pk: organisation
        for organisation in publicly_listed().filter(pk__in=set(ids)).select_related("region")
    }
    if not found:
        return {}
    names: dict[int, list[OrganisationName]] = defaultdict(list)
    for name in OrganisationName.objects.filter(organisation__in=found).order_by("valid_to", "pk"):
        names[name.organisation_id].append(name)
    numbers: dict[int, list[Identifier]] = defaultdict(list)
    for row in Identifier.objects.filter(organisation__in=found, scheme__in=SCHEMES).order_by("scheme", "value"):
        row.organisation = found[row.organisation_id]
        numbers[row.organisation_id].append(row)
    places = _places(found) if with_places else {}
    return {
        pk: _body(one, names.get(pk, []), numbers.get(pk, []), places.get(pk, frozenset())) for pk, one in found.items()
    }


def _places(bodies: dict[int, Organisation]) -> dict[int, frozenset[str]]:
    """Folded names and codes of the areas that each serves, of what these are in, and of its region."""
    found: dict[int, set[str]] = defaultdict(set)
    for pk, body in bodies.items():
        if body.region is not None:
            found[pk] |= {fold_name(body.region.name), fold_name(body.region.code)}
    areas = AreaServed.objects.filter(organisation__in=bodies).select_related("area__parent", "area__region")
    for served in areas:
        for area in (served.area, served.area.parent, served.area.region):
            if area is not None:
                found[served.organisation_id] |= {fold_name(area.name), fold_name(area.code)}
    return {pk: frozenset(one) for pk, one in found.items()}


def _body(
    organisation: Organisation, names: list[OrganisationName], numbers: list[Identifier], places: frozenset[str]
) -> Body:
    """The organisation as the pure matching takes it, with present and former names."""
    former = [name for name in names if name.kind == NameKind.FORMER]
    since = max((name.valid_to for name in former if name.valid_to is not None), default=None)
    official = Named(organisation.name, fold_name(organisation.name), since)
    return Body(
        pk=organisation.pk,
        name=organisation.name,
        short_name=organisation.short_name,
        types=types_of(
            organisation.kind,
            organisation.council_type,
            is_provider=any(number.scheme == Scheme.RSH for number in numbers),
        ),
        names=(official, *(_named(name) for name in names if name.name != official.text)),
        former=tuple(map(_named, former)),
        numbers=tuple(
            Numbered(
                scheme=number.scheme,
                value=number.value,
                begins=number.valid_from,
                ends=number.valid_to,
                org_id=number.org_id,
            )
            for number in numbers
        ),
        begins=organisation.valid_from,
        ends=organisation.valid_to,
        is_ended=organisation.is_ended,
        is_public=organisation.kind in _PUBLIC,
        places=places,
    )


def _named(name: OrganisationName) -> Named:
    return Named(name.name, name.folded, name.valid_from, name.valid_to)


def kept_ids(ids: Iterable[str]) -> dict[str, int]:
    """The body that each id names today.

    A record that was merged leads to the one that was kept.
    """
    asked = {text: int(found[1]) for text in ids if (found := ID.fullmatch(text))}
    merged = dict(Merge.objects.in_force().filter(merged__in=set(asked.values())).values_list("merged", "kept"))
    return {text: merged.get(pk, pk) for text, pk in asked.items()}


def lineage_of(ids: Collection[int], day: dt.date, *, before: bool = False) -> Lineage:
    """What these bodies became by a day and, if asked, what they followed."""
    after = successors_of_each(ids, day)
    preceded = predecessors_of_each(ids, day) if before else {}
    other_pks = {pk for found in (*after.values(), *preceded.values()) for pk in found}
    return Lineage(after, preceded, bodies_of(other_pks))


def suggested(text: str, skip: int) -> list[Body]:
    """Bodies whose name has every word that was typed, or with this number; by name."""
    found = find_publicly_listed(text).order_by("name", "pk")[skip : skip + SUGGESTED]
    bodies = bodies_of([organisation.pk for organisation in found])
    return [bodies[organisation.pk] for organisation in found]
