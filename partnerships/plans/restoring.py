"""End access to plans again after a backup is restored.

For example, a share that was revoked after the backup would be active again. Access that was given after the backup is
not given again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.kit.journal import MADE_AGAIN, RedoResult, redo_each, register_redo
from partnerships.kit.link_keys import redo_links
from partnerships.organisations.models import Organisation
from partnerships.plans.models import Audience, OwnershipOffer, Plan, PlanOwner, Share, Signatory
from partnerships.plans.services.lifecycle import UnableToChangeStatus, change_audience
from partnerships.plans.services.owning import UnableToChangeOwners
from partnerships.plans.services.recording import (
    AUDIENCE,
    OFFER,
    OWNER,
    offer_identity,
    owner_identity,
    plan_identity,
)
from partnerships.plans.services.redoing import (
    end_ownership_again,
    narrow_share,
    remove_signatory_again,
    withdraw_offer_again,
)
from partnerships.plans.services.sharing import SHARE, revoke_share, share_identity
from partnerships.plans.services.signatories import LINKS, SIGNATORY, renew_link, signatory_identity

#: The audiences, from the fewest readers to the most.
_RANKS = (Audience.OWNERS, Audience.PARTNERSHIP, Audience.NETWORK, Audience.PUBLIC)


def redo_shares(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """End shares again that had ended since the backup, and narrow the terms of shares that had been narrowed."""

    def redo(share: Share, line: dict[str, Any]) -> int:
        if line.get("undone"):
            ends_on = dt.date.fromisoformat(line["ends_on"]) if line["ends_on"] else None
            return narrow_share(share=share, may_comment=line["may_comment"], ends_on=ends_on, now=now)
        revoke_share(share=share, author=None, now=now)
        return 1

    shares = Share.objects.filter(pk__in={line["share"] for line in lines}, revoked_at=None)
    return redo_each(
        "share",
        lines,
        shares.select_related("plan", "person").order_by("pk"),
        identity_of=share_identity,
        began_at=lambda share: share.shared_at,
        redo=redo,
    )


def redo_owners(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """End ownerships again that had been given up or handed over since the backup."""

    def redo(owner: PlanOwner, line: dict[str, Any]) -> int:
        successor = Organisation.objects.filter(pk=line["successor"]).first()
        if successor is not None and owner_identity(owner.plan, successor) != line["successor_same"]:
            successor = None
        end_ownership_again(owner=owner, because=line["because"], successor=successor, now=now)
        return 1

    owners = PlanOwner.objects.filter(pk__in={line["owner"] for line in lines})
    return redo_each(
        "plan owner",
        [{**line, "plan owner": line["owner"]} for line in lines],
        owners.select_related("plan", "organisation").order_by("pk"),
        identity_of=lambda owner: owner_identity(owner.plan, owner.organisation),
        began_at=lambda owner: owner.began_at or owner.plan.created_at,
        redo=redo,
        unable=UnableToChangeOwners,
    )


def redo_offers(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Withdraw offers of plans again that had been withdrawn or declined since the backup."""

    def redo(offer: OwnershipOffer, line: dict[str, Any]) -> int:
        if line.get("undone"):
            return 0
        withdraw_offer_again(offer=offer, now=now)
        return 1

    offers = OwnershipOffer.objects.acceptable().filter(pk__in={line["offer"] for line in lines})
    return redo_each(
        "offer",
        lines,
        offers.select_related("plan", "organisation").order_by("pk"),
        identity_of=offer_identity,
        began_at=lambda offer: offer.offered_at,
        redo=redo,
    )


def redo_signatories(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Remove signatories again that had been removed since the backup.

    The result lists each plan that waits for signatures but has no signatories any more.
    """
    plan_ids: set[int] = set()

    def redo(signatory: Signatory, _line: dict[str, Any]) -> int:
        remove_signatory_again(signatory=signatory, now=now)
        plan_ids.add(signatory.plan_id)
        return 1

    signatories = Signatory.objects.filter(pk__in={line["signatory"] for line in lines}, removed_at=None)
    result = redo_each(
        "signatory",
        lines,
        signatories.select_related("plan", "organisation").order_by("pk"),
        identity_of=signatory_identity,
        began_at=lambda signatory: signatory.asked_at,
        redo=redo,
    )
    for plan in Plan.objects.filter(pk__in=plan_ids).order_by("pk"):
        if plan.is_awaiting_sign_off and not plan.signatories.filter(removed_at=None).exists():
            result.problems.append(f"plan {plan.pk}: no organisation is asked to sign it now")
    return result


def redo_sign_off_links(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Renew the links to sign that had been renewed since the backup, so that only the newest links work."""
    signatories = Signatory.objects.filter(pk__in={line["signatory"] for line in lines}, removed_at=None)
    return redo_links(
        "signatory",
        lines,
        signatories.select_related("plan", "organisation").order_by("pk"),
        identity_of=signatory_identity,
        began_at=lambda signatory: signatory.asked_at,
        holder=lambda signatory: signatory,
        renew=lambda signatory: renew_link(signatory, now=now),
    )


def redo_audiences(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Narrow the audiences of plans again that had been narrowed since the backup."""

    def redo(plan: Plan, line: dict[str, Any]) -> int:
        if _RANKS.index(Audience(plan.audience)) <= _RANKS.index(Audience(line["audience"])):
            return 0
        change_audience(plan=plan, audience=line["audience"], reason=MADE_AGAIN, author=None, now=now)
        return 1

    plans = Plan.objects.filter(pk__in={line["plan"] for line in lines})
    return redo_each(
        "plan",
        lines,
        plans.order_by("pk"),
        identity_of=plan_identity,
        began_at=lambda plan: plan.created_at,
        redo=redo,
        unable=UnableToChangeStatus,
    )


def register() -> None:
    """Register these functions for restores."""
    # `early` runs this before parties leave, because a plan leaves the partnership with its only owner.
    register_redo(OWNER, "ownerships of plans ended again", redo_owners, early=True)
    register_redo(OFFER, "offers of plans withdrawn again", redo_offers)
    register_redo(SHARE, "shares by name ended or narrowed again", redo_shares)
    register_redo(SIGNATORY, "requests to sign off plans ended again", redo_signatories)
    register_redo(LINKS, "links to sign plans renewed again", redo_sign_off_links)
    register_redo(AUDIENCE, "audiences of plans narrowed again", redo_audiences)
