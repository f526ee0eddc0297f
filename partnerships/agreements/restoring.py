"""After a backup is restored, repeat from the journal what must not be undone.

For example, a party left on Monday, and on Tuesday a backup of Sunday is restored. The party is then removed again.
Parties, audiences, links, posts, documents and proposals are repeated in this way. What gave people access since the
backup is not repeated, so that nobody gets access by mistake.

Each `redo_…` function gets the lines of one kind from the journal. `redo_each` finds the row of each line by its hash,
and calls the inner function `redo`, which returns whether the row changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.agreements.models import (
    LEADING_ROLES,
    ROLES_BY_RANK,
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
    UnableToChangeParty,
    UnableToLeave,
    change_party_role,
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
    close_post,
    end_holding,
    forget_holder,
    holder_identity,
    post_identity,
)
from partnerships.agreements.services.recording import PARTY, party_identity
from partnerships.agreements.services.terms import UnableToWithdraw, take_back_terms, withdraw_proposal
from partnerships.agreements.services.terms.asking import (
    LINKS,
    SIGNATORY,
    renew_link,
    signatory_identity,
    stop_asking,
)
from partnerships.agreements.services.terms.ending import PROPOSAL, proposal_identity
from partnerships.kit.journal import MADE_AGAIN, RedoResult, identity, redo_each, register_redo
from partnerships.kit.link_keys import redo_links


def redo_parties(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Remove the parties that left after the backup, and lower the roles that were lowered.

    Parties are removed even if nobody then leads the partnership. The result lists such partnerships as problems.
    """
    changed_partnerships: set[int] = set()

    def redo(party: Party, line: dict[str, Any]) -> int:
        """Repeat the last line about a party, and return whether the party changed."""
        has_changed = _redo_party(party, line, now)
        changed_partnerships.add(party.partnership_id)
        return has_changed

    parties = Party.objects.filter(
        pk__in={line["party"] for line in lines}, status__in=[PartyStatus.INVITED, PartyStatus.ACCEPTED]
    )
    result = redo_each(
        "party",
        lines,
        parties.select_related("partnership", "organisation").order_by("pk"),
        identity_of=lambda row: party_identity(row.partnership, row.organisation),
        began_at=lambda row: row.answered_at or row.invited_at,
        redo=redo,
        unable=(UnableToLeave, UnableToChangeParty),
    )
    leading_parties = Party.objects.accepted().filter(role__in=LEADING_ROLES, partnership__in=changed_partnerships)
    leaderless_partnerships = (
        Partnership.objects.live()
        .filter(pk__in=changed_partnerships)
        .exclude(pk__in=leading_parties.values("partnership"))
    )
    for partnership_id in leaderless_partnerships.order_by("pk").values_list("pk", flat=True):
        result.problems.append(f"partnership {partnership_id}: no organisation leads it now")
    return result


def _redo_party(party: Party, line: dict[str, Any], now: dt.datetime) -> bool:
    """Remove the party, or lower its role to the role in the line. Return whether the party changed."""
    if not line.get("undone"):
        remove_party(party=party, author=None, reason=MADE_AGAIN, now=now, even_last_lead=True)
        return True
    if ROLES_BY_RANK.index(PartyRole(party.role)) >= ROLES_BY_RANK.index(PartyRole(line["role"])):
        return False
    change_party_role(party=party, role=line["role"], reason=MADE_AGAIN, author=None, now=now, even_last_lead=True)
    return True


