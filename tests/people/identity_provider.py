"""The sign-in provider of tests, which is allauth's OpenID Connect provider in a process of its own.

Run as `python tests/people/identity_provider.py PORT DATABASE CALLBACK…`. The server knows a few people and one client.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import requests

CLIENT, SECRET, PASSWORD = "common-ground", "between-us-two-alone", "another-quiet-morning"
#: People in the directory, with the value of `email_verified`. None means that the provider leaves it out, as Entra ID
#: does.
PEOPLE = {
    "amina@larkhaven.example": True,
    "vera@larkhaven.example": True,
    "ben@westmarch.example": True,
    "eddie@larkhaven.example": False,
    "una@larkhaven.example": None,
    "guest@elsewhere.example": None,
}


@contextmanager
def running(database: Path, *callbacks: str) -> Iterator[str]:
    """Yield the URL of a provider that runs during the test.

    The provider redirects people back to the given callback addresses.
    """
    # A copy of tests.support.ports.reserved_port, which this file cannot import when it runs alone.
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
        process = subprocess.Popen([sys.executable, __file__, str(port), str(database), *callbacks])
        try:
            yield _wait_until_ready(f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()
            process.wait()


def _wait_until_ready(address: str, process: subprocess.Popen[bytes]) -> str:
    """Wait until the provider answers, which takes a few seconds, and return its address."""
    end = time.monotonic() + 120
    while True:
        try:
            requests.get(f"{address}/.well-known/openid-configuration", timeout=30).raise_for_status()
        except requests.ConnectionError:
            assert process.poll() is None, "The provider did not start."
            assert time.monotonic() < end, "The provider did not start within two minutes."
            time.sleep(0.1)
        else:
            return address


class Quiet(WSGIRequestHandler):
    """A request handler that does not log requests."""

    def log_message(self, *args: object) -> None:
        """Log nothing."""


def serve(port: int, database: str, callbacks: list[str]) -> None:
    """Set up a Django instance with a separate database, and serve it.

    Everything of Django and allauth is imported after the settings, because this runs in a process of its own.
    """
    configure(database)
    add_people()
    add_client(callbacks)

    from django.core.wsgi import get_wsgi_application

    with make_server("127.0.0.1", port, get_wsgi_application(), handler_class=Quiet) as server:
        server.serve_forever()


def new_private_key() -> str:
    """Return a new RSA key, with which the provider signs its tokens."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def configure(database: str) -> None:
    """Configure Django for this database, and create its tables."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure(
        DEBUG=False,
        SECRET_KEY="of-the-provider",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "allauth",
            "allauth.account",
            "allauth.idp.oidc",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "allauth.account.middleware.AccountMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
            }
        ],
        AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
        ACCOUNT_LOGIN_METHODS={"email"},
        ACCOUNT_SIGNUP_FIELDS=["email*", "password1*"],
        ACCOUNT_EMAIL_VERIFICATION="none",
        # The tests of a module sign in from one address, more often than the usual 30 times a minute.
        ACCOUNT_RATE_LIMITS=False,
        LOGIN_REDIRECT_URL="/",
        IDP_OIDC_PRIVATE_KEY=new_private_key(),
        IDP_OIDC_ADAPTER=f"{__name__}.adapter",
    )
    django.setup()
    call_command("migrate", verbosity=0)


def add_people() -> None:
    """Create the people who can sign in, with one address each."""
    from allauth.account.models import EmailAddress
    from django.contrib.auth.models import User

    for email, is_verified in PEOPLE.items():
        person = User.objects.create_user(email, email, PASSWORD)
        EmailAddress.objects.create(user=person, email=email, verified=bool(is_verified), primary=True)


def add_client(callbacks: list[str]) -> None:
    """Register Common Ground as a client, which may receive people at these addresses."""
    from allauth.idp.oidc.models import Client

    client = Client(id=CLIENT, name="Common Ground", skip_consent=True)
    client.set_secret(SECRET)
    client.set_scopes(["openid", "email", "profile"])
    client.set_redirect_uris(callbacks)
    client.set_grant_types([Client.GrantType.AUTHORIZATION_CODE])
    client.set_response_types([Client.ResponseType.CODE])
    client.save()


def adapter() -> object:
    """Return allauth's adapter, which leaves out `email_verified` if `PEOPLE` has None."""
    from allauth.idp.oidc.adapter import DefaultOIDCAdapter

    class Adapter(DefaultOIDCAdapter):  # type: ignore[misc]  # allauth carries no types
        """Leaves out `email_verified`, as Entra ID does."""

        def get_claims(self, purpose: str, user: object, *args: object, **kwargs: object) -> dict[str, object]:
            """Return the claims about a person."""
            claims: dict[str, object] = super().get_claims(purpose, user, *args, **kwargs)
            if PEOPLE.get(str(claims.get("email"))) is None:
                claims.pop("email_verified", None)
            return claims

    return Adapter()


def __getattr__(name: str) -> object:
    """Return the URL patterns, made late because Django's models must be ready."""
    if name != "urlpatterns":
        raise AttributeError(name)
    from django.urls import include, path

    return [path("", include("allauth.idp.urls")), path("accounts/", include("allauth.account.urls"))]


if __name__ == "__main__":
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    serve(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
