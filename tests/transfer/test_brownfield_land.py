"""Registers of brownfield land become public plans of their councils, with sites."""

from __future__ import annotations

import datetime as dt
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.open_data.models import Record
from partnerships.open_data.queries import file_of
from partnerships.organisations.models import Organisation
from partnerships.plans.models import Audience, Plan
from partnerships.plans.services import publish_version
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.services.brownfield_land import import_brownfield_land
from partnerships.transfer.services.files import File

from .lists import as_csv, rows_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("councils")]

REGISTER = b"""OrganisationURI,SiteReference,SiteNameAddress,GeoX,GeoY,SiteplanURL,Hectares,OwnershipStatus,\
PlanningStatus,PermissionType,PermissionDate,PlanningHistory,Deliverable,NetDwellingsRangeFrom,NetDwellingsRangeTo,\
HazardousSubstances,Notes,FirstAddedDate,LastUpdatedDate,EndDate
local-authority:XWM,B/1,"Old Mill, Quay Street",-1.18,50.85,,1.2,owned by a public authority,permissioned,\
outline planning permission,2025-03-01,,yes,12,40,,,2019-12-01,2026-01-31,
local-authority:XWM,B/2,Gas Works,431200,101300,,0.4,unknown ownership,not permissioned,,,,,,8,,,2019-12-01,2026-01-31,
local-authority:XWM,B/3,Built already,-1.2,50.8,,1,,permissioned,full planning permission,,,,5,5,,,2017-12-01,\
2020-01-01,2020-01-01
local-authority:XNW,B/1,Mere Depot,-1.3,50.9,,2,,pending decision,,,,,20,20,,,2019-12-01,2026-01-31,
"""
#: The register of two years before, when the Gas Works had another name.
OLDER_REGISTER = REGISTER.replace(b"2026-01-31", b"2024-01-31").replace(b"Gas Works", b"Gas Holder")


def import_register(data: bytes, *, name: str = "brownfield-land.csv", **options: Any) -> ImportRun:
    """Import a register of brownfield land, and return the run."""
    return import_brownfield_land(
        file=File(name, data), author=None, now=options.pop("now", timezone.now()), **options
    ).run


def council_named(council: str) -> Organisation:
    return Organisation.objects.get(name=council)


def register_of(council: str) -> Plan:
    return Plan.objects.owned_by(council_named(council)).get(kind="brownfield_land")


def sites_of(council: str) -> dict[str, dict[str, Any]]:
    """Return the sites in the newest version of the council's plan, by reference."""
    plan = register_of(council)
    content = plan.versions.get(number=plan.current_number).content
    return {site["reference"]: site for site in content["sites"]}


def publish_address_of_gas_works() -> None:
    """Publish a version of Westmarch's plan in which its owners have added an address to the site “Gas Works”."""
    plan = register_of("Westmarch Borough Council")
    content = plan.versions.get().content
    content["sites"][1] |= {"address": "Gas Lane", "postcode": "PO16 7GZ"}
    publish_version(plan=plan, author=None, note="By hand.", now=timezone.now(), content=content)


def test_each_council_gets_a_public_plan_with_its_sites() -> None:
    run = import_register(REGISTER)

    assert run.created == 2
    assert run.set_aside == 0
    assert run.as_of == dt.date(2026, 1, 31)
    assert register_of("Mere Council").audience == Audience.PUBLIC
    assert sites_of("Westmarch Borough Council").keys() == {"B/1", "B/2"}
    assert sites_of("Mere Council").keys() == {"B/1"}


def test_site_has_the_values_of_its_row() -> None:
    import_register(REGISTER)

    mill = sites_of("Westmarch Borough Council")["B/1"]
    assert mill["name"] == "Old Mill, Quay Street"
    assert mill["planning_status"] == "outline"
    assert mill["landowner"] == "owned by a public authority"
    assert float(mill["lng"]) == -1.18
    assert float(mill["lat"]) == 50.85
    assert [(line["tenure"], line["count"]) for line in mill["homes"]] == [("unknown", 12)]


def test_site_with_a_grid_reference_or_only_a_maximum_of_homes_is_imported() -> None:
    import_register(REGISTER)

    gas_works = sites_of("Westmarch Borough Council")["B/2"]
    assert gas_works["lat"] is None
    assert [line["count"] for line in gas_works["homes"]] == [8]


def test_same_register_changes_nothing() -> None:
    import_register(REGISTER)

    run = import_register(REGISTER)

    assert run.created == 0
    assert run.changed == 0
    assert run.left_alone == 2


