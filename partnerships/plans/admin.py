"""Plans in Django admin: to look at, never to alter; what they say is restricted and is not shown here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from partnerships.plans.models import Plan, PlanOwner, SignOff, Version

#: What the offered filters ask.
COMPARISONS = frozenset({"", "exact", "isnull", "gte", "lt", "year", "month", "day"})


class ReadOnly(admin.ModelAdmin[Any]):
    """Services alone write here."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Filters offered on the page alone: others would answer questions about restricted text, letter by letter."""
        name, _, comparison = lookup.partition("__")
        offered = {str(field) for field in (*self.list_filter, self.date_hierarchy) if isinstance(field, str)}
        return name in offered and comparison in COMPARISONS

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes."""
        return False


class OwnerInline(admin.TabularInline[PlanOwner, Plan]):
    """Who owns a plan."""

    model = PlanOwner
    extra = 0
    can_delete = False
    fields = readonly_fields = ("organisation", "began_at", "ended_at", "ended_because")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanOwner]:
        """Present owners and those before them."""
        return PlanOwner.ever.order_by("pk")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Owners change on the plan's own page, by its leads."""
        return False


@admin.register(Plan)
class PlanAdmin(ReadOnly):
    """The register of plans."""

    list_display = ("title", "kind", "status", "audience", "partnership", "current_number", "last_published_at")
    list_filter = ("kind", "status", "audience")
    search_fields = ("title", "external_reference", "owners__organisation__name")
    list_select_related = ("partnership",)
    ordering = ("-pk",)
    inlines = (OwnerInline,)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Published plans and what they are called; drafts are the owners' own."""
        return super().get_queryset(request).filter(current_number__gt=0)


@admin.register(Version)
class VersionAdmin(ReadOnly):
    """Published versions, without their content: it may hold restricted text."""

    list_display = ("plan", "number", "title", "author", "organisation", "minor", "published_at", "embargo_until")
    list_filter = ("minor", "published_at")
    search_fields = ("title",)
    list_select_related = ("plan", "author", "organisation")
    fields = ("plan", "number", "title", "minor", "author", "organisation", "published_at", "source")
    ordering = ("-published_at", "-pk")
    date_hierarchy = "published_at"
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without contents."""
        return super().get_queryset(request).defer("content", "prose", "figures")


@admin.register(SignOff)
class SignOffAdmin(ReadOnly):
    """Decisions on versions."""

    list_display = ("plan", "version_number", "organisation", "person", "decision", "signed_at")
    list_filter = ("decision",)
    search_fields = ("plan__title", "organisation__name", "person__name")
    list_select_related = ("plan", "version", "organisation", "person")
    fields = ("plan", "organisation", "person", "role", "decision", "signed_at")
    ordering = ("-signed_at", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without contents."""
        return super().get_queryset(request).defer("version__content", "version__prose")

    @admin.display(description="version", ordering="version__number")
    def version_number(self, obj: SignOff) -> int:
        """The number of the version decided on."""
        return obj.version.number
