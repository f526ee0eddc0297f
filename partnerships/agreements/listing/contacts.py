"""The list of contacts, which are today's holders of posts.

Contacts have the same readers as posts (docs/rights.md): people of the same organisation, and partners in the
partnerships that both share.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Case, F, Q, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import NullIf

from partnerships.agreements.columns import partnership_column
from partnerships.agreements.listing.within import RecordFilterForm
from partnerships.agreements.models import Holder, HolderQuerySet, PostRole
from partnerships.kit import lists
from partnerships.kit.lists import Column, ListDefinition
from partnerships.organisations.columns import present_organisation_column
from partnerships.organisations.lineage import organisation_ids_by_name
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

_NO_ACCOUNT = Q(person=None)
_ERASED = Q(person__erased_at__isnull=False)


def _name(_user: User) -> Combinable:
    """Return the name that the list shows, in SQL: NULL for erased people and for contacts without a name."""
    return Case(
        When(_ERASED, then=Value(None)),
        When(_NO_ACCOUNT, then=NullIf(F("name"), Value(""))),
        default=NullIf(F("person__name"), Value("")),
        output_field=TextField(),
    )


def _email(_user: User) -> Combinable:
    """Return the address that the list shows, in SQL. Change `Holder.contact_email` in the same way."""
    return Case(
        When(~Q(email=""), then=F("email")),
        When(_NO_ACCOUNT | _ERASED | Q(cleared_at__isnull=False), then=Value(None)),
        default=F("person__email"),
        output_field=TextField(),
    )


def _readable(user: User) -> HolderQuerySet:
    """Return today's holders of posts. The page of a post shows former and future holders."""
    return Holder.objects.visible_to(user).current().select_related("person", "post__organisation", "post__partnership")


def _rows(user: User, chosen: Mapping[str, Any]) -> HolderQuerySet:
    """Return the holders that match the filters."""
    rows = _readable(user)
    if chosen.get("mine"):
        rows = rows.filter(post__organisation__in=Organisation.objects.of_person(user).values("pk"))
    if chosen.get("partnership"):
        rows = rows.filter(post__partnership=chosen["partnership"])
    if chosen.get("q"):
        search_text = chosen["q"]
        # Search the name and address as the list shows them, so that nobody finds a person by hidden data.
        rows = rows.alias(listed_name=_name(user), listed_email=_email(user))
        rows = rows.filter(
            Q(listed_name__icontains=search_text)
            | Q(listed_email__icontains=search_text)
            | Q(post__organisation__in=organisation_ids_by_name(search_text))
        )
    return rows


CONTACTS = ListDefinition(
    slug="contacts",
    title="Contacts",
    one="contact",
    address="agreements:contacts",
    columns=(
        Column(
            name="name",
            label="Name",
            value=lambda row: row.display_name,
            key=_name,
            href=Holder.get_absolute_url,
            covered="q",
        ),
        Column(
            name="role",
            label="Role",
            kind=lists.Kind.CHOICE,
            value=lambda row: row.post.get_role_display(),
            key="post__role",
            choices=lambda: PostRole.choices,
            is_nullable=False,
            is_grouped=True,
        ),
        present_organisation_column(
            name="organisation",
            label="Organisation",
            value=lambda row: row.post.organisation.name,
            organisation_path="post__organisation",
            href=lambda row: row.post.organisation.get_absolute_url(),
            is_nullable=False,
        ),
        partnership_column("post.partnership"),
        Column(name="email", label="Email", value=lambda row: row.contact_email or None, key=_email),
        Column(name="phone", label="Phone", value=lambda row: row.phone or None),
        Column(
            name="title",
            label="Title of the post",
            value=lambda row: row.post.title or None,
            key="post__title",
            is_shown=False,
        ),
        Column(
            name="working_days",
            label="Working days",
            value=lambda row: row.working_days or None,
            is_shown=False,
        ),
        Column(name="note", label="Note", value=lambda row: row.note or None, is_shown=False),
        Column(
            name="since",
            label="In post since",
            kind=lists.Kind.DAY,
            value=lambda row: row.starts_on,
            key="starts_on",
            is_nullable=False,
            is_shown=False,
        ),
    ),
    rows=_rows,
    readable=_readable,
    form=lambda parameters, user: RecordFilterForm(parameters, user=user, search_label="Name, email or organisation"),
    sort=lambda _chosen: "name",
    template="agreements/contacts.html",
    empty=("No contacts yet", "People who hold a post in your organisations and partnerships appear here."),
    followed=lambda row: row.post.partnership or row.post.organisation,
    follow_words="Follow their partnerships or organisations",
)
