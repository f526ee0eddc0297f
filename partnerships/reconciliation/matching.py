"""Score how well bodies fit a question, and decide when a match is certain.

Pure functions of names, numbers and dates, without the database. docs/reconciliation.md explains the points.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import lru_cache

from partnerships.kit.dates import covers
from partnerships.kit.names import COUNCIL_PHRASES, COUNCIL_WORDS, LEGAL_WORDS, core_name, fold_name, plain_number
from partnerships.reconciliation.questions import Condition, Question

#: Words that are ignored when the places in names of public bodies are compared. For example, “Barnet” means “London
#: Borough of Barnet”.
_PUBLIC_WORDS = LEGAL_WORDS | COUNCIL_WORDS | {"combined", "mayoral", "strategic", "national", "park", "lep"}
_PUBLIC_PHRASES = (*COUNCIL_PHRASES, "local enterprise partnership")
#: Words which show that a text is the name of a public body.
_SAYS_PUBLIC = COUNCIL_WORDS - {"city", "county", "district", "royal", "of"} | {"lep", "partnership"}

#: Points for the same name.
EXACT_POINTS = 100.0
#: Points for a name that differs only by a legal suffix, such as “Limited”.
LEGAL_POINTS = 98.0
#: Points for the name of a public body with the same place.
PLACE_POINTS = 90.0
#: Points for a name with a similar spelling. They are multiplied by the similarity.
ALIKE_POINTS = 85.0
#: Points for a text that begins with the name and continues with a note.
NOTE_POINTS = 72.0
#: The largest number of words in a name that is found at the beginning of a text.
_MAX_WORDS = 16
#: Points subtracted for a name that was not in use at the date of the question.
_NOT_IN_USE = 10.0
#: Points subtracted for a former name, if the question has no date.
_FORMER = 3.0
#: Points subtracted from a body that did not exist at the date of the question.
_DID_NOT_EXIST = 25.0
#: Points subtracted from a body that has ended, if the question has no date.
_ENDED = 4.0
#: The points are multiplied by this factor for each property of the question that the body contradicts.
_CONTRADICTED = 0.75
#: A number that fits gives at least these points. The name gives the remaining points.
_NUMBER_POINTS = 60.0
#: A name needs at least these points to confirm a number.
_NAME_CONFIRMS = 50.0
#: Candidates with fewer points are not returned.
MIN_POINTS = 30.0


class Level(IntEnum):
    """How closely a name matches the text, from worst to best."""

    NONE = 0
    ALIKE = 1
    PLACE = 2
    SAME = 3


@dataclass(frozen=True, slots=True)
class DatedName:
    """A name, and the period in which it was in use, from `begins` to the day before `ends`.

    If one of the two dates is None, the period is open at that end.
    """

    text: str
    folded: str
    begins: dt.date | None = None
    ends: dt.date | None = None


@dataclass(frozen=True, slots=True)
class DatedNumber:
    """A number in a scheme, and the period in which it was valid, from `begins` to the day before `ends`.

    If one of the two dates is None, the period is open at that end.
    """

    scheme: str
    value: str
    begins: dt.date | None = None
    ends: dt.date | None = None
    org_id: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """The public facts about a body."""

    pk: int
    name: str
    types: tuple[str, ...]
    #: All names of the body, with the present official name first.
    names: tuple[DatedName, ...]
    numbers: tuple[DatedNumber, ...] = ()
    begins: dt.date | None = None
    ends: dt.date | None = None
    is_ended: bool = False
    #: True if the place in its name is enough to find the body.
    is_public: bool = False
    #: The folded names and codes of the areas that the body serves.
    places: frozenset[str] = frozenset()
    short_name: str = ""
    #: The former official names of the body, in the order in which they ended.
    former_names: tuple[DatedName, ...] = ()

    @property
    def id(self) -> str:
        """Return the body's id in this service. No register has numbers of this form."""
        return f"o{self.pk}"

    def named_on(self, day: dt.date) -> str:
        """Return the body's official name on a day."""
        for name in self.former_names:
            if name.ends is not None and covers(name.begins, name.ends, day):
                return name.text
        return self.name


@dataclass(frozen=True, slots=True)
class Verdict:
    """A body as a candidate for a question, with how well it fits and why."""

    body: Body
    #: The points, from 0 to 100.
    points: float
    level: Level
    #: True if the name was in use at the date of the question.
    is_name_in_use: bool
    #: True if the body existed at that date.
    existed: bool
    #: True if a number or an id in the question belongs to the body.
    has_number: bool
    #: For each property of the question whose value is known, whether the body fits it.
    fits_by_property: Mapping[str, bool] = field(default_factory=dict)
    #: True if the match is certain, so that nobody has to check it.
    is_match: bool = False

    @property
    def is_contradicted(self) -> bool:
        """Return True if the body has another value of a property in the question."""
        return False in self.fits_by_property.values()


