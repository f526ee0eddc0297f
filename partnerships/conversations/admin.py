"""Conversations for administrators: that they took place, never what was said (RIGHTS.md)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

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

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Conversation | None:
        """Called by its number: the subject is the partners' own. Nothing is saved from here."""
        found: Any = super().get_object(request, object_id, from_field)
        if found is not None:
            found.subject = f"Conversation {found.pk}"
        return found  # type: ignore[no-any-return]  # the page is for conversations alone
