"""Queries about organisations and the people who act for them."""

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
    parse_org_id,
)
from partnerships.people.models import User

#: Sorts memberships by role, with leads first, then editors, then viewers.
_ROLE_ORDER = Case(When(role=Role.LEAD, then=0), When(role=Role.EDITOR, then=1), default=2)


def find_organisations(
    *,
    user: User,
    text: str = "",
    region: Area | None = None,
    area: Area | None = None,
) -> OrganisationQuerySet:
    """Return organisations by name or identifier, region and area, unsorted.

    Either one name must contain every word of the text, or an identifier must contain the whole text. If no
    organisation matches, organisations with a similar name are returned, unless the text contains an @.
    """
    organisations = Organisation.objects.visible_to(user).not_merged()
    if region is not None:
        organisations = organisations.filter(Q(region=region) | Q(pk__in=_serving(region)))
    if area is not None:
        organisations = organisations.filter(pk__in=_serving(area))
    return _matching(organisations, text)


def find_publicly_listed(text: str) -> OrganisationQuerySet:
    """Return organisations that everyone may look up, by name or identifier.

    If none matches, organisations with a similar name are returned.
    """
    return _matching(publicly_listed(), text)


def _matching(organisations: OrganisationQuerySet, text: str) -> OrganisationQuerySet:
    """Return organisations with a matching name or identifier or, failing that, with a similar name.

    Without a text, all organisations are returned.
    """
    if not text.strip():
        return organisations
    exact_matches = organisations.filter(_has_name_or_identifier(text))
    if exact_matches.exists() or "@" in text:
        return exact_matches
    similar_names = OrganisationName.objects.filter(folded__trigram_word_similar=fold_name(text)[:300])
    return organisations.filter(pk__in=similar_names.values("organisation"))


def _serving(area: Area) -> QuerySet[AreaServed, int]:
    """Return the ids of the organisations that serve the area, or an area within it."""
    is_within = Q(area=area) | Q(area__parent=area) | Q(area__region=area)
    return AreaServed.objects.filter(is_within).values_list("organisation", flat=True)


def _has_name_or_identifier(text: str) -> Q:
    """Return the condition that one name contains every word of the text, or that an identifier contains the text."""
    scheme, value = parse_org_id(text)
    identifier_matches = Q(scheme=scheme, value__iexact=value) if scheme else Q(value__icontains=text.strip())
    identifiers = Identifier.objects.exclude(scheme=Scheme.NETWORK).filter(identifier_matches)
    condition = Q(pk__in=identifiers.values("organisation"))
    words = fold_name(text).split()
    if words:
        names = OrganisationName.objects.all()
        for word in words:
            names = names.filter(folded__contains=word)
        condition |= Q(pk__in=names.values("organisation"))
    return condition


#: Selects an organisation and those linked to it through parents, with their distance. CYCLE stops if parents form a
#: circle.
_CHAIN = """
    WITH RECURSIVE chain AS (
        SELECT id, parent_id, 0 AS depth
          FROM organisations_organisation
         WHERE id = %s
        UNION ALL
        SELECT linked.id, linked.parent_id, chain.depth + 1
          FROM organisations_organisation AS linked
          JOIN chain ON LINK
    ) CYCLE id SET is_cycle USING path
    SELECT id, min(depth)
      FROM chain
     GROUP BY id
"""
_BELOW = _CHAIN.replace("LINK", "linked.parent_id = chain.id")
_ABOVE = _CHAIN.replace("LINK", "linked.id = chain.parent_id")


def group_of(organisation_id: int) -> dict[int, int]:
    """Return the ids of an organisation and of the group below it, each with its depth.

    The organisation's own depth is 0.
    """
    return dict(rows_of(_BELOW, [organisation_id]))


def ancestors_of(organisation_id: int) -> dict[int, int]:
    """Return the ids of an organisation and of its ancestors, each with its distance.

    The organisation's own distance is 0.
    """
    return dict(rows_of(_ABOVE, [organisation_id]))


