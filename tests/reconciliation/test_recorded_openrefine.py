"""Requests recorded from OpenRefine 3.8.7 get right answers.

`openrefine-3.8.7.json` holds what the program (Debian's package openrefine 3.8.7-1, revision 62de008) and its pages in
Chromium sent to this service, in order, while a column of the names below was reconciled and columns were added. Ids of
bodies stand as `{northmere}`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.test import Client

from tests.reconciliation.conftest import Register

RECORDED = json.loads(Path(__file__).with_name("openrefine-3.8.7.json").read_text(encoding="utf-8"))


def replay(register: Register) -> dict[str, list[Any]]:
    """The answers to the recorded requests, by what the person did: JSON, or text."""
    answers: dict[str, list[Any]] = {}
    for one in RECORDED:
        address, body = one["address"], one["body"]
        for name in ("northmere", "fenmoor", "mereland", "saltmarsh"):
            number = f"o{getattr(register, name).pk}"
            address, body = address.replace(f"{{{name}}}", number), body.replace(f"{{{name}}}", number)
        headers = {key: value for key, value in one["headers"].items() if key != "Content-Type"}
        kind = one["headers"].get("Content-Type", "")
        answer = Client().generic(one["method"], address, body, content_type=kind, headers=headers)
        assert answer.status_code == 200, (one["step"], answer.content)
        if "Origin" in headers:
            assert answer["Access-Control-Allow-Origin"] == "*"
        is_json = answer["Content-Type"].startswith("application/json")
        answers.setdefault(one["step"], []).append(answer.json() if is_json else answer.content.decode())
    return answers


def first(found: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    """The first candidate of each query that has one: its name and whether it is a match."""
    best = {key: one["result"][0] for key, one in found.items() if one["result"]}
    return {key: (one["name"], one["match"]) for key, one in best.items()}


def test_openrefine_reconciles_a_column_and_adds_columns_to_it(register: Register) -> None:
    answers = replay(register)

    [manifest] = answers["add standard service"]
    assert manifest["versions"] == ["0.2"]
    [guessed] = answers["guess the types of a column"]
    assert first(guessed)["q2"] == ("Mereland Council", True)
    assert guessed["q2"]["result"][0]["type"][0] == {"id": "council", "name": "Council"}
    [matched] = answers["reconcile with columns"]
    assert first(matched) == {
        "q0": ("Northmere Borough Council", False),  # a place, and no type that says which kind of body
        "q1": ("Mereland Council", True),
        "q2": ("Saltmarsh Homes Limited", True),
        "q4": ("Fenmoor District Council", True),
    }
    assert matched["q3"]["result"] == []
    [untyped] = answers["reconcile without a type"]
    assert first(untyped)["q3"] == ("Fenmoor District Council", True)
    [frame] = answers["preview of a match"]
    assert "Northmere Borough Council" in frame
    [suggested] = answers["search for a match"]
    assert [one["name"] for one in suggested["result"]] == ["Northmere Borough Council"]
    proposed, typed = answers["choose columns to add"]
    assert "successors" in {one["id"] for one in proposed["properties"]}
    assert "successors" in {one["id"] for one in typed["result"]}
    fenmoor, mereland = f"o{register.fenmoor.pk}", f"o{register.mereland.pk}"
    for added in (
        *answers["preview of columns from reconciled values"],
        *answers["add columns from reconciled values"],
    ):
        assert [one["name"] for one in added["rows"][fenmoor]["successors"]] == ["Mereland Council"]
        assert added["rows"][mereland]["gss"] == [{"str": "E06009993"}]
