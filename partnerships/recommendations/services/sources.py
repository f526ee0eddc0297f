"""Services that record and correct reports and their recommendations."""

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

#: At most this many recommendations can be recorded for one report.
MAX_RECOMMENDATIONS = 500
_RECORDED_BY_OTHERS = (
    "{title} was recorded by another organisation, or came with Common Ground. Ask an administrator to change it."
)


class UnableToRecord(Exception):
    """Raised if the report or the recommendation is incomplete, or another organisation recorded the report."""


@dataclass(frozen=True, slots=True)
class SourceDetails:
    """The fields of a report to record."""

    title: str
    year: int
    publisher: str = ""
    total: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class RecommendationDetails:
    """The fields of a recommendation to record, and its addressees.

    `kinds` are codes of kinds of organisation, and `organisations` are ids. If `themes` is None, the recorded themes
    are not changed.
    """

    text: str
    confidence: str
    reference: str = ""
    themes: Sequence[str] | None = None
    kinds: Collection[str] = ()
    organisations: Collection[int] = field(default_factory=tuple)


@transaction.atomic
def record_source(
    *, details: SourceDetails, organisation: Organisation | None, author: User | None, now: dt.datetime
) -> Source:
    """Record the report with this title and year for an organisation, or change the recorded report.

    Empty details do not change the recorded values. For a report that comes with Common Ground, organisation and author
    are None. Raises `UnableToRecord`, also if a colleague records the report at the same moment.
    """
    require(roles_of(author, now).may_edit_for(organisation.pk if organisation else None))
    title = _valid_title(details)
    source = Source.objects.select_for_update().filter(title__iexact=title, year=details.year).first()
    values = {"publisher": details.publisher.strip(), "total": details.total, "note": details.note.strip()}
    if source is None:
        source = Source(
            title=title,
            year=details.year,
            **values,
            recorded_for=organisation,
            recorded_by=author,
            recorded_at=now,
        )
        _save_unless_recorded(source)
        return source

    before, _after = apply_changes(source, {name: value for name, value in values.items() if value not in ("", None)})
    if before:
        if source.recorded_for_id != (organisation.pk if organisation else None):
            raise UnableToRecord(_RECORDED_BY_OTHERS.format(title=source.title))
        source.save(update_fields=list(before))
    return source


def _valid_title(details: SourceDetails) -> str:
    """Return the title of a report without needless spaces. Raises `UnableToRecord` if the title or year is invalid."""
    title = " ".join(details.title.split())
    if not title:
        raise UnableToRecord("Enter the title of the report.")
    if not 1900 <= details.year <= 2200:
        raise UnableToRecord("Enter the year of the report, for example 2015.")
    return title


@transaction.atomic
def correct_source(
    *, source: Source, details: SourceDetails, reason: str, author: User | None, now: dt.datetime
) -> Source:
    """Correct any report. The report's page shows the reason. Raises `UnableToRecord`."""
    require(roles_of(author, now).may_change_directory)
    source = Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
    values: dict[str, Any] = {
        "title": _valid_title(details),
        "year": details.year,
        "publisher": details.publisher.strip(),
        "total": details.total,
        "note": details.note.strip(),
    }
    before, after = apply_changes(source, values)
    if not before:
        return source
    _check_reason(reason, "report")
    if Source.objects.filter(title__iexact=source.title, year=source.year).exclude(pk=source.pk).exists():
        raise UnableToRecord(f"{source} is already recorded. Choose another title or year.")
    _save_unless_recorded(source, before)
    record_all([source_event(source, author=author, now=now, before=before, after=after, reason=reason.strip())])
    return source


def _save_unless_recorded(source: Source, fields: Collection[str] | None = None) -> None:
    """Save a report. Raises `UnableToRecord` if another transaction has just recorded the same report."""
    try:
        with transaction.atomic():
            source.save(update_fields=fields and list(fields))
    except IntegrityError as error:
        raise UnableToRecord(f"A colleague has just recorded {source}. Try again.") from error


def _check_reason(reason: str, record_name: str) -> None:
    """Raise `UnableToRecord` if a correction of a record, such as a “report”, has no reason."""
    if not reason.strip():
        raise UnableToRecord(f"Enter why you are correcting this {record_name}.")


@transaction.atomic
def record_recommendation(
    *,
    source: Source,
    details: RecommendationDetails,
    organisation: Organisation | None,
    author: User | None,
    now: dt.datetime,
) -> tuple[Recommendation, str]:
    """Record a recommendation of a report, or change the existing one with this reference or text.

    Returns the recommendation, and "created", "changed" or "left_alone". An existing recommendation without a reference
    gets the reference. Raises `UnableToRecord`.
    """
    source = Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
    require(roles_of(author, now).may_edit_for(organisation.pk if organisation else None))
    text, reference = " ".join(details.text.split()), details.reference.strip()
    _check(text, details)

    recommendation = _recorded_recommendation(source, reference, text)
    values: dict[str, Any] = {"text": text, "confidence": details.confidence}
    if details.themes is not None:
        values["themes"] = list(details.themes)
    if reference and (recommendation is None or not recommendation.reference):
        values["reference"] = reference
    if recommendation is not None and _is_same(recommendation, values, details):
        return recommendation, "left_alone"
    if source.recorded_for_id != (organisation.pk if organisation else None):
        raise UnableToRecord(_RECORDED_BY_OTHERS.format(title=source.title))

    if recommendation is not None:
        _change(recommendation, values, details, author=author, now=now)
        return recommendation, "changed"
    recommendation = _create(source, values)
    _set_addressees(recommendation, details)
    record_all([recommendation_event(recommendation, EventKind.RECORDED, author=author, now=now)])
    return recommendation, "created"


