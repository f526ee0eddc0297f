"""The table in docs/lists.md says what each list offers."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from partnerships.kit.lists import ListDefinition, all_lists
from partnerships.lists.views.bulk import actions_of


def _offers(definition: ListDefinition) -> str:
    """Return the line of the table in docs/lists.md for a list."""
    groups = [column.label for column in definition.columns if column.is_grouped]
    sums = [column.label for column in definition.columns if column.is_summed]
    bulk_actions = [action.label for action in actions_of(definition)]
    cells = [definition.title, str(len(definition.columns))]
    cells += [", ".join(words) or "none" for words in (groups, sums, bulk_actions)]
    return f"| {' | '.join(cells)} | {'yes' if definition.dates else 'no'} |"


def test_documentation_says_what_each_list_offers() -> None:
    docs = (Path(settings.BASE_DIR) / "docs/lists.md").read_text()
    table = docs.partition("## What each list offers")[2].partition("## ")[0]

    lines = [line for line in table.splitlines() if line.startswith("| ")]

    assert lines[1:] == [_offers(definition) for definition in all_lists()]
