"""Read commitments: lists, work that waits, and promises kept or broken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.text import Truncator

from partnerships.agreements.models import Partnership, Party, PartyRole, PartyStatus
from partnerships.commitments.models import (
    CONFIRMING,
    OVER,
    UNDER_WAY,
    VERIFYING,
    Commitment,
    CommitmentQuerySet,
    Evidence,
    Kind,
    Progress,
    Slippage,
    Status,
    commitment_readers,
)
from partnerships.kit.waiting import Waiting
from partnerships.organisations.audience import Organisations, People, Reach, sorted_by_reach
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation, Role
from partnerships.organisations.queries import with_account
from partnerships.organisations.waiting import Source
from partnerships.people.models import User

#: How far ahead "due soon" looks.
SOON = dt.timedelta(days=14)
_LEAD = (Role.LEAD,)


def events_of_commitments(user: User) -> Q:
    """Condition on events about commitments that the person may see.

    For a former party: events up to the day it left.
    """
    former = Party.objects.filter(
        organisation__in=Organisation.objects.of_person(user),
        status=PartyStatus.LEFT,
        partnership=OuterRef("within_id"),
        left_at__gte=OuterRef("at"),
    )
    followed = Commitment.objects.followed_by(user).values("pk")
    return Q(target_id__in=followed) | Q(Exists(former), within_kind="partnership")


def for_partnership(partnership: Partnership, user: User) -> CommitmentQuerySet:
    """Commitments of a partnership the person may see, by due date."""
    return in_order(Commitment.objects.visible_to(user).filter(partnership=partnership)).for_listing()


def open_and_over(partnership: Partnership, user: User, limit: int) -> tuple[list[Commitment], list[Commitment]]:
    """Open ones by due date, and closed ones newest first.

    Both of one partnership, as far as the person may see them.
    """
    over = Q(status__in=OVER) | Q(kind=Kind.ACTION, status=Status.DONE)
    rows = for_partnership(partnership, user)
    return list(rows.exclude(over)[:limit]), list(rows.filter(over).order_by("-status_since", "-pk")[:limit])


def for_organisation(organisation: Organisation, user: User) -> CommitmentQuerySet:
    """Commitments of an organisation the person may see, by due date."""
    return in_order(Commitment.objects.visible_to(user).of_organisation(organisation)).for_listing()


def in_order(commitments: CommitmentQuerySet) -> CommitmentQuerySet:
    """By due date, undated last, ending in a unique key."""
    return commitments.order_by(F("due_on").asc(nulls_last=True), "pk")


def due_soon(user: User, now: dt.datetime) -> list[Commitment]:
    """The person's own commitments that are overdue or due within `SOON`."""
    last = timezone.localdate(now) + SOON
    mine = Commitment.objects.visible_to(user).filter(owner=user, due_on__lte=last).under_way()
    return list(in_order(mine).for_listing())


def _waits(now: dt.datetime, proposed: CommitmentQuerySet | None = None) -> tuple[tuple[str, str, Reach], ...]:
    """What waits, since when, and for which people.

    If one waits for several reasons, the last counts. `proposed` narrows the ones to confirm.
    """
    under_way = Commitment.objects.under_way()
    ownerless = under_way.filter(owner=None, giver__isnull=False)
    soon = under_way.filter(due_on__lte=timezone.localdate(now) + SOON)
    if proposed is None:
        proposed = Commitment.objects.filter(status=Status.PROPOSED)
    own_actions = Commitment.objects.filter(kind=Kind.ACTION, status=Status.PROPOSED)
    promised, actions = proposed.filter(kind=Kind.COMMITMENT), proposed.filter(kind=Kind.ACTION)
    owner, helper = People("owner"), People("escalated_to", when=~Q(owner=F("escalated_to")))
    return (
        ("Accept this action", "proposed_at", Reach(own_actions, (owner,))),
        ("Help unblock this", "escalated_at", Reach(under_way, (helper,))),
        ("Name an owner", "status_since", Reach(ownerless, (Organisations("owner_organisation", roles=_LEAD),))),
        ("Deliver this", "status_since", Reach(soon, (owner,))),
        ("Verify this delivery", "done_at", Reach(Commitment.objects.awaiting_verification(), VERIFYING)),
        ("Confirm this commitment", "proposed_at", Reach(promised, CONFIRMING)),
        ("Accept this action", "proposed_at", Reach(actions, (Organisations("giver", roles=_LEAD),))),
    )


def _steps_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    waits = _waits(now, proposed=Commitment.objects.awaiting_confirmation_by(user))
    steps: dict[int, tuple[str, str]] = {}
    for (what, since, _), found in zip(waits, sorted_by_reach([reach for *_, reach in waits], user), strict=True):
        steps |= dict.fromkeys(found, (what, since))
    rows = Commitment.objects.visible_to(user).for_listing().filter(pk__in=steps).order_by("pk")
    return [
        Waiting(
            what=steps[commitment.pk][0],
            title=f"{commitment.reference} {Truncator(commitment.text).chars(90)}",
            path=commitment.get_absolute_url(),
            since=getattr(commitment, steps[commitment.pk][1]),
            due=commitment.due_on if commitment.is_under_way else None,
            within=commitment.partnership.title if commitment.partnership else "",
            status=commitment.status,
            status_label=commitment.get_status_display(),
        )
        for commitment in rows
    ]


