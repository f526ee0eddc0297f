"""Every page has a link to a topic of the help, and every topic a link to a page of the documentation."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from django.conf import LazySettings, settings
from django.test import Client
from django.urls import get_resolver, reverse
from docutils.nodes import make_id

from partnerships.web.page_help import BY_KEY, BY_ROOM, GROUPS, TOPICS, topic_of
from tests.support.prepared import ROWS

DOCS = Path(settings.BASE_DIR) / "docs"
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def names_of_pages() -> set[str]:
    """Return the names of the URLs in the access table that answer GET."""
    return {row.name for row in ROWS if row.get is not None}


def names_of_urls() -> set[str]:
    """Return the names of URLs of packages with separate pages: signing in, second factors, sessions."""
    return {name for name in get_resolver().reverse_dict if isinstance(name, str)}


def test_every_page_has_help_of_its_own() -> None:
    assert {name for name in names_of_pages() if topic_of(name) is None} == set()
    assert names_of_pages() - {view for topic in TOPICS for view in topic.views.split()} == set()


def test_every_room_has_help() -> None:
    rooms = {name.partition(":")[0] for name in names_of_pages()}

    assert rooms - set(BY_ROOM) == set()
    assert topic_of("admin:organisations_organisation_changelist") is topic_of("people:leaver")


def test_no_page_has_two_topics_and_no_topic_a_page_that_does_not_exist() -> None:
    view_names = [view for topic in TOPICS for view in topic.views.split()]

    assert [view for view, count in Counter(view_names).items() if count > 1] == []
    assert {view for view in view_names if view not in names_of_pages() | names_of_urls() and ":" not in view} == set()
    posted = {row.name for row in ROWS}
    assert {view for view in view_names if ":" in view and view not in posted} == {"web:page-help"} - posted
    assert len({topic.key for topic in TOPICS}) == len(TOPICS)


def test_every_topic_leads_to_a_heading_of_the_documentation() -> None:
    broken = []
    for topic in TOPICS:
        page, _, heading = topic.guide.partition("#")
        file = DOCS / f"{page.rstrip('/')}.md"
        if not file.exists() or (heading and heading not in map(make_id, _HEADING.findall(file.read_text("utf-8")))):
            broken.append((topic.key, topic.guide))

    assert broken == []


@pytest.mark.parametrize("key", ["surveys", "answer-a-survey"])
def test_help_about_surveys_says_who_reads_answers_by_name(key: str) -> None:
    assert any("by name" in line and "once" in line and "read" in line for line in BY_KEY[key].who)


def test_help_is_read_signed_out_and_says_what_the_page_does_and_who_may_do_what(client: Client) -> None:
    page = " ".join(client.get(reverse("web:page-help", args=["sign-terms"])).content.decode().split())

    assert "This page shows the version that needs signatures" in page
    assert "Leads of the organisation that signed" in page
    assert "/docs/" not in page, "In tests, the documentation counts as not built."
    assert client.get(reverse("web:page-help", args=["no-such-thing"])).status_code == 404


@pytest.mark.django_db
def test_every_page_leads_to_its_help(client: Client, settings: LazySettings, tmp_path: Path) -> None:
    settings.WHITENOISE_ROOT = str(tmp_path)
    general, login, missing = (
        client.get(path).content.decode() for path in ("/help/", "/accounts/login/", "/nothing/")
    )

    assert f'<a href="{reverse("web:page-help", args=["sign-in"])}">Help with this page</a>' in login
    assert f'<a href="{reverse("web:help")}">Help with this page</a>' in missing
    for group in GROUPS:
        for topic in group.topics:
            assert f'<a href="{reverse("web:page-help", args=[topic.key])}">{topic.title}</a>' in general
    assert '<a href="/docs/">Documentation</a>' in login
