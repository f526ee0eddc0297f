"""Applies the journal's stops, refusals and choices again after a backup is restored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ObjectDoesNotExist

from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import (
    TARGETS,
    MatchNotice,
    NoticeChoice,
    Preference,
    Subscription,
    SubscriptionStatus,
)
from partnerships.digests.planning.watermarks import drop_unfollowed
from partnerships.digests.services.journal_lines import (
    LINKS,
    MATCHES,
    REFUSED_ALL,
    SUBSCRIPTION,
    WAY,
    person_identity,
    subscription_identity,
    target_identity,
)
from partnerships.digests.services.new_links import renew_links
from partnerships.digests.services.recording import record_event
from partnerships.digests.services.stopping import end_subscriptions
from partnerships.kit.journal import (
    RedoResult,
    address_hash,
    last_about,
    moment,
    not_undone,
    register_redo,
    same_rows,
)
from partnerships.kit.link_keys import redo_links
from partnerships.people.models import User
from partnerships.people.refusals import store_hashes

_REASON = "We restored an older backup, so we stopped these digests again."


def redo_subscriptions(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """End the subscriptions that ended after the backup, and record again what people refused after the backup.

    A refusal counts even if the backup has no subscription to the target.
    """
    result = RedoResult()
    subscriptions = Subscription.objects.live().filter(pk__in={line["subscription"] for line in lines})
    for subscription, line in same_rows(
        "subscription",
        lines,
        subscriptions.select_related("person").order_by("pk"),
        identity_of=subscription_identity,
        began_at=lambda row: row.confirmed_at or row.asked_at,
        result=result,
    ):
        if not line.get("undone"):
            author = subscription.person if line["refused"] else None
            result.count += end_subscriptions([subscription], author=author, reason=_REASON, now=now)
    # Lines written before 29 November 2026 do not name the person.
    last_lines = last_about("same", [line for line in lines if "person" in line])
    refusals = [line for line in last_lines.values() if line["refused"] and not line["undone"]]
    people = User.objects.filter(erased_at=None).in_bulk({line["person"] for line in refusals})
    for line in refusals:
        if (person := people.get(line["person"])) is not None:
            result.count += _refuse(person, line, now)
    drop_unfollowed({person.pk for person in people.values()})
    return result


def _refuse(person: User, line: dict[str, Any], now: dt.datetime) -> bool:
    """Record the refusal of a journal line again, and return whether that changed anything.

    Nothing is done if the person follows the target again, or if the backup already has this refusal or a later one.
    """
    target_fields = {f"{name}_id": line[name] for name in TARGETS if line.get(name) is not None}
    target_fields["key"] = line.get("key", "")
    refused_at = moment(line)
    existing_subscription = Subscription.objects.filter(person=person, **target_fields).first()
    if existing_subscription is not None:
        has_refusal = existing_subscription.refused_at is not None and existing_subscription.refused_at >= refused_at
        if not existing_subscription.is_ended or has_refusal:
            return False
    subscription = existing_subscription or Subscription(person=person, asked_at=refused_at, **target_fields)
    if not _is_about(subscription, line):
        return False

    subscription.status = SubscriptionStatus.ENDED
    subscription.ended_at = refused_at
    subscription.refused_at = refused_at
    subscription.reason = _REASON
    subscription.save()
    record_event(subscription, EventKind.ENDED, author=None, now=now, reason=_REASON)
    return True


def _is_about(subscription: Subscription, line: dict[str, Any]) -> bool:
    """Return True if a journal line is about this subscription's person and target.

    After a restore, the same ids may belong to another person or target.
    """
    try:
        return (subscription_identity(subscription), target_identity(subscription)) == (line["same"], line["target"])
    except ObjectDoesNotExist:  # the backup does not contain the refused record
        return False


def redo_refused_all(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Record again who refused confirmation emails.

    If the backup does not contain a person, the refusal is stored with the hash of the address.
    """
    line_by_person = {line["person"]: line for line in not_undone("person", lines)}
    users = [user for user in User.objects.filter(pk__in=line_by_person) if _is_person(user, line_by_person[user.pk])]
    Preference.objects.bulk_create([Preference(person=user) for user in users], ignore_conflicts=True)
    # Lines written before 29 November 2026 also meant that the person wants no matches.
    person_ids_of_old_lines = [user.pk for user in users if "refusal" not in line_by_person[user.pk]]
    Preference.objects.filter(person__in=person_ids_of_old_lines, refused_at=None).update(tells_matches=False)
    refused_count = Preference.objects.filter(person__in=users, refused_at=None).update(refused_at=now)

    last_line_by_address = last_about("address", lines)
    unknown_person_ids = line_by_person.keys() - {user.pk for user in users}
    hashes = {
        line["refusal"]
        for line in (line_by_person[pk] for pk in unknown_person_ids)
        if line.get("refusal")
        # A person with this address may have allowed the emails since.
        and not last_line_by_address[line["address"]].get("undone")
    }
    return RedoResult(refused_count + store_hashes(hashes, now=now))


def _is_person(person: User, line: dict[str, Any]) -> bool:
    """Return True if a journal line is about this person, by address or by the moment of joining."""
    return address_hash(person.email) == line["address"] or person.joined_at.isoformat() == line.get("joined")


def redo_matches(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Turn off matches again for people who turned them off after the backup."""
    line_by_person = {line["person"]: line for line in not_undone("person", lines)}
    people = [
        user
        for user in User.objects.filter(pk__in=line_by_person)
        if person_identity(user) == line_by_person[user.pk]["same"]
    ]
    Preference.objects.bulk_create([Preference(person=person) for person in people], ignore_conflicts=True)
    MatchNotice.objects.filter(recipient__in=people, told_at=None).delete()
    return RedoResult(Preference.objects.filter(person__in=people, tells_matches=True).update(tells_matches=False))


def redo_ways(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Restore how people last chose to get the notices of each group."""
    # The lines are in order of time, so later choices for a group replace earlier ones in the dictionary.
    last_lines = {(line["person"], line["group"]): line for line in lines}
    people = User.objects.filter(erased_at=None).in_bulk({person_id for person_id, _ in last_lines})
    result = RedoResult()
    for (person_id, group), line in last_lines.items():
        person = people.get(person_id)
        if person is None or person_identity(person) != line["same"]:
            continue
        if NoticeChoice.objects.filter(person=person, group=group, way=line["way"]).exists():
            continue
        NoticeChoice.objects.update_or_create(person=person, group=group, defaults={"way": line["way"]})
        result.count += 1
    return result


def redo_digest_links(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Renew links in digests again that were renewed after the backup, so that earlier links stop working."""
    people = User.objects.filter(pk__in={line["person"] for line in lines}, digest_preference__isnull=False)
    return redo_links(
        "person",
        lines,
        people.filter(erased_at=None).select_related("digest_preference").order_by("pk"),
        identity_of=person_identity,
        began_at=lambda row: row.joined_at,
        holder=lambda row: row.digest_preference,
        renew=lambda row: renew_links(person=row, author=None, now=now),
    )


def register() -> None:
    """Register the kinds of journal line that are applied again after a restore."""
    register_redo(SUBSCRIPTION, "subscriptions stopped or refused again", redo_subscriptions)
    register_redo(REFUSED_ALL, "people who want no confirmation emails", redo_refused_all)
    register_redo(MATCHES, "people who want no matches", redo_matches)
    register_redo(WAY, "choices of how people get notices", redo_ways)
    register_redo(LINKS, "people whose links in emails were ended again", redo_digest_links)
