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
from partnerships.people.rights import keeps_network
from partnerships.people.sessions import end_sessions
from partnerships.people.ways_in import journal_provider


@dataclass(frozen=True, slots=True)
class Relying:
    """An organisation that uses a provider, with its leads."""

    name: str
    leads: tuple[User, ...]


#: Host of Microsoft's Entra ID, and its paths for any tenant, which vouch for nobody.
_ENTRA = "login.microsoftonline.com"
_ENTRA_ANY_TENANT = frozenset({"common", "organizations", "consumers"})
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)

#: From the key of a provider to the organisations that use it. Registered by upper rooms.
Hook = Callable[[str], list[Relying]]
_hooks: list[Hook] = []


class Retry(Protocol):
    """Changes since when organisations require a provider, because nobody has signed in through it as it is now."""

    def __call__(
        self, provider: str, *, since: dt.datetime | None, reason: str, author: User, now: dt.datetime
    ) -> None: ...


_retries: list[Retry] = []


class UnableToChangeProvider(Exception):
    """No reason, invalid settings, or an organisation uses the provider."""


def register_relying(hook: Hook) -> None:
    """Register a function that finds who uses a provider."""
    _hooks.append(hook)


def register_retry(retry: Retry) -> None:
    """Register what is done to those who require a provider when its settings change."""
    _retries.append(retry)


def relying_on(provider: str) -> list[Relying]:
    """The organisations that use the provider with this key."""
    return [organisation for hook in _hooks for organisation in hook(provider)] if provider else []


def leads_relying_on(provider: str) -> set[User]:
    """The leads of the organisations that use the provider."""
    return {lead for organisation in relying_on(provider) for lead in organisation.leads}


def key_of(app: SocialApp) -> str:
    """The key by which organisations and accounts refer to the provider."""
    return str(app.provider_id or app.provider)


def provider_choices() -> list[tuple[str, str]]:
    """Keys and names of all providers, as choices for a form field."""
    return [(key_of(app), f"{app.name} ({key_of(app)})") for app in SocialApp.objects.order_by("name", "pk")]


def provider_name(provider: str) -> str:
    """The provider's name on the sign-in page; empty if there is none."""
    return next((str(app.name) for app in SocialApp.objects.order_by("pk") if key_of(app) == provider), "")


def has_vouched_for(provider: str, people: QuerySet[User]) -> bool:
    """Whether one of these people has signed in through the provider.

    Counts only since it was last changed to another directory.
    """
    return bool(SocialAccount.objects.filter(provider=provider, user__in=people).exists())


def verified_address(sociallogin: Any) -> str:
    """The address that the provider has verified; else empty.

    Where the provider says nothing, as Entra ID does, the setting `verified_email` decides (docs/accounts.md). The
    setting never overrides a provider that denies it.
    """
    said = sociallogin.account.extra_data
    claims = said.get("userinfo") or said.get("id_token") or said
    # Some providers send the text "false".
    if str(claims.get("email_verified", "")).lower() == "false":
        return ""
    return next((str(address.email) for address in sociallogin.email_addresses if address.verified), "")


def _others_with_the_key(app: SocialApp) -> QuerySet[SocialApp]:
    """Other providers with the same key.

    With two, it would be unclear which one vouched for a person.
    """
    key = key_of(app)
    social_apps: QuerySet[SocialApp] = SocialApp.objects.filter(Q(provider_id=key) | Q(provider_id="", provider=key))
    return social_apps.exclude(pk=app.pk)


def refusal(app: SocialApp) -> str:
    """Why the provider cannot be saved; empty: it can."""
    key, was = key_of(app), SocialApp.objects.filter(pk=app.pk).first()
    if _others_with_the_key(app).exists():
        return f"Another sign-in page has the provider ID “{key}”. Choose another one."
    if (
        was is not None
        and key_of(was) != key
        and (names := [organisation.name for organisation in relying_on(key_of(was))])
    ):
        return f"{' and '.join(names)} use “{key_of(was)}”. Set another sign-in provider there first."
    return _settings_refusal(app)


