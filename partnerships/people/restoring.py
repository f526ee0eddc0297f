"""Repeats erasures, closed accounts, suppressions and ended ways to sign in after a restore."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialApp
from django.contrib.sessions.models import Session
from django.db import transaction

from partnerships.activity.models import Event
from partnerships.activity.services import record
from partnerships.kit.journal import Redone, address_hash, last_about, moment, not_undone, redo_each, register_redo
from partnerships.kit.owner_functions import call_owner_function
from partnerships.outbox.bounces import UnableToRelease, release, suppress
from partnerships.outbox.queries.suppressions import is_suppressed
from partnerships.outbox.restoring import SUPPRESSED
from partnerships.people.administrators import (
    ADMINISTRATION,
    UnableToChangeAdministration,
    withdraw_administration,
)
from partnerships.people.event_kinds import EventKind
from partnerships.people.identity_providers import UnableToChangeProvider, remove_provider
from partnerships.people.models import Invitation, SecurityEvent, SecurityEventKind, User
from partnerships.people.personal_data import ERASED, erase_person
from partnerships.people.refusals import KEPT_REFUSAL, keep_hashes
from partnerships.people.second_factor import has_second_factor
from partnerships.people.security import note_event
from partnerships.people.services import CLOSED, UnableToCloseAccount, close_account, reopen_account
from partnerships.people.ways_in import (
    ADDRESS,
    FACTORS,
    PASSWORD,
    PROVIDER,
    factor_identity,
    journal_factors,
    person_identity,
    provider_identity,
    require_new_password,
)

_REASON = "As it was before a backup was restored."


def redo_kept_refusals(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Keep refused addresses again that their people have given up since."""
    hashes = {line["refusal"] for line in not_undone("address", lines)}
    kept = keep_hashes(hashes, now=now)
    return Redone(kept)


