"""Template tags write dates, statuses, tabs and differences in words."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
import time_machine
from django.template import Context, Template
from django.test import RequestFactory
from django.urls import resolve

from partnerships.kit.text import word_differences


def render(source: str, **context: object) -> str:
    """Return the output of a template with the kit's tags loaded."""
    return Template("{% load kit %}" + source).render(Context(context))


@time_machine.travel("2026-11-23 10:00:00+00:00", tick=False)
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ day|long_date }}", "12 November 2026"),
        ("{{ none|long_date }}", ""),
        ("{{ day|age }}", "11 days"),
        ("{{ day|lasting }}", "for 11 days"),
        ("{{ today|lasting }}", "since today"),
        ("{{ none|lasting }}", ""),
        ("{{ day|due }}", "11 days overdue"),
        ("{{ today|due }}", "due today"),
        ("{{ tomorrow|due }}", "due in 1 day"),
        ("{{ summer|long_time }}", "1 July 2026, 00:30"),
    ],
)
def test_dates_and_ages_are_in_words(source: str, words: str) -> None:
    rendered = render(
        source,
        none=None,
        day=dt.date(2026, 11, 12),
        today=dt.date(2026, 11, 23),
        tomorrow=dt.date(2026, 11, 24),
        summer=dt.datetime(2026, 6, 30, 23, 30, tzinfo=dt.UTC),
    )

    assert rendered == words


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["Amina"], "Amina"),
        (["Amina", "Ben"], "Amina and Ben"),
        (["Amina", "Ben", "Chidi"], "Amina, Ben and Chidi"),
        ([], ""),
        (None, ""),
    ],
)
def test_names_in_a_sentence_have_an_and_before_the_last(names: list[str] | None, words: str) -> None:
    assert render("{{ names|and_list }}", names=names) == words


def test_names_in_a_sentence_can_be_an_attribute_and_are_escaped() -> None:
    people = [SimpleNamespace(body=SimpleNamespace(name=name)) for name in ("Larkhaven", "<b>Tidewater</b>")]

    rendered = render('{{ people|and_list:"body.name" }}', people=people)

    assert rendered == "Larkhaven and &lt;b&gt;Tidewater&lt;/b&gt;"


def test_status_is_in_words_and_its_code_gives_the_colour() -> None:
    rendered = render('{% status_tag "At risk" "at_risk" %}')

    assert rendered == '<strong class="govuk-tag cg-tag cg-tag--at-risk">At risk</strong>'


def test_removed_and_added_differ_without_colour() -> None:
    rendered = render('{% was_now "120" "96" %}')

    assert "removed: </span>120" in rendered
    assert "added: </span>96" in rendered


def test_zero_counts_as_an_old_value() -> None:
    assert "added: </span>0" in render("{% was_now was now %}", was="", now=0)


def test_hostile_text_in_a_difference_is_shown_as_text() -> None:
    rendered = render("{% word_diff fragments %}", fragments=word_differences("<b>old</b>", "<i>new</i>"))

    assert "<b>" not in rendered
    assert "<i>" not in rendered


def test_tab_of_the_current_page_is_current() -> None:
    request = RequestFactory().get("/plans/4/")
    tabs = '{% tab "Read" "plans:detail" 4 %}{% tab "History" "plans:history" 4 %}'

    rendered = render('{% tabs "Plan" %}' + tabs + "{% endtabs %}", request=request)

    assert rendered.count('aria-current="page"') == 1
    assert '<a class="moj-sub-navigation__link" href="/plans/4/" aria-current="page">Read</a>' in rendered


def test_the_tab_above_a_page_is_marked_without_being_the_page() -> None:
    request = RequestFactory().get("/partnerships/4/dates/")
    request.resolver_match = resolve("/partnerships/4/dates/")
    tabs = '{% tab "Overview" "agreements:detail" 4 also="agreements:dates" %}{% tab "Terms" "agreements:terms" 4 %}'

    rendered = render('{% tabs "Partnership" %}' + tabs + "{% endtabs %}", request=request)

    assert rendered.count("aria-current") == 1
    assert 'href="/partnerships/4/" aria-current="true">Overview</a>' in rendered


def test_menu_item_without_a_page_is_hidden() -> None:
    assert render('{% nav_item "Reports" "nowhere:index" %}') == ""


@pytest.mark.parametrize(
    ("label", "words"),
    [("Lead", "a lead"), ("Editor", "an editor"), ("Observer", "an observer"), ("Chair", "chair")],
)
def test_role_has_its_article(label: str, words: str) -> None:
    assert render("as {{ label|a_role }}", label=label) == f"as {words}"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari on an iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("curl/8.1", "Unknown browser"),
    ],
)
def test_session_names_its_browser(user_agent: str, words: str) -> None:
    assert render("{{ user_agent|browser }}", user_agent=user_agent) == words
