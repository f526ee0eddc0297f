"""Numbers at the top of modules and limits of form fields, for docs/reference/numbers.md (`make files`)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tools.page_words import as_cell

#: What a number may be made of, besides digits and signs: "dt.timedelta(days=30)", "Decimal('0.5')", "5 * MB".
_CALLS = {"timedelta", "Decimal", "relativedelta", "time"}
_NAME = re.compile(r"_?[A-Z][A-Z0-9_]{2,}")
#: Constants that nobody looks for, because they only give a unit a name.
_UNITS = {
    "_HOUR",
    "_MINUTE",
    "_DAY",
    "_WEEK",
    "_MONTH",
    "_APRIL",
    "_ONE",
    "_PENNY",
    "_LOCK",
    "MEGABYTE",
    "HUNDRED",
    "NOTHING",
}
#: What the field of a form may be given as a limit.
_LIMITS = {"max_length", "min_length", "max_value", "min_value", "max_digits"}
#: The longest value that the table shows. Longer ones are not plain numbers.
_LONGEST = 80


@dataclass(frozen=True)
class NamedNumber:
    """A number or length of time at the top of a module."""

    name: str
    value: str
    comment: str


def named_numbers(source: str) -> Iterator[NamedNumber]:
    """Return the numbers and lengths of time at the top of a module, each with its comment.

    Several names may share a comment. The first of them has it, and the others refer to the first.
    """
    lines = source.splitlines()
    commented_name = ""
    for node in ast.parse(source).body:
        comment = _comment_of(lines, node)
        is_after_blank_line = not lines[node.lineno - 2].strip()
        if comment or is_after_blank_line:
            commented_name = ""

        for name, value in _numbers(node):
            if commented_name:
                yield NamedNumber(name, value, f"See `{commented_name}`, above.")
                continue
            yield NamedNumber(name, value, comment)
            if comment:
                commented_name = name


def _numbers(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    """Return the name and value of each number that a statement sets. It may set several on one line."""
    pairs: list[tuple[ast.expr, ast.expr]]
    match statement:
        case ast.Assign(targets=[ast.Name() as target], value=value):
            pairs = [(target, value)]
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
            pairs = list(zip(names, values, strict=True))
        case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
            pairs = [(target, value)]
        case _:
            return

    for name, value in pairs:
        if isinstance(name, ast.Name) and _is_limit(name.id) and _is_number(value):
            text = ast.unparse(value)
            if len(text) <= _LONGEST:
                yield name.id, text


def _is_limit(name: str) -> bool:
    """Return whether a name is that of a constant, and not of one that nobody would change, such as a day."""
    return bool(_NAME.fullmatch(name)) and name not in _UNITS


@dataclass(frozen=True)
class LimitedField:
    """A field of a form with a longest text, or a smallest and largest number."""

    name: str
    limits: str


def limited_fields(source: str) -> Iterator[LimitedField]:
    """Return the fields of a module's forms that have a limit, such as `TitleForm.title` with `max_length=200`."""
    for form in ast.parse(source).body:
        if not isinstance(form, ast.ClassDef):
            continue
        for statement in form.body:
            match statement:
                case ast.Assign(
                    targets=[ast.Name(id=name)],
                    value=ast.Call(func=ast.Attribute(value=ast.Name(id="forms")), keywords=keywords),
                ):
                    limits = [f"`{ast.unparse(keyword)}`" for keyword in keywords if keyword.arg in _LIMITS]
                    if limits:
                        yield LimitedField(f"{form.name}.{name}", ", ".join(limits))


def _is_number(value: ast.expr) -> bool:
    """Return whether an expression has a number in it, and nothing but numbers, names and lengths of time."""
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


def _comment_of(lines: list[str], statement: ast.stmt) -> str:
    """Return the comment above a statement or, without one, the comment at the end of its line."""
    comment_lines: list[str] = []
    for line in reversed(lines[: statement.lineno - 1]):
        if not line.startswith("#"):
            break
        comment_lines.insert(0, line.lstrip("#: ").strip())
    if comment_lines:
        return as_cell(" ".join(comment_lines))

    _, _, comment_beside = lines[(statement.end_lineno or statement.lineno) - 1].partition("  # ")
    return as_cell(comment_beside)
