"""The check that finds lines of templates that are too long."""

from __future__ import annotations

from pathlib import Path

from tools.long_lines import LIMIT, TEMPLATES, long_lines


def test_a_line_over_the_limit_is_found_in_pages_and_text_emails(tmp_path: Path) -> None:
    (tmp_path / "emails").mkdir()
    (tmp_path / "emails" / "notice.txt").write_text(f"Hello\n{'x' * (LIMIT + 1)}\n", encoding="utf-8")
    (tmp_path / "page.html").write_text(f"{'x' * (LIMIT + 1)}\n", encoding="utf-8")
    (tmp_path / "short.html").write_text(f"{'x' * LIMIT}\n", encoding="utf-8")

    assert list(long_lines(tmp_path)) == [(Path("emails/notice.txt"), 2), (Path("page.html"), 1)]


def test_lines_of_templates_fit() -> None:
    assert list(long_lines(TEMPLATES)) == []
