"""The documentation names only files, pages, settings and commands that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

ROOT = Path(settings.BASE_DIR)
PAGES = sorted([*ROOT.glob("docs/**/*.md"), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"))])
TASKS = ROOT / "docs" / "how-to" / "where-do-i-change.md"
#: The top folders of the repository. Other texts with a slash, such as `plans/queries.py`, are not checked.
TOP = sorted(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
#: Names and the file that has them, such as "`TENURES`, `NEEDS` in `partnerships/plans/content/vocabulary.py`".
_NAMES_IN_A_FILE = re.compile(r"((?:`[\w.]+`(?:, | and | or )?)+) in\s+`([\w/.]+\.\w+)`")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_BESIDE_A_FENCE = re.compile(r"^[ ]*```(?![a-z]*$).+$", re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def text_of(page: Path) -> str:
    """Return the page without its blocks of code."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def named_paths(page: Path) -> list[str]:
    """Return every path in backticks that begins with a top folder. A path with `{a,b}` becomes two paths.

    Patterns (`tests/<room>/access.py`), built files and `var/` are left out.
    """
    paths = []
    for code in _CODE.findall(text_of(page)):
        path = code.strip().split(":")[0]
        if path.split("/")[0] in TOP and "/" in path and not re.search(r"[<>*… ]|[A-Z]{4,}", path):
            paths += list(_expanded(path))
    return [path for path in paths if not path.startswith(("static/build", "static/dist", "var/"))]


def _expanded(path: str) -> Iterator[str]:
    """Yield the paths that a path with `{a,b}` means."""
    options = re.search(r"\{([^}]*)\}", path)
    if options is None:
        yield path
        return
    for option in options[1].split(","):
        yield from _expanded(path[: options.start()] + option + path[options.end() :])


def anchor(heading: str) -> str:
    """Return the anchor that code hosts give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", "")).replace(" ", "-")


@pytest.mark.parametrize("doc", PAGES, ids=lambda doc: str(doc.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(doc: Path) -> None:
    broken = []
    for target in _LINK.findall(text_of(doc)):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, fragment = target.partition("#")
        file = (doc.parent / path).resolve() if path else doc
        if not file.exists():
            broken.append(f"{target}: no such file")
        elif fragment and fragment not in map(anchor, _HEADING.findall(file.read_text(encoding="utf-8"))):
            broken.append(f"{target}: no such heading")

    assert not broken, f"{doc.relative_to(ROOT)}: {broken}"


@pytest.mark.parametrize("doc", PAGES, ids=lambda doc: str(doc.relative_to(ROOT)))
def test_every_path_named_in_a_page_exists(doc: Path) -> None:
    missing = [path for path in named_paths(doc) if not (ROOT / path).exists()]

    assert not missing, f"{doc.relative_to(ROOT)} names files that are not there (moved?): {missing}"


@pytest.mark.parametrize("doc", PAGES, ids=lambda doc: str(doc.relative_to(ROOT)))
def test_a_file_has_every_name_that_a_page_looks_for_in_it(doc: Path) -> None:
    names_and_paths = [
        (name.rpartition(".")[2], path)
        for names, path in _NAMES_IN_A_FILE.findall(text_of(doc))
        for name in _CODE.findall(names)
        if (ROOT / path).is_file()
    ]
    missing = [(name, path) for name, path in names_and_paths if name not in (ROOT / path).read_text(encoding="utf-8")]

    assert not missing, f"{doc.relative_to(ROOT)} looks for names in files that no longer have them: {missing}"


def test_no_command_is_on_the_line_that_opens_a_block_of_code() -> None:
    hidden_lines = {page.name: _BESIDE_A_FENCE.findall(page.read_text(encoding="utf-8")) for page in PAGES}

    assert {name: lines for name, lines in hidden_lines.items() if lines} == {}


def test_every_page_is_reached_from_the_index() -> None:
    reached_pages = set()
    pages_to_read = [ROOT / "docs" / "index.md"]
    while pages_to_read:
        page = pages_to_read.pop()
        if page in reached_pages:
            continue
        reached_pages.add(page)
        links = (target.partition("#")[0] for target in _LINK.findall(text_of(page)))
        pages_to_read += [
            (page.parent / path).resolve() for path in links if path.endswith(".md") and "://" not in path
        ]

    assert set(PAGES) - reached_pages == set()


def test_every_command_that_a_page_shows_exists() -> None:
    commands = set(get_commands())
    commands_in_pages = {
        (page.name, command)
        for page in PAGES
        for command in re.findall(r"manage\.py (?:\[?--\S+ )*([a-z][a-z_]+)", page.read_text(encoding="utf-8"))
    }

    assert {(page, command) for page, command in commands_in_pages if command not in commands} == set()


def test_the_reference_of_commands_has_every_command_of_ours() -> None:
    reference = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    own_commands = {name for name, app in get_commands().items() if app.startswith(("partnerships.", "housing"))}

    assert {name for name in own_commands if not re.search(rf"^\| `{name}\b", reference, re.MULTILINE)} == set()


def test_every_make_target_that_a_page_shows_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    targets_in_pages = {
        (page.name, target)
        for page in PAGES
        for target in re.findall(r"`(?:\w+=\S+ )*make ([a-z-]+)", page.read_text(encoding="utf-8"))
    }

    assert {(page, target) for page, target in targets_in_pages if target not in targets} == set()
