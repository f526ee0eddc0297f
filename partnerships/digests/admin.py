"""Admin pages of emails, subscriptions, watermarks and addresses: read-only, except that addresses can be unblocked."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from partnerships.digests import services
from partnerships.digests.models import (
    Delivery,
    DeliveryItem,
    EmailRequest,
    Preference,
    SubjectWatermark,
    Subscription,
    Watermark,
)
from partnerships.kit.administration import ReadOnly, ReadOnlyInline
from partnerships.outbox.bounces import release_address
from partnerships.outbox.models import Bounce, Suppression
from partnerships.outbox.queries.suppressions import open_suppressions
from partnerships.people.requests import signed_in


class LedgerAdmin(ReadOnly, admin.ModelAdmin[Any]):
    """Base class of read-only pages, because only services write these records."""


class ItemInline(ReadOnlyInline):
    """The plans in an email."""

    model = DeliveryItem
    fields = ("plan", "from_number", "to_number", "reading_class", "left_out")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeliveryItem]:
        """Read the items with their plans, in one query."""
        return super().get_queryset(request).select_related("plan")


@admin.register(Delivery)
class DeliveryAdmin(LedgerAdmin):
    """The ledger: emails of this room and what became of them."""

    list_display = ("created_at", "recipient", "subject", "status", "reason", "attempts", "settled_at")
    list_filter = ("status", "kind", "created_at")
    list_select_related = ("recipient",)
    search_fields = ("recipient__email", "recipient__name", "address", "subject", "=message_id")
    ordering = ("-pk",)
    exclude = ("recipe", "params")
    inlines = (ItemInline,)
    readonly_fields = ("message",)
    actions = ("send_again",)
    show_full_result_count = False

    @admin.display(description="The email")
    def message(self, delivery: Delivery) -> SafeString:
        """Return a link to the page with the email exactly as sent; that page asks administrators for a reason."""
        return format_html('<a href="{}">Open this email</a>', reverse("digests:entry", args=[delivery.pk]))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow the action on the list, but not a change of a single email."""
        return obj is None and request.user.is_staff

    @admin.action(description="Send the selected emails again")
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Queue each email again, and warn about each email that cannot be sent again."""
        queued_count = 0
        for delivery in queryset.select_related("recipient"):
            if delivery.is_sent:
                warning = f"A mail server accepted “{delivery}”. Open its page and enter a reason to send it again."
                self.message_user(request, warning, messages.WARNING)
                continue
            try:
                services.send_again(delivery=delivery, author=signed_in(request), now=timezone.now())
            except services.UnableToSendAgain as error:
                self.message_user(request, f"{delivery}: {error}", messages.WARNING)
            else:
                queued_count += 1
        self.message_user(request, f"Emails queued again: {queued_count}.")


@admin.register(Subscription)
class SubscriptionAdmin(LedgerAdmin):
    """Subscriptions: the follower, the record that they follow, and why."""

    list_display = (
        "person",
        "plan",
        "partnership",
        "organisation",
        "status",
        "how",
        "frequency",
        "asked_at",
        "added_for",
    )
    list_filter = ("status", "how", "frequency")
    list_select_related = ("person", "plan", "partnership", "organisation", "added_for")
    search_fields = ("person__email", "person__name", "plan__title", "partnership__title", "organisation__name")
    ordering = ("-asked_at", "-pk")


@admin.register(Preference)
class PreferenceAdmin(LedgerAdmin):
    """How often and when each person gets digests."""

    list_display = ("person", "frequency", "hour", "weekday", "working_days_of", "paused_until", "introduced_at")
    list_filter = ("frequency", "working_days_of")
    list_select_related = ("person",)
    search_fields = ("person__email", "person__name")
    ordering = ("person__email", "pk")
    exclude = ("link_key",)


@admin.register(Watermark)
class WatermarkAdmin(LedgerAdmin):
    """The version each person last received of each plan."""

    list_display = ("recipient", "plan", "number", "reading_class", "told_at", "due_at")
    list_filter = ("reading_class",)
    list_select_related = ("recipient", "plan")
    search_fields = ("recipient__email", "recipient__name", "plan__title")
    ordering = ("-told_at", "-pk")
    show_full_result_count = False


@admin.register(SubjectWatermark)
class SubjectWatermarkAdmin(LedgerAdmin):
    """The last change of each subject that each person was told about."""

    list_display = ("recipient", "subject", "number", "told_at", "due_at")
    list_select_related = ("recipient", "subject")
    search_fields = ("recipient__email", "recipient__name", "=subject__record_id")
    ordering = ("-told_at", "-pk")
    show_full_result_count = False


@admin.register(Suppression)
class SuppressionAdmin(LedgerAdmin):
    """Addresses to which no email is sent."""

    list_display = ("shown_address", "reason", "since", "set_by_id", "released_at")
    list_filter = (("released_at", admin.EmptyFieldListFilter),)
    search_fields = ("address",)
    ordering = ("-since", "-pk")
    actions = ("release",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow the action on the list, but not a change of a single address."""
        return obj is None and request.user.is_staff

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Suppression], search_term: str
    ) -> tuple[QuerySet[Suppression], bool]:
        """Also find a complete address that is stored only as a hash."""
        matching_suppressions, may_repeat = super().get_search_results(request, queryset, search_term)
        if not search_term:
            return matching_suppressions, may_repeat
        matching_ids = open_suppressions(search_term).values("pk")
        return matching_suppressions | queryset.filter(pk__in=matching_ids), may_repeat

    @admin.display(description="address", ordering="address")
    def shown_address(self, suppression: Suppression) -> str:
        """Return the address, or how to find an address stored only as a hash."""
        return suppression.address or (
            "Because a backup was restored, we can no longer show this address. To find this row, search for the full "
            "address."
        )

    @admin.action(description="Unblock these addresses")
    def release(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> None:
        """Unblock each address; confirmed subscriptions of that address become active again."""
        resumed_count = 0
        for suppression in queryset.filter(released_at=None):
            resumed_count += release_address(
                address=suppression.address or "",
                address_hash=suppression.address_hash,
                author_id=signed_in(request).pk,
                now=timezone.now(),
            )
        self.message_user(request, f"Unblocked. Subscriptions that are active again: {resumed_count}.")


@admin.register(EmailRequest)
class EmailRequestAdmin(LedgerAdmin):
    """Requests from public pages that are not processed yet, or failed."""

    list_display = ("typed_at", "address", "plan", "tries")
    list_filter = ("tries",)
    list_select_related = ("plan",)
    search_fields = ("address", "plan__title")
    ordering = ("-tries", "-pk")


@admin.register(Bounce)
class BounceAdmin(LedgerAdmin):
    """Emails that bounced."""

    list_display = ("at", "kind", "address", "email_id", "text")
    list_filter = ("kind",)
    search_fields = ("address", "text")
    ordering = ("-at", "-pk")
