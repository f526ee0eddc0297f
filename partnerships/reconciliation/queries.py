"""Find candidates for a batch of questions, with a fixed number of SQL queries for a batch of any size."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from partnerships.kit.database import rows_of, subquery
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
    parse_org_id,
)
from partnerships.organisations.queries import find_publicly_listed, publicly_listed
from partnerships.reconciliation.matching import (
    Body,
    DatedName,
    DatedNumber,
    Verdict,
    leading_words,
    place_in_name,
    place_of_public_body,
    rank_candidates,
)
from partnerships.reconciliation.questions import Question
from partnerships.reconciliation.vocabulary import AREA, SCHEMES, types_of

#: The kinds of body for which the place in the name is enough to find the body.
_PUBLIC_KINDS = frozenset(
    {Kind.COUNCIL, Kind.STRATEGIC_AUTHORITY, Kind.NATIONAL_PARK, Kind.DEVELOPMENT_CORPORATION, Kind.LEP}
)
#: The id of a body is “o” and the primary key of its organisation, such as “o12”.
ID = re.compile(r"o(\d{1,18})", re.ASCII)
#: The largest number of similar names for each question.
_MAX_NAMES = 40
#: The usual forms of a council's name.
_COUNCIL_NAME_FORMS = (
    "london borough of {}",
    "{} district council",
    "{} borough council",
    "{} city council",
    "{} council",
)
#: The largest number of suggestions in one response.
SUGGESTED = 20

#: Selects organisations with a name similar to the text of each question, or with a name at the beginning of the text.
#: The similarity of the latter is 0, because `matching` computes their points from the text.
_SIMILAR_NAMES = """
WITH listed (organisation_id) AS MATERIALIZED ({listed}),

question AS (
    SELECT *
      FROM unnest(%(question_indexes)s::int[], %(texts)s::text[], %(places)s::text[])
        AS question (question_index, folded, place)
),

leading_name AS (
    SELECT *
      FROM unnest(%(leading_indexes)s::int[], %(leading_names)s::text[])
        AS leading_name (question_index, folded)
)

SELECT question.question_index, similar_name.organisation_id, similar_name.similarity
  FROM question
 CROSS JOIN LATERAL (
    SELECT name.organisation_id,
           max(greatest(similarity(name.folded, question.folded), similarity(name.folded, question.place)))
             AS similarity
      FROM organisations_organisationname name
     -- `name %%> place`: some words of the name are similar to the place. Uses the trigram index.
     WHERE (name.folded = question.folded OR name.folded %%> question.place)
       AND name.organisation_id IN (SELECT listed.organisation_id FROM listed)
     GROUP BY name.organisation_id
     ORDER BY similarity DESC, name.organisation_id
     LIMIT %(max_names)s
 ) similar_name

 UNION ALL

SELECT leading_name.question_index, name.organisation_id, 0
  FROM leading_name
  JOIN organisations_organisationname name ON name.folded = leading_name.folded
 WHERE name.organisation_id IN (SELECT listed.organisation_id FROM listed)
"""


@dataclass(frozen=True, slots=True)
class Lineage:
    """The successors and predecessors of bodies."""

    #: Ids of successors and of predecessors, by the id of a body.
    after: dict[int, list[int]]
    before: dict[int, list[int]]
    #: The successors and predecessors by their ids.
    bodies: dict[int, Body]


def find_candidates(questions: Collection[Question]) -> list[list[Verdict]]:
    """Return the candidates of each question, the best first, at most as many as the question's limit."""
    question_list = list(questions)
    similarities_by_question = _similarities(question_list)
    ids_by_number = _ids_by_number(question_list)
    candidate_ids_by_question: list[set[int]] = []
    has_area = False
    for index, question in enumerate(question_list):
        ids_by_name = similarities_by_question.get(index, {}).keys()
        ids_by_id = _organisation_ids((*question.ids, question.text))
        candidate_ids_by_question.append({*ids_by_name, *ids_by_number.get(index, ()), *ids_by_id})
        has_area = has_area or any(condition.property == AREA for condition in question.conditions)
    # All bodies are fetched at once, so that the number of SQL queries does not depend on the size of the batch.
    bodies = bodies_by_id(set[int]().union(*candidate_ids_by_question), with_places=has_area)

    results = []
    for index, question in enumerate(question_list):
        candidates = [bodies[pk] for pk in candidate_ids_by_question[index] if pk in bodies]
        verdicts = rank_candidates(question, candidates, similarities_by_question.get(index, {}))
        results.append(verdicts[: question.limit])
    return results


def _organisation_ids(texts: Iterable[str]) -> set[int]:
    """Return the primary keys in ids such as `o12`. Texts of another form are ignored."""
    matches = [ID.fullmatch(text) for text in texts]
    return {int(match[1]) for match in matches if match}


