"""Objectives and terms, for agendas, progress reports and facilitators."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

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
    found = list(rows.select_related("organisation", "partnership").order_by("partnership", "position", "pk"))
    reports = reports_of(found)
    return [standing_of(one, reports[one.pk], {}, today) for one in found]


def _is_stuck(standing: Standing) -> bool:
    return standing.tag == "behind" or bool(standing.blocked_by)


def stuck_objectives(user: User, partnerships: Collection[int], now: dt.datetime) -> list[Stuck]:
    """Objectives of these partnerships that are blocked or behind their pace."""
    readable = Objective.objects.visible_to(user).filter(partnership__in=partnerships).values("pk")
    return [
        Stuck(
            partnership=one.objective.partnership_id,
            what="Objective blocked" if one.blocked_by else "Objective behind",
            title=f"{one.objective.text}: {one.blocked_by}" if one.blocked_by else one.objective.text,
            path=one.objective.get_absolute_url(),
            since=one.latest.on if one.latest else one.objective.target_on,
            waits_for=one.objective.organisation.display_name,
        )
        for one in _open_objectives(timezone.localdate(now), pk__in=readable)
        if _is_stuck(one)
    ]


def stuck_terms(user: User, partnerships: Collection[int], now: dt.datetime) -> list[Stuck]:
    """Terms not signed for two weeks, and drafts not changed for a month."""
    inside = Partnership.objects.inside_for(user).filter(pk__in=partnerships)
    asked = TermsSignatory.objects.waiting().filter(
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
                partnership=one.version.partnership_id,
                what="Terms not signed",
                title=f"{one.version.partnership.title}, version {one.version.number}",
                path=one.version.get_absolute_url(),
                since=timezone.localdate(one.asked_at),
                waits_for=one.organisation.display_name,
            )
            for one in asked
        ),
        *(
            Stuck(
                partnership=one.partnership_id,
                what="Draft of terms untouched",
                title=one.partnership.title if one.is_first else f"{one.name}: {one.reason}"[:120],
                path=one.get_absolute_url(),
                since=timezone.localdate(one.updated_at),
                waits_for=one.proposed_by.display_name,
            )
            for one in drafts.select_related("partnership", "proposed_by").order_by("pk")
        ),
    ]


def objectives_for_agenda(user: User, partnership: Partnership, since: Since) -> list[Suggestion]:
    """One item for the objectives that are blocked or behind."""
    today = timezone.localdate(since.now)
    told = [one for one in _open_objectives(today, partnership=partnership) if _is_stuck(one)]
    if not told:
        return []
    path = reverse("agreements:objectives", args=[partnership.pk])
    names = "; ".join(f"{one.objective.text} ({one.label.lower()})" for one in told[:_NAMED])
    words = "An objective needs attention" if len(told) == 1 else f"{len(told)} objectives need attention"
    return [Suggestion("partnership", partnership.pk, words, path, Purpose.DISCUSSION, shorten(names, 300))]


def terms_for_agenda(user: User, partnership: Partnership, since: Since) -> list[Suggestion]:
    """One item for the terms that wait for signatures."""
    waiting = TermsProposal.objects.filter(partnership=partnership, status=ProposalStatus.AWAITING)
    named = [
        "the first terms" if one.is_first else f"{one.name.lower()} of {one.proposed_by.display_name}"
        for one in waiting.select_related("proposed_by").order_by("number")[:_NAMED]
    ]
    if not named:
        return []
    path = reverse("agreements:terms", args=[partnership.pk])
    return [
        Suggestion(
            "partnership",
            partnership.pk,
            "Terms waiting for signatures",
            path,
            Purpose.DECISION,
            shorten(", ".join(named), 300),
        )
    ]


def objectives_in_period(asked: Asked) -> Block | None:
    """The party's open objectives, with its newest figure in the period."""
    party = asked.party
    found = _open_objectives(asked.today, partnership=party.partnership_id, organisation=party.organisation_id)
    if not found:
        return None
    behind = sum(_is_stuck(one) for one in found)
    reported = sum(any(asked.covers(report.on) for report in one.reports) for one in found)
    lines = [Line(one.objective.text, _figure(one), one.objective.get_absolute_url()) for one in found]
    summary = f"{len(found)} open, {reported} reported on in this period, {behind} behind or blocked."
    return Block("Objectives", summary, lines)


def _figure(standing: Standing) -> str:
    now = f"{standing.now} of {standing.target}" if standing.now else f"no report yet, target {standing.target}"
    blocked = f", blocked: {standing.blocked_by}" if standing.blocked_by else ""
    return f"{now}, {standing.label.lower()}{blocked}"


def terms_in_period(asked: Asked) -> Block | None:
    """The amendments that the party proposed or has to sign."""
    party = asked.party
    proposed = TermsProposal.objects.filter(
        partnership=party.partnership_id, proposed_by=party.organisation_id, based_on__isnull=False
    ).exclude(status=ProposalStatus.DRAFTING)
    told = [one for one in proposed.order_by("number") if one.is_awaiting or asked.covers(_decided(one))]
    to_sign = TermsSignatory.objects.waiting().filter(
        version__partnership=party.partnership_id, organisation=party.organisation_id
    )
    lines = [Line(f"{one.name}: {one.reason}"[:120], one.get_status_display().lower()) for one in told]
    lines += [
        Line(
            f"Version {one.version.number} of the terms",
            f"to sign by {long_date(one.due_on)}" if one.due_on else "to sign",
            one.version.get_absolute_url(),
        )
        for one in to_sign
    ]
    summary = f"{len(told)} proposed, {len(lines) - len(told)} to sign."
    return Block("Terms", summary, lines) if lines else None


def _decided(proposal: TermsProposal) -> dt.date | None:
    return timezone.localdate(proposal.decided_at) if proposal.decided_at else None
