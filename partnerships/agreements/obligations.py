"""Register the parts in partnerships, terms to sign, objectives and posts that pass to an organisation's successor."""

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


def _partnerships(organisation: Organisation, day: dt.date) -> QuerySet[Partnership]:
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


def _describe_partnership(partnership: Any, organisation: Organisation) -> HeldRecord:
    """Return what the page about the end of an organisation shows about its part in a partnership."""
    return HeldRecord(
        partnership.pk,
        partnership.title,
        partnership.get_absolute_url(),
        str(PartyRole(partnership.part).label),
        money=partnership.annual_budget,
        generic_title=f"Partnership {partnership.pk}",
    )


def _leave(move: RecordMove) -> dict[str, Any]:
    """Return the changed columns of a party that leaves because its organisation has ended."""
    return {
        "status": PartyStatus.LEFT.value,
        "reason": move.reason,
        "left_at": move.now,
        "left_on": timezone.localdate(move.now),
    }


def _join(leaving_party: Party, kept_party: Party) -> dict[str, Any]:
    """Return the changed columns of the successor's own party, into which the party that ends is merged.

    If both take part, the merged party gets the stronger role. For example, a chair and a member become a chair. If one
    of them has accepted its invitation, the merged party has accepted.
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


def _has_signed(target_id: int) -> Q:
    """Return a condition for requests to sign that have been answered. They do not pass to the successor."""
    return Q(Exists(TermsSignature.objects.filter(version=OuterRef("version"), organisation=OuterRef("organisation"))))


PARTNERSHIPS = Obligation(
    "partnerships",
    "Partnerships",
    (
        Column(
            "agreements.Party.organisation", "partnership", Q(status__in=_INSIDE), end_values=_leave, merge_values=_join
        ),
        Column(
            "agreements.Notice.organisation",
            "partnership",
            Q(done_at=None, withdrawn_at=None),
            end_values=lambda move: {"withdrawn_at": move.now, "withdrawn_because": move.reason},
        ),
        Column("agreements.TermsProposal.proposed_by", "partnership", Q(status__in=OPEN_PROPOSALS)),
        Column(
            "agreements.TermsSignatory.organisation",
            "version__partnership",
            Q(removed_at=None),
            cannot_move_to=_has_signed,
            end_values=lambda move: {"removed_at": move.now},
            merge_values=lambda *_: {"removed_at": None},
        ),
    ),
    _partnerships,
    _describe_partnership,
    target="partnership",
    within=lambda partnership: ("partnership", partnership.pk),
)


def _objectives(organisation: Organisation, day: dt.date) -> QuerySet[Objective]:
    """Return the open objectives of live partnerships for which the organisation is responsible."""
    open_objectives = Objective.objects.filter(organisation=organisation, status=ObjectiveStatus.OPEN)
    return open_objectives.filter(partnership__in=Partnership.objects.live()).select_related("partnership")


OBJECTIVES = Obligation(
    "objectives",
    "Objectives",
    (Column("agreements.Objective.organisation"),),
    _objectives,
    lambda objective, _: HeldRecord(
        objective.pk,
        objective.text,
        objective.get_absolute_url(),
        objective.partnership.title,
        generic_title=f"Objective {objective.pk}",
    ),
)


def _posts(organisation: Organisation, day: dt.date) -> QuerySet[Post]:
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


def _describe_post(post: Post, organisation: Organisation) -> HeldRecord:
    """Return what the page about the end of an organisation shows about one of its posts."""
    return HeldRecord(
        post.pk,
        post.role_and_title,
        post.get_absolute_url(),
        post.scope,
        generic_title=f"{post.get_role_display()} {post.pk}",
    )


POSTS = Obligation(
    "posts",
    "Posts",
    (
        Column(
            "agreements.Post.organisation",
            end_values=lambda move: {"ended_on": timezone.localdate(move.now)},
        ),
    ),
    _posts,
    _describe_post,
    target="post",
    within=lambda post: ("partnership", post.partnership_id) if post.partnership_id else ("", None),
)


def register() -> None:
    """Register what the successor takes over, and what remains with the organisation that has ended."""
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
