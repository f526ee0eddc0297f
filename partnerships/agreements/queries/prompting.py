"""Find objectives and terms for agendas, progress reports and lists of stuck records."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.agenda import AgendaSuggestion, LookBack, Purpose, ids_of
from partnerships.agreements.figures import FigureBlock, FigureLine, ReportPeriod
from partnerships.agreements.models import (
    Objective,
    ObjectiveProgress,
    ObjectiveStatus,
    Partnership,
    ProposalStatus,
    TermsProposal,
    TermsSignatory,
)
from partnerships.agreements.queries.objectives import ObjectiveState, by_objective, reports_of, state_of_objective
from partnerships.agreements.stuck import StuckRecord
from partnerships.kit.dates import long_date
from partnerships.kit.text import shorten
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User

#: Terms are stuck if a party has not signed them for this many days.
UNSIGNED_DAYS = 14
#: A draft is stuck if nobody has changed it for this many days.
UNTOUCHED_DAYS = 30
#: How many objectives or amendments an item of an agenda names.
_MAX_NAMES = 6


def _open_objectives(**conditions: object) -> QuerySet[Objective]:
    """Return the open objectives that meet these conditions, in the order of their partnerships."""
    rows = Objective.objects.filter(status=ObjectiveStatus.OPEN, **conditions)
    return rows.select_related("organisation", "partnership").order_by("partnership", "position", "pk")


def open_objective_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> QuerySet[Objective]:
    """Return the open objectives of these partnerships."""
    return _open_objectives(partnership__in=partnership_ids)


def open_objective_report_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> QuerySet[ObjectiveProgress]:
    """Return the progress reports of the open objectives of these partnerships, newest first."""
    reports = ObjectiveProgress.objects.filter(
        objective__partnership__in=partnership_ids, objective__status=ObjectiveStatus.OPEN
    )
    return reports.select_related("by", "organisation").order_by("-on", "-pk")


def _states_of(
    objectives: Iterable[Objective], reports: Mapping[int, list[ObjectiveProgress]], today: dt.date
) -> list[ObjectiveState]:
    """Return the objectives with their progress, without the records that serve them.

    `reports` are the progress reports by id of the objective, newest first.
    """
    return [state_of_objective(objective, reports.get(objective.pk, []), {}, today) for objective in objectives]


def _is_stuck(state: ObjectiveState) -> bool:
    """Return whether the objective is behind or blocked."""
    return state.tag == "behind" or bool(state.blocked_by)


def readable_objective_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> QuerySet[Objective]:
    """Return the open objectives of these partnerships that the person may see."""
    readable = Objective.objects.visible_to(user).filter(partnership__in=partnership_ids).values("pk")
    return _open_objectives(pk__in=readable)


def stuck_objectives(user: User, partnership_ids: list[int], now: dt.datetime) -> list[StuckRecord]:
    """Return the objectives of these partnerships that are blocked or behind."""
    objectives = rows_for(readable_objective_rows, user, partnership_ids, now)
    objective_states = _states_of(objectives, reports_of(objectives), timezone.localdate(now))
    return [_stuck_objective(state) for state in objective_states if _is_stuck(state)]


def _stuck_objective(state: ObjectiveState) -> StuckRecord:
    """Return the entry about an objective that is behind or blocked."""
    objective, blocked_by = state.objective, state.blocked_by
    return StuckRecord(
        partnership_id=objective.partnership_id,
        what="Objective blocked" if blocked_by else "Objective behind",
        title=f"{objective.text}: {blocked_by}" if blocked_by else objective.text,
        path=objective.get_absolute_url(),
        since=state.latest.on if state.latest else objective.target_on,
        waits_for=objective.organisation.display_name,
    )


def unsigned_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> QuerySet[TermsSignatory]:
    """Return the parties of these partnerships that have not signed terms for `UNSIGNED_DAYS`."""
    readable_partnerships = Partnership.objects.readable_today_by(user).filter(pk__in=partnership_ids)
    return TermsSignatory.objects.waiting().filter(
        version__partnership__in=readable_partnerships.values("pk"),
        asked_at__lte=now - dt.timedelta(days=UNSIGNED_DAYS),
    )


def untouched_draft_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> QuerySet[TermsProposal]:
    """Return the drafts of terms of these partnerships that were not changed for `UNTOUCHED_DAYS`."""
    drafts = TermsProposal.objects.draft_visible_to(user).filter(
        partnership__in=partnership_ids,
        status=ProposalStatus.DRAFTING,
        updated_at__lte=now - dt.timedelta(days=UNTOUCHED_DAYS),
    )
    return drafts.select_related("partnership", "proposed_by").order_by("pk")


def stuck_terms(user: User, partnership_ids: list[int], now: dt.datetime) -> list[StuckRecord]:
    """Return terms that were not signed for `UNSIGNED_DAYS`, and drafts that were not changed for `UNTOUCHED_DAYS`."""
    unsigned_terms = [
        StuckRecord(
            partnership_id=signatory.version.partnership_id,
            what="Terms not signed",
            title=f"{signatory.version.partnership.title}, version {signatory.version.number}",
            path=signatory.version.get_absolute_url(),
            since=timezone.localdate(signatory.asked_at),
            waits_for=signatory.organisation.display_name,
        )
        for signatory in rows_for(unsigned_rows, user, partnership_ids, now)
    ]
    untouched_drafts = [
        StuckRecord(
            partnership_id=draft.partnership_id,
            what="Draft of terms not changed for a while",
            title=draft.partnership.title if draft.is_first else f"{draft.name}: {draft.reason}"[:120],
            path=draft.get_absolute_url(),
            since=timezone.localdate(draft.updated_at),
            waits_for=draft.proposed_by.display_name,
        )
        for draft in rows_for(untouched_draft_rows, user, partnership_ids, now)
    ]
    return unsigned_terms + untouched_drafts


def suggest_objectives(user: User, partnerships: Sequence[Partnership], since: LookBack) -> list[AgendaSuggestion]:
    """Return an agenda item for each partnership with objectives that are blocked or behind."""
    partnership_ids = ids_of(partnerships)
    objectives = rows_for(open_objective_rows, user, partnership_ids, since.now)
    reports = by_objective(rows_for(open_objective_report_rows, user, partnership_ids, since.now))
    stuck_by_partnership: dict[int, list[ObjectiveState]] = defaultdict(list)
    for state in _states_of(objectives, reports, timezone.localdate(since.now)):
        if _is_stuck(state):
            stuck_by_partnership[state.objective.partnership_id].append(state)
    return [_objectives_suggestion(partnership, states) for partnership, states in stuck_by_partnership.items()]


def _objectives_suggestion(partnership_id: int, stuck_states: Sequence[ObjectiveState]) -> AgendaSuggestion:
    """Return the agenda item that names these objectives, which are blocked or behind."""
    names = [f"{state.objective.text} ({state.label.lower()})" for state in stuck_states[:_MAX_NAMES]]
    if len(stuck_states) == 1:
        title = "An objective needs attention"
    else:
        title = f"{len(stuck_states)} objectives need attention"
    return AgendaSuggestion(
        partnership_id=partnership_id,
        subject_kind="partnership",
        subject_id=partnership_id,
        title=title,
        path=reverse("agreements:objectives", args=[partnership_id]),
        purpose=Purpose.DISCUSSION,
        detail=shorten("; ".join(names), 300),
    )


def suggest_terms(user: User, partnerships: Sequence[Partnership], since: LookBack) -> list[AgendaSuggestion]:
    """Return an agenda item for each partnership with terms that are awaiting signatures."""
    names_by_partnership: dict[int, list[str]] = defaultdict(list)
    for proposal in rows_for(awaiting_terms_rows, user, ids_of(partnerships), since.now):
        if proposal.is_first:
            name = "The first terms"
        else:
            name = f"{proposal.name} of {proposal.proposed_by.display_name}"
        names_by_partnership[proposal.partnership_id].append(name)
    return [
        AgendaSuggestion(
            partnership_id=partnership,
            subject_kind="partnership",
            subject_id=partnership,
            title="Terms waiting for signatures",
            path=reverse("agreements:terms", args=[partnership]),
            purpose=Purpose.DECISION,
            detail=shorten("; ".join(names[:_MAX_NAMES]), 300),
        )
        for partnership, names in names_by_partnership.items()
    ]


def awaiting_terms_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> QuerySet[TermsProposal]:
    """Return the terms of these partnerships that are awaiting signatures."""
    proposals = TermsProposal.objects.filter(partnership__in=partnership_ids, status=ProposalStatus.AWAITING)
    return proposals.select_related("proposed_by").order_by("partnership", "number")


def objectives_in_period(period: ReportPeriod) -> FigureBlock | None:
    """Return the party's open objectives for its progress report, or None if it has none."""
    party = period.party
    rows = list(_open_objectives(partnership=party.partnership_id, organisation=party.organisation_id))
    objectives = _states_of(rows, reports_of(rows), period.today)
    if not objectives:
        return None
    stuck_count = sum(_is_stuck(state) for state in objectives)
    reported = [state for state in objectives if any(period.covers(report.on) for report in state.reports)]
    lines = [
        FigureLine(state.objective.text, _figure(state), state.objective.get_absolute_url()) for state in objectives
    ]
    summary = f"{len(objectives)} open, {len(reported)} reported on in this period, {stuck_count} behind or blocked."
    return FigureBlock("Objectives", summary, lines)


