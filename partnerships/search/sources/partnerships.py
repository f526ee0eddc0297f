"""Index rows of partnerships and of their terms, objectives and documents."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.urls import reverse

from partnerships.agreements.models import Document, Objective, Partnership, Party, TermsVersion
from partnerships.agreements.models.partnership import ALL_READERS, FORMER_READERS, FULL_READERS
from partnerships.organisations.holdings import id_is_among
from partnerships.people.models import User
from partnerships.search.entries import EntryRow, joined_lines, parts_of_text
from partnerships.search.sources.source import KindNames, Source, check_by_record, readers_by_routes
from partnerships.search.sources.texts import texts_in_content, texts_of_files

#: A change of a party can change the readers of the records of its partnership.
_PARTIES = "agreements_party.partnership_id"


def _partnership_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield a row for the outline of each partnership, with the names of its present parties."""
    readers = readers_by_routes(Partnership, ALL_READERS, ids)
    present = Prefetch("parties", Party.objects.accepted().select_related("organisation"), to_attr="partners")
    for partnership in Partnership.objects.filter(pk__in=ids).select_related("kind").prefetch_related("areas", present):
        partners: list[Party] = partnership.partners  # type: ignore[attr-defined]  # prefetched
        yield EntryRow(
            object_id=partnership.pk,
            kind="partnership",
            title=partnership.title,
            text=joined_lines(
                partnership.purpose,
                str(partnership.kind),
                ", ".join(sorted(party.organisation.name for party in partners)),
                ", ".join(sorted(area.name for area in partnership.areas.all())),
            ),
            partnership_id=partnership.pk,
            day=partnership.starts_on,
            path=partnership.get_absolute_url(),
            readers=readers[partnership.pk],
        )


def _readable_partnerships(user: User, ids: list[int]) -> QuerySet[Partnership, int]:
    """Return the ids of the partnerships that the person may read as they are today.

    Former parties are left out, as the words may have changed since they left (see `queries.former_records`).
    """
    return Partnership.objects.visible_today_to(user).filter(id_is_among("pk", ids)).values_list("pk", flat=True)


def _terms_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield the rows of each partnership's newest terms. Long terms are divided into several rows."""
    later = TermsVersion.objects.filter(partnership=OuterRef("partnership"), number__gt=OuterRef("number"))
    newest_versions = list(TermsVersion.objects.filter(~Exists(later), pk__in=ids).defer("prose", "declarations"))
    partnership_ids = {version.partnership_id for version in newest_versions}
    readers = readers_by_routes(Partnership, (*FULL_READERS, *FORMER_READERS), partnership_ids)
    for version in newest_versions:
        for index, text in enumerate(parts_of_text("\n".join(texts_in_content(version.content)))):
            yield EntryRow(
                object_id=version.pk,
                part=str(index) if index else "",
                kind="terms",
                title=f"Terms of {version.title}",
                text=text,
                partnership_id=version.partnership_id,
                day=version.published_at.date(),
                path=version.get_absolute_url(),
                readers=readers[version.partnership_id],
            )


def _readable_terms(user: User, ids: list[int]) -> QuerySet[TermsVersion, int]:
    """Return the ids of the versions that the person may read."""
    return TermsVersion.objects.visible_to(user).filter(id_is_among("pk", ids)).values_list("pk", flat=True)


def _objective_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield a row for each objective."""
    objectives = list(Objective.objects.filter(pk__in=ids))
    readers = readers_by_routes(Partnership, FULL_READERS, {objective.partnership_id for objective in objectives})
    for objective in objectives:
        yield EntryRow(
            object_id=objective.pk,
            kind="objective",
            title=objective.text,
            text=joined_lines(objective.measure, objective.status_reason),
            partnership_id=objective.partnership_id,
            organisation_id=objective.organisation_id,
            day=objective.target_on,
            path=objective.get_absolute_url(),
            readers=readers[objective.partnership_id],
        )


def _readable_objectives(user: User, ids: list[int]) -> QuerySet[Objective, int]:
    """Return the ids of the objectives that the person may read."""
    return Objective.objects.visible_to(user).filter(id_is_among("pk", ids)).values_list("pk", flat=True)


def _document_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield the rows of documents, with the text of their files.

    Documents with personal data are indexed without text, as people may open them only while a data-sharing agreement
    is in force.
    """
    documents = list(Document.objects.filter(pk__in=ids, removed_at=None))
    text_by_sha256 = texts_of_files(document.sha256 for document in documents if not document.personal_data)
    partnership_ids = {document.partnership_id for document in documents}
    readers = readers_by_routes(Partnership, (*FULL_READERS, *FORMER_READERS), partnership_ids)
    for document in documents:
        text = "" if document.personal_data else text_by_sha256.get(document.sha256, "")
        for index, piece in enumerate(parts_of_text(joined_lines(document.file_name, text))):
            yield EntryRow(
                object_id=document.pk,
                part=str(index) if index else "",
                kind="document",
                title=document.title,
                text=piece,
                partnership_id=document.partnership_id,
                organisation_id=document.added_for_id,
                day=document.added_at.date(),
                path=f"{reverse('agreements:documents', args=[document.partnership_id])}#document-{document.pk}",
                readers=readers[document.partnership_id],
            )


def _readable_documents(user: User, ids: list[int]) -> QuerySet[Document, int]:
    """Return the ids of the documents that the person may read."""
    return Document.objects.visible_to(user).filter(id_is_among("pk", ids)).values_list("pk", flat=True)


PARTNERSHIPS = Source(
    code="partnership",
    model=Partnership,
    kinds={"partnership": KindNames("Partnership", "Partnerships")},
    read=_partnership_rows,
    check=check_by_record(_readable_partnerships),
    follows={
        "agreements_partnership.id": ("pk",),
        "agreements_partnership_areas.partnership_id": ("pk",),
        # Parties of the parent partnership of a working group may read the working group's outline.
        _PARTIES: ("pk", "as_group__parent"),
        "organisations_organisation.id": ("parties__organisation",),
    },
)
TERMS = Source(
    code="terms",
    model=TermsVersion,
    kinds={"terms": KindNames("Terms", "Terms")},
    read=_terms_rows,
    check=check_by_record(_readable_terms),
    follows={"agreements_termsversion.partnership_id": ("partnership",), _PARTIES: ("partnership",)},
)
OBJECTIVES = Source(
    code="objective",
    model=Objective,
    kinds={"objective": KindNames("Objective", "Objectives")},
    read=_objective_rows,
    check=check_by_record(_readable_objectives),
    follows={"agreements_objective.id": ("pk",), _PARTIES: ("partnership",)},
)
DOCUMENTS = Source(
    code="document",
    model=Document,
    kinds={"document": KindNames("Document", "Documents")},
    read=_document_rows,
    check=check_by_record(_readable_documents),
    follows={"agreements_document.id": ("pk",), _PARTIES: ("partnership",)},
)
