"""Admin pages of people.

Administrators find people, make other people administrators and close accounts. Only the people themselves change their
passwords, addresses and second factors.
"""

from __future__ import annotations

from typing import Any

import allauth.account.admin
import allauth.mfa.admin
import allauth.socialaccount.admin  # noqa: F401 - registers the pages that are unregistered below
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount import providers
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.admin import UserSessionAdmin
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from partnerships.kit.administration import NothingDeleted, ReadOnly, ReadOnlyAdmin, RowHistory
from partnerships.people.identity_providers import (
    organisations_using,
    provider_key,
    provider_refusal,
    remove_provider,
    save_provider,
)
from partnerships.people.models import Invitation, RetentionRuleState, RetentionRun, SecurityEvent, User, ViewAs
from partnerships.people.second_factor import has_second_factor
from partnerships.people.services import change_details, person_for_address, reopen_account
from partnerships.people.sessions import end_sessions

# Rights come from memberships and from being an administrator, never from Django's groups.
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(RowHistory, NothingDeleted, admin.ModelAdmin[User]):
    """Admin page of people with an account, stakeholders, and people who have left."""

    list_display = ("email", "name", "is_staff", "is_active", "account_since", "last_login", "left_at")
    list_filter = (
        "is_staff",
        "is_active",
        ("account_since", admin.EmptyFieldListFilter),
        ("left_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("email", "name")
    ordering = (Lower("email"), "pk")  # in the order of an index
    show_full_result_count = False
    fields = (
        "email",
        "name",
        "is_staff",
        "time_zone",
        "account_since",
        "last_login",
        "left_at",
        "erased_at",
        "action_links",
    )
    readonly_fields = ("is_staff", "account_since", "last_login", "left_at", "erased_at", "action_links")
    actions = ("sign_out_everywhere", "reopen_accounts")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return people who have not been erased."""
        return super().get_queryset(request).filter(erased_at=None)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Make the address of an existing person read-only, because only its owner can change it, with proof."""
        return self.readonly_fields if obj is None else (*self.readonly_fields, "email")

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm[User], change: bool) -> None:
        """Change an account, or create a stakeholder, who can choose a password once invited."""
        if change:
            assert isinstance(request.user, User)
            change_details(
                person=User.objects.get(pk=obj.pk),
                name=form.cleaned_data["name"],
                time_zone=form.cleaned_data["time_zone"],
                author=request.user,
                now=timezone.now(),
            )
            return
        person = person_for_address(email=form.cleaned_data["email"], name=form.cleaned_data["name"])
        obj.pk = person.pk
        obj._state.adding = False

    @admin.display(description="Actions")
    def action_links(self, person: User) -> SafeString | str:
        """Return links to the pages that change an account and ask for a reason."""
        if person.pk is None or not person.is_active:
            return "This person has left. Use the action “Reopen account” to let them sign in again."
        pages = [("people:leaver", "Close account")]
        if person.is_staff:
            pages.append(("people:withdraw-administration", "Remove as administrator"))
        elif not person.is_stakeholder:
            pages.append(("people:view-as", "View as this person"))
            pages.append(("people:grant-administration", "Make administrator"))
        if has_second_factor(person):
            pages.append(("people:remove-second-factor", "Remove second factor"))
        links = [(reverse(url_name, args=[person.pk]), label) for url_name, label in pages]
        return format_html_join(" · ", '<a href="{}">{}</a>', links)

    @admin.action(description="Sign out everywhere")
    def sign_out_everywhere(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """End all sessions of the selected people."""
        count = sum(end_sessions(person) for person in queryset)
        messages.info(request, f"Ended {count} session{pluralize(count)}.")

    @admin.action(description="Reopen account")
    def reopen_accounts(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Reopen closed accounts, without their earlier memberships."""
        assert isinstance(request.user, User)
        for person in queryset.filter(is_active=False):
            reopen_account(
                person=person, author=request.user, now=timezone.now(), reason="Reopened by an administrator."
            )
            messages.info(request, f"{person} can sign in again.")


# The package's admin page searches by user name, which our people do not have.
admin.site.unregister(UserSession)


@admin.register(UserSession)
class SessionAdmin(ReadOnly, UserSessionAdmin):  # type: ignore[misc]  # allauth carries no types
    """Admin page of people's sessions, read-only.

    People end their own sessions in their account. Administrators use the action “Sign out everywhere”.
    """

    raw_id_fields = ()
    fields = ("user", "ip", "user_agent", "created_at", "last_seen_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name", "ip")
    ordering = ("-last_seen_at", "-pk")


# These models are read-only, because anyone who can change them can sign in as another person. For example, a verified
# address can reset a password. People change their own addresses and second factors in their account.
for model in (EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(model)


@admin.register(EmailAddress)
class AddressAdmin(ReadOnlyAdmin):
    """Email addresses of accounts, and whether they are verified."""

    list_display = ("email", "user", "primary", "verified")
    list_filter = ("primary", "verified")
    list_select_related = ("user",)
    search_fields = ("email", "user__name")
    ordering = ("email", "pk")


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Admin page of second factors, without their secrets.

    A lost second factor is removed on a separate page, which asks for a reason.
    """

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type", "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name")
    ordering = ("user__email", "pk")
    fields = ("user", "type", "created_at", "last_used_at")


@admin.register(SocialAccount)
class IdentityAdmin(ReadOnlyAdmin):
    """Identities from organisations' sign-in providers."""

    list_display = ("user", "provider", "last_login", "date_joined")
    list_filter = ("provider",)
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name")
    ordering = ("user__email", "pk")
    fields = ("user", "provider", "uid", "last_login", "date_joined")


class ProviderForm(forms.ModelForm[SocialApp]):
    """The form of a sign-in provider, with our client ID and secret, and the reason for the change."""

    secret = forms.CharField(
        required=False,
        max_length=191,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="We never show the secret. Leave this empty if you do not want to change it.",
    )
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="We email this reason to administrators, and to the leads of organisations that use this provider.",
    )

    class Meta:
        model = SocialApp
        fields = ("provider", "provider_id", "name", "client_id", "secret", "settings")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["provider"] = forms.ChoiceField(choices=providers.registry.as_choices())

    def clean_secret(self) -> str:
        """Return the new secret, or the present secret if the field is empty."""
        return str(self.cleaned_data["secret"] or self.instance.secret)

    def clean(self) -> dict[str, Any]:
        """Check the rules of the service here, too, so that the form shows why the service would refuse."""
        data = super().clean() or {}
        fields = ("provider", "provider_id", "name", "client_id", "settings")
        if all(name in data for name in fields):
            app = SocialApp(pk=self.instance.pk, **{name: data[name] for name in fields})
            if explanation := provider_refusal(app):
                raise forms.ValidationError(explanation)
        return data


@admin.register(SocialApp)
class ProviderAdmin(admin.ModelAdmin[SocialApp]):
    """Admin page of organisations' sign-in providers. Each change is recorded and emailed."""

    form = ProviderForm
    list_display = ("name", "provider_id", "provider", "client_id")
    search_fields = ("name", "provider_id")
    ordering = ("name", "pk")

    def has_delete_permission(self, request: HttpRequest, obj: SocialApp | None = None) -> bool:
        """Return True only on a provider's own page, and only if no organisation uses the provider."""
        return (
            obj is not None
            and not organisations_using(provider_key(obj))
            and super().has_delete_permission(request, obj)
        )

    def save_model(self, request: HttpRequest, obj: SocialApp, form: ProviderForm, change: bool) -> None:
        """Save through the service, which records and emails the change."""
        assert isinstance(request.user, User)
        save_provider(app=obj, author=request.user, reason=form.cleaned_data["reason"], now=timezone.now())

    def delete_model(self, request: HttpRequest, obj: SocialApp) -> None:
        """Delete through the service, which records and emails the change."""
        assert isinstance(request.user, User)
        remove_provider(app=obj, author=request.user, now=timezone.now())


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Admin page of invitations. Only a hash of each token is stored."""

    list_display = ("person", "invited_by", "created_at", "expires_at", "accepted_at", "revoked_at")
    list_filter = (("accepted_at", admin.EmptyFieldListFilter), ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("person", "invited_by")
    search_fields = ("person__email", "person__name")
    ordering = ("-created_at", "-pk")
    fields = ("person", "invited_by", "created_at", "expires_at", "accepted_at", "revoked_at")


@admin.register(SecurityEvent)
class SecurityEventAdmin(ReadOnlyAdmin):
    """Admin page of the security log of all accounts."""

    list_display = ("at", "person", "kind", "ip", "user_agent")
    list_filter = ("kind", "at")
    list_select_related = ("person",)
    search_fields = ("person__email", "ip")
    ordering = ("-at", "-pk")
    show_full_result_count = False


@admin.register(RetentionRun)
class RetentionRunAdmin(ReadOnlyAdmin):
    """Admin page of the numbers of records that retention removed each night, by rule."""

    list_display = ("day", "began_at", "ended_at", "removed")
    list_filter = ("day", ("ended_at", admin.EmptyFieldListFilter))
    ordering = ("-day",)


@admin.register(RetentionRuleState)
class RetentionRuleStateAdmin(ReadOnlyAdmin):
    """Admin page of when each retention rule last completed, and of its error since then."""

    list_display = ("rule", "completed_at", "tried_at", "error")
    list_filter = (("completed_at", admin.EmptyFieldListFilter),)
    ordering = ("rule",)


@admin.register(ViewAs)
class ViewAsAdmin(ReadOnlyAdmin):
    """Admin page that shows which administrator viewed the site as which person, when and why."""

    list_display = ("began_at", "administrator", "person", "reason", "expires_at", "ended_at")
    list_select_related = ("administrator", "person")
    search_fields = ("administrator__email", "person__email", "reason")
    ordering = ("-began_at", "-pk")
