"""How well bodies fit a question, and when one of them is certain.

Pure: it knows names, numbers and days, and nothing of the database. docs/reconciliation.md explains the points.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache

from partnerships.kit.dates import covers
from partnerships.kit.names import COUNCIL_PHRASES, COUNCIL_WORDS, LEGAL_WORDS, core_name, fold_name, plain_number
from partnerships.reconciliation.questions import Condition, Period, Question

#: Words that names of one public body differ in: “Barnet” and “London Borough of Barnet” are one place.
_PUBLIC_WORDS = LEGAL_WORDS | COUNCIL_WORDS | {"combined", "mayoral", "strategic", "national", "park", "lep"}
_PUBLIC_PHRASES = (*COUNCIL_PHRASES, "local enterprise partnership")
#: Words that say that a public body is meant.
_SAYS_PUBLIC = COUNCIL_WORDS - {"city", "county", "district", "royal", "of"} | {"lep", "partnership"}

#: Points of a name that is the same, the same but for words such as “Ltd”, the same place, or alike; and of a name with
#: a note after it.
EXACT_POINTS, LEGAL_POINTS, PLACE_POINTS, ALIKE_POINTS, NOTE_POINTS = 100.0, 98.0, 90.0, 85.0, 72.0
#: Words of a text that can be a name with a note after it.
_MAX_WORDS = 16
#: Taken off a name that was not in use then, and off a former name if no date was asked for.
_NOT_IN_USE, _FORMER = 10.0, 3.0
#: Taken off a body that did not exist then, and off an ended one if no date was asked for.
_NOT_THERE, _ENDED = 25.0, 4.0
#: What is left of the points when a property contradicts.
_CONTRADICTED = 0.75
#: A number that fits carries at least this much; the name decides the rest.
_NUMBER_POINTS = 60.0
#: Below this, a name does not confirm a number.
_NAME_CONFIRMS = 50.0
#: Candidates with fewer points are left out.
FEWEST_POINTS = 30.0


class Level(IntEnum):
    """How a name was found."""

    NONE = 0
    ALIKE = 1
    PLACE = 2
    SAME = 3


@dataclass(frozen=True, slots=True)
class Named:
    """A name and its half-open time; None is open."""

    text: str
    folded: str
    begins: dt.date | None = None
    ends: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Numbered:
    """A number of a scheme and its half-open time."""

    scheme: str
    value: str
    begins: dt.date | None = None
    ends: dt.date | None = None
    org_id: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """What is public about a body.

    `names` are all of them, the present official one first; `former` are its former official ones by the day on which
    they ended. `places` are folded names and codes. With `is_public`, its place alone finds it.
    """

    pk: int
    name: str
    types: tuple[str, ...]
    names: tuple[Named, ...]
    numbers: tuple[Numbered, ...] = ()
    begins: dt.date | None = None
    ends: dt.date | None = None
    is_ended: bool = False
    is_public: bool = False
    places: frozenset[str] = frozenset()
    short_name: str = ""
    former: tuple[Named, ...] = ()

    @property
    def id(self) -> str:
        """Its id in this service, which no register's number looks like."""
        return f"o{self.pk}"

    def named_on(self, day: dt.date) -> str:
        """Its official name on a day."""
        then = (name for name in self.former if name.ends is not None and covers(name.begins, name.ends, day))
        return next((name.text for name in then), self.name)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A candidate: its points (0 to 100), whether it is certain, and what spoke for and against it."""

    body: Body
    points: float
    level: Level
    in_use: bool
    there: bool
    number: bool
    agreed: Mapping[str, bool] = field(default_factory=dict)
    match: bool = False

    @property
    def is_contradicted(self) -> bool:
        """Whether a property of the question has another value."""
        return False in self.agreed.values()


@lru_cache(maxsize=50_000)
def _bare(folded: str) -> str:
    return core_name(folded, words=LEGAL_WORDS, phrases=())


@lru_cache(maxsize=50_000)
def place_in(folded: str) -> str:
    """The place in the name of a public body."""
    return core_name(folded, words=_PUBLIC_WORDS, phrases=_PUBLIC_PHRASES)


def judge(question: Question, bodies: Iterable[Body], likeness: Mapping[int, float]) -> list[Verdict]:
    """The candidates, the best first, and whether the first one is certain.

    `likeness` is how similar a body's best name is to the text, from 0 to 1.
    """
    verdicts = [_verdict(question, body, likeness.get(body.pk, 0.0)) for body in bodies if _is_wanted(question, body)]
    kept = [verdict for verdict in verdicts if verdict is not None]
    kept.sort(
        key=lambda verdict: (
            -verdict.points,
            not verdict.there,
            verdict.body.is_ended,
            verdict.body.name,
            verdict.body.pk,
        )
    )
    if not kept or not _is_certain(question, kept[0], kept[1:]):
        return kept
    first = kept[0]
    certain = Verdict(
        body=first.body,
        points=first.points,
        level=first.level,
        in_use=first.in_use,
        there=first.there,
        number=first.number,
        agreed=first.agreed,
        match=True,
    )
    return [certain, *kept[1:]]


def _is_wanted(question: Question, body: Body) -> bool:
    return not question.types or bool(question.types & set(body.types))


def _verdict(question: Question, body: Body, alike: float) -> Verdict | None:
    """The candidate; None if it is too unlike, or lacks what is required."""
    by_id = body.id in (*question.ids, question.text)
    level, points, in_use = _named(question, body, alike)
    agreed: dict[str, bool] = {}
    number = False
    for condition in question.conditions:
        fits = _fits(condition, body, question.period)
        if condition.required and fits is not True:
            return None
        if fits is not None:
            agreed[condition.property] = fits and agreed.get(condition.property, True)
            number = number or (fits and condition.property not in ("kind", "area") and condition.quantifier != "none")
    if number:
        points = 100.0 if not question.text else max(points, _NUMBER_POINTS + points * (1 - _NUMBER_POINTS / 100))
    if question.text and _has_number(body, question.text):
        number, points, in_use = True, 100.0, True
    if by_id:
        points, in_use = 100.0, True
    points *= _CONTRADICTED ** list(agreed.values()).count(False)
    there = question.period is None or question.period.meets(body.begins, body.ends)
    if not there:
        points -= _NOT_THERE
    elif question.period is None and body.is_ended and not by_id:
        points -= _ENDED
    if points < FEWEST_POINTS:
        return None
    return Verdict(
        body=body,
        points=round(min(points, 100.0), 1),
        level=level,
        in_use=in_use,
        there=there,
        number=number or by_id,
        agreed=agreed,
    )


def _named(question: Question, body: Body, alike: float) -> tuple[Level, float, bool]:
    """How the text is one of the body's names, the points, and whether that name was in use then."""
    if not question.text:
        return Level.NONE, 0.0, True
    folded = fold_name(question.text)
    best = (Level.ALIKE if alike else Level.NONE, ALIKE_POINTS * alike, True)
    for name in body.names:
        if name.folded == folded:
            level, points = Level.SAME, EXACT_POINTS
        elif _bare(name.folded) == _bare(folded):
            level, points = Level.SAME, LEGAL_POINTS
        elif body.is_public and place_in(name.folded) == place_in(folded):
            level, points = Level.PLACE, PLACE_POINTS
        elif begun := _begun_with(name.folded, folded, is_public=body.is_public):
            level, points = Level.ALIKE, NOTE_POINTS * (0.9 + 0.1 * begun)
        else:
            continue
        in_use = question.period is None or question.period.meets(name.begins, name.ends)
        if not in_use:
            points -= _NOT_IN_USE
        elif question.period is None and name.ends is not None:
            points -= _FORMER
        if points > best[1]:
            best = (level, points, in_use)
    return best


