"""Reading partnerships: finding them, what a former party may still read, whose turn it is, what waits for a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import (
    LEADING,
    Partnership,
    PartnershipQuerySet,
    Party,
    PartyStatus,
    Status,
)
from partnerships.agreements.past import as_then, former_party, parties_then
from partnerships.kit.names import fold_name
from partnerships.kit.sections import Section
from partnerships.kit.waiting import Waiting
from partnerships.organisations.audience import Organisations, Reach
from partnerships.organisations.models import Organisation, OrganisationName, Role
from partnerships.organisations.waiting import Source
from partnerships.people.models import User

#: How long before its review date a partnership's leads are reminded of it.
REVIEW_NOTICE = dt.timedelta(days=30)


def find_partnerships(
    *, user: User, text: str = "", kind: str = "", status: str = "", mine: bool = False
) -> PartnershipQuerySet:
    """Those the person may see, by a part of the title or of a present party's name, kind and status; not ordered.

    What an organisation has left is found by what it was then, and `listed_as` is the title to sort by.
    """
    known = Partnership.objects.inside_for(user) if mine else Partnership.objects.known_today_to(user)
    condition = Q()
    if kind:
        condition &= Q(kind=kind)
    if status:
        condition &= Q(status=status)
    words, folded = text.strip(), fold_name(text)
    if words:
        named = Q(title__icontains=words)
        if folded:
            bodies = OrganisationName.objects.filter(folded__contains=folded).values("organisation")
            parties = Party.objects.filter(status=PartyStatus.ACCEPTED, organisation__in=bodies)
            named |= Q(pk__in=parties.values("partnership"))
        condition &= named
    left = {
        one.pk: one.title
        for one, party in _left_behind(user)
        if (not kind or one.kind == kind)
        and (not status or one.status == status)
        and (not words or words.lower() in one.title.lower() or _named_then(party, folded))
    }
    then = [When(pk=pk, then=Value(title)) for pk, title in left.items()]
    return Partnership.objects.filter(Q(pk__in=known.filter(condition).values("pk")) | Q(pk__in=list(left))).annotate(
        listed_as=Case(*then, default=F("title")) if then else F("title")
    )


def find_by_words(user: User, text: str, *, limit: int) -> list[Partnership]:
    """Up to `most` whose title or purpose, as far as the person may know them, holds every word, by title."""
    words = text.lower().split()
    condition = Q()
    for word in words:
        condition &= Q(title__icontains=word) | Q(purpose__icontains=word)
    known = Partnership.objects.known_today_to(user).filter(condition).order_by("title", "pk")[:limit]
    left = [
        one
        for one, _ in _left_behind(user)
        if all(word in one.title.lower() or word in one.purpose.lower() for word in words)
    ]
    return sorted([*known, *left], key=lambda one: (one.title, one.pk))[:limit]


def _left_behind(user: User) -> list[tuple[Partnership, Party]]:
    """The partnerships that the person reads only as they were, as they were, each with the part that ended."""
    left = Partnership.objects.held_by(user).exclude(pk__in=Partnership.objects.known_today_to(user).values("pk"))
    pairs = ((one, former_party(user, one)) for one in left)
    return [(as_then(one, party), party) for one, party in pairs if party is not None]


def _named_then(party: Party, folded: str) -> bool:
    """Whether a party that was present when this one left has a name like this."""
    if not folded:
        return False
    present = [one.organisation_id for one in parties_then(party) if one.is_present]
    return OrganisationName.objects.filter(folded__contains=folded, organisation__in=present).exists()


def events_of_partnerships(user: User) -> Q:
    """The condition on events about partnerships: those they take part in, or did up to the moment they left."""
    former = Party.objects.filter(
        organisation__in=Organisation.objects.of_person(user),
        status=PartyStatus.LEFT,
        partnership=OuterRef("target_id"),
        left_at__gte=OuterRef("at"),
    )
    return Q(target_id__in=Partnership.objects.present_for(user).values("pk")) | Q(Exists(former))


def acting_party(user: User, partnership: Partnership, *roles: str) -> Party | None:
    """The present party for which the person acts, in one of the roles where any is given; leading parties first."""
    parties = (
        Party.objects.present()
        .filter(partnership=partnership, organisation__in=Organisation.objects.of_person(user, *roles))
        .select_related("organisation")
        .order_by("pk")
    )
    return next(iter(sorted(parties, key=lambda party: not party.is_leading)), None)


@dataclass(frozen=True, slots=True)
class Turn:
    """Who must do what next."""

    who: str
    what: str
    yours: bool
    since: dt.datetime | None = None
    href: str = ""
    action: str = ""


def whose_turn(partnership: Partnership, parties: Iterable[Party], *, mine: Collection[int]) -> Turn | None:
    """Whose turn it is; `mine` are the ids of organisations that the reader leads. None when nobody's."""
    parties = list(parties)
    if partnership.is_over:
        return None
    waiting = [party for party in parties if party.is_waiting]
    own = next((party for party in waiting if party.organisation_id in mine), None)
    if own is not None:
        href = reverse("agreements:answer", kwargs={"pk": partnership.pk, "party": own.pk})
        return Turn(
            own.organisation.name, "Accept or decline the invitation.", True, own.invited_at, href, "Read and answer"
        )
    if waiting:
        names = ", ".join(party.organisation.name for party in waiting)
        return Turn(names, "to accept or decline the invitation", False, waiting[0].invited_at)
    what = _NEXT_STEP.get(Status(partnership.status))
    if what is None:
        return None
    leading = [party for party in parties if party.is_present and party.is_leading]
    yours = any(party.organisation_id in mine for party in leading)
    href = reverse("agreements:status", kwargs={"pk": partnership.pk}) if yours else ""
    names = ", ".join(party.organisation.name for party in leading)
    return Turn(names, what, yours, partnership.status_since, href, "Change the status")


