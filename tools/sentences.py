"""Sentences that people read, for docs/reference/words.md (`make files`): from modules and from templates.

A sentence has four words or more, and "…" replaces variables. Docstrings, logs, SQL and errors for developers are left
out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
TEMPLATES = BASE_DIR / "templates"
WORDS_HEAD = """\
# Sentences that people read

Search this page for words that you saw on a page, in an error or in an email. `make files` writes it. For each room it
has the sentences of four words or more of its modules, then of its templates, with the file before each. Modules are
named without `partnerships/`. "…" stands for what varies, so search for the words between names and numbers. Sentences
of templates are cut at 100 characters.

Not here: titles, headings, buttons and labels of fewer words ([every file](files.md)), the HTML form of emails (it says
what the text form says), and words that Django, allauth or the database bring (`partnerships/transfer/demo.json`,
vocabularies in Django admin)."""
#: The longest sentence of a template that is shown whole.
LONGEST = 100
#: The fewest words of a sentence.
_FEWEST = 4
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_LOGS = {"log", "logger", "logging", "warnings"}
#: Errors that only developers see.
_FAULTS = {"AssertionError", "LookupError", "NotImplementedError", "RuntimeError", "TypeError", "KeyError"}
_SQL = re.compile(
    r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|WHERE|JOIN|RETURNING|COALESCE|GRANT|ALTER|CREATE|ORDER BY|VALUES"
    r"|IS NULL|IS NOT NULL|BETWEEN|UNION|EXISTS|RAISE|RETURN|BEGIN|LIMIT|REVOKE|LOCK TABLE|AND|CASE|FROM|SET|DROP)\b"
)
#: A word of code: "agreements:people", "is_shown".
_CODE = re.compile(r"[a-z]:[a-z]|^\w*[a-z]_[a-z]\w*$")
_MARKS_OF_CODE = ("govuk-", "cg-", "(?", "\\", "://", " = ", "::", "__", '="', "=…, ", "{%", "Content-T", "(e.")
_GAP = re.compile(r"\{[\w.!:\[\], ]*\}|%\(\w+\)[sd]|%[sd]")
_INLINE = re.compile(
    r"</?(?:a|abbr|b|bdi|cite|code|del|em|i|ins|kbd|mark|small|span|strong|time|wbr)\b[^>]*>", re.DOTALL
)
_TAG = re.compile(r"<[^>]*>", re.DOTALL)
_NO_WORDS = re.compile(r"{#.*?#}|{% comment %}.*?{% endcomment %}|<(script|style|svg)\b.*?</\1>|<!--.*?-->", re.DOTALL)
_SHOWN_ATTRIBUTE = re.compile(r'\b(?:aria-label|placeholder|title|alt|content)="([^"]*)"')
_ARGUMENT = re.compile(r'"([^"]*)"')
_DJANGO = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
_END = re.compile(r"(?<=[a-z0-9…)”][.?!]) (?=[A-Z“…])")


def sentences_of_module(source: str) -> list[str]:
    """Return the sentences of a Python module, each once, in the order of the file."""
    texts = (_plain(text) for text in _texts(ast.parse(source)))
    return _each_once(sentence for text in texts for sentence in _END.split(text) if _is_for_people(sentence))


def _texts(node: ast.AST) -> Iterator[str]:
    """Return the texts below a node of the syntax tree, in order. "…" replaces the values in an f-string."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Assert():
            return
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name))) if name in _LOGS:
            return
        case ast.Raise(exc=ast.Call(func=ast.Name(id=name))) if name in _FAULTS:
            return
        case ast.Constant(value=str() as text):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)
            for part in parts:
                if isinstance(part, ast.FormattedValue):
                    yield from _texts(part.value)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _texts(child)


def _plain(text: str) -> str:
    """Return a text of a module without HTML, with "…" for the gaps that `format` or `%` fills."""
    return _spaced(_TAG.sub(" ", _INLINE.sub("", _GAP.sub("…", text))))