def beginnings(text: str) -> list[str]:
    """The text's first words, at least two: lists add notes such as “(review)” to a name."""
    words = text.split()
    return [" ".join(words[:count]) for count in range(2, min(len(words), _MAX_WORDS))]


def place_begun(part: str) -> str:
    """The place in a beginning that says what body it is, such as “croydon london borough of”; else empty."""
    return place_in(part) if _SAYS_PUBLIC & set(part.split()) else ""


def _begun_with(name: str, folded: str, *, is_public: bool) -> float:
    """How much of the text is a name that a note follows, from 0 to 1."""
    if folded.startswith(f"{name} ") and " " in name:
        return len(name) / len(folded)
    if not is_public:
        return 0.0
    same = (part for part in beginnings(folded) if place_begun(part) == place_in(name))
    return max((len(part) / len(folded) for part in same), default=0.0)


def _fits(condition: Condition, body: Body, period: Period | None) -> bool | None:
    """Whether the body has the property's value. None if that is not known of it."""
    held = _held(condition.property, body, period)
    if not held:
        return None
    same = [_comparable(condition.property, value) in held for value in condition.values]
    if condition.quantifier == "none":
        return not any(same)
    return all(same) if condition.quantifier == "all" else any(same)


def _held(wanted: str, body: Body, period: Period | None) -> set[str]:
    """The values of a property that a body has, to compare with `_comparable`."""
    if wanted == "kind":
        return {*body.types, "organisation"}
    if wanted == "area":
        return set(body.places)
    if wanted == "org-id":
        return {number.org_id.upper() for number in body.numbers if number.org_id}
    return {plain_number(number.value) for number in body.numbers if number.scheme == wanted}


def _comparable(wanted: str, value: str) -> str:
    if wanted == "area":
        return fold_name(value)
    if wanted == "org-id":
        return value.strip().upper()
    return value if wanted == "kind" else plain_number(value.rpartition(":")[2])


def _has_number(body: Body, text: str) -> bool:
    """Whether the text is one of its numbers."""
    plain = plain_number(text)
    return bool(plain) and any(
        plain in (plain_number(number.value), plain_number(number.org_id)) for number in body.numbers
    )


def _is_certain(question: Question, first: Verdict, other_verdicts: list[Verdict]) -> bool:
    """Whether the first candidate may be taken without a person looking.

    Its name was in use then, or its number fits, nothing contradicts it, and no other body has as good a claim.
    """
    if question.unclear or first.is_contradicted or not first.there or not first.in_use:
        return False
    if first.number:
        named = not question.text or first.points >= _NUMBER_POINTS + _NAME_CONFIRMS * (1 - _NUMBER_POINTS / 100)
        return named and not any(verdict.number for verdict in other_verdicts)
    if first.level < Level.PLACE or (first.level == Level.PLACE and not _means_public(question)):
        return False
    folded = fold_name(question.text)
    # “Buckinghamshire” is the short name of one council, and the place of another.
    is_bare = place_in(folded) == folded
    rivals = [verdict for verdict in other_verdicts if verdict.level >= (Level.PLACE if is_bare else first.level)]
    # A body of another time counts too where only the place is the same, or the name is no more than a place.
    return not any(
        verdict.there or first.level == Level.PLACE or (is_bare and verdict.level == Level.SAME)
        for verdict in rivals
        if not verdict.is_contradicted
    )


def _means_public(question: Question) -> bool:
    """Whether the question says that it is about a council or the like, by its type or its words."""
    return bool(question.types) or bool(_SAYS_PUBLIC & set(fold_name(question.text).split()))
