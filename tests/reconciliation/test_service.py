"""The 1.0 draft, limits, errors, and what stays private."""

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
    """POST JSON as a client of the draft does."""
    return Client().post(f"{ROOT}/{path}", body if as_text else json.dumps(body), content_type="application/json")


def by_name(text: str, *more: dict[str, Any], **query: Any) -> dict[str, Any]:
    return {"conditions": [{"matchType": "name", "v": text}, *more], **query}


def candidates(*queries: dict[str, Any]) -> list[list[dict[str, Any]]]:
    answer = post("match", {"queries": list(queries)})
    assert answer.status_code == 200, answer.content
    return [one["candidates"] for one in answer.json()["results"]]


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

    assert (first[0]["name"], first[0]["match"]) == ("Saltmarsh Homes Limited", True)
    assert [one["name"] for one in second] == ["Mereland Council"]
    assert [(one["name"], one["match"]) for one in third] == [("Fenmoor District Council", True)]
    assert all(0 <= one["score"] <= 100 for found in (first, second, third) for one in found)


def test_required_property_filters_candidates(register: Register) -> None:
    wanted = {"matchType": "property", "pid": "gss", "v": "E06009999", "required": True}

    assert candidates(by_name("Mereland Council", wanted)) == [[]]


def test_area_narrows(register: Register) -> None:
    def at(place: str) -> dict[str, Any]:
        return by_name("Mereland Council", {"matchType": "property", "pid": "area", "v": place})

    [right], [wrong] = candidates(at("Mereland"), at("Cornwall"))

    assert (right["match"], right["score"]) == (True, 100.0)
    assert (wrong["match"], wrong["score"]) == (False, 75.0)


def test_extension_of_the_draft_is_a_list_of_rows(register: Register) -> None:
    one = f"o{register.mereland.pk}"

    found = post("extend", {"ids": [one], "properties": [{"id": "predecessors"}]}).json()

    assert found["meta"][0]["type"] == {"id": "organisation", "name": "Organisation"}
    [row] = found["rows"]
    assert row["id"] == one
    assert {value["name"] for value in row["properties"][0]["values"]} == {
        "Northmere Borough Council",
        "Fenmoor District Council",
    }


def test_other_sites_may_call_it_and_nothing_else(register: Register) -> None:
    asked = Client().options(f"{ROOT}/match", HTTP_ORIGIN="https://refine.example")

    assert asked.status_code == 204
    assert asked["Access-Control-Allow-Origin"] == "*"
    assert "POST" in asked["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in asked
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
def test_odd_bodies_get_an_answer_of_their_kind(register: Register, body: str, status: int) -> None:
    answer = post("match", body, as_text=True)

    assert answer.status_code == status
    assert answer["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("text", ["", "[]", '{"q0": 3}', '{"q0": {}}', '{"q0": {"query": "x", "properties": 3}}'])
def test_odd_forms_are_refused(db: None, text: str) -> None:
    assert Client().post("/reconciliation/0.2", {"queries": text}).status_code == 400


def test_batch_above_the_limit_is_refused(register: Register, settings: Any) -> None:
    settings.RECONCILIATION_SIZES = {**settings.RECONCILIATION_SIZES, "BATCH": 3}
    most = [by_name("Mereland Council")] * 3

    assert post("match", {"queries": most}).status_code == 200
    assert post("match", {"queries": [*most, by_name("one more")]}).status_code == 413


def test_properties_at_too_many_dates_are_refused(register: Register) -> None:
    def asked(dates: int) -> Any:
        wanted = [{"id": "successors", "settings": {"date": str(2001 + number)}} for number in range(dates)]
        return post("extend", {"ids": [f"o{register.fenmoor.pk}"], "properties": wanted})

    assert (asked(10).status_code, asked(11).status_code) == (200, 413)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (by_name("x" * 1_001), "Query 2: A text has at most 1,000 characters"),
        (
            by_name("Mereland", *[{"matchType": "property", "pid": "gss", "v": str(one)} for one in range(21)]),
            "Query 2: A query has at most 20 conditions; this one has 21.",
        ),
        (
            by_name("Mereland", {"matchType": "property", "pid": "gss", "v": [str(one) for one in range(21)]}),
            "Query 2: A condition has at most 20 values; this one has 21.",
        ),
    ],
)
def test_more_than_a_query_may_have_is_refused_and_not_cut(db: None, query: dict[str, Any], said: str) -> None:
    answer = post("match", {"queries": [by_name("Mereland Council"), query]})

    assert answer.status_code == 413
    assert answer.json()["error"].startswith(said)


