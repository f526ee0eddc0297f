"""Objectives and terms, for agendas, progress reports and facilitators."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence

from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.agenda import Purpose, Since, Suggestion
from partnerships.agreements.figures import Asked, Block, Line
from partnerships.agreements.models import (
    Objective,
    ObjectiveStatus,
    Partnership,
    ProposalStatus,
    TermsProposal,
    TermsSignatory,
)
from partnerships.agreements.queries.objectives import Standing, reports_of, standing_of
from partnerships.agreements.stuck import Stuck
from partnerships.kit.dates import long_date
from partnerships.kit.text import shorten
from partnerships.people.models import User

#: Days after which a signature that was asked for counts as stuck.
UNSIGNED_DAYS = 14
#: Days without a change after which a draft of an amendment counts as stuck.
UNTOUCHED_DAYS = 30
#: How many names an item of an agenda gives.
_NAMED = 6


def _open_objectives(today: dt.date, **where: object) -> list[Standing]:
    """Open objectives with their progress only; two queries."""
    rows = Objective.objects.filter(status=ObjectiveStatus.OPEN, **where)
    objectives = list(rows.select_related("organisation", "partnership").order_by("partnership", "position", "pk"))
    reports = reports_of(objectives)
    return [standing_of(objective, reports[objective.pk], {}, today) for objective in objectives]


def _is_stuck(standing: Standing) -> bool:
    return standing.tag == "behind" or bool(standing.blocked_by)


def stuck_objectives(user: User, partnerships: Collection[int], now: dt.datetime) -> list[Stuck]:
    """Objectives of these partnerships that are blocked or behind their pace."""
    readable = Objective.objects.visible_to(user).filter(partnership__in=partnerships).values("pk")
    return [
        Stuck(
            partnership=standing.objective.partnership_id,
            what="Objective blocked" if standing.blocked_by else "Objective behind",
            title=f"{standing.objective.text}: {standing.blocked_by}"
            if standing.blocked_by
            else standing.objective.text,
            path=standing.objective.get_absolute_url(),
            since=standing.latest.on if standing.latest else standing.objective.target_on,
            waits_for=standing.objective.organisation.display_name,
        )
        for standing in _open_objectives(timezone.localdate(now), pk__in=readable)
        if _is_stuck(standing)
    ]


def stuck_terms(user: User, partnerships: Collection[int], now: dt.datetime) -> list[Stuck]:
    """Terms not signed for two weeks, and drafts not changed for a month."""
    inside = Partnership.objects.inside_for(user).filter(pk__in=partnerships)
    signatories = TermsSignatory.objects.waiting().filter(
        version__partnership__in=inside.values("pk"),
        asked_at__lte=now - dt.timedelta(days=UNSIGNED_DAYS),
    )
    drafts = TermsProposal.objects.drafts_for(user).filter(
        partnership__in=partnerships,
        status=ProposalStatus.DRAFTING,
        updated_at__lte=now - dt.timedelta(days=UNTOUCHED_DAYS),
    )
    return [
        *(
            Stuck(
                partnership=signatory.version.partnership_id,
                what="Terms not signed",
                title=f"{signatory.version.partnership.title}, version {signatory.version.number}",
                path=signatory.version.get_absolute_url(),
                since=timezone.localdate(signatory.asked_at),
                waits_for=signatory.organisation.display_name,
            )
            for signatory in signatories
        ),
        *(
            Stuck(
                partnership=draft.partnership_id,
                what="Draft of terms not changed for a while",
                title=draft.partnership.title if draft.is_first else f"{draft.name}: {draft.reason}"[:120],
                path=draft.get_absolute_url(),
                since=timezone.localdate(draft.updated_at),
                waits_for=draft.proposed_by.display_name,
            )
            for draft in drafts.select_related("partnership", "proposed_by").order_by("pk")
        ),
    ]


def objectives_for_agenda(user: User, partnerships: Sequence[Partnership], since: Since) -> list[Suggestion]:
    """One item of each partnership for its objectives that are blocked or behind."""
    stuck: dict[int, list[Standing]] = defaultdict(list)
    for standing in _open_objectives(timezone.localdate(since.now), partnership__in=partnerships):
        if _is_stuck(standing):
            stuck[standing.objective.partnership_id].append(standing)
    return [_attention(partnership, objectives) for partnership, objectives in stuck.items()]


def _attention(partnership: int, stuck: Sequence[Standing]) -> Suggestion:
    path = reverse("agreements:objectives", args=[partnership])
    names = "; ".join(f"{standing.objective.text} ({standing.label.lower()})" for standing in stuck[:_NAMED])
    words = "An objective needs attention" if len(stuck) == 1 else f"{len(stuck)} objectives need attention"
    return Suggestion(
        partnership=partnership,
        subject_kind="partnership",
        subject_id=partnership,
        title=words,
        path=path,
        purpose=Purpose.DISCUSSION,
        detail=shorten(names, 300),
    )


def terms_for_agenda(user: User, partnerships: Sequence[Partnership], since: Since) -> list[Suggestion]:
    """One item of each partnership for its terms that wait for signatures."""
    waiting = TermsProposal.objects.filter(partnership__in=partnerships, status=ProposalStatus.AWAITING)
    names_by_partnership: dict[int, list[str]] = defaultdict(list)
    for proposal in waiting.select_related("proposed_by").order_by("partnership", "number"):
        words = f"{proposal.name} of {proposal.proposed_by.display_name}"
        names_by_partnership[proposal.partnership_id].append("The first terms" if proposal.is_first else words)
    return [
        Suggestion(
            partnership=partnership,
            subject_kind="partnership",
            subject_id=partnership,
            title="Terms waiting for signatures",
            path=reverse("agreements:terms", args=[partnership]),
            purpose=Purpose.DECISION,
            detail=shorten("; ".join(names[:_NAMED]), 300),
        )
        for partnership, names in names_by_partnership.items()
    ]


def objectives_in_period(period: Asked) -> Block | None:
    """The party's open objectives, with its newest figure in the period."""
    party = period.party
    objectives = _open_objectives(period.today, partnership=party.partnership_id, organisation=party.organisation_id)
    if not objectives:
        return None
    behind = sum(_is_stuck(standing) for standing in objectives)
    reported = sum(any(period.covers(report.on) for report in standing.reports) for standing in objectives)
    lines = [
        Line(standing.objective.text, _figure(standing), standing.objective.get_absolute_url())
        for standing in objectives
    ]
    summary = f"{len(objectives)} open, {reported} reported on in this period, {behind} behind or blocked."
    return Block("Objectives", summary, lines)