@dataclass(frozen=True, slots=True)
class _NameMatch:
    """How closely one name of a body matches the text, and whether it was in use at the date of the question."""

    level: Level
    points: float
    is_in_use: bool = True


@dataclass(frozen=True, slots=True)
class _ConditionResult:
    """How a body meets the conditions of a question."""

    #: For each property whose value is known, whether the body meets all conditions about it.
    fits_by_property: Mapping[str, bool]
    #: True if a number in the conditions belongs to the body.
    has_number: bool


@lru_cache(maxsize=50_000)
def _without_legal_words(folded: str) -> str:
    """Return a folded name without its legal suffix, such as “larkhaven homes” for “larkhaven homes limited”."""
    return core_name(folded, words=LEGAL_WORDS, phrases=())


@lru_cache(maxsize=50_000)
def place_in_name(folded: str) -> str:
    """Return the place in the name of a public body."""
    return core_name(folded, words=_PUBLIC_WORDS, phrases=_PUBLIC_PHRASES)


def rank_candidates(question: Question, bodies: Iterable[Body], similarity_by_pk: Mapping[int, float]) -> list[Verdict]:
    """Return the bodies that fit a question, the best first. The first body is marked if it is a certain match.

    `similarity_by_pk` contains, for each body, how similar its best name is to the text, from 0 to 1.
    """
    verdicts = []
    for body in bodies:
        if question.types and not question.types & set(body.types):
            continue
        verdict = _verdict(question, body, similarity_by_pk.get(body.pk, 0.0))
        if verdict is not None:
            verdicts.append(verdict)
    verdicts.sort(
        key=lambda verdict: (
            -verdict.points,
            not verdict.existed,
            verdict.body.is_ended,
            verdict.body.name,
            verdict.body.pk,
        )
    )
    if verdicts and _is_certain(question, verdicts[0], verdicts[1:]):
        verdicts[0] = replace(verdicts[0], is_match=True)
    return verdicts


def _verdict(question: Question, body: Body, similarity: float) -> Verdict | None:
    """Return the verdict on one body, or None if it has too few points or does not meet a required condition."""
    result = _check_conditions(question.conditions, body)
    if result is None:
        return None
    name_match = _best_name_match(question, body, similarity)
    has_id = body.id in (*question.ids, question.text)
    is_identified = has_id or _has_number(body, question.text)

    points = 100.0 if is_identified else _points_of_name(question, name_match.points, has_number=result.has_number)
    contradiction_count = list(result.fits_by_property.values()).count(False)
    points *= _CONTRADICTED**contradiction_count
    existed = question.period is None or question.period.meets(body.begins, body.ends)
    if not existed:
        points -= _DID_NOT_EXIST
    elif question.period is None and body.is_ended and not has_id:
        points -= _ENDED
    if points < MIN_POINTS:
        return None

    return Verdict(
        body=body,
        points=round(min(points, 100.0), 1),
        level=name_match.level,
        is_name_in_use=name_match.is_in_use or is_identified,
        existed=existed,
        has_number=result.has_number or is_identified,
        fits_by_property=result.fits_by_property,
    )


def _check_conditions(conditions: Iterable[Condition], body: Body) -> _ConditionResult | None:
    """Return how a body meets the conditions of a question, or None if it does not meet a required condition."""
    fits_by_property: dict[str, bool] = {}
    has_number = False
    for condition in conditions:
        fits = _meets_condition(condition, body)
        if condition.required and not fits:
            return None
        if fits is not None:
            fits_by_property[condition.property] = fits and fits_by_property.get(condition.property, True)
            is_about_number = condition.property not in ("kind", "area") and condition.quantifier != "none"
            has_number = has_number or (fits and is_about_number)
    return _ConditionResult(fits_by_property, has_number)


def _points_of_name(question: Question, name_points: float, *, has_number: bool) -> float:
    """Return the points for the best name, and for a number in the conditions if it belongs to the body."""
    if not has_number:
        return name_points
    return _points_with_number(name_points) if question.text else 100.0


def _points_with_number(name_points: float) -> float:
    """Return the points if a number fits, from 60 without a similar name to 100 with the same name."""
    return _NUMBER_POINTS + name_points * (1 - _NUMBER_POINTS / 100)


def _best_name_match(question: Question, body: Body, similarity: float) -> _NameMatch:
    """Return the match of the text with the body's name that receives the most points."""
    if not question.text:
        return _NameMatch(Level.NONE, 0.0)
    folded_text = fold_name(question.text)
    best = _NameMatch(Level.ALIKE if similarity else Level.NONE, ALIKE_POINTS * similarity)
    for name in body.names:
        match = _match_with_name(folded_text, name, is_public=body.is_public)
        if match is None:
            continue
        if question.period is not None and not question.period.meets(name.begins, name.ends):
            match = replace(match, points=match.points - _NOT_IN_USE, is_in_use=False)
        elif question.period is None and name.ends is not None:
            match = replace(match, points=match.points - _FORMER)
        if match.points > best.points:
            best = match
    return best


