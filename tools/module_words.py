"""Words of modules, for the page that lists every file (`make files`)."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

from tools.page_words import as_cell

#: Functions that return a column of a partner's spreadsheet. Their second argument is its heading.
_SHEET_COLUMNS = {"column", "yes_or_no"}
#: A column of the database in the room's `obligations.py`, such as `Column("exchange.Entry.organisation")`.
_DATABASE_COLUMN = re.compile(r"\w+\.\w+\.\w+")


def description(path: Path) -> str:
    """Return the first sentence of a module's docstring, with the words that people read of what it declares.

    These are the labels and buttons of forms, the headings of columns, and what pages call emails.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    sentences = [(ast.get_docstring(tree) or "").partition("\n\n")[0].replace("\n", " ")]
    for name, word_of in _WORDS.items():
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
        words = dict.fromkeys(word for call in calls if (word := word_of(call)))
        if words:
            sentences.append(f"{name}: {', '.join(f'“{word}”' for word in words)}.")
    return as_cell(" ".join(sentences))


def _label(call: ast.Call) -> str:
    """Return the label of a form's field, such as `forms.CharField(label="Title")`; "" for any other call."""
    return _keyword(call, "label") if ast.unparse(call.func).startswith("forms.") else ""


def _button(call: ast.Call) -> str:
    """Return the words on a form's button; "" for a call without `submit`."""
    return _keyword(call, "submit")


def _heading(call: ast.Call) -> str:
    """Return the heading of a column of a list, a report, a published list or a spreadsheet; "" for any other call.

    For example `Column(name="text", label="Commitment")`, `Column("Homes", Kind.NUMBER)`,
    `Column("code", (r"gsscode",), "ONS code")` or `column("lat", "Latitude", "y")`.
    """
    name = _name(call)
    if name in _SHEET_COLUMNS:
        return _text(call.args[1]) if len(call.args) > 1 else ""
    if name != "Column":
        return _keyword(call, "label") if name.endswith("_column") else ""
    texts = [text for argument in call.args if (text := _text(argument))]
    if texts and _DATABASE_COLUMN.fullmatch(texts[0]):
        return ""
    return _keyword(call, "label") or (texts[-1] if texts else "")


def _email(call: ast.Call) -> str:
    """Return what pages call a kind of email; "" for any other call."""
    return _text(call.args[1]) if _name(call) == "PersonEmail" and len(call.args) > 1 else ""


#: What is listed for a module, with the function that returns its words from a call.
_WORDS: dict[str, Callable[[ast.Call], str]] = {
    "Fields": _label,
    "Buttons": _button,
    "Columns": _heading,
    "Emails": _email,
}


def _name(call: ast.Call) -> str:
    """Return the name of the function that is called, without the module."""
    return ast.unparse(call.func).rpartition(".")[2]


def _keyword(call: ast.Call, keyword: str) -> str:
    """Return the text that a call gives as this keyword, or ""."""
    return next((_text(given.value) for given in call.keywords if given.arg == keyword), "")


def _text(value: ast.expr) -> str:
    """Return the text of a literal, or "" for any other expression."""
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
