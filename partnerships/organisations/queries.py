"""Queries about organisations and their members."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Case, Q, QuerySet, When

from partnerships.kit.database import rows_of
from partnerships.kit.names import fold_name
from partnerships.organisations.models import (
    Area,
    AreaServed,
    Identifier,
    Kind,
    Membership,
    Organisation,
    OrganisationName,
    OrganisationQuerySet,
    Role,
    Scheme,
    SuccessionStatus,
    SuccessionTie,
    of_org_id,
)
from partnerships.people.models import User

#: Sorts memberships by role, leads first.
_STRENGTH = Case(When(role=Role.LEAD, then=0), When(role=Role.EDITOR, then=1), default=2)


def find_organisations(
    *,
    user: User,
    text: str = "",
    region: Area | None = None,
    area: Area | None = None,
) -> OrganisationQuerySet:
    """Unordered organisations by name or identifier, by region and by area.

    Every word of `text` must occur in the same name, or the whole text in an identifier. If nothing matches, names
    with a similar spelling are returned; to an email address no name is similar.
    """
    organisations = Organisation.objects.visible_to(user).standing()
    if region is not None:
        organisations = organisations.filter(Q(region=region) | Q(pk__in=_serving(region)))
    if area is not None:
        organisations = organisations.filter(pk__in=_serving(area))
    return _called(organisations, text)


def find_publicly_listed(text: str) -> OrganisationQuerySet:
    """Unordered organisations that everybody may look up, by name or number as in `find_organisations`."""
    return _called(publicly_listed(), text)


def _called(organisations: OrganisationQuerySet, text: str) -> OrganisationQuerySet:
    """Organisations with a matching name or number, else with a name of a similar spelling; all without a text."""
    if not text.strip():
        return organisations
    exact = organisations.filter(_has_name_or_number(text))
    if exact.exists() or "@" in text:
        return exact
    nearly = OrganisationName.objects.filter(folded__trigram_word_similar=fold_name(text)[:300])
    return organisations.filter(pk__in=nearly.values("organisation"))


def _serving(area: Area) -> QuerySet[AreaServed, int]:
    """Ids of organisations that serve the area, or one within it."""
    within = Q(area=area) | Q(area__parent=area) | Q(area__region=area)
    return AreaServed.objects.filter(within).values_list("organisation", flat=True)


def _has_name_or_number(text: str) -> Q:
    """The condition that one name has every word of the text, or that a number has the text in it."""
    words = fold_name(text).split()
    scheme, number = of_org_id(text)
    by_number = Q(scheme=scheme, value__iexact=number) if scheme else Q(value__icontains=text.strip())
    identified = Identifier.objects.exclude(scheme=Scheme.NETWORK).filter(by_number)
    condition = Q(pk__in=identified.values("organisation"))
    if words:
        names = OrganisationName.objects.all()
        for word in words:
            names = names.filter(folded__contains=word)
        condition |= Q(pk__in=names.values("organisation"))
    return condition


#: The organisations along one link from one organisation, each with its distance; a circle ends where it began.
_CHAIN = """
    WITH RECURSIVE chain AS (
        SELECT id, parent_id, 0 AS depth FROM organisations_organisation WHERE id = %s
        UNION ALL
        SELECT one.id, one.parent_id, chain.depth + 1 FROM organisations_organisation one JOIN chain ON LINK
    ) CYCLE id SET again USING path
    SELECT id, min(depth) FROM chain GROUP BY id