def redo_audiences(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Hide from the network the partnerships that were hidden from it since the backup."""

    def redo(partnership: Partnership, line: dict[str, Any]) -> bool:
        """Hide the partnership if the line says so, and return whether it changed."""
        if line["audience"] != Audience.PARTIES:
            return False
        edit_settings(partnership=partnership, audience=Audience.PARTIES, reason=MADE_AGAIN, author=None, now=now)
        return True

    partnerships = Partnership.objects.filter(pk__in={line["partnership"] for line in lines})
    return redo_each(
        "partnership",
        lines,
        partnerships.filter(audience=Audience.NETWORK).order_by("pk"),
        identity_of=partnership_identity,
        began_at=lambda row: row.created_at,
        redo=redo,
        unable=UnableToEditSettings,
    )


def redo_documents(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Remove documents that were removed since the backup, unless they were restored later."""

    def redo(document: Document, line: dict[str, Any]) -> bool:
        """Remove the document unless the line says that it was restored, and return whether it changed."""
        if line.get("undone"):
            return False
        remove_document(document=document, author=None, now=now)
        return True

    documents = Document.objects.filter(pk__in={line["document"] for line in lines}, removed_at=None)
    return redo_each(
        "document",
        lines,
        documents.order_by("pk"),
        identity_of=document_identity,
        began_at=lambda row: row.added_at,
        redo=redo,
        unable=UnableToRemoveDocument,
    )


def redo_posts(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """End posts that were ended since the backup."""

    def redo(post: Post, _line: dict[str, Any]) -> bool:
        close_post(post, reason=MADE_AGAIN, author=None, now=now)
        return True

    posts = Post.objects.not_ended().filter(pk__in={line["post"] for line in lines})
    return redo_each(
        "post",
        lines,
        posts.order_by("pk"),
        identity_of=post_identity,
        began_at=lambda row: row.created_at,
        redo=redo,
    )


def _lines_and_holders(lines: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[Holder]]:
    """Return the lines with hashes as they are made today, and the holders that they name.

    Lines written before 29 November 2026, 21:40, have an older hash, which includes the first day of the holder.
    """
    holders = list(Holder.objects.filter(pk__in={line["holder"] for line in lines}).order_by("pk"))
    newer_hashes = {
        identity(holder.post_id, holder.added_at, holder.starts_on): holder_identity(holder) for holder in holders
    }
    return [line | {"same": newer_hashes.get(line["same"], line["same"])} for line in lines], holders


def redo_holders(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """End the time of holders whose time ended since the backup, on the same day or an earlier one."""

    def redo(holder: Holder, line: dict[str, Any]) -> bool:
        ends_on = dt.date.fromisoformat(line["ends_on"])
        if holder.ends_on is not None and holder.ends_on <= ends_on:
            return False
        end_holding(holder, on=ends_on, reason=MADE_AGAIN, now=now)
        return True

    lines, holders = _lines_and_holders(lines)
    return redo_each(
        "holder",
        lines,
        holders,
        identity_of=holder_identity,
        began_at=lambda row: row.added_at,
        redo=redo,
    )


def redo_signatories(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Stop asking parties to sign that are no longer asked since the backup."""

    def redo(signatory: TermsSignatory, _line: dict[str, Any]) -> bool:
        stop_asking(signatory, now=now)
        return True

    signatories = TermsSignatory.objects.filter(pk__in={line["signatory"] for line in lines}, removed_at=None)
    return redo_each(
        "signatory",
        lines,
        signatories.select_related("version", "organisation").order_by("pk"),
        identity_of=signatory_identity,
        began_at=lambda row: row.asked_at,
        redo=redo,
    )


def redo_terms_links(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Renew links to sign terms that were renewed since the backup, so that the older links do not work again."""
    signatories = TermsSignatory.objects.filter(pk__in={line["signatory"] for line in lines}, removed_at=None)
    return redo_links(
        "signatory",
        lines,
        signatories.select_related("version", "organisation").order_by("pk"),
        identity_of=signatory_identity,
        began_at=lambda row: row.asked_at,
        holder=lambda row: row,
        renew=lambda row: renew_link(row, now=now),
    )


def redo_proposals(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Withdraw proposals, or return them to draft, where this happened since the backup."""

    def redo(proposal: TermsProposal, line: dict[str, Any]) -> bool:
        if line["status"] != ProposalStatus.DRAFTING:
            withdraw_proposal(proposal=proposal, reason=MADE_AGAIN, author=None, now=now)
        elif proposal.is_awaiting_signatures:
            take_back_terms(proposal=proposal, reason=MADE_AGAIN, author=None, now=now)
        else:
            return False
        return True

    proposals = TermsProposal.objects.filter(pk__in={line["proposal"] for line in lines})
    return redo_each(
        "proposal",
        lines,
        proposals.in_progress().select_related("partnership").order_by("pk"),
        identity_of=proposal_identity,
        began_at=lambda row: row.created_at,
        redo=redo,
        unable=UnableToWithdraw,
    )


def redo_contacts(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Clear contact details that contacts removed since the backup."""

    def redo(holder: Holder, _line: dict[str, Any]) -> bool:
        forget_holder(holder, now=now)
        return True

    lines, holders = _lines_and_holders(lines)
    return redo_each(
        "holder",
        lines,
        [holder for holder in holders if holder.cleared_at is None],
        identity_of=holder_identity,
        began_at=lambda row: row.added_at,
        redo=redo,
    )


def register() -> None:
    """Register what a restore repeats about partnerships. Called once at start-up."""
    register_redo(PARTY, "parties removed from partnerships, or with a lower role, again", redo_parties)
    register_redo(AUDIENCE, "partnerships hidden from the network again", redo_audiences)
    register_redo(SIGNATORY, "requests to sign terms ended again", redo_signatories)
    register_redo(LINKS, "links to sign terms renewed again", redo_terms_links)
    register_redo(PROPOSAL, "proposals of terms withdrawn or returned to draft again", redo_proposals)
    register_redo(DOCUMENT, "documents removed again", redo_documents)
    register_redo(POST, "posts ended again", redo_posts)
    register_redo(CLEARED, "contact data removed again", redo_contacts)
    register_redo(HOLDER, "holders of posts ended again", redo_holders)
