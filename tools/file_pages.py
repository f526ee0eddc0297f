"""`make files`: writes docs/reference/files.md and docs/reference/numbers.md from modules and pages.

`python -m tools.file_pages --check` fails if one of them says something else. The first lists every module with the
first sentence of its docstring and every page with its title, the second every limit, age and interval that a module
names, with its comment.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
ROOMS = BASE_DIR / "partnerships"
TEMPLATES = BASE_DIR / "templates"
FILES = BASE_DIR / "docs" / "reference" / "files.md"
NUMBERS = BASE_DIR / "docs" / "reference" / "numbers.md"
#: What a number may be made of, besides digits and signs: "dt.timedelta(days=30)", "Decimal('0.5')", "5 * MB".
_CALLS = {"timedelta", "Decimal", "relativedelta", "time"}
_TITLE = re.compile(r"{% block (?:head_)?title %}(.*?){% endblock", re.DOTALL)
_TAG = re.compile(r"{%.*?%}")
_VARIES = re.compile(r"{{.*?}}")
_NAME = re.compile(r"_?[A-Z][A-Z0-9_]{2,}")
#: The longest value that the table shows; longer ones are no plain numbers.
_LONGEST = 80
FILES_HEAD = """\
# Every module and page in a sentence

Search this page for what you want to change; `make files` writes it from docstrings and the titles of pages. Limits,
ages and intervals have [a table of their own](numbers.md); tasks with their files are in
[Where do I change …?](../how-to/where-do-i-change.md).

Partials of pages (`_….html`) have no title: they are beside the pages that include them."""
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
        "telling",
        "downloads",
        "statements",
    ),
    "emails": ("emails", "email_kinds"),
    "personal data, retention": ("personal", "retention", "data_rules", "registrations"),
    "admin, metrics": ("admin", "metrics"),
}
NUMBERS_HEAD = """\
# Limits, ages and intervals

Every number and length of time that a module names, with its comment; `make files` writes this page. Those that
protect the site are explained in [safety](../safety.md#limits), those of personal data in [privacy](../privacy.md).
Settings have [their own page](settings.md)."""


def modules(folder: Path) -> list[Path]:
    """The modules below a folder that have text, without migrations; a package's own comes before what is in it."""
    found = [path for path in folder.rglob("*.py") if "migrations" not in path.parts and path.stat().st_size]
    return sorted(found, key=lambda path: (path.parent, path.name != "__init__.py", path.name))


def folders() -> list[Path]:
    """The rooms in the order of their names, then the Django project."""
    rooms = sorted(path for path in ROOMS.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))
    return [*rooms, BASE_DIR / "housing"]


