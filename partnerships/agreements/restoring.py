"""End access to partnerships again after a backup is restored.

What became more since the backup is not given again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.agreements.models import (
    LEADING_ROLES,
    Audience,
    Document,
    Holder,
    Partnership,
    Party,
    PartyRole,
    PartyStatus,
    Post,
    ProposalStatus,
    TermsProposal,
    TermsSignatory,
)
from partnerships.agreements.services.documents import (
    DOCUMENT,
    UnableToRemoveDocument,
    document_identity,
    remove_document,
)
from partnerships.agreements.services.parties import (
    PARTY,
    UnableToChangeParty,
    UnableToLeave,
    change_party_role,
    party_identity,
    remove_party,
)
from partnerships.agreements.services.partnerships import (
    AUDIENCE,
    UnableToEditSettings,
    edit_settings,
    partnership_identity,
)
from partnerships.agreements.services.posts import (
    CLEARED,
    HOLDER,
    POST,
    end_holding,
    forget_holder,
    holder_identity,
    post_identity,
    settle_post,
)
from partnerships.agreements.services.terms import UnableToWithdraw, take_back_terms, withdraw_proposal
from partnerships.agreements.services.terms.ending import PROPOSAL, proposal_identity
from partnerships.agreements.services.terms.putting_up import SIGNATORY, signatory_identity, stop_asking
from partnerships.kit.journal import Redone, register_redo, same_rows

_REASON = "As it was before a backup was restored."
#: From the role with the fewest rights to that with the most.
_RANKS = (PartyRole.OBSERVER, PartyRole.MEMBER, PartyRole.LEAD, PartyRole.CHAIR)


def redo_parties(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """End the parts that ended after the backup, and lower roles.

    Also where nobody leads the partnership then; the outcome names it.
    """
    redone = Redone()
    touched: set[int] = set()
    parties = Party.objects.filter(
        pk__in={line["party"] for line in lines}, status__in=[PartyStatus.INVITED, PartyStatus.ACCEPTED]
    )
    for party, line in same_rows(
        "party",
        lines,
        parties.select_related("partnership", "organisation").order_by("pk"),
        same=lambda one: party_identity(one.partnership, one.organisation),
        began=lambda one: one.answered_at or one.invited_at,
        redone=redone,
    ):
        try:
            redone.done += _redo(party, line, now)
        except (UnableToLeave, UnableToChangeParty) as error:
            redone.left.append(f"party {party.pk}: {error}")
            continue
        touched.add(party.partnership_id)
    led = Party.objects.present().filter(role__in=LEADING_ROLES, partnership__in=touched)
    leaderless = Partnership.objects.live().filter(pk__in=touched).exclude(pk__in=led.values("partnership"))
    for number in leaderless.order_by("pk").values_list("pk", flat=True):
        redone.left.append(f"partnership {number}: no organisation leads it now")
    return redone


def _redo(party: Party, line: dict[str, Any], now: dt.datetime) -> bool:
    if not line.get("undone"):
        remove_party(party=party, author=None, reason=_REASON, now=now, even_last_lead=True)
        return True
    if _RANKS.index(PartyRole(party.role)) <= _RANKS.index(PartyRole(line["role"])):
        return False
    change_party_role(party=party, role=line["role"], reason=_REASON, author=None, now=now, even_last_lead=True)
    return True


def redo_audiences(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Hide from the network the partnerships that were hidden from it."""
    redone = Redone()
    partnerships = Partnership.objects.filter(pk__in={line["partnership"] for line in lines})
    for partnership, line in same_rows(
        "partnership",
        lines,
        partnerships.filter(audience=Audience.NETWORK).order_by("pk"),
        same=partnership_identity,
        began=lambda one: one.created_at,
        redone=redone,
    ):
        if line["audience"] != Audience.PARTIES:
            continue
        try:
            edit_settings(partnership=partnership, audience=Audience.PARTIES, reason=_REASON, author=None, now=now)
        except UnableToEditSettings as error:
            redone.left.append(f"partnership {partnership.pk}: {error}")
            continue
        redone.done += 1
    return redone