def _similarities(questions: list[Question]) -> dict[int, dict[int, float]]:
    """Return how similar organisations' names are to the text of each question, from 0 to 1.

    The result is indexed by the question's index and then by the organisation's id.
    """
    folded_texts = {index: fold_name(question.text)[:300] for index, question in enumerate(questions)}
    text_by_index = {index: text for index, text in folded_texts.items() if text}
    if not text_by_index:
        return {}

    leading_names = [(index, name) for index, text in text_by_index.items() for name in _possible_leading_names(text)]
    listed_sql, listed_values = subquery(
        "listed", publicly_listed().values("pk"), empty="SELECT NULL::bigint WHERE false"
    )
    rows = rows_of(
        _SIMILAR_NAMES.format(listed=listed_sql),
        {
            **listed_values,
            "question_indexes": list(text_by_index),
            "texts": list(text_by_index.values()),
            "places": [place_in_name(text) for text in text_by_index.values()],
            "leading_indexes": [index for index, _ in leading_names],
            "leading_names": [name for _, name in leading_names],
            "max_names": _MAX_NAMES,
        },
    )

    similarities: dict[int, dict[int, float]] = defaultdict(dict)
    for index, pk, similarity in rows:
        similarities[index][pk] = max(similarity, similarities[index].get(pk, 0.0))
    return similarities


def _possible_leading_names(text: str) -> set[str]:
    """Return the names that may be at the beginning of the text, if it is a name followed by a note.

    They include the usual forms of a council's name. For example, “Croydon, London Borough of” may mean “London Borough
    of Croydon”.
    """
    leading_names = set(leading_words(text))
    possible_names = set(leading_names)
    for name in leading_names:
        place = place_of_public_body(name)
        if place:
            possible_names.update(form.format(place) for form in _COUNCIL_NAME_FORMS)
    return possible_names


@dataclass(frozen=True, slots=True)
class _QuestionNumber:
    """A number in a question, without spaces and leading zeros. The scheme is "" if it is unknown."""

    question_index: int
    scheme: str
    number: str


def _ids_by_number(questions: list[Question]) -> dict[int, set[int]]:
    """Return the ids of organisations with a number in the question, by the index of the question."""
    question_numbers = _question_numbers(questions)
    spellings = {spelling for question_number in question_numbers for spelling in _spellings(question_number.number)}
    if not spellings:
        return {}
    identifiers = Identifier.objects.filter(scheme__in=SCHEMES, value__in=spellings)
    holder_ids: dict[tuple[str, str], set[int]] = defaultdict(set)
    for pk, scheme, value in identifiers.values_list("organisation", "scheme", "value"):
        holder_ids[scheme, plain_number(value)].add(pk)
        # The empty scheme is for questions that do not name a scheme.
        holder_ids["", plain_number(value)].add(pk)

    ids_by_question: dict[int, set[int]] = defaultdict(set)
    for question_number in question_numbers:
        ids = holder_ids.get((question_number.scheme, question_number.number), set())
        ids_by_question[question_number.question_index] |= ids
    return ids_by_question


def _question_numbers(questions: list[Question]) -> list[_QuestionNumber]:
    """Return the numbers in the properties and in the texts of the questions. Any text may be a number."""
    question_numbers = []
    for index, question in enumerate(questions):
        values = [(condition.property, value) for condition in question.conditions for value in condition.values]
        for property_id, value in [*values, ("", question.text)]:
            scheme, number = parse_org_id(value)
            if scheme:
                question_numbers.append(_QuestionNumber(index, scheme, plain_number(number)))
            elif property_id in SCHEMES or not property_id:
                question_numbers.append(_QuestionNumber(index, property_id, plain_number(value.rpartition(":")[2])))
    return question_numbers


def _spellings(number: str) -> set[str]:
    """Return the spellings of a number in registers, such as `4655`, `04655` and `004655`, and in lower case."""
    if not number or len(number) > 20:
        return set()
    with_zeros = {number.zfill(length) for length in (4, 5, 6, 7, 8) if length > len(number)}
    return {number, number.lower(), *with_zeros}


