"""What stands in each council area by theme, from partnerships to commitments, and where there is none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from django import forms
from django.http import QueryDict

from partnerships.agreements.models import Partnership, Party
from partnerships.commitments.models import OVER as OVER_COMMITMENTS
from partnerships.commitments.models import Commitment
from partnerships.exchange.models import Entry, Fulfilment, Theme
from partnerships.organisations.audience import Reader
from partnerships.organisations.models import Area
from partnerships.plans.models import OVER as OVER_PLANS
from partnerships.plans.models import Plan, PlanOwner, Site
from partnerships.reports.kinds.districts import DistrictFilters, Districts
from partnerships.reports.registry import Asked, Report
from partnerships.reports.snapshot import AreaMap, Column, Kind, Row, Snapshot, Source, Table

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
#: Themes of kinds of plan and partnership that are about one.
_OF_PLANS = {
    "homelessness": "homelessness",
    "regeneration": "regeneration",
    "local_plan": "planning",
    "allocations": "nominations",
    "brownfield_land": "land",
}
_OF_PARTNERSHIPS = {"nominations": "nominations", "nominations_agreement": "nominations", "data_sharing": "data"}
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

    def __init__(self, parameters: QueryDict, reader: Reader) -> None:
        super().__init__(parameters, reader)
        fields: Mapping[str, Any] = self.fields
        fields["theme"].choices = [("", "Any theme"), *Theme.all_choices()]
        self.order_fields(["theme", "what", "area", "council", "within"])


@dataclass(slots=True)
class _Standing:
    """A record: what it is, its themes, the districts where it stands, and its partnership."""

    what: str
    themes: set[str]
    districts: set[int] = field(default_factory=set)
    partnership: int | None = None


def _compute(asked: Asked) -> Snapshot:
    """What partnerships, entries, plans and commitments there are in each council area."""
    districts = Districts.on(asked.today)
    areas = districts.chosen(asked.filters)
    standing = standing_for(asked.reader, districts)
    theme, what = asked.filters.get("theme") or "", asked.filters.get("what") or ""
    counts = _counted(one for one in standing if not what or one.what == what)
    by_kind = _by_kind(areas, standing, theme)
    tables = [
        _kinds_table(areas, districts.councils(), by_kind, theme),
        _themes_table(areas, counts, what),
    ]
    return Snapshot(
        report=COVERAGE.slug,
        title=COVERAGE.title,
        made_at=asked.now,
        made_for=asked.made_for,
        filters=asked.words,
        answers=_answers(areas, by_kind, theme, what),
        tables=tuple(tables),
        maps=(AreaMap(_map_title(theme, what), "areas", _place(what), _LIMITS),) if areas else (),
        sources=(Source("Partnerships, asks and offers, plans and commitments in Common Ground", asked.today),),
        notes=_NOTES,
    )


_NOTES = (
    "Only what the reader may see is counted: where nothing is shown here, others may see something.",
    "It counts live partnerships, open asks and offers, and published plans that are not superseded or closed.",
    "Commitments count until they are verified, cancelled or superseded.",
    "An ask or offer counts in the areas that it names, otherwise in those of its partnership or organisation.",
    "A commitment counts where the asks and offers that it meets do, otherwise where its partnership or its sides do.",
    "A plan counts where its sites are, otherwise where its partnership or its owners are.",
    "A partnership counts in its areas, otherwise in those of its parties. Of several bodies the councils decide.",
    "A partnership is about a theme if its kind is, or if one of its asks, offers, commitments or plans is.",
    "A plan is about a theme if its kind is. A commitment is if an ask or offer that it meets is.",
    "Records in the area of a council that ended count in that of the one council that followed it.",
    "Where a council was divided, records in its area are not counted.",
)


def standing_for(reader: Reader, districts: Districts) -> list[_Standing]:
    """Everything that the reader may see and that stands somewhere, with its districts; a dozen queries."""
    partnerships = _partnerships(reader, districts)
    entries = _entries(reader, districts, partnerships)
    commitments = _commitments(reader, districts, partnerships, entries)
    plans = _plans(reader, districts, partnerships)
    for one in (*entries.values(), *commitments, *plans):
        if one.partnership in partnerships:
            partnerships[one.partnership].themes |= one.themes
    found = [*partnerships.values(), *entries.values(), *commitments, *plans]
    for one in found:
        one.themes = one.themes - {_NONE} or {_NONE}
    return found


def _partnerships(reader: Reader, districts: Districts) -> dict[int, _Standing]:
    """Live partnerships with their districts; without areas, those of their parties."""
    live = Partnership.objects.known_today_to(reader).live()
    found = {
        pk: _Standing("partnership", {_OF_PARTNERSHIPS.get(str(kind), _NONE)})
        for pk, kind in live.values_list("pk", "kind_id")
    }
    areas = Partnership.areas.through.objects.filter(partnership__in=found)
    for pk, area in areas.values_list("partnership_id", "area_id"):
        found[pk].districts |= districts.of_areas([area])
    bare = [pk for pk, one in found.items() if not one.districts]
    parties = Party.objects.present().filter(partnership__in=bare)
    bodies: dict[int, list[int]] = defaultdict(list)
    for pk, body in parties.values_list("partnership_id", "organisation_id"):
        bodies[pk].append(body)
    for pk, some in bodies.items():
        found[pk].districts = districts.of_bodies(some)
    return found


def _entries(reader: Reader, districts: Districts, partnerships: Mapping[int, _Standing]) -> dict[int, _Standing]:
    rows = list(
        Entry.objects.followed_by(reader)
        .live()
        .values_list("pk", "direction", "theme", "organisation_id", "partnership_id")
    )
    found = {pk: _Standing(direction, {theme}, partnership=within) for pk, direction, theme, _, within in rows}
    for pk, area in Entry.areas.through.objects.filter(entry__in=found).values_list("entry_id", "area_id"):
        found[pk].districts |= districts.of_areas([area])
    for pk, _, _, body, within in rows:
        _else_at(found[pk], [body], within, partnerships, districts)
    return found


def _commitments(
    reader: Reader,
    districts: Districts,
    partnerships: Mapping[int, _Standing],
    entries: Mapping[int, _Standing],
) -> list[_Standing]:
    """Open commitments, with themes and districts of the entries they meet, else of their sides."""
    rows = list(
        Commitment.objects.followed_by(reader)
        .exclude(status__in=OVER_COMMITMENTS)
        .values_list("pk", "giver_id", "receiver_id", "partnership_id")
    )
    met: dict[int, list[_Standing]] = defaultdict(list)
    for commitment, entry, theme in Fulfilment.objects.visible_to(reader).values_list(
        "commitment_id", "entry_id", "entry__theme"
    ):
        met[commitment].append(entries.get(entry) or _Standing("", {theme}))
    found = []
    for pk, giver, receiver, within in rows:
        one = _Standing("commitment", set(), set(), within)
        for known in met[pk]:
            one.themes |= known.themes
            one.districts |= known.districts
        one.themes = one.themes or {_NONE}
        _else_at(one, [body for body in (giver, receiver) if body], within, partnerships, districts)
        found.append(one)
    return found


def _plans(reader: Reader, districts: Districts, partnerships: Mapping[int, _Standing]) -> list[_Standing]:
    rows = Plan.objects.present_for(reader).exclude(status__in=OVER_PLANS).filter(current_number__gt=0)
    found = {
        pk: _Standing("plan", {_OF_PLANS.get(kind, _NONE)}, partnership=within)
        for pk, kind, within in rows.values_list("pk", "kind", "partnership_id")
    }
    sites = Site.objects.visible_to(reader).filter(plan__in=found, area__isnull=False)
    for pk, area in sites.values_list("plan_id", "area_id").distinct().order_by():
        found[pk].districts |= districts.of_areas([area])
    owners: dict[int, list[int]] = defaultdict(list)
    for pk, body in PlanOwner.objects.filter(plan__in=found).values_list("plan_id", "organisation_id"):
        owners[pk].append(body)
    for pk, one in found.items():
        _else_at(one, owners[pk], one.partnership, partnerships, districts)
    return list(found.values())


def _else_at(
    one: _Standing,
    bodies: Sequence[int],
    within: int | None,
    partnerships: Mapping[int, _Standing],
    districts: Districts,
) -> None:
    """Let a record without areas of its own stand where its partnership does, else where its bodies are."""
    if not one.districts and within is not None and within in partnerships:
        one.districts = set(partnerships[within].districts)
    if not one.districts:
        one.districts = districts.of_bodies(bodies)


def _counted(standing: Iterable[_Standing]) -> dict[tuple[int, str], int]:
    """How many stand in each district for each theme."""
    found: dict[tuple[int, str], int] = defaultdict(int)
    for one in standing:
        for area in one.districts:
            for theme in one.themes:
                found[area, theme] += 1
    return found


def _by_kind(areas: Sequence[Area], standing: Iterable[_Standing], theme: str) -> dict[int, dict[str, int]]:
    """How many of each kind stand in each district, for a theme or for all of them."""
    found: dict[int, dict[str, int]] = {area.pk: dict.fromkeys(WHAT, 0) for area in areas}
    for one in standing:
        if not theme or theme in one.themes:
            for area in one.districts & found.keys():
                found[area][one.what] += 1
    return found


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


def _themes_table(areas: Sequence[Area], counts: Mapping[tuple[int, str], int], what: str) -> Table:
    themes = [*Theme.by_code(), _NONE]
    columns = (Column("Council area"), *(Column(_theme(code), Kind.COUNT) for code in themes))
    rows = [Row((area.name, *(counts.get((area.pk, code), 0) for code in themes)), key=area.code) for area in areas]
    counted = WHAT[what][1] if what else "partnerships, asks, offers, plans and commitments together"
    return Table(
        "themes",
        f"By theme: {counted}",
        columns,
        tuple(rows),
        note="A record about two themes counts under both.",
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
    none = [area.name for area in areas if not any(counts[area.pk][one] for one in asked)]
    name = " ".join(part for part in (_theme(theme).lower() if theme else "", WHAT[asked[0]][0]) if part)
    if not areas:
        return ()
    if not none:
        return (f"Every one of the {len(areas):,} council areas has at least one {name}.",)
    listed = ", ".join(none[:_NAMED]) + (f" and {len(none) - _NAMED:,} more" if len(none) > _NAMED else "")
    have = "has" if len(none) == 1 else "have"
    return (f"{len(none):,} of {len(areas):,} council areas {have} no {name}: {listed}.",)


COVERAGE = Report(
    slug="coverage",
    title="Coverage of council areas",
    about="Partnerships, asks, offers, plans and commitments in each council area by theme, and where there are none.",
    group="Partnerships",
    form=_Filters,
    compute=_compute,
)
