"""Recommendations of reports, one a row.

They are recorded for the organisation.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Mapping

from partnerships.exchange.models import Theme
from partnerships.kit.names import fold_name
from partnerships.organisations.models import Kind, Organisation
from partnerships.organisations.queries import match_by_name
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.recommendations.models import Confidence, Recommendation
from partnerships.recommendations.models.sources import KINDS_OF_BODY
from partnerships.recommendations.services import (
    RecommendationGiven,
    SourceGiven,
    UnableToRecord,
    record_recommendation,
    record_source,
)
from partnerships.spreadsheets.reading.cells import one_of, whole
from partnerships.spreadsheets.reading.columns import SheetColumn, column
from partnerships.spreadsheets.services.kinds.base import FEW, Exported, Run, SheetKind, Target
from partnerships.spreadsheets.services.kinds.records import one_row
from partnerships.transfer.reading.headings import Line

_CONFIDENCE = dict(Confidence.choices)
#: Characters of texts, as in the tables.
_LIMITS = {"title": 200, "publisher": 200, "reference": 20, "text": 500}
_STALE = ("a recommendation was changed since the preview.", "Upload this row again to see both.")


def _columns(_target: Target) -> tuple[SheetColumn, ...]:
    """The columns of template and download; a row names its report each time."""
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
            hint="How many the report makes, if you know.",
        ),
        column("reference", "Reference", "number", "ref", example="R1", hint="The report's own number, if you saw it."),
        column(
            "text",
            "Recommendation",
            "text",
            "paraphrase",
            required=True,
            example="Share plans before they are settled.",
            hint="In your own words.",
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
            hint="Kinds of organisation or names of organisations, with semicolons between them.",
        ),
        column("themes", "Themes", "theme", example="Planning", hint="With semicolons between them."),
    )


def _organisation(target: Target) -> Organisation:
    assert target.organisation is not None  # only organisations have this kind
    return target.organisation


def _may_import(target: Target, person: User, now: dt.datetime) -> bool:
    return roles_of(person, now).edit_for(_organisation(target).pk)


def _kinds() -> dict[str, str]:
    """Codes of kinds of organisation by how people write them."""
    written = {fold_name(label): str(code) for code, label in Kind.choices}
    written |= {fold_name(label): code for code, label in KINDS_OF_BODY.items()}
    return written | {
        fold_name("LEPs"): Kind.LEP.value,
        fold_name("Housing associations"): Kind.REGISTERED_PROVIDER.value,
    }


def _apply(run: Run) -> None:
    stale = run.seen is not None and run.seen != _revision(run.target)
    kinds = _kinds()
    themes = {fold_name(theme.label): code for code, theme in Theme.by_code().items()}
    for line in run.lines():
        given = _read(run, line, kinds, themes)
        if given is None:
            continue
        with one_row(run, line, UnableToRecord):
            _record(run, line, *given, stale=stale)


def _record(run: Run, line: Line, source: SourceGiven, given: RecommendationGiven, *, stale: bool) -> None:
    organisation = _organisation(run.target)
    report = record_source(given=source, organisation=organisation, author=run.author, now=run.now)
    made, outcome = record_recommendation(
        source=report, given=given, organisation=organisation, author=run.author, now=run.now
    )
    if stale and outcome == "changed":
        raise UnableToRecord(" ".join(_STALE))
    run.report.count(outcome, "" if outcome == "left_alone" else f"{report}: {made.title}")


def _read(
    run: Run, line: Line, kinds: Mapping[str, str], themes: Mapping[str, str]
) -> tuple[SourceGiven, RecommendationGiven] | None:
    """What the row says; None with problems."""
    before = len(run.rows.problems)
    for sheet_column in _columns(run.target):
        if sheet_column.required and not line.text(sheet_column.code):
            run.refuse(line, sheet_column.code, "the cell is blank.", "Fill it in.")
    for code, limit in _LIMITS.items():
        if len(line.text(code)) > limit:
            run.refuse(line, code, f"it is {len(line.text(code)):,} characters long.", f"Shorten it to {limit}.")
    year, total = run.rows.read(line, "year", whole), run.rows.read(line, "total", whole)
    confidence = run.rows.read(line, "confidence", one_of(_CONFIDENCE)) or ""
    to, bodies = _addressees(run, line, kinds)
    chosen = []
    for said in _parts(line, "themes"):
        if (theme := themes.get(fold_name(said))) is None:
            run.refuse(line, "themes", f"there is no theme “{said}”.", "Choose a theme from the list.")
        else:
            chosen.append(theme)
    if len(run.rows.problems) > before or year is None:
        return None
    return (
        SourceGiven(line.text("title"), year, line.text("publisher"), total),
        RecommendationGiven(
            text=line.text("text"),
            confidence=confidence,
            reference=line.text("reference"),
            themes=chosen or None,
            kinds=to,
            organisations=bodies,
        ),
    )


def _addressees(run: Run, line: Line, kinds: Mapping[str, str]) -> tuple[list[str], list[int]]:
    """Kinds of organisation, and organisations by number."""
    codes: list[str] = []
    bodies: list[int] = []
    for said in _parts(line, "addressees"):
        if (code := kinds.get(fold_name(said))) is not None:
            codes.append(code)
            continue
        pks = list(match_by_name(said).values_list("pk", flat=True)[:2])
        if len(pks) == 1:
            bodies.append(pks[0])
        else:
            run.refuse(
                line,
                "addressees",
                f"“{said}” is {'several organisations' if pks else 'neither a kind nor a name in the directory'}.",
                "Write a kind, such as Councils, or the full name of an organisation.",
            )
    return codes, bodies


def _parts(line: Line, code: str) -> list[str]:
    return [part.strip() for part in line.text(code).split(";") if part.strip()]


def _rows(target: Target, person: User) -> list[Exported]:
    """Recommendations of the reports that the organisation recorded."""
    own = Recommendation.objects.visible_to(person).filter(source__recorded_for=target.organisation)
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
        for recommendation in own.for_listing().in_order()
    ]


def _revision(target: Target) -> int:
    """A checksum of what the organisation recorded: recommendations have no revisions."""
    own = Recommendation.objects.filter(source__recorded_for=target.organisation).order_by("pk", "addressees__pk")
    said = ("pk", "text", "reference", "confidence", "themes", "source__publisher", "source__total")
    fields = (*said, "addressees__kind", "addressees__organisation")
    return zlib.crc32(repr(list(own.values_list(*fields))).encode()) & 0x7FFF_FFFF


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
        "One row for each recommendation of a published report, in your own words. Everybody signed in reads them; "
        "your organisation alone can change them."
    ),
)
