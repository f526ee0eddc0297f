"""The list of documents in all partnerships."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.utils import timezone

from partnerships.agreements.columns import ADDED, ADDED_BY, FILE_SIZE, partnership_column
from partnerships.agreements.listing.within import RecordFilterForm
from partnerships.agreements.models import Document, DocumentQuerySet
from partnerships.kit import lists
from partnerships.kit.lists import Column, ListDefinition
from partnerships.organisations.columns import organisation_column
from partnerships.organisations.models import Organisation
from partnerships.organisations.naming import show_names_of_day
from partnerships.people.models import User


def _readable(user: User) -> DocumentQuerySet:
    """Return the documents that the user may see, with the related rows that the list shows."""
    return Document.objects.visible_to(user).select_related("partnership", "added_by", "added_for")


def _rows(user: User, chosen: Mapping[str, Any]) -> DocumentQuerySet:
    """Return the documents that match the filters."""
    rows = _readable(user)
    if chosen.get("mine"):
        rows = rows.filter(added_for__in=Organisation.objects.of_person(user).values("pk"))
    if chosen.get("partnership"):
        rows = rows.filter(partnership=chosen["partnership"])
    if chosen.get("q"):
        rows = rows.filter(Q(title__icontains=chosen["q"]) | Q(file_name__icontains=chosen["q"]))
    return rows


def _show_names_when_added(_user: User, rows: Sequence[Document]) -> None:
    """Show each organisation under the name that it had on the day on which the document was added."""
    show_names_of_day((timezone.localdate(row.added_at), row.added_for) for row in rows)


DOCUMENTS = ListDefinition(
    slug="documents",
    title="Documents",
    one="document",
    address="agreements:document-list",
    columns=(
        Column(
            name="title",
            label="Document",
            value=lambda row: row.title,
            href=Document.get_absolute_url,
            covered="q",
            is_nullable=False,
        ),
        partnership_column(),
        ADDED,
        organisation_column(
            name="organisation",
            label="Added by",
            value=lambda row: row.added_for.name if row.added_for else None,
            organisation_path="added_for",
            moment_path="added_at",
            ready=_show_names_when_added,
        ),
        ADDED_BY,
        Column(
            name="personal_data",
            label="Personal data",
            kind=lists.Kind.FLAG,
            value=lambda row: row.personal_data,
            words=lambda row: "Personal data" if row.personal_data else "",
            tag=lambda _row: "restricted",
            is_nullable=False,
        ),
        Column(
            name="file_name",
            label="File name",
            value=lambda row: row.file_name,
            covered="q",
            is_nullable=False,
            is_shown=False,
        ),
        FILE_SIZE,
    ),
    rows=_rows,
    readable=_readable,
    form=lambda parameters, user: RecordFilterForm(parameters, user=user, search_label="Title or file name"),
    sort=lambda _chosen: "-added",
    template="agreements/document_list.html",
    followed=lambda row: row.partnership,
    follow_words="Follow their partnerships",
    empty=("No documents yet", "Editors and leads add them on the page of a partnership."),
)
