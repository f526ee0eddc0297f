"""Read-only admin pages, which show that conversations, meetings and reports took place.

The pages leave out what was said or reported. Rights: docs/rights.md.
"""

from __future__ import annotations

from django.contrib import admin

from partnerships.conversations.models import (
    Attachment,
    Conversation,
    Facilitator,
    JournalNote,
    Meeting,
    MeetingCycle,
    Report,
    ReportingExemption,
    ReportingRound,
    ReportSubmission,
)
from partnerships.kit.administration import ReadOnlyAdmin, ReadOnlyInline


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    """Shows the organisation, partnership, date and status of a conversation record; read-only."""

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


class ExemptionInline(ReadOnlyInline):
    """Shows the partners that are exempt from reporting."""

    model = ReportingExemption
    fields = ("party",)


@admin.register(ReportingRound)
class ReportingRoundAdmin(ReadOnlyAdmin):
    """Shows how partnerships report, without the questions; read-only."""

    restricted = ("questions", "end_reason")
    list_display = ("pk", "partnership", "period", "starts_on", "ends_on", "due_days")
    list_filter = ("period",)
    list_select_related = ("partnership",)
    ordering = ("-set_up_at", "-pk")
    fields = ("partnership", "period", "starts_on", "ends_on", "due_days", "opened_until", "set_up_by", "set_up_at")
    inlines = (ExemptionInline,)


class SubmissionInline(ReadOnlyInline):
    """Shows when reports were submitted and decided on, without their text."""

    model = ReportSubmission
    fields = ("number", "due_on", "submitted_at", "submitted_by", "decision", "decided_at", "decided_by")


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    """Shows which reports are due when, and their status, without their text; read-only."""

    restricted = ("questions",)
    list_display = ("pk", "party", "starts_on", "ends_on", "due_on", "status")
    list_filter = ("status",)
    list_select_related = ("party",)
    ordering = ("-starts_on", "-pk")
    fields = (
        "round",
        "party",
        "starts_on",
        "ends_on",
        "due_on",
        "status",
        "opened_at",
        "reminded_at",
        "chased_at",
        "escalated_at",
    )
    inlines = (SubmissionInline,)


@admin.register(JournalNote)
class JournalNoteAdmin(ReadOnlyAdmin):
    """Shows that an organisation wrote a note, and when, without the note's text; read-only."""

    restricted = ("text", "delete_reason")
    list_display = ("pk", "organisation", "dated_on", "written_at", "deleted_at")
    list_select_related = ("organisation",)
    ordering = ("-written_at", "-pk")
    fields = ("organisation", "dated_on", "revision", "created_at", "written_by", "written_at", "deleted_at")


@admin.register(Meeting)
class MeetingAdmin(ReadOnlyAdmin):
    """Shows the time, partnership, status and quorum of a meeting; read-only."""

    restricted = ("title", "note", "reason", "link")
    list_display = ("pk", "partnership", "organisation", "starts_at", "status", "quorum_present", "quorum_needed")
    list_filter = ("status", "format")
    list_select_related = ("partnership", "organisation")
    ordering = ("-starts_at", "-pk")
    fields = (
        "partnership",
        "organisation",
        "starts_at",
        "minutes",
        "format",
        "status",
        "agenda_sent_at",
        "attendance_at",
        "quorum_present",
        "quorum_needed",
        "created_at",
    )


@admin.register(MeetingCycle)
class MeetingCycleAdmin(ReadOnlyAdmin):
    """Shows how often a partnership meets; read-only."""

    restricted = ("link",)
    list_display = ("partnership", "unit", "interval", "starts_on", "time", "stopped_at")
    list_select_related = ("partnership",)
    ordering = ("pk",)
    fields = (
        "partnership",
        "unit",
        "interval",
        "weekday",
        "position",
        "starts_on",
        "time",
        "minutes",
        "format",
        "on_holiday",
        "set_at",
        "stopped_at",
    )


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    """Shows that a file was attached or removed, without its name; read-only."""

    restricted = ("title", "file", "file_name", "removed_reason")
    list_display = ("pk", "conversation", "meeting", "size", "added_at", "removed_at")
    list_select_related = ("conversation", "meeting")
    ordering = ("-added_at", "-pk")
    fields = ("conversation", "meeting", "content_type", "size", "sha256", "added_for", "added_at", "removed_at")


@admin.register(Facilitator)
class FacilitatorAdmin(ReadOnlyAdmin):
    """Shows who facilitates which partnership; read-only."""

    restricted = ("end_reason",)
    list_display = ("pk", "partnership", "person", "organisation", "named_at", "accepted_at", "ended_at")
    list_select_related = ("partnership", "person", "organisation")
    ordering = ("-named_at", "-pk")
    fields = (
        "partnership",
        "person",
        "organisation",
        "brought_party",
        "named_by",
        "named_at",
        "accepted_at",
        "ended_at",
        "ended_by",
    )