def test_changed_register_publishes_a_version_of_the_changed_plan_only() -> None:
    import_register(REGISTER)

    run = import_register(REGISTER.replace(b",12,40,", b",15,40,").replace(b"Gas Works", b"Gas Works Lane"))

    assert run.created == 0
    assert run.changed == 1
    assert run.left_alone == 1
    sites = sites_of("Westmarch Borough Council")
    assert sites["B/1"]["homes"][0]["count"] == 15
    assert sites["B/2"]["name"] == "Gas Works Lane"


def test_site_that_ended_or_is_not_in_the_register_is_removed_from_the_plan() -> None:
    import_register(REGISTER)
    smaller_register = b"\n".join(line for line in REGISTER.splitlines() if b"Gas Works" not in line)

    import_register(smaller_register)

    assert sites_of("Westmarch Borough Council").keys() == {"B/1"}


def test_older_register_only_adds_to_the_history_of_a_plan() -> None:
    import_register(REGISTER)

    run = import_register(OLDER_REGISTER)

    assert sites_of("Westmarch Borough Council")["B/2"]["name"] == "Gas Works"
    assert "older than those of its last file" in " ".join(run.report["remarks"])
    assert "Gas Holder" in Event.objects.filter(kind=EventKind.IN_OLDER_FILE).latest("pk").data["reason"]


def test_newer_rows_of_one_council_are_imported_beside_older_rows_of_another() -> None:
    import_register(REGISTER)
    older_rows = [row for row in rows_of(OLDER_REGISTER) if row["OrganisationURI"] == "local-authority:XNW"]
    changed_register = REGISTER.replace(b",8,,", b",9,,")
    newer_rows = [row for row in rows_of(changed_register) if row["OrganisationURI"] == "local-authority:XWM"]

    run = import_register(as_csv([*older_rows, *newer_rows]))

    assert run.set_aside == 0
    assert run.changed == 1


def test_newer_register_is_imported_after_an_older_one() -> None:
    import_register(REGISTER)
    import_register(OLDER_REGISTER)

    import_register(REGISTER.replace(b"2026-01-31", b"2026-02-28").replace(b"Gas Works", b"Gas Works Lane"))

    assert sites_of("Westmarch Borough Council")["B/2"]["name"] == "Gas Works Lane"


def test_older_row_changes_no_site_in_a_file_with_newer_rows() -> None:
    padded_register = REGISTER.replace(b"B/2,", b"B/2 ,")  # saved rows have the texts of the file
    import_register(padded_register.replace(b"2026-01-31", b"2026-03-31").replace(b"Gas Works", b"Gas Works Lane"))
    rows = rows_of(padded_register)
    mill = next(row for row in rows if row["SiteReference"] == "B/1")
    mill |= {"LastUpdatedDate": "2026-04-30", "NetDwellingsRangeFrom": "15"}

    run = import_register(as_csv(rows))

    sites = sites_of("Westmarch Borough Council")
    assert sites["B/1"]["homes"][0]["count"] == 15
    assert sites["B/2"]["name"] == "Gas Works Lane"
    assert "we left out 1 row, because it is older than those of its last file" in " ".join(run.report["remarks"])
    record = Record.objects.get(cells__SiteReference="B/2 ")
    assert record.cells["LastUpdatedDate"] == "2026-03-31"


def test_bad_row_is_set_aside_and_its_site_is_not_removed() -> None:
    import_register(REGISTER)
    rows = rows_of(REGISTER)
    rows[1]["GeoX"] = "far away"
    rows[0]["NetDwellingsRangeFrom"] = "15"

    run = import_register(as_csv(rows))

    assert run.set_aside == 1
    assert "“far away” is not an amount" in run.report["lines"]["set_aside"][0]
    assert sites_of("Westmarch Borough Council").keys() == {"B/1", "B/2"}


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("SiteReference", "", "the cell is blank"),
        ("SiteReference", "B/1", "“B/1” is in rows"),
        ("GeoY", "0", "is not a place in England"),
        ("NetDwellingsRangeTo", "-4", "is not a number of homes"),
        ("NetDwellingsRangeFrom", "900", "is less than"),
        ("LastUpdatedDate", "31/02/2026", "is not a date"),
        ("OrganisationURI", "local-authority:ZZZ", "is not an authority in the directory"),
    ],
)
def test_every_bad_row_is_named(field: str, value: str, problem: str) -> None:
    rows = rows_of(REGISTER)
    rows[1][field] = value

    run = import_register(as_csv(rows))

    assert run.set_aside in (1, 2)  # both rows with one reference
    assert any(problem in line for line in run.report["lines"]["set_aside"])


