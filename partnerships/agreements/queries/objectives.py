"""Read objectives: where each stands, and what serves it, as far as the reader may see."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import QuerySet
from django.utils import timezone

from partnerships.agreements.models import (
    Objective,
    ObjectiveLink,
    ObjectiveProgress,
    ObjectiveStatus,
    Partnership,
    Party,
    PartyRole,
)
from partnerships.agreements.models.pace import Pace, pace
from partnerships.agreements.serving import Served, provider_of
from partnerships.kit.dates import long_date
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.queries import with_account
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User

#: The words of a tag, and the code whose colour it has.
TAGS = {
    "met": ("Met", "met"),
    "dropped": ("Dropped", "withdrawn"),
    "on_track": ("On track", "agreed"),
    "behind": ("Behind", "late"),
    "no_report": ("No report yet", "draft"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A link of an objective with its record, or None if the person may not read it."""

    link: ObjectiveLink
    served: Served | None


@dataclass(frozen=True, slots=True)
class Standing:
    """An objective with where it stands and what serves it.

    `lines` are the links by provider code. `tag` and `words` say in a word and a sentence whether it keeps pace.
    """

    objective: Objective
    reports: Sequence[ObjectiveProgress]
    pace: Pace
    tag: str
    words: str
    trend: str
    lines: Mapping[str, list[Line]]

    @property
    def label(self) -> str:
        """The word of its tag."""
        return TAGS[self.tag][0]

    @property
    def colour(self) -> str:
        """The code of its tag's colour."""
        return TAGS[self.tag][1]

    @property
    def latest(self) -> ObjectiveProgress | None:
        """The newest report."""
        return self.reports[0] if self.reports else None

    @property
    def now(self) -> str:
        """The newest figure in words; empty before the first report."""
        return self.objective.in_words(self.pace.figure) if self.reports else ""

    @property
    def target(self) -> str:
        """The target in words."""
        return self.objective.in_words(self.objective.target)

    @property
    def blocked_by(self) -> str:
        """What blocks it, by the newest report."""
        return self.latest.blocked_by if self.latest else ""

    @property
    def commitments(self) -> str:
        """Such as "3, 1 overdue"; those that the reader may see."""
        served = [line.served for line in self.lines.get("commitment", []) if line.served]
        late = sum(line.is_overdue for line in served)
        return f"{len(served)}, {late} overdue" if late else str(len(served)) if served else ""

    @property
    def figures(self) -> list[Served]:
        """Figures of plans that the reader may see."""
        return [line.served for line in self.lines.get("plan", []) if line.served]


def _said(objective: Objective, found: Pace, reported: bool, today: dt.date) -> tuple[str, str]:
    """A code for the tag, and the sentence."""
    expected = objective.in_words(_rounded(found.expected, (objective.baseline, objective.target, found.figure)))
    if objective.status == ObjectiveStatus.MET:
        return "met", f"Met. {objective.status_reason}"
    if objective.status == ObjectiveStatus.DROPPED:
        return "dropped", f"Dropped. {objective.status_reason}"
    if reported and found.is_reached:
        return "on_track", "The target is reached."
    if today > objective.target_on:
        return "behind", f"The target date has passed: {objective.in_words(objective.target)} was the target."
    if not reported:
        return "no_report", "No progress has been reported yet."
    on = long_date(found.on)
    if found.is_on_track:
        return "on_track", f"On track: with steady progress it would be {expected} on {on}."
    return "behind", f"Behind: with steady progress it would be {expected} on {on}."


def _rounded(expected: Decimal, figures: Iterable[Decimal]) -> Decimal:
    """As a whole number where all other figures are whole."""
    whole = all(figure == figure.to_integral_value() for figure in figures)
    return expected.quantize(Decimal(1), ROUND_HALF_UP) if whole else expected


def _moved(objective: Objective, expected: Pace) -> str:
    if expected.change is None or expected.since is None:
        return ""
    since = long_date(expected.since)
    if expected.change == 0:
        return f"No change since {since}"
    return f"{'Up' if expected.change > 0 else 'Down'} {objective.in_words(abs(expected.change))} since {since}"


