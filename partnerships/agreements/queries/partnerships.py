"""Read partnerships: lists, parties, events, and work that waits."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import Case, CharField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.registry import Records
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import (
    LEADING,
    Partnership,
    PartnershipQuerySet,
    Party,
    PartyRole,
    PartyStatus,
    Status,
    TermsSignatory,
    has_status_on,
)
from partnerships.agreements.past import former_of, present_then, set_back
from partnerships.agreements.queries.dates import COMING, has_gap
from partnerships.agreements.queries.terms import signs_for
from partnerships.kit.names import fold_name
from partnerships.kit.sections import Section
from partnerships.kit.waiting import Waiting
from partnerships.organisations.audience import Organisations, Reach
from partnerships.organisations.holdings import among
from partnerships.organisations.models import Organisation, OrganisationName, Role
from partnerships.organisations.statements import rows_for
from partnerships.organisations.waiting import Source
from partnerships.people.models import User

#: How long before the review date leads are reminded.
REVIEW_NOTICE = dt.timedelta(days=30)


def inside_among(user: User, partnerships: Collection[int | None]) -> set[int]:
    """Which of these partnerships the person reads in full today; no query if there are none."""
    numbers = {pk for pk in partnerships if pk is not None}
    return set(rows_for(_inside_among, user, list(numbers))) if numbers else set()


def _inside_among(user: User, partnerships: list[int]) -> QuerySet[Partnership, int]:
    return Partnership.objects.inside_for(user).filter(among("pk", partnerships)).values_list("pk", flat=True)


def find_partnerships(
    *, user: User, text: str = "", kind: str = "", status: str = "", mine: bool = False, gaps: bool = False
) -> PartnershipQuerySet:
    """Partnerships the person may see, filtered; not ordered.

    Filters: part of the title or of a present party's name, kind and status. A former party's partnerships are matched
    as they were when it left. `listed_as` is the title to sort by, and `is_left` says which only a former party reads.
    """
    readable = Partnership.objects.inside_for(user) if mine else Partnership.objects.known_today_to(user)
    condition = Q()
    if kind:
        condition &= Q(kind=kind)
    if status:
        condition &= has_status_on(status, timezone.localdate())
    if gaps:
        condition &= has_gap(user, timezone.localdate())
    words, folded = text.strip(), fold_name(text)
    if words:
        by_title = Q(title__icontains=words)
        if folded:
            bodies = OrganisationName.objects.filter(folded__contains=folded).values("organisation")
            parties = Party.objects.filter(status=PartyStatus.ACCEPTED, organisation__in=bodies)
            by_title |= Q(pk__in=parties.values("partnership"))
        condition &= by_title
    behind = [
        (partnership, party)
        for partnership, party in _left_behind(user)
        if not gaps and (not kind or partnership.kind_id == kind) and (not status or partnership.state == status)
    ]
    named_then = _named_then([party for _, party in behind], folded)
    left = {
        partnership.pk: partnership.title
        for partnership, _ in behind
        if not words or words.lower() in partnership.title.lower() or partnership.pk in named_then
    }
    then = [When(pk=pk, then=Value(title)) for pk, title in left.items()]
    return Partnership.objects.filter(
        Q(pk__in=readable.filter(condition).values("pk")) | Q(pk__in=list(left))
    ).annotate(
        listed_as=Case(*then, default=F("title")) if then else F("title"),
        is_left=Case(When(pk__in=list(left), then=Value(True)), default=Value(False)) if left else Value(False),
    )


def find_left_behind(user: User, text: str) -> list[Partnership]:
    """Partnerships that the person's organisation has left, as they were then, sorted by title.

    Each word of the text was in their title or purpose.
    """
    words = text.lower().split()
    left = [
        partnership
        for partnership, _ in _left_behind(user)
        if all(word in partnership.title.lower() or word in partnership.purpose.lower() for word in words)
    ]
    return sorted(left, key=lambda partnership: (partnership.title, partnership.pk))


def _left_behind(user: User) -> list[tuple[Partnership, Party]]:
    """Partnerships the person reads as a former party only, as they were then."""
    if Party.objects.held_in(user, Q(status=PartyStatus.LEFT)) == []:
        return []
    known_ids = Partnership.objects.known_today_to(user).values("pk")
    parties = list(former_of(user).exclude(partnership__in=known_ids).select_related("partnership"))
    set_back([party.partnership for party in parties], {party.partnership_id: party for party in parties})
    return [(party.partnership, party) for party in parties]


def _named_then(parties: Collection[Party], folded: str) -> set[int]:
    """Ids of partnerships in which a party present when this one left has a name like this; two queries."""
    if not folded or not parties:
        return set()
    present = present_then(parties)
    bodies = set().union(*present.values())
    former_names = OrganisationName.objects.filter(folded__contains=folded, organisation__in=bodies)
    alike = set(former_names.values_list("organisation", flat=True))
    return {pk for pk, then in present.items() if then & alike}


def events_of_partnerships(user: User, records: Records) -> Q:
    """Condition on events about these partnerships that the person may see.

    For a former party: events up to the moment it left, but not what its leaving decided, such as terms that only it
    had not signed.
    """
    former = (
        Party.objects.left_after("at", user)
        .filter(partnership=OuterRef("target_id"))
        .annotate(event=ExpressionWrapper(OuterRef("kind"), output_field=CharField()))
        .filter(Q(left_at__gt=OuterRef("at")) | Q(event__in=[EventKind.PARTY_LEFT, EventKind.PARTY_REMOVED]))
    )
    present = Partnership.objects.present_for(user).filter(pk__in=records)
    return Q(target_id__in=present.values("pk")) | Q(Exists(former))


def leads_a_party(user: User, partnership_id: int | None) -> bool:
    """Whether the person leads a present party that is not an observer."""
    if partnership_id is None:
        return False
    taking_part = Q(status=PartyStatus.ACCEPTED) & ~Q(role=PartyRole.OBSERVER)
    led_ids = Party.objects.held_in(user, taking_part, Role.LEAD)
    if led_ids is not None:
        return partnership_id in led_ids
    parties = Party.objects.present().exclude(role=PartyRole.OBSERVER).filter(partnership=partnership_id)
    return parties.filter(organisation__in=Organisation.objects.of_person(user, Role.LEAD)).exists()


def acting_party(user: User, partnership: Partnership, *roles: str) -> Party | None:
    """The present party for which the person acts; leading parties first.

    In one of the roles, if any is given.
    """
    parties = (
        Party.objects.present()
        .filter(partnership=partnership, organisation__in=Organisation.objects.of_person(user, *roles))
        .select_related("organisation")
        .order_by("pk")
    )
    return next(iter(sorted(parties, key=lambda party: not party.is_leading)), None)


def _invitations() -> Reach:
    """Invitations that a lead must answer."""
    waiting = Party.objects.filter(status=PartyStatus.INVITED, partnership__in=Partnership.objects.live())
    return Reach(waiting, (Organisations("organisation", roles=(Role.LEAD,)),))


def _invitations_for(user: User) -> QuerySet[Party]:
    return _invitations().of(user).select_related("partnership").order_by("invited_at", "pk")


def _invitations_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    return [
        Waiting(
            what="Answer the invitation to join",
            title=party.partnership.title,
            path=reverse("agreements:answer", kwargs={"pk": party.partnership_id, "party": party.pk}),
            since=party.invited_at,
            within=party.partnership.title,
            status=party.status,
            status_label=party.get_status_display(),
        )
        for party in rows_for(_invitations_for, user)
    ]


def _steps(now: dt.datetime) -> Reach:
    """Partnerships whose leads must act: a review."""
    today = timezone.localdate(now)
    partnerships = Partnership.objects.filter(
        has_status_on(Status.UNDER_REVIEW, today)
        | (has_status_on(Status.ACTIVE, today) & Q(review_on__lte=today + REVIEW_NOTICE))
    )
    return Reach(partnerships, LEADING)


def _steps_for(user: User, now: dt.datetime) -> QuerySet[Partnership, Any]:
    successor = Partnership.objects.visible_to(user).live().filter(redefines=OuterRef("pk")).values("pk")
    partnerships: QuerySet[Partnership, Any] = _steps(now).of(user).annotate(successor=Subquery(successor[:1]))
    return partnerships.order_by("status_since", "pk")


def _steps_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    """Reviews to prepare or hold, and successors whose terms are to be finished."""
    waiting = []
    for partnership in rows_for(_steps_for, user, now):
        state = partnership.state_on(timezone.localdate(now))
        path = reverse("agreements:status", kwargs={"pk": partnership.pk})
        if state == Status.ACTIVE:
            what, since, due = "Prepare the review", None, partnership.review_on
        elif partnership.successor:
            what, since, due = "Finish the terms of the successor", partnership.state_since, None
            path = reverse("agreements:detail", kwargs={"pk": partnership.successor})
        else:
            what, since, due = "Hold the review", partnership.state_since, None
        waiting.append(
            Waiting(
                what=what,
                title=partnership.title,
                path=path,
                since=since,
                due=due,
                within=partnership.title,
                status=state,
                status_label=state.label,
            )
        )
    return waiting


def _signatures() -> Reach:
    """Terms that wait for a party's signature."""
    return Reach(TermsSignatory.objects.waiting(), (Organisations("organisation"),))


