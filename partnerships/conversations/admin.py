"""Conversations for administrators: that they took place, never what was said (RIGHTS.md)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from partnerships.conversations.models import Conversation


@admin.register(Conversation)
class ConversationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """When, in which partnership, kept by whom, and where the record stands; to look at only."""

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

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
