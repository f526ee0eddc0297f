"""What OpenRefine sends (version 0.2) gets right answers.

Its requests have the shape that its own tests record from its client: `StandardReconConfigTests` (`batchReconTest…`,
`formulateQueryTest`, `testGetBatchSize`), and that `StandardReconConfig` and `ReconciledDataExtensionJob` write, in
https://github.com/OpenRefine/OpenRefine (main/tests/server and main/src, package com.google.refine.model.recon). The
answers are read here as `createReconServiceResults` and `collectResult` read them.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_plus

from django.test import Client
from django.urls import reverse

from tests.reconciliation.conftest import Register

ROOT = "/reconciliation/0.2"
#: Headers of OpenRefine's Java client.
SENT_BY = {"HTTP_USER_AGENT": "OpenRefine 3.8.2", "HTTP_ACCEPT": "*/*"}


def ask(queries: dict[str, Any]) -> Any:
    """POST a batch as OpenRefine does: JSON in the form field `queries`."""
    answer = Client().post(ROOT, {"queries": json.dumps(queries)}, **SENT_BY)
    assert answer.status_code == 200, answer.content
    return answer.json()


def names(result: Any) -> list[tuple[str, bool]]:
    return [(one["name"], one["match"]) for one in result["result"]]


def fetch(ids: list[str], *properties: dict[str, Any]) -> Any:
    """POST a data extension query as OpenRefine does."""
    body = {"ids": ids, "properties": list(properties)}
    answer = Client().post(ROOT, {"extend": json.dumps(body)}, **SENT_BY)
    assert answer.status_code == 200, answer.content
    return answer.json()


def recorded(part: str, **fields: Any) -> Any:
    """POST the bytes of a form as the client writes them: compact JSON, percent-encoded, nothing else."""
    body = f"{part}={quote_plus(json.dumps(fields, separators=(',', ':')))}"
    form = "application/x-www-form-urlencoded"
    answer = Client().generic("POST", ROOT, body, content_type=form, **SENT_BY)
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


def test_recorded_query_of_a_column_with_a_type_and_another_column(register: Register) -> None:
    """One query, keyed q0, with type, properties and type_strict, and no limit."""
    query = {
        "query": "Mereland Council",
        "type": "council",
        "properties": [{"pid": "gss", "v": "E06009993"}],
        "type_strict": "should",
    }

    found = recorded("queries", q0=query)

    assert list(found) == ["q0"]
    [best, *_] = found["q0"]["result"]
    assert (best["id"], best["name"], best["match"]) == (f"o{register.mereland.pk}", "Mereland Council", True)
    assert isinstance(best["score"], float)
    assert [one["id"] for one in best["type"]][:1] == ["council"]


def test_every_query_of_a_recorded_batch_gets_its_own_result(register: Register) -> None:
    """A batch of 50, the largest that the client sends: each key needs the field `result`, or the row gets an error.

    A cell that was matched before comes with its id and name, a cell with a date as a moment in UTC; blank cells are
    left out of the properties. Without a type the field is missing.
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
        "q2": {"query": "Mereland Council", "properties": [{"pid": "area", "v": matched}], "type_strict": "should"},
    }
    queries |= {f"q{number}": {"query": f"Nobody {number}", "type_strict": "should"} for number in range(3, 50)}

    found = recorded("queries", **queries)

    assert list(found) == list(queries)
    assert all("result" in one for one in found.values())
    assert names(found["q0"])[0] == ("Fenmoor District Council", True)
    assert names(found["q1"])[0] == ("Saltmarsh Homes Limited", True)


def test_recorded_request_for_columns_of_matched_rows(register: Register) -> None:
    """Ids and properties, with settings where the person set any: the client reads `rows` by id and property."""
    one = f"o{register.northmere.pk}"

    found = recorded("extend", ids=[one], properties=[{"id": "successors"}, {"id": "ended", "settings": {"date": ""}}])

    assert [column["id"] for column in found["meta"]] == ["successors", "ended"]
    assert all(column["name"] for column in found["meta"])
    [successor] = found["rows"][one]["successors"]
    assert (successor["id"], successor["name"]) == (f"o{register.mereland.pk}", "Mereland Council")
    assert found["rows"][one]["ended"] == [{"date": "2019-04-01T00:00:00Z"}]


