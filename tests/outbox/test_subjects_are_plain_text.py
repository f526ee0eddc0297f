"""Subjects of emails are plain text, so that nothing in them is escaped."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

from partnerships.outbox.content import render_subject

FOLDER = Path(settings.BASE_DIR) / "templates" / "emails"
TEMPLATES = sorted(str(path.relative_to(FOLDER)).removesuffix(".subject.txt") for path in FOLDER.rglob("*.subject.txt"))
NAME = "Hill & Dale’s <Homes>"


class Anything:
    """A value in a template, whose every attribute reads `NAME` or is a date."""

    def __getitem__(self, attribute: str) -> Anything | dt.date:
        return dt.date(2026, 11, 27) if attribute.endswith("_on") else self

    def __str__(self) -> str:
        return NAME


def test_there_are_subjects_to_try() -> None:
    assert len(TEMPLATES) > 30


@pytest.mark.parametrize("template", TEMPLATES)
def test_subject_has_a_name_as_it_is_written(template: str) -> None:
    source = get_template(f"emails/{template}.subject.txt").template.source
    names = set(re.findall(r"\w+", source)) - {"own"}  # emails about oneself say “you”

    subject = render_subject(template, dict.fromkeys(names, Anything()))

    assert "\n" not in subject
    assert not re.search("&(amp|lt|#x27);", subject)
    assert (NAME in subject) == ("{{" in source)