def _signatures_for(user: User, now: dt.datetime) -> QuerySet[TermsSignatory]:
    signatures = _signatures().of(user).filter(signs_for(user, timezone.localdate(now)))
    return signatures.select_related("organisation", "version__partnership").order_by("asked_at", "pk")


def _signatures_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    return [
        Waiting(
            what=f"Sign the terms for {row.organisation.name}",
            title=row.version.partnership.title,
            path=reverse("agreements:terms-sign", args=[row.version.partnership_id, row.version.number]),
            since=row.asked_at,
            due=row.due_on,
            within=row.version.partnership.title,
            status=Status.AWAITING_SIGN_OFF,
            status_label="Awaiting signatures",
        )
        for row in rows_for(_signatures_for, user, now)
    ]


#: Work that waits for leads: invitations, reviews, signatures, dates that are coming.
STEPS = (
    Source(_signatures_wanted, lambda _: (_signatures(),)),
    Source(_invitations_wanted, lambda _: (_invitations(),)),
    Source(_steps_wanted, lambda now: (_steps(now),)),
    COMING,
)


def partnerships_of(user: User, organisation: Organisation | int) -> PartnershipQuerySet:
    """Partnerships of the organisation today that the person may see.

    Former parties do not see them here.
    """
    taking_part = Party.objects.present().filter(organisation=organisation)
    return Partnership.objects.known_today_to(user).filter(pk__in=taking_part.values("partnership"))


def _listed(user: User, organisation: int) -> QuerySet[Partnership]:
    return partnerships_of(user, organisation).order_by("status", "title", "pk")[:50]


def _partners_in(partnerships: list[int], organisation: int) -> QuerySet[Party, tuple[int, str, str]]:
    """Of each partnership the short and full names of the other present parties."""
    other_parties = Party.objects.present().filter(partnership__in=partnerships).exclude(organisation=organisation)
    return other_parties.order_by("role", "pk").values_list(
        "partnership", "organisation__short_name", "organisation__name"
    )


def organisation_section(user: User, organisation: Organisation) -> Section | None:
    """Section with its partnerships, for the organisation's page."""
    partnership_rows = rows_for(_listed, user, organisation.pk)
    if not partnership_rows:
        return None
    partners: defaultdict[int, list[str]] = defaultdict(list)
    for pk, short_name, name in rows_for(_partners_in, [row.pk for row in partnership_rows], organisation.pk):
        partners[pk].append(short_name or name)
    return Section(
        "agreements/_organisation_section.html", {"rows": [(row, partners[row.pk]) for row in partnership_rows]}
    )
