"""Posts of organisations, and the periods in which people hold them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Case, Exists, F, Func, OuterRef, Prefetch, Q, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from partnerships.agreements.models.partnership import Partnership
from partnerships.agreements.models.party import Party
from partnerships.kit.addresses import page_address
from partnerships.organisations.audience import Organisations, visible_to
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class PostRole(models.TextChoices):
    """The role of the holder of a post, for example lead or escalation contact."""

    LEAD = "lead", "Lead"
    DEPUTY = "deputy", "Deputy"
    SIGNATORY = "signatory", "Signatory"
    FINANCE = "finance", "Finance"
    NOMINATIONS = "nominations", "Nominations"
    PLANNING = "planning", "Planning"
    COMMUNICATIONS = "communications", "Communications"
    ESCALATION = "escalation", "Escalation"
    TEAM = "team", "Team"


#: Roles that several people may hold at the same time.
SHARED_ROLES = (PostRole.TEAM,)

#: Routes to the people of a post's own organisation. `PostQuerySet.visible_to` adds the people of its partners.
OWN_POSTS = (Organisations("organisation"),)


class PostQuerySet(models.QuerySet["Post"]):
    """Filters for posts by reader and by whether a post is open."""

    def visible_to(self, user: User | AnonymousUser) -> PostQuerySet:
        """Return posts that the person may see.

        People see all posts of their own organisations, even ended ones. They also see open posts of their partners,
        that is of organisations in the same live partnership. These are posts of the whole organisation, and posts in a
        partnership that both share.
        """
        shared_partnerships = Partnership.objects.live().with_party_of(user)
        partners = Party.objects.accepted().filter(partnership__in=shared_partnerships.values("pk"))
        takes_part = partners.filter(organisation=OuterRef("organisation"), partnership=OuterRef("partnership"))
        of_whole_organisation = Q(partnership=None, organisation__in=partners.values("organisation"))
        of_partners = of_whole_organisation | Q(Exists(takes_part))
        return self.filter(visible_to(Post, OWN_POSTS, user) | (Q(ended_on=None) & of_partners))

    def not_ended(self) -> PostQuerySet:
        """Return posts that have not ended."""
        return self.filter(ended_on=None)

    def in_use(self) -> PostQuerySet:
        """Return open posts, except in partnerships that are over or that the organisation has left."""
        takes_part = Party.objects.accepted().filter(
            organisation=OuterRef("organisation"), partnership=OuterRef("partnership")
        )
        in_live_partnership = Q(partnership__in=Partnership.objects.live().values("pk")) & Q(Exists(takes_part))
        return self.not_ended().filter(Q(partnership=None) | in_live_partnership)

    def vacant_on(self, day: dt.date) -> PostQuerySet:
        """Return posts in use that nobody holds on the day or takes up later.

        Teams are left out, because they may be empty.
        """
        present_or_future_holders = Holder.objects.current_or_future(day).filter(post=OuterRef("pk"))
        return self.in_use().exclude(role__in=SHARED_ROLES).filter(~Exists(present_or_future_holders))

    def for_listing(self) -> PostQuerySet:
        """Fetch the organisation and today's holders (`current_holders`), ordered by role.

        The order of roles is that of `PostRole`.
        """
        holders = Holder.objects.current().select_related("person").order_by("starts_on", "pk")
        role_order = Case(*(When(role=role, then=index) for index, role in enumerate(PostRole)))
        current_holders = Prefetch("holders", holders, to_attr="current_holders")
        return (
            self.select_related("organisation", "partnership")
            .prefetch_related(current_holders)  # type: ignore[no-redef]  # `Post` declares the attribute
            .order_by(role_order, "title", "pk")
        )


@pghistory.track()
class Post(models.Model):
    """A role in an organisation, or in one of its partnerships.

    A team may have several holders at a time, any other post at most one. The rows of former holders are kept. The next
    holder of a post takes over its subscriptions and signatures.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="posts")
    partnership = models.ForeignKey(
        Partnership,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="posts",
        help_text="Leave this empty for a post of the whole organisation.",
    )
    role = models.CharField(max_length=16, choices=PostRole)
    title = models.CharField(max_length=150, blank=True, help_text="For example, Head of housing strategy.")

    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    ended_on = models.DateField(null=True, blank=True, help_text="The post no longer exists from this day on.")

    objects = PostQuerySet.as_manager()

    if TYPE_CHECKING:
        #: Today's holders. Only set by `for_listing`.
        current_holders: list[Holder]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "partnership", "role", "title"],
                condition=Q(ended_on=None),
                nulls_distinct=False,
                name="unique_open_post_per_title",
                violation_error_message="There is already a post with this role and title. Enter another title.",
            ),
        ]
        indexes = [models.Index(fields=["partnership", "organisation", "role"], name="post_partnership")]

    def __str__(self) -> str:
        return self.title or self.get_role_display()

    def get_absolute_url(self) -> str:
        """Return the address of the post's page."""
        return page_address("agreements:post", self.pk)

    @property
    def role_and_title(self) -> str:
        """Return the role and the title, such as `Lead: Head of housing`, or only the role if there is no title."""
        return f"{self.get_role_display()}: {self.title}" if self.title else self.get_role_display()

    @property
    def scope(self) -> str:
        """Return the title of the partnership, or `the whole organisation`. Fetch `partnership` with the post."""
        return self.partnership.title if self.partnership else "the whole organisation"

    @property
    def is_shared(self) -> bool:
        """Return whether several people may hold the post at a time."""
        return self.role in SHARED_ROLES

    @property
    def is_ended(self) -> bool:
        """Return whether the post no longer exists."""
        return self.ended_on is not None


