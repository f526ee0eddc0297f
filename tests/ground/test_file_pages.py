"""The pages that list modules, pages of the site and numbers say what the files say."""

from __future__ import annotations

from tools.file_pages import BASE_DIR, files_page, named_numbers, numbers_page, pages

SOURCE = """
#: How many at once.
MAX_ROWS, MAX_BYTES = 20, 5 * 1024

#: How long one is kept.
KEPT = dt.timedelta(days=30)
NAME, IS_ON, TITLES = "Larkhaven", True, {1: "one"}
"""


def test_numbers_and_lengths_of_time_are_listed_with_the_comment_above_them() -> None:
    assert list(named_numbers(SOURCE)) == [
        ("MAX_ROWS", "20", "How many at once."),
        ("MAX_BYTES", "5 * 1024", "How many at once."),
        ("KEPT", "dt.timedelta(days=30)", "How long one is kept."),
    ]


def test_title_of_a_page_shows_every_wording_and_what_varies() -> None:
    titles = {path.name: words for path, words in pages(BASE_DIR / "templates" / "lists")}

    assert titles["save.html"] == "page “Change “…”” / “Save this view”"


def test_pages_name_modules_pages_emails_and_numbers() -> None:
    files, numbers = files_page(), numbers_page()

    assert "| `partnerships/spreadsheets/reading/cells.py` | Reading one cell" in files
    assert "| `templates/emails/answers/unfit.subject.txt` | email “We could not process your email” |" in files
    assert "| `MAX_DATED` in `partnerships/lists/queries.py` | `1000` | A calendar has" in numbers