"""
_BELOW = _CHAIN.replace("LINK", "one.parent_id = chain.id")
_ABOVE = _CHAIN.replace("LINK", "one.id = chain.parent_id")


def group_of(organisation_id: int) -> dict[int, int]:
    """The organisations of the group below one, itself included, each with its depth (itself: 0)."""
    return dict(rows_of(_BELOW, [organisation_id]))


def ancestors_of(organisation_id: int) -> dict[int, int]:
    """The organisations that one is part of, itself included, each with how far above it is."""
    return dict(rows_of(_ABOVE, [organisation_id]))


def match_by_name(name: str) -> OrganisationQuerySet:
    """Organisations with a name that normalises to the same text."""
    return Organisation.objects.standing().filter(
        pk__in=OrganisationName.objects.filter(folded=fold_name(name)).values("organisation")
    )


def publicly_listed() -> OrganisationQuerySet:
    """Organisations whose names, numbers, dates and successors everybody may look up.

    They have a number in a published register, or are councils or strategic authorities that will succeed one that
    has. Demonstration and merged records are left out.
    """
    published = Identifier.objects.exclude(scheme=Scheme.NETWORK).values("organisation")
    followers = SuccessionTie.objects.exclude(succession__status=SuccessionStatus.CANCELLED)
    followers = followers.filter(
        predecessor__in=published, successor__kind__in=[Kind.COUNCIL, Kind.STRATEGIC_AUTHORITY]
    )
    listed = Q(pk__in=published) | Q(pk__in=followers.values("successor"))
    return Organisation.objects.standing().filter(listed, is_demonstration=False)


def acting_memberships(user: User) -> QuerySet[Membership]:
    """The person's memberships in force today, strongest role first."""
    return (
        Membership.objects.current()
        .of_person(user)
        .select_related("organisation")
        .annotate(strength=_STRENGTH)
        .order_by("strength", "organisation__name", "pk")
    )


def organisation_for(user: User, organisation_id: int, *roles: str) -> Organisation | None:
    """The organisation if the person acts for it today, else None.

    If roles are given, in one of them.
    """
    return Organisation.objects.of_person(user, *roles).filter(pk=organisation_id).first()


def people_of(organisation: Organisation) -> QuerySet[User]:
    """The people who act for it today."""
    return User.objects.filter(
        pk__in=Membership.objects.current().filter(organisation=organisation).values("person")
    ).order_by("pk")


def leads_of(organisation: Organisation | int) -> QuerySet[User]:
    """The people who lead it today."""
    return User.objects.filter(
        pk__in=Membership.objects.current().filter(organisation=organisation, role=Role.LEAD).values("person")
    )


def watching(membership: Membership) -> QuerySet[User]:
    """The people emailed about what an administrator does to a membership: other leads, else all administrators."""
    leads = leads_of(membership.organisation).exclude(pk=membership.person_id)
    return leads if leads.exists() else User.objects.filter(is_staff=True, is_active=True)


def with_account(people: QuerySet[User]) -> QuerySet[User]:
    """The people who have an account, by name."""
    return people.filter(is_active=True, account_since__isnull=False).order_by("name", "pk")


def leads_with_account(organisations: Collection[Organisation] | Collection[int]) -> QuerySet[User]:
    """People with an account who lead one of these organisations (or ids) today."""
    leads = Membership.objects.current().filter(organisation__in=organisations, role=Role.LEAD)
    return with_account(User.objects.filter(pk__in=leads.values("person")))


def colleagues_of(membership: Membership) -> QuerySet[User]:
    """Other people who act for the same organisation today, by name."""
    colleagues = Membership.objects.current().filter(organisation=membership.organisation_id)
    return (
        User.objects.filter(pk__in=colleagues.values("person")).exclude(pk=membership.person_id).order_by("name", "pk")
    )


def contacts_of(organisation: Organisation | int) -> QuerySet[Membership]:
    """The memberships in force today, leads first."""
    return (
        Membership.objects.current()
        .filter(organisation=organisation)
        .select_related("person")
        .annotate(strength=_STRENGTH)
        .order_by("strength", "person__name", "pk")
    )


def membership_by_address(address: str) -> Membership | None:
    """The oldest membership of the person with this email address."""
    current = Membership.objects.current().filter(person__email__iexact=address, person__is_active=True)
    return current.select_related("person", "organisation").order_by("starts_on", "pk").first()
