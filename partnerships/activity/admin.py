"""Read-only admin pages for the activity log and exports. They hide the texts of partners."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from partnerships.activity.event_kinds import event_labels
from partnerships.activity.models import Event, Export
from partnerships.kit.administration import ReadOnlyAdmin


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The activity log. `data` is left out, because it may contain text that only partners may read."""

    fields = (
        "at",
        "actor_id",
        "organisation_id",
        "label",
        "kind",
        "target_kind",
        "target_id",
        "within_kind",
        "within_id",
    )
    list_display = ("at", "label", "target_kind", "target_id", "actor_id", "organisation_id")
    list_filter = ("target_kind", "at")
    search_fields = ("kind", "=target_id", "=actor_id")
    ordering = ("-at", "-pk")
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        """Return Django's results, and events whose label contains the search text."""
        events, has_duplicates = super().get_search_results(request, queryset, search_term)
        text = search_term.strip().lower()
        matching_codes = [code for code, label in event_labels().items() if text and text in label.lower()]
        if matching_codes:
            events |= queryset.filter(kind__in=matching_codes)
        return events, has_duplicates

    @admin.display(description="What happened", ordering="kind")
    def label(self, event: Event) -> str:
        """Return the label of the event's kind."""
        return event.label


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    """Exports to files. As in all logs, people appear by their id."""

    list_display = ("at", "what", "asked", "record_id", "rows", "actor_id", "seen_as_id")
    list_filter = ("what", "at")
    search_fields = ("=actor_id", "=record_id", "asked")
    ordering = ("-at", "-pk")
    show_full_result_count = False
