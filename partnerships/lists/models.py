"""Saved views of lists, people's default views and follows, and files of long lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse

from partnerships.agreements.models import PEOPLE_OF_PRESENT_PARTIES, Partnership
from partnerships.kit.addresses import page_address
from partnerships.kit.leased_jobs import LeasedJob
from partnerships.kit.lists import find_list
from partnerships.organisations.audience import Organisations, People, Route, visible_to
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

#: Who can read a view (docs/rights.md). These are its owner, and the people of the organisation or partnership that
#: shares it.
ROUTES: tuple[Route, ...] = (
    People("owner"),
    Organisations("organisation"),
    PEOPLE_OF_PRESENT_PARTIES,
)


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    """Filters for saved views by reader."""

    def visible_to(self, user: User | AnonymousUser) -> SavedViewQuerySet:
        """Return the person's own views, and views shared with one of their organisations or partnerships."""
        return self.filter(visible_to(SavedView, ROUTES, user))


class SavedView(models.Model):
    """Filters, columns and order of a list, saved under a name.

    A view stores no rows, so each reader sees the rows that they may read. `state` is checked when the view is saved.
    When it is opened, filters and columns that the list no longer has are ignored.
    """

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    kind = models.CharField(max_length=30, help_text="The name of the list.")
    name = models.CharField(max_length=100)
    state = models.JSONField(default=dict, help_text="The filters, columns, sorting, grouping and layout.")

    # The organisation or partnership with which the view is shared. If both are empty, only the owner can use it.
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name="shared with"
    )
    partnership = models.ForeignKey(Partnership, on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    created_at = models.DateTimeField()

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "kind", "name"],
                name="unique_saved_view_name_per_owner",
                violation_error_message="You already have a view with this name.",
            ),
            models.CheckConstraint(
                condition=Q(organisation=None) | Q(partnership=None), name="saved_view_has_at_most_one_audience"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "kind"], name="saved_view_organisation"),
            models.Index(fields=["partnership", "kind"], name="saved_view_partnership"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of the list as this view shows it."""
        definition = find_list(self.kind)
        return f"{reverse(definition.address)}?view={self.pk}" if definition else reverse("lists:views")

    @property
    def is_shared(self) -> bool:
        """Return whether people other than the owner can open the view."""
        return self.organisation_id is not None or self.partnership_id is not None

    def share_with(self, audience: Organisation | Partnership | None) -> None:
        """Save that an organisation or a partnership shares the view, or nobody if `audience` is None."""
        self.organisation = audience if isinstance(audience, Organisation) else None
        self.partnership = audience if isinstance(audience, Partnership) else None
        self.save(update_fields=["organisation", "partnership"])


class DefaultView(models.Model):
    """The view with which a list opens for one person."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="default_views")
    kind = models.CharField(max_length=30)
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="defaults")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "kind"], name="unique_default_view_per_list")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.person_id}"


class ListFile(LeasedJob):
    """A file of a long list, which a worker makes for one person. States: requested → made or failed.

    `error` is why the file could not be made, or "". The download is refused if the person's rights have changed since
    the file was made.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="list_files")
    kind = models.CharField(max_length=30)

    # What the person asked for.
    form = models.CharField(max_length=4, help_text="The format: csv, xlsx or ods.")
    #: The parameters of the list.
    query = models.TextField(blank=True)
    #: The line about the file in the log of exports.
    asked = models.TextField(blank=True)
    asked_at = models.DateTimeField()

    # What the worker made.
    made_at = models.DateTimeField(null=True, blank=True)
    #: A digest of the person's rights when the file was made. The download requires the same digest.
    holds = models.CharField(max_length=64, blank=True)
    #: The ids of the records in the file.
    rows = ArrayField(models.BigIntegerField(), null=True, blank=True, editable=False)
    content = models.BinaryField(null=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["asked_at"], name="list_file_waiting", condition=Q(made_at=None, error="")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(made_at=None) | Q(content__isnull=False), name="made_list_file_has_content"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}.{self.form} of {self.person_id}"

    def get_absolute_url(self) -> str:
        """Return the address of the page with the progress of the file and the download."""
        return page_address("lists:file", self.pk)

    @property
    def is_made(self) -> bool:
        """Return whether the worker has finished the file."""
        return self.made_at is not None

    @property
    def is_at_work(self) -> bool:
        """Return whether a worker is making the file, or will make it."""
        return not self.is_made and not self.error


class Follow(models.Model):
    """A subscription of one person to a view. The person is notified when rows enter or leave the view."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="followed_views")
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="followers")
    since = models.DateTimeField()
    #: The ids of the rows that the person could see in the view at `checked_at`. It is None before the first reading,
    #: so that the rows already in the view are not reported. It is also None after a reading of more than
    #: `services.MAX_ROWS` rows, or with filters that are no longer valid.
    members = ArrayField(models.BigIntegerField(), null=True, blank=True)
    #: When the view was last read.
    checked_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True, help_text="When we last recorded an email about the view.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "view"], name="unique_follow_per_view")]
        indexes = [models.Index(fields=["checked_at"], name="follow_checked")]

    def __str__(self) -> str:
        return f"{self.person_id} follows {self.view_id}"

    @property
    def is_unread(self) -> bool:
        """Return whether the last reading of the view failed, so that the person is not notified."""
        return self.checked_at is not None and self.members is None
