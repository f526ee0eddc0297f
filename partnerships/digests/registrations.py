"""Register digests with lower rooms at start-up."""

from __future__ import annotations

import partnerships.digests.receivers  # noqa: F401 - connects the signals
from partnerships.activity.event_kinds import register_events
from partnerships.activity.follower_notices import register_without_notice
from partnerships.activity.seen import register_seen_hooks
from partnerships.agreements.sections import ON_POSTS
from partnerships.digests import obligations, restoring, retention
from partnerships.digests.belongings import FOLLOWED, ask_successor
from partnerships.digests.emails.composing import DigestComposer
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.listing import LEDGER, STAKEHOLDERS
from partnerships.digests.management.weeks.plans import PlansWeek
from partnerships.digests.management.weeks.stage import register_week
from partnerships.digests.models import DeliveryKind
from partnerships.digests.personal import RULES, may_not_be_emailed, stop_digests
from partnerships.digests.queries.inbox import unread_lookup
from partnerships.digests.sections import follows_section
from partnerships.digests.services import give_up_asking
from partnerships.digests.services.inbox import InboxRouter
from partnerships.digests.services.outbox_hooks import (
    MOVE_SUBJECTS,
    MOVE_WATERMARKS,
    TOLD_ITEMS,
    TOLD_SUBJECTS,
    DigestHooks,
)
from partnerships.digests.services.successions import tell_stakeholders
from partnerships.digests.services.watermarks import note_changes_seen, note_events_seen
from partnerships.kit.lists import register_list
from partnerships.organisations.departures import register_departure
from partnerships.organisations.owned import register_owned
from partnerships.organisations.statements import register_lookup_for_every_page
from partnerships.organisations.vesting_hooks import register_vesting_hook
from partnerships.outbox.groups import FOR_CONSENT, NoticeGroup
from partnerships.outbox.hooks import register_hooks
from partnerships.outbox.kinds import EmailKind, register_kind
from partnerships.outbox.models import Lane
from partnerships.outbox.routing import register_router
from partnerships.outbox.settling import register_accepted_sql
from partnerships.people.leaving import register_leaving
from partnerships.people.personal import register_personal
from partnerships.people.refusals import register_refusal

#: Emails that people cannot turn off, because they ask for consent or contain new links after the old ones expired.
_ALWAYS_SENT = (DeliveryKind.CONFIRMATION, DeliveryKind.LINKS)


def register() -> None:
    """Register lists, events, emails, sections, personal data and retention; runs once, at start-up."""
    register_list(STAKEHOLDERS)
    register_list(LEDGER)
    register_events(EventKind)
    register_without_notice(EventKind, because="it concerns one person’s choice of emails")
    register_seen_hooks(note_changes_seen, note_events_seen)
    _register_emails()
    register_lookup_for_every_page(unread_lookup)
    ON_POSTS.register("follows", follows_section, order=10)
    register_vesting_hook(tell_stakeholders)
    _register_personal_data()
    register_week("A tenant panel chair follows the plans of a partnership", PlansWeek)


def _register_emails() -> None:
    """Register the kinds of email, and what happens when emails are recorded, accepted or bounce."""
    composer = DigestComposer(give_up_asking)
    for kind in DeliveryKind:
        register_kind(
            EmailKind(
                code=kind.value,
                label=str(kind.label),
                lane=Lane.DIGEST if kind == DeliveryKind.DIGEST else Lane.NOTICE,
                composer=composer,
                group=NoticeGroup.DIGESTS,
                always=FOR_CONSENT if kind in _ALWAYS_SENT else "",
            )
        )
    # When a mail server accepts digests, one statement records that and moves the watermarks of their readers. These
    # parts of the statement must be in this order, because each "moved" part reads the "item" part before it.
    register_accepted_sql("item", TOLD_ITEMS)
    register_accepted_sql("moved", MOVE_WATERMARKS)
    register_accepted_sql("subject_item", TOLD_SUBJECTS)
    register_accepted_sql("subjects_moved", MOVE_SUBJECTS)
    register_hooks(DigestHooks())
    register_router(InboxRouter())


def _register_personal_data() -> None:
    """Register what happens to subscriptions when people leave, bodies merge, time passes or a backup is restored."""
    register_personal(RULES)
    register_refusal(may_not_be_emailed)
    register_leaving("digests stopped", stop_digests, consequence="stop their digests")
    register_owned(FOLLOWED)
    register_departure(ask_successor)
    obligations.register()
    retention.register()
    restoring.register()
