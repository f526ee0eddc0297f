"""`make files`: writes files.md, numbers.md and words.md in docs/reference from modules and templates.

`python -m tools.file_pages --check` fails if one of them says something else. The first lists every module, page and
email with what it is or says, and every choice. The second lists limits, ages and intervals, and the limits of forms.
The third lists sentences that people read.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from itertools import dropwhile, takewhile
from pathlib import Path

from tools.limits import limited_fields, named_numbers
from tools.module_words import description
from tools.page_words import TEMPLATES, as_cell, described_emails, described_templates
from tools.sentences import words_page

BASE_DIR = Path(__file__).resolve().parent.parent
ROOMS = BASE_DIR / "partnerships"
STATIC = BASE_DIR / "static"
TESTS = BASE_DIR / "tests"
FILES = BASE_DIR / "docs" / "reference" / "files.md"
NUMBERS = BASE_DIR / "docs" / "reference" / "numbers.md"
WORDS = BASE_DIR / "docs" / "reference" / "words.md"
#: Rooms with a page of docs under another name. `docs/<room>.md` is found without an entry here.
_PAGES = {
    "agreements": "partnerships",
    "housing_figures": "data-sources",
    "kit": "ui",
    "open_data": "open-data",
    "people": "accounts",
    "reports": "reports-room",
    "search": "how-search-works",
    "transfer": "importing",
}
FILES_HEAD = """\
# Every module and page in a sentence

Search this page for the words that you see on the screen, or for what you want to change. `make files` writes it. For
each room it has one sentence, a link to its page of the documentation if there is one, and two tables:

* its files: modules with the first sentence of their docstring, the labels and buttons of their forms, the headings
  of their columns, and what pages call their emails; templates with their title, headings, buttons, tabs, tags and
  labels of facts ("…" stands for what varies); emails with their subject;
* its choices with their labels, such as statuses and kinds.