def test_too_many_names_are_refused_with_when_to_come_back(register: Register, settings: Any) -> None:
    settings.RECONCILIATION_NAMES_PER_MINUTE = 5
    batch = {"queries": [by_name("Mereland Council")] * 3}
    with time_machine.travel(timezone.now(), tick=False):  # a new minute would count from none
        answers = [post("match", batch), Client().get(f"{ROOT}/suggest/type"), post("match", batch)]
        of_one = Client().get(f"/reconciliation/o{register.mereland.pk}/").status_code

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2]["Retry-After"]) > 0
    assert answers[2]["Access-Control-Allow-Origin"] == "*"
    assert answers[2].json() == {"error": "At most 5 names a minute. Try again in a minute."}
    assert of_one == 429


def test_private_and_invented_bodies_are_found_in_no_way(register: Register) -> None:
    Identifier.objects.create(organisation=register.private, scheme="network", value="saltmarsh-private")
    hidden = (register.private, register.invented)
    ids = [f"o{one.pk}" for one in hidden]

    asked = [by_name(one.name) for one in hidden] + [{"conditions": [{"matchType": "id", "v": pk}]} for pk in ids]
    asked += [by_name("L9992"), by_name("saltmarsh-private")]
    told = json.dumps(candidates(*asked))
    told += json.dumps(post("extend", {"ids": ids, "properties": [{"id": "name"}]}).json())
    told += Client().get(f"{ROOT}/suggest/entity", {"prefix": "saltmarsh"}).content.decode()
    statuses = {Client().get(f"{ROOT}/preview", {"id": pk}).status_code for pk in ids}
    statuses |= {Client().get(f"/reconciliation/{pk}/").status_code for pk in ids}

    assert Client().get(f"{ROOT}/preview", {"id": ids[0]})["Access-Control-Allow-Origin"] == "*"
    assert not any(one.name in told for one in hidden)
    assert "saltmarsh-private" not in told
    assert statuses == {404}


def test_keys_of_network_files_find_nothing(register: Register) -> None:
    Identifier.objects.create(organisation=register.saltmarsh, scheme="network", value="key-of-ours")

    assert candidates(by_name("key-of-ours")) == [[]]
    assert Client().get(f"{ROOT}/suggest/entity", {"prefix": "key-of-ours"}).json() == {"result": []}


def test_private_names_do_not_push_public_ones_out(register: Register) -> None:
    for number in range(45):
        create_organisation(name=f"Saltmarsh Homes {number}", kind="developer", author=None, now=timezone.now())

    [found] = candidates(by_name("Saltmarsh Homes"))

    assert [one["name"] for one in found] == ["Saltmarsh Homes Limited"]


def test_record_that_was_merged_leads_to_the_one_that_was_kept(register: Register) -> None:
    twice = create_organisation(
        name="Saltmarsh Homes again",
        kind="registered_provider",
        identifiers=[("company", "01234567")],
        author=None,
        now=timezone.now(),
    )
    merge_organisations(kept=register.saltmarsh, merged=twice, reason="Twice.", author=None, now=timezone.now())

    page = Client().get(f"/reconciliation/o{twice.pk}/").content.decode()

    assert "Saltmarsh Homes Limited" in page
    assert candidates(by_name("01234567"))[0][0]["id"] == f"o{register.saltmarsh.pk}"


def test_batch_of_any_size_costs_the_same_queries(register: Register) -> None:
    def queries(*names: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            candidates(*(by_name(name) for name in names))
        return len(captured)

    queries("Mereland Council")  # what a process reads once
    two = queries("Mereland Council", "Saltmarsh Homes 0")
    twenty = queries("Mereland Council", *(f"Saltmarsh Homes {number}" for number in range(19)))

    assert two == twenty
    assert two <= 12
