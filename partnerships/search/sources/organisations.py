"""Search finds organisations by all their names and numbers, and people by their organisation."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import QuerySet
from django.urls import reverse

from partnerships.organisations.holdings import among
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User
from partnerships.search.entries import Row, joined
from partnerships.search.models import EVERYONE
from partnerships.search.sources.source import Source, by_record


def _organisations(ids: Collection[int]) -> Iterable[Row]:
    """Organisations by all their names, numbers and areas, for everybody."""
    found = Organisation.objects.standing().filter(pk__in=ids)
    for one in found.prefetch_related("names", "identifiers", "areas"):
        names = [name.name for name in one.names.all()]
        codes = [code.value for code in one.identifiers.all()]
        yield Row(
            object_id=one.pk,
            kind="organisation",
            title=one.name,
            text=joined(
                ", ".join(sorted({one.short_name, *names} - {one.name, ""})),
                one.kind_in_words,
                one.get_status_display() if one.is_ended else "",
                ", ".join(codes),
                ", ".join(sorted({area.name for area in one.areas.all()})),
            ),
            references=tuple(codes),
            organisation_id=one.pk,
            path=one.get_absolute_url(),
            readers=frozenset({EVERYONE}),
        )


def _organisations_for(user: User, ids: list[int]) -> QuerySet[Organisation, int]:
    return Organisation.objects.visible_to(user).filter(among("pk", ids)).values_list("pk", flat=True)


def _people(ids: Collection[int]) -> Iterable[Row]:
    current = Membership.objects.current().filter(pk__in=ids)
    for one in current.select_related("person", "organisation"):
        yield Row(
            object_id=one.pk,
            kind="person",
            title=one.person.display_name,
            text=joined(one.job_title, one.get_role_display(), one.organisation.name),
            organisation_id=one.organisation_id,
            path=f"{reverse('organisations:people', args=[one.organisation_id])}#person-{one.pk}",
            readers=frozenset({one.organisation_id, -one.person_id}),
        )


def _people_for(user: User, ids: list[int]) -> QuerySet[Membership, int]:
    return Membership.objects.current().visible_to(user).filter(among("pk", ids)).values_list("pk", flat=True)


ORGANISATIONS = Source(
    code="organisation",
    model=Organisation,
    kinds={"organisation": ("Organisation", "Organisations")},
    read=_organisations,
    check=by_record(_organisations_for),
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
    kinds={"person": ("Person", "People")},
    read=_people,
    check=by_record(_people_for),
    follows={
        "organisations_membership.id": ("pk",),
        "organisations_organisation.id": ("organisation",),
        "people_user.id": ("person",),
    },
)
