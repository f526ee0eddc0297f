"""The examples of the page about network files have the shape that the program reads."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from partnerships.transfer.network_format.reading import NETWORK, read_network
from partnerships.transfer.reading.shapes import Checking

NOW = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
PAGE = (Path(settings.BASE_DIR) / "docs" / "network-format.md").read_text(encoding="utf-8")
#: The lists with an example below their heading, such as "### `entries`: asks and offers".
EXAMPLES: dict[str, str] = dict(re.findall(r"^### `(\w+)`.*?^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
LISTS = {part.code: part.shape for part in NETWORK.parts if part.kind == "parts"}


def whole_file() -> dict[str, Any]:
    """Return the file with which the page begins; it is indented below its step."""
    block = re.search(r"^   ```json\n(.*?)^   ```", PAGE, re.MULTILINE | re.DOTALL)
    assert block is not None
    file: dict[str, Any] = json.loads(block[1])
    return file


def test_every_list_has_an_example() -> None:
    assert set(EXAMPLES) == set(LISTS)


@pytest.mark.django_db
@pytest.mark.parametrize("name", LISTS)
def test_an_example_has_the_fields_of_its_list(name: str) -> None:
    checking = Checking(NOW)
    shape = LISTS[name]
    assert shape is not None

    example = json.loads(EXAMPLES[name])
    # The program sets the key of an area itself.
    checking.object({**example, "key": example["code"].lower()} if name == "areas" else example, shape, name)

    assert checking.problems == []


@pytest.mark.django_db
def test_the_file_at_the_beginning_of_the_page_is_read() -> None:
    assert read_network(json.dumps(whole_file()).encode(), NOW)["name"] == "estuary"
