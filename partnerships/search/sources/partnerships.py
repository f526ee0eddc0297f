"""Search finds partnerships, their terms, objectives and documents."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.urls import reverse

from partnerships.agreements.models import Document, Objective, Partnership, Party, TermsVersion
from partnerships.agreements.models.partnership import FORMER, INSIDE, OUTLINED
from partnerships.organisations.holdings import among
from partnerships.people.models import User
from partnerships.search.entries import Row, divided, joined
from partnerships.search.sources.source import Source, by_record, readers_by_routes
from partnerships.search.sources.texts import texts_of, texts_of_files

#: What changes who reads the records of a partnership.
_PARTIES = "agreements_party.partnership_id"


def _partnerships(ids: Collection[int]) -> Iterable[Row]:
    """Outlines of partnerships, with the names of present parties."""
    readers = readers_by_routes(Partnership, OUTLINED, ids)
    present = Prefetch("parties", Party.objects.present().select_related("organisation"), to_attr="partners")
    for one in Partnership.objects.filter(pk__in=ids).select_related("kind").prefetch_related("areas", present):
        partners: list[Party] = one.partners  # type: ignore[attr-defined]  # prefetched
        yield Row(
            object_id=one.pk,
            kind="partnership",
            title=one.title,
            text=joined(
                one.purpose,
                str(one.kind),
                ", ".join(sorted(party.organisation.name for party in partners)),
                ", ".join(sorted(area.name for area in one.areas.all())),
            ),
            partnership_id=one.pk,
            day=one.starts_on,
            path=one.get_absolute_url(),
            readers=readers[one.pk],
        )


def _partnerships_for(user: User, ids: list[int]) -> QuerySet[Partnership, int]:
    """Not those that only a former party reads.

    Their words may have changed since (see `queries.past`).
    """
    return Partnership.objects.known_today_to(user).filter(among("pk", ids)).values_list("pk", flat=True)


def _terms(ids: Collection[int]) -> Iterable[Row]:
    """The newest version of each partnership's terms, divided into several rows if it is long."""
    later = TermsVersion.objects.filter(partnership=OuterRef("partnership"), number__gt=OuterRef("number"))
    newest = list(TermsVersion.objects.filter(~Exists(later), pk__in=ids).defer("prose", "declarations"))
    readers = readers_by_routes(Partnership, (*INSIDE, *FORMER), {one.partnership_id for one in newest})
    for one in newest:
        for place, text in enumerate(divided("\n".join(texts_of(one.content)))):
            yield Row(
                object_id=one.pk,
                part=str(place) if place else "",
                kind="terms",
                title=f"Terms of {one.title}",
                text=text,
                partnership_id=one.partnership_id,
                day=one.published_at.date(),
                path=one.get_absolute_url(),
                readers=readers[one.partnership_id],
            )


def _terms_for(user: User, ids: list[int]) -> QuerySet[TermsVersion, int]:
    return TermsVersion.objects.visible_to(user).filter(among("pk", ids)).values_list("pk", flat=True)


def _objectives(ids: Collection[int]) -> Iterable[Row]:
    found = list(Objective.objects.filter(pk__in=ids))
    readers = readers_by_routes(Partnership, INSIDE, {one.partnership_id for one in found})
    for one in found:
        yield Row(
            object_id=one.pk,
            kind="objective",
            title=one.text,
            text=joined(one.measure, one.status_reason),
            partnership_id=one.partnership_id,
            organisation_id=one.organisation_id,
            day=one.target_on,
            path=one.get_absolute_url(),
            readers=readers[one.partnership_id],
        )


def _objectives_for(user: User, ids: list[int]) -> QuerySet[Objective, int]:
    return Objective.objects.visible_to(user).filter(among("pk", ids)).values_list("pk", flat=True)


def _documents(ids: Collection[int]) -> Iterable[Row]:
    """With the text of their files.

    Titles alone of those that open only while data sharing is in force.
    """
    found = list(Document.objects.filter(pk__in=ids, removed_at=None))
    texts = texts_of_files(one.sha256 for one in found if not one.personal_data)
    readers = readers_by_routes(Partnership, (*INSIDE, *FORMER), {one.partnership_id for one in found})
    for one in found:
        text = "" if one.personal_data else texts.get(one.sha256, "")
        for place, part in enumerate(divided(joined(one.file_name, text))):
            yield Row(
                object_id=one.pk,
                part=str(place) if place else "",
                kind="document",
                title=one.title,
                text=part,
                partnership_id=one.partnership_id,
                organisation_id=one.added_for_id,
                day=one.added_at.date(),
                path=f"{reverse('agreements:documents', args=[one.partnership_id])}#document-{one.pk}",
                readers=readers[one.partnership_id],
            )


def _documents_for(user: User, ids: list[int]) -> QuerySet[Document, int]:
    return Document.objects.visible_to(user).filter(among("pk", ids)).values_list("pk", flat=True)


PARTNERSHIPS = Source(
    code="partnership",
    model=Partnership,
    kinds={"partnership": ("Partnership", "Partnerships")},
    read=_partnerships,
    check=by_record(_partnerships_for),
    follows={
        "agreements_partnership.id": ("pk",),
        "agreements_partnership_areas.partnership_id": ("pk",),
        # Parties of a working group's parent read its outline.
        _PARTIES: ("pk", "as_group__parent"),
        "organisations_organisation.id": ("parties__organisation",),
    },
)
TERMS = Source(
    code="terms",
    model=TermsVersion,
    kinds={"terms": ("Terms", "Terms")},
    read=_terms,
    check=by_record(_terms_for),
    follows={"agreements_termsversion.partnership_id": ("partnership",), _PARTIES: ("partnership",)},
)
OBJECTIVES = Source(
    code="objective",
    model=Objective,
    kinds={"objective": ("Objective", "Objectives")},
    read=_objectives,
    check=by_record(_objectives_for),
    follows={"agreements_objective.id": ("pk",), _PARTIES: ("partnership",)},
)
DOCUMENTS = Source(
    code="document",
    model=Document,
    kinds={"document": ("Document", "Documents")},
    read=_documents,
    check=by_record(_documents_for),
    follows={"agreements_document.id": ("pk",), _PARTIES: ("partnership",)},
)
