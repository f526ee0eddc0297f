"""Read-only admin pages for answers, without their text."""

from __future__ import annotations

from django.contrib import admin

from partnerships.answers.models import Answer, Incoming, PlanQuestion, Trust
from partnerships.kit.administration import ReadOnlyAdmin


@admin.register(Answer)
class AnswerAdmin(ReadOnlyAdmin):
    """Answers, read-only, without their text and without the names of colleagues."""

    restricted = ("text", "reason", "colleague_name", "colleague_email", "anchor", "anchor_label")
    list_display = ("pk", "kind", "status", "version_number", "made_at")
    list_filter = ("kind", "status")
    ordering = ("-made_at", "-pk")
    fields = ("kind", "status", "version_number", "made_at", "decided_at")


@admin.register(Incoming)
class IncomingAdmin(ReadOnlyAdmin):
    """Incoming emails and what became of them, read-only, without their text."""

    restricted = ("subject", "text", "left_out")
    list_display = ("pk", "person", "is_reply", "status", "received_at", "settled_at")
    list_filter = ("status",)
    list_select_related = ("person",)
    ordering = ("-received_at", "-pk")
    fields = ("person", "status", "received_at", "settled_at")


@admin.register(PlanQuestion)
class QuestionAdmin(ReadOnlyAdmin):
    """Questions with the days on which they were asked and close, read-only, without their text."""

    restricted = ("title", "body")
    list_display = ("pk", "organisation", "asked_at", "closes_on", "closed_at")
    list_select_related = ("organisation",)
    ordering = ("-asked_at", "-pk")
    fields = ("organisation", "asked_at", "closes_on", "closed_at")


@admin.register(Trust)
class TrustAdmin(ReadOnlyAdmin):
    """Which organisations show whose answers without approval, read-only."""

    list_display = ("pk", "organisation", "person", "set_at", "ended_at")
    list_select_related = ("organisation", "person")
    ordering = ("-set_at", "-pk")
    fields = ("organisation", "person", "set_at", "ended_at")