def standing_of(
    objective: Objective, reports: Sequence[ObjectiveProgress], lines: Mapping[str, list[Line]], today: dt.date
) -> Standing:
    """Where an objective stands; `reports` are newest first."""
    expected = pace(
        [(report.on, report.figure) for report in reversed(reports)],
        start=(objective.baseline_on, objective.baseline),
        goal=(objective.target_on, objective.target),
        today=today,
    )
    tag, words = _said(objective, expected, bool(reports), today)
    return Standing(
        objective=objective,
        reports=reports,
        pace=expected,
        tag=tag,
        words=words,
        trend=_moved(objective, expected),
        lines=lines,
    )


def standings(
    user: User, partnership: Partnership, former: Party | None, today: dt.date, only: int | None = None
) -> list[Standing]:
    """The objectives of a partnership in their order, with where they stand.

    For a former party as they were when it left, without what serves them. `only` one of them, if it is given.
    """
    if former is None:
        objectives = rows_for(_objectives_of, partnership.pk)
    else:
        assert former.left_at is not None
        objectives = _objectives_then(partnership, former.left_at)
        today = timezone.localdate(former.left_at)
    objectives = [objective for objective in objectives if only is None or objective.pk == only]
    if not objectives:
        return []
    reports = reports_of(objectives, former.left_at if former else None)
    lines = {} if former else _lines_of(user, objectives)
    return [
        standing_of(objective, reports[objective.pk], lines.get(objective.pk, {}), today) for objective in objectives
    ]


def _objectives_of(partnership: int) -> QuerySet[Objective]:
    rows = Objective.objects.filter(partnership=partnership)
    return rows.select_related("organisation", "owner").order_by("position", "pk")


def reports_of(objectives: Iterable[Objective], until: dt.datetime | None = None) -> dict[int, list[ObjectiveProgress]]:
    """The reports of each objective, newest first; one query."""
    rows = ObjectiveProgress.objects.filter(objective__in=[objective.pk for objective in objectives])
    if until is not None:
        rows = rows.filter(at__lte=until)
    reports: dict[int, list[ObjectiveProgress]] = defaultdict(list)
    for row in rows.select_related("by", "organisation").order_by("-on", "-pk"):
        reports[row.objective_id].append(row)
    return reports


def _lines_of(user: User, objectives: Iterable[Objective]) -> dict[int, dict[str, list[Line]]]:
    """The links of each objective by provider, with what the person may read of them."""
    links = list(ObjectiveLink.objects.filter(objective__in=[objective.pk for objective in objectives]).order_by("pk"))
    keys: dict[str, set[str]] = defaultdict(set)
    for link in links:
        keys[link.provider].add(link.key)
    read = {
        code: provider.read(user, keys_of_kind)
        for code, keys_of_kind in keys.items()
        if (provider := provider_of(code))
    }
    lines: dict[int, dict[str, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for link in links:
        lines[link.objective_id][link.provider].append(Line(link, read.get(link.provider, {}).get(link.key)))
    return lines


def _objectives_then(partnership: Partnership, left_at: dt.datetime) -> list[Objective]:
    """The objectives as they were at a moment, in their order.

    Never save the result.
    """
    rows = Objective.pgh_event_model.objects.filter(partnership_id=partnership.pk, pgh_created_at__lte=left_at)  # type: ignore[attr-defined]  # made by pghistory
    names = [field.attname for field in Objective._meta.concrete_fields if not field.primary_key]
    newest = rows.order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id")
    objectives = [Objective(pk=row.pgh_obj_id, **{name: getattr(row, name) for name in names}) for row in newest]
    bodies = Organisation.objects.in_bulk([objective.organisation_id for objective in objectives])
    for objective in objectives:
        objective.organisation = bodies[objective.organisation_id]
    return sorted(objectives, key=lambda objective: (objective.position, objective.pk))


def organisations_for(partnership: Partnership) -> QuerySet[Organisation]:
    """Organisations that can answer for an objective: present, not observers."""
    parties = partnership.parties.present().exclude(role=PartyRole.OBSERVER)
    return Organisation.objects.filter(pk__in=parties.values("organisation")).order_by("name", "pk")


def people_for(partnership: Partnership) -> QuerySet[User]:
    """People with an account who act for them."""
    acting = Membership.objects.current().filter(organisation__in=organisations_for(partnership).values("pk"))
    return with_account(User.objects.filter(pk__in=acting.values("person")))
