"""Each partial begins with a comment that names its context, and no template's comment names what it does not use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates"
COMMENT = re.compile(r"{#.*?#}|{% comment %}.*?{% endcomment %}", re.DOTALL)
CONTEXT = re.compile(r"\bContext: (.*)", re.DOTALL)
NAME = re.compile(r"`(\w+)(?:\.\w+)?`")
OTHER_TEMPLATE = re.compile(r'{% (?:include|extends) "([\w/.]+)"')
VARIABLE = re.compile(r"{{|{% (?:for|if|with) ")


def context_of(source: str) -> str:
    """Return the words after `Context:` in the comments at the top of a template; "" without such words."""
    top = re.match(r"(?:{#[^\n]*#}\n|{% comment %}.*?{% endcomment %}\n)+", source, re.DOTALL)
    match = CONTEXT.search(top[0]) if top else None
    return match[1] if match else ""


def markup_of(path: Path, visited: frozenset[Path] = frozenset()) -> str:
    """Return the text, without comments, of a template and of the templates that it includes or extends."""
    if path in visited or not path.exists():
        return ""
    source = COMMENT.sub("", path.read_text())
    other_templates = (TEMPLATES / name for name in OTHER_TEMPLATE.findall(source))
    return source + "".join(markup_of(other, visited | {path}) for other in other_templates)


@pytest.mark.parametrize("room", sorted(path.name for path in TEMPLATES.iterdir() if path.is_dir()))
def test_comments_name_only_what_the_template_uses(room: str) -> None:
    unused = {
        f"{path.relative_to(TEMPLATES)}: {name}"
        for path in (TEMPLATES / room).rglob("*.html")
        for name in NAME.findall(context_of(path.read_text()))
        if not re.search(rf"\b{name}\b", markup_of(path))
    }

    assert unused == set()


def test_every_partial_with_variables_names_its_context() -> None:
    partials = [path for path in TEMPLATES.rglob("_*.html") if "emails" not in path.parts]
    partials_without_context = {
        str(path.relative_to(TEMPLATES))
        for path in partials
        if VARIABLE.search(COMMENT.sub("", path.read_text())) and not context_of(path.read_text())
    }

    assert len(partials) > 200
    assert partials_without_context == set()
