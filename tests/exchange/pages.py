"""Pages of asks and offers, for tests."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from partnerships.people.models import User
from tests.support.signing_in import signed_in


def page_text(user: User, name: str, query: str = "", **kwargs: Any) -> str:
    """Return the text of a page as the person sees it."""
    response = signed_in(user).get(reverse(f"exchange:{name}", kwargs=kwargs) + query)
    content = b"".join(response.streaming_content) if response.streaming else response.content
    assert response.status_code == 200
    return content.decode()
