"""Signed tokens in the forms behind links. Each token is for one person, plan and version.

A token contains a random key. A form that is sent twice has the same key both times, so it makes only one answer.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.core import signing

#: The time for which a token is valid, which is as long as the link to the page with the form.
LIFETIME = dt.timedelta(days=30)
_SALT = "answers.form"


class BadForm(Exception):
    """The token is invalid, too old, or for another person, plan or version."""


@dataclass(frozen=True, slots=True)
class FormSubject:
    """The person whose form it is, and the plan and version that the form is for."""

    person_id: int
    plan_id: int
    version_number: int

    def as_list(self) -> list[int]:
        """Return the ids in the order of a token."""
        return [self.person_id, self.plan_id, self.version_number]


def make_form_token(subject: FormSubject) -> str:
    """Return a token for one form, with a new key."""
    return signing.dumps([*subject.as_list(), uuid.uuid4().hex], salt=_SALT)


def read_form_token(token: str, subject: FormSubject) -> uuid.UUID:
    """Return the key in a form's token. Raises `BadForm`."""
    try:
        *ids, key_text = signing.loads(token, salt=_SALT, max_age=LIFETIME)
        key = uuid.UUID(key_text)
    except (signing.BadSignature, ValueError) as error:
        raise BadForm from error
    if ids != subject.as_list():
        raise BadForm
    return key
