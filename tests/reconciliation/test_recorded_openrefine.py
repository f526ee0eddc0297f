"""Requests recorded from OpenRefine 3.8.7 get right answers.

`openrefine-3.8.7.json` contains the requests that the program (Debian's package openrefine 3.8.7-1, revision 62de008)
and its pages in Chromium sent to this service, in order, while a column of the names below was reconciled and columns
were added. Ids of bodies are written as `{northmere}`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from partnerships.organisations.models import Organisation
from tests.reconciliation.conftest import Register

RECORDED_REQUESTS = json.loads(Path(__file__).with_name("openrefine-3.8.7.json").read_text(encoding="utf-8"))


def replay(register: Register) -> dict[str, list[Any]]:
    """Send the recorded requests, and return the answers (JSON, or text) by the person's action."""
    answers = defaultdict(list)
    for recorded_request in RECORDED_REQUESTS:
        headers = dict(recorded_request["headers"])
        response = Client().generic(
            recorded_request["method"],
            with_ids(register, recorded_request["address"]),
            with_ids(register, recorded_request["body"]),
            content_type=headers.pop("Content-Type", ""),
            headers=headers,
        )
        assert response.status_code == 200, (recorded_request["step"], response.content)
        assert "Origin" not in headers or response["Access-Control-Allow-Origin"] == "*"
        is_json = response["Content-Type"].startswith("application/json")
        answers[recorded_request["step"]].append(response.json() if is_json else response.content.decode())
    return answers


def with_ids(register: Register, text: str) -> str:
    """Return the text of a recorded request with the ids that the bodies have in this test."""
    for name in ("northmere", "fenmoor", "mereland", "saltmarsh"):
        body: Organisation = getattr(register, name)
        text = text.replace(f"{{{name}}}", f"o{body.pk}")
    return text


def first_candidates(result_by_key: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    """Return the first candidate of each query that has one: its name, and whether it is a match."""
    candidates = {key: result["result"][0] for key, result in result_by_key.items() if result["result"]}
    return {key: (candidate["name"], candidate["match"]) for key, candidate in candidates.items()}


@pytest.fixture
def answers(register: Register) -> dict[str, list[Any]]:
    """Return the answers to the recorded requests, by the person's action."""
    return replay(register)


def test_openrefine_adds_the_service(answers: dict[str, list[Any]]) -> None:
    [manifest] = answers["add standard service"]

    assert manifest["versions"] == ["0.2"]


def test_openrefine_guesses_the_type_of_a_column(answers: dict[str, list[Any]]) -> None:
    [results] = answers["guess the types of a column"]

    assert first_candidates(results)["q2"] == ("Mereland Council", True)
    assert results["q2"]["result"][0]["type"][0] == {"id": "council", "name": "Council"}


def test_openrefine_reconciles_a_column_beside_others(answers: dict[str, list[Any]]) -> None:
    [results] = answers["reconcile with columns"]

    assert first_candidates(results) == {
        "q0": ("Northmere Borough Council", False),  # only a place, without a type that shows the kind of body
        "q1": ("Mereland Council", True),
        "q2": ("Saltmarsh Homes Limited", True),
        "q4": ("Fenmoor District Council", True),
    }
    assert results["q3"]["result"] == []


def test_openrefine_reconciles_a_column_without_a_type(answers: dict[str, list[Any]]) -> None:
    [results] = answers["reconcile without a type"]

    assert first_candidates(results)["q3"] == ("Fenmoor District Council", True)


def test_openrefine_shows_a_match(answers: dict[str, list[Any]]) -> None:
    [preview] = answers["preview of a match"]

    assert "Northmere Borough Council" in preview


def test_openrefine_searches_for_a_match(answers: dict[str, list[Any]]) -> None:
    [suggestions] = answers["search for a match"]

    assert [suggestion["name"] for suggestion in suggestions["result"]] == ["Northmere Borough Council"]


def test_openrefine_offers_properties_as_columns(answers: dict[str, list[Any]]) -> None:
    proposed_properties, suggested_properties = answers["choose columns to add"]

    assert "successors" in {proposal["id"] for proposal in proposed_properties["properties"]}
    assert "successors" in {suggestion["id"] for suggestion in suggested_properties["result"]}


@pytest.mark.parametrize("action", ["preview of columns from reconciled values", "add columns from reconciled values"])
def test_openrefine_adds_columns_from_reconciled_values(
    register: Register, answers: dict[str, list[Any]], action: str
) -> None:
    fenmoor, mereland = f"o{register.fenmoor.pk}", f"o{register.mereland.pk}"
    assert answers[action]

    for added_columns in answers[action]:
        successors = added_columns["rows"][fenmoor]["successors"]
        assert [successor["name"] for successor in successors] == ["Mereland Council"]
        assert added_columns["rows"][mereland]["gss"] == [{"str": "E06009993"}]
