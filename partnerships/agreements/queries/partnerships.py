"""Search partnerships, filter their events, and find the tasks in partnerships for My work."""

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
from partnerships.agreements.former_parties import former_parties_of, organisations_when_left, restore_past_values
from partnerships.agreements.models import (
    MANAGERS,
    Partnership,
    PartnershipQuerySet,
    Party,
    PartyStatus,
    Status,
    TermsSignatory,
    has_status_on,
)
from partnerships.agreements.queries.dates import COMING_DATES, has_gap
from partnerships.agreements.queries.signers import can_be_signed_by
from partnerships.kit.names import fold_name
from partnerships.kit.sections import Section
from partnerships.kit.waiting import WaitingTask
from partnerships.organisations.audience import Organisations, Reach
from partnerships.organisations.holdings import id_is_among
from partnerships.organisations.models import Organisation, OrganisationName, Role
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.organisations.waiting import TaskSource
from partnerships.people.models import User

#: How long before the review date a partnership appears in the leads' work.
REVIEW_NOTICE = dt.timedelta(days=30)


def ids_readable_in_full(user: User, optional_ids: Collection[int | None]) -> set[int]:
    """Return the ids of those of these partnerships that the person may read in full today. Each None is left out."""
    partnership_ids = {pk for pk in optional_ids if pk is not None}
    if not partnership_ids:
        return set()
    return set(rows_for(_readable_in_full, user, list(partnership_ids)))


def _readable_in_full(user: User, partnership_ids: list[int]) -> QuerySet[Partnership, int]:
    """Return the ids of those of the partnerships that the person may read in full today."""
    return (
        Partnership.objects.readable_today_by(user)
        .filter(id_is_among("pk", partnership_ids))
        .values_list("pk", flat=True)
    )


def find_partnerships(
    *,
    user: User,
    text: str = "",
    kind: str = "",
    status: str = "",
    readable_in_full_only: bool = False,
    with_gaps_only: bool = False,
) -> PartnershipQuerySet:
    """Return the partnerships that the person may see and that match, not ordered.

    `text` is a part of the title or of a present party's name. An empty text, kind or status excludes nothing. With
    `with_gaps_only`, only partnerships with days without cover before or after them are returned.

    Partnerships that the person reads only for a former party match as they were when the party left. For these, the
    annotation `is_left` is true. The annotation `listed_as` is the title to sort by.
    """
    today = timezone.localdate()
    condition = Q()
    if kind:
        condition &= Q(kind=kind)
    if status:
        condition &= has_status_on(status, today)
    if with_gaps_only:
        condition &= has_gap(user, today)
    if text.strip():
        condition &= Q(title__icontains=text.strip()) | _has_party_named(fold_name(text))

    readable = (
        Partnership.objects.readable_today_by(user)
        if readable_in_full_only
        else Partnership.objects.visible_today_to(user)
    )
    matching = Q(pk__in=readable.filter(condition).values("pk"))
    left_titles = {} if with_gaps_only else _titles_of_former_matches(user, text, kind=kind, status=status)
    if not left_titles:
        return Partnership.objects.filter(matching).annotate(listed_as=F("title"), is_left=Value(False))

    is_left = Q(pk__in=list(left_titles))
    titles_when_left = [When(pk=pk, then=Value(title)) for pk, title in left_titles.items()]
    return Partnership.objects.filter(matching | is_left).annotate(
        listed_as=Case(*titles_when_left, default=F("title")),
        is_left=Case(When(is_left, then=Value(True)), default=Value(False)),
    )


def _titles_of_former_matches(user: User, text: str, *, kind: str, status: str) -> dict[int, str]:
    """Return the titles of matching partnerships that the person reads only for a former party, by id.

    Titles and filters are those of the day on which the party left. The database has only today's values, so these
    partnerships are filtered here and not in SQL.
    """
    matches = []
    for partnership, party in _former_partnerships(user):
        has_kind = not kind or partnership.kind_id == kind
        has_status = not status or partnership.state == status
        if has_kind and has_status:
            matches.append((partnership, party))

    ids_by_party_name = _ids_with_party_named_when_left([party for _, party in matches], fold_name(text))
    title_by_id = {}
    for partnership, _party in matches:
        has_title = text.strip().lower() in partnership.title.lower()
        if has_title or partnership.pk in ids_by_party_name:
            title_by_id[partnership.pk] = partnership.title
    return title_by_id


def _has_party_named(folded_text: str) -> Q:
    """Return a condition for partnerships with a present party whose name contains the text."""
    if not folded_text:
        return Q()
    organisations = OrganisationName.objects.filter(folded__contains=folded_text).values("organisation")
    parties = Party.objects.filter(status=PartyStatus.ACCEPTED, organisation__in=organisations)
    return Q(pk__in=parties.values("partnership"))