#: What a leading organisation does next, by status.
_NEXT_STEP = {
    Status.EXPLORING: "Decide whether to draft terms.",
    Status.DRAFTING: "Finish the terms and put them up for sign-off.",
    Status.AWAITING_SIGN_OFF: "Everybody has accepted: make it active.",
    Status.UNDER_REVIEW: "Hold the review: carry on, renew or end it.",
    Status.SUSPENDED: "Take it up again or end it.",
}


#: Invitations to partnerships, which wait for an answer of a lead.
_INVITATIONS = Reach(
    Party.objects.filter(status=PartyStatus.INVITED, partnership__in=Partnership.objects.live()),
    (Organisations("organisation", roles=(Role.LEAD,)),),
)


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
        for party in _INVITATIONS.of(user).select_related("partnership").order_by("invited_at", "pk")
    ]


def _steps(now: dt.datetime) -> Reach:
    """Partnerships whose next step is their leads': a review to hold or prepare, or a sign-off that is complete."""
    soon = timezone.localdate(now) + REVIEW_NOTICE
    unanswered = Party.objects.filter(partnership=OuterRef("pk"), status=PartyStatus.INVITED)
    partnerships = Partnership.objects.filter(
        Q(status=Status.UNDER_REVIEW)
        | Q(status=Status.ACTIVE, review_on__lte=soon)
        | Q(~Exists(unanswered), status=Status.AWAITING_SIGN_OFF)
    )
    return Reach(partnerships, LEADING)


def _steps_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    waiting = []
    for partnership in _steps(now).of(user).order_by("status_since", "pk"):
        if partnership.status == Status.ACTIVE:
            what, since, due = "Prepare the review", None, partnership.review_on
        elif partnership.status == Status.UNDER_REVIEW:
            what, since, due = "Hold the review", partnership.status_since, None
        else:
            what, since, due = "Everybody has accepted: make it active", partnership.status_since, None
        waiting.append(
            Waiting(
                what=what,
                title=partnership.title,
                path=reverse("agreements:status", kwargs={"pk": partnership.pk}),
                since=since,
                due=due,
                within=partnership.title,
                status=partnership.status,
                status_label=partnership.get_status_display(),
            )
        )
    return waiting


#: What waits for leads: invitations to answer, reviews to hold or to prepare, sign-offs complete.
WAITING = (
    Source(_invitations_wanted, lambda _: (_INVITATIONS,)),
    Source(_steps_wanted, lambda now: (_steps(now),)),
)


def partnerships_of(user: User, organisation: Organisation) -> PartnershipQuerySet:
    """Those in which the organisation takes part today, as far as the person may see that; nothing to former
    parties."""
    taking_part = Party.objects.present().filter(organisation=organisation)
    return Partnership.objects.known_today_to(user).filter(pk__in=taking_part.values("partnership"))


def organisation_section(user: User, organisation: Organisation) -> Section | None:
    """Its partnerships, for its page in the directory."""
    found = partnerships_of(user, organisation).for_listing().order_by("status", "title", "pk")[:50]
    context = {"partnerships": found, "organisation": organisation}
    return Section("agreements/_organisation_section.html", context) if found else None
