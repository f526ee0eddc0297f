"""Apply the journal to organisations after a restore, for example to end memberships again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from partnerships.kit.journal import MADE_AGAIN, RedoResult, last_about, moment, redo_each, register_redo, same_rows
from partnerships.organisations.models import Handover, HandoverState, Membership, Merge, Organisation, Role, Succession
from partnerships.organisations.services.consents import CONSENT, consent_identity, record_consent_again
from partnerships.organisations.services.handover_batches import HANDOVER, handover_identity
from partnerships.organisations.services.memberships import (
    MEMBERSHIP,
    UnableToChangeRole,
    UnableToEndMembership,
    change_role,
    end_membership,
    membership_identity,
)
from partnerships.organisations.services.merging import MERGE, UnableToMerge, merge_identity, undo_merge
from partnerships.organisations.services.organisations import SIGN_IN_RULES, organisation_identity, sign_in_identity
from partnerships.organisations.services.vesting import process_due_successions

#: Roles from the fewest rights to the most.
_RANKS = (Role.VIEWER, Role.EDITOR, Role.LEAD)


def redo_memberships(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """End the memberships that ended since the backup, and lower the roles that were lowered since.

    This happens even if the organisation then has no lead. The result names such organisations. Higher roles are not
    given again.
    """
    changed_organisations: set[int] = set()

    def redo(membership: Membership, line: dict[str, Any]) -> int:
        is_changed = _end_or_lower(membership, line, now)
        changed_organisations.add(membership.organisation_id)
        return is_changed

    memberships = Membership.objects.filter(pk__in={line["membership"] for line in lines}, ends_on=None)
    result = redo_each(
        "membership",
        lines,
        memberships.select_related("person", "organisation", "invitation").order_by("pk"),
        identity_of=membership_identity,
        began_at=_began,
        redo=redo,
        unable=(UnableToEndMembership, UnableToChangeRole),
    )
    leads = Membership.objects.current(timezone.localdate(now)).filter(
        role=Role.LEAD, organisation__in=changed_organisations
    )
    for organisation_id in sorted(changed_organisations - set(leads.values_list("organisation", flat=True))):
        result.problems.append(f"organisation {organisation_id}: has no lead now, so invite one")
    return result


def _began(membership: Membership) -> dt.datetime:
    """Return when the person accepted the membership or was invited, or the earliest moment if neither is known."""
    if membership.accepted_at is not None:
        return membership.accepted_at
    invitation = membership.invitation
    return invitation.created_at if invitation else dt.datetime.min.replace(tzinfo=dt.UTC)


def _end_or_lower(membership: Membership, line: dict[str, Any], now: dt.datetime) -> bool:
    """Apply a line of the journal to a membership, and return whether the membership changed."""
    if not line.get("undone"):
        end_membership(membership=membership, author=None, reason=MADE_AGAIN, now=now, even_last_lead=True)
        return True
    if _RANKS.index(Role(membership.role)) <= _RANKS.index(Role(line["role"])):
        return False
    change_role(membership=membership, role=line["role"], author=None, reason=MADE_AGAIN, now=now)
    return True


def redo_sign_in_rules(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Name the organisations that have the rules for signing in of before the last change.

    Leads must make the change again, because the journal does not contain the provider.
    """
    result = RedoResult()
    organisations = Organisation.objects.filter(pk__in={line["organisation"] for line in lines})
    for organisation, line in same_rows(
        "organisation",
        lines,
        organisations.order_by("pk"),
        identity_of=organisation_identity,
        began_at=lambda organisation: organisation.created_at,
        result=result,
    ):
        if sign_in_identity(organisation) != line["ways"]:
            result.problems.append(
                f"organisation {organisation.pk}: its people sign in as they did before a change made after the "
                "backup. Set its sign-in page and second factor again"
            )
    return result


def redo_merges(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Undo again the merges that were undone since the backup, and name the merges that were made since.

    Administrators must repeat the merges themselves, because they look at both records first.
    """
    result = RedoResult()
    lines_in_order = sorted(lines, key=moment)
    # Later lines about a merge replace earlier ones.
    last_line_by_identity = {line["same"]: line for line in lines_in_order}
    merges_in_force = Merge.objects.in_force().filter(merged__in={line["merged"] for line in lines})
    merge_by_identity = {merge_identity(merge): merge for merge in merges_in_force.select_related("kept", "merged")}

    for line in sorted(last_line_by_identity.values(), key=moment):
        merge = merge_by_identity.get(line["same"])
        description = f"organisation {line['merged']}, merged into {line['kept']}"
        if not line.get("undone"):
            if merge is None:
                result.problems.append(f"{description} after the backup: merge them again")
            continue
        if merge is None:
            continue
        if merge.merged_at > moment(line):
            result.problems.append(f"{description}: merged again after the line of {line['at']}")
            continue
        try:
            undo_merge(merge=merge, reason=MADE_AGAIN, author=None, now=now)
            result.count += 1
        except UnableToMerge:
            result.problems.append(f"{description}: not undone again, because a later merge has to be undone first")
    return result


def redo_consents(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Record again the consents that were recorded since the backup.

    This runs before the lines that need these consents pass on. The journal does not contain where a consent can be
    read, so leads must be asked.
    """

    def redo(handover: Handover, line: dict[str, Any]) -> int:
        given_on = dt.date.fromisoformat(line["on"])
        record_consent_again(handover, given_on=given_on, recorded_by=line["by"], recorded_at=moment(line))
        return 1

    lines_lacking_consent = Handover.objects.lacking_consent().filter(pk__in={line["handover"] for line in lines})
    return redo_each(
        "handover",
        lines,
        lines_lacking_consent.order_by("pk"),
        identity_of=consent_identity,
        began_at=lambda handover: handover.proposed_at,
        redo=redo,
    )


def redo_handovers(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Apply the successions that are due, and name the successions that failed or that differ from the journal.

    This runs early, so that people who act for a predecessor move to the successor before their membership ends.
    """
    result = RedoResult()
    result.count, errors = process_due_successions(now=now)
    result.problems += [
        f"succession {succession_id}: passing on failed: {type(error).__name__}: {error}"
        for succession_id, error in errors.items()
    ]
    successions = Succession.objects.in_bulk([line["succession"] for line in lines])
    for succession_id, line in sorted(last_about("succession", lines).items()):
        succession = successions.get(succession_id)
        if succession is None or handover_identity(succession) != line["same"]:
            result.problems.append(
                f"succession {succession_id}: the journal means another succession, so record that and its lines again"
            )
            continue
        applied_count = succession.handovers.filter(state=HandoverState.APPLIED).count()
        if line["undone"] and applied_count:
            result.problems.append(
                f"succession {succession_id}: it was undone after the backup was made, so undo it once more"
            )
        elif not line["undone"] and applied_count < line["count"]:
            result.problems.append(
                f"succession {succession_id}: {applied_count} of {line['count']} lines passed on, so propose the "
                "others again"
            )
    return result


def register() -> None:
    """Register how each kind of line in the journal is applied after a restore.

    Consents come before the handovers that need them.
    """
    register_redo(CONSENT, "consents to handovers recorded again", redo_consents, early=True)
    register_redo(HANDOVER, "handover lines passed on again", redo_handovers, early=True)
    register_redo(MEMBERSHIP, "memberships ended or lowered again", redo_memberships)
    register_redo(MERGE, "merges of organisations undone again", redo_merges)
    register_redo(SIGN_IN_RULES, "organisations' ways to sign in", redo_sign_in_rules)
