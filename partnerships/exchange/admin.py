"""Read-only admin pages for asks and offers, without the text that partners wrote, and the page of their themes."""

from __future__ import annotations

from django.contrib import admin

from partnerships.exchange.models import AnswerGroup, Entry, EntryFacilitator, Theme
from partnerships.kit.administration import ReadOnlyAdmin, VocabularyAdmin


@admin.register(Theme)
class ThemeAdmin(VocabularyAdmin):
    """Themes of asks, offers and conversations: retired, never deleted."""

    fields = ("label", "code", "units", "position", "active")


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    """A read-only list of entries without restricted text (docs/rights.md)."""

    restricted = ("title", "statement", "rationale", "conditions", "private_note", "reason", "site")
    fields = (
        "direction",
        "organisation",
        "theme",
        "audience",
        "status",
        "is_open",
        "standing",
        "quantity",
        "unit",
        "agreed_quantity",
        "closes_on",
        "created_at",
        "shared_at",
        "answered_at",
        "closed_at",
        "matched_at",
    )
    list_display = ("pk", "direction", "organisation", "theme", "audience", "status", "closes_on", "shared_at")
    list_filter = ("direction", ("theme", admin.ChoicesFieldListFilter), "audience", "status", "standing")
    list_select_related = ("organisation",)
    search_fields = ("=pk", "organisation__name")
    ordering = ("-pk",)
    show_full_result_count = False


@admin.register(AnswerGroup)
class AnswerGroupAdmin(ReadOnlyAdmin):
    """Shows which working group was started from which answer; read-only."""

    list_display = ("pk", "response", "partnership")
    list_select_related = ("response", "partnership")
    ordering = ("-pk",)
    fields = ("response", "partnership")


@admin.register(EntryFacilitator)
class EntryFacilitatorAdmin(ReadOnlyAdmin):
    """Shows the facilitators of asks and offers; read-only."""

    list_display = ("pk", "entry", "person", "organisation", "named_at", "ended_at")
    list_select_related = ("entry", "person", "organisation")
    ordering = ("-pk",)
    fields = ("entry", "person", "organisation", "named_by", "named_at", "ended_by", "ended_at", "end_reason")
