"""The list of documents in plans.

Documents of partnerships have their own list: `agreements/listing/documents.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from partnerships.agreements.columns import ADDED, ADDED_BY, FILE_SIZE
from partnerships.kit import lists
from partnerships.kit.lists import Column, ListDefinition
from partnerships.people.models import User
from partnerships.plans.listing.pieces import PLAN, PieceFilterForm, matches_filters
from partnerships.plans.models import Document, PlanDocumentQuerySet


def _readable(user: User) -> PlanDocumentQuerySet:
    """Return every document of a plan that the person may read."""
    return Document.objects.listed_for(user).select_related("plan", "added_by")


def _rows(user: User, filters: Mapping[str, Any]) -> PlanDocumentQuerySet:
    """Return the documents that match the filters."""
    return _readable(user).filter(matches_filters(user, filters, "title", "file_name"))


def _form(parameters: Any, user: User) -> PieceFilterForm:
    """Return the filters. Documents are searched by title and file name, not by a name."""
    form = PieceFilterForm(parameters, user=user)
    form.fields["q"].label = "Title or file name"
    return form


DOCUMENTS = ListDefinition(
    slug="plan-documents",
    title="Plan documents",
    one="document",
    address="plans:documents",
    columns=(
        Column(
            name="title",
            label="Document",
            value=lambda row: row.title,
            href=Document.get_absolute_url,
            covered="q",
            is_nullable=False,
        ),
        PLAN,
        ADDED,
        ADDED_BY,
        Column(
            name="restricted",
            label="Only for partners",
            kind=lists.Kind.FLAG,
            value=lambda row: row.restricted,
            words=lambda row: "Only for partners" if row.restricted else "",
            tag=lambda _row: "restricted",
            is_nullable=False,
        ),
        Column(name="file_name", label="File name", value=lambda row: row.file_name, covered="q", is_nullable=False),
        FILE_SIZE,
    ),
    rows=_rows,
    readable=_readable,
    form=_form,
    sort=lambda _chosen: "-added",
    is_in_order=True,
    template="plans/rows.html",
    followed=lambda row: row.plan,
    follow_words="Follow their plans",
    empty=("No documents yet", "Documents of published plans appear here."),
)
