"""Plans in Django admin.

Administrators edit the kinds of plan and their starters. They can only read plans, and not their contents, which may be
restricted.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from partnerships.kit.administration import (
    NothingAdded,
    NothingDeleted,
    ReadOnly,
    ReadOnlyInline,
    RowHistory,
    VocabularyAdmin,
)
from partnerships.plans.models import Plan, PlanKind, PlanOwner, SignOff, StarterPart, Version

#: The lookups that filters on these pages use, such as "year" in `published_at__year`. "" is the field alone.
ALLOWED_LOOKUPS = frozenset({"", "exact", "isnull", "gte", "lt", "year", "month", "day"})


class PlanRecordAdmin(ReadOnly, admin.ModelAdmin[Any]):
    """Read-only pages, because only the services change plans."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow only lookups by the filters on the page.

        With other lookups, such as `content__contains`, an administrator could guess restricted text bit by bit.
        """
        name, _, comparison = lookup.partition("__")
        filter_fields = [field[0] if isinstance(field, tuple) else field for field in self.list_filter]
        allowed_names = {str(field) for field in (*filter_fields, self.date_hierarchy) if isinstance(field, str)}
        return name in allowed_names and comparison in ALLOWED_LOOKUPS


class StarterPartInline(NothingDeleted, admin.TabularInline[StarterPart, PlanKind]):
    """The parts with which a new plan of a kind begins."""

    model = StarterPart
    extra = 0
    show_change_link = True
    fields = ("part", "title", "note", "likelihood", "impact", "position", "active")
    ordering = ("part", "position", "pk")


@admin.register(PlanKind)
class PlanKindAdmin(VocabularyAdmin):
    """Kinds of plan with their starters. A kind can be retired, but not deleted."""

    fields = (("label", "code"), ("position", "active"))
    inlines = (StarterPartInline,)


@admin.register(StarterPart)
class StarterPartAdmin(RowHistory, NothingAdded, NothingDeleted, admin.ModelAdmin[StarterPart]):
    """Starter parts of all kinds. New parts are added on the page of their kind."""

    fields = ("kind", "part", "title", "note", ("likelihood", "impact"), ("position", "active"))
    readonly_fields = ("kind",)
    list_display = ("title", "kind", "part", "position", "active")
    list_filter = ("active", "kind", "part")
    search_fields = ("title", "note")
    ordering = ("kind__position", "part", "position", "pk")


class OwnerInline(ReadOnlyInline):
    """The owners of a plan, which leads change on the plan's page."""

    model = PlanOwner
    fields = ("organisation", "began_at", "ended_at", "ended_because")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanOwner]:
        """Return present and former owners."""
        return PlanOwner.ever.order_by("pk")


@admin.register(Plan)
class PlanAdmin(PlanRecordAdmin):
    """Published plans, with present and former owners."""

    list_display = ("title", "kind", "status", "audience", "partnership", "current_number", "last_published_at")
    list_filter = (("kind", admin.ChoicesFieldListFilter), "status", "audience")
    search_fields = ("title", "external_reference", "owners__organisation__name")
    list_select_related = ("partnership",)
    ordering = ("-pk",)
    inlines = (OwnerInline,)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return published plans only, because drafts are confidential."""
        return super().get_queryset(request).filter(current_number__gt=0)


@admin.register(Version)
class VersionAdmin(PlanRecordAdmin):
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
        """Return the versions without their contents, which may be restricted."""
        return super().get_queryset(request).defer("content", "prose", "figures")


@admin.register(SignOff)
class SignOffAdmin(PlanRecordAdmin):
    """Decisions on versions."""

    list_display = ("plan", "version_number", "organisation", "person", "decision", "signed_at")
    list_filter = ("decision",)
    search_fields = ("plan__title", "organisation__name", "person__name")
    list_select_related = ("plan", "version", "organisation", "person")
    fields = ("plan", "organisation", "person", "role", "decision", "signed_at")
    ordering = ("-signed_at", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the decisions without the contents of their versions, which may be restricted."""
        return super().get_queryset(request).defer("version__content", "version__prose")

    @admin.display(description="version", ordering="version__number")
    def version_number(self, obj: SignOff) -> int:
        """Return the number of the version decided on."""
        return obj.version.number