#: How many months we keep a holder's contact details after their time in the post.
CONTACT_RETENTION_MONTHS = 6
#: Columns with contact details.
CONTACT_FIELDS = ("name", "email", "phone", "working_days", "note")


class HolderQuerySet(models.QuerySet["Holder"]):
    """Filters for holders by day and by reader."""

    def current(self, day: dt.date | None = None) -> HolderQuerySet:
        """Return the holders on a day (by default today)."""
        day = day or timezone.localdate()
        return self.filter(Q(ends_on=None) | Q(ends_on__gt=day), starts_on__lte=day)

    def current_or_future(self, day: dt.date | None = None) -> HolderQuerySet:
        """Return the holders on a day (by default today) and all later holders, but no former holders."""
        return self.filter(Q(ends_on=None) | Q(ends_on__gt=day or timezone.localdate()))

    def visible_to(self, user: User | AnonymousUser) -> HolderQuerySet:
        """Return holders of the posts that the person may see.

        Only the organisation's own people see former and future holders.
        """
        own_posts = Post.objects.filter(visible_to(Post, OWN_POSTS, user))
        of_own_posts = Q(post__in=own_posts.values("pk"))
        of_visible_posts = Q(post__in=Post.objects.visible_to(user).values("pk"))
        holds_today = Q(pk__in=Holder.objects.current().values("pk"))
        return self.filter(of_own_posts | (holds_today & of_visible_posts))

    def clear_contacts(self) -> int:
        """Empty the contact details and the reason of these holders, and set `cleared_at`.

        Holders without details are left as they are. Returns how many holders changed.
        """
        columns = (*CONTACT_FIELDS, "reason")
        has_details = Q()
        for column in columns:
            has_details |= ~Q(**{column: ""})
        return self.filter(has_details).update(**dict.fromkeys(columns, ""), cleared_at=Now())


# The row history has no personal data, so that an erasure need not change it.
@pghistory.track(exclude=[*CONTACT_FIELDS])
class Holder(models.Model):
    """A person's time in a post, from `starts_on` up to but not including `ends_on`.

    The holder is a `person` who acts for the organisation, or a contact without an account, who has a `name` instead.
    The row is kept when the time ends. `CONTACT_RETENTION_MONTHS` later, a job empties the contact details.
    """

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="holders")

    # Who holds the post, and how to reach them.
    person = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="posts_held")
    name = models.CharField(max_length=150, blank=True, help_text="For a contact without an account.")
    email = models.EmailField(
        max_length=254, blank=True, help_text="For a person with an account: a different address for partners to use."
    )
    phone = models.CharField(max_length=40, blank=True)
    working_days = models.CharField(max_length=100, blank=True, help_text="For example, Monday to Wednesday.")
    note = models.CharField(max_length=300, blank=True, help_text="For example, call before noon.")

    # From when until when.
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    is_alone = models.BooleanField(default=True, help_text="Whether a post with this role has one holder at a time.")

    reason = models.CharField(max_length=300, blank=True, help_text="Why the person took or gave up the post.")
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    added_at = models.DateTimeField()
    cleared_at = models.DateTimeField(
        null=True, blank=True, help_text="When the contact details were deleted, on request or because of their age."
    )

    objects = HolderQuerySet.as_manager()

    class Meta:
        verbose_name = "holder of a post"
        verbose_name_plural = "holders of posts"
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=False) | ~Q(name="") | Q(cleared_at__isnull=False),
                name="holder_has_person_or_name",
                violation_error_message="Choose a person or enter a name.",
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="holder_does_not_end_before_start"
            ),
            models.UniqueConstraint(
                fields=["post", "person"], condition=Q(ends_on=None), name="unique_current_holder_per_person"
            ),
            # The id of the post is compared as a range too. To compare a plain number, such a constraint would need
            # the extension btree_gist.
            ExclusionConstraint(
                name="post_holders_do_not_overlap",
                expressions=[
                    (
                        Func(F("post_id"), F("post_id"), Value("[]"), function="int8range"),
                        RangeOperators.OVERLAPS,
                    ),
                    (Func(F("starts_on"), F("ends_on"), function="daterange"), RangeOperators.OVERLAPS),
                ],
                condition=Q(is_alone=True),
                violation_error_message="Another person holds this post on some of these days. Choose other days.",
            ),
        ]
        indexes = [models.Index(fields=["person", "post"], name="holder_person")]

    def __str__(self) -> str:
        return f"Holder {self.pk} of post {self.post_id}"

    def get_absolute_url(self) -> str:
        """Return the address of the page of the post."""
        return page_address("agreements:post", self.post_id)

    @property
    def display_name(self) -> str:
        """Return the name to show. Fetch `person` with the holder."""
        if self.person is not None:
            return self.person.display_name
        return self.name or "a former contact"

    @property
    def contact_email(self) -> str:
        """Return the address entered for this post or, if there is none, the address of the person's account."""
        if self.email or self.person is None:
            return self.email
        if self.person.erased_at or self.cleared_at:
            return ""
        return self.person.email

    @property
    def phone_digits(self) -> str:
        """Return the phone number for a `tel:` link: only its digits and plus sign."""
        return "".join(character for character in self.phone if character in "+0123456789")
