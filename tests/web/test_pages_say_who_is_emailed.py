"""Each page whose button or form sends an email says so afterwards."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

#: Services that send an email. tests/told.json has an entry for each of their cases, as “service-case”.
TELLING = sorted(
    {name.partition("-")[0] for name in json.loads(Path(settings.BASE_DIR, "tests/told.json").read_text())}
)
#: Code with which a view says who is emailed: a call that names the people, or a sentence in the view itself.
_SAYS = re.compile(
    r"say_who_gets_emails|recipients\.sentence|\btake_entry_step\(|WILL_BE_SENT|WE_WILL_EMAIL|will be sent to"
)
#: Pages that do not say who is emailed, and the reason for each.
SILENT = {
    "surveys/views/preparing.py: ask_moderator": "the answer is the same for every address",
    "agreements/views/terms/signing.py: sign_by_link": "the page is for a person with a link and without an account",
}


@cache
def views() -> dict[Path, dict[str, str]]:
    """Return the source of every function in the modules of views, by path of the module and name of the function."""
    functions_by_module: dict[Path, dict[str, str]] = {}
    for path in sorted(Path(settings.BASE_DIR, "partnerships").glob("*/**/*.py")):
        if "views" in path.parts or path.name == "views.py":
            source = path.read_text()
            functions_by_module[path] = {
                statement.name: ast.get_source_segment(source, statement) or ""
                for statement in ast.parse(source).body
                if isinstance(statement, ast.FunctionDef)
            }
    return functions_by_module


def silent_pages(service: str) -> list[str]:
    """Return the views that call this service and do not say who is emailed.

    Only views in the room of the service count. A view may call the service itself, or through a private function
    of the same module.
    """
    room, _, name = service.partition(".")
    modules = {path: functions for path, functions in views().items() if room in path.parts}
    is_page_too = any(name in functions for functions in modules.values())
    silent_views = []
    for path, functions in modules.items():
        calls_service = re.compile(rf"{'services[.]' if is_page_too else ''}\b{name}\(")
        helpers = [
            function
            for function, source in functions.items()
            if function.startswith("_") and calls_service.search(source)
        ]
        calls_service = re.compile("|".join([calls_service.pattern, *(rf"\b{helper}\(" for helper in helpers)]))
        for function, source in functions.items():
            source_with_helpers = source + "".join(functions[helper] for helper in helpers if f"{helper}(" in source)
            if not function.startswith("_") and calls_service.search(source) and not _SAYS.search(source_with_helpers):
                silent_views.append(f"{path.relative_to(Path(settings.BASE_DIR, 'partnerships'))}: {function}")
    return silent_views


@pytest.mark.parametrize("service", TELLING)
def test_page_that_emails_somebody_says_so(service: str) -> None:
    assert [page for page in silent_pages(service) if page not in SILENT] == []


def test_every_reason_for_silence_is_needed() -> None:
    assert {page for service in TELLING for page in silent_pages(service)} == SILENT.keys()
