"""Whatever is sent to a form, the answer is a page and never an error.

Property tests over every form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.access import Row
from tests.support.crawling import forms_of
from tests.support.prepared import ROWS, media_root, world
from tests.test_access import visit, visitors
from tests.world import World

__all__ = ["media_root", "visit", "visitors", "world"]

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

#: The first persona of these that may send a form sends it.
SENDERS = ("lead", "administrator", "signed_out")
FORMS = [row for row in ROWS if row.post is not None]

#: Values that broke other forms, besides those of Hypothesis.
ODD = (
    "",
    " ",
    "-1",
    "0",
    "9" * 25,
    "1e400",
    "NaN",
    "٣",
    "0000-00-00",
    "2027-02-30",
    "99999-01-01",
    "\x00",
    "\ud83d".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
    "x" * 5_000,
    "=1+1",
    "{}",
    "[1]",
    "null",
    "https://",
    "a@b",
    "../../etc/passwd",
    "<script>alert(1)</script>",
)
VALUES = st.one_of(
    st.sampled_from(ODD),
    st.text(max_size=40),
    st.integers().map(str),
    st.dates().map(str),
    st.lists(st.sampled_from(ODD), max_size=3),
)


def sender(row: Row) -> str:
    """Return the first persona who may send this form."""
    assert row.post is not None
    return next((one for one in SENDERS if row.post[one] in {200, 302, 422}), "lead")


@pytest.mark.parametrize("row", FORMS, ids=lambda row: f"{row.name}{row.query}")
def test_no_form_fails_whatever_is_sent(row: Row, world: World, visit: Callable[[str], Client]) -> None:
    client = visit(sender(row))
    address = reverse(row.name, kwargs=row.on(world)) + row.query
    names = set(row.data(world))
    if row.get is not None:
        names |= {name for form in forms_of(client.get(address).content) for name in form.fields}
    names -= {"csrfmiddlewaretoken"}
    given_names = sorted(names) or ["reason", "text"]

    @settings(max_examples=4)
    @given(data=st.fixed_dictionaries({}, optional=dict.fromkeys(given_names, VALUES)))
    def sent(data: dict[str, Any]) -> None:
        with transaction.atomic():
            status = client.post(address, data).status_code
            transaction.set_rollback(True)
        assert status < 500

    sent()
