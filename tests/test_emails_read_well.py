"""Every kind of email, as somebody reads it who was not there.

The subject says what happened and where, the first line says what it means, and there is at most one button.
"""

from __future__ import annotations

import os
import re
from html import unescape
from pathlib import Path

import pytest
from allauth.socialaccount.models import SocialApp
from django.conf import settings
from django.core import mail

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Conversation
from partnerships.exchange.models import Entry
from partnerships.lists.models import SavedView
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan
from tests.support.outbox import deliver, drop_emails
from tests.telling import answers, lower_rooms, terms, upper_rooms
from tests.telling.case import CASES
from tests.world import World

__all__ = ["answers", "lower_rooms", "terms", "upper_rooms"]  # they fill the table

#: The colour of buttons; links have another.
_BUTTON = re.compile(r"<a[^>]*background(?:-color)?: ?#00665e", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s\"<>]+")
#: Subjects that need no name: about the reader's own account or email, on this site.
_ABOUT_THE_READER = {
    "We could not use your email",
    "Your password was changed",
    "Your second factor has been removed",
}


def names() -> list[str]:
    """What records are called, and the site."""
    found = [settings.SITE_NAME]
    for model, field in (
        (Partnership, "title"),
        (Plan, "title"),
        (Entry, "title"),
        (Organisation, "name"),
        (User, "name"),
        (User, "email"),
        (SavedView, "name"),
        (SocialApp, "name"),
    ):
        found += model._default_manager.exclude(**{field: ""}).values_list(field, flat=True)
    found += [text[:60] for text in Commitment.objects.values_list("text", flat=True)]
    return found + [subject[:60] for subject in Conversation.objects.values_list("subject", flat=True)]


def first_line(text: str) -> str:
    """The first paragraph after the greeting."""
    paragraphs = [part.strip() for part in text.split("\n\n") if part.strip()]
    return " ".join((paragraphs[1] if paragraphs[0].startswith("Hello") else paragraphs[0]).split())


@pytest.mark.parametrize("name", [name for name, one in CASES.items() if one.told])
def test_email_says_what_and_where_and_has_one_button(world: World, name: str) -> None:
    act = CASES[name].prepare(world)
    drop_emails()
    mail.outbox.clear()
    known = names()
    act()
    known += names()

    emails = deliver()

    assert emails
    for email in emails:
        html = str(email.alternatives[0][0]) if email.alternatives else ""  # emails of django-allauth are text
        if folder := os.environ.get("LOOK"):
            address = email.to[0].partition("@")[0]
            said = f"Subject: {email.subject}\n\n{email.body}"
            Path(folder, f"{name}-{address}.txt").write_text(said)
            Path(folder, f"{name}-{address}.html").write_text(html)
        assert any(one in email.subject for one in known) or email.subject in _ABOUT_THE_READER, email.subject
        assert not email.subject.endswith((":", ","))
        line = first_line(email.body)
        assert len(line.split()) >= 4, line
        assert line[0].isupper() or not line[0].isalpha(), line
        assert len(_BUTTON.findall(html)) <= 1
        assert not html or set(_ADDRESS.findall(email.body)) == set(_ADDRESS.findall(unescape(html))), email.subject
        assert "  ." not in email.body
        assert " ." not in " ".join(email.body.split()), email.body