def test_adding_the_service_reads_its_manifest(register: Register) -> None:
    answer = Client().get(ROOT, **SENT_BY)
    manifest = answer.json()

    assert answer["Access-Control-Allow-Origin"] == "*"
    assert manifest["versions"] == ["0.2"]
    assert "{{id}}" in manifest["view"]["url"]
    assert "{{id}}" in manifest["preview"]["url"]
    assert manifest["identifierSpace"].startswith("http")
    assert manifest["schemaSpace"].startswith("http")
    assert set(manifest["suggest"]) == {"entity", "property", "type"}
    assert all("${id}" in one["flyout_service_path"] for one in manifest["suggest"].values())
    assert {one["name"] for one in manifest["extend"]["property_settings"]} == {"date"}
    assert {
        "id": "council",
        "name": "Council",
        "broader": [{"id": "organisation", "name": "Organisation"}],
    } in manifest["defaultTypes"]


def test_first_rows_are_asked_without_a_type_to_guess_it(register: Register) -> None:
    found = ask({"q0": {"query": "Mereland Council", "limit": 3}, "q1": {"query": "Saltmarsh Homes Ltd", "limit": 3}})

    assert names(found["q0"])[0] == ("Mereland Council", True)
    assert found["q0"]["result"][0]["type"][:2] == [
        {"id": "council", "name": "Council"},
        {"id": "council-ua", "name": "Unitary council"},
    ]
    assert names(found["q1"])[0] == ("Saltmarsh Homes Limited", True)


def test_batch_with_type_and_date_column_gets_names_of_their_day(register: Register) -> None:
    column = [{"pid": "date", "v": "2018-03-31"}]
    found = ask(
        {
            "q0": {"query": "Northmere", "type": "council", "type_strict": "should", "properties": column},
            "q1": {"query": "Salt Homes Limited", "type": "registered_provider", "properties": column},
            "q2": {"query": "Mereland Council", "type": "council", "properties": column},
        }
    )

    assert names(found["q0"]) == [("Northmere Borough Council", True)]
    assert names(found["q1"])[0] == ("Salt Homes Limited", True)
    assert "now called Saltmarsh Homes Limited" in found["q1"]["result"][0]["description"]
    assert names(found["q2"])[0] == ("Mereland Council", False)


def test_candidates_say_what_became_of_them(register: Register) -> None:
    [found] = ask({"q0": {"query": "Fenmoor District Council"}})["q0"]["result"]

    assert found["match"] is True
    assert found["description"] == "District council; ended 1 April 2019; followed by Mereland Council"


def test_number_column_confirms_or_contradicts(register: Register) -> None:
    found = ask(
        {
            "q0": {"query": "Saltmarsh Homes", "properties": [{"pid": "rsh", "v": "L9991"}]},
            "q1": {"query": "Saltmarsh Homes", "properties": [{"pid": "rsh", "v": "L0001"}]},
            "q2": {"properties": [{"pid": "org-id", "v": "GB-SHPE-L9991"}]},
        }
    )

    assert names(found["q0"])[0] == ("Saltmarsh Homes Limited", True)
    assert names(found["q1"])[0] == ("Saltmarsh Homes Limited", False)
    assert names(found["q2"]) == [("Saltmarsh Homes Limited", True)]


def test_unreadable_date_in_a_cell_never_makes_a_match(register: Register) -> None:
    found = ask({"q0": {"query": "Mereland Council", "properties": [{"pid": "date", "v": "unknown"}]}})

    assert names(found["q0"])[0] == ("Mereland Council", False)


def test_misspelt_name_gets_a_candidate(register: Register) -> None:
    found = ask({"q0": {"query": "Saltmarch Homes"}})

    assert ("Saltmarsh Homes Limited", False) in names(found["q0"])


