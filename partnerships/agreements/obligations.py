"""What happens to partnerships, terms, objectives and posts when an organisation ends and another succeeds it.

The successor takes the organisation's place in live partnerships. Open objectives, requests to sign terms and current
posts pass to it too. Signatures stay as they are.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import (
    OPEN_PROPOSALS,
    ROLES_BY_RANK,
    Objective,
    ObjectiveStatus,
    Partnership,
    Party,
    PartyRole,
    PartyStatus,
    Post,
    TermsSignature,
)
from partnerships.organisations.models import Organisation
from partnerships.organisations.obligations import (
    Column,
    HeldRecord,
    Obligation,
    RecordMove,
    register_following_columns,
    register_obligation,
    register_signing_events,
    register_staying_columns,
)

#: Statuses of a party that takes part or may still accept its invitation.
_INSIDE = (PartyStatus.INVITED, PartyStatus.ACCEPTED)


def _live_partnerships(organisation: Organisation, _day: dt.date) -> QuerySet[Partnership]:
    """Return the live partnerships in which the organisation takes part or is invited.

    The annotation `part` is its role there.
    """
    own_parties = Party.objects.invited_or_accepted().filter(organisation=organisation)
    own_party_there = own_parties.filter(partnership=OuterRef("pk"))
    return (
        Partnership.objects.live()
        .filter(pk__in=own_parties.values("partnership"))
        .annotate(part=Subquery(own_party_there.values("role")[:1]))
    )


def _describe_partnership(partnership: Any, _organisation: Organisation) -> HeldRecord:
    """Return the description of a partnership for lists. Needs the annotation `part`."""
    return HeldRecord(
        pk=partnership.pk,
        title=partnership.title,
        path=partnership.get_absolute_url(),
        what=str(PartyRole(partnership.part).label),
        money=partnership.annual_budget,
        generic_title=f"Partnership {partnership.pk}",
    )


def _leave(move: RecordMove) -> dict[str, Any]:
    """Return the new values of a party if the successor has its own part in the partnership. It leaves."""
    return {
        "status": PartyStatus.LEFT.value,
        "reason": move.reason,
        "left_at": move.now,
        "left_on": timezone.localdate(move.now),
    }


def _merge_parties(leaving_party: Party, kept_party: Party) -> dict[str, Any]:
    """Return the new values of the successor's party, if it had one in the partnership already.

    If both take part, it gets the stronger role. For example, a chair and a member become a chair. If one of them has
    accepted its invitation, the successor's party has accepted.
    """
    if kept_party.status not in _INSIDE:
        fields = ("role", "status", "joined_on", "left_on", "left_at")
        return {name: getattr(leaving_party, name) for name in fields}
    stronger_role = min(PartyRole(leaving_party.role), PartyRole(kept_party.role), key=ROLES_BY_RANK.index)
    has_accepted = PartyStatus.ACCEPTED in (leaving_party.status, kept_party.status)
    status = PartyStatus.ACCEPTED if has_accepted else PartyStatus.INVITED
    return {
        "role": stronger_role.value,
        "status": status.value,
        "joined_on": kept_party.joined_on or leaving_party.joined_on,
    }


def _has_signed(_successor_id: int) -> Q:
    """Return the condition that a signatory has signed. Its row stays with the organisation that signed."""
    return Q(Exists(TermsSignature.objects.filter(version=OuterRef("version"), organisation=OuterRef("organisation"))))


PARTNERSHIPS = Obligation(
    code="partnerships",
    label="Partnerships",
    columns=(
        Column(
            "agreements.Party.organisation",
            record="partnership",
            only=Q(status__in=_INSIDE),
            end_values=_leave,
            merge_values=_merge_parties,
        ),
        Column(
            "agreements.Notice.organisation",
            record="partnership",
            only=Q(done_at=None, withdrawn_at=None),
            end_values=lambda move: {"withdrawn_at": move.now, "withdrawn_because": move.reason},
        ),
        Column("agreements.TermsProposal.proposed_by", record="partnership", only=Q(status__in=OPEN_PROPOSALS)),
        Column(
            "agreements.TermsSignatory.organisation",
            record="version__partnership",
            only=Q(removed_at=None),
            cannot_move_to=_has_signed,
            end_values=lambda move: {"removed_at": move.now},
            merge_values=lambda *_: {"removed_at": None},
        ),
    ),
    records=_live_partnerships,
    describe=_describe_partnership,
    target="partnership",
    within=lambda partnership: ("partnership", partnership.pk),
)


def _open_objectives(organisation: Organisation, _day: dt.date) -> QuerySet[Objective]:
    """Return the open objectives of live partnerships for which the organisation is responsible."""
    open_objectives = Objective.objects.filter(organisation=organisation, status=ObjectiveStatus.OPEN)
    return open_objectives.filter(partnership__in=Partnership.objects.live()).select_related("partnership")


def _describe_objective(objective: Objective, _organisation: Organisation) -> HeldRecord:
    """Return the description of an objective for lists."""
    return HeldRecord(
        pk=objective.pk,
        title=objective.text,
        path=objective.get_absolute_url(),
        what=objective.partnership.title,
        generic_title=f"Objective {objective.pk}",
    )


OBJECTIVES = Obligation(
    code="objectives",
    label="Objectives",
    columns=(Column("agreements.Objective.organisation"),),
    records=_open_objectives,
    describe=_describe_objective,
)


def _current_posts(organisation: Organisation, _day: dt.date) -> QuerySet[Post]:
    """Return the posts of the organisation that are in use.

    An organisation that has ended may have passed on its part in a partnership before its posts there. So its posts in
    partnerships in which it no longer takes part are returned too.
    """
    own_posts = Post.objects.filter(organisation=organisation).select_related("partnership")
    if not organisation.is_ended:
        return own_posts.in_use()
    return own_posts.not_ended().filter(
        Q(partnership=None) | Q(partnership__in=Partnership.objects.live().values("pk"))
    )


def _describe_post(post: Post, _organisation: Organisation) -> HeldRecord:
    """Return the description of a post for lists."""
    return HeldRecord(
        pk=post.pk,
        title=post.role_and_title,
        path=post.get_absolute_url(),
        what=post.scope,
        generic_title=f"{post.get_role_display()} {post.pk}",
    )


POSTS = Obligation(
    code="posts",
    label="Posts",
    columns=(
        Column(
            "agreements.Post.organisation",
            end_values=lambda move: {"ended_on": timezone.localdate(move.now)},
        ),
    ),
    records=_current_posts,
    describe=_describe_post,
    target="post",
    within=lambda post: ("partnership", post.partnership_id) if post.partnership_id else ("", None),
)


def register() -> None:
    """Register the records that pass to a successor, and the columns that change only in a merge or never."""
    for kind in (PARTNERSHIPS, OBJECTIVES, POSTS):
        register_obligation(kind)
    register_following_columns("agreements.Document.added_for")
    register_signing_events(EventKind.TERMS_SIGNED, EventKind.TERMS_SIGNED_ON_PAPER)
    register_staying_columns(
        "the record of who reported or signed, which never changes",
        "agreements.ObjectiveProgress.organisation",
        "agreements.TermsVersion.organisation",
        "agreements.TermsSignature.organisation",
    )
