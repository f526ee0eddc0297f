"""The check finds lines of templates and Markdown that are too long or show a space before punctuation."""

from __future__ import annotations

from pathlib import Path

from tools.long_lines import LIMIT, long_lines, spaced_punctuation, split_tags

LONG = "x" * (LIMIT + 1)


def test_a_line_over_the_limit_is_found_in_pages_and_text_emails(tmp_path: Path) -> None:
    templates = tmp_path / "templates"
    (templates / "emails").mkdir(parents=True)
    (templates / "emails" / "notice.txt").write_text(f"Hello\n{LONG}\n", encoding="utf-8")
    (templates / "page.html").write_text(f"{LONG}\n", encoding="utf-8")
    (templates / "short.html").write_text(f"{'x' * LIMIT}\n", encoding="utf-8")

    assert list(long_lines(tmp_path)) == [(Path("templates/emails/notice.txt"), 2), (Path("templates/page.html"), 1)]


def test_markdown_is_wrapped_except_for_tables_and_code(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text(f"| {LONG} |\n\n```\n{LONG}\n```\n\n{LONG}\n", encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text(f"{LONG}\n", encoding="utf-8")

    assert list(long_lines(tmp_path)) == [(Path("docs/page.md"), 7), (Path("CHANGELOG.md"), 1)]


def test_a_tag_split_over_two_lines_is_found(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "notice.txt").write_text("{{ name }} until {{\nday }}\n{% if x %}\n", encoding="utf-8")

    assert list(split_tags(tmp_path)) == [(Path("templates/notice.txt"), 1)]


def test_a_line_that_shows_a_space_before_a_comma_is_found(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    lines = ["your name{% if phone %}, your phone{% endif %}", "{% if days %}, your days{% endif %}", "{% endif %}."]
    (tmp_path / "templates" / "page.html").write_text("\n".join(lines), encoding="utf-8")

    assert list(spaced_punctuation(tmp_path)) == [(Path("templates/page.html"), 2), (Path("templates/page.html"), 3)]


def test_lines_of_templates_and_markdown_fit_and_end_their_tags() -> None:
    assert list(long_lines()) == []
    assert list(split_tags()) == []
    assert list(spaced_punctuation()) == []
