"""Read objectives with their progress, and the records that serve them."""

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
from partnerships.agreements.serving import ServingRecord, provider_of
from partnerships.kit.dates import long_date
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.queries import with_account
from partnerships.organisations.statements import Lookup, lookup, read_ahead, rows_for
from partnerships.people.models import User

#: The label of each tag, and the code of its colour.
TAGS = {
    "met": ("Met", "met"),
    "dropped": ("Dropped", "withdrawn"),
    "on_track": ("On track", "agreed"),
    "behind": ("Behind", "late"),
    "no_report": ("No report yet", "draft"),
}


@dataclass(frozen=True, slots=True)
class ServingLink:
    """A link from an objective to a record that serves it."""

    link: ObjectiveLink
    #: The record, or None if the person may not read it.
    served: ServingRecord | None


@dataclass(frozen=True, slots=True)
class ObjectiveState:
    """An objective with its progress on a day, and the records that serve it."""

    objective: Objective
    #: The reports of progress, newest first.
    reports: Sequence[ObjectiveProgress]
    pace: Pace
    #: Whether the objective is on track, as a code of `TAGS` and as a sentence.
    tag: str
    words: str
    #: How the figure has changed, such as "Up 10 homes since 1 May 2027". Empty before the second report.
    trend: str
    #: The links by the code of their provider.
    lines: Mapping[str, list[ServingLink]]

    @property
    def label(self) -> str:
        """Return the label of the tag."""
        return TAGS[self.tag][0]

    @property
    def colour(self) -> str:
        """Return the code of the colour of the tag."""
        return TAGS[self.tag][1]

    @property
    def latest(self) -> ObjectiveProgress | None:
        """Return the newest report, or None."""
        return self.reports[0] if self.reports else None

    @property
    def now(self) -> str:
        """Return the newest figure in words, or "" before the first report."""
        return self.objective.in_words(self.pace.figure) if self.reports else ""

    @property
    def target(self) -> str:
        """Return the target in words."""
        return self.objective.in_words(self.objective.target)

    @property
    def blocked_by(self) -> str:
        """Return the reason why the objective is blocked, from its newest report."""
        return self.latest.blocked_by if self.latest else ""

    @property
    def commitments(self) -> str:
        """Return how many commitments serve the objective, such as "3" or "3, 1 overdue", or "" for none.

        Only commitments that the reader may see are included.
        """
        commitments = [line.served for line in self.lines.get("commitment", []) if line.served]
        if not commitments:
            return ""
        overdue_count = sum(commitment.is_overdue for commitment in commitments)
        if overdue_count == 0:
            return str(len(commitments))
        return f"{len(commitments)}, {overdue_count} overdue"

    @property
    def figures(self) -> list[ServingRecord]:
        """Return the figures of plans that serve the objective, as far as the reader may see them."""
        return [line.served for line in self.lines.get("plan", []) if line.served]


def _tag_and_sentence(
    objective: Objective, current_pace: Pace, *, has_reports: bool, today: dt.date
) -> tuple[str, str]:
    """Return the code of the tag, and a sentence that explains the tag."""
    if objective.status == ObjectiveStatus.MET:
        return "met", f"Met. {objective.status_reason}"
    if objective.status == ObjectiveStatus.DROPPED:
        return "dropped", f"Dropped. {objective.status_reason}"
    if has_reports and current_pace.is_reached:
        return "on_track", "The target is reached."
    if today > objective.target_on:
        return "behind", f"The target date has passed. The target was {objective.in_words(objective.target)}."
    if not has_reports:
        return "no_report", "No progress has been reported yet."
    # If people enter whole numbers only, the expected figure should not show decimals.
    other_figures = (objective.baseline, objective.target, current_pace.figure)
    expected = objective.in_words(_rounded(current_pace.expected, other_figures))
    day = long_date(current_pace.on)
    if current_pace.is_on_track:
        return "on_track", f"On track. With steady progress the figure would be {expected} on {day}."
    return "behind", f"Behind. With steady progress the figure would be {expected} on {day}."


def _rounded(expected: Decimal, other_figures: Iterable[Decimal]) -> Decimal:
    """Return the expected figure, as a whole number if all other figures are whole numbers."""
    are_whole = all(figure == figure.to_integral_value() for figure in other_figures)
    return expected.quantize(Decimal(1), ROUND_HALF_UP) if are_whole else expected


def _trend_in_words(objective: Objective, current_pace: Pace) -> str:
    """Return how the figure has changed since the previous report, or "" without a previous report."""
    if current_pace.change is None or current_pace.since is None:
        return ""
    since = long_date(current_pace.since)
    if current_pace.change == 0:
        return f"No change since {since}"
    direction = "Up" if current_pace.change > 0 else "Down"
    return f"{direction} {objective.in_words(abs(current_pace.change))} since {since}"


def state_of_objective(
    objective: Objective, reports: Sequence[ObjectiveProgress], lines: Mapping[str, list[ServingLink]], today: dt.date
) -> ObjectiveState:
    """Return the progress of an objective. The reports must be given newest first."""
    current_pace = pace(
        [(report.on, report.figure) for report in reversed(reports)],
        start=(objective.baseline_on, objective.baseline),
        goal=(objective.target_on, objective.target),
        today=today,
    )
    tag, sentence = _tag_and_sentence(objective, current_pace, has_reports=bool(reports), today=today)
    return ObjectiveState(
        objective=objective,
        reports=reports,
        pace=current_pace,
        tag=tag,
        words=sentence,
        trend=_trend_in_words(objective, current_pace),
        lines=lines,
    )