At the end are [pages of no room](#pages-of-no-room), [scripts and stylesheets](#scripts-and-stylesheets),
[tools](#tools-of-developers), [helpers of tests](#helpers-of-tests) and [benchmarks](#benchmarks).

Not here: hints, errors and other [sentences](words.md), [limits](numbers.md) and
[tasks](../how-to/where-do-i-change.md), which have pages of their own."""
HELPERS_HEAD = """\
Modules in `tests/` that are no tests themselves. `tests/ROOM/access.py` (who may open each page) and
`tests/ROOM/rights.py` (who may call each service) are in most rooms, and are left out here."""
#: Modules of tests that are not in the table of helpers: fixtures, and the two tables of each room.
_NOT_HELPERS = {"__init__.py", "conftest.py"}
_TABLES_OF_ROOMS = {"access.py", "rights.py"}
#: Headings of the table of rooms, with the files or folders that each is about.
KINDS = {
    "models": ("models",),
    "rights": ("rights", "routes"),
    "services": ("services",),
    "forms": ("forms", "succession_forms"),
    "views": ("views",),
    "queries": ("queries",),
    "columns of lists": ("listing", "columns", "bulk"),
    "words outside templates": (
        "presenting",
        "wording",
        "sections",
        "event_kinds",
        "follower_notices",
        "downloads",
        "statements",
    ),
    "emails": ("emails", "email_kinds"),
    "personal data, retention": ("personal", "retention", "data_rules", "registrations"),
    "admin, metrics": ("admin", "metrics"),
}
NUMBERS_HEAD = """\
# Limits, ages and intervals

Search this page for a number, a name or a word. `make files` writes it. For each room it has two tables:

* the numbers and lengths of time at the top of modules, with their comments;
* the fields of forms with a longest text, or a smallest and largest number. The service often has the same limit,
  and so does the field of the model: change all three.

Not here: limits of models alone (`max_length` in the room's `models`), and [settings](settings.md).
[Safety](../safety.md#limits) says why there are limits, [privacy](../privacy.md) how long personal data is kept."""


def modules(folder: Path) -> list[Path]:
    """Return the modules below a folder that have text, without migrations. Packages are before their modules."""
    paths = [path for path in folder.rglob("*.py") if "migrations" not in path.parts and path.stat().st_size]
    return sorted(paths, key=lambda path: (path.parent, path.name != "__init__.py", path.name))


def folders() -> list[Path]:
    """Return the rooms in the order of their names, then the Django project."""
    rooms = sorted(path for path in ROOMS.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))
    return [*rooms, BASE_DIR / "housing"]


def files_page() -> str:
    """Return the text of docs/reference/files.md."""
    lines = [FILES_HEAD, "", "## What is where in each room", ""]
    lines += [f"| room | {' | '.join(KINDS)} |", "|---|" + "---|" * len(KINDS)]
    lines += [_row_of_kinds(folder) for folder in folders() if folder.parent == ROOMS]
    for folder in folders():
        # The room's own `__init__.py` has the sentence above the table, and `apps.py` is the same in every room.
        said_or_alike = {folder / "__init__.py", folder / "apps.py"}
        described = [(path, description(path)) for path in modules(folder) if path not in said_or_alike]
        described += described_templates(TEMPLATES / folder.name)
        described += described_emails(TEMPLATES / "emails" / folder.name)
        lines += ["", f"## {folder.name}", "", _sentence_about(folder), "", *_table_of_files(described)]

        rows_of_choices = [
            f"| `{name}` in `{_path(path)}` | {as_cell(', '.join(f'“{label}”' for label in labels))} |"
            for path in modules(folder)
            for name, labels in labels_of_choices(path.read_text(encoding="utf-8"))
        ]
        if rows_of_choices:
            lines += ["", "| choices | labels |", "|---|---|", *rows_of_choices]

    folder_names = {folder.name for folder in folders()} | {"emails"}
    other_folders = [
        folder for folder in sorted(TEMPLATES.iterdir()) if folder.is_dir() and folder.name not in folder_names
    ]
    described = described_templates(TEMPLATES, recursive=False)
    described += [row for folder in other_folders for row in described_templates(folder)]
    lines += ["", "## Pages of no room", "", *_table_of_files(described)]

    described = [
        (path, _first_comment(path)) for path in sorted([*STATIC.glob("js/*.js"), *STATIC.glob("scss/*.scss")])
    ]
    lines += ["", "## Scripts and stylesheets", "", *_table_of_files(described)]

    described = [(path, description(path)) for path in modules(BASE_DIR / "tools")]
    lines += ["", "## Tools of developers", "", *_table_of_files(described)]

    described = [(path, description(path)) for path in helpers_of_tests()]
    lines += ["", "## Helpers of tests", "", HELPERS_HEAD, "", *_table_of_files(described)]

    described = [(path, description(path)) for path in modules(BASE_DIR / "benchmarks")]
    lines += ["", "## Benchmarks", "", *_table_of_files(described)]
    return "\n".join(lines) + "\n"


def helpers_of_tests() -> list[Path]:
    """Return the modules in tests/ that are no tests, without fixtures and the rooms' tables of access and rights.

    Those of all rooms are first: modules in tests/ itself, then in tests/support/.
    """
    support = TESTS / "support"
    paths = [
        path
        for path in [*TESTS.glob("*.py"), *TESTS.glob("*/*.py")]
        if not path.name.startswith("test_")
        and path.name not in _NOT_HELPERS
        and (path.parent == support or path.name not in _TABLES_OF_ROOMS)
    ]
    return sorted(paths, key=lambda path: (path.parent != TESTS, path.parent != support, path))


def _sentence_about(folder: Path) -> str:
    """Return what a room contains, from the docstring of its package, with a link to its page of docs."""
    sentence = description(folder / "__init__.py")
    page = f"{_PAGES.get(folder.name, folder.name)}.md"
    if (BASE_DIR / "docs" / page).exists():
        sentence += f"\nDocumentation: [{page}](../{page})."
    return sentence


def _first_comment(path: Path) -> str:
    """Return the first comment of a script or stylesheet, which may have several lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comment_lines = list(takewhile(_is_comment, dropwhile(lambda line: not _is_comment(line), lines)))
    return as_cell(" ".join(line.lstrip("/ ") for line in comment_lines))


def _is_comment(line: str) -> bool:
    return line.startswith("//")


def _table_of_files(described: list[tuple[Path, str]]) -> list[str]:
    """Return the lines of a table of files, without files that have no description."""
    rows = [f"| `{_path(path)}` | {words} |" for path, words in described if words]
    return ["| file | contents |", "|---|---|", *rows]


def _row_of_kinds(room: Path) -> str:
    """Return the files of a room by what they hold, named from the room's folder."""
    cells = []
    for stems in KINDS.values():
        paths = [room / name for stem in stems for name in (stem, f"{stem}.py") if (room / name).exists()]
        cells.append(", ".join(f"`{path.name}{'/' if path.is_dir() else ''}`" for path in paths))
    return f"| [{room.name}](#{room.name}) | {' | '.join(cells)} |"


def labels_of_choices(source: str) -> Iterator[tuple[str, list[str]]]:
    """Return each class of choices in a module with its labels, except kinds of event, which are too many."""
    for node in ast.parse(source).body:
        if not isinstance(node, ast.ClassDef) or node.name == "EventKind":
            continue
        if any(ast.unparse(base).endswith(("TextChoices", "IntegerChoices")) for base in node.bases):
            values = [statement.value for statement in node.body if isinstance(statement, ast.Assign)]
            labels = [value.elts[-1] for value in values if isinstance(value, ast.Tuple)]
            yield node.name, [str(label.value) for label in labels if isinstance(label, ast.Constant)]


def numbers_page() -> str:
    """Return the text of docs/reference/numbers.md."""
    lines = [NUMBERS_HEAD]
    for folder in folders():
        number_rows: list[str] = []
        field_rows: list[str] = []
        for path in modules(folder):
            source = path.read_text(encoding="utf-8")
            location = f"in `{_path(path)}`"
            number_rows += [
                f"| `{number.name}` {location} | `{number.value}` | {number.comment} |"
                for number in named_numbers(source)
            ]
            field_rows += [f"| `{field.name}` {location} | {field.limits} |" for field in limited_fields(source)]

        if number_rows or field_rows:
            lines += ["", f"## {folder.name}"]
        if number_rows:
            lines += ["", "| name and file | now | what it is |", "|---|---|---|", *number_rows]
        if field_rows:
            lines += ["", "| field of a form, and file | limits |", "|---|---|", *field_rows]
    return "\n".join(lines) + "\n"


def _path(path: Path) -> str:
    return path.relative_to(BASE_DIR).as_posix()


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them with --check, and return how many differ."""
    differing = 0
    words = words_page((folder, modules(folder)) for folder in folders())
    for path, text in ((FILES, files_page()), (NUMBERS, numbers_page()), (WORDS, words)):
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if "--check" in arguments:
            differing += 1
            sys.stderr.write(f"{_path(path)} differs from the modules: run `make files`.\n")
        else:
            path.write_text(text, encoding="utf-8")
    return differing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