def _is_for_people(sentence: str) -> bool:
    """Return whether a text of a module is a sentence, and not SQL, a list of classes or an address."""
    words = _WORD.findall(sentence)
    tokens = sentence.split()
    return (
        len(words) >= _FEWEST
        and len(tokens) >= _FEWEST
        and not _SQL.search(sentence)
        and not any(mark in sentence for mark in _MARKS_OF_CODE)
        and sum(bool(_CODE.search(token)) for token in tokens) <= 1
    )


def sentences_of_template(source: str) -> list[str]:
    """Return the sentences of a template, HTML or text, each once and cut, in the order of the file."""
    source = _NO_WORDS.sub("", source)
    pieces: list[str] = []
    is_html = "</" in source or "{% extends" in source
    # Text emails have no tags, and a blank line ends a paragraph.
    for paragraph in [source] if is_html else re.split(r"\n\s*\n", source):
        arguments = [text for tag in _DJANGO.findall(paragraph) for text in _ARGUMENT.findall(tag)]
        without_django = _DJANGO.sub("…", paragraph)
        attributes = _SHOWN_ATTRIBUTE.findall(without_django)
        pieces += [*_TAG.split(_INLINE.sub("", without_django)), *attributes, *arguments]
    sentences = (sentence.strip("… ") for piece in pieces for sentence in _END.split(_spaced(piece)))
    return _each_once(_cut(sentence) for sentence in sentences if _is_in_words(sentence))


def _is_in_words(sentence: str) -> bool:
    """Return whether a piece of a template is text, and no date format, list of classes or style."""
    words = [token for token in sentence.split() if _WORD.search(token)]
    is_date_format = all(len(word) <= 3 for word in words)
    marks = ("govuk-", "cg-", "{", "width=", ": 0")
    return len(words) >= _FEWEST and not is_date_format and not any(mark in sentence for mark in marks)


def _spaced(text: str) -> str:
    """Return a text on one line, with one "…" for neighbouring gaps."""
    return re.sub(r"…(?:\s*…)+", "…", " ".join(text.split()))


def _cut(sentence: str) -> str:
    return sentence if len(sentence) <= LONGEST else f"{sentence[: LONGEST - 1].rstrip()}…"


def _each_once(sentences: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(sentences))


def words_page(rooms: Iterable[tuple[Path, list[Path]]]) -> str:
    """Return the text of docs/reference/words.md, of these rooms, each with its modules."""
    lines = [WORDS_HEAD]
    covered = set()
    for room, paths in rooms:
        covered.add(room.name)
        written = [
            f"{path.relative_to(room.parent).as_posix()}: {sentence}"
            for path in paths
            if "management" not in path.parts or "commands" in path.parts  # not the stories of a demonstration
            for sentence in sentences_of_module(path.read_text(encoding="utf-8"))
        ]
        written += _lines_of(_templates_in(TEMPLATES / room.name, TEMPLATES / "emails" / room.name))
        lines += _section(room.name, written)
    others = [folder for folder in sorted(TEMPLATES.iterdir()) if folder.is_dir() and folder.name not in covered]
    own = [*TEMPLATES.glob("*.html"), *(TEMPLATES / "emails").glob("*.*")]
    folders = [folder for folder in others if folder.name != "emails"]
    lines += _section("Pages of no room", _lines_of([*sorted(own), *_templates_in(*folders)]))
    return "\n".join(lines) + "\n"


def _section(heading: str, written: list[str]) -> list[str]:
    """Return a heading and a block of code, in which nothing needs to be escaped, or [] without sentences."""
    return ["", f"## {heading}", "", "```text", *written, "```"] if written else []


def _templates_in(*folders: Path) -> list[Path]:
    """Return the templates of folders, without HTML emails that also have a text."""
    paths = [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in {".html", ".txt"}]
    return [path for path in paths if not (path.suffix == ".html" and path.with_suffix(".txt").exists())]


def _lines_of(paths: Iterable[Path]) -> list[str]:
    return [
        f"{path.relative_to(BASE_DIR).as_posix()}: {sentence}"
        for path in paths
        for sentence in sentences_of_template(path.read_text(encoding="utf-8"))
    ]
