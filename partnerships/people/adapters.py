"""How the accounts package behaves here: nobody signs up by themselves, stakeholders and leavers cannot come in."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from partnerships.kit.http import next_url
from partnerships.kit.letters import send_in_background
from partnerships.people.services import find_person


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """Sign-in by email and password, for people who were invited."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: people come in by invitation, which vouches for their address."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Home, or the page that was asked for."""
        return next_url(request, str(settings.LOGIN_REDIRECT_URL))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Letters about accounts go to people who can sign in, and to nobody else: stakeholders have no password to
        reset."""
        person = find_person(email)
        if person is not None and (person.is_stakeholder or not person.is_active):
            return
        site = {"name": settings.SITE_NAME, "domain": settings.SITE_ORIGIN}
        letter = self.render_mail(template_prefix, email, {"email": email, "current_site": site, **context})
        letter.extra_headers["Auto-Submitted"] = "auto-generated"
        # In the background, so that the page answers as fast for an address that gets no letter.
        send_in_background(letter)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """From the one configured origin, whatever Host the request named."""
        path = reverse("account_confirm_email", args=[emailconfirmation.key])
        return f"{settings.SITE_ORIGIN}{path}"

    def get_reset_password_from_key_url(self, key: str) -> str:
        """From the one configured origin, whatever Host the request named."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return str(settings.SITE_ORIGIN) + path.replace("UID-KEY", key)


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth carries no types
    """Second factors carry the site's name."""

    def get_totp_issuer(self) -> str:
        """What the authenticator app shows."""
        return str(settings.SITE_NAME)
