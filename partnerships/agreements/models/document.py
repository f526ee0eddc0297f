"""The documents of a partnership, and who may read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.agreements.models.choices import FORMER_STATUSES, PartyStatus
from partnerships.agreements.models.partnership import Partnership
from partnerships.agreements.models.party import Party
from partnerships.kit.addresses import page_address
from partnerships.organisations.holdings import Ids, id_is_among
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class DocumentQuerySet(models.QuerySet["Document"]):
    """Filters for documents by who may read them."""

    def visible_to(self, user: User | AnonymousUser) -> DocumentQuerySet:
        """Return the documents of partnerships in which the person's organisation takes part.

        People of a former party read the documents that were added before their organisation left. An invited
        organisation reads the terms, but no documents. Removed documents are hidden from everybody; an administrator
        restores them in Django admin.
        """
        if not (isinstance(user, User) and user.is_active):
            return self.none()
        was_party_then = Party.objects.left_after("added_at", user).filter(partnership=models.OuterRef("partnership"))
        takes_part = _is_in_partnerships(user, PartyStatus.ACCEPTED)
        was_party_when_added = _is_in_partnerships(user, *FORMER_STATUSES) & Q(models.Exists(was_party_then))
        return self.filter(takes_part | was_party_when_added, removed_at=None)


def _is_in_partnerships(user: User, *statuses: PartyStatus) -> Q:
    """Return a condition for documents of partnerships in which an organisation of the person has one of the statuses.

    While a page is made, the condition compares plain ids, so that PostgreSQL uses the index. With a subquery inside an
    OR, it would not.
    """
    has_status = Q(status__in=statuses)
    partnership_ids: Ids | None = Party.objects.remembered_partnership_ids(user, has_status)
    if partnership_ids is None:
        own_organisations = Organisation.objects.of_person(user)
        partnership_ids = Party.objects.filter(has_status, organisation__in=own_organisations).values("partnership")
    return id_is_among("partnership", partnership_ids)


@pghistory.track()
class Document(models.Model):
    """A file of a partnership. It is stored outside the web root and served by a view that checks rights."""

    partnership = models.ForeignKey(Partnership, on_delete=models.CASCADE, related_name="documents")
    title = models.CharField(max_length=200)

    # The file. Its name, type and size are those of the upload.
    file = models.FileField(upload_to="agreements/%Y/%m", max_length=300)
    file_name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(help_text="Size in bytes.")
    sha256 = models.CharField(max_length=64)

    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    added_for = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()
    #: A removed document keeps its row and its file, so that an administrator can restore it.
    removed_at = models.DateTimeField(null=True, blank=True)

    personal_data = models.BooleanField(
        default=False, help_text="It can be opened only while a signed data-sharing agreement is in force."
    )

    objects = DocumentQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Return the address of the file."""
        return page_address("agreements:document-download", self.partnership_id, self.pk)
