"""The people room's rules for retention and for personal data."""

from __future__ import annotations

import datetime as dt

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Q

from partnerships.kit.owner_functions import remove_old_rows
from partnerships.people.models import Invitation, SecurityEvent, Tally, User
from partnerships.people.personal import ErasureAction, Rule, register_personal
from partnerships.people.personal_data import erase_person
from partnerships.people.retention import BATCH, count_successes, delete_in_batches, register_retention
from partnerships.people.security import clear_security_log

#: How long an invitation is stored after it was used or withdrawn, or has expired.
INVITATIONS = dt.timedelta(days=7)
#: How long an unused session is stored in the list of sessions.
SESSIONS = dt.timedelta(days=14)
#: How long the log of sign-ins and other security events is stored.
SECURITY_LOG = dt.timedelta(days=365)
#: How long after a person has left the person's data is erased.
LEAVERS = dt.timedelta(days=730)
#: How long the counts of rate limits are stored.
TALLIES = dt.timedelta(days=2)

_TASK = "public task: working together on housing"
_LEGITIMATE = "legitimate interest: keeping accounts safe"


def _delete_old_invitations(now: dt.datetime, dry_run: bool) -> int:
    cut_off = now - INVITATIONS
    is_over = Q(accepted_at__lte=cut_off) | Q(revoked_at__lte=cut_off) | Q(expires_at__lte=cut_off)
    return delete_in_batches(Invitation.objects.filter(is_over), dry_run=dry_run)


def _delete_old_sessions(now: dt.datetime, dry_run: bool) -> int:
    delete_in_batches(Session.objects.filter(expire_date__lte=now), dry_run=dry_run)
    return delete_in_batches(UserSession.objects.filter(last_seen_at__lte=now - SESSIONS), dry_run=dry_run)


def _remove_old_security_events(now: dt.datetime, dry_run: bool) -> int:
    cut_off = now - SECURITY_LOG
    if dry_run:
        return SecurityEvent.objects.filter(at__lte=cut_off).count()
    removed_count = 0
    while count := remove_old_rows(SecurityEvent._meta.db_table, before=cut_off, batch=BATCH):
        removed_count += count
    return removed_count


def _delete_old_leavers(now: dt.datetime, dry_run: bool) -> int:
    leavers = User.objects.filter(is_active=False, erased_at=None, left_at__lte=now - LEAVERS)
    if dry_run:
        return leavers.count()

    def erase(person: User) -> None:
        erase_person(person=person, author=None, reason="Left more than 24 months ago.", now=now)

    return count_successes(list(leavers.order_by("pk")), erase)


def _remove_old_tallies(now: dt.datetime, dry_run: bool) -> int:
    return delete_in_batches(Tally.objects.filter(began_at__lte=now - TALLIES), dry_run=dry_run)


def _remove_nothing(now: dt.datetime, dry_run: bool) -> int:
    """Remove no rows, because a refusal is stored until its owner withdraws it."""
    return 0


#: What happens to each field with data about a person when the person is erased.
_RULES = [
    Rule("people.User", "email", ErasureAction.REPLACE, "to sign in and to get emails"),
    Rule("people.User", "name", ErasureAction.CLEAR, "so that partners know who they are working with"),
    Rule("people.Invitation", "person", ErasureAction.DELETE, "inviting them", ("message", "created_at", "expires_at")),
    Rule("people.Invitation", "invited_by", ErasureAction.KEEP, "who invited another person", ("created_at",)),
    Rule("people.LeadTimes", "person", ErasureAction.DELETE, "when they want to be reminded", ("kind", "days")),
    Rule("people.SecurityEvent", "person", ErasureAction.KEEP, "detecting misuse", ("kind", "at", "ip", "user_agent")),
    Rule("people.SecurityEvent", "ip", ErasureAction.CLEAR, "detecting misuse", apply=clear_security_log),
    Rule("people.SecurityEvent", "user_agent", ErasureAction.CLEAR, "detecting misuse", apply=clear_security_log),
    Rule(
        "people.ViewAs",
        "administrator",
        ErasureAction.KEEP,
        "who viewed the site as another person",
        ("reason", "began_at", "ended_at"),
    ),
    Rule(
        "people.ViewAs",
        "person",
        ErasureAction.KEEP,
        "whose view of the site an administrator used",
        ("reason", "began_at", "ended_at"),
    ),
    Rule(
        "account.EmailAddress",
        "user",
        ErasureAction.DELETE,
        "which address is theirs",
        ("email", "verified", "primary"),
    ),
    Rule("account.EmailAddress", "email", ErasureAction.DELETE, "which address is theirs"),
    Rule(
        "mfa.Authenticator", "user", ErasureAction.DELETE, "their second factor", ("type", "created_at", "last_used_at")
    ),
    Rule(
        "usersessions.UserSession",
        "user",
        ErasureAction.DELETE,
        "where they are signed in",
        ("ip", "user_agent", "created_at", "last_seen_at"),
    ),
    Rule("usersessions.UserSession", "ip", ErasureAction.DELETE, "where they are signed in"),
    Rule("usersessions.UserSession", "user_agent", ErasureAction.DELETE, "where they are signed in"),
    Rule(
        "socialaccount.SocialAccount",
        "user",
        ErasureAction.DELETE,
        "their organisation's sign-in",
        ("provider", "uid", "last_login"),
    ),
    Rule("admin.LogEntry", "user", ErasureAction.KEEP, "what an administrator did", ("action_time", "action_flag")),
]


def register() -> None:
    """Register the rules. Called once, when the application starts."""
    register_retention(
        "invitations",
        what="Invitations: who was invited, by which person, and the message",
        purpose="so that we can invite people",
        basis=_TASK,
        kept_for="7 days after they are used, withdrawn or expire (14 days after sending)",
        apply=_delete_old_invitations,
    )
    register_retention(
        "sessions",
        what="Where people are signed in: IP address, browser and times",
        purpose="so that people can see and end their sessions",
        basis=_LEGITIMATE,
        kept_for="60 minutes without use and at most 12 hours, and the list of sessions for 14 days",
        apply=_delete_old_sessions,
    )
    register_retention(
        "security log",
        what="Security log: sign-ins, refused attempts, changes of password and second factor",
        purpose="so that we can detect misuse of an account",
        basis=_LEGITIMATE,
        kept_for="12 months",
        apply=_remove_old_security_events,
    )
    register_retention(
        "tallies",
        what="Counts for the limits on exports and invitations, under a hash that identifies nobody",
        purpose="so that we can enforce the limits",
        basis=_LEGITIMATE,
        kept_for="2 days",
        apply=_remove_old_tallies,
    )
    register_retention(
        "refused addresses",
        what="A keyed hash of the address of a person who refused digests and whose data was erased",
        purpose="so that we do not ask them again",
        basis="legal obligation: respecting an objection (UK GDPR, Article 21)",
        kept_for="until they ask for digests themselves",
        apply=_remove_nothing,
    )
    register_retention(
        "leavers",
        what="Accounts of people who have left: name, email address, time zone",
        purpose="so that their records can be read",
        basis=_TASK,
        kept_for="24 months after the person leaves, after which we show “a former member”",
        apply=_delete_old_leavers,
    )
    register_personal(_RULES)
