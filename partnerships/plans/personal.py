"""Rules for personal data in plans, and the end of shares when people leave."""

from __future__ import annotations

from partnerships.organisations.departures import Departure
from partnerships.people.leaving import Leaving
from partnerships.people.personal import ErasureAction, Rule
from partnerships.plans.models import Share

RULES = (
    Rule("plans.Plan", "created_by", ErasureAction.KEEP, "who created the plan", ("title", "created_at")),
    Rule(
        "plans.Version", "author", ErasureAction.KEEP, "who published the version", ("number", "note", "published_at")
    ),
    Rule("plans.Draft", "updated_by", ErasureAction.KEEP, "who last saved the draft", ("updated_at",)),
    Rule("plans.Document", "added_by", ErasureAction.KEEP, "who added the document", ("file_name", "added_at")),
    Rule("plans.Comment", "author", ErasureAction.KEEP, "who wrote the comment", ("text", "created_at")),
    Rule("plans.Comment", "resolved_by", ErasureAction.KEEP, "who resolved the comment", ("resolved_at",)),
    Rule("plans.Mention", "person", ErasureAction.DELETE, "who is mentioned in a comment", ("told_at",)),
    Rule(
        "plans.Share",
        "person",
        ErasureAction.KEEP,
        "who saw a shared draft",
        ("message", "ends_on", "shared_at", "revoked_at"),
    ),
    Rule("plans.Share", "shared_by", ErasureAction.KEEP, "who shared the draft", ("shared_at",)),
    Rule(
        "plans.SignOff",
        "person",
        ErasureAction.KEEP,
        "who signed",
        ("decision", "role", "reason", "answers", "signed_at"),
    ),
    Rule("plans.ConditionMet", "person", ErasureAction.KEEP, "who confirmed that a condition is met", ("note", "at")),
    Rule("plans.Signatory", "asked_by", ErasureAction.KEEP, "who asked for a signature", ("asked_at",)),
    Rule(
        "plans.AccessRequest",
        "person",
        ErasureAction.KEEP,
        "who asked to see a plan",
        ("message", "asked_at", "granted"),
    ),
    Rule("plans.AccessRequest", "answered_by", ErasureAction.KEEP, "who answered the request", ("answered_at",)),
    Rule("plans.OwnershipOffer", "offered_by", ErasureAction.KEEP, "who offered a plan", ("message", "offered_at")),
    Rule(
        "plans.OwnershipOffer", "answered_by", ErasureAction.KEEP, "who answered the offer", ("reason", "answered_at")
    ),
)


def end_shares(leaving: Leaving) -> int:
    """End all shares with a person whose account is closed, and return how many shares ended."""
    return Share.objects.filter(person=leaving.person, revoked_at=None).update(revoked_at=leaving.now)


def end_shares_of_membership(departure: Departure) -> int:
    """End the shares with a person who no longer acts for an organisation, and return how many ended."""
    membership = departure.membership
    shares = Share.objects.filter(person=membership.person_id, organisation=membership.organisation_id)
    return shares.filter(revoked_at=None).update(revoked_at=departure.now)
