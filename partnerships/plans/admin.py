"""Plans in Django admin.

Read-only, and without contents, which may be restricted.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from partnerships.plans.models import Plan, PlanOwner, SignOff, Version

#: Lookups that the filters use.
COMPARISONS = frozenset({"", "exact", "isnull", "gte", "lt", "year", "month", "day"})


class ReadOnly(admin.ModelAdmin[Any]):
    """Read-only admin: only services write."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only the filters on the page.

        Others could reveal restricted text bit by bit.
        """
        name, _, comparison = lookup.partition("__")
        offered = {str(field) for field in (*self.list_filter, self.date_hierarchy) if isinstance(field, str)}
        return name in offered and comparison in COMPARISONS

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody may add."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody may change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody may delete."""
        return False


class OwnerInline(admin.TabularInline[PlanOwner, Plan]):
    """The owners of a plan."""

    model = PlanOwner
    extra = 0
    can_delete = False
    fields = readonly_fields = ("organisation", "began_at", "ended_at", "ended_because")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanOwner]:
        """Present and former owners."""
        return PlanOwner.ever.order_by("pk")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Leads change owners on the plan's page."""
        return False


@admin.register(Plan)
class PlanAdmin(ReadOnly):
    """Published plans."""

    list_display = ("title", "kind", "status", "audience", "partnership", "current_number", "last_published_at")
    list_filter = ("kind", "status", "audience")
    search_fields = ("title", "external_reference", "owners__organisation__name")
    list_select_related = ("partnership",)
    ordering = ("-pk",)
    inlines = (OwnerInline,)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Published plans only: drafts belong to their owners."""
        return super().get_queryset(request).filter(current_number__gt=0)


@admin.register(Version)
class VersionAdmin(ReadOnly):
    """Published versions, without contents."""

    list_display = ("plan", "number", "title", "author", "organisation", "minor", "published_at", "embargo_until")
    list_filter = ("minor", "published_at")
    search_fields = ("title",)
    list_select_related = ("plan", "author", "organisation")
    fields = ("plan", "number", "title", "minor", "author", "organisation", "published_at", "source")
    ordering = ("-published_at", "-pk")
    date_hierarchy = "published_at"
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without contents, which may be restricted."""
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
        """Without contents, which may be restricted."""
        return super().get_queryset(request).defer("version__content", "version__prose")

    @admin.display(description="version", ordering="version__number")
    def version_number(self, obj: SignOff) -> int:
        """The number of the version decided on."""
        return obj.version.number
