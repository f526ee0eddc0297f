"""Signed tokens in forms behind links: for one person, plan and version.

A form that is sent twice has the same key both times, so it makes one answer.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.core import signing

#: As long as the link to the page with the form.
LIFETIME = dt.timedelta(days=30)
_SALT = "answers.form"


class BadForm(Exception):
    """The token is invalid, too old, or of another person, plan or version."""


@dataclass(frozen=True, slots=True)
class About:
    """Whose form it is, for which plan and version."""

    person_id: int
    plan_id: int
    version_number: int


def make_form_token(about: About) -> str:
    """A token for one form, with a key of its own."""
    said = [about.person_id, about.plan_id, about.version_number, uuid.uuid4().hex]
    return signing.dumps(said, salt=_SALT)


def read_form_token(token: str, about: About) -> uuid.UUID:
    """The key in a form's token. Raises `BadForm`."""
    try:
        *said, key = signing.loads(token, salt=_SALT, max_age=LIFETIME)
        form_key = uuid.UUID(key)
    except (signing.BadSignature, ValueError) as error:
        raise BadForm from error
    if said != [about.person_id, about.plan_id, about.version_number]:
        raise BadForm
    return form_key
