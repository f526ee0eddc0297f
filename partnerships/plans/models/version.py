"""Published versions of plans, which never change, and their drafts and attached files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pghistory
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import FORMER_STATUSES, PartyStatus
from partnerships.documents import add_missing_fields
from partnerships.documents import models as documents
from partnerships.kit.addresses import page_address
from partnerships.organisations.audience import Everybody, Network, visible_to
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.content import PLAN
from partnerships.plans.models.owning import PastPartnership
from partnerships.plans.models.plan import Plan, PlanOwner
from partnerships.plans.models.projection import of_newest_version
from partnerships.plans.models.routes import inside_routes
from partnerships.plans.models.states import WIDER_THAN_OWNERS, WIDER_THAN_PARTNERSHIP, Audience

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class ContentField(models.JSONField):
    """The content of a plan, as JSON.

    Versions never change, so content stored before a field existed gets that field, empty, when it is read.
    """

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Return the content with every field of today's schema."""
        content = super().from_db_value(value, expression, connection)
        return add_missing_fields(PLAN, content) if isinstance(content, dict) and "sites" in content else content

    def deconstruct(self) -> Any:
        """Return a plain `JSONField`, so that migrations do not import this class."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs


class VersionQuerySet(models.QuerySet["Version"]):
    """Filters for versions by reader."""

    def visible_to(self, user: User | AnonymousUser) -> VersionQuerySet:
        """Return published versions that the person may read.

        Only owners read versions under embargo. Organisations that left a plan read the versions from before the
        day on which they left.
        """
        now = timezone.now()
        has_no_embargo = Q(embargo_until=None) | Q(embargo_until__lte=now)
        network = Network(when=Q(current_number__gt=0, audience__in=WIDER_THAN_PARTNERSHIP))
        present_plans = Plan.objects.filter(visible_to(Plan, (*inside_routes(now), network), user))
        # `Everybody` represents several people at once. They have left different plans, so only the routes can apply.
        if isinstance(user, Everybody):
            return self.filter(has_no_embargo, present_plans.contains_outer_plan())
        if not user.is_authenticated:
            return self.filter(has_no_embargo, Plan.objects.public().contains_outer_plan())
        is_owner = Q(Plan.objects.owned_by_organisations_of(user).contains_outer_plan())
        is_present_reader = Q(present_plans.contains_outer_plan())
        return self.filter(is_owner | (has_no_embargo & (is_present_reader | self._readable_after_leaving(user))))

    def _readable_after_leaving(self, user: User) -> Q:
        """Return the condition that the person's organisations could read a version before they left the plan.

        An organisation left as a party, as an owner, or because the plan left a partnership to which the organisation
        belongs. It may still read the versions that it could read by then.
        """
        own_organisations = Organisation.objects.of_person(user).values("pk")

        versions = self.model._default_manager.alias(readable_from=Coalesce("embargo_until", "published_at"))
        left_as_party = versions.filter(
            plan__partnership__parties__organisation__in=own_organisations,
            plan__partnership__parties__status__in=FORMER_STATUSES,
            readable_from__lte=F("plan__partnership__parties__left_at"),
        ).exclude(plan__audience=Audience.OWNERS)

        # Owners read versions under embargo, so they read a version from its publication.
        ownerships = PlanOwner.ever.filter(organisation__in=own_organisations, plan=OuterRef("plan"))
        left_as_owner = Exists(ownerships.filter(ended_at__gte=OuterRef("published_at")))

        readable_from = Coalesce(OuterRef("embargo_until"), OuterRef("published_at"))
        past_partnerships = PastPartnership.objects.filter(audience__in=WIDER_THAN_OWNERS, plan=OuterRef("plan"))
        plan_left_partnership = past_partnerships.filter(
            Q(partnership__parties__status=PartyStatus.ACCEPTED)
            | Q(partnership__parties__status__in=FORMER_STATUSES, partnership__parties__left_at__gte=readable_from),
            partnership__parties__organisation__in=own_organisations,
            left_at__gte=readable_from,
        )
        return Q(pk__in=left_as_party.values("pk")) | Q(left_as_owner) | Q(Exists(plan_left_partnership))

    def without_content(self) -> VersionQuerySet:
        """Defer content and prose, which may be megabytes and which lists do not show."""
        return self.defer("content", "prose")


class Version(documents.Version):
    """A published version of a plan, with a number and a note. `plans.content` describes the fields of its content."""

    content = ContentField()
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    title = models.CharField(max_length=200)
    #: A summary and the numbers of homes, sites and changes, by reading class, so that lists need no content.
    figures = models.JSONField(default=dict)
    #: Whether the signatures on earlier versions still count.
    minor = models.BooleanField(default=False)
    embargo_until = models.DateTimeField(null=True, blank=True)
    source = models.CharField(
        max_length=300, blank=True, help_text="The published file from which the version was imported."
    )

    objects = VersionQuerySet.as_manager()

    class Meta(documents.Version.Meta):
        constraints = [
            # Two people who publish at the same moment cannot both get the next number.
            models.UniqueConstraint(fields=["plan", "number"], name="unique_version_number_per_plan"),
            models.CheckConstraint(condition=Q(number__gt=0), name="version_number_positive"),
        ]
        indexes = [models.Index(fields=["-published_at", "-id"], name="version_published")]

    def __str__(self) -> str:
        return f"{self.title}, version {self.number}"

    def get_absolute_url(self) -> str:
        """Return the page of this version."""
        return page_address("plans:version", self.plan_id, self.number)

    @property
    def is_under_embargo(self) -> bool:
        """Return whether only owners may read the version for now."""
        return self.embargo_until is not None and self.embargo_until > timezone.now()


@pghistory.track(exclude=["content", "pieces", "prose", "prose_rules"])
class Draft(documents.Draft):
    """The next version of a plan, which editors are writing.

    The content is None until it is changed. The draft then has the content of version `based_on`.
    """

    content = ContentField(null=True)
    plan = models.OneToOneField(Plan, on_delete=models.CASCADE, related_name="draft")
    based_on = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"Draft of {self.plan_id}"


class PlanDocumentQuerySet(models.QuerySet["Document"]):
    """Filters for documents by who may read them."""

    def listed_for(self, user: User | AnonymousUser) -> PlanDocumentQuerySet:
        """Return the documents of newest versions that the person may read.

        Restricted documents are included only for readers inside.
        """
        return self.filter(of_newest_version(user, "restricted"), in_newest=True)


@pghistory.track(exclude=["title", "restricted", "in_newest"])
class Document(models.Model):
    """The file of a document in a plan's content. The file has the same key as the document.

    People may read the file if they may read a version or a draft that lists the document.
    """

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="documents")
    key = models.CharField(max_length=100)

    file = models.FileField(upload_to="plans/%Y/%m", max_length=300)
    file_name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(help_text="Size in bytes.")
    sha256 = models.CharField(max_length=64)

    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    added_at = models.DateTimeField()

    # Copies from the newest version, for lists. `in_newest` says whether that version lists the document. The database
    # has the defaults too, because a server that still runs the previous release writes rows without these columns.
    title = models.CharField(max_length=500, blank=True, default="", db_default="")
    restricted = models.BooleanField(default=False, db_default=False)
    in_newest = models.BooleanField(default=False, db_default=False)

    objects = PlanDocumentQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "key"], name="unique_document_key_per_plan")]
        indexes = [
            models.Index(fields=["added_at", "id"], name="plan_document_in_order", condition=Q(in_newest=True)),
        ]

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        """Return the address of the file."""
        return reverse("plans:document", kwargs={"pk": self.plan_id, "key": self.key})
