"""Admin pages for the terms of partnerships. Nobody can change terms here.

The pages hide the texts of the terms (`restricted`), as docs/rights.md explains.
"""

from __future__ import annotations

from django.contrib import admin

from partnerships.agreements.models import TermsInForce, TermsProposal, TermsSignatory, TermsSignature, TermsVersion
from partnerships.kit.administration import ReadOnlyAdmin, ReadOnlyInline


@admin.register(TermsProposal)
class TermsProposalAdmin(ReadOnlyAdmin):
    """Proposals of terms, without their texts."""

    restricted = ("content", "prose", "pieces", "reason", "outcome", "declarations")
    fields = (
        "partnership",
        "number",
        "proposed_by",
        "author",
        "status",
        "from_day",
        "sign_by",
        "created_at",
        "decided_at",
    )
    list_display = ("partnership", "number", "proposed_by", "status", "from_day", "sign_by", "created_at")
    list_filter = ("status",)
    list_select_related = ("partnership", "proposed_by")
    search_fields = ("partnership__title", "proposed_by__name")
    ordering = ("-created_at", "-pk")


class TermsSignatureInline(ReadOnlyInline):
    """The signatures on a version, without the reasons of parties that declined."""

    model = TermsSignature
    fields = ("organisation", "decision", "name", "role", "how", "signed_on", "signed_at", "recorded_by")


class TermsSignatoryInline(ReadOnlyInline):
    """The parties that are asked to sign a version."""

    model = TermsSignatory
    fields = ("organisation", "due_on", "asked_at", "reminded_at", "escalated_at", "removed_at")


@admin.register(TermsVersion)
class TermsVersionAdmin(ReadOnlyAdmin):
    """Versions of terms with their signatures, without their texts."""

    restricted = ("content", "prose", "note", "declarations", "parties")
    fields = ("partnership", "number", "title", "kind_label", "origin", "base", "amendment", "from_day", "published_at")
    list_display = ("partnership", "number", "kind_label", "origin", "published_at")
    list_filter = ("origin",)
    list_select_related = ("partnership",)
    search_fields = ("partnership__title", "title")
    ordering = ("-published_at", "-pk")
    inlines = (TermsSignatoryInline, TermsSignatureInline)


@admin.register(TermsInForce)
class TermsInForceAdmin(ReadOnlyAdmin):
    """Which version is in force from which day."""

    fields = ("partnership", "version", "from_day", "decided_at")
    list_display = ("partnership", "version", "from_day", "decided_at")
    list_select_related = ("partnership", "version")
    search_fields = ("partnership__title",)
    ordering = ("-from_day", "-pk")
