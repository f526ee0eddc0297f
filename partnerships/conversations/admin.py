"""Read-only admin pages for conversations: that they took place.

Without what was said. Rights: docs/rights.md.
"""

from __future__ import annotations

from django.contrib import admin

from partnerships.conversations.models import Conversation
from partnerships.kit.administration import ReadOnlyAdmin


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    """Date, partnership, keeper and status of the record; read-only."""

    restricted = ("subject", "said", "reason")
    list_display = ("pk", "organisation", "partnership", "held_on", "format", "status")
    list_filter = ("status", "format")
    list_select_related = ("organisation", "partnership")
    ordering = ("-held_on", "-pk")
    fields = (
        "organisation",
        "partnership",
        "held_on",
        "format",
        "status",
        "attribution",
        "created_at",
        "circulated_at",
        "agreed_at",
    )
