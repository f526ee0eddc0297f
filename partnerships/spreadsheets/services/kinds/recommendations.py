"""Spreadsheets of recommendations that an organisation records from published reports, one in each row."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from partnerships.exchange.models import Theme
from partnerships.kit.names import fold_name
from partnerships.organisations.models import Kind, Organisation
from partnerships.organisations.queries import match_by_name
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.recommendations.models import Confidence, Recommendation
from partnerships.recommendations.models.sources import KINDS_OF_BODY
from partnerships.recommendations.services import (
    RecommendationDetails,
    SourceDetails,
    UnableToRecord,
    record_recommendation,
    record_source,
)
from partnerships.spreadsheets.reading.cells import choice_reader, whole_number
from partnerships.spreadsheets.reading.columns import SheetColumn, column
from partnerships.spreadsheets.services.kinds.base import FEW, Exported, ImportedRows, SheetKind, Target
from partnerships.spreadsheets.services.kinds.records import set_aside_if_refused
from partnerships.spreadsheets.services.kinds.refusals import changed_since_preview, refuse_blank, refuse_if_long
from partnerships.transfer.reading.headings import Line

_CONFIDENCE = dict(Confidence.choices)
#: The labels of confidence in files that were written before December 2026. They can still be imported.
_FORMER_CONFIDENCE = {
    fold_name("Seen in the text"): Confidence.SEEN,
    fold_name("Seen in part"): Confidence.PART,
    fold_name("From memory"): Confidence.MEMORY,
}
#: The maximum length of each text, as in the models.
_MAX_LENGTHS = {"title": 200, "publisher": 200, "reference": 20, "text": 500}


def _columns(_target: Target) -> tuple[SheetColumn, ...]:
    """Return the columns. Every row names its report, because a file can have recommendations of several reports."""
    return (
        column("title", "Report", "title", "source", "title of the report", required=True, example="Harbour review"),
        column("year", "Year", "published", "year published", required=True, example=2016),
        column("publisher", "Publisher", "published by", example="Harbour Institute"),
        column(
            "total",
            "Recommendations in all",
            "total",
            "in all",
            example=12,
            hint="Enter how many recommendations the report makes, if you know.",
        ),
        column(
            "reference",
            "Reference",
            "number",
            "ref",
            example="R1",
            hint="Enter the number of the recommendation in the report, if you know it.",
        ),
        column(
            "text",
            "Recommendation",
            "text",
            "paraphrase",
            required=True,
            example="Share plans before they are settled.",
            hint="Write this in your own words.",
        ),
        column(
            "confidence",
            "How certain",
            "confidence",
            required=True,
            choices=_CONFIDENCE,
            example=str(Confidence.SEEN.label),
        ),
        column(
            "addressees",
            "Addressed to",
            "addressees",
            "addressee",
            required=True,
            example="Councils; Registered providers",
            hint="Enter kinds or names of organisations, with semicolons between them.",
        ),
        column("themes", "Themes", "theme", example="Planning", hint="Enter themes with semicolons between them."),
    )


def _organisation(target: Target) -> Organisation:
    """Return the organisation that records the recommendations."""
    assert target.organisation is not None  # only organisations have this kind
    return target.organisation


def _may_import(target: Target, person: User, now: dt.datetime) -> bool:
    """Return whether the person may record recommendations for the organisation."""
    return roles_of(person, now).may_edit_for(_organisation(target).pk)


def _code_by_kind() -> dict[str, str]:
    """Return the codes of kinds of organisation by their folded names."""
    code_by_kind = {fold_name(label): str(code) for code, label in Kind.choices}
    code_by_kind |= {fold_name(label): code for code, label in KINDS_OF_BODY.items()}
    return code_by_kind | {
        fold_name("LEPs"): Kind.LEP.value,
        fold_name("Housing associations"): Kind.REGISTERED_PROVIDER.value,
    }


def _apply(run: ImportedRows) -> None:
    """Record a recommendation for each row."""
    is_stale = run.previewed_revision is not None and run.previewed_revision != _revision(run.target)
    code_by_kind = _code_by_kind()
    code_by_theme = {fold_name(theme.label): code for code, theme in Theme.by_code().items()}
    for line in run.lines():
        row = _read_row(run, line, code_by_kind, code_by_theme)
        if row is None:
            continue
        with set_aside_if_refused(run, line, UnableToRecord):
            _record(run, row, is_stale=is_stale)


@dataclass(frozen=True, slots=True)
class _Row:
    """A report, and one of its recommendations."""

    source: SourceDetails
    recommendation: RecommendationDetails


def _record(run: ImportedRows, row: _Row, *, is_stale: bool) -> None:
    """Record the report and the recommendation.

    Raises `UnableToRecord`, also if the recommendation was changed since the preview.
    """
    organisation = _organisation(run.target)
    source = record_source(details=row.source, organisation=organisation, author=run.author, now=run.now)
    recommendation, outcome = record_recommendation(
        source=source, details=row.recommendation, organisation=organisation, author=run.author, now=run.now
    )
    if is_stale and outcome == "changed":
        raise UnableToRecord(changed_since_preview("a recommendation"))
    run.report.count(outcome, "" if outcome == "left_alone" else f"{source}: {recommendation.title}")


def _read_row(
    run: ImportedRows, line: Line, code_by_kind: Mapping[str, str], code_by_theme: Mapping[str, str]
) -> _Row | None:
    """Return the row, or None if the row is refused."""
    for sheet_column in _columns(run.target):
        if sheet_column.required and not line.text(sheet_column.code):
            refuse_blank(run, line, sheet_column.code)
    for code, limit in _MAX_LENGTHS.items():
        refuse_if_long(run, line, code, line.text(code), limit=limit)
    year = run.read(line, "year", whole_number)
    total = run.read(line, "total", whole_number)
    former_confidence = _FORMER_CONFIDENCE.get(fold_name(line.text("confidence")))
    confidence = former_confidence or run.read(line, "confidence", choice_reader(_CONFIDENCE)) or ""
    kinds, organisation_ids = _addressees(run, line, code_by_kind)
    themes = _themes(run, line, code_by_theme)
    if run.is_refused(line) or year is None:
        return None
    return _Row(
        source=SourceDetails(line.text("title"), year, line.text("publisher"), total),
        recommendation=RecommendationDetails(
            text=line.text("text"),
            confidence=confidence,
            reference=line.text("reference"),
            themes=themes or None,
            kinds=kinds,
            organisations=organisation_ids,
        ),
    )


def _addressees(run: ImportedRows, line: Line, code_by_kind: Mapping[str, str]) -> tuple[list[str], list[int]]:
    """Return the addressees of the row, as codes of kinds of organisation and ids of organisations."""
    kind_codes: list[str] = []
    organisation_ids: list[int] = []
    for name in _names(line, "addressees"):
        kind_code = code_by_kind.get(fold_name(name))
        if kind_code is not None:
            kind_codes.append(kind_code)
            continue
        pks = list(match_by_name(name).values_list("pk", flat=True)[:2])
        if len(pks) == 1:
            organisation_ids.append(pks[0])
            continue
        problem = "several organisations" if pks else "neither a kind nor a name in the directory"
        remedy = "Enter a kind, for example Councils, or the full name of an organisation."
        run.refuse(line, "addressees", f"“{name}” is {problem}.", remedy)
    return kind_codes, organisation_ids


def _themes(run: ImportedRows, line: Line, code_by_theme: Mapping[str, str]) -> list[str]:
    """Return the codes of the themes."""
    theme_codes = []
    for name in _names(line, "themes"):
        theme_code = code_by_theme.get(fold_name(name))
        if theme_code is None:
            run.refuse(line, "themes", f"there is no theme “{name}”.", "Choose a theme from the list.")
        else:
            theme_codes.append(theme_code)
    return theme_codes


def _names(line: Line, column: str) -> list[str]:
    """Return the names in a cell, where semicolons separate them."""
    return [name.strip() for name in line.text(column).split(";") if name.strip()]


def _rows(target: Target, person: User) -> list[Exported]:
    """Return recommendations of the reports that the organisation recorded."""
    recommendations = Recommendation.objects.visible_to(person).filter(source__recorded_for=target.organisation)
    return [
        {
            "title": recommendation.source.title,
            "year": recommendation.source.year,
            "publisher": recommendation.source.publisher,
            "total": recommendation.source.total or "",
            "reference": recommendation.reference,
            "text": recommendation.text,
            "confidence": recommendation.get_confidence_display(),
            "addressees": recommendation.addressee_words,
            "themes": "; ".join(Theme.label_of(code) for code in recommendation.themes),
        }
        for recommendation in recommendations.for_listing().in_order()
    ]


def _revision(target: Target) -> int:
    """Return a checksum of the organisation's recommendations, because recommendations have no revisions."""
    recommendations = Recommendation.objects.filter(source__recorded_for=target.organisation)
    values = recommendations.order_by("pk", "addressees__pk").values_list(
        "pk",
        "text",
        "reference",
        "confidence",
        "themes",
        "source__publisher",
        "source__total",
        "addressees__kind",
        "addressees__organisation",
    )
    return zlib.crc32(repr(list(values)).encode()) & 0x7FFF_FFFF


RECOMMENDATIONS = SheetKind(
    code="recommendations",
    many="recommendations",
    columns=_columns,
    rows=_rows,
    apply=_apply,
    may_import=_may_import,
    remembered_for=lambda target, _person, _now: target.organisation,
    revision=_revision,
    at_once=FEW,
    lead=(
        "Use one row for each recommendation of a published report, in your own words. Everyone who is signed in can "
        "read them. Only your organisation can change them."
    ),
)
