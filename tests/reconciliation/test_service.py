"""The service follows the 1.0 draft, has limits and errors, and reveals no private data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partnerships.organisations.models import Identifier, Organisation
from partnerships.organisations.services import create_organisation, merge_organisations
from tests.reconciliation.conftest import Register

ROOT = "/reconciliation/1.0-draft"


def post_text(path: str, text: str) -> Any:
    """Post text that may be invalid JSON, and return the response."""
    return Client().post(f"{ROOT}/{path}", text, content_type="application/json")


def post(path: str, body: Any) -> Any:
    """Post JSON as a client of the draft does, and return the response."""
    return post_text(path, json.dumps(body))


def by_name(text: str, *conditions: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Return a query for a name, with further conditions and options such as a limit."""
    return {"conditions": [{"matchType": "name", "v": text}, *conditions], **options}


def by_id(body: Organisation) -> dict[str, Any]:
    """Return a query for the id of a body."""
    return {"conditions": [{"matchType": "id", "v": f"o{body.pk}"}]}


def candidates(*queries: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Return the candidates for each query of a batch."""
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
    answers = candidates(
        by_name("Saltmarsh Homes"), by_name("Mereland Council", limit=1, type="council"), by_id(register.fenmoor)
    )

    best_names = [answer[0]["name"] for answer in answers]
    assert best_names == ["Saltmarsh Homes Limited", "Mereland Council", "Fenmoor District Council"]


def test_an_id_matches_its_body_alone(register: Register) -> None:
    [[candidate]] = candidates(by_id(register.fenmoor))

    assert candidate["name"] == "Fenmoor District Council"
    assert candidate["match"]


def test_a_query_with_a_limit_gets_no_more_candidates(register: Register) -> None:
    [answer] = candidates(by_name("Mereland Council", limit=1, type="council"))

    assert [candidate["name"] for candidate in answer] == ["Mereland Council"]


def test_scores_are_between_0_and_100(register: Register) -> None:
    [answer] = candidates(by_name("Mereland"))

    assert answer != []
    assert all(0 <= candidate["score"] <= 100 for candidate in answer)


def test_required_property_filters_candidates(register: Register) -> None:
    condition = {"matchType": "property", "pid": "gss", "v": "E06009999", "required": True}

    [answer] = candidates(by_name("Mereland Council", condition))

    assert answer == []


@pytest.mark.parametrize(
    ("place", "is_match", "score"),
    [
        pytest.param("Mereland", True, 100.0, id="its own area"),
        pytest.param("Cornwall", False, 75.0, id="elsewhere"),
    ],
)
def test_an_area_lowers_the_score_of_bodies_elsewhere(
    register: Register, place: str, is_match: bool, score: float
) -> None:
    in_the_place = {"matchType": "property", "pid": "area", "v": place}

    [[candidate]] = candidates(by_name("Mereland Council", in_the_place))

    assert candidate["match"] is is_match
    assert candidate["score"] == score


def test_extension_of_the_draft_is_a_list_of_rows(register: Register) -> None:
    mereland_id = f"o{register.mereland.pk}"

    response = post("extend", {"ids": [mereland_id], "properties": [{"id": "predecessors"}]}).json()

    [row] = response["rows"]
    predecessor_names = {value["name"] for value in row["properties"][0]["values"]}
    assert response["meta"][0]["type"] == {"id": "organisation", "name": "Organisation"}
    assert row["id"] == mereland_id
    assert predecessor_names == {"Northmere Borough Council", "Fenmoor District Council"}


def test_other_sites_may_call_the_service(db: None) -> None:
    preflight = Client().options(f"{ROOT}/match", HTTP_ORIGIN="https://refine.example")

    assert preflight.status_code == 204
    assert preflight["Access-Control-Allow-Origin"] == "*"
    assert "POST" in preflight["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in preflight


@pytest.mark.parametrize("address", ["/reconciliation/", "/organisations/successions/"])
def test_other_sites_may_call_no_page(db: None, address: str) -> None:
    response = Client().get(address)

    assert response.status_code == 200
    assert "Access-Control-Allow-Origin" not in response


def test_other_sites_may_not_call_the_page_of_a_body(register: Register) -> None:
    response = Client().get(f"/reconciliation/o{register.mereland.pk}/")

    assert response.status_code == 200
    assert "Access-Control-Allow-Origin" not in response


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("nothing", id="a word"),
        pytest.param("[" * 100_000, id="100,000 brackets"),
        pytest.param('{"queries": {}}', id="queries are no list"),
        pytest.param('{"queries": [1]}', id="a query is a number"),
        pytest.param('{"queries": [{"conditions": []}]}', id="no conditions"),
        pytest.param('{"queries": [{"conditions": [{"matchType": "other", "v": "x"}]}]}', id="unknown condition"),
    ],
)
def test_invalid_json_is_refused(db: None, text: str) -> None:
    response = post_text("match", text)

    assert response.status_code == 400
    assert response["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"queries": []}', id="no queries"),
        pytest.param(
            '{"queries": [{"conditions": [{"matchType": "name", "v": "\\u0000\\ud800"}]}]}',
            id="characters that PostgreSQL refuses",
        ),
        pytest.param(
            '{"queries": [{"conditions": [{"matchType": "name", "v": ["a", {"id": 3}, null]}], "limit": 1e300}]}',
            id="mixed values and a huge limit",
        ),
        pytest.param(
            '{"queries": [{"conditions": [{"matchType": "id", "v": "o999999999999999999"}]}]}', id="a huge id"
        ),
    ],
)
def test_unusual_json_is_answered(register: Register, text: str) -> None:
    response = post_text("match", text)

    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("text", ["", "[]", '{"q0": 3}', '{"q0": {}}', '{"q0": {"query": "x", "properties": 3}}'])
def test_invalid_forms_are_refused(db: None, text: str) -> None:
    response = Client().post("/reconciliation/0.2", {"queries": text})

    assert response.status_code == 400


@pytest.mark.parametrize(("query_count", "status_code"), [(3, 200), (4, 413)])
def test_batch_above_the_limit_is_refused(
    register: Register, settings: Any, query_count: int, status_code: int
) -> None:
    settings.RECONCILIATION_SIZES = {**settings.RECONCILIATION_SIZES, "BATCH": 3}

    response = post("match", {"queries": [by_name("Mereland Council")] * query_count})

    assert response.status_code == status_code


@pytest.mark.parametrize(("date_count", "status_code"), [(10, 200), (11, 413)])
def test_properties_at_too_many_dates_are_refused(register: Register, date_count: int, status_code: int) -> None:
    properties = [{"id": "successors", "settings": {"date": f"{2001 + number}"}} for number in range(date_count)]

    response = post("extend", {"ids": [f"o{register.fenmoor.pk}"], "properties": properties})

    assert response.status_code == status_code


#: More GSS codes than a query or a condition may have.
CODES = [f"E070000{number}" for number in range(10, 31)]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        pytest.param(by_name("x" * 1_001), "Query 2: A text has at most 1,000 characters", id="a long name"),
        pytest.param(
            by_name("Mereland", *[{"matchType": "property", "pid": "gss", "v": code} for code in CODES]),
            "Query 2: A query has at most 20 conditions, and this one has 21.",
            id="too many conditions",
        ),
        pytest.param(
            by_name("Mereland", {"matchType": "property", "pid": "gss", "v": CODES}),
            "Query 2: A condition has at most 20 values, and this one has 21.",
            id="too many values",
        ),
    ],
)
def test_a_query_above_a_limit_is_refused_and_not_shortened(db: None, query: dict[str, Any], error: str) -> None:
    response = post("match", {"queries": [by_name("Mereland Council"), query]})

    assert response.status_code == 413
    assert response.json()["error"].startswith(error)


@pytest.fixture
def three_of_five_names_used(register: Register, settings: Any) -> Iterator[None]:
    """Limit the names to five a minute, send three, and stop the clock, so that the count does not start again."""
    settings.RECONCILIATION_NAMES_PER_MINUTE = 5
    with time_machine.travel(timezone.now(), tick=False):
        post("match", {"queries": [by_name("Mereland Council")] * 3})
        yield


@pytest.mark.usefixtures("three_of_five_names_used")
def test_too_many_names_are_refused_with_the_time_to_retry() -> None:
    response = post("match", {"queries": [by_name("Mereland Council")] * 3})

    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response.json() == {"error": "At most 5 names a minute. Try again in a minute."}


@pytest.mark.usefixtures("three_of_five_names_used")
def test_pages_of_bodies_count_against_the_limit_of_names(register: Register) -> None:
    post("match", {"queries": [by_name("Mereland Council")] * 3})

    response = Client().get(f"/reconciliation/o{register.mereland.pk}/")

    assert response.status_code == 429


@pytest.fixture(params=["private", "invented"])
def hidden_body(request: pytest.FixtureRequest, register: Register) -> Organisation:
    """Return each body of the directory that the service must not show: a private one, and one of the demonstration."""
    body: Organisation = getattr(register, request.param)
    return body


def test_hidden_bodies_match_no_name(hidden_body: Organisation) -> None:
    [answer] = candidates(by_name(hidden_body.name))

    assert hidden_body.name not in [candidate["name"] for candidate in answer]


def test_hidden_bodies_match_no_id(hidden_body: Organisation) -> None:
    [answer] = candidates(by_id(hidden_body))

    assert answer == []


def test_hidden_bodies_match_no_number(register: Register) -> None:
    Identifier.objects.create(organisation=register.private, scheme="network", value="saltmarsh-private")

    answers = candidates(by_name("L9992"), by_name("saltmarsh-private"))

    assert answers == [[], []]


def test_hidden_bodies_do_not_show_their_properties(hidden_body: Organisation) -> None:
    response = post("extend", {"ids": [f"o{hidden_body.pk}"], "properties": [{"id": "name"}]})

    assert response.status_code == 200
    assert hidden_body.name not in response.content.decode()


def test_hidden_bodies_are_not_suggested(hidden_body: Organisation) -> None:
    response = Client().get(f"{ROOT}/suggest/entity", {"prefix": "saltmarsh"})

    assert "Saltmarsh Homes Limited" in response.content.decode()
    assert hidden_body.name not in response.content.decode()


def test_hidden_bodies_have_no_preview(hidden_body: Organisation) -> None:
    response = Client().get(f"{ROOT}/preview", {"id": f"o{hidden_body.pk}"})

    assert response.status_code == 404
    assert response["Access-Control-Allow-Origin"] == "*"


def test_hidden_bodies_have_no_page(hidden_body: Organisation) -> None:
    response = Client().get(f"/reconciliation/o{hidden_body.pk}/")

    assert response.status_code == 404


@pytest.fixture
def key_of_a_network_file(register: Register) -> str:
    """Return the key of Saltmarsh Homes in the network's own files."""
    Identifier.objects.create(organisation=register.saltmarsh, scheme="network", value="key-of-ours")
    return "key-of-ours"


def test_keys_of_network_files_match_nothing(key_of_a_network_file: str) -> None:
    [answer] = candidates(by_name(key_of_a_network_file))

    assert answer == []


def test_keys_of_network_files_suggest_nothing(key_of_a_network_file: str) -> None:
    response = Client().get(f"{ROOT}/suggest/entity", {"prefix": key_of_a_network_file})

    assert response.json() == {"result": []}


def test_private_names_do_not_displace_public_names(register: Register) -> None:
    for number in range(45):
        create_organisation(name=f"Saltmarsh Homes {number}", kind="developer", author=None, now=timezone.now())

    [answer] = candidates(by_name("Saltmarsh Homes"))

    assert [candidate["name"] for candidate in answer] == ["Saltmarsh Homes Limited"]


@pytest.fixture
def merged_record(register: Register) -> Organisation:
    """Return a record with a company number that was merged into that of Saltmarsh Homes."""
    duplicate = create_organisation(
        name="Saltmarsh Homes again",
        kind="registered_provider",
        identifiers=[("company", "01234567")],
        author=None,
        now=timezone.now(),
    )
    merge_organisations(kept=register.saltmarsh, merged=duplicate, reason="Twice.", author=None, now=timezone.now())
    return duplicate


def test_the_page_of_a_merged_record_shows_the_kept_record(merged_record: Organisation) -> None:
    page = Client().get(f"/reconciliation/o{merged_record.pk}/").content.decode()

    assert "Saltmarsh Homes Limited" in page


@pytest.mark.usefixtures("merged_record")
def test_the_number_of_a_merged_record_matches_the_kept_record(register: Register) -> None:
    [[best_candidate, *_]] = candidates(by_name("01234567"))

    assert best_candidate["id"] == f"o{register.saltmarsh.pk}"


def count_sql_queries(*names: str) -> int:
    """Return how many SQL queries a batch of these names takes."""
    with CaptureQueriesContext(connection) as captured:
        candidates(*[by_name(name) for name in names])
    return len(captured)


def test_batches_of_any_size_take_the_same_number_of_sql_queries(register: Register) -> None:
    count_sql_queries("Mereland Council")  # The first batch also makes the queries that a process makes only once.

    count_for_two = count_sql_queries("Mereland Council", "Saltmarsh Homes 0")
    count_for_twenty = count_sql_queries("Mereland Council", *[f"Saltmarsh Homes {number}" for number in range(19)])

    assert count_for_two == count_for_twenty
    assert count_for_two <= 12