def find_former_partnerships(user: User, text: str) -> list[Partnership]:
    """Return matching partnerships that the person reads only for a former party, sorted by title.

    They are as they were when the party left. Every word of the text must be in their title or purpose of that time.
    """
    words = text.lower().split()
    matches = []
    for partnership, _party in _former_partnerships(user):
        title, purpose = partnership.title.lower(), partnership.purpose.lower()
        if all(word in title or word in purpose for word in words):
            matches.append(partnership)
    return sorted(matches, key=lambda partnership: (partnership.title, partnership.pk))


def _former_partnerships(user: User) -> list[tuple[Partnership, Party]]:
    """Return the partnerships that the person reads only for a former party, each with that party.

    The partnerships are as they were when the party left.
    """
    # If the page already knows that no organisation of the person has left a partnership, no query is needed.
    if Party.objects.remembered_partnership_ids(user, Q(status=PartyStatus.LEFT)) == []:
        return []
    visible_today = Partnership.objects.visible_today_to(user).values("pk")
    parties = list(former_parties_of(user).exclude(partnership__in=visible_today).select_related("partnership"))
    restore_past_values([party.partnership for party in parties], {party.partnership_id: party for party in parties})
    return [(party.partnership, party) for party in parties]


def _ids_with_party_named_when_left(parties: Collection[Party], folded_text: str) -> set[int]:
    """Return the ids of the partnerships in which a party had such a name when one of these parties left."""
    if not folded_text or not parties:
        return set()
    organisations_by_partnership = organisations_when_left(parties)
    organisation_ids = set().union(*organisations_by_partnership.values())
    names = OrganisationName.objects.filter(folded__contains=folded_text, organisation__in=organisation_ids)
    matching_ids = set(names.values_list("organisation", flat=True))
    return {pk for pk, organisations in organisations_by_partnership.items() if organisations & matching_ids}


def events_of_partnerships(user: User, records: Records) -> Q:
    """Return a condition for events about these partnerships that the person may see.

    People of a former party see the events before the party left, and its leaving. They do not see the consequences of
    its leaving, such as the agreement of terms that only this party had not signed.
    """
    former_parties = (
        Party.objects.left_after("at", user)
        .filter(partnership=OuterRef("target_id"))
        .annotate(event=ExpressionWrapper(OuterRef("kind"), output_field=CharField()))
        .filter(Q(left_at__gt=OuterRef("at")) | Q(event__in=[EventKind.PARTY_LEFT, EventKind.PARTY_REMOVED]))
    )
    present_partnerships = Partnership.objects.with_party_of(user).filter(pk__in=records)
    return Q(target_id__in=present_partnerships.values("pk")) | Q(Exists(former_parties))


def leads_a_party(user: User, partnership_id: int | None) -> bool:
    """Return whether the person leads a present party that is not an observer."""
    return partnership_id is not None and Party.objects.person_takes_decisions(user, partnership_id, Role.LEAD)


def acting_party(user: User, partnership: Partnership, *roles: str) -> Party | None:
    """Return a present party for which the person has one of these roles, or None.

    If there are several, a leading party is preferred.
    """
    parties = (
        Party.objects.accepted()
        .filter(partnership=partnership, organisation__in=Organisation.objects.of_person(user, *roles))
        .select_related("organisation")
        .order_by("pk")
    )
    # `min` returns the first party with the smallest key, and False comes before True.
    return min(parties, key=lambda party: not party.is_leading, default=None)


def _invitation_reach() -> Reach:
    """Return the invitations that a lead must answer, and the routes to these leads."""
    invited = Party.objects.filter(status=PartyStatus.INVITED, partnership__in=Partnership.objects.live())
    return Reach(invited, (Organisations("organisation", roles=(Role.LEAD,)),))


def _invitations_for(user: User) -> QuerySet[Party]:
    """Return the invitations that the person must answer."""
    return _invitation_reach().of(user).select_related("partnership").order_by("invited_at", "pk")


