"""Words of templates, for the page that lists every file (`make files`)."""

from __future__ import annotations

import re
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
TEMPLATES = BASE_DIR / "templates"
#: Of the templates that include a partial, this many are named.
_MAX_NAMED = 3

_TITLE = re.compile(r"{% block (?:head_)?title %}(.*?){% endblock", re.DOTALL)
#: Headings, captions, buttons and the labels of facts, which people remember of a page.
_HEADING = re.compile(r"<(h[1-4]|legend|caption|summary|button|th|dt)\b[^>]*>(.*?)</\1>", re.DOTALL)
#: Links that look like buttons.
_LINK_BUTTON = re.compile(r"<a\b[^>]*\bgovuk-button\b[^>]*>(.*?)</a>", re.DOTALL)
#: Tabs, status tags and the headings of empty lists.
_WORDS_OF_TAG = re.compile(r'{% (?:tab|status_tag|empty_state) "([^"]+)"')
#: The title of a page with a separate frame, such as a PDF.
_PLAIN_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
_EXTENDS = re.compile(r'{% extends "([^"]+)"')
_INCLUDE = re.compile(r'{% include "([^"]+)"')
_COMMENT = re.compile(r"{#.*?#}|{% comment %}.*?{% endcomment %}", re.DOTALL)
_TAG = re.compile(r"{%.*?%}|<[^>]*>", re.DOTALL)
_VARIABLE = re.compile(r"{{.*?}}", re.DOTALL)


def described_templates(folder: Path, *, recursive: bool = True) -> list[tuple[Path, str]]:
    """Return the templates of a folder, with title and short words such as headings, in which "…" replaces variables.

    A partial has the templates that include it instead of a title. A page without a title has the template that it
    fills.
    """
    described = []
    for path in sorted(folder.rglob("*.html") if recursive else folder.glob("*.html")):
        source = _COMMENT.sub("", path.read_text(encoding="utf-8"))
        title = _TITLE.search(source) or _PLAIN_TITLE.search(source)
        filled = _EXTENDS.search(source)
        if title and title[1].strip():
            description = f"page {_quoted(title[1])}"
        elif including := _INCLUDED_IN.get(path.relative_to(TEMPLATES).as_posix()):
            description = f"part of {_listed(including)}"
        elif path.name.startswith("_"):
            description = "part of pages, by a template tag or a view"
        elif filled:
            description = f"page that fills `{filled[1]}`"
        else:
            description = "part of forms and account pages, by a package"
        pieces = [heading for _, heading in _HEADING.findall(source)]
        pieces += _LINK_BUTTON.findall(source) + _WORDS_OF_TAG.findall(source)
        with_words = [words for words in dict.fromkeys(map(_quoted, pieces)) if words.strip("“…”/. ")]
        described.append((path, f"{description}: {', '.join(with_words)}" if with_words else description))
    return described


def described_emails(folder: Path) -> list[tuple[Path, str]]:
    """Return the subject lines of a room's emails."""
    paths = sorted(folder.glob("*.subject.txt"))
    return [(path, f"email {_quoted(path.read_text(encoding='utf-8'))}") for path in paths]


def as_cell(words: str) -> str:
    """Return words for a cell of a Markdown table, with the signs escaped that would end it."""
    return words.replace("|", "\\|").replace("<", "&lt;")


def _quoted(source: str) -> str:
    """Return the words between the tags of a piece of a template, in quotes, with "…" for what varies."""
    parts = (" ".join(part.split()) for part in _TAG.split(_VARIABLE.sub("…", source)))
    return as_cell(" / ".join(f"“{part}”" for part in parts if part))


def _listed(including: list[str]) -> str:
    """Return the templates that include a partial, up to three by name, and how many more there are."""
    named = ", ".join(f"`{name}`" for name in including[:_MAX_NAMED])
    more = len(including) - _MAX_NAMED
    return f"{named} and {more} more" if more > 0 else named


def _included_in() -> dict[str, list[str]]:
    """Return the templates that include each partial."""
    including: dict[str, list[str]] = {}
    for path in sorted(TEMPLATES.rglob("*.html")):
        for name in dict.fromkeys(_INCLUDE.findall(path.read_text(encoding="utf-8"))):
            including.setdefault(name, []).append(path.relative_to(TEMPLATES).as_posix())
    return including


_INCLUDED_IN = _included_in()
