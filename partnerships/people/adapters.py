"""Adapters of allauth, with which invited people can sign in and nobody can sign up."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from partnerships.kit.http import next_url
from partnerships.outbox.services import record_email
from partnerships.people.addresses import client_address
from partnerships.people.encryption import decrypt, encrypt
from partnerships.people.identity_providers import verified_address
from partnerships.people.models import User
from partnerships.people.services import find_person
from partnerships.people.sign_in_policy import may_identify, meets_sign_in_policy


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """Sign-in by email and password, for invited people."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False, because people join by invitation, which proves their address."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that the outermost trusted proxy saw; raise 403 if there is none."""
        address = client_address(request)
        if not address:
            raise PermissionDenied("The request has no client address.")
        return address

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Return the page that the visitor requested, or the home page."""
        return next_url(request, str(settings.LOGIN_REDIRECT_URL))

    def pre_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse | None:
        """Refuse a password if the person's organisation requires its own sign-in page."""
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if response is not None or not isinstance(user, User):
            return response
        if not meets_sign_in_policy(request, user, now=timezone.now()):
            request.session.pop(AUTHENTICATION_METHODS_SESSION_KEY, None)
            messages.warning(request, "Your organisation requires you to sign in through its own sign-in page.")
            return redirect("account_login")
        return None

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Record an account email, unless the person is a stakeholder or has left."""
        person = find_person(email)
        if person is not None and (person.is_stakeholder or not person.is_active):
            return
        site = {"name": settings.SITE_NAME, "domain": settings.SITE_ORIGIN}
        message = self.render_mail(template_prefix, email, {"email": email, "current_site": site, **context})
        with transaction.atomic():
            record_email(
                kind="people.account",
                person_id=person.pk if person else None,
                address=email,
                secrets={"subject": str(message.subject), "text": str(message.body).strip() + "\n"},
                now=timezone.now(),
            )

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """Return the link that confirms an address.

        The link has the configured origin, because the request's Host header cannot be trusted.
        """
        path = reverse("account_confirm_email", args=[emailconfirmation.key])
        return f"{settings.SITE_ORIGIN}{path}"

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the link that resets a password.

        The link has the configured origin, because the request's Host header cannot be trusted.
        """
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return str(settings.SITE_ORIGIN) + path.replace("UID-KEY", key)


class OrganisationSignInAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """Sign-in through an organisation's own provider (OpenID Connect), for the organisation's people."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Return False, because a provider confirms who people are, but cannot add people."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Connect the provider's identity to the person with that address.

        The provider must have verified the address, and the person's organisation must use the provider. Without these
        conditions, one partner's directory could claim the addresses of another partner's people.
        """
        if sociallogin.is_existing:
            person = sociallogin.user
        else:
            address = verified_address(sociallogin)
            person = find_person(address) if address else None
        provider = sociallogin.account.provider
        if person is None or not person.is_active or not may_identify(provider, person, now=timezone.now()):
            messages.warning(
                request,
                "You cannot sign in this way. Sign in another way, or ask a lead of your organisation for help.",
            )
            raise ImmediateHttpResponse(redirect("account_login"))
        if not sociallogin.is_existing:
            with transaction.atomic():  # The connection and its alert are saved together.
                sociallogin.connect(request, person)


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth carries no types
    """Second factors with the site's name and encrypted secrets."""

    def encrypt(self, text: str) -> str:
        """Return the encrypted secret of an app or of recovery codes, for the database."""
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret in plain text."""
        return decrypt(encrypted_text)

    def get_totp_issuer(self) -> str:
        """Return the name that the authenticator app shows."""
        return str(settings.SITE_NAME)
