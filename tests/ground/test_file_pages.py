"""The generated pages that list modules, pages of the site and numbers agree with the files."""

from __future__ import annotations

from pathlib import Path

from tools.file_pages import (
    BASE_DIR,
    files_page,
    folders,
    helpers_of_tests,
    labels_of_choices,
    modules,
    numbers_page,
)
from tools.limits import LimitedField, NamedNumber, limited_fields, named_numbers
from tools.module_words import description
from tools.page_words import described_templates
from tools.sentences import sentences_of_module, sentences_of_template, words_page

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

MODULE = '''
"""The homes of a plan are counted here."""

HINT = "Choose one of the plans"
BRIEF = "Choose one"


def refuse(plan, count):
    """Say why this plan is refused."""
    log.warning("a plan was not accepted here")
    if count < 0:
        raise RuntimeError("nobody but a developer sees this")
    cursor.execute("SELECT id FROM plan WHERE title IS NULL")
    classes = "govuk-button govuk-button--warning cg-plan cg-plan--small"
    raise UnableToCount(
        f"{plan.title} has {count} homes, and no more than {'one more home can go' if count else '9'} in. "
        "Ask its lead to add them."
    )
'''

LISTING = '''
"""The list of plans."""

COLUMNS = (
    Column(name="title", label="Plan", value=lambda row: row.title),
    organisation_column(name="owner", label="Owner", value=lambda row: row.owner.name),
    Column("Homes", Kind.NUMBER),
    Column("code", (r"gsscode",), "GSS code"),
    column("lat", "Latitude", "y", example="50.85"),
    partnership_column("plan.partnership"),
    Column("plans.Share.shown_for", "plan"),
)
EMAILS = (PersonEmail("plans.share", "Draft shared with you", write_share),)
'''

TEMPLATE = """
{# Context: the plan that is shown. #}
{% empty_state "No homes have been added yet." %}
<p class="govuk-body">
  Only {{ lead }} can add <strong>homes to this plan</strong>. Ask them
  {% if is_late %}for an <a href="{% url "plans:help" %}">answer</a>{% endif %} soon, please.
</p>
<p>Not yet</p>
<time>{{ plan.changed_at|date }} {% now "j F Y, H:i" %}</time>
<input class="govuk-input" placeholder="Search for a plan by its title">
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


def test_modules_are_listed_with_headings_of_columns_and_names_of_emails(tmp_path: Path) -> None:
    module = tmp_path / "listing.py"
    module.write_text(LISTING, encoding="utf-8")

    assert description(module) == (
        "The list of plans. Columns: “Plan”, “Owner”, “Homes”, “GSS code”, “Latitude”. Emails: “Draft shared with you”."
    )


def test_templates_are_listed_with_title_headings_and_buttons() -> None:
    words_by_file = {path.name: words for path, words in described_templates(BASE_DIR / "templates" / "agreements")}

    assert words_by_file["status.html"] == "page “Change the status of …”"
    assert words_by_file["members.html"] == "page “Members: …”: “Left or declined”, “Invite an organisation”"
    assert words_by_file["_invitations.html"].startswith("part of `agreements/members.html`: “Pending invitations”")
    assert words_by_file["_groups_section.html"].startswith(
        "part of pages, by a template tag or a view: “Working group”"
    )


def test_templates_are_listed_with_tabs_tags_and_labels_of_facts() -> None:
    words_by_file = {path.name: words for path, words in described_templates(BASE_DIR / "templates" / "agreements")}

    assert "“Overview”, “Objectives”" in words_by_file["_tabs.html"]
    assert "“Personal data”, “No documents yet”" in words_by_file["documents.html"]
    assert "“Legally binding”" in words_by_file["_main_terms.html"]


def test_a_part_is_listed_with_the_pages_that_include_it() -> None:
    words_by_file = {path.name: words for path, words in described_templates(BASE_DIR / "templates" / "web")}

    assert words_by_file["_waiting_list.html"] == "part of `web/home.html`, `web/my_work.html`"


def test_pages_without_a_title_of_their_own_are_listed_with_the_page_that_they_fill() -> None:
    words_by_file = {path.name: words for path, words in described_templates(BASE_DIR / "templates" / "transfer")}

    assert words_by_file["doubt.html"].startswith("page that fills `admin/base_site.html`: “")


def test_every_template_of_pages_is_listed() -> None:
    files = files_page()
    pages = [path.relative_to(BASE_DIR).as_posix() for path in (BASE_DIR / "templates").rglob("*.html")]

    assert [page for page in pages if "/emails/" not in page and f"| `{page}` |" not in files] == []


def test_helpers_of_tests_are_listed_without_tests_fixtures_and_tables_of_rooms() -> None:
    helpers = [path.relative_to(BASE_DIR).as_posix() for path in helpers_of_tests()]

    assert {"tests/world.py", "tests/support/access.py", "tests/outbox/mail_server.py"} <= set(helpers)
    assert not {"tests/conftest.py", "tests/plans/access.py", "tests/ground/test_file_pages.py"} & set(helpers)


def test_sentences_of_modules_are_those_that_people_read() -> None:
    assert sentences_of_module(MODULE) == [
        "Choose one of the plans",
        "… has … homes, and no more than … in.",
        "Ask its lead to add them.",
        "one more home can go",
    ]


def test_sentences_of_templates_go_on_across_links_and_gaps() -> None:
    assert sentences_of_template(TEMPLATE) == [
        "Only … can add homes to this plan.",
        "Ask them …for an answer… soon, please.",
        "Search for a plan by its title",
        "No homes have been added yet.",
    ]


def test_long_sentences_of_templates_are_cut() -> None:
    [sentence] = sentences_of_template(f"<p>{'many words ' * 30}</p>")

    assert len(sentence) <= 100
    assert sentence.endswith("many words…")


def test_the_page_of_sentences_names_their_files() -> None:
    words = words_page((folder, modules(folder)) for folder in folders())

    assert "\n## transfer\n" in words
    assert "\ntransfer/services/providers.py: Import the list of councils first: " in words
    assert "\ntemplates/emails/agreements/date_came.txt: " in words
    assert "templates/emails/agreements/date_came.html" not in words
    assert "\ntemplates/503.html: " in words


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
    files = files_page()
    numbers = numbers_page()

    assert "| `partnerships/spreadsheets/reading/cells.py` | " in files
    assert "## transfer\n\nImports of published lists, and network files.\nDocumentation: [importing.md]" in files
    assert "`partnerships/transfer/apps.py`" not in files
    assert "Fields: “What it shows”, “File”. Buttons: “Attach file”. |" in files
    assert "| `AnswerKind` in `partnerships/answers/models/answers.py` | “" in files
    assert "| `templates/emails/answers/unfit.subject.txt` | email “We could not process your email” |" in files
    assert "| `PrepareForm.title` in `partnerships/surveys/forms.py` | `max_length=120` |" in numbers
    assert "| `MAX_DATED` in `partnerships/lists/queries.py` | `1000` | A calendar has" in numbers
