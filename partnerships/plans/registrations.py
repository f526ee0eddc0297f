"""Register plans at start-up with the rooms below, which do not import plans.

For example, the room of agendas asks every registered source for suggestions, and plans are one of the sources.
"""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.activity.registry import register_kind
from partnerships.activity.subjects import SubjectKind
from partnerships.agreements.agenda import register_agenda
from partnerships.agreements.departures import register_ending_hook, register_observer_hook, register_party_departure
from partnerships.agreements.figures import register_figures
from partnerships.agreements.serving import register_provider
from partnerships.agreements.stuck import register_stuck
from partnerships.commitments.origins import register_origin
from partnerships.kit.lists import register_list
from partnerships.organisations.departures import register_departure
from partnerships.organisations.obligations import register_after_move, register_restore_hook
from partnerships.people.composing import register_emails
from partnerships.people.leaving import register_leaving
from partnerships.people.personal import register_personal
from partnerships.plans import follower_notices, obligations, restoring
from partnerships.plans.email_kinds import EMAILS
from partnerships.plans.event_kinds import EventKind
from partnerships.plans.listing import DOCUMENTS, MILESTONES, PLANS, SITES
from partnerships.plans.models import Comment, Plan, Version
from partnerships.plans.origins import ORIGINS
from partnerships.plans.personal import RULES, end_shares, end_shares_of_membership
from partnerships.plans.queries import agenda, events_of_plans
from partnerships.plans.queries.figures import homes_in_period, milestones_in_period
from partnerships.plans.queries.serving import SERVING
from partnerships.plans.queries.unsigned import awaiting_plans, unsigned_plans
from partnerships.plans.services import departures, papers, passing


def register() -> None:
    """Register everything that other rooms ask of plans. Called once, by `PlansConfig.ready`."""
    for plan_list in (PLANS, MILESTONES, SITES, DOCUMENTS):
        register_list(plan_list)
    papers.register()
    obligations.register()
    restoring.register()
    _register_events()
    register_emails(*EMAILS)
    register_personal(RULES)

    # Plans as sources of commitments, and as records that serve objectives.
    for origin in ORIGINS:
        register_origin(origin)
    register_provider(SERVING)

    _register_prompts()
    _register_departures()


def _register_prompts() -> None:
    """Register what plans add to agendas, to lists of stuck records and to progress reports."""
    register_agenda(
        "35 plans to sign",
        "Plans to sign off",
        "plan_signing",
        agenda.plans_awaiting_signature,
        agenda.awaiting_signature_rows,
    )
    register_agenda(
        "40 plans published",
        "Plans published since the last meeting",
        "plan_version",
        agenda.plans_published_since,
        agenda.newest_version_rows,
    )
    register_stuck("plans", unsigned_plans, awaiting_plans)
    register_figures("homes", homes_in_period, order=20)
    register_figures("milestones", milestones_in_period, order=30)


def _register_departures() -> None:
    """Register what happens to plans when people or organisations leave, and when a partnership ends."""
    register_leaving("drafts no longer shared", end_shares, consequence="stop sharing drafts with them")
    register_departure(end_shares_of_membership)
    register_party_departure(departures.end_part_of_former_party, departures.preview_leaving_plans)
    register_observer_hook(departures.end_ownerships_of_observer)
    register_ending_hook(departures.withdraw_offers_within_partnership)
    register_after_move(obligations.PLANS.code, passing.end_part_in_passed_on_plans)
    register_after_move("partnerships", passing.end_part_in_passed_on_partnerships)
    register_restore_hook(passing.journal_restored_rights)


def _register_events() -> None:
    """Register the kinds of event, and for each target of events the ids that a person may see."""
    register_events(EventKind)
    follower_notices.register()
    register_kind(
        name="plan",
        subject=SubjectKind.PLAN,
        visible_ids=lambda user: Plan.objects.published_for(user).values("pk"),
        condition=events_of_plans,
    )
    register_kind(
        name="plan_signing",
        visible_ids=lambda user: Plan.objects.fully_readable_by(user).values("pk"),
        subject=SubjectKind.PLAN,
    )
    register_kind(name="plan_draft", visible_ids=lambda user: Plan.objects.editable_by(user).values("pk"))
    register_kind(
        name="plan_version",
        visible_ids=lambda user: Version.objects.visible_to(user).values("pk"),
        subject=SubjectKind.PLAN,
        subject_key="plan",
    )
    register_kind(name="plan_comment", visible_ids=lambda user: Comment.objects.visible_to(user).values("pk"))