def _match_with_name(folded_text: str, name: DatedName, *, is_public: bool) -> _NameMatch | None:
    """Return how well the text matches one name, whatever the date. Returns None if they have nothing in common."""
    if name.folded == folded_text:
        return _NameMatch(Level.SAME, EXACT_POINTS)
    if _without_legal_words(name.folded) == _without_legal_words(folded_text):
        return _NameMatch(Level.SAME, LEGAL_POINTS)
    if is_public and place_in_name(name.folded) == place_in_name(folded_text):
        return _NameMatch(Level.PLACE, PLACE_POINTS)
    share = _share_of_leading_name(folded_text, name.folded, is_public=is_public)
    if share > 0:
        return _NameMatch(Level.ALIKE, NOTE_POINTS * (0.9 + 0.1 * share))
    return None


def leading_words(text: str) -> list[str]:
    """Return the beginnings of a text, from two words on, without the whole text.

    Each beginning may be a name, because lists add notes such as “(review)” to names.
    """
    words = text.split()
    return [" ".join(words[:count]) for count in range(2, min(len(words), _MAX_WORDS))]


def place_of_public_body(leading: str) -> str:
    """Return the place in the beginning of a text if it names a public body, or else "".

    For example, “croydon london borough of” has the place “croydon”.
    """
    return place_in_name(leading) if _SAYS_PUBLIC & set(leading.split()) else ""


def _share_of_leading_name(folded_text: str, name: str, *, is_public: bool) -> float:
    """Return the share of the text that is the name, from 0 to 1, if the text is the name and a note.

    Returns 0 if the text does not begin with the name.
    """
    if folded_text.startswith(f"{name} ") and " " in name:
        return len(name) / len(folded_text)
    if not is_public:
        return 0.0
    place = place_in_name(name)
    matching_beginnings = (leading for leading in leading_words(folded_text) if place_of_public_body(leading) == place)
    return max((len(leading) / len(folded_text) for leading in matching_beginnings), default=0.0)


def _meets_condition(condition: Condition, body: Body) -> bool | None:
    """Return whether the body has the values of a condition, or None if the body's values are unknown."""
    body_values = _comparable_values(condition.property, body)
    if not body_values:
        return None
    matches = [_comparable(condition.property, value) in body_values for value in condition.values]
    if condition.quantifier == "none":
        return not any(matches)
    return all(matches) if condition.quantifier == "all" else any(matches)


def _comparable_values(property_id: str, body: Body) -> set[str]:
    """Return the body's values of a property, without differences of spelling."""
    if property_id == "kind":
        return {*body.types, "organisation"}
    if property_id == "area":
        return set(body.places)
    if property_id == "org-id":
        return {number.org_id.upper() for number in body.numbers if number.org_id}
    return {plain_number(number.value) for number in body.numbers if number.scheme == property_id}


def _comparable(property_id: str, value: str) -> str:
    """Return a value from the question without differences of spelling."""
    if property_id == "kind":
        return value
    if property_id == "area":
        return fold_name(value)
    if property_id == "org-id":
        return value.strip().upper()
    return plain_number(value.rpartition(":")[2])


def _has_number(body: Body, text: str) -> bool:
    """Return True if the text is one of the body's numbers."""
    plain = plain_number(text)
    return bool(plain) and any(
        plain in (plain_number(number.value), plain_number(number.org_id)) for number in body.numbers
    )


def _is_certain(question: Question, best: Verdict, other_verdicts: list[Verdict]) -> bool:
    """Return True if the best candidate can be accepted without a check by a person.

    Its name was in use or its number fits, nothing contradicts it, and no other body fits equally well.
    """
    if question.is_unclear or best.is_contradicted or not best.existed or not best.is_name_in_use:
        return False
    if best.has_number:
        is_confirmed = not question.text or best.points >= _points_with_number(_NAME_CONFIRMS)
        return is_confirmed and not any(verdict.has_number for verdict in other_verdicts)
    if best.level < Level.PLACE or (best.level == Level.PLACE and not _means_public_body(question)):
        return False
    folded_text = fold_name(question.text)
    # “Buckinghamshire” is the short name of one council, and the place of another.
    is_only_place = place_in_name(folded_text) == folded_text
    min_level = Level.PLACE if is_only_place else best.level
    rivals = [verdict for verdict in other_verdicts if verdict.level >= min_level and not verdict.is_contradicted]
    # A body of another time is also a rival if only the place is the same, or if the text is only a place.
    return not any(
        rival.existed or best.level == Level.PLACE or (is_only_place and rival.level == Level.SAME) for rival in rivals
    )


def _means_public_body(question: Question) -> bool:
    """Return True if the question's types or words show that it is about a council or another public body."""
    return bool(question.types) or bool(_SAYS_PUBLIC & set(fold_name(question.text).split()))