def bodies_by_id(ids: Iterable[int], *, with_places: bool = False) -> dict[int, Body]:
    """Return the publicly listed bodies with these ids, in three queries, and one more query for places."""
    listed_organisations = publicly_listed().filter(pk__in=set(ids)).select_related("region")
    organisations = {organisation.pk: organisation for organisation in listed_organisations}
    if not organisations:
        return {}

    names_by_pk: dict[int, list[OrganisationName]] = defaultdict(list)
    for name in OrganisationName.objects.filter(organisation__in=organisations).order_by("valid_to", "pk"):
        names_by_pk[name.organisation_id].append(name)

    identifiers_by_pk: dict[int, list[Identifier]] = defaultdict(list)
    identifiers = Identifier.objects.filter(organisation__in=organisations, scheme__in=SCHEMES)
    for identifier in identifiers.order_by("scheme", "value"):
        identifier.organisation = organisations[identifier.organisation_id]
        identifiers_by_pk[identifier.organisation_id].append(identifier)

    places_by_pk = _places(organisations) if with_places else {}
    return {
        pk: _body(
            organisation,
            names=names_by_pk.get(pk, []),
            identifiers=identifiers_by_pk.get(pk, []),
            places=places_by_pk.get(pk, frozenset()),
        )
        for pk, organisation in organisations.items()
    }


def _places(organisations: dict[int, Organisation]) -> dict[int, frozenset[str]]:
    """Return the folded names and codes of each organisation's areas, with their parents and regions."""
    places_by_pk: dict[int, set[str]] = defaultdict(set)
    for pk, organisation in organisations.items():
        if organisation.region is not None:
            places_by_pk[pk] |= {fold_name(organisation.region.name), fold_name(organisation.region.code)}
    areas_served = AreaServed.objects.filter(organisation__in=organisations)
    for served in areas_served.select_related("area__parent", "area__region"):
        for area in (served.area, served.area.parent, served.area.region):
            if area is not None:
                places_by_pk[served.organisation_id] |= {fold_name(area.name), fold_name(area.code)}
    return {pk: frozenset(places) for pk, places in places_by_pk.items()}


def _body(
    organisation: Organisation,
    *,
    names: list[OrganisationName],
    identifiers: list[Identifier],
    places: frozenset[str],
) -> Body:
    """Return the facts about an organisation that decide how well it matches a question."""
    former_names = [name for name in names if name.kind == NameKind.FORMER]
    # The present name came into use when the last former name ended.
    in_use_since = max((name.valid_to for name in former_names if name.valid_to is not None), default=None)
    official_name = DatedName(organisation.name, fold_name(organisation.name), begins=in_use_since)
    other_names = [_dated_name(name) for name in names if name.name != official_name.text]

    return Body(
        pk=organisation.pk,
        name=organisation.name,
        short_name=organisation.short_name,
        types=types_of(
            organisation.kind,
            organisation.council_type,
            is_provider=any(identifier.scheme == Scheme.RSH for identifier in identifiers),
        ),
        names=(official_name, *other_names),
        former_names=tuple(_dated_name(name) for name in former_names),
        numbers=tuple(
            DatedNumber(
                scheme=identifier.scheme,
                value=identifier.value,
                begins=identifier.valid_from,
                ends=identifier.valid_to,
                org_id=identifier.org_id,
            )
            for identifier in identifiers
        ),
        begins=organisation.valid_from,
        ends=organisation.valid_to,
        is_ended=organisation.is_ended,
        is_public=organisation.kind in _PUBLIC_KINDS,
        places=places,
    )


def _dated_name(name: OrganisationName) -> DatedName:
    """Return the name with the period in which it was in use."""
    return DatedName(text=name.name, folded=name.folded, begins=name.valid_from, ends=name.valid_to)


def current_pks(ids: Iterable[str]) -> dict[str, int]:
    """Return the primary key of the organisation of each id, by the id. Invalid ids are left out.

    If the record was merged into another record, the key is that of the other record.
    """
    pk_by_id: dict[str, int] = {}
    for text in ids:
        match = ID.fullmatch(text)
        if match:
            pk_by_id[text] = int(match[1])
    merges = Merge.objects.in_force().filter(merged__in=set(pk_by_id.values()))
    kept_pk_by_merged_pk = dict(merges.values_list("merged", "kept"))
    return {text: kept_pk_by_merged_pk.get(pk, pk) for text, pk in pk_by_id.items()}


def lineage_of(ids: Collection[int], day: dt.date, *, with_predecessors: bool = False) -> Lineage:
    """Return the successors of these bodies (ids) by a day, and their predecessors if `with_predecessors` is True."""
    successors_by_body = successors_of_each(ids, day)
    predecessors_by_body = predecessors_of_each(ids, day) if with_predecessors else {}
    other_ids = {pk for pks in (*successors_by_body.values(), *predecessors_by_body.values()) for pk in pks}
    return Lineage(after=successors_by_body, before=predecessors_by_body, bodies=bodies_by_id(other_ids))


def suggested_bodies(text: str, skip: int) -> list[Body]:
    """Return the bodies that have the typed text in their name or as their number, sorted by name."""
    organisations = find_publicly_listed(text).order_by("name", "pk")[skip : skip + SUGGESTED]
    bodies = bodies_by_id([organisation.pk for organisation in organisations])
    return [bodies[organisation.pk] for organisation in organisations]
