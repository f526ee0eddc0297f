"""Admin pages for partnerships. They hide the partners' texts (`restricted`), as docs/rights.md explains."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from partnerships.agreements.models import (
    CONTACT_FIELDS,
    DateChoice,
    DateReminder,
    Document,
    Holder,
    Notice,
    Objective,
    ObjectiveLink,
    ObjectiveProgress,
    Partnership,
    Party,
    Post,
)
from partnerships.agreements.models.groups import WorkingGroup
from partnerships.agreements.services import (
    UnableToChangePost,
    UnableToRestoreDocument,
    correct_holder,
    correct_post,
    restore_document,
)
from partnerships.kit.administration import (
    NothingAdded,
    NothingDeleted,
    ReadOnlyAdmin,
    ReadOnlyInline,
    RowHistory,
    ShowsRefusals,
)
from partnerships.kit.choice_fields import model_choice_field
from partnerships.organisations.queries import people_of
from partnerships.people.models import User


class PartyInline(ReadOnlyInline):
    """The parties of a partnership, on its page."""

    model = Party
    fields = ("organisation", "role", "status", "invited_at", "joined_on", "left_on")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Party]:
        """Fetch the organisations with the parties, because each row shows one."""
        return Party.objects.select_related("organisation")


@admin.register(Partnership)
class PartnershipAdmin(ReadOnlyAdmin):
    """Partnerships with their status, dates and parties, for a monitoring officer."""

    restricted = ("purpose", "terms_of_reference", "contribution", "annual_budget", "liabilities", "reports_to")
    fields = (
        "title",
        "kind",
        "status",
        "audience",
        "legally_binding",
        "starts_on",
        "review_on",
        "ends_on",
        "goes_on",
        "notice_days",
        "notice_ends_on",
        "areas",
        "redefines",
        "created_by",
        "created_at",
        "status_since",
    )
    list_display = ("title", "kind", "status", "audience", "starts_on", "review_on", "ends_on", "status_since")
    list_filter = ("status", "kind", "audience", ("review_on", admin.EmptyFieldListFilter), "review_on")
    search_fields = ("title", "parties__organisation__name")
    ordering = ("title", "pk")
    show_full_result_count = False
    inlines = (PartyInline,)


@admin.register(Party)
class PartyAdmin(ReadOnlyAdmin):
    """Parties of all partnerships, with their role and status."""

    restricted = ("reason",)
    fields = ("partnership", "organisation", "role", "status", "invited_at", "answered_at", "joined_on", "left_on")
    list_display = ("organisation", "partnership", "role", "status", "joined_on", "left_on")
    list_filter = ("status", "role")
    list_select_related = ("organisation", "partnership")
    search_fields = ("organisation__name", "partnership__title")
    ordering = ("partnership__title", "organisation__name", "pk")


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin):
    """Documents without their content. Administrators can restore a removed document."""

    restricted = ("file",)
    fields = (
        "partnership",
        "file_name",
        "content_type",
        "size",
        "sha256",
        "added_by",
        "added_for",
        "added_at",
        "removed_at",
    )
    list_display = ("file_name", "partnership", "added_for", "added_by", "added_at", "removed_at")
    list_filter = (("removed_at", admin.EmptyFieldListFilter), "content_type")
    list_select_related = ("partnership", "added_for", "added_by")
    search_fields = ("file_name", "partnership__title")
    ordering = ("-added_at", "-pk")
    actions = ("restore",)

    @admin.action(description="Restore documents", permissions=["view"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Document]) -> None:
        """Restore the chosen documents, and show a message for each."""
        assert isinstance(request.user, User)
        for document in queryset:
            try:
                restore_document(document=document, author=request.user, now=timezone.now())
            except UnableToRestoreDocument as error:
                messages.warning(request, f"{document.file_name}: {error}")
            else:
                messages.info(request, f"“{document.file_name}” has been restored.")


class HolderInline(ReadOnlyInline):
    """The holders of a post on its page, without their contact details."""

    model = Holder
    fields = ("person", "starts_on", "ends_on", "added_by", "added_at", "cleared_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Holder]:
        """Fetch the people with the holders, because each row shows two."""
        return Holder.objects.select_related("person", "added_by")


class PostAdminForm(forms.ModelForm[Post]):
    """Correct the title of a post, with a reason."""

    reason = forms.CharField(
        label="Reason",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Enter why you are correcting the title. Partners can read your reason in the history.",
    )

    class Meta:
        model = Post
        fields = ("title",)


@admin.register(Post)
class PostAdmin(ShowsRefusals, RowHistory, NothingAdded, NothingDeleted, admin.ModelAdmin[Post]):
    """Posts of organisations, with their holders. Administrators can correct the title."""

    form = PostAdminForm
    refusals = (UnableToChangePost,)
    fields = ("organisation", "partnership", "role", "title", "created_by", "created_at", "ended_on", "reason")
    readonly_fields = ("organisation", "partnership", "role", "created_by", "created_at", "ended_on")
    list_display = ("role", "title", "organisation", "partnership", "created_at", "ended_on")
    list_filter = ("role", ("ended_on", admin.EmptyFieldListFilter))
    list_select_related = ("organisation", "partnership")
    search_fields = ("title", "organisation__name", "partnership__title")
    ordering = ("organisation__name", "role", "pk")
    show_full_result_count = False
    inlines = (HolderInline,)

    def save_model(self, request: HttpRequest, obj: Post, form: Any, change: bool) -> None:
        """Correct the title through the service, which records the reason."""
        assert isinstance(request.user, User)
        # `obj` has the new title already, but the service compares it with the stored one.
        stored_post = Post.objects.get(pk=obj.pk)
        correct_post(
            post=stored_post,
            title=form.cleaned_data["title"],
            reason=form.cleaned_data["reason"],
            author=request.user,
            now=timezone.now(),
        )


class HolderAdminForm(forms.ModelForm[Holder]):
    """Correct who held a post, and on which days, with a reason."""

    #: Not `reason`, which is a field of the model.
    why = forms.CharField(
        label="Reason",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Enter why you are correcting who held the post. Partners can read your reason in the history.",
    )

    class Meta:
        model = Holder
        fields = ("person", "starts_on", "ends_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "person" not in self.fields:  # a contact without an account
            return
        field = model_choice_field(self, "person")
        # The holder stays on the list even if they no longer act for the organisation.
        current_holder = User.objects.filter(pk=self.instance.person_id or 0)
        field.queryset = people_of(self.instance.post.organisation) | current_holder
        field.required = True

    def _get_validation_exclusions(self) -> set[str]:
        """Exclude no column. Otherwise Django skips constraints that compare columns which are not on the form."""
        return set()


@admin.register(Holder)
class HolderAdmin(ShowsRefusals, RowHistory, NothingAdded, NothingDeleted, admin.ModelAdmin[Holder]):
    """Holders of posts and their days, without contact details. Administrators can correct person and days."""

    form = HolderAdminForm
    refusals = (UnableToChangePost,)
    restricted = (*CONTACT_FIELDS, "reason")
    fields = ("post", "person", "starts_on", "ends_on", "added_by", "added_at", "cleared_at", "why")
    readonly_fields = ("post", "added_by", "added_at", "cleared_at")
    list_display = ("post", "person", "starts_on", "ends_on", "cleared_at")
    list_filter = (("ends_on", admin.EmptyFieldListFilter), "post__role")
    list_select_related = ("post", "person")
    search_fields = ("post__organisation__name", "post__partnership__title")
    ordering = ("-starts_on", "-pk")
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Holder | None = None) -> tuple[str, ...]:
        """Make the person read-only too for a contact without an account."""
        names = tuple(super().get_readonly_fields(request, obj))
        return (*names, "person") if obj is None or obj.person_id is None else names

    def save_model(self, request: HttpRequest, obj: Holder, form: Any, change: bool) -> None:
        """Correct person and days through the service, which records the reason."""
        assert isinstance(request.user, User)
        data = form.cleaned_data
        # `obj` has the new values already, but the service compares them with the stored ones.
        stored_holder = Holder.objects.select_related("post").get(pk=obj.pk)
        correct_holder(
            holder=stored_holder,
            starts_on=data["starts_on"],
            ends_on=data["ends_on"],
            person=data.get("person"),
            reason=data["why"],
            author=request.user,
            now=timezone.now(),
        )


@admin.register(WorkingGroup)
class WorkingGroupAdmin(ReadOnlyAdmin):
    """Working groups, each with its partnership."""

    list_display = ("pk", "partnership", "parent", "outlives_parent")
    list_select_related = ("partnership", "parent")
    ordering = ("-pk",)
    fields = ("partnership", "parent", "outlives_parent")


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """Notices to leave a partnership, without their reasons."""

    restricted = ("reason", "withdrawn_because")
    fields = ("partnership", "organisation", "last_day", "ends_partnership", "given_at", "withdrawn_at", "done_at")
    list_display = ("organisation", "partnership", "last_day", "ends_partnership", "withdrawn_at", "done_at")
    list_filter = ("ends_partnership", ("withdrawn_at", admin.EmptyFieldListFilter))
    list_select_related = ("organisation", "partnership")
    search_fields = ("organisation__name", "partnership__title")
    ordering = ("-last_day", "-pk")


@admin.register(DateChoice)
class DateChoiceAdmin(ReadOnlyAdmin):
    """The dates about which each party wants reminders, and how many days before."""

    fields = ("party", "days", "dates")
    list_display = ("party", "days", "dates")
    list_select_related = ("party",)
    ordering = ("pk",)


@admin.register(DateReminder)
class DateReminderAdmin(ReadOnlyAdmin):
    """Reminders of dates that were sent."""

    fields = ("partnership", "person", "kind", "on", "days_before", "created_at")
    list_display = ("partnership", "person", "kind", "on", "days_before", "created_at")
    list_filter = ("kind",)
    list_select_related = ("partnership", "person")
    search_fields = ("partnership__title",)
    ordering = ("-on", "-pk")


@admin.register(Objective)
class ObjectiveAdmin(ReadOnlyAdmin):
    """Objectives, without their text and figures."""

    restricted = ("text", "measure", "unit", "baseline", "target", "status_reason")
    fields = ("partnership", "organisation", "owner", "baseline_on", "target_on", "position", "status", "created_at")
    list_display = ("pk", "partnership", "organisation", "target_on", "status")
    list_filter = ("status",)
    list_select_related = ("partnership", "organisation")
    search_fields = ("partnership__title",)
    ordering = ("-pk",)


@admin.register(ObjectiveProgress)
class ObjectiveProgressAdmin(ReadOnlyAdmin):
    """Reports of progress, without figures and notes."""

    restricted = ("figure", "note", "blocked_by")
    fields = ("objective", "on", "by", "organisation", "at")
    list_display = ("objective", "on", "by", "organisation", "at")
    list_select_related = ("objective", "by", "organisation")
    ordering = ("-at", "-pk")


@admin.register(ObjectiveLink)
class ObjectiveLinkAdmin(ReadOnlyAdmin):
    """Records that are linked to objectives."""

    fields = ("objective", "provider", "key", "linked_by", "linked_at")
    list_display = ("objective", "provider", "key", "linked_at")
    list_filter = ("provider",)
    ordering = ("-linked_at", "-pk")
