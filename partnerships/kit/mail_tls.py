"""How the mail server's certificate is checked, by EMAIL_CA_FILE and EMAIL_TLS_VERIFY."""

from __future__ import annotations

import ssl

from django.conf import settings


def tls_context() -> ssl.SSLContext:
    """Return the TLS settings for every connection to the mail server.

    The server's certificate must have the server's name, and be signed by an authority of the system or of
    EMAIL_CA_FILE, unless EMAIL_TLS_VERIFY is off.
    """
    context = ssl.create_default_context(cafile=settings.EMAIL_CA_FILE or None)
    if not settings.EMAIL_TLS_VERIFY:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