def _figure(state: ObjectiveState) -> str:
    """Return the progress in words, for example "30 homes of 100 homes, behind, blocked: no consent"."""
    figure = f"no report yet, target {state.target}"
    if state.now:
        figure = f"{state.now} of {state.target}"
    parts = [figure, state.label.lower()]
    if state.blocked_by:
        parts.append(f"blocked: {state.blocked_by}")
    return ", ".join(parts)


def terms_in_period(period: ReportPeriod) -> FigureBlock | None:
    """Return the party's amendments and the terms that it has to sign, for its progress report, or None.

    Its amendments are included if they await signatures or were decided in the period.
    """
    party = period.party
    # Amendments are based on a version of the terms; first terms are not.
    own_proposals = TermsProposal.objects.filter(
        partnership=party.partnership_id, proposed_by=party.organisation_id, based_on__isnull=False
    ).exclude(status=ProposalStatus.DRAFTING)
    requests = TermsSignatory.objects.waiting().filter(
        version__partnership=party.partnership_id, organisation=party.organisation_id
    )

    lines: list[FigureLine] = []
    for proposal in own_proposals.order_by("number"):
        if proposal.is_awaiting_signatures or period.covers(_decided_on(proposal)):
            title = f"{proposal.name}: {proposal.reason}"[:120]
            lines.append(FigureLine(title, proposal.get_status_display().lower()))
    proposed_count = len(lines)
    for signatory in requests:
        title = f"Version {signatory.version.number} of the terms"
        status = f"to sign by {long_date(signatory.due_on)}" if signatory.due_on else "to sign"
        lines.append(FigureLine(title, status, signatory.version.get_absolute_url()))
    if not lines:
        return None
    summary = f"{proposed_count} proposed, {len(lines) - proposed_count} to sign."
    return FigureBlock("Terms", summary, lines)


def _decided_on(proposal: TermsProposal) -> dt.date | None:
    """Return the day on which the proposal was decided, or None."""
    return timezone.localdate(proposal.decided_at) if proposal.decided_at else None
