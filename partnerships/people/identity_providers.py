"""Organisations' sign-in providers.

Every change is recorded and emailed, because it changes who can sign in.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from allauth.socialaccount.models import SocialAccount, SocialApp
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from partnerships.activity.models import Event
from partnerships.activity.services import record
from partnerships.kit.rights import require
from partnerships.outbox.services import record_emails
from partnerships.people.event_kinds import EventKind
from partnerships.people.models import User
from partnerships.people.rights import may_change_network_settings
from partnerships.people.sessions import end_sessions
from partnerships.people.sign_in_journal import journal_provider


@dataclass(frozen=True, slots=True)
class ReliantOrganisation:
    """An organisation that uses a provider, with its leads."""

    name: str
    leads: tuple[User, ...]


#: The host of Microsoft's Entra ID, and its paths for any tenant. These paths accept any Microsoft account, and so
#: vouch for nobody.
_ENTRA_HOST = "login.microsoftonline.com"
_ENTRA_ANY_TENANT = frozenset({"common", "organizations", "consumers"})
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)

#: A function that returns the organisations that use the provider with this key. Upper rooms register such functions.
Hook = Callable[[str], list[ReliantOrganisation]]
_hooks: list[Hook] = []


class RecheckRequirement(Protocol):
    """A function that sets from when organisations require a provider after its settings have changed.

    Nobody has yet signed in with the changed settings. If `since` is None, organisations only offer the provider until
    a lead has signed in through it.
    """

    def __call__(
        self, provider: str, *, since: dt.datetime | None, reason: str, author: User, now: dt.datetime
    ) -> None: ...


_rechecks: list[RecheckRequirement] = []


class UnableToChangeProvider(Exception):
    """Raised if the reason is missing, the settings are invalid, or an organisation uses the provider."""


def register_reliant_organisations(hook: Hook) -> None:
    """Register a function that finds the organisations that use a provider."""
    _hooks.append(hook)


def register_recheck(recheck: RecheckRequirement) -> None:
    """Register a function that changes the requirement of a provider when the provider's settings change."""
    _rechecks.append(recheck)


def organisations_using(provider: str) -> list[ReliantOrganisation]:
    """Return the organisations that use the provider with this key."""
    return [organisation for hook in _hooks for organisation in hook(provider)] if provider else []


def leads_using(provider: str) -> set[User]:
    """Return the leads of the organisations that use the provider."""
    return {lead for organisation in organisations_using(provider) for lead in organisation.leads}


def provider_key(app: SocialApp) -> str:
    """Return the key by which organisations and accounts refer to the provider."""
    return str(app.provider_id or app.provider)


def provider_choices() -> list[tuple[str, str]]:
    """Return the keys and names of all providers, as choices for a form field."""
    return [
        (provider_key(app), f"{app.name} ({provider_key(app)})") for app in SocialApp.objects.order_by("name", "pk")
    ]


def provider_name(provider: str) -> str:
    """Return the provider's name on the sign-in page; "" if the provider does not exist."""
    return next((str(app.name) for app in SocialApp.objects.order_by("pk") if provider_key(app) == provider), "")


def has_vouched_for(provider: str, people: QuerySet[User]) -> bool:
    """Return True if one of these people has signed in through the provider since its present settings."""
    return bool(SocialAccount.objects.filter(provider=provider, user__in=people).exists())


def verified_address(sociallogin: Any) -> str:
    """Return the address that the provider has verified; "" if there is none.

    Entra ID does not say whether it verified the address. In this case, the setting `verified_email` lists the domains
    with verified addresses (docs/accounts.md). The setting never overrides a provider that says no.
    """
    extra_data = sociallogin.account.extra_data
    claims = extra_data.get("userinfo") or extra_data.get("id_token") or extra_data
    # Some providers send the text "false" instead of a boolean.
    if str(claims.get("email_verified", "")).lower() == "false":
        return ""
    return next((str(address.email) for address in sociallogin.email_addresses if address.verified), "")


def _others_with_same_key(app: SocialApp) -> QuerySet[SocialApp]:
    """Return other providers with the same key. With two, it would be unclear which provider vouched for a person."""
    key = provider_key(app)
    social_apps: QuerySet[SocialApp] = SocialApp.objects.filter(Q(provider_id=key) | Q(provider_id="", provider=key))
    return social_apps.exclude(pk=app.pk)


def provider_refusal(app: SocialApp) -> str:
    """Return why the provider cannot be saved; "" if it can."""
    key = provider_key(app)
    if _others_with_same_key(app).exists():
        return f"Another sign-in page has the provider ID “{key}”. Choose a different ID."
    saved_app = SocialApp.objects.filter(pk=app.pk).first()
    if saved_app is not None and provider_key(saved_app) != key:
        names = [organisation.name for organisation in organisations_using(provider_key(saved_app))]
        if names:
            return f"{' and '.join(names)} use “{provider_key(saved_app)}”. Choose another sign-in page for them first."
    return _settings_refusal(app)