def _figure(standing: Standing) -> str:
    now = f"{standing.now} of {standing.target}" if standing.now else f"no report yet, target {standing.target}"
    blocked = f", blocked: {standing.blocked_by}" if standing.blocked_by else ""
    return f"{now}, {standing.label.lower()}{blocked}"


def terms_in_period(period: Asked) -> Block | None:
    """The amendments that the party proposed or has to sign."""
    party = period.party
    proposed = TermsProposal.objects.filter(
        partnership=party.partnership_id, proposed_by=party.organisation_id, based_on__isnull=False
    ).exclude(status=ProposalStatus.DRAFTING)
    proposals = [
        proposal
        for proposal in proposed.order_by("number")
        if proposal.is_awaiting or period.covers(_decided(proposal))
    ]
    to_sign = TermsSignatory.objects.waiting().filter(
        version__partnership=party.partnership_id, organisation=party.organisation_id
    )
    lines = [
        Line(f"{proposal.name}: {proposal.reason}"[:120], proposal.get_status_display().lower())
        for proposal in proposals
    ]
    lines += [
        Line(
            f"Version {proposal.version.number} of the terms",
            f"to sign by {long_date(proposal.due_on)}" if proposal.due_on else "to sign",
            proposal.version.get_absolute_url(),
        )
        for proposal in to_sign
    ]
    summary = f"{len(proposals)} proposed, {len(lines) - len(proposals)} to sign."
    return Block("Terms", summary, lines) if lines else None


def _decided(proposal: TermsProposal) -> dt.date | None:
    return timezone.localdate(proposal.decided_at) if proposal.decided_at else None