@transaction.atomic
def correct_recommendation(
    *,
    recommendation: Recommendation,
    details: RecommendationDetails,
    reason: str,
    author: User | None,
    now: dt.datetime,
) -> Recommendation:
    """Correct any recommendation. The recommendation's page shows the reason. Raises `UnableToRecord`."""
    require(roles_of(author, now).may_change_directory)
    source = Source.objects.select_for_update(of=("self",)).get(pk=recommendation.source_id)
    recommendation = source.recommendations.select_for_update(of=("self",)).get(pk=recommendation.pk)
    text, reference = " ".join(details.text.split()), details.reference.strip()
    _check(text, details)
    values: dict[str, Any] = {"text": text, "reference": reference, "confidence": details.confidence}
    if details.themes is not None:
        values["themes"] = list(details.themes)
    if _is_same(recommendation, values, details):
        return recommendation
    _check_reason(reason, "recommendation")
    other_recommendations = source.recommendations.exclude(pk=recommendation.pk)
    if reference and other_recommendations.filter(reference__iexact=reference).exists():
        raise UnableToRecord(
            f"Another recommendation in {source} already has the reference {reference}. Enter another reference."
        )
    _change(recommendation, values, details, author=author, now=now, reason=reason.strip())
    return recommendation


def _change(
    recommendation: Recommendation,
    values: dict[str, Any],
    details: RecommendationDetails,
    *,
    author: User | None,
    now: dt.datetime,
    **data: Any,
) -> None:
    """Save the new values and addressees, and record an event with the changes."""
    addressees_before = _addressee_words(recommendation)
    before, after = apply_changes(recommendation, values)
    recommendation.save(update_fields=list(values))
    _set_addressees(recommendation, details)
    addressees_after = _addressee_words(recommendation)
    if addressees_after != addressees_before:
        before["addressed_to"], after["addressed_to"] = addressees_before, addressees_after
    data |= {"before": before, "after": after}
    record_all([recommendation_event(recommendation, EventKind.CORRECTED, author=author, now=now, **data)])


def _addressee_words(recommendation: Recommendation) -> str:
    """Return the addressees of a recommendation as words, read again from the database."""
    return Recommendation.objects.for_listing().get(pk=recommendation.pk).addressee_words


def _check(text: str, details: RecommendationDetails) -> None:
    """Raise `UnableToRecord` for a missing text, confidence or addressee, or for codes that do not exist."""
    if not text:
        raise UnableToRecord("Enter what is recommended, in your own words.")
    if details.confidence not in Confidence.values:
        raise UnableToRecord("Choose how certain it is that the report says this.")
    if not details.kinds and not details.organisations:
        raise UnableToRecord("Choose who the recommendation is addressed to.")
    if unknown := set(details.kinds) - set(Kind.values):
        raise UnableToRecord(
            f"We do not know a kind of organisation called {min(unknown)}. Choose a kind from the list."
        )
    if unknown := set(details.themes or ()) - set(Theme.by_code()):
        raise UnableToRecord(f"We do not know a theme called {min(unknown)}. Choose a theme from the list.")


def _recorded_recommendation(source: Source, reference: str, text: str) -> Recommendation | None:
    """Return the existing recommendation with this reference or, if it has none, with this text."""
    recommendations = source.recommendations.select_for_update(of=("self",)).order_by("position")
    with_text = recommendations.filter(text__iexact=text)
    if not reference:
        return with_text.first()
    return recommendations.filter(reference__iexact=reference).first() or with_text.filter(reference="").first()


def _create(source: Source, values: dict[str, Any]) -> Recommendation:
    """Create a recommendation after the others of its report."""
    last_position = source.recommendations.aggregate(last=Max("position"))["last"] or 0
    if last_position >= MAX_RECOMMENDATIONS:
        raise UnableToRecord(f"You can record up to {MAX_RECOMMENDATIONS} recommendations for one report.")
    return Recommendation.objects.create(source=source, position=last_position + 1, **values)


def _addressee_codes(recommendation: Recommendation) -> tuple[set[str], set[int]]:
    """Return the codes of kinds, and the ids of organisations, to which a recommendation is addressed."""
    addressees = list(recommendation.addressees.values_list("kind", "organisation"))
    kinds = {kind for kind, _organisation_id in addressees if kind}
    organisation_ids = {organisation_id for _kind, organisation_id in addressees if organisation_id is not None}
    return kinds, organisation_ids


def _is_same(recommendation: Recommendation, values: dict[str, Any], details: RecommendationDetails) -> bool:
    """Return whether the recorded values and addressees are equal to the new ones."""
    if any(getattr(recommendation, name) != value for name, value in values.items()):
        return False
    return _addressee_codes(recommendation) == (set(details.kinds), set(details.organisations))


def _set_addressees(recommendation: Recommendation, details: RecommendationDetails) -> None:
    """Replace the addressees of a recommendation by these kinds and organisations."""
    kinds, organisation_ids = _addressee_codes(recommendation)
    new_kinds, new_organisation_ids = set(details.kinds), set(details.organisations)
    recommendation.addressees.filter(kind__in=kinds - new_kinds).delete()
    recommendation.addressees.filter(organisation__in=organisation_ids - new_organisation_ids).delete()
    new_addressees = [Addressee(recommendation=recommendation, kind=kind) for kind in sorted(new_kinds - kinds)]
    new_addressees += [
        Addressee(recommendation=recommendation, organisation_id=pk)
        for pk in sorted(new_organisation_ids - organisation_ids)
    ]
    Addressee.objects.bulk_create(new_addressees)
