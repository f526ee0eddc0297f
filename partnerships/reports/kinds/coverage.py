"""What stands in each council area by theme, from partnerships to commitments, and where there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.text import get_text_list

from partnerships.exchange.models import Theme
from partnerships.organisations.audience import Reader
from partnerships.organisations.models import Area
from partnerships.reports.kinds.districts import DistrictFilters, Districts
from partnerships.reports.kinds.standing import Standing, standing_for
from partnerships.reports.registry import Report, ReportContext
from partnerships.reports.snapshot import AreaMap, Chart, Column, Kind, Row, Snapshot, Source, Table

#: What is counted: one and several.
WHAT = MappingProxyType(
    {
        "partnership": ("partnership", "partnerships"),
        "ask": ("ask", "asks"),
        "offer": ("offer", "offers"),
        "plan": ("plan", "plans"),
        "commitment": ("commitment", "commitments"),
    }
)
#: Stands for no theme.
_NONE = ""
#: Areas that a sentence names.
_NAMED = 12
#: Figures from which a shade begins.
_LIMITS = (1, 2, 4, 8)


class _Filters(DistrictFilters):
    """Which areas, which theme, and what is counted."""

    theme = forms.ChoiceField(label="Theme", required=False)
    what = forms.ChoiceField(
        label="Count",
        required=False,
        choices=[("", "Everything"), *((code, many.capitalize()) for code, (_, many) in WHAT.items())],
    )
    gaps = forms.BooleanField(label="Only areas with none", required=False)

    def __init__(self, parameters: QueryDict, reader: Reader) -> None:
        super().__init__(parameters, reader)
        fields: Mapping[str, Any] = self.fields
        fields["theme"].choices = [("", "Any theme"), *Theme.all_choices()]
        self.order_fields(["theme", "what", "gaps", "area", "council", "within"])


def _compute(context: ReportContext) -> Snapshot:
    """What partnerships, entries, plans and commitments there are in each council area."""
    districts = Districts.on(context.today)
    areas = districts.chosen(context.filters)
    standing = standing_for(context.reader, districts)
    theme, what = context.filters.get("theme") or "", context.filters.get("what") or ""
    counted = [what] if what else [*WHAT]
    by_kind = _by_kind(areas, standing, theme)
    answers, short = _answers(areas, by_kind, theme, what), _short_table(areas, by_kind, theme)
    if context.filters.get("gaps"):
        areas = _without(areas, by_kind, counted)
    tables = [
        short,
        _kinds_table(areas, districts.councils(), by_kind, theme),
        _themes_table(areas, standing, counted, what),
    ]
    return Snapshot(
        report=COVERAGE.slug,
        title=COVERAGE.title,
        made_at=context.now,
        made_for=context.made_for,
        filters=context.filter_labels,
        answers=answers,
        tables=tuple(tables),
        charts=(Chart("Council areas with and without", "short", (1, 2)),),
        maps=(AreaMap(_map_title(theme, what), "areas", _place(what), _LIMITS),) if areas else (),
        sources=(Source("Partnerships, asks and offers, plans and commitments in Common Ground", context.today),),
        notes=_NOTES,
    )


_NOTES = (
    "This report counts only what its reader can see. Other people may see more.",
    "It counts live partnerships, open asks and offers, and published plans that are not superseded or closed.",
    "Commitments count until they are verified, cancelled or superseded.",
    "An ask or offer counts in the areas that it names, otherwise in the areas of its partnership or organisation.",
    "A commitment counts in the areas of the ask or offer that it meets, otherwise where its partnership or sides are.",
    "A plan counts where its sites are, otherwise where its partnership or its owners are.",
    "A partnership counts in its areas, otherwise in those of its parties.",
    "If several organisations share something and some of them are councils, only the councils’ areas count.",
    "A partnership is about a theme if its kind is, or if one of its asks, offers, commitments or plans is.",
    "A plan is about a theme if its kind is. A commitment is about a theme if an ask or offer that it meets is.",
    "If one council followed a council that ended, what was in the old area counts in the new one.",
    "If several councils followed, what was in the old area is not counted.",
)


def _by_kind(areas: Sequence[Area], standing: Standing, theme: str) -> dict[int, dict[str, int]]:
    """How many of each kind stand in each district, for a theme or for all of them."""
    return {
        area.pk: {
            what: standing.by_theme[what, area.pk, theme] if theme else standing.in_all[what, area.pk] for what in WHAT
        }
        for area in areas
    }


def _without(areas: Sequence[Area], counts: Mapping[int, Mapping[str, int]], kinds: Sequence[str]) -> list[Area]:
    """The areas in which there is none of these kinds of thing."""
    return [area for area in areas if not any(counts[area.pk][kind] for kind in kinds)]


def _short_table(areas: Sequence[Area], counts: Mapping[int, Mapping[str, int]], theme: str) -> Table:
    """In how many areas there is each kind of thing, and in how many there is none."""
    rows = []
    for code, (_, many) in WHAT.items():
        none = len(_without(areas, counts, [code]))
        rows.append(Row((many.capitalize(), len(areas) - none, none), key=code))
    columns = (Column("What"), Column("Areas with some", Kind.COUNT), Column("Areas with none", Kind.COUNT))
    title = f"Summary: {_theme(theme).lower()}" if theme else "Summary"
    return Table("short", title, columns, tuple(rows) if areas else ())


def _kinds_table(
    areas: Sequence[Area], councils: Mapping[int, list[str]], counts: Mapping[int, Mapping[str, int]], theme: str
) -> Table:
    """A row for each council area, a column for each kind of thing."""
    columns = [Column("Council area"), Column("Council")]
    columns += [Column(many.capitalize(), Kind.COUNT) for _, many in WHAT.values()]
    columns += [Column("In all", Kind.COUNT)]
    rows = [
        Row(
            (
                area.name,
                " and ".join(councils.get(area.pk, [])),
                *(counts[area.pk][what] for what in WHAT),
                sum(counts[area.pk].values()),
            ),
            key=area.code,
        )
        for area in areas
    ]
    title = f"What there is in each area: {_theme(theme).lower()}" if theme else "What there is in each area"
    return Table("areas", title, tuple(columns), tuple(rows), empty="No council area matches these filters.")


def _themes_table(areas: Sequence[Area], standing: Standing, kinds: Sequence[str], what: str) -> Table:
    themes = [*Theme.by_code(), _NONE]
    columns = (Column("Council area"), *(Column(_theme(code), Kind.COUNT) for code in themes))
    rows = []
    for area in areas:
        counts = (sum(standing.by_theme[kind, area.pk, code] for kind in kinds) for code in themes)
        rows.append(Row((area.name, *counts), key=area.code))
    counted = WHAT[what][1] if what else "partnerships, asks, offers, plans and commitments together"
    return Table(
        "themes",
        f"By theme: {counted}",
        columns,
        tuple(rows),
        note="A partnership, ask, offer, plan or commitment about two themes counts under both.",
        empty="No council area matches these filters.",
    )


def _theme(code: str) -> str:
    return str(Theme.by_code()[code].label) if code in Theme.by_code() else "No theme"


def _place(what: str) -> int:
    """The column of the first table that the map shows."""
    return 2 + (list(WHAT).index(what) if what else len(WHAT))


def _map_title(theme: str, what: str) -> str:
    counted = WHAT[what][1].capitalize() if what else "Partnerships, asks, offers, plans and commitments"
    return f"{counted} in each council area" + (f": {_theme(theme).lower()}" if theme else "")


def _answers(areas: Sequence[Area], counts: Mapping[int, Mapping[str, int]], theme: str, what: str) -> tuple[str, ...]:
    """Which areas have none, and in how many there is something."""
    asked = [what] if what else ["partnership"]
    none = [area.name for area in _without(areas, counts, asked)]
    name = " ".join(part for part in (_theme(theme).lower() if theme else "", WHAT[asked[0]][0]) if part)
    if not areas:
        return ()
    if not none:
        return (f"Every one of the {len(areas):,} council areas has at least one {name}.",)
    listed = ", ".join(none[:_NAMED]) + (f" and {len(none) - _NAMED:,} more" if len(none) > _NAMED else "")
    have = "has" if len(none) == 1 else "have"
    without = f"{len(none):,} of {len(areas):,} council areas {have} no {name}: {listed}."
    some = [area.name for area in areas if area.name not in set(none)]
    if not some or len(some) > _NAMED or len(some) >= len(none):
        return (without,)
    alone = "has" if len(some) == 1 else "have"
    return (f"Only {get_text_list(some, 'and')} {alone} at least one {name}.", without)


COVERAGE = Report(
    slug="coverage",
    title="Coverage of council areas",
    about="Partnerships, asks, offers, plans and commitments in each council area by theme, and where there are none.",
    group="Partnerships",
    form=_Filters,
    compute=_compute,
)