def _settings_refusal(app: SocialApp) -> str:
    """Return what is wrong with the issuer's URL or the domains; "" if both are valid."""
    app_settings = app.settings if isinstance(app.settings, dict) else {}
    issuer = urlsplit(str(app_settings.get("server_url", "")))
    allowed_schemes = {"https"} if settings.HTTPS else {"http", "https"}
    if issuer.scheme not in allowed_schemes or not issuer.hostname:
        return 'The settings need the address of the issuer: {"server_url": "https://…"}.'
    domains = app_settings.get("verified_email", [])
    if not isinstance(domains, list) or not all(
        isinstance(domain, str) and _DOMAIN.fullmatch(domain) for domain in domains
    ):
        return '“verified_email” must be a list of domains: ["larkhaven.example"].'
    if issuer.hostname == _ENTRA_HOST and issuer.path.strip("/").partition("/")[0] in _ENTRA_ANY_TENANT:
        return "Enter the address of your own tenant. The address that you entered accepts any Microsoft account."
    return ""


def _logged_fields(app: SocialApp) -> dict[str, Any]:
    """Return the provider's fields for the activity log, without secrets."""
    return {
        "name": app.name,
        "provider": app.provider,
        "provider_id": app.provider_id,
        "client_id": app.client_id,
        "server_url": str((app.settings or {}).get("server_url", "")),
        "verified_email": ", ".join(map(str, (app.settings or {}).get("verified_email", []))),
    }


def _record(
    app: SocialApp, event: EventKind, *, author: User | None, reason: str, now: dt.datetime, **data: Any
) -> Event:
    return record(
        actor_id=author.pk if author else None,
        kind=event,
        target_kind="sign_in_provider",
        target_id=app.pk,
        now=now,
        data={**data, "reason": reason},
    )


def _forget_identities(provider: str) -> int:
    """Delete the identities from a provider, sign their people out, and return the number of identities.

    The identities are deleted because another directory may give the same identity to another person.
    """
    identities = SocialAccount.objects.filter(provider=provider).select_related("user")
    for identity in identities:
        end_sessions(identity.user)
    deleted_count, _ = identities.delete()
    return int(deleted_count)


@transaction.atomic
def save_provider(*, app: SocialApp, author: User, reason: str, now: dt.datetime) -> None:
    """Save a new or changed provider, and email administrators and the leads of organisations that use it.

    If the provider is now another directory, its identities are deleted, and people are connected again by their
    verified address. The requirement of the provider is loosened, because nobody has tried the new settings. Raises
    `UnableToChangeProvider`.
    """
    require(may_change_network_settings(author))
    reason = reason.strip()
    if not reason:
        raise UnableToChangeProvider("Enter a reason.")
    if explanation := provider_refusal(app):
        raise UnableToChangeProvider(explanation)

    saved_app = SocialApp.objects.select_for_update().filter(pk=app.pk).first() if app.pk else None
    before = _logged_fields(saved_app) if saved_app else {}
    after = _logged_fields(app)
    has_new_secret = saved_app is None or saved_app.secret != app.secret
    is_unchanged = (
        saved_app is not None and before == after and not has_new_secret and saved_app.settings == app.settings
    )
    if is_unchanged:
        return
    app.save()

    if saved_app is not None:
        is_new_directory = any(before[name] != after[name] for name in ("provider", "provider_id", "server_url"))
        if is_new_directory:
            _forget_identities(provider_key(saved_app))
            journal_provider(saved_app, now=now, removed=False)
        has_new_client = before["client_id"] != after["client_id"]
        if is_new_directory or has_new_secret or has_new_client:
            since = None if is_new_directory else now
            _loosen_requirement(provider_key(saved_app), since=since, reason=reason, author=author, now=now)

    event = _record(
        app,
        EventKind.PROVIDER_CHANGED if saved_app else EventKind.PROVIDER_ADDED,
        author=author,
        reason=reason,
        now=now,
        before=before,
        after=after,
        secret_changed=has_new_secret,
    )
    _email_change(app, event=event, what="changed" if saved_app else "added", now=now)


def _loosen_requirement(
    provider: str, *, since: dt.datetime | None, reason: str, author: User, now: dt.datetime
) -> None:
    """Let people sign in without a provider that has new settings, in case these do not work.

    If `since` is None, organisations only offer the provider until a lead has signed in through it. If not, they
    require it from that moment, and leads can use their passwords for one more day.
    """
    for recheck in _rechecks:
        recheck(provider, since=since, reason=reason, author=author, now=now)


@transaction.atomic
def remove_provider(*, app: SocialApp, author: User | None, now: dt.datetime, reason: str = "") -> None:
    """Delete a provider that no organisation uses.

    `author` is None if the deletion is repeated after a restore. Raises `UnableToChangeProvider`.
    """
    require(may_change_network_settings(author))
    if organisations_using(provider_key(app)):
        raise UnableToChangeProvider("Organisations still use this sign-in page. Choose another page for them first.")
    event = _record(app, EventKind.PROVIDER_REMOVED, author=author, reason=reason, now=now, before=_logged_fields(app))
    _forget_identities(provider_key(app))
    _email_change(app, event=event, what="removed", now=now)
    journal_provider(app, now=now, removed=True)
    app.delete()


def _email_change(app: SocialApp, *, event: Event, what: str, now: dt.datetime) -> None:
    """Email the change to administrators and to the leads of organisations that use the provider."""
    key = provider_key(app)
    is_recipient = Q(is_staff=True) | Q(pk__in=[lead.pk for lead in leads_using(key)])
    record_emails(
        kind="people.sign_in_provider",
        people=User.objects.filter(is_recipient, is_active=True).values_list("pk", flat=True),
        params={
            "event": event.pk,
            "key": key,
            "organisations": [organisation.name for organisation in organisations_using(key)],
            "what": what,
        },
        now=now,
    )