def files_page() -> str:
    """The text of docs/reference/files.md."""
    lines = [FILES_HEAD, "", "## What is where in each room", ""]
    lines += [f"| room | {' | '.join(KINDS)} |", "|---|" + "---|" * len(KINDS)]
    lines += [_row_of_kinds(folder) for folder in folders() if folder.parent == ROOMS]
    for folder in folders():
        described = [(path, _sentence(path)) for path in modules(folder)]
        described += pages(TEMPLATES / folder.name) + subjects(TEMPLATES / "emails" / folder.name)
        rows = [f"| `{_path(path)}` | {words} |" for path, words in described if words]
        lines += ["", f"## {folder.name}", "", "| file | what it is, or the title of the page |", "|---|---|", *rows]
    names = {folder.name for folder in folders()} | {"emails"}
    others = [folder for folder in sorted(TEMPLATES.iterdir()) if folder.is_dir() and folder.name not in names]
    rows = [f"| `{_path(path)}` | {words} |" for folder in others for path, words in pages(folder)]
    lines += ["", "## Pages of no room", "", "| file | title of the page |", "|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _row_of_kinds(room: Path) -> str:
    """The files of a room by what they hold, named from the room's folder."""
    cells = []
    for stems in KINDS.values():
        there = [room / name for stem in stems for name in (stem, f"{stem}.py") if (room / name).exists()]
        cells.append(", ".join(f"`{path.name}{'/' if path.is_dir() else ''}`" for path in there))
    return f"| [{room.name}](#{room.name}) | {' | '.join(cells)} |"


def pages(folder: Path) -> list[tuple[Path, str]]:
    """The templates in a folder that have a title, with it; "…" stands for what varies."""
    found = [(path, _TITLE.search(path.read_text(encoding="utf-8"))) for path in sorted(folder.rglob("*.html"))]
    return [(path, f"page {_words(title[1])}") for path, title in found if title and title[1].strip()]


def subjects(folder: Path) -> list[tuple[Path, str]]:
    """The subject lines of a room's emails."""
    found = sorted(folder.glob("*.subject.txt"))
    return [(path, f"email {_words(path.read_text(encoding='utf-8'))}") for path in found]


def _words(text: str) -> str:
    """What a template says: the words between its tags, each in quotes, with "…" for what varies."""
    parts = (" ".join(part.split()) for part in _TAG.split(_VARIES.sub("…", text)))
    return _cell(" / ".join(f"“{part}”" for part in parts if part))


def numbers_page() -> str:
    """The text of docs/reference/numbers.md."""
    lines = [NUMBERS_HEAD]
    for folder in folders():
        rows = [
            f"| `{name}` in `{_path(path)}` | `{value}` | {comment} |"
            for path in modules(folder)
            for name, value, comment in named_numbers(path.read_text(encoding="utf-8"))
        ]
        if rows:
            lines += ["", f"## {folder.name}", "", "| name and file | now | what it is |", "|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def named_numbers(source: str) -> Iterator[tuple[str, str, str]]:
    """Name, value and comment of each number or length of time that stands at the top of a module.

    The comment is the one directly above (`#:`), which may be shared by several names.
    """
    lines = source.splitlines()
    shared = ""
    for node in ast.parse(source).body:
        comment = _comment_above(lines, node.lineno)
        shared = comment or (shared if lines[node.lineno - 2].strip() else "")
        match node:
            case ast.Assign(targets=[ast.Name() | ast.Tuple() as target], value=value):
                yield from ((*one, shared) for one in _numbers(target, value))
            case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
                yield from ((*one, shared) for one in _numbers(target, value))


def _numbers(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, str]]:
    """Name and value, also of each of several that are set on one line."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its in zip(target.elts, value.elts, strict=True):
            yield from _numbers(one, its)
    elif isinstance(target, ast.Name) and _NAME.fullmatch(target.id) and _is_number(value):
        text = ast.unparse(value)
        if len(text) <= _LONGEST:
            yield target.id, text


def _is_number(value: ast.expr) -> bool:
    """Whether an expression has a number in it, and nothing but numbers, names and lengths of time."""
    has_number = False
    for node in ast.walk(value):
        match node:
            case ast.Constant(value=bool()):
                return False
            case ast.Constant(value=int() | float()):
                has_number = True
            case ast.Constant(value=str() as text):
                if not re.fullmatch(r"[\d.]+", text):
                    return False
                has_number = True
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                if name not in _CALLS:
                    return False
            case ast.Constant() | ast.Tuple() | ast.List() | ast.Dict() | ast.Set() | ast.Subscript() | ast.Compare():
                return False
    return has_number


def _comment_above(lines: list[str], number: int) -> str:
    """The `#:` comment that ends on the line before this one, as one line."""
    found: list[str] = []
    for line in reversed(lines[: number - 1]):
        if not line.startswith("#"):
            break
        found.insert(0, line.lstrip("#: ").strip())
    return _cell(" ".join(found))


def _sentence(path: Path) -> str:
    """The first line of a module's docstring."""
    words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return _cell(words.partition("\n\n")[0].replace("\n", " "))


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("<", "&lt;")


def _path(path: Path) -> str:
    return path.relative_to(BASE_DIR).as_posix()


def main(arguments: list[str]) -> int:
    """Write both pages, or with --check compare them; returns how many differ."""
    differing = 0
    for path, text in ((FILES, files_page()), (NUMBERS, numbers_page())):
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
