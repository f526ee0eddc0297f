"""The check finds modules that are too long, and long functions without a docstring."""

from __future__ import annotations

from pathlib import Path

from tools.line_limits import MAX_LINES, MAX_UNEXPLAINED, faults


def test_a_module_over_the_limit_is_found(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "long.py").write_text("one = 1\n" * (MAX_LINES + 1), encoding="utf-8")
    (tmp_path / "tools" / "short.py").write_text("one = 1\n" * MAX_LINES, encoding="utf-8")

    assert list(faults(tmp_path)) == [f"tools/long.py has {MAX_LINES + 1} lines; the limit is 400. Divide it by idea."]


def test_a_long_function_needs_a_docstring(tmp_path: Path) -> None:
    body = "    one = 1\n" * MAX_UNEXPLAINED
    (tmp_path / "housing").mkdir()
    (tmp_path / "housing" / "functions.py").write_text(
        f'def silent():\n{body}\n\ndef short():\n    one = 1\n\n\ndef said():\n    """Count."""\n{body}',
        encoding="utf-8",
    )

    assert [fault.partition(" has ")[0] for fault in faults(tmp_path)] == ["housing/functions.py:1: silent"]
