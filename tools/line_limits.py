"""`python -m tools.line_limits`: finds what is too long.

Modules over 400 lines, and long functions that nothing explains. Migrations are left out.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
FOLDERS = ("partnerships", "housing", "tools")
MAX_LINES = 400
#: A function that takes more lines has a docstring. Methods such as `__init__` are explained by their class.
MAX_UNEXPLAINED = 16


def faults(root: Path = BASE_DIR) -> Iterator[str]:
    """Return a sentence for each module or function that is too long."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            source, name = path.read_text(encoding="utf-8"), path.relative_to(root)
            lines = len(source.splitlines())
            if lines > MAX_LINES:
                yield f"{name} has {lines} lines; the limit is {MAX_LINES}. Divide it by idea."
            yield from (f"{name}:{fault}" for fault in _unexplained(ast.parse(source)))


def _unexplained(tree: ast.Module) -> Iterator[str]:
    """Return line, name and length of each long function without a docstring."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("__"):
            continue
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > MAX_UNEXPLAINED and not ast.get_docstring(node):
            yield f"{node.lineno}: {node.name} has {lines} lines and no docstring. Say what a reader cannot see."


if __name__ == "__main__":
    found = list(faults())
    for line in found:
        print(line)  # noqa: T201 - a terminal program
    sys.exit(bool(found))
