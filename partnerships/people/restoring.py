"""Apply the journal to people after a restore, for example to erase people again."""

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
from partnerships.kit.journal import (
    MADE_AGAIN,
    RedoResult,
    address_hash,
    last_about,
    moment,
    not_undone,
    redo_each,
    register_redo,
)
from partnerships.kit.owner_functions import call_owner_function
from partnerships.outbox.bounces import UnableToRelease, release_address, suppress_address
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
from partnerships.people.refusals import KEPT_REFUSAL, store_hashes
from partnerships.people.second_factor import has_second_factor
from partnerships.people.security import record_security_event
from partnerships.people.services import CLOSED, UnableToCloseAccount, close_account, reopen_account
from partnerships.people.sign_in_journal import (
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


def redo_kept_refusals(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Store again the refusals of people who changed their address after the backup."""
    hashes = {line["refusal"] for line in not_undone("address", lines)}
    return RedoResult(store_hashes(hashes, now=now))


def redo_erased(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Erase the people who were erased after the backup, and store their refusals.

    A refusal is stored even if the backup does not contain the person.
    """
    store_hashes({line["refusal"] for line in lines if line.get("refusal")}, now=now)
    line_by_person = {line["person"]: line for line in lines}
    result = RedoResult()
    for person in User.objects.filter(pk__in=line_by_person, erased_at=None).order_by("pk"):
        line = line_by_person[person.pk]
        has_same_address = address_hash(person.email) == line["address"]
        has_same_start = person.joined_at.isoformat() == line.get("joined")
        if has_same_address or has_same_start:
            erase_person(person=person, author=None, reason=MADE_AGAIN, now=now)
            result.count += 1
        else:
            result.problems.append(
                f"person {person.pk}: is not the person who was erased, because the id has been used again"
            )
    return result


def redo_closed(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Close or reopen each account as the last line about it says.

    Even the last administrator's account is closed. The result then says that there is no administrator.
    """
    line_by_person = last_about("person", lines)
    result = RedoResult()
    for person in User.objects.filter(pk__in=line_by_person, erased_at=None).order_by("pk"):
        line = line_by_person[person.pk]
        # Since the restore, the id may belong to another person. Lines from before 29 November 2026 have no `joined`.
        joined = person.joined_at.isoformat()
        if line.get("joined", joined) != joined:
            result.problems.append(
                f"person {person.pk}: is not the person in the journal, because the id has been used again"
            )
            continue
        should_be_open = line.get("undone", False)
        if person.is_active == should_be_open:
            continue
        if should_be_open:
            reopen_account(person=person, author=None, reason=MADE_AGAIN, now=now)
        else:
            try:
                close_account(person=person, author=None, reason=MADE_AGAIN, now=now, even_last_administrator=True)
            except UnableToCloseAccount as error:
                result.problems.append(f"person {person.pk}: {error}")
                continue
        result.count += 1
    result.problems += _administrator_problems()
    return result


def redo_administration(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Withdraw the administration that was withdrawn since the backup. Administration is never granted again.

    Even the last administrator loses it. The result then says that there is no administrator.
    """

    def redo(person: User, line: dict[str, Any]) -> int:
        if line.get("undone") or not (person.is_staff and person.is_active):
            return 0
        withdraw_administration(person=person, author=None, reason=MADE_AGAIN, now=now, even_last=True)
        return 1

    result = _redo_people(lines, redo, unable=UnableToChangeAdministration)
    result.problems += _administrator_problems()
    return result


def redo_passwords(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Require a new password from people if the restore brought back an earlier one."""

    def redo(person: User, line: dict[str, Any]) -> int:
        changed_since = SecurityEvent.objects.filter(
            person=person, kind=SecurityEventKind.PASSWORD_CHANGED, at__gte=moment(line)
        ).exists()
        if changed_since or not person.has_usable_password():
            return 0
        require_new_password(person=person, now=now)
        return 1

    return _redo_people(lines, redo)


def redo_factors(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Remove the second factors that were removed since the backup.

    A person without another factor must also choose a new password by email, because the password alone must not be
    enough.
    """

    def redo(person: User, line: dict[str, Any]) -> int:
        factors = Authenticator.objects.filter(user=person, created_at__lte=moment(line))
        removed_ids = [factor.pk for factor in factors if factor_identity(factor) not in line["kept"]]
        if not removed_ids:
            return 0
        factors.filter(pk__in=removed_ids).delete()
        record_security_event(person=person, kind=SecurityEventKind.SECOND_FACTOR_CHANGED, now=now)
        journal_factors(person, now=now)
        if not has_second_factor(person):
            require_new_password(person=person, now=now)
        return len(removed_ids)

    return _redo_people(lines, redo)


def redo_addresses(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """List the people with a restored earlier address, which no longer belongs to them."""
    result = RedoResult()

    def redo(person: User, line: dict[str, Any]) -> int:
        changes = Event.objects.filter(kind=EventKind.EMAIL_CHANGED, target_kind="person", target_id=person.pk)
        if not changes.filter(at__gte=moment(line)).exists():
            result.problems.append(f"person {person.pk}: has their earlier address, so ask them for the new one")
        return 0

    result.add(_redo_people(lines, redo))
    return result


def _redo_people(
    lines: Sequence[dict[str, Any]],
    redo: Callable[[User, dict[str, Any]], int],
    unable: type[Exception] | tuple[type[Exception], ...] = (),
) -> RedoResult:
    """Call `redo` with each person who is certainly the person of a line, and return the result."""
    people = User.objects.filter(pk__in={line["person"] for line in lines}, erased_at=None)
    return redo_each(
        "person",
        lines,
        people.order_by("pk"),
        identity_of=person_identity,
        began_at=lambda person: person.joined_at,
        redo=redo,
        unable=unable,
    )


def redo_providers(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Remove the sign-in pages that were removed since the backup, and list the pages that changed their directory."""
    result = RedoResult()

    def redo(app: SocialApp, line: dict[str, Any]) -> int:
        if not line["removed"]:
            result.problems.append(f"sign-in page {app.pk}: was changed to another directory, so change it again")
            return 0
        remove_provider(app=app, author=None, reason=MADE_AGAIN, now=now)
        return 1

    apps = SocialApp.objects.filter(pk__in={line["provider"] for line in lines})
    result.add(
        redo_each(
            "provider",
            lines,
            apps.order_by("pk"),
            identity_of=provider_identity,
            # A provider's identity is enough to recognise it, because the identity contains the directory.
            began_at=lambda _app: dt.datetime.min.replace(tzinfo=dt.UTC),
            redo=redo,
            unable=UnableToChangeProvider,
        )
    )
    return result


def _administrator_problems() -> list[str]:
    """Return a problem for the operator if the network has no administrator; empty if it has one."""
    if User.objects.filter(is_staff=True, is_active=True).exists():
        return []
    return ["the network has no administrator now, so create one with `manage.py createsuperuser`"]


def redo_suppressed(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Suppress or release each address as the last line about it says.

    An address that nobody in the restored database has is suppressed by its hash.
    """
    line_by_hash = last_about("address", lines)
    emails = User.objects.exclude(email="").values_list("email", flat=True) if line_by_hash else ()
    address_by_hash = {address_hash(email): email for email in emails}
    result = RedoResult()
    for hashed, line in line_by_hash.items():
        target = {"address": address_by_hash[hashed]} if hashed in address_by_hash else {"address_hash": hashed}
        if line.get("released"):
            try:
                release_address(**target, author_id=None, now=now)
            except UnableToRelease:
                continue
            result.count += 1
        elif not is_suppressed(**target):
            result.count += suppress_address(**target, reason=MADE_AGAIN, email_id=None, author_id=None, now=now)
    return result


def advance_sequences() -> int:
    """Advance every sequence by ten million, and that of areas by ten thousand; return the number of sequences.

    Ids from after the backup are then never used again. If they were, a new email could be mistaken for one in the
    journal. The application's role may not set sequences, so this calls a function of the database's owner.
    """
    return call_owner_function("move_numbers_on")


def record_restore_start(*, since: dt.datetime, now: dt.datetime) -> None:
    """Record the moment from which the journal is applied, so that a repeated run uses the same moment."""
    record(
        actor_id=None,
        kind=EventKind.RESTORE_STARTED,
        target_kind="network",
        target_id=0,
        now=now,
        data={"since": since.isoformat()},
    )


def first_journal_start(now: dt.datetime) -> dt.datetime | None:
    """Return the moment from which the last week's first run applied the journal; None if there was no run."""
    recent_runs = Event.objects.filter(kind=EventKind.RESTORE_STARTED, at__gt=now - dt.timedelta(days=7))
    first_run = recent_runs.order_by("at", "pk").first()
    return dt.datetime.fromisoformat(first_run.data["since"]) if first_run else None


@transaction.atomic
def end_sessions_and_invitations(*, now: dt.datetime) -> dict[str, int]:
    """End all sessions and revoke all open invitations, and return the number of each.

    The backup may contain sessions and invitations that were ended after it was made.
    """
    sessions, _ = Session.objects.all().delete()
    invitations = Invitation.objects.filter(pk__in=Invitation.objects.open_at(now).values("pk")).update(revoked_at=now)
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
    """Register how each kind of line in the journal is applied after a restore."""
    register_redo(KEPT_REFUSAL, "refused addresses of people who changed their address", redo_kept_refusals)
    register_redo(ERASED, "people erased again", redo_erased)
    register_redo(CLOSED, "accounts closed or reopened again", redo_closed)
    register_redo(ADMINISTRATION, "people who no longer administer the network", redo_administration)
    register_redo(PASSWORD, "people who must choose a new password", redo_passwords)
    register_redo(FACTORS, "second factors removed again", redo_factors)
    register_redo(ADDRESS, "people with an earlier address", redo_addresses)
    register_redo(PROVIDER, "sign-in pages removed again", redo_providers)
    register_redo(SUPPRESSED, "addresses suppressed or released again", redo_suppressed)
