"""The service follows the 1.0 draft, has limits and errors, and reveals no private data."""

from __future__ import annotations

import json
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partnerships.organisations.models import Identifier
from partnerships.organisations.services import create_organisation, merge_organisations
from tests.reconciliation.conftest import Register

ROOT = "/reconciliation/1.0-draft"


def post(path: str, body: Any, *, as_text: bool = False) -> Any:
    """Post JSON as a client of the draft does."""
    return Client().post(f"{ROOT}/{path}", body if as_text else json.dumps(body), content_type="application/json")


def by_name(text: str, *more: dict[str, Any], **query: Any) -> dict[str, Any]:
    return {"conditions": [{"matchType": "name", "v": text}, *more], **query}


def candidates(*queries: dict[str, Any]) -> list[list[dict[str, Any]]]:
    response = post("match", {"queries": list(queries)})
    assert response.status_code == 200, response.content
    return [result["candidates"] for result in response.json()["results"]]


def test_manifest_of_the_draft(db: None) -> None:
    manifest = Client().get(f"{ROOT}/").json()

    assert manifest["versions"] == ["1.0-draft"]
    assert manifest["suggest"] == {"entity": True, "property": True, "type": True}
    assert manifest["view"]["url"].endswith("/reconciliation/{id}/")
    assert set(manifest["preview"]) == {"width", "height"}
    assert manifest["extend"]["proposeProperties"] is True
    assert manifest["batchSize"] == 50
    assert manifest["standardizedScore"] is True


def test_match_answers_in_the_order_of_the_batch(register: Register) -> None:
    first, second, third = candidates(
        by_name("Saltmarsh Homes"),
        by_name("Mereland Council", limit=1, type="council"),
        {"conditions": [{"matchType": "id", "v": f"o{register.fenmoor.pk}"}]},
    )

    assert first[0]["name"] == "Saltmarsh Homes Limited"
    assert first[0]["match"]
    assert [candidate["name"] for candidate in second] == ["Mereland Council"]
    assert [(candidate["name"], candidate["match"]) for candidate in third] == [("Fenmoor District Council", True)]
    assert all(0 <= candidate["score"] <= 100 for found in (first, second, third) for candidate in found)


def test_required_property_filters_candidates(register: Register) -> None:
    condition = {"matchType": "property", "pid": "gss", "v": "E06009999", "required": True}

    assert candidates(by_name("Mereland Council", condition)) == [[]]


def test_an_area_lowers_the_score_of_bodies_elsewhere(register: Register) -> None:
    def at(place: str) -> dict[str, Any]:
        return by_name("Mereland Council", {"matchType": "property", "pid": "area", "v": place})

    [candidate_in_area], [candidate_elsewhere] = candidates(at("Mereland"), at("Cornwall"))

    assert candidate_in_area["match"]
    assert candidate_in_area["score"] == 100.0
    assert not candidate_elsewhere["match"]
    assert candidate_elsewhere["score"] == 75.0


def test_extension_of_the_draft_is_a_list_of_rows(register: Register) -> None:
    mereland_id = f"o{register.mereland.pk}"

    response = post("extend", {"ids": [mereland_id], "properties": [{"id": "predecessors"}]}).json()

    assert response["meta"][0]["type"] == {"id": "organisation", "name": "Organisation"}
    [row] = response["rows"]
    assert row["id"] == mereland_id
    assert {value["name"] for value in row["properties"][0]["values"]} == {
        "Northmere Borough Council",
        "Fenmoor District Council",
    }


def test_other_sites_may_call_the_service_and_no_other_page(register: Register) -> None:
    preflight = Client().options(f"{ROOT}/match", HTTP_ORIGIN="https://refine.example")

    assert preflight.status_code == 204
    assert preflight["Access-Control-Allow-Origin"] == "*"
    assert "POST" in preflight["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in preflight
    for address in ("/reconciliation/", "/organisations/successions/", f"/reconciliation/o{register.mereland.pk}/"):
        assert "Access-Control-Allow-Origin" not in Client().get(address)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("nothing", 400),
        ("[" * 100_000, 400),
        ('{"queries": {}}', 400),
        ('{"queries": [1]}', 400),
        ('{"queries": [{"conditions": []}]}', 400),
        ('{"queries": [{"conditions": [{"matchType": "other", "v": "x"}]}]}', 400),
        ('{"queries": []}', 200),
        ('{"queries": [{"conditions": [{"matchType": "name", "v": "\\u0000\\ud800"}]}]}', 200),
        ('{"queries": [{"conditions": [{"matchType": "name", "v": ["a", {"id": 3}, null]}], "limit": 1e300}]}', 200),
        ('{"queries": [{"conditions": [{"matchType": "id", "v": "o999999999999999999"}]}]}', 200),
    ],
)
def test_unusual_json_is_answered_or_refused(register: Register, body: str, status: int) -> None:
    response = post("match", body, as_text=True)

    assert response.status_code == status
    assert response["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("text", ["", "[]", '{"q0": 3}', '{"q0": {}}', '{"q0": {"query": "x", "properties": 3}}'])
def test_unusual_forms_are_refused(db: None, text: str) -> None:
    assert Client().post("/reconciliation/0.2", {"queries": text}).status_code == 400


def test_batch_above_the_limit_is_refused(register: Register, settings: Any) -> None:
    settings.RECONCILIATION_SIZES = {**settings.RECONCILIATION_SIZES, "BATCH": 3}
    largest_batch = [by_name("Mereland Council")] * 3

    assert post("match", {"queries": largest_batch}).status_code == 200
    assert post("match", {"queries": [*largest_batch, by_name("one more")]}).status_code == 413


def test_properties_at_too_many_dates_are_refused(register: Register) -> None:
    def fetch_at(dates: int) -> Any:
        properties = [{"id": "successors", "settings": {"date": str(2001 + number)}} for number in range(dates)]
        return post("extend", {"ids": [f"o{register.fenmoor.pk}"], "properties": properties})

    assert fetch_at(10).status_code == 200
    assert fetch_at(11).status_code == 413


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (by_name("x" * 1_001), "Query 2: A text has at most 1,000 characters"),
        (
            by_name("Mereland", *[{"matchType": "property", "pid": "gss", "v": str(one)} for one in range(21)]),
            "Query 2: A query has at most 20 conditions, and this one has 21.",
        ),
        (
            by_name("Mereland", {"matchType": "property", "pid": "gss", "v": [str(one) for one in range(21)]}),
            "Query 2: A condition has at most 20 values, and this one has 21.",
        ),
    ],
)
def test_a_query_above_a_limit_is_refused_and_not_shortened(db: None, query: dict[str, Any], said: str) -> None:
    response = post("match", {"queries": [by_name("Mereland Council"), query]})

    assert response.status_code == 413
    assert response.json()["error"].startswith(said)


