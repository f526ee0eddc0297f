"""Each page whose button or form emails somebody says so afterwards."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

#: Services that email somebody (tests/told.json), without the case in brackets.
TELLING = sorted(
    {name.partition("-")[0] for name in json.loads(Path(settings.BASE_DIR, "tests/told.json").read_text())}
)
#: What a view has that says who is emailed: the parts that name people, or words of its own.
_SAYS = re.compile(
    r"say_who_gets_emails|recipients\.sentence|\btake_entry_step\(|WILL_BE_SENT|WE_WILL_EMAIL|will be sent to"
)
#: Pages that say nobody's name, and why.
SILENT = {
    "surveys/views/preparing.py: ask_to_agree": "the answer is the same for every address",
    "agreements/views/terms/signing.py: sign_by_link": "the page is for a person with a link and without an account",
}


@cache
def views() -> dict[Path, dict[str, str]]:
    """Return the source of each function of the rooms' views, by module and name."""
    found: dict[Path, dict[str, str]] = {}
    for path in sorted(Path(settings.BASE_DIR, "partnerships").glob("*/**/*.py")):
        if "views" in path.parts or path.name == "views.py":
            source = path.read_text()
            found[path] = {
                one.name: ast.get_source_segment(source, one) or ""
                for one in ast.parse(source).body
                if isinstance(one, ast.FunctionDef)
            }
    return found


def silent_pages(service: str) -> list[str]:
    """Each view of the service's room that calls it, itself or through a function beside it, and says nothing."""
    room, _, name = service.partition(".")
    modules = {path: functions for path, functions in views().items() if room in path.parts}
    is_page_too = any(name in functions for functions in modules.values())
    found = []
    for path, functions in modules.items():
        called = re.compile(rf"{'services[.]' if is_page_too else ''}\b{name}\(")
        helpers = [one for one, source in functions.items() if one.startswith("_") and called.search(source)]
        called = re.compile("|".join([called.pattern, *(rf"\b{helper}\(" for helper in helpers)]))
        for one, source in functions.items():
            whole = source + "".join(functions[helper] for helper in helpers if f"{helper}(" in source)
            if not one.startswith("_") and called.search(source) and not _SAYS.search(whole):
                found.append(f"{path.relative_to(Path(settings.BASE_DIR, 'partnerships'))}: {one}")
    return found


@pytest.mark.parametrize("service", TELLING)
def test_page_that_emails_somebody_says_so(service: str) -> None:
    assert [page for page in silent_pages(service) if page not in SILENT] == []


def test_every_reason_for_silence_is_needed() -> None:
    assert {page for service in TELLING for page in silent_pages(service)} == SILENT.keys()
