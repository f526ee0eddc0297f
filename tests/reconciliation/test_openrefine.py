"""Requests of OpenRefine (version 0.2) get right answers.

The requests have the shape that OpenRefine's own tests record from its client: `StandardReconConfigTests`
(`batchReconTest…`, `formulateQueryTest`, `testGetBatchSize`), and that `StandardReconConfig` and
`ReconciledDataExtensionJob` write, in https://github.com/OpenRefine/OpenRefine (main/tests/server and main/src, package
com.google.refine.model.recon). The tests read the answers as `createReconServiceResults` and `collectResult` do.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_plus

import pytest
from django.test import Client

from tests.reconciliation.conftest import Register

ROOT = "/reconciliation/0.2"
#: The headers that OpenRefine's Java client sends.
SENT_BY = {"HTTP_USER_AGENT": "OpenRefine 3.8.2", "HTTP_ACCEPT": "*/*"}


def ask(queries: dict[str, Any]) -> Any:
    """Post a batch as OpenRefine does, as JSON in the form field `queries`, and return the answer."""
    response = Client().post(ROOT, {"queries": json.dumps(queries)}, **SENT_BY)
    assert response.status_code == 200, response.content
    return response.json()


def names_and_matches(result: Any) -> list[tuple[str, bool]]:
    """Return the name of each candidate, and whether it is a match."""
    return [(candidate["name"], candidate["match"]) for candidate in result["result"]]


def fetch(ids: list[str], *properties: dict[str, Any]) -> Any:
    """Post a data extension query as OpenRefine does, and return the answer."""
    body = {"ids": ids, "properties": list(properties)}
    response = Client().post(ROOT, {"extend": json.dumps(body)}, **SENT_BY)
    assert response.status_code == 200, response.content
    return response.json()


def post_recorded_form(part: str, **fields: Any) -> Any:
    """Post the bytes of a form as the client writes them, and return the answer.

    The form contains only compact, percent-encoded JSON.
    """
    body = f"{part}={quote_plus(json.dumps(fields, separators=(',', ':')))}"
    form = "application/x-www-form-urlencoded"
    response = Client().generic("POST", ROOT, body, content_type=form, **SENT_BY)
    assert response.status_code == 200, response.content
    return json.loads(response.content)


def test_recorded_query_of_a_column_with_a_type_and_another_column(register: Register) -> None:
    """Send one query, keyed q0, with type, properties and type_strict, and no limit."""
    query = {
        "query": "Mereland Council",
        "type": "council",
        "properties": [{"pid": "gss", "v": "E06009993"}],
        "type_strict": "should",
    }

    result_by_key = post_recorded_form("queries", q0=query)

    assert list(result_by_key) == ["q0"]
    [best, *_] = result_by_key["q0"]["result"]
    assert best["id"] == f"o{register.mereland.pk}"
    assert best["name"] == "Mereland Council"
    assert best["match"]
    assert isinstance(best["score"], float)
    assert best["type"][0]["id"] == "council"


def test_every_query_of_a_recorded_batch_gets_its_own_result(register: Register) -> None:
    """Send a batch of 50, the largest of the client: each key needs the field `result`, or its row gets an error.

    A cell that was matched earlier comes with its id and name, and a cell with a date as a moment in UTC; blank cells
    are left out of the properties. Without a type, the field is missing.
    """
    matched = {"id": f"o{register.mereland.pk}", "name": "Mereland Council"}
    queries: dict[str, Any] = {
        "q0": {
            "query": "Fenmoor District Council",
            "type": "council",
            "properties": [{"pid": "date", "v": "2018-03-31T00:00:00Z"}],
            "type_strict": "should",
        },
        "q1": {"query": "Saltmarsh Homes Ltd", "properties": [], "type_strict": "should"},
        "q2": {
            "query": "Mereland Council",
            "properties": [{"pid": "area", "v": matched}],
            "type_strict": "should",
        },
    }
    queries |= {f"q{number}": {"query": f"Nobody {number}", "type_strict": "should"} for number in range(3, 50)}

    result_by_key = post_recorded_form("queries", **queries)

    assert list(result_by_key) == list(queries)
    assert all("result" in result for result in result_by_key.values())
    assert names_and_matches(result_by_key["q0"])[0] == ("Fenmoor District Council", True)
    assert names_and_matches(result_by_key["q1"])[0] == ("Saltmarsh Homes Limited", True)


def test_recorded_request_for_columns_of_matched_rows(register: Register) -> None:
    """Send ids and properties, with the settings that the person chose. The client reads `rows` by id and property."""
    northmere_id = f"o{register.northmere.pk}"

    response = post_recorded_form(
        "extend", ids=[northmere_id], properties=[{"id": "successors"}, {"id": "ended", "settings": {"date": ""}}]
    )

    assert [column["id"] for column in response["meta"]] == ["successors", "ended"]
    assert all(column["name"] for column in response["meta"])
    [successor] = response["rows"][northmere_id]["successors"]
    assert successor["id"] == f"o{register.mereland.pk}"
    assert successor["name"] == "Mereland Council"
    assert response["rows"][northmere_id]["ended"] == [{"date": "2019-04-01T00:00:00Z"}]


def test_adding_the_service_reads_its_manifest(register: Register) -> None:
    response = Client().get(ROOT, **SENT_BY)

    manifest = response.json()
    assert response["Access-Control-Allow-Origin"] == "*"
    assert manifest["versions"] == ["0.2"]
    assert "{{id}}" in manifest["view"]["url"]
    assert "{{id}}" in manifest["preview"]["url"]
    assert manifest["identifierSpace"].startswith("http")
    assert manifest["schemaSpace"].startswith("http")
    assert set(manifest["suggest"]) == {"entity", "property", "type"}
    assert all("${id}" in suggestion["flyout_service_path"] for suggestion in manifest["suggest"].values())
    assert {setting["name"] for setting in manifest["extend"]["property_settings"]} == {"date"}
    assert {
        "id": "council",
        "name": "Council",
        "broader": [{"id": "organisation", "name": "Organisation"}],
    } in manifest["defaultTypes"]


def test_the_first_rows_are_sent_without_a_type_to_guess_it(register: Register) -> None:
    result_by_key = ask(
        {"q0": {"query": "Mereland Council", "limit": 3}, "q1": {"query": "Saltmarsh Homes Ltd", "limit": 3}}
    )

    assert names_and_matches(result_by_key["q0"])[0] == ("Mereland Council", True)
    assert result_by_key["q0"]["result"][0]["type"][:2] == [
        {"id": "council", "name": "Council"},
        {"id": "council-ua", "name": "Unitary council"},
    ]
    assert names_and_matches(result_by_key["q1"])[0] == ("Saltmarsh Homes Limited", True)


def test_batch_with_type_and_date_column_gets_names_of_their_day(register: Register) -> None:
    column = [{"pid": "date", "v": "2018-03-31"}]

    result_by_key = ask(
        {
            "q0": {"query": "Northmere", "type": "council", "type_strict": "should", "properties": column},
            "q1": {"query": "Salt Homes Limited", "type": "registered_provider", "properties": column},
            "q2": {"query": "Mereland Council", "type": "council", "properties": column},
        }
    )

    assert names_and_matches(result_by_key["q0"]) == [("Northmere Borough Council", True)]
    assert names_and_matches(result_by_key["q1"])[0] == ("Salt Homes Limited", True)
    assert "now called Saltmarsh Homes Limited" in result_by_key["q1"]["result"][0]["description"]
    assert names_and_matches(result_by_key["q2"])[0] == ("Mereland Council", False)


def test_candidates_name_their_end_and_successors(register: Register) -> None:
    result_by_key = ask({"q0": {"query": "Fenmoor District Council"}})

    [candidate] = result_by_key["q0"]["result"]
    assert candidate["match"] is True
    assert candidate["description"] == "District council; ended 1 April 2019; succeeded by Mereland Council"


def test_number_column_confirms_or_contradicts(register: Register) -> None:
    result_by_key = ask(
        {
            "q0": {"query": "Saltmarsh Homes", "properties": [{"pid": "rsh", "v": "L9991"}]},
            "q1": {"query": "Saltmarsh Homes", "properties": [{"pid": "rsh", "v": "L0001"}]},
            "q2": {"properties": [{"pid": "org-id", "v": "GB-SHPE-L9991"}]},
        }
    )

    assert names_and_matches(result_by_key["q0"])[0] == ("Saltmarsh Homes Limited", True)
    assert names_and_matches(result_by_key["q1"])[0] == ("Saltmarsh Homes Limited", False)
    assert names_and_matches(result_by_key["q2"]) == [("Saltmarsh Homes Limited", True)]


def test_unreadable_date_in_a_cell_never_makes_a_match(register: Register) -> None:
    result_by_key = ask({"q0": {"query": "Mereland Council", "properties": [{"pid": "date", "v": "unknown"}]}})

    assert names_and_matches(result_by_key["q0"])[0] == ("Mereland Council", False)


def test_misspelt_name_gets_a_candidate(register: Register) -> None:
    result_by_key = ask({"q0": {"query": "Saltmarch Homes"}})

    assert ("Saltmarsh Homes Limited", False) in names_and_matches(result_by_key["q0"])


def test_queries_may_come_in_the_address(register: Register) -> None:
    response = Client().get(ROOT, {"queries": json.dumps({"q0": {"query": "Mereland Council"}})}, **SENT_BY)

    assert names_and_matches(response.json()["q0"])[0] == ("Mereland Council", True)


def test_columns_from_matched_values_are_as_at_their_date(register: Register) -> None:
    northmere_id, saltmarsh_id = f"o{register.northmere.pk}", f"o{register.saltmarsh.pk}"

    response = fetch(
        [northmere_id, saltmarsh_id, "o999999999", "nothing"],
        {"id": "gss"},
        {"id": "successors"},
        {"id": "ended"},
        {"id": "name", "settings": {"date": "2019-12-31"}},
        {"id": "rsh"},
    )

    assert [meta["id"] for meta in response["meta"]] == ["gss", "successors", "ended", "name", "rsh"]
    assert response["rows"][northmere_id] == {
        "gss": [{"str": "E07009991"}],
        "successors": [{"id": f"o{register.mereland.pk}", "name": "Mereland Council"}],
        "ended": [{"date": "2019-04-01T00:00:00Z"}],
        "name": [{"str": "Northmere Borough Council"}],
        "rsh": [],
    }
    assert response["rows"][saltmarsh_id]["name"] == [{"str": "Salt Homes Limited"}]
    assert response["rows"][saltmarsh_id]["rsh"] == [{"str": "L9991"}]
    assert response["rows"]["nothing"]["name"] == []
    assert response["rows"]["o999999999"]["name"] == []


def test_properties_to_fetch_are_proposed(db: None) -> None:
    response = Client().get(f"{ROOT}/extend/propose", {"type": "council", "limit": "3"}).json()

    assert response["type"] == "council"
    assert len(response["properties"]) == 3


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        pytest.param("merel", "Mereland Council", id="part of a name"),
        pytest.param("L9991", "Saltmarsh Homes Limited", id="number"),
    ],
)
def test_searching_for_a_match_suggests_bodies(register: Register, prefix: str, name: str) -> None:
    suggestions = Client().get(f"{ROOT}/suggest/entity", {"prefix": prefix}).json()["result"]

    assert [suggestion["name"] for suggestion in suggestions] == [name]


def test_types_are_suggested(db: None) -> None:
    suggestions = Client().get(f"{ROOT}/suggest/type", {"prefix": "coun"}).json()["result"]

    assert "council" in [suggestion["id"] for suggestion in suggestions]


def test_properties_are_suggested(db: None) -> None:
    suggestions = Client().get(f"{ROOT}/suggest/property", {"prefix": ""}).json()["result"]

    ids = {suggestion["id"] for suggestion in suggestions}
    assert ids >= {"date", "gss", "rsh", "company", "kind", "area", "org-id"}


def test_flyouts_escape_names(register: Register) -> None:
    register.mereland.name = "Mere <b>land</b>"
    register.mereland.save(update_fields=["name"])

    flyout = Client().get(f"{ROOT}/flyout/entity", {"id": f"o{register.mereland.pk}"}).json()

    assert "&lt;b&gt;" in flyout["html"]
    assert "<b>" not in flyout["html"]


def test_preview_may_be_framed_by_any_site_and_runs_nothing(register: Register) -> None:
    response = Client().get(f"{ROOT}/preview", {"id": f"o{register.northmere.pk}"})

    page = response.content.decode()
    assert "Northmere Borough Council" in page
    assert "Mereland Council" in page
    assert "1 April 2019" in page
    assert "X-Frame-Options" not in response
    assert "frame-ancestors *" in response["Content-Security-Policy"]
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "<script" not in page


def test_manifest_has_the_address_of_the_page_of_a_body(db: None) -> None:
    manifest = Client().get(ROOT).json()

    assert manifest["view"]["url"].endswith("/reconciliation/{{id}}/")


def test_body_has_a_public_page(register: Register) -> None:
    page = Client().get(f"/reconciliation/o{register.fenmoor.pk}/").content.decode()

    assert "Fenmoor District Council" in page