def _waiting_invitations(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return the tasks of answering invitations."""
    return [
        WaitingTask(
            action="Answer the invitation to join",
            title=party.partnership.title,
            path=reverse("agreements:answer", kwargs={"pk": party.partnership_id, "party": party.pk}),
            since=party.invited_at,
            partnership_title=party.partnership.title,
            status=party.status,
            status_label=party.get_status_display(),
        )
        for party in rows_for(_invitations_for, user)
    ]


def _review_reach(now: dt.datetime) -> Reach:
    """Return the partnerships under review or with a review coming up, and the routes to their leads."""
    today = timezone.localdate(now)
    partnerships = Partnership.objects.filter(
        has_status_on(Status.UNDER_REVIEW, today)
        | (has_status_on(Status.ACTIVE, today) & Q(review_on__lte=today + REVIEW_NOTICE))
    )
    return Reach(partnerships, MANAGERS)


def _reviews_for(user: User, now: dt.datetime) -> QuerySet[Partnership, Any]:
    """Return the partnerships that the person must review.

    The annotation `successor` is the id of a live partnership that replaces it, or None.
    """
    successor = Partnership.objects.visible_to(user).live().filter(redefines=OuterRef("pk")).values("pk")
    partnerships: QuerySet[Partnership, Any] = _review_reach(now).of(user).annotate(successor=Subquery(successor[:1]))
    return partnerships.order_by("status_since", "pk")


def _waiting_reviews(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return the tasks of reviewing partnerships, and of finishing the terms of their successors."""
    tasks = []
    for partnership in rows_for(_reviews_for, user, now):
        state = partnership.state_on(timezone.localdate(now))
        is_coming_up = state == Status.ACTIVE
        if is_coming_up:
            action = "Prepare the review"
            path = reverse("agreements:status", args=[partnership.pk])
        elif partnership.successor:
            action = "Finish the terms of the successor"
            path = reverse("agreements:detail", args=[partnership.successor])
        else:
            action = "Hold the review"
            path = reverse("agreements:status", args=[partnership.pk])
        tasks.append(
            WaitingTask(
                action=action,
                title=partnership.title,
                path=path,
                since=None if is_coming_up else partnership.state_since,
                due=partnership.review_on if is_coming_up else None,
                partnership_title=partnership.title,
                status=state,
                status_label=state.label,
            )
        )
    return tasks


def _signature_reach() -> Reach:
    """Return the terms that a party has yet to sign, and the routes to its people."""
    return Reach(TermsSignatory.objects.waiting(), (Organisations("organisation"),))


def _signatures_for(user: User, now: dt.datetime) -> QuerySet[TermsSignatory]:
    """Return the requests to sign that the person can answer."""
    signatures = _signature_reach().of(user).filter(can_be_signed_by(user, timezone.localdate(now)))
    return signatures.select_related("organisation", "version__partnership").order_by("asked_at", "pk")


def _waiting_signatures(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return the tasks of signing terms."""
    return [
        WaitingTask(
            action=f"Sign the terms for {signatory.organisation.name}",
            title=signatory.version.partnership.title,
            path=reverse("agreements:terms-sign", args=[signatory.version.partnership_id, signatory.version.number]),
            since=signatory.asked_at,
            due=signatory.due_on,
            partnership_title=signatory.version.partnership.title,
            status=Status.AWAITING_SIGN_OFF,
            status_label="Awaiting signatures",
        )
        for signatory in rows_for(_signatures_for, user, now)
    ]


#: The tasks in My work about signatures, invitations, reviews and dates that are coming up.
STEPS = (
    TaskSource(
        _waiting_signatures,
        lambda _: (_signature_reach(),),
        lookups=lambda user, now: (lookup(_signatures_for, user, now),),
    ),
    TaskSource(
        _waiting_invitations,
        lambda _: (_invitation_reach(),),
        lookups=lambda user, _: (lookup(_invitations_for, user),),
    ),
    TaskSource(
        _waiting_reviews,
        lambda now: (_review_reach(now),),
        lookups=lambda user, now: (lookup(_reviews_for, user, now),),
    ),
    COMING_DATES,
)


def partnerships_of(user: User, organisation: Organisation | int) -> PartnershipQuerySet:
    """Return the partnerships of an organisation that the person may see today.

    Partnerships that the person reads only for a former party are left out.
    """
    taking_part = Party.objects.accepted().filter(organisation=organisation)
    return Partnership.objects.visible_today_to(user).filter(pk__in=taking_part.values("partnership"))


def _first_partnerships_of(user: User, organisation_id: int) -> QuerySet[Partnership]:
    """Return the first 50 partnerships of the organisation, for its page."""
    return partnerships_of(user, organisation_id).order_by("status", "title", "pk")[:50]


def _partners_in(partnership_ids: list[int], organisation_id: int) -> QuerySet[Party, tuple[int, str, str]]:
    """Return the id of each partnership, and the short and full name of each other present party."""
    parties = Party.objects.accepted().filter(partnership__in=partnership_ids)
    other_parties = parties.exclude(organisation=organisation_id).order_by("role", "pk")
    return other_parties.values_list("partnership", "organisation__short_name", "organisation__name")


def organisation_lookups(user: User, organisation: Organisation) -> list[Lookup]:
    """Return the first query of `organisation_section`, so that it can be sent together with other queries."""
    return [lookup(_first_partnerships_of, user, organisation.pk)]


def organisation_section(user: User, organisation: Organisation) -> Section | None:
    """Return the section with the partnerships of an organisation for its page, or None if it has none."""
    partnerships = rows_for(_first_partnerships_of, user, organisation.pk)
    if not partnerships:
        return None
    partners_by_partnership: defaultdict[int, list[str]] = defaultdict(list)
    for pk, short_name, name in rows_for(_partners_in, [row.pk for row in partnerships], organisation.pk):
        partners_by_partnership[pk].append(short_name or name)
    context = {"partnerships": [(partnership, partners_by_partnership[partnership.pk]) for partnership in partnerships]}
    return Section("agreements/_organisation_section.html", context)
