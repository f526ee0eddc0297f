"""Find the people who may sign terms for a party, and the parties for which a person may sign."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from django.db.models import Exists, OuterRef, Q

from partnerships.agreements.models import Holder, Partnership, Post, PostRole, TermsSignatory, TermsVersion
from partnerships.agreements.queries.posts import people_in_posts
from partnerships.agreements.queries.terms import TermsState, signing_states, version_to_join
from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.people.models import User


def signers_of(organisation_id: int, partnership: Partnership | int, day: dt.date) -> list[User]:
    """Return the people who may sign for a party on a day.

    They are the holders of its signatory post or, if nobody holds this post, its leads.
    """
    return signers_by_party([organisation_id], partnership, day)[organisation_id]


def signers_by_party(
    organisation_ids: Collection[int], partnership: Partnership | int, day: dt.date
) -> dict[int, list[User]]:
    """Return the people who may sign, by party (id of its organisation). Makes at most two queries."""
    signers = people_in_posts(organisation_ids, PostRole.SIGNATORY, partnership=partnership, day=day)
    ids_without_post = [pk for pk, people in signers.items() if not people]
    if ids_without_post:
        leads = Membership.objects.current().filter(organisation__in=ids_without_post, role=Role.LEAD)
        for membership in leads.select_related("person").order_by("person__name", "person"):
            people = signers[membership.organisation_id]
            # A person has two memberships at once if one ends after the next has begun.
            if membership.person not in people:
                people.append(membership.person)
    return signers


def can_be_signed_by(user: User, day: dt.date) -> Q:
    """Return a condition for the signatories for which the person may sign on a day.

    It selects the same people as `signers_of`, but in the database and for many signatories at once.
    """
    acting = Membership.objects.current(day).filter(
        organisation=OuterRef("post__organisation"), person=OuterRef("person")
    )
    holders = Holder.objects.current(day).filter(
        Exists(acting),
        post__role=PostRole.SIGNATORY,
        post__in=Post.objects.not_ended(),
        post__organisation=OuterRef("organisation"),
        person__account_since__isnull=False,
    )

    # A post in the partnership comes first, then a post of the whole organisation, then the leads.
    in_partnership = holders.filter(post__partnership=OuterRef("version__partnership"))
    in_organisation = holders.filter(post__partnership=None)
    has_nobody_in_partnership = ~Q(Exists(in_partnership))
    has_nobody_in_organisation = ~Q(Exists(in_organisation))

    holds_partnership_post = Q(Exists(in_partnership.filter(person=user)))
    holds_organisation_post = Q(Exists(in_organisation.filter(person=user)))
    is_lead = Q(organisation__in=Organisation.objects.of_person(user, Role.LEAD))
    return (
        holds_partnership_post
        | (has_nobody_in_partnership & holds_organisation_post)
        | (has_nobody_in_partnership & has_nobody_in_organisation & is_lead)
    )


def may_sign_for(user: User, versions: Sequence[TermsVersion], day: dt.date) -> dict[int, list[Organisation]]:
    """Return the parties for which the person may sign each version on a day, by the id of the version."""
    signatories = TermsSignatory.objects.filter(can_be_signed_by(user, day), version__in=[row.pk for row in versions])
    own_signatory_ids = set(signatories.values_list("pk", flat=True)) if versions else set()
    return {
        version.pk: [
            state.signatory.organisation
            for state in signing_states(version)
            if state.signatory.pk in own_signatory_ids and _can_still_sign(state, version, day)
        ]
        for version in versions
    }


def _can_still_sign(state: TermsState, version: TermsVersion, day: dt.date) -> bool:
    """Return whether the party still has to decide, or declined a version that it may still join."""
    if state.must_decide:
        return True
    return has_declined_to_join(state) and _is_version_to_join(version, day)


def has_declined_to_join(state: TermsState) -> bool:
    """Return whether the party joined later and declined the version.

    Such a party may still sign while that version is in force.
    """
    signatory, sign_off = state.signatory, state.sign_off
    has_declined = sign_off is not None and sign_off.is_rejected
    return has_declined and signatory.joins and signatory.removed_at is None and state.takes_part


def _is_version_to_join(version: TermsVersion, day: dt.date) -> bool:
    """Return whether this is the version that a joining party signs on the day."""
    current_version = version_to_join(version.partnership, day)
    return current_version is not None and current_version.pk == version.pk
