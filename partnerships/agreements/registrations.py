"""Registrations of the agreements room."""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.activity.registry import register_kind
from partnerships.activity.subjects import SubjectKind
from partnerships.agreements import belongings, follower_notices, obligations, personal, restoring
from partnerships.agreements.agenda import register_agenda, suggest_decisions
from partnerships.agreements.departures import register_ending_hook
from partnerships.agreements.email_kinds import CONTACT_EMAIL, EMAILS
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.figures import register_figures
from partnerships.agreements.listing import CONTACTS, DOCUMENTS, PARTNERSHIPS
from partnerships.agreements.models import (
    CONTACT_RETENTION_MONTHS,
    Partnership,
    Post,
)
from partnerships.agreements.queries import (
    contacts_section,
    events_of_partnerships,
    organisation_lookups,
    organisation_section,
    prompting,
)
from partnerships.agreements.queries.groups import group_links_of, groups_lookups, groups_section
from partnerships.agreements.queries.posts import open_posts_of
from partnerships.agreements.sections import (
    ON_PARTNERSHIPS,
    dates_lookups,
    dates_section,
    notices_of,
    objectives_lookups,
    objectives_of,
    objectives_section,
    successors_of,
)
from partnerships.agreements.services.documents import drop_removed_files
from partnerships.agreements.services.invitations import withdraw_with_partnership
from partnerships.agreements.services.moved_posts import end_holdings_left_behind
from partnerships.agreements.services.reminders import drop_old_reminders
from partnerships.agreements.services.terms.ending import close_with_partnership
from partnerships.agreements.stuck import register_stuck
from partnerships.kit.lists import register_list
from partnerships.organisations.departures import register_departure
from partnerships.organisations.obligations import register_after_move
from partnerships.organisations.owned import register_owned
from partnerships.organisations.sections import ON_ORGANISATIONS
from partnerships.outbox.kinds import register_kind as register_email_kind
from partnerships.people.composing import register_emails
from partnerships.people.personal import register_personal
from partnerships.people.retention import REMOVED_KEPT_FOR, register_retention


def register() -> None:
    """Register the room's lists, events, sections, emails, retention and personal data."""
    for document_list in (PARTNERSHIPS, CONTACTS, DOCUMENTS):
        register_list(document_list)
    obligations.register()
    restoring.register()
    _register_events()
    register_emails(*EMAILS)
    register_email_kind(CONTACT_EMAIL)

    # What happens when an organisation passes its posts on, a partnership ends, or a person leaves.
    register_after_move(obligations.POSTS.code, end_holdings_left_behind)
    register_ending_hook(close_with_partnership)
    register_ending_hook(withdraw_with_partnership)
    register_owned(belongings.POSTS)
    register_owned(belongings.OBJECTIVES)
    register_departure(belongings.leave_posts)

    _register_sections()
    _register_prompts()
    _register_retention()
    register_personal(personal.RULES)


def _register_events() -> None:
    """Register the events of this room, and the kinds of record that events are about."""
    register_events(EventKind)
    follower_notices.register()
    register_kind(
        name="partnership",
        subject=SubjectKind.PARTNERSHIP,
        visible_ids=lambda user: Partnership.objects.readable_by(user).values("pk"),
        condition=events_of_partnerships,
    )
    register_kind(name="post", visible_ids=lambda user: Post.objects.visible_to(user).values("pk"))
    register_kind(name="terms_draft", visible_ids=lambda user: Partnership.objects.draft_visible_to(user).values("pk"))


def _register_sections() -> None:
    """Register sections on the pages of organisations and partnerships; `order` sorts them, lowest first."""
    ON_ORGANISATIONS.register_with_rows("contacts", contacts_section, open_posts_of, order=5)
    ON_ORGANISATIONS.register("partnerships", organisation_section, order=10, lookups=organisation_lookups)
    ON_PARTNERSHIPS.register_with_rows(
        "objectives", objectives_section, objectives_of, order=5, lookups=objectives_lookups
    )
    ON_PARTNERSHIPS.register_with_rows(
        "dates", dates_section, notices_of, successors_of, order=6, lookups=dates_lookups
    )
    ON_PARTNERSHIPS.register_with_rows(
        "working groups", groups_section, group_links_of, order=15, lookups=groups_lookups
    )


def _register_prompts() -> None:
    """Register items of agendas, records that are stuck, and blocks of progress reports."""
    register_agenda("10 decisions", "Decisions about the partnership", "partnership", suggest_decisions)
    register_agenda("12 terms", "Terms to sign", "partnership", prompting.suggest_terms, prompting.awaiting_terms_rows)
    register_agenda(
        "14 objectives",
        "Objectives behind or blocked",
        "partnership",
        prompting.suggest_objectives,
        prompting.open_objective_rows,
        prompting.open_objective_report_rows,
    )
    register_stuck("terms", prompting.stuck_terms, prompting.unsigned_rows, prompting.untouched_draft_rows)
    register_stuck("objectives", prompting.stuck_objectives, prompting.readable_objective_rows)
    register_figures("objectives", prompting.objectives_in_period, order=5)
    register_figures("terms", prompting.terms_in_period, order=45)


def _register_retention() -> None:
    """Register the data that the nightly job deletes, with why and for how long it is kept."""
    register_retention(
        "files of removed documents",
        what="Files of documents that partners removed",
        purpose="restoring what was removed by mistake",
        basis="public task: working together on housing",
        kept_for=REMOVED_KEPT_FOR,
        apply=drop_removed_files,
    )
    register_retention(
        "former contacts",
        what="Contact details of people who used to hold a post: name (if they have no account), email, phone, "
        "working days, note",
        purpose="so that partners know who to contact",
        basis="public task: working together on housing",
        kept_for=f"{CONTACT_RETENTION_MONTHS} months after their time in the post",
        apply=personal.clear_old_contacts,
    )
    register_retention(
        "reminders of dates",
        what="Which reminders of a partnership’s dates a person got",
        purpose="sending each reminder once",
        basis="public task: working together on housing",
        kept_for="12 months after the date",
        apply=drop_old_reminders,
    )
