"""Register the nominations room with other rooms at start-up."""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.activity.registry import register_kind
from partnerships.agreements.departures import register_terms_hook
from partnerships.agreements.sections import ON_PARTNERSHIPS
from partnerships.exchange.sections import ON_ENTRIES
from partnerships.nominations import emails, follower_notices, restoring
from partnerships.nominations.event_kinds import EventKind
from partnerships.nominations.models import NominationsAgreement, NominationsReturn
from partnerships.nominations.personal import RULES
from partnerships.nominations.sections import ask_origin_section, nominations_lookups, nominations_section
from partnerships.nominations.services.agreement import follow_parties, follow_terms
from partnerships.nominations.services.lettings import delete_uncounted_lettings
from partnerships.organisations.obligations import register_after_move
from partnerships.outbox.groups import NoticeGroup, RecordLookup
from partnerships.people.composing import PersonEmail, register_emails
from partnerships.people.personal import register_personal
from partnerships.people.retention import register_retention


def register() -> None:
    """Register events, emails, personal data, hooks on terms and parties, and sections of pages."""
    _register_events()
    _register_emails()
    restoring.register()

    # What follows from changes of terms and of parties.
    register_terms_hook(follow_terms)
    register_after_move("partnerships", follow_parties)

    ON_PARTNERSHIPS.register("nominations", nominations_section, order=3, lookups=nominations_lookups)
    ON_ENTRIES.register("return", ask_origin_section, order=1)

    register_personal(RULES)
    register_retention(
        "lettings that were not counted",
        what="Rows of uploaded lettings, without anything about households",
        purpose="counting the lettings of a nominations return",
        basis="public task: letting homes to people in need",
        kept_for="until we have counted them, usually seconds after the upload and at most 2 days",
        apply=delete_uncounted_lettings,
    )


def _register_events() -> None:
    """Register the events of this room, and the kinds of record that events and reports are about."""
    register_events(EventKind)
    follower_notices.register()
    # No event is about an agreement or a return alone. Rows of reports name them, and are hidden with them.
    register_kind(
        name="nominations_agreement",
        visible_ids=lambda user: NominationsAgreement.objects.visible_to(user).values("pk"),
    )
    register_kind(
        name="nominations_return", visible_ids=lambda user: NominationsReturn.objects.visible_to(user).values("pk")
    )


def _register_emails() -> None:
    """Register the emails about returns."""
    return_lookup = RecordLookup(
        kind="partnership",
        param="return",
        model=NominationsReturn,
        record_path="agreement__partnership",
        partnership_path="agreement__partnership",
    )
    for code, label, write in (
        ("return_sent", "Nominations return to confirm", emails.write_return_sent),
        ("return_decided", "Nominations return confirmed or disputed", emails.write_return_decided),
        ("return_reopened", "Nominations return reopened", emails.write_return_reopened),
    ):
        register_emails(
            PersonEmail(f"nominations.{code}", label, write, group=NoticeGroup.REPORTS, about=return_lookup)
        )