def test_register_without_an_authority_is_refused_unless_a_council_is_chosen() -> None:
    rows = [{**row, "OrganisationURI": ""} for row in rows_of(REGISTER)[:2]]

    with pytest.raises(UnableToRead, match="OrganisationURI"):
        import_register(as_csv(rows))


def test_rows_without_an_authority_belong_to_the_council_that_is_chosen() -> None:
    rows = [{**row, "OrganisationURI": ""} for row in rows_of(REGISTER)[:2]]

    run = import_register(as_csv(rows), council=council_named("Mere Council"))

    assert run.created == 1
    assert sites_of("Mere Council").keys() == {"B/1", "B/2"}


def test_rows_of_another_council_than_the_chosen_one_are_set_aside() -> None:
    run = import_register(REGISTER, council=council_named("Westmarch Borough Council"))

    assert run.created == 1
    assert run.set_aside == 1
    assert "Mere Council’s" in run.report["lines"]["set_aside"][0]


def test_edits_of_owners_survive_the_next_register_and_are_published() -> None:
    import_register(REGISTER)
    plan = register_of("Westmarch Borough Council")
    content = plan.versions.get().content
    content["sites"][0]["homes"] = [{"tenure": "social_rent", "count": 50}]
    publish_version(plan=plan, author=None, note="By hand.", now=timezone.now(), content=content)

    import_register(REGISTER.replace(b"Gas Works", b"Gas Works Lane"))

    row = file_of(council_named("Westmarch Borough Council"), "brownfield-land").rows[0]
    assert row["NetDwellingsRangeFrom"] == "50"
    assert row["NetDwellingsRangeTo"] == "50"
    assert row["Hectares"] == "1.2"
    assert row["LastUpdatedDate"] == timezone.localdate().isoformat()


def test_public_file_has_name_and_address_of_a_site_in_one_column() -> None:
    import_register(REGISTER)
    publish_address_of_gas_works()

    row = file_of(council_named("Westmarch Borough Council"), "brownfield-land").rows[1]

    assert row["SiteNameAddress"] == "Gas Works, Gas Lane, PO16 7GZ"


def test_importing_name_and_address_from_the_public_file_does_not_rename_a_site() -> None:
    import_register(REGISTER)
    publish_address_of_gas_works()

    import_register(REGISTER.replace(b"Gas Works", b'"Gas Works, Gas Lane, PO16 7GZ"'))

    site = sites_of("Westmarch Borough Council")["B/2"]
    assert site["name"] == "Gas Works"
    assert site["address"] == "Gas Lane"


def test_confidential_site_is_not_in_the_public_file() -> None:
    import_register(REGISTER)
    plan = register_of("Westmarch Borough Council")
    content = plan.versions.get().content
    content["sites"][0]["confidential"] = True

    publish_version(plan=plan, author=None, note="By hand.", now=timezone.now(), content=content)

    rows = file_of(council_named("Westmarch Borough Council"), "brownfield-land").rows
    assert [row["SiteReference"] for row in rows] == ["B/2", "B/3"]


def test_confidential_site_that_leaves_the_register_is_not_in_the_public_file() -> None:
    import_register(REGISTER)
    plan = register_of("Westmarch Borough Council")
    content = plan.versions.get().content
    content["sites"][0]["confidential"] = True
    publish_version(plan=plan, author=None, note="By hand.", now=timezone.now(), content=content)
    rows = rows_of(REGISTER)
    rows[0]["EndDate"] = "2026-01-30"

    for name in ("Gas Works Lane", "Gas Works Road"):
        rows[1]["SiteNameAddress"] = name
        import_register(as_csv(rows))

    published_rows = file_of(council_named("Westmarch Borough Council"), "brownfield-land").rows
    assert [(row["SiteReference"], row["SiteNameAddress"]) for row in published_rows] == [
        ("B/2", "Gas Works Road"),
        ("B/3", "Built already"),
    ]
    assert sites_of("Westmarch Borough Council")["B/1"]["confidential"]


def test_command_ends_with_a_summary(tmp_path: Path) -> None:
    path = tmp_path / "brownfield-land.csv"
    path.write_bytes(REGISTER)
    stdout = StringIO()

    call_command("import_brownfield_land", str(path), stdout=stdout)

    assert stdout.getvalue().strip().splitlines()[-1] == (
        "Brownfield land as of 31 January 2026: 2 created, 0 changed, 0 closed, 0 left as they were."
    )
