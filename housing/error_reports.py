"""Report errors to Sentry, or to GlitchTip, which has the same interface, if SENTRY_DSN is set.

Like an alert by email, a report has the masked error with its traceback, and the page or job. It also has the id of
the request or task in the log. The package's own integrations are off, because they would collect requests, users, SQL
and log lines.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings

from housing import VERSION
from partnerships.kit.late import late
from partnerships.kit.masking import mask_values

if TYPE_CHECKING:
    import sentry_sdk
else:
    sentry_sdk = late("sentry_sdk")


def report_error(error: BaseException, **tags: str) -> None:
    """Report an error with these tags. Never raises and never waits for the server."""
    if settings.SENTRY_DSN:
        _set_up()
        sentry_sdk.capture_exception(error, tags=tags)


@cache
def _set_up() -> None:
    """Set up the package at the first error."""
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=VERSION,
        environment=urlsplit(settings.SITE_ORIGIN).hostname,
        default_integrations=False,
        auto_enabling_integrations=False,
        before_send=_masked,
        include_local_variables=False,
        max_breadcrumbs=0,
        max_request_body_size="never",
        send_default_pii=False,
        auto_session_tracking=False,
        send_client_reports=False,
        propagate_traces=False,
    )


def _masked(event: Any, hint: Any) -> Any:
    """Return the report without email addresses, tokens in links, query strings and values of the database."""
    return mask_values(None, "", event)