def _settings_refusal(app: SocialApp) -> str:
    """What is wrong with the issuer's URL or the domains; empty: nothing."""
    given = app.settings if isinstance(app.settings, dict) else {}
    issuer = urlsplit(str(given.get("server_url", "")))
    if issuer.scheme not in ({"https"} if settings.HTTPS else {"http", "https"}) or not issuer.hostname:
        return 'The settings need the issuer\'s address: {"server_url": "https://…"}.'
    domains = given.get("verified_email", [])
    if not isinstance(domains, list) or not all(
        isinstance(domain, str) and _DOMAIN.fullmatch(domain) for domain in domains
    ):
        return '“verified_email” must be a list of domains: ["larkhaven.example"].'
    if issuer.hostname == _ENTRA and issuer.path.strip("/").partition("/")[0] in _ENTRA_ANY_TENANT:
        return "Use your own tenant's address: this one accepts any Microsoft account."
    return ""


def _said(app: SocialApp) -> dict[str, Any]:
    """The provider's fields for the activity log, without secrets."""
    return {
        "name": app.name,
        "provider": app.provider,
        "provider_id": app.provider_id,
        "client_id": app.client_id,
        "server_url": str((app.settings or {}).get("server_url", "")),
        "verified_email": ", ".join(map(str, (app.settings or {}).get("verified_email", []))),
    }


def _note(
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
    """Delete the identities from a provider and sign their people out.

    Another directory may give the same identity to somebody else. Returns the number of identities.
    """
    accounts = SocialAccount.objects.filter(provider=provider).select_related("user")
    for account in accounts:
        end_sessions(account.user)
    return int(accounts.delete()[0])


@transaction.atomic
def keep_provider(*, app: SocialApp, author: User, reason: str, now: dt.datetime) -> None:
    """Save a new or changed provider.

    Administrators and the leads who use it are emailed. If it is another directory now, its identities are deleted,
    and each person is connected again by their verified address; organisations that required it only offer it, until
    a lead has signed in through it. With another client or secret, leads keep their passwords for a day. Raises
    `UnableToChangeProvider`.
    """
    require(keeps_network(author))
    reason = reason.strip()
    if not reason:
        raise UnableToChangeProvider("Give a reason.")
    if words := refusal(app):
        raise UnableToChangeProvider(words)
    was = SocialApp.objects.select_for_update().filter(pk=app.pk).first() if app.pk else None
    before, after = _said(was) if was else {}, _said(app)
    secret = was is None or was.secret != app.secret
    if was is not None and before == after and not secret and was.settings == app.settings:
        return
    app.save()
    if was is not None:
        is_another = any(before[name] != after[name] for name in ("provider", "provider_id", "server_url"))
        if is_another:
            _forget_identities(key_of(was))
            journal_provider(was, now=now, removed=False)
        if is_another or secret or before["client_id"] != after["client_id"]:
            for retry in _retries:
                retry(key_of(was), since=None if is_another else now, reason=reason, author=author, now=now)
    event = _note(
        app,
        EventKind.PROVIDER_CHANGED if was else EventKind.PROVIDER_ADDED,
        author=author,
        reason=reason,
        now=now,
        before=before,
        after=after,
        secret_changed=secret,
    )
    _tell(app, event=event, what="changed" if was else "added", now=now)


@transaction.atomic
def remove_provider(*, app: SocialApp, author: User | None, now: dt.datetime, reason: str = "") -> None:
    """Delete a provider that no organisation uses.

    The author is None when `after_restore` repeats what an administrator did. Raises `UnableToChangeProvider`.
    """
    require(keeps_network(author))
    if relying_on(key_of(app)):
        raise UnableToChangeProvider("Organisations use it: their people could no longer sign in.")
    event = _note(app, EventKind.PROVIDER_REMOVED, author=author, reason=reason, now=now, before=_said(app))
    _forget_identities(key_of(app))
    _tell(app, event=event, what="removed", now=now)
    journal_provider(app, now=now, removed=True)
    app.delete()


def _tell(app: SocialApp, *, event: Event, what: str, now: dt.datetime) -> None:
    key = key_of(app)
    concerned = Q(pk__in=[lead.pk for lead in leads_relying_on(key)]) | Q(is_staff=True)
    record_emails(
        kind="people.sign_in_provider",
        people=User.objects.filter(concerned, is_active=True).values_list("pk", flat=True),
        params={
            "event": event.pk,
            "key": key,
            "organisations": [organisation.name for organisation in relying_on(key)],
            "what": what,
        },
        now=now,
    )
