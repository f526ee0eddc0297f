"""The content security policy of every page, and of the documentation, which WhiteNoise serves."""

from __future__ import annotations

from typing import Any
from wsgiref.headers import Headers

from csp.constants import NONCE, NONE, SELF

CONTENT_SECURITY_POLICY: dict[str, dict[str, list[Any]]] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    },
}


def guard_documentation(headers: Headers, path: str, url: str) -> None:
    """Add the policy to a page of the documentation, which WhiteNoise serves outside the middleware that adds it.

    The policy has no nonces here, because nothing in the documentation is inline.
    """
    if not url.startswith("/docs/"):
        return
    directives = CONTENT_SECURITY_POLICY["DIRECTIVES"].items()
    headers["Content-Security-Policy"] = "; ".join(
        f"{name} {' '.join(source for source in sources if source is not NONCE)}" for name, sources in directives
    )
    headers["X-Frame-Options"] = "DENY"
