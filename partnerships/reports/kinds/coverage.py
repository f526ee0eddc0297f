"""The coverage report: partnerships, asks, offers, plans and commitments in each council area, by theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django import forms
from django.http import QueryDict

from partnerships.exchange.models import Theme
from partnerships.kit.text import listed
from partnerships.organisations.audience import Reader
from partnerships.organisations.models import Area
from partnerships.reports.kinds.districts import DistrictFilters, Districts
from partnerships.reports.kinds.standing import CoverageCounts, count_coverage
from partnerships.reports.registry import Report, ReportContext
from partnerships.reports.snapshot import AreaMap, Chart, Column, Kind, Row, Snapshot, Source, Table

#: The kinds of record that are counted, each with its name in the singular and plural.
WHAT = MappingProxyType(
    {
        "partnership": ("partnership", "partnerships"),
        "ask": ("ask", "asks"),
        "offer": ("offer", "offers"),
        "plan": ("plan", "plans"),
        "commitment": ("commitment", "commitments"),
    }
)
#: The code of “No theme”.
_NO_THEME = ""
#: A sentence names at most this many areas.
_MAX_NAMED = 12
#: The smallest figure of each shade of the map.
_SHADE_LIMITS = (1, 2, 4, 8)


class _Filters(DistrictFilters):
    """The filters of the report: areas, a theme, and a kind of record."""

    theme = forms.ChoiceField(label="Theme", required=False)
    what = forms.ChoiceField(
        label="What to count",
        required=False,
        choices=[("", "Everything"), *((code, many.capitalize()) for code, (_, many) in WHAT.items())],
    )
    gaps = forms.BooleanField(label="Only areas without records", required=False)

    def __init__(self, parameters: QueryDict, reader: Reader) -> None:
        super().__init__(parameters, reader)
        fields: Mapping[str, Any] = self.fields
        fields["theme"].choices = [("", "Any theme"), *Theme.all_choices()]
        self.order_fields(["theme", "what", "gaps", "area", "council", "within"])


def _compute(context: ReportContext) -> Snapshot:
    """Count the partnerships, asks, offers, plans and commitments in each council area."""
    districts = Districts.on(context.today)
    areas = districts.chosen(context.filters)
    coverage = count_coverage(context.reader, districts)
    theme, what = context.filters.get("theme") or "", context.filters.get("what") or ""
    kinds = [what] if what else [*WHAT]
    counts = _counts_of_kinds(areas, coverage, theme)
    # The sentences and the summary are about all chosen areas, even if the tables list only areas without records.
    answers, summary = _answers(areas, counts, theme, what), _summary_table(areas, counts, theme)
    if context.filters.get("gaps"):
        areas = _areas_without(areas, counts, kinds)
    tables = [
        summary,
        _kinds_table(areas, districts.councils(), counts, theme),
        _themes_table(areas, coverage, kinds, what),
    ]
    return Snapshot(
        report=COVERAGE.slug,
        title=COVERAGE.title,
        made_at=context.now,
        made_for=context.made_for,
        filters=context.filter_labels,
        answers=answers,
        tables=tuple(tables),
        charts=(Chart("Council areas with some records and with none", "short", (1, 2)),),
        maps=(AreaMap(_map_title(theme, what), "areas", _map_column(what), _SHADE_LIMITS),) if areas else (),
        sources=(Source("Partnerships, asks and offers, plans and commitments in Common Ground", context.today),),
        notes=_NOTES,
    )


_NOTES = (
    "This report counts only what the reader can see. Other people may see more.",
    "It counts live partnerships, open asks and offers, and published plans that are not superseded or closed.",
    "It counts commitments until they are verified, cancelled or superseded.",
    "We count an ask or offer in the areas that it names, or else in the areas of its partnership or organisation.",
    "We count a commitment in the areas of the ask or offer that it meets, or of its partnership or organisations.",
    "We count a plan in the areas of its sites, or else in the areas of its partnership or owners.",
    "We count a partnership in its own areas, or else in the areas of its parties.",
    "If a record belongs to several organisations and some are councils, we count it only in the councils’ areas.",
    "A partnership is about a theme if its kind has the theme.",
    "It is also about the themes of its asks, offers, commitments and plans.",
    "A plan is about a theme if its kind has the theme.",
    "A commitment is about a theme if it meets an ask or offer about the theme.",
    "If one council replaced a council that ended, we count the old area’s records in the new area.",
    "If several councils replaced it, we do not count the old area’s records.",
)


def _counts_of_kinds(areas: Sequence[Area], coverage: CoverageCounts, theme: str) -> dict[int, dict[str, int]]:
    """Return the number of records of each kind in each area, by the id of the area.

    With a theme, only the records about this theme are counted.
    """

    def count(kind: str, area: Area) -> int:
        return coverage.by_theme[kind, area.pk, theme] if theme else coverage.in_all[kind, area.pk]

    return {area.pk: {kind: count(kind, area) for kind in WHAT} for area in areas}


def _areas_without(areas: Sequence[Area], counts: Mapping[int, Mapping[str, int]], kinds: Sequence[str]) -> list[Area]:
    """Return the areas that have no record of any of these kinds."""
    return [area for area in areas if not any(counts[area.pk][kind] for kind in kinds)]


def _summary_table(areas: Sequence[Area], counts: Mapping[int, Mapping[str, int]], theme: str) -> Table:
    """Return a row for each kind of record: the number of areas with some records, and with none."""
    rows = []
    for code, (_, many) in WHAT.items():
        areas_without = len(_areas_without(areas, counts, [code]))
        rows.append(Row((many.capitalize(), len(areas) - areas_without, areas_without), key=code))
    columns = (Column("What"), Column("Areas with some", Kind.COUNT), Column("Areas with none", Kind.COUNT))
    title = f"Summary: {_theme(theme).lower()}" if theme else "Summary"
    return Table(code="short", title=title, columns=columns, rows=tuple(rows) if areas else ())


def _kinds_table(
    areas: Sequence[Area], councils: Mapping[int, list[str]], counts: Mapping[int, Mapping[str, int]], theme: str
) -> Table:
    """Return a row for each council area, with a column for each kind of record."""
    columns = [Column("Council area"), Column("Council")]
    columns += [Column(many.capitalize(), Kind.COUNT) for _, many in WHAT.values()]
    columns += [Column("In all", Kind.COUNT)]
    rows = [
        Row(
            (
                area.name,
                listed(councils.get(area.pk, [])),
                *(counts[area.pk][what] for what in WHAT),
                sum(counts[area.pk].values()),
            ),
            key=area.code,
        )
        for area in areas
    ]
    title = f"Records in each area: {_theme(theme).lower()}" if theme else "Records in each area"
    return Table(
        code="areas",
        title=title,
        columns=tuple(columns),
        rows=tuple(rows),
        empty="No council area matches these filters.",
    )


def _themes_table(areas: Sequence[Area], coverage: CoverageCounts, kinds: Sequence[str], what: str) -> Table:
    """Return a row for each council area, with a column for each theme."""
    themes = [*Theme.by_code(), _NO_THEME]
    columns = (Column("Council area"), *(Column(_theme(code), Kind.COUNT) for code in themes))
    rows = []
    for area in areas:
        counts = (sum(coverage.by_theme[kind, area.pk, code] for kind in kinds) for code in themes)
        rows.append(Row((area.name, *counts), key=area.code))
    counted_kinds = WHAT[what][1] if what else "partnerships, asks, offers, plans and commitments together"
    return Table(
        code="themes",
        title=f"By theme: {counted_kinds}",
        columns=columns,
        rows=tuple(rows),
        note="A partnership, ask, offer, plan or commitment about two themes is counted under both.",
        empty="No council area matches these filters.",
    )


def _theme(code: str) -> str:
    """Return the label of a theme, or "No theme"."""
    return str(Theme.by_code()[code].label) if code in Theme.by_code() else "No theme"


def _map_column(what: str) -> int:
    """Return the index of the column that the map shows: one kind of record, or the last column, “In all”."""
    return 2 + (list(WHAT).index(what) if what else len(WHAT))


def _map_title(theme: str, what: str) -> str:
    """Return the title of the map, such as “Offers in each council area: homelessness”."""
    counted_kinds = WHAT[what][1].capitalize() if what else "Partnerships, asks, offers, plans and commitments"
    title = f"{counted_kinds} in each council area"
    return f"{title}: {_theme(theme).lower()}" if theme else title


def _answers(areas: Sequence[Area], counts: Mapping[int, Mapping[str, int]], theme: str, what: str) -> tuple[str, ...]:
    """Return sentences that name the areas without records of the chosen kind.

    If only a few areas have records, the first sentence names these. Without a chosen kind, the sentences are about
    partnerships.
    """
    if not areas:
        return ()
    kind = what or "partnership"
    noun = f"{_theme(theme).lower()} {WHAT[kind][0]}" if theme else WHAT[kind][0]
    names_without = [area.name for area in _areas_without(areas, counts, [kind])]
    if not names_without:
        return (f"Every one of the {len(areas):,} council areas has at least one {noun}.",)

    more = len(names_without) - _MAX_NAMED
    words_for_names = ", ".join(names_without[:_MAX_NAMED]) + (f" and {more:,} more" if more > 0 else "")
    have = "has" if len(names_without) == 1 else "have"
    sentence_without = f"{len(names_without):,} of {len(areas):,} council areas {have} no {noun}: {words_for_names}."

    names_with = [area.name for area in areas if area.name not in set(names_without)]
    has_few_areas = 0 < len(names_with) <= _MAX_NAMED and len(names_with) < len(names_without)
    if not has_few_areas:
        return (sentence_without,)
    have = "has" if len(names_with) == 1 else "have"
    return (f"Only {listed(names_with)} {have} at least one {noun}.", sentence_without)


COVERAGE = Report(
    slug="coverage",
    title="Coverage of council areas",
    about="See how many partnerships, asks, offers, plans and commitments each council area has, by theme.",
    group="Partnerships",
    form=_Filters,
    compute=_compute,
)
