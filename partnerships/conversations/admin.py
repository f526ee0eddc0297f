"""Conversations in admin: that they took place, not what was said.

Rights: docs/rights.md.
"""

from __future__ import annotations

from django.contrib import admin

from partnerships.conversations.models import Conversation
from partnerships.kit.administration import ReadOnlyAdmin


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    """When, in which partnership, kept by whom, and where the record stands; to look at only."""

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