def redo_documents(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Remove the documents that were removed."""
    redone = Redone()
    documents = Document.objects.filter(pk__in={line["document"] for line in lines}, removed_at=None)
    for document, line in same_rows(
        "document",
        lines,
        documents.order_by("pk"),
        same=document_identity,
        began=lambda one: one.added_at,
        redone=redone,
    ):
        if line.get("undone"):
            continue
        try:
            remove_document(document=document, author=None, now=now)
        except UnableToRemoveDocument as error:
            redone.left.append(f"document {document.pk}: {error}")
            continue
        redone.done += 1
    return redone


def redo_posts(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """End the posts that ended."""
    redone = Redone()
    posts = Post.objects.open().filter(pk__in={line["post"] for line in lines})
    for post, _line in same_rows(
        "post",
        lines,
        posts.order_by("pk"),
        same=post_identity,
        began=lambda one: one.created_at,
        redone=redone,
    ):
        settle_post(post, reason=_REASON, author=None, now=now)
        redone.done += 1
    return redone


def redo_holders(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """End the time of holders of posts that ended, on the same day."""
    redone = Redone()
    holders = Holder.objects.filter(pk__in={line["holder"] for line in lines}, ends_on=None)
    for holder, line in same_rows(
        "holder",
        lines,
        holders.order_by("pk"),
        same=holder_identity,
        began=lambda one: one.added_at,
        redone=redone,
    ):
        end_holding(holder, on=dt.date.fromisoformat(line["ends_on"]), reason=_REASON, now=now)
        redone.done += 1
    return redone


def redo_signatories(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Stop asking the parties that were no longer asked to sign."""
    redone = Redone()
    signatories = TermsSignatory.objects.filter(pk__in={line["signatory"] for line in lines}, removed_at=None)
    for signatory, _line in same_rows(
        "signatory",
        lines,
        signatories.select_related("version", "organisation").order_by("pk"),
        same=signatory_identity,
        began=lambda one: one.asked_at,
        redone=redone,
    ):
        stop_asking(signatory, now=now)
        redone.done += 1
    return redone


def redo_proposals(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Take back or withdraw the proposals that were."""
    redone = Redone()
    proposals = TermsProposal.objects.filter(pk__in={line["proposal"] for line in lines})
    for proposal, line in same_rows(
        "proposal",
        lines,
        proposals.open().select_related("partnership").order_by("pk"),
        same=proposal_identity,
        began=lambda one: one.created_at,
        redone=redone,
    ):
        try:
            if line["status"] != ProposalStatus.DRAFTING:
                withdraw_proposal(proposal=proposal, reason=_REASON, author=None, now=now)
            elif proposal.is_awaiting:
                take_back_terms(proposal=proposal, reason=_REASON, author=None, now=now)
            else:
                continue
        except UnableToWithdraw as error:
            redone.left.append(f"proposal {proposal.pk}: {error}")
            continue
        redone.done += 1
    return redone


def redo_contacts(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Remove the contact data that contacts had removed."""
    redone = Redone()
    holders = Holder.objects.filter(pk__in={line["holder"] for line in lines}, cleared_at=None)
    for holder, _line in same_rows(
        "holder",
        lines,
        holders.order_by("pk"),
        same=holder_identity,
        began=lambda one: one.added_at,
        redone=redone,
    ):
        forget_holder(holder, now=now)
        redone.done += 1
    return redone


def register() -> None:
    """Register these for restores."""
    register_redo(PARTY, "parts in partnerships ended or lowered again", redo_parties)
    register_redo(AUDIENCE, "partnerships hidden from the network again", redo_audiences)
    register_redo(SIGNATORY, "parties no longer asked to sign terms", redo_signatories)
    register_redo(PROPOSAL, "proposals of terms withdrawn or taken back again", redo_proposals)
    register_redo(DOCUMENT, "documents removed again", redo_documents)
    register_redo(POST, "posts ended again", redo_posts)
    register_redo(CLEARED, "contact data removed again", redo_contacts)
    register_redo(HOLDER, "holders of posts ended again", redo_holders)
