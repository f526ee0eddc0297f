"""Commitments in Django admin. Administrators can change the units, and nothing else."""

from __future__ import annotations

from django.contrib import admin

from partnerships.commitments.models import Commitment, Reminder, Slippage, Unit
from partnerships.kit.administration import ReadOnly, ReadOnlyInline, VocabularyAdmin


class SlippageInline(ReadOnlyInline):
    """Every change of the due date, without the reasons, which are private to the partners."""

    model = Slippage
    fields = ("was", "now", "by", "at")


@admin.register(Commitment)
class CommitmentAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """Shows parties, amount, dates and status, but not the text (docs/rights.md)."""

    list_display = ("reference", "kind", "giver", "giver_name", "receiver", "status", "due_on", "source")
    list_filter = ("kind", "status", "source")
    search_fields = ("reference", "source_reference")
    list_select_related = ("giver", "receiver")
    ordering = ("-pk",)
    fields = (
        "reference",
        "kind",
        "giver",
        "giver_name",
        "receiver",
        "partnership",
        "quantity",
        "unit",
        "delivered_quantity",
        "owner",
        "owner_organisation",
        "due_on",
        "original_due_on",
        "status",
        "status_since",
        "proposed_at",
        "giver_confirmed_at",
        "receiver_confirmed_at",
        "done_at",
        "verified_at",
        "source",
        "source_reference",
    )
    inlines = (SlippageInline,)


@admin.register(Reminder)
class ReminderAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """Shows reminders with the time when their email was recorded."""

    list_display = ("commitment", "person", "due_on", "days_before", "sent_at", "dropped_at")
    list_filter = ("days_before",)
    ordering = ("-pk",)


@admin.register(Unit)
class UnitAdmin(VocabularyAdmin):
    """Edits the units of quantities, which can be retired but not deleted."""

    fields = (("label", "one"), "code", ("position", "active"))