def test_too_many_names_are_refused_with_the_time_to_retry(register: Register, settings: Any) -> None:
    settings.RECONCILIATION_NAMES_PER_MINUTE = 5
    batch = {"queries": [by_name("Mereland Council")] * 3}
    with time_machine.travel(timezone.now(), tick=False):  # in a new minute, the count would start again
        responses = [post("match", batch), Client().get(f"{ROOT}/suggest/type"), post("match", batch)]
        status_of_page = Client().get(f"/reconciliation/o{register.mereland.pk}/").status_code

    assert [response.status_code for response in responses] == [200, 200, 429]
    assert int(responses[2]["Retry-After"]) > 0
    assert responses[2]["Access-Control-Allow-Origin"] == "*"
    assert responses[2].json() == {"error": "At most 5 names a minute. Try again in a minute."}
    assert status_of_page == 429


def test_private_and_invented_bodies_cannot_be_found(register: Register) -> None:
    Identifier.objects.create(organisation=register.private, scheme="network", value="saltmarsh-private")
    hidden = (register.private, register.invented)
    ids = [f"o{body.pk}" for body in hidden]

    queries = [by_name(body.name) for body in hidden] + [{"conditions": [{"matchType": "id", "v": pk}]} for pk in ids]
    queries += [by_name("L9992"), by_name("saltmarsh-private")]
    all_answers = json.dumps(candidates(*queries))
    all_answers += json.dumps(post("extend", {"ids": ids, "properties": [{"id": "name"}]}).json())
    all_answers += Client().get(f"{ROOT}/suggest/entity", {"prefix": "saltmarsh"}).content.decode()
    statuses = {Client().get(f"{ROOT}/preview", {"id": pk}).status_code for pk in ids}
    statuses |= {Client().get(f"/reconciliation/{pk}/").status_code for pk in ids}

    assert Client().get(f"{ROOT}/preview", {"id": ids[0]})["Access-Control-Allow-Origin"] == "*"
    assert not any(body.name in all_answers for body in hidden)
    assert "saltmarsh-private" not in all_answers
    assert statuses == {404}


def test_keys_of_network_files_find_nothing(register: Register) -> None:
    Identifier.objects.create(organisation=register.saltmarsh, scheme="network", value="key-of-ours")

    assert candidates(by_name("key-of-ours")) == [[]]
    assert Client().get(f"{ROOT}/suggest/entity", {"prefix": "key-of-ours"}).json() == {"result": []}


def test_private_names_do_not_displace_public_names(register: Register) -> None:
    for number in range(45):
        create_organisation(name=f"Saltmarsh Homes {number}", kind="developer", author=None, now=timezone.now())

    [candidate_list] = candidates(by_name("Saltmarsh Homes"))

    assert [candidate["name"] for candidate in candidate_list] == ["Saltmarsh Homes Limited"]


def test_a_merged_record_leads_to_the_kept_record(register: Register) -> None:
    duplicate = create_organisation(
        name="Saltmarsh Homes again",
        kind="registered_provider",
        identifiers=[("company", "01234567")],
        author=None,
        now=timezone.now(),
    )
    merge_organisations(kept=register.saltmarsh, merged=duplicate, reason="Twice.", author=None, now=timezone.now())

    page = Client().get(f"/reconciliation/o{duplicate.pk}/").content.decode()

    assert "Saltmarsh Homes Limited" in page
    assert candidates(by_name("01234567"))[0][0]["id"] == f"o{register.saltmarsh.pk}"


def test_batches_of_any_size_take_the_same_number_of_queries(register: Register) -> None:
    def queries(*names: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            candidates(*(by_name(name) for name in names))
        return len(captured)

    queries("Mereland Council")  # The first batch also makes the queries that a process makes only once.
    queries_for_two = queries("Mereland Council", "Saltmarsh Homes 0")
    queries_for_twenty = queries("Mereland Council", *(f"Saltmarsh Homes {number}" for number in range(19)))

    assert queries_for_two == queries_for_twenty
    assert queries_for_two <= 12
