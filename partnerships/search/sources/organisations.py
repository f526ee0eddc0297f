"""Index rows of organisations, by all their names and numbers, and of people, for their own organisation."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import QuerySet
from django.urls import reverse

from partnerships.organisations.holdings import id_is_among
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User
from partnerships.search.entries import EntryRow, joined_lines
from partnerships.search.models import EVERYONE
from partnerships.search.sources.source import KindNames, Source, check_by_record


def _organisation_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield a row for each organisation, with all its names, numbers and areas, for everybody."""
    organisations = Organisation.objects.not_merged().filter(pk__in=ids)
    for organisation in organisations.prefetch_related("names", "identifiers", "areas"):
        names = [name.name for name in organisation.names.all()]
        codes = [code.value for code in organisation.identifiers.all()]
        yield EntryRow(
            object_id=organisation.pk,
            kind="organisation",
            title=organisation.name,
            text=joined_lines(
                ", ".join(sorted({organisation.short_name, *names} - {organisation.name, ""})),
                organisation.kind_in_words,
                organisation.get_status_display() if organisation.is_ended else "",
                ", ".join(codes),
                ", ".join(sorted({area.name for area in organisation.areas.all()})),
            ),
            references=tuple(codes),
            organisation_id=organisation.pk,
            path=organisation.get_absolute_url(),
            readers=frozenset({EVERYONE}),
        )


def _readable_organisations(user: User, ids: list[int]) -> QuerySet[Organisation, int]:
    """Return the ids of the organisations that the person may see."""
    return Organisation.objects.visible_to(user).filter(id_is_among("pk", ids)).values_list("pk", flat=True)


def _person_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield a row for each current membership. A person in two organisations has two rows."""
    memberships = Membership.objects.current().filter(pk__in=ids)
    for membership in memberships.select_related("person", "organisation"):
        yield EntryRow(
            object_id=membership.pk,
            kind="person",
            title=membership.person.display_name,
            text=joined_lines(membership.job_title, membership.get_role_display(), membership.organisation.name),
            organisation_id=membership.organisation_id,
            path=f"{reverse('organisations:people', args=[membership.organisation_id])}#person-{membership.pk}",
            readers=frozenset({membership.organisation_id, -membership.person_id}),
        )


def _readable_memberships(user: User, ids: list[int]) -> QuerySet[Membership, int]:
    """Return the ids of the current memberships that the person may see."""
    return Membership.objects.current().visible_to(user).filter(id_is_among("pk", ids)).values_list("pk", flat=True)


ORGANISATIONS = Source(
    code="organisation",
    model=Organisation,
    kinds={"organisation": KindNames("Organisation", "Organisations")},
    read=_organisation_rows,
    check=check_by_record(_readable_organisations),
    follows={
        "organisations_organisation.id": ("pk",),
        "organisations_organisationname.organisation_id": ("pk",),
        "organisations_identifier.organisation_id": ("pk",),
        "organisations_areaserved.organisation_id": ("pk",),
        "organisations_merge.merged_id": ("pk",),
    },
)
PEOPLE = Source(
    code="person",
    model=Membership,
    kinds={"person": KindNames("Person", "People")},
    read=_person_rows,
    check=check_by_record(_readable_memberships),
    follows={
        "organisations_membership.id": ("pk",),
        "organisations_organisation.id": ("organisation",),
        "people_user.id": ("person",),
    },
)