def redo_erased(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Erase again everybody erased since the backup.

    Refused addresses stay refused, also those of people who are not in the backup.
    """
    keep_hashes({line["refusal"] for line in lines if line.get("refusal")}, now=now)
    people = User.objects.filter(pk__in=[line["person"] for line in lines], erased_at=None)
    known = {line["person"]: (line["address"], line.get("joined")) for line in lines}
    people_to_erase = [
        person
        for person in people
        if address_hash(person.email) == known[person.pk][0] or person.joined_at.isoformat() == known[person.pk][1]
    ]
    for person in people_to_erase:
        erase_person(person=person, author=None, reason=_REASON, now=now)
    others = {person.pk for person in people} - {person.pk for person in people_to_erase}
    return Redone(len(people_to_erase), [f"person {pk}: not the one who was erased" for pk in sorted(others)])


def redo_closed(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Close or reopen accounts, as each last was.

    Also that of the last administrator; the outcome says so.
    """
    last = last_about("person", lines)
    redone = Redone()
    for person in User.objects.filter(pk__in=last, erased_at=None).order_by("pk"):
        line = last[person.pk]
        # An id may have been given again. Lines written before 29 November 2026 do not say when somebody joined.
        if line.get("joined", person.joined_at.isoformat()) != person.joined_at.isoformat():
            redone.left.append(f"person {person.pk}: not the one in the journal, the number has been used again")
            continue
        if person.is_active == line.get("undone", False):
            continue
        if line.get("undone"):
            reopen_account(person=person, author=None, reason=_REASON, now=now)
        else:
            try:
                close_account(person=person, author=None, reason=_REASON, now=now, even_last_administrator=True)
            except UnableToCloseAccount as error:
                redone.left.append(f"person {person.pk}: {error}")
                continue
        redone.done += 1
    redone.left += _without_administrators()
    return redone


def redo_administration(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Withdraw administration that was withdrawn since the backup.

    Also from the last administrator; the outcome says so. It is not granted again.
    """

    def redo(person: User, line: dict[str, Any]) -> int:
        if line.get("undone") or not (person.is_staff and person.is_active):
            return 0
        withdraw_administration(person=person, author=None, reason=_REASON, now=now, even_last=True)
        return 1

    redone = _redo_people(lines, redo, unable=UnableToChangeAdministration)
    redone.left += _without_administrators()
    return redone


def redo_passwords(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Let people choose a new password whose old one came back."""

    def redo(person: User, line: dict[str, Any]) -> int:
        security_events = SecurityEvent.objects.filter(
            person=person, kind=SecurityEventKind.PASSWORD_CHANGED, at__gte=moment(line)
        )
        if not person.has_usable_password() or security_events.exists():
            return 0
        require_new_password(person=person, now=now)
        return 1

    return _redo_people(lines, redo)


def redo_factors(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Remove the second factors that were removed.

    Their password alone must not be enough then: without another factor they choose a new one by email.
    """

    def redo(person: User, line: dict[str, Any]) -> int:
        factors = Authenticator.objects.filter(user=person, created_at__lte=moment(line))
        removed = [factor.pk for factor in factors if factor_identity(factor) not in line["kept"]]
        if not removed:
            return 0
        factors.filter(pk__in=removed).delete()
        note_event(person=person, kind=SecurityEventKind.SECOND_FACTOR_CHANGED, now=now)
        journal_factors(person, now=now)
        if not has_second_factor(person):
            require_new_password(person=person, now=now)
        return len(removed)

    return _redo_people(lines, redo)


def redo_addresses(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Name the people whose old address came back: it is not theirs any more."""
    redone = Redone()

    def redo(person: User, line: dict[str, Any]) -> int:
        events = Event.objects.filter(kind=EventKind.EMAIL_CHANGED, target_kind="person", target_id=person.pk)
        if not events.filter(at__gte=moment(line)).exists():
            redone.left.append(f"person {person.pk}: has their earlier address; ask them for the new one")
        return 0

    redone.add(_redo_people(lines, redo))
    return redone


def _redo_people(
    lines: Sequence[dict[str, Any]],
    redo: Callable[[User, dict[str, Any]], int],
    unable: type[Exception] | tuple[type[Exception], ...] = (),
) -> Redone:
    people = User.objects.filter(pk__in={line["person"] for line in lines}, erased_at=None)
    return redo_each(
        "person",
        lines,
        people.order_by("pk"),
        same=person_identity,
        began=lambda one: one.joined_at,
        redo=redo,
        unable=unable,
    )


def redo_providers(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Remove the sign-in pages that were removed.

    Name those that became another directory.
    """
    redone = Redone()

    def redo(app: SocialApp, line: dict[str, Any]) -> int:
        if not line["removed"]:
            redone.left.append(f"sign-in page {app.pk}: was changed to another directory; change it again")
            return 0
        remove_provider(app=app, author=None, reason=_REASON, now=now)
        return 1

    apps = SocialApp.objects.filter(pk__in={line["provider"] for line in lines})
    redone.add(
        redo_each(
            "provider",
            lines,
            apps.order_by("pk"),
            same=provider_identity,
            began=lambda _app: dt.datetime.min.replace(tzinfo=dt.UTC),  # its hash names its directory
            redo=redo,
            unable=UnableToChangeProvider,
        )
    )
    return redone


def _without_administrators() -> list[str]:
    if User.objects.filter(is_staff=True, is_active=True).exists():
        return []
    return ["nobody administers the network now: `manage.py createsuperuser` makes an administrator"]


def redo_suppressed(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Suppress or release addresses, as each last was.

    An address that nobody has in the restored database is suppressed by its hash.
    """
    last = last_about("address", lines)
    emails = User.objects.exclude(email="").values_list("email", flat=True) if last else ()
    known = {address_hash(email): email for email in emails}
    changed = 0
    for hashed, line in last.items():
        which = {"address": known[hashed]} if hashed in known else {"address_hash": hashed}
        if not line.get("released"):
            if is_suppressed(**which):
                continue
            changed += suppress(**which, reason=_REASON, email_id=None, author_id=None, now=now)
            continue
        try:
            release(**which, author_id=None, now=now)
        except UnableToRelease:
            continue
        changed += 1
    return Redone(changed)


def move_numbers_on() -> int:
    """Move every sequence on by ten million, that of areas by ten thousand.

    Returns how many moved. No number given since the backup is given again: a new notice, comment or email is never
    taken for one in the journal. The application's role may not set sequences, so this is a function of the owner's.
    """
    return call_owner_function("move_numbers_on")


def note_restore(*, since: dt.datetime, now: dt.datetime) -> None:
    """Note from when on the journal is applied, for a repeated run."""
    record(
        actor_id=None,
        kind=EventKind.RESTORE_STARTED,
        target_kind="network",
        target_id=0,
        now=now,
        data={"since": since.isoformat()},
    )


def restore_begun(now: dt.datetime) -> dt.datetime | None:
    """From when on an earlier run applied the journal; None without one.

    Only runs of the last week count.
    """
    runs = Event.objects.filter(kind=EventKind.RESTORE_STARTED, at__gt=now - dt.timedelta(days=7)).order_by("at", "pk")
    first = runs.first()
    return dt.datetime.fromisoformat(first.data["since"]) if first else None


@transaction.atomic
def end_all_ways_in(*, now: dt.datetime) -> dict[str, int]:
    """End all sessions and revoke all open invitations.

    Some were ended since the backup. Returns how many of each.
    """
    sessions, _ = Session.objects.all().delete()
    invitations = Invitation.objects.filter(pk__in=Invitation.objects.open(now).values("pk")).update(revoked_at=now)
    record(
        actor_id=None,
        kind=EventKind.RESTORE_SESSIONS_ENDED,
        target_kind="network",
        target_id=0,
        now=now,
        data={"sessions": sessions, "invitations": invitations},
    )
    return {"sessions ended": sessions, "open invitations withdrawn": invitations}


def register() -> None:
    """Register these to run after a restore."""
    register_redo(KEPT_REFUSAL, "refused addresses of people who have another one", redo_kept_refusals)
    register_redo(ERASED, "people erased again", redo_erased)
    register_redo(CLOSED, "accounts closed or reopened again", redo_closed)
    register_redo(ADMINISTRATION, "people who no longer administer the network", redo_administration)
    register_redo(PASSWORD, "people who must choose a new password", redo_passwords)
    register_redo(FACTORS, "second factors removed again", redo_factors)
    register_redo(ADDRESS, "people with an earlier address", redo_addresses)
    register_redo(PROVIDER, "sign-in pages removed again", redo_providers)
    register_redo(SUPPRESSED, "addresses suppressed or released again", redo_suppressed)