def match_by_name(name: str) -> OrganisationQuerySet:
    """Return organisations that have or had a name with the same normalised form."""
    same_names = OrganisationName.objects.filter(folded=fold_name(name))
    return Organisation.objects.not_merged().filter(pk__in=same_names.values("organisation"))


def publicly_listed() -> OrganisationQuerySet:
    """Return organisations with names, numbers, dates and successors that everyone may look up.

    These have an identifier in a published register, or are councils or strategic authorities that will succeed such an
    organisation. Organisations of the demonstration network and merged organisations are excluded.
    """
    registered_ids = Identifier.objects.exclude(scheme=Scheme.NETWORK).values("organisation")
    ties = SuccessionTie.objects.exclude(succession__status=SuccessionStatus.CANCELLED)
    ties = ties.filter(predecessor__in=registered_ids, successor__kind__in=[Kind.COUNCIL, Kind.STRATEGIC_AUTHORITY])
    is_listed = Q(pk__in=registered_ids) | Q(pk__in=ties.values("successor"))
    return Organisation.objects.not_merged().filter(is_listed, is_demonstration=False)


def acting_memberships(user: User) -> QuerySet[Membership]:
    """Return the person's memberships in force today, the strongest role first."""
    return (
        Membership.objects.current()
        .of_person(user)
        .select_related("organisation")
        .annotate(strength=_ROLE_ORDER)
        .order_by("strength", "organisation__name", "pk")
    )


def organisation_for(user: User, organisation_id: int, *roles: str) -> Organisation | None:
    """Return the organisation if the person acts for it today in one of these roles; None if not.

    Without roles, any role will do.
    """
    return Organisation.objects.of_person(user, *roles).filter(pk=organisation_id).first()


def people_of(organisation: Organisation) -> QuerySet[User]:
    """Return the people who act for an organisation today."""
    memberships = Membership.objects.current().filter(organisation=organisation)
    return User.objects.filter(pk__in=memberships.values("person")).order_by("pk")


def leads_of(organisation: Organisation | int) -> QuerySet[User]:
    """Return the people who lead an organisation today."""
    memberships = Membership.objects.current().filter(organisation=organisation, role=Role.LEAD)
    return User.objects.filter(pk__in=memberships.values("person"))


def recipients_of_change(membership: Membership) -> QuerySet[User]:
    """Return the people to email about an administrator's change to a membership.

    These are the organisation's other leads or, if there are none, the administrators.
    """
    leads = leads_of(membership.organisation).exclude(pk=membership.person_id)
    return leads if leads.exists() else User.objects.filter(is_staff=True, is_active=True)


def with_account(people: QuerySet[User]) -> QuerySet[User]:
    """Return the people who have an account, sorted by name."""
    return people.filter(is_active=True, account_since__isnull=False).order_by("name", "pk")


def leads_with_account(organisations: Collection[Organisation] | Collection[int]) -> QuerySet[User]:
    """Return the people with an account who lead one of these organisations (or ids) today."""
    leads = Membership.objects.current().filter(organisation__in=organisations, role=Role.LEAD)
    return with_account(User.objects.filter(pk__in=leads.values("person")))


def colleagues_of(membership: Membership) -> QuerySet[User]:
    """Return the other people who act for the same organisation today, sorted by name."""
    memberships = Membership.objects.current().filter(organisation=membership.organisation_id)
    people = User.objects.filter(pk__in=memberships.values("person"))
    return people.exclude(pk=membership.person_id).order_by("name", "pk")


def contacts_of(organisation: Organisation | int) -> QuerySet[Membership]:
    """Return the memberships of an organisation in force today, the leads first."""
    return (
        Membership.objects.current()
        .filter(organisation=organisation)
        .select_related("person")
        .annotate(strength=_ROLE_ORDER)
        .order_by("strength", "person__name", "pk")
    )


def membership_by_address(address: str) -> Membership | None:
    """Return the oldest membership in force today of the person with this email address."""
    current_memberships = Membership.objects.current().filter(person__email__iexact=address, person__is_active=True)
    return current_memberships.select_related("person", "organisation").order_by("starts_on", "pk").first()
