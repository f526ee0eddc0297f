"""The example for nginx (docs/deploy/nginx.conf) and the pages agree about sizes and hide the same links."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.urls import reverse

from housing.middleware import RequestSizeMiddleware
from partnerships.kit.uploads import MAX_BYTES

EXAMPLE = (settings.BASE_DIR / "docs" / "deploy" / "nginx.conf").read_text()
MEGABYTE = 1024 * 1024
ADDRESSES = {
    "nominations:upload": {"pk": 12, "number": 3},
    "admin:transfer_importrun_add": {},
    "transfer:own-upload": {"pk": 5, "register": "local-plans"},
}


def proxy_limit(path: str) -> int:
    """Return how many bytes the proxy forwards to a page."""
    for pattern, block in re.findall(r"location ~ (\S+) \{(.*?)\}", EXAMPLE, re.DOTALL):
        if re.match(pattern, path):
            return int(re.findall(r"client_max_body_size (\d+)m;", block)[0]) * MEGABYTE
    text_outside_locations = re.sub(r"location [^{]*\{.*?\}", "", EXAMPLE, flags=re.DOTALL)
    return int(re.findall(r"client_max_body_size (\d+)m;", text_outside_locations)[0]) * MEGABYTE


@pytest.mark.parametrize("route", RequestSizeMiddleware.LIMITS_BY_ROUTE)
def test_the_proxy_forwards_files_as_large_as_their_page_accepts(route: str) -> None:
    assert proxy_limit(reverse(route, kwargs=ADDRESSES[route])) == RequestSizeMiddleware.LIMITS_BY_ROUTE[route]


def test_the_proxy_forwards_as_much_as_every_other_page_accepts_and_no_more() -> None:
    assert proxy_limit(reverse("account_login")) == settings.MAX_REQUEST_BYTES
    assert MAX_BYTES < settings.MAX_REQUEST_BYTES, "the largest file of a form, with what the form adds"
