"""Read calendar files with Thunderbird's parser, and fetch a person's feed."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.calendars.services import make_address
from partnerships.kit.calendars import CalendarKind
from partnerships.people.models import User
from tools.bootstrap import find_node

_SCRIPT = Path(__file__).parent / "read.mjs"


@dataclass(frozen=True)
class Read:
    """A calendar as another program understands it."""

    method: str
    name: str | None
    zones: list[str]
    events: list[dict[str, Any]]

    def titles(self) -> list[str]:
        """Return the titles of its events."""
        return [event["title"] for event in self.events]

    def one(self, words: str) -> dict[str, Any]:
        """Return the only event with these words in its title."""
        [found] = [event for event in self.events if words in event["title"]]
        return found


def read_all(*texts: bytes) -> list[Read]:
    """Return what ical.js, Thunderbird's parser, makes of these files."""
    node, _ = find_node()
    given = json.dumps([text.decode() for text in texts])
    done = subprocess.run([node, str(_SCRIPT)], input=given, capture_output=True, text=True, check=True)
    return [Read(**entry) for entry in json.loads(done.stdout)]


def address_of(person: User, partnership: Partnership | None = None, *kinds: str) -> str:
    """Return the path of a new feed of the person, with these kinds or all."""
    made = make_address(
        person=person, partnership=partnership, kinds=kinds or CalendarKind.values, author=person, now=timezone.now()
    )
    return reverse("calendars:feed", args=[made.secret])


def feed(path: str) -> Read:
    """Return the feed at a path, fetched without signing in."""
    response = Client().get(path)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    [read] = read_all(response.content)
    return read