#: Work that waits: confirm, verify, name an owner, deliver, answer an escalation.
WAITING = (Source(_steps_wanted, lambda now: [reach for *_, reach in _waits(now)]),)


def with_story(commitments: CommitmentQuerySet) -> CommitmentQuerySet:
    """Fetch everything that a commitment's own page shows."""
    return (
        commitments.for_listing()
        .select_related(
            "proposed_by",
            "proposed_for",
            "giver_confirmed_by",
            "receiver_confirmed_by",
            "verified_by",
            "escalated_to",
            "replaces",
        )
        .prefetch_related(
            Prefetch("slippages", queryset=Slippage.objects.select_related("by").order_by("-at", "-pk")),
            Prefetch("progress", queryset=Progress.objects.select_related("by", "organisation").order_by("-at", "-pk")),
            Prefetch(
                "evidence",
                queryset=Evidence.objects.filter(removed_at=None)
                .select_related("added_by")
                .order_by("-added_at", "-pk"),
            ),
        )
    )


def people_who_may_own(organisation: Organisation) -> QuerySet[User]:
    """People of an organisation who may own a commitment, by name."""
    members = Membership.objects.current().filter(organisation=organisation)
    people: QuerySet[User] = User.objects.filter(pk__in=members.values("person"))
    return people.order_by("name", "pk")


@dataclass(frozen=True, slots=True)
class Promises:
    """Commitments of one organisation to another by outcome, by due date."""

    giver: Organisation
    receiver: Organisation
    kept: tuple[Commitment, ...]
    broken: tuple[Commitment, ...]
    outstanding: tuple[Commitment, ...]
    proposed: tuple[Commitment, ...]

    @property
    def kept_late(self) -> int:
        """Number of kept ones delivered after the first due date."""
        return sum(was_late(commitment) for commitment in self.kept)


def was_late(commitment: Commitment) -> bool:
    """Whether it was delivered after the first due date."""
    if commitment.done_at is None or commitment.original_due_on is None:
        return False
    return timezone.localdate(commitment.done_at) > commitment.original_due_on


def promises(*, giver: Organisation, receiver: Organisation, user: User, today: dt.date) -> Promises:
    """What `giver` promised `receiver`, as far as the person may see it.

    Kept: verified, or done and not yet verified. Broken: cancelled after both sides agreed, or overdue.
    """
    between = Commitment.objects.visible_to(user).filter(giver=giver, receiver=receiver, kind=Kind.COMMITMENT)
    rows = list(in_order(between).for_listing())

    def those(condition: Callable[[Commitment], bool]) -> tuple[Commitment, ...]:
        return tuple(row for row in rows if condition(row))

    return Promises(
        giver=giver,
        receiver=receiver,
        kept=those(lambda row: row.is_verified or row.is_done),
        broken=those(lambda row: row.was_broken or row.is_overdue(today)),
        outstanding=those(lambda row: row.is_under_way and not row.is_overdue(today)),
        proposed=those(lambda row: row.is_proposed),
    )


def under_way_of(partnership: Partnership, user: User) -> CommitmentQuerySet:
    """Those under way in a partnership that the person may see."""
    return for_partnership(partnership, user).filter(status__in=UNDER_WAY)


def overdue_of(user: User, now: dt.datetime) -> CommitmentQuerySet:
    """Overdue commitments that the person may see."""
    return in_order(Commitment.objects.visible_to(user).overdue(timezone.localdate(now))).for_listing()


def with_words(commitments: CommitmentQuerySet, words: str) -> CommitmentQuerySet:
    """Commitments whose reference or text contains the words."""
    return commitments.filter(Q(reference__iexact=words) | Q(text__icontains=words))


def partners_of(user: User) -> QuerySet[Organisation]:
    """Organisations the person edits for, and their partners, by name."""
    mine = Organisation.objects.of_person(user, *EDITING_ROLES)
    shared = Partnership.objects.present_for(user, *EDITING_ROLES).live()
    parties = Party.objects.present().exclude(role=PartyRole.OBSERVER).filter(partnership__in=shared.values("pk"))
    bodies: QuerySet[Organisation] = Organisation.objects.filter(
        Q(pk__in=mine.values("pk")) | Q(pk__in=parties.values("organisation"))
    )
    return bodies.order_by("name", "pk")


def concerned_with(commitment: Commitment) -> QuerySet[User]:
    """Owner, proposer and those who confirmed, if they may read it today."""
    named = (
        commitment.owner_id,
        commitment.proposed_by_id,
        commitment.giver_confirmed_by_id,
        commitment.receiver_confirmed_by_id,
    )
    return with_account(commitment_readers(commitment).filter(pk__in=[pk for pk in named if pk is not None]))
