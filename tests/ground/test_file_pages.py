"""The pages that list modules, pages of the site and numbers say what the files say."""

from __future__ import annotations

from tools.file_pages import (
    BASE_DIR,
    LimitedField,
    NamedNumber,
    files_page,
    labels_of_choices,
    limited_fields,
    named_numbers,
    numbers_page,
)
from tools.page_words import described_templates

NUMBERS = """
#: How many at once.
MAX_ROWS, MAX_BYTES = 20, 5 * 1024
_DAY = dt.timedelta(days=1)
MAX_WORDS = 90

#: How long a file is kept.
KEPT = dt.timedelta(days=30)
#: How long its rows are kept.
ROWS_KEPT = dt.timedelta(days=180)
QUOTED = 40  # longer texts are cut

WIDTH = 720
NAME, IS_ON, TITLES = "Larkhaven", True, {1: "one"}
"""

FORMS = """
class TitleForm(forms.Form):
    title = forms.CharField(label="Title", max_length=MAX_TITLE)
    reason = forms.CharField(label="Reason")
    beds = forms.IntegerField(min_value=1, max_value=9)


class Plan(models.Model):
    title = models.CharField(max_length=200)
"""


def test_numbers_and_lengths_of_time_are_listed_with_their_comments() -> None:
    assert list(named_numbers(NUMBERS)) == [
        NamedNumber("MAX_ROWS", "20", "How many at once."),
        NamedNumber("MAX_BYTES", "5 * 1024", "See `MAX_ROWS`, above."),
        NamedNumber("MAX_WORDS", "90", "See `MAX_ROWS`, above."),
        NamedNumber("KEPT", "dt.timedelta(days=30)", "How long a file is kept."),
        NamedNumber("ROWS_KEPT", "dt.timedelta(days=180)", "How long its rows are kept."),
        NamedNumber("QUOTED", "40", "longer texts are cut"),
        NamedNumber("WIDTH", "720", ""),
    ]


def test_fields_of_forms_are_listed_with_their_limits() -> None:
    assert list(limited_fields(FORMS)) == [
        LimitedField("TitleForm.title", "`max_length=MAX_TITLE`"),
        LimitedField("TitleForm.beds", "`min_value=1`, `max_value=9`"),
    ]


def test_templates_are_listed_with_title_headings_and_buttons() -> None:
    words_by_file = {path.name: words for path, words in described_templates(BASE_DIR / "templates" / "agreements")}

    assert words_by_file["status.html"] == "page “Change the status of …”"
    assert words_by_file["members.html"] == "page “Members: …”: “Left or declined”"
    assert words_by_file["_invitations.html"] == "part of `agreements/members.html`: “Pending invitations”"
    assert words_by_file["_groups_section.html"].startswith(
        "part of pages, by a template tag or a view: “Working group”"
    )


def test_choices_are_listed_with_their_labels() -> None:
    choices = """
class Tenure(models.TextChoices):
    RENT = "rent", "Social rent"
    SALE = "sale", "For sale"


class EventKind(models.TextChoices):
    LET = "let", "Let"


class Home(models.Model):
    pass
"""

    assert list(labels_of_choices(choices)) == [("Tenure", ["Social rent", "For sale"])]


def test_pages_name_modules_pages_emails_and_numbers() -> None:
    files, numbers = files_page(), numbers_page()

    assert "| `partnerships/spreadsheets/reading/cells.py` | " in files
    assert "Fields: “What it shows”, “File”. Buttons: “Attach file”. |" in files
    assert "| `AnswerKind` in `partnerships/answers/models/answers.py` | “" in files
    assert "| `templates/emails/answers/unfit.subject.txt` | email “We could not process your email” |" in files
    assert "| `PrepareForm.title` in `partnerships/surveys/forms.py` | `max_length=120` |" in numbers
    assert "| `MAX_DATED` in `partnerships/lists/queries.py` | `1000` | A calendar has" in numbers
