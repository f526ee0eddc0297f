"""End shares, ownerships, offers and signatories again after a restore.

These had ended since the backup, so the restored database contains them as if they had not ended. Only the command
`after_restore` calls these services, so their events have no author.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.kit.journal import MADE_AGAIN
from partnerships.organisations.models import Organisation
from partnerships.plans.event_kinds import EventKind, EventTarget
from partnerships.plans.models import OwnershipOffer, Plan, PlanOwner, Share, Signatory
from partnerships.plans.queries import possible_owners
from partnerships.plans.services.owning import (
    UnableToChangeOwners,
    begin_ownership,
    end_ownership,
    lock_with_partnership,
    present_owner,
    withdraw_locked_offer,
)
from partnerships.plans.services.recording import lock_plan, record_event
from partnerships.plans.services.signatories import stop_asking
from partnerships.plans.services.signing import agree_if_fully_signed


@transaction.atomic
def narrow_share(*, share: Share, may_comment: bool, ends_on: dt.date | None, now: dt.datetime) -> bool:
    """Reduce a share to these terms, and return whether the share allowed more.

    For example, a share until 31 May with comments, reduced to the terms of a share until 30 June without comments,
    still ends on 31 May and allows no more comments.
    """
    plan = lock_plan(share.plan)
    may_still_comment = share.may_comment and may_comment
    last_day = min(share.ends_on or ends_on, ends_on) if ends_on else share.ends_on
    if (share.may_comment, share.ends_on) == (may_still_comment, last_day):
        return False

    share.may_comment = may_still_comment
    share.ends_on = last_day
    share.save(update_fields=["may_comment", "ends_on"])
    after = {"may_comment": share.may_comment, "ends_on": share.ends_on.isoformat() if share.ends_on else None}
    record_event(
        plan,
        EventKind.SHOWING_CHANGED,
        author=None,
        target=EventTarget.DRAFT,
        now=now,
        data={"title": plan.title, "person": share.person_id, "after": after},
    )
    return True


@transaction.atomic
def end_ownership_again(*, owner: PlanOwner, because: str, successor: Organisation | None, now: dt.datetime) -> None:
    """End an ownership that had ended since the backup.

    If a `successor` took over the plan and may still own it, the successor becomes an owner again. Raises
    `UnableToChangeOwners` if nobody else owns the plan.
    """
    plan = lock_with_partnership(owner.plan, owner.plan.partnership_id)
    current_owner = present_owner(plan, owner.organisation_id)
    other_owners = plan.owners.exclude(pk=current_owner.pk)

    # Begin the successor's ownership before the old one ends, so that the plan always has an owner.
    if successor is not None and not other_owners.filter(organisation=successor).exists() and _may_own(plan, successor):
        begin_ownership(plan, successor, author=None, now=now)
    if not other_owners.exists():
        raise UnableToChangeOwners(
            f"nobody else owns plan {plan.pk}, so {current_owner.organisation.name} is still an owner"
        )
    end_ownership(plan, current_owner, because, author=None, now=now, reason=MADE_AGAIN)


def _may_own(plan: Plan, organisation: Organisation) -> bool:
    """Return whether the organisation has not ended and may own plans of the plan's partnership."""
    if organisation.is_ended or plan.partnership is None:
        return False
    return possible_owners(plan.partnership).filter(pk=organisation.pk).exists()


@transaction.atomic
def withdraw_offer_again(*, offer: OwnershipOffer, now: dt.datetime) -> None:
    """Withdraw an offer that had been withdrawn or declined since the backup."""
    lock_plan(offer.plan)
    withdraw_locked_offer(offer, author=None, now=now)


@transaction.atomic
def remove_signatory_again(*, signatory: Signatory, now: dt.datetime) -> None:
    """Remove a signatory that had been removed since the backup, even if the plan has no other signatory."""
    plan = lock_plan(signatory.plan)
    stop_asking(plan, signatory, reason=MADE_AGAIN, author=None, now=now)
    agree_if_fully_signed(plan, author=None, now=now)
