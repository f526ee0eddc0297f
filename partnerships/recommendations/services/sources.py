"""Record reports and their recommendations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from partnerships.activity.services import record_all
from partnerships.activity.values import apply_changes
from partnerships.exchange.models import Theme
from partnerships.kit.rights import require
from partnerships.organisations.models import Kind, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.recommendations.event_kinds import EventKind
from partnerships.recommendations.models import Addressee, Confidence, Recommendation, Source
from partnerships.recommendations.services.recording import recommendation_event, source_event

#: Recommendations of one report that can be recorded.
MAX_RECOMMENDATIONS = 500
_ANOTHERS = "{title} was recorded by another organisation, or came with Common Ground. You cannot change it."


class UnableToRecord(Exception):
    """The report or the recommendation is incomplete, or another organisation recorded the report."""


@dataclass(frozen=True, slots=True)
class SourceGiven:
    """A report as somebody records it."""

    title: str
    year: int
    publisher: str = ""
    total: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class RecommendationGiven:
    """A recommendation as somebody records it.

    `kinds` are codes of kinds of organisation. Themes that are not given stay as they were.
    """

    text: str
    confidence: str
    reference: str = ""
    themes: Sequence[str] | None = None
    kinds: Collection[str] = ()
    organisations: Collection[int] = field(default_factory=tuple)


@transaction.atomic
def record_source(
    *, given: SourceGiven, organisation: Organisation | None, author: User | None, now: dt.datetime
) -> Source:
    """The report with this title and year, recorded or changed for an organisation.

    What is not given stays as it was. None, without an author, is Common Ground itself. Raises `UnableToRecord`, also
    if somebody else records it at the same moment.
    """
    require(roles_of(author, now).edit_for(organisation.pk if organisation else None))
    title = _title(given)
    source = Source.objects.select_for_update().filter(title__iexact=title, year=given.year).first()
    said = {"publisher": given.publisher.strip(), "total": given.total, "note": given.note.strip()}
    if source is None:
        made = Source(
            title=title, year=given.year, **said, recorded_for=organisation, recorded_by=author, recorded_at=now
        )
        _save_alone(made)
        return made
    before, _ = apply_changes(source, {name: value for name, value in said.items() if value not in ("", None)})
    if before:
        if source.recorded_for_id != (organisation.pk if organisation else None):
            raise UnableToRecord(_ANOTHERS.format(title=source.title))
        source.save(update_fields=list(before))
    return source


def _title(source_given: SourceGiven) -> str:
    title = " ".join(source_given.title.split())
    if not title:
        raise UnableToRecord("Enter the title of the report.")
    if not 1900 <= source_given.year <= 2200:
        raise UnableToRecord("Enter the year of the report, for example 2015.")
    return title


@transaction.atomic
def correct_source(*, source: Source, given: SourceGiven, reason: str, author: User | None, now: dt.datetime) -> Source:
    """Correct any report; its page shows the reason. Raises `UnableToRecord`."""
    require(roles_of(author, now).keeps_directory)
    locked = Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
    said: dict[str, Any] = {"title": _title(given), "year": given.year, "publisher": given.publisher.strip()}
    said |= {"total": given.total, "note": given.note.strip()}
    before, after = apply_changes(locked, said)
    if not before:
        return locked
    _check_reason(reason)
    if Source.objects.filter(title__iexact=locked.title, year=locked.year).exclude(pk=locked.pk).exists():
        raise UnableToRecord(f"{locked} is already recorded.")
    _save_alone(locked, before)
    record_all([source_event(locked, author=author, now=now, before=before, after=after, reason=reason.strip())])
    return locked


def _save_alone(source: Source, fields: Collection[str] | None = None) -> None:
    """Save it, unless another transaction has recorded the same report since we looked. Raises `UnableToRecord`."""
    try:
        with transaction.atomic():
            source.save(update_fields=fields and list(fields))
    except IntegrityError as error:
        raise UnableToRecord(f"A colleague has just recorded {source}. Try again.") from error


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise UnableToRecord("Give a reason.")


@transaction.atomic
def record_recommendation(
    *,
    source: Source,
    given: RecommendationGiven,
    organisation: Organisation | None,
    author: User | None,
    now: dt.datetime,
) -> tuple[Recommendation, str]:
    """The recommendation with this reference, else this text, and what happened: created, changed or left_alone.

    One that was recorded without a reference gets it. Raises `UnableToRecord`.
    """
    locked = Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
    require(roles_of(author, now).edit_for(organisation.pk if organisation else None))
    text, reference = " ".join(given.text.split()), given.reference.strip()
    _check(text, given)
    known = _known(locked, reference, text)
    said: dict[str, Any] = {"text": text, "confidence": given.confidence}
    if given.themes is not None:
        said["themes"] = list(given.themes)
    if reference and (known is None or not known.reference):
        said["reference"] = reference
    if known is not None and _is_same(known, said, given):
        return known, "left_alone"
    if locked.recorded_for_id != (organisation.pk if organisation else None):
        raise UnableToRecord(_ANOTHERS.format(title=locked.title))
    if known is None:
        made = _create(locked, said)
        _address(made, given)
        record_all([recommendation_event(made, EventKind.RECORDED, author=author, now=now)])
        return made, "created"
    _change(known, said, given, author=author, now=now)
    return known, "changed"


@transaction.atomic
def correct_recommendation(
    *,
    recommendation: Recommendation,
    given: RecommendationGiven,
    reason: str,
    author: User | None,
    now: dt.datetime,
) -> Recommendation:
    """Correct any recommendation.

    Its page shows the reason. Raises `UnableToRecord`.
    """
    require(roles_of(author, now).keeps_directory)
    source = Source.objects.select_for_update(of=("self",)).get(pk=recommendation.source_id)
    locked = source.recommendations.select_for_update(of=("self",)).get(pk=recommendation.pk)
    text, reference = " ".join(given.text.split()), given.reference.strip()
    _check(text, given)
    said: dict[str, Any] = {"text": text, "reference": reference, "confidence": given.confidence}
    if given.themes is not None:
        said["themes"] = list(given.themes)
    if _is_same(locked, said, given):
        return locked
    _check_reason(reason)
    if reference and source.recommendations.filter(reference__iexact=reference).exclude(pk=locked.pk).exists():
        raise UnableToRecord(f"Another recommendation in {source} already has the reference {reference}.")
    _change(locked, said, given, author=author, now=now, reason=reason.strip())
    return locked


def _change(
    recommendation: Recommendation,
    values: dict[str, Any],
    recommendation_given: RecommendationGiven,
    *,
    author: User | None,
    now: dt.datetime,
    **data: Any,
) -> None:
    """Store the new words and addressees, and record which of them changed."""
    was = _addressed_words(recommendation)
    before, after = apply_changes(recommendation, values)
    recommendation.save(update_fields=list(values))
    _address(recommendation, recommendation_given)
    addressed = _addressed_words(recommendation)
    if addressed != was:
        before["addressed_to"], after["addressed_to"] = was, addressed
    data |= {"before": before, "after": after}
    record_all([recommendation_event(recommendation, EventKind.CORRECTED, author=author, now=now, **data)])


def _addressed_words(recommendation: Recommendation) -> str:
    return Recommendation.objects.for_listing().get(pk=recommendation.pk).addressee_words


def _check(text: str, recommendation_given: RecommendationGiven) -> None:
    if not text:
        raise UnableToRecord("Enter what is recommended, in your own words.")
    if recommendation_given.confidence not in Confidence.values:
        raise UnableToRecord("Say how certain it is that the report says this.")
    if not recommendation_given.kinds and not recommendation_given.organisations:
        raise UnableToRecord("Say who it is addressed to.")
    if unknown := set(recommendation_given.kinds) - set(Kind.values):
        raise UnableToRecord(f"There is no kind of organisation called {min(unknown)}.")
    if unknown := set(recommendation_given.themes or ()) - set(Theme.by_code()):
        raise UnableToRecord(f"There is no theme called {min(unknown)}.")


def _known(source: Source, reference: str, text: str) -> Recommendation | None:
    rows = source.recommendations.select_for_update(of=("self",)).order_by("position")
    if not reference:
        return rows.filter(text__iexact=text).first()
    return rows.filter(reference__iexact=reference).first() or rows.filter(reference="", text__iexact=text).first()


def _create(source: Source, values: dict[str, Any]) -> Recommendation:
    last = source.recommendations.aggregate(last=Max("position"))["last"] or 0
    if last >= MAX_RECOMMENDATIONS:
        raise UnableToRecord(f"A report can have up to {MAX_RECOMMENDATIONS} recommendations.")
    return Recommendation.objects.create(source=source, position=last + 1, **values)


def _addressed(recommendation: Recommendation) -> tuple[set[str], set[int]]:
    rows = list(recommendation.addressees.values_list("kind", "organisation"))
    return {kind for kind, _ in rows if kind}, {body for _, body in rows if body is not None}


def _is_same(recommendation: Recommendation, values: dict[str, Any], recommendation_given: RecommendationGiven) -> bool:
    return all(getattr(recommendation, name) == value for name, value in values.items()) and _addressed(
        recommendation
    ) == (
        set(recommendation_given.kinds),
        set(recommendation_given.organisations),
    )


def _address(recommendation: Recommendation, recommendation_given: RecommendationGiven) -> None:
    """Address it to these kinds and organisations, and to no others."""
    kinds, bodies = _addressed(recommendation)
    gone = recommendation.addressees
    gone.filter(kind__in=kinds - set(recommendation_given.kinds)).delete()
    gone.filter(organisation__in=bodies - set(recommendation_given.organisations)).delete()
    new = [
        Addressee(recommendation=recommendation, kind=kind) for kind in sorted(set(recommendation_given.kinds) - kinds)
    ]
    new += [
        Addressee(recommendation=recommendation, organisation_id=pk)
        for pk in sorted(set(recommendation_given.organisations) - bodies)
    ]
    Addressee.objects.bulk_create(new)
