"""What happened, for administrators: who did what to which record, without the words that belong to the partners."""

from __future__ import annotations

from django.contrib import admin

from partnerships.activity.models import Event, Export
from partnerships.kit.administration import ReadOnlyAdmin


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The activity log; its data may hold titles and reasons that only partners may read."""

    fields = ("at", "actor_id", "organisation_id", "verb", "target_kind", "target_id", "within_kind", "within_id")
    list_display = ("at", "verb", "target_kind", "target_id", "actor_id", "organisation_id")
    list_filter = ("target_kind", "at")
    search_fields = ("verb", "=target_id", "=actor_id")
    ordering = ("-at", "-pk")
    show_full_result_count = False


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    """What left as a file, and through whom; people by number, as everywhere in the logs."""

    list_display = ("at", "what", "record_id", "rows", "actor_id", "seen_as_id")
    list_filter = ("what", "at")
    search_fields = ("=actor_id", "=record_id")
    ordering = ("-at", "-pk")
    show_full_result_count = False
