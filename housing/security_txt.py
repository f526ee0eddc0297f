"""`/.well-known/security.txt` (RFC 9116): where to report a vulnerability."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

#: How long the page is valid after each request. RFC 9116 (2.5.5) recommends less than a year.
VALID_FOR = dt.timedelta(days=180)


@login_not_required
@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Return the file with SECURITY_CONTACT, the preferred contact first. Answer 404 if it is not set."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    expires = timezone.now() + VALID_FOR
    lines = [
        *(f"Contact: {contact}" for contact in settings.SECURITY_CONTACT),
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.SITE_ORIGIN}{reverse('security_txt')}",
    ]
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")