def objective_states(
    user: User, partnership: Partnership, former: Party | None, today: dt.date, only_id: int | None = None
) -> list[ObjectiveState]:
    """Return the progress of each objective of a partnership, in their order.

    With `only_id`, only the objective with this id is returned. People of a former party (`former`) read the objectives
    as they were when it left, without the records that serve them.
    """
    if former is None:
        day = today
        objectives = rows_for(_objectives_of, partnership.pk)
    else:
        assert former.left_at is not None  # set when a party leaves
        day = timezone.localdate(former.left_at)
        objectives = _objectives_at(partnership, former.left_at)
    if only_id is not None:
        objectives = [objective for objective in objectives if objective.pk == only_id]
    if not objectives:
        return []

    objective_ids = [objective.pk for objective in objectives]
    if former is None:
        read_ahead([lookup(_reports_of, objective_ids), lookup(_links_among, objective_ids)])
    reports = reports_of(objectives, until=former.left_at if former else None)
    lines = {} if former else _links_of(user, objectives)
    return [
        state_of_objective(objective, reports[objective.pk], lines.get(objective.pk, {}), day)
        for objective in objectives
    ]


def _objectives_of(partnership_id: int) -> QuerySet[Objective]:
    """Return the objectives of the partnership, in their order."""
    rows = Objective.objects.filter(partnership=partnership_id)
    return rows.select_related("organisation", "owner").order_by("position", "pk")


def reports_of(objectives: Iterable[Objective], until: dt.datetime | None = None) -> dict[int, list[ObjectiveProgress]]:
    """Return the progress reports by id of the objective, newest first. Makes one query.

    With `until`, only the reports made up to that moment are returned.
    """
    moments = [] if until is None else [until]
    return by_objective(rows_for(_reports_of, [objective.pk for objective in objectives], *moments))


def by_objective(reports: Iterable[ObjectiveProgress]) -> dict[int, list[ObjectiveProgress]]:
    """Return these progress reports by id of the objective, in their order."""
    reports_by_objective: dict[int, list[ObjectiveProgress]] = defaultdict(list)
    for report in reports:
        reports_by_objective[report.objective_id].append(report)
    return reports_by_objective


def _reports_of(objective_ids: list[int], until: dt.datetime | None = None) -> QuerySet[ObjectiveProgress]:
    """Return the query for the progress reports of these objectives, newest first."""
    rows = ObjectiveProgress.objects.filter(objective__in=objective_ids)
    if until is not None:
        rows = rows.filter(at__lte=until)
    return rows.select_related("by", "organisation").order_by("-on", "-pk")


def _links_of(user: User, objectives: Iterable[Objective]) -> dict[int, dict[str, list[ServingLink]]]:
    """Return the links by id of the objective and code of the provider.

    Each link has its record if the person may read the record.
    """
    links = rows_for(_links_among, [objective.pk for objective in objectives])
    keys_by_provider: dict[str, set[str]] = defaultdict(set)
    for link in links:
        keys_by_provider[link.provider].add(link.key)

    # One call for each provider reads all its records. If the provider no longer exists, the links have no record.
    records_by_provider: dict[str, Mapping[str, ServingRecord]] = {}
    for code, keys in keys_by_provider.items():
        provider = provider_of(code)
        if provider is not None:
            records_by_provider[code] = provider.read(user, keys)

    lines: dict[int, dict[str, list[ServingLink]]] = defaultdict(lambda: defaultdict(list))
    for link in links:
        records = records_by_provider.get(link.provider, {})
        lines[link.objective_id][link.provider].append(ServingLink(link=link, served=records.get(link.key)))
    return lines


def _links_among(objective_ids: list[int]) -> QuerySet[ObjectiveLink]:
    """Return the links of these objectives, the oldest first."""
    return ObjectiveLink.objects.filter(objective__in=objective_ids).order_by("pk")


def objectives_lookup(partnership_id: int) -> Lookup:
    """Return the query with which `objective_states` begins, so that `read_ahead` can run it with others."""
    return lookup(_objectives_of, partnership_id)


def _objectives_at(partnership: Partnership, left_at: dt.datetime) -> list[Objective]:
    """Return the objectives as they were at a moment, in their order. Never save them."""
    history = Objective.pgh_event_model.objects.filter(partnership_id=partnership.pk, pgh_created_at__lte=left_at)  # type: ignore[attr-defined]  # made by pghistory
    newest_rows = history.order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id")
    columns = [field.attname for field in Objective._meta.concrete_fields if not field.primary_key]
    objectives = []
    for row in newest_rows:
        values = {column: getattr(row, column) for column in columns}
        objectives.append(Objective(pk=row.pgh_obj_id, **values))
    organisation_by_pk = Organisation.objects.in_bulk([objective.organisation_id for objective in objectives])
    for objective in objectives:
        objective.organisation = organisation_by_pk[objective.organisation_id]
    return sorted(objectives, key=lambda objective: (objective.position, objective.pk))


def choosable_organisations(partnership: Partnership) -> QuerySet[Organisation]:
    """Return the organisations that can be responsible for an objective.

    They are the present parties that are not observers.
    """
    parties = partnership.parties.accepted().exclude(role=PartyRole.OBSERVER)
    return Organisation.objects.filter(pk__in=parties.values("organisation")).order_by("name", "pk")


def choosable_people(partnership: Partnership) -> QuerySet[User]:
    """Return the people with an account who act for an organisation that can be responsible for an objective."""
    acting = Membership.objects.current().filter(organisation__in=choosable_organisations(partnership).values("pk"))
    return with_account(User.objects.filter(pk__in=acting.values("person")))
