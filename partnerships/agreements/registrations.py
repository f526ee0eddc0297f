"""Registrations of the agreements room."""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.activity.registry import register_kind
from partnerships.agreements import emails, personal, restoring
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import Partnership, Post
from partnerships.agreements.queries import events_of_partnerships, organisation_section
from partnerships.agreements.services.documents import drop_removed_files
from partnerships.organisations.sections import ON_ORGANISATIONS
from partnerships.people.composing import register_email
from partnerships.people.personal import Fate, Rule, register_personal
from partnerships.people.retention import register_retention


def register() -> None:
    """Register event visibility, sections, emails, retention, personal data."""
    register_events(EventKind)
    restoring.register()
    register_kind(
        name="partnership",
        visible_ids=lambda user: Partnership.objects.held_by(user).values("pk"),
        condition=events_of_partnerships,
    )
    register_kind(name="post", visible_ids=lambda user: Post.objects.visible_to(user).values("pk"))
    ON_ORGANISATIONS.register("10 partnerships", organisation_section)
    register_retention(
        "files of removed documents",
        what="Files of documents that partners removed",
        purpose="restoring what was removed by mistake",
        basis="public task: working together on housing",
        kept_for="12 months after they were removed",
        apply=drop_removed_files,
    )
    register_personal(
        [
            Rule("agreements.Partnership", "created_by", Fate.KEEP, "who opened it", ("title", "created_at")),
            Rule("agreements.Party", "invited_by", Fate.KEEP, "who invited an organisation", ("invited_at",)),
            Rule(
                "agreements.Party",
                "answered_by",
                Fate.KEEP,
                "who answered for it",
                ("answered_at", "status", "reason"),
            ),
            Rule("agreements.Document", "added_by", Fate.KEEP, "who added it", ("title", "file_name", "added_at")),
            *personal.RULES,
        ]
    )
    register_email("agreements.invitation", "Invitation to a partnership", emails.write_invitation)
    register_email("agreements.answer", "Answer to an invitation", emails.write_answer)
    register_email("agreements.date_came", "Start, review or end of a partnership", emails.write_date_came)
    register_email("agreements.gone", "Organisation left a partnership", emails.write_gone)
