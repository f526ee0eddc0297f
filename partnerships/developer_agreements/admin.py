"""Developer agreements in Django admin, which can be read but not changed there."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.kit.administration import ReadOnlyAdmin


@admin.register(DeveloperAgreement)
class DeveloperAgreementAdmin(ReadOnlyAdmin):
    """Agreements from published registers, and agreements that authorities entered."""

    fields = (
        "reference",
        "kind",
        "organisation",
        "planning_application",
        "document_url",
        "agreed_on",
        "ended_on",
        "import_run",
    )
    readonly_fields = ("import_run",)
    list_display = ("reference", "kind", "organisation", "planning_application", "agreed_on")
    list_filter = ("kind",)
    search_fields = ("reference", "planning_application", "organisation__name")
    list_select_related = ("organisation",)
    ordering = ("-agreed_on", "-pk")
    date_hierarchy = "agreed_on"

    @admin.display(description="import run")
    def import_run(self, agreement: DeveloperAgreement) -> str:
        """Return a link to the import that added the agreement, or "-" if the agreement was entered on a page."""
        if agreement.run_id is None:
            return "-"
        href = reverse("admin:transfer_importrun_change", args=[agreement.run_id])
        return format_html('<a href="{}">Import {}</a>', href, agreement.run_id)