def test_queries_may_come_in_the_address(register: Register) -> None:
    answer = Client().get(ROOT, {"queries": json.dumps({"q0": {"query": "Mereland Council"}})}, **SENT_BY)

    assert names(answer.json()["q0"])[0] == ("Mereland Council", True)


def test_columns_from_matched_values_are_as_at_their_date(register: Register) -> None:
    one, other = f"o{register.northmere.pk}", f"o{register.saltmarsh.pk}"

    found = fetch(
        [one, other, "o999999999", "nothing"],
        {"id": "gss"},
        {"id": "successors"},
        {"id": "ended"},
        {"id": "name", "settings": {"date": "2019-12-31"}},
        {"id": "rsh"},
    )

    assert [meta["id"] for meta in found["meta"]] == ["gss", "successors", "ended", "name", "rsh"]
    assert found["rows"][one] == {
        "gss": found["rows"][one]["gss"],
        "successors": [{"id": f"o{register.mereland.pk}", "name": "Mereland Council"}],
        "ended": [{"date": "2019-04-01T00:00:00Z"}],
        "name": [{"str": "Northmere Borough Council"}],
        "rsh": [],
    }
    assert found["rows"][other]["name"] == [{"str": "Salt Homes Limited"}]
    assert found["rows"][other]["rsh"] == [{"str": "L9991"}]
    assert found["rows"]["nothing"]["name"] == []
    assert found["rows"]["o999999999"]["name"] == []


def test_properties_to_fetch_are_proposed(db: None) -> None:
    found = Client().get(f"{ROOT}/extend/propose", {"type": "council", "limit": "3"}).json()

    assert found["type"] == "council"
    assert len(found["properties"]) == 3


def test_searching_for_a_match_suggests_bodies(register: Register) -> None:
    found = Client().get(f"{ROOT}/suggest/entity", {"prefix": "merel"}).json()["result"]
    by_number = Client().get(f"{ROOT}/suggest/entity", {"prefix": "L9991"}).json()["result"]

    assert [one["name"] for one in found] == ["Mereland Council"]
    assert [one["name"] for one in by_number] == ["Saltmarsh Homes Limited"]


def test_types_and_properties_are_suggested(db: None) -> None:
    types = Client().get(f"{ROOT}/suggest/type", {"prefix": "coun"}).json()["result"]
    properties = Client().get(f"{ROOT}/suggest/property", {"prefix": ""}).json()["result"]

    assert "council" in {type_["id"] for type_ in types}
    assert {"date", "gss", "rsh", "company", "kind", "area", "org-id"} <= {prop["id"] for prop in properties}


def test_flyouts_escape_names(register: Register) -> None:
    register.mereland.name = "Mere <b>land</b>"
    register.mereland.save(update_fields=["name"])

    found = Client().get(f"{ROOT}/flyout/entity", {"id": f"o{register.mereland.pk}"}).json()

    assert "&lt;b&gt;" in found["html"]
    assert "<b>" not in found["html"]


def test_preview_may_be_framed_by_any_site_and_runs_nothing(register: Register) -> None:
    answer = Client().get(f"{ROOT}/preview", {"id": f"o{register.northmere.pk}"})
    page = answer.content.decode()

    assert "Northmere Borough Council" in page
    assert "Mereland Council" in page
    assert "1 April 2019" in page
    assert "X-Frame-Options" not in answer
    assert "frame-ancestors *" in answer["Content-Security-Policy"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "<script" not in page


def test_body_has_a_public_page_at_the_address_of_the_manifest(register: Register) -> None:
    template = Client().get(ROOT).json()["view"]["url"]
    address = template.replace("{{id}}", f"o{register.fenmoor.pk}")

    assert address.endswith(reverse("reconciliation:body", args=[f"o{register.fenmoor.pk}"]))
    assert "Fenmoor District Council" in Client().get(address[address.index("/reconciliation") :]).content.decode()
