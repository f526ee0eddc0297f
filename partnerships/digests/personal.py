"""Personal data in this room: rules for erasure and for people who leave."""

from __future__ import annotations

from partnerships.digests.services import refused_emails, renew_links, stop_everything
from partnerships.outbox.queries.suppressions import is_suppressed
from partnerships.people.leaving import Leaving
from partnerships.people.models import User
from partnerships.people.personal import ErasureAction, Rule

RULES = (
    Rule(
        "digests.Subscription",
        "person",
        ErasureAction.KEEP,
        "what a person follows",
        (
            "status",
            "how",
            "why",
            "frequency",
            "asked_at",
            "confirmed_at",
            "ended_at",
            "refused_at",
            "reason",
            "has_own_address",
        ),
    ),
    Rule("digests.Subscription", "added_by", ErasureAction.KEEP, "who asked a person to get digests", ("asked_at",)),
    Rule("digests.RoleRule", "set_by", ErasureAction.KEEP, "who subscribed everyone with a role", ("role", "set_at")),
    Rule(
        "digests.Preference",
        "person",
        ErasureAction.DELETE,
        "when a person wants digests",
        ("frequency", "hour", "weekday", "days", "more_hours", "tells_matches", "refused_at"),
    ),
    Rule(
        "digests.Watermark",
        "recipient",
        ErasureAction.DELETE,
        "the last version they received",
        ("plan", "number", "told_at"),
    ),
    Rule(
        "digests.SubjectWatermark",
        "recipient",
        ErasureAction.DELETE,
        "the last change they were told about",
        ("subject", "number", "told_at"),
    ),
    Rule("digests.MatchNotice", "recipient", ErasureAction.DELETE, "matches they were sent", ("noted_at", "told_at")),
    Rule(
        "digests.Subscription",
        "why",
        ErasureAction.CLEAR,
        "why a person gets digests, in the words of a partner",
        person_field="person",
    ),
    Rule(
        "digests.Subscription",
        "reason",
        ErasureAction.CLEAR,
        "why digests ended, in the words of a partner",
        person_field="person",
    ),
    Rule(
        "digests.InboxItem",
        "person",
        ErasureAction.DELETE,
        "notices in their inbox",
        ("kind", "record_kind", "record_id", "created_at", "read_at"),
    ),
    Rule("digests.NoticeChoice", "person", ErasureAction.DELETE, "how they want notices", ("group", "way")),
    Rule(
        "digests.Stop",
        "person",
        ErasureAction.DELETE,
        "what a person stopped, so that they can undo it",
        ("at", "undone_at"),
    ),
    Rule("digests.Slot", "recipient", ErasureAction.KEEP, "dates that already have a digest", ("slot_on",)),
    Rule("digests.OpenDigest", "recipient", ErasureAction.KEEP, "the digest that is still to be sent"),
    Rule(
        "digests.EmailRequest",
        "address",
        ErasureAction.DELETE,
        "an address that asked for an email",
        person_field="address",
    ),
)


def may_not_be_emailed(person: User) -> bool:
    """Return True if a person refused emails, or if emails to their address bounce."""
    return refused_emails(person) or is_suppressed(person.email)


def stop_digests(leaving: Leaving) -> int:
    """End all digests of a person who leaves and the links in their emails, and return how many subscriptions ended."""
    renew_links(person=leaving.person, author=leaving.author, now=leaving.now)
    return stop_everything(
        person=leaving.person, author=leaving.author, reason=leaving.reason or "The person has left.", now=leaving.now
    )
