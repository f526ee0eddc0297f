"""Nominations agreements in Django admin, to look at only, because signed terms decide what they contain."""

from __future__ import annotations

from django.contrib import admin

from partnerships.kit.administration import ReadOnlyAdmin
from partnerships.nominations.models import NominationsAgreement


@admin.register(NominationsAgreement)
class NominationsAgreementAdmin(ReadOnlyAdmin):
    """Shows which parties are the council and the provider.

    Returns are left out, because only these two parties may read them.
    """

    fields = ("partnership", "council_body", "provider_body", "begun_at")
    list_display = ("partnership", "council_body", "provider_body", "begun_at")
    readonly_fields = ("council_body", "provider_body")
    search_fields = ("partnership__title",)
    list_select_related = ("partnership", "council__organisation", "provider__organisation")
    ordering = ("-begun_at", "-pk")
