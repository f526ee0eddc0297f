"""Directory files are written from the directory, and loaded in bulk: the whole file or nothing."""

from __future__ import annotations

import copy
import datetime as dt
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from partnerships.kit.dates import PartialDate
from partnerships.organisations.models import (
    Identifier,
    Organisation,
    OrganisationName,
    Scheme,
    Succession,
)
from partnerships.organisations.services import NewTie, record_succession, ties_between, undo_succession
from partnerships.transfer.management.commands.load_directory import ENGLAND_FILE
from partnerships.transfer.management.importing import contents_up_to
from partnerships.transfer.models import ORGANISATION_REGISTERS
from partnerships.transfer.network_format.directory_file import REGISTERS
from partnerships.transfer.services.directory_files import directory_text
from tests.transfer.lists import COUNCILS, import_list

pytestmark = pytest.mark.django_db


#: A directory with a council that followed another.
DIRECTORY: dict[str, Any] = {
    "format": "common-ground-directory",
    "version": 1,
    "attribution": "Invented for a test.",
    "lists": [
        {
            "register": "councils",
            "publisher": "Nobody",
            "licence": "None",
            "file_name": "councils.csv",
            "sha256": "0" * 64,
            "as_of": "2025-07-10",
        }
    ],
    "areas": [
        {"code": "E12900001", "name": "South", "kind": "region"},
        {"code": "E07900001", "name": "Mere", "kind": "district", "region": "E12900001"},
    ],
    "organisations": [
        {
            "key": "old-mere",
            "name": "Old Mere District Council",
            "kind": "council",
            "council_type": "NMD",
            "status": "dissolved",
            "to": "2020-04-01",
            "identifiers": [{"scheme": "local-authority", "value": "OMR"}],
        },
        {
            "key": "mere",
            "name": "Mere Council",
            "short_name": "Mere",
            "kind": "council",
            "council_type": "UA",
            "region": "E12900001",
            "from": "2020-04-01",
            "identifiers": [{"scheme": "local-authority", "value": "MRE"}],
            "names": [{"name": "City of Mere"}],
            "areas": [{"area": "E07900001", "from": "2020-04-01"}],
        },
    ],
    "successions": [{"kind": "absorb", "on": "2020-04-01", "predecessors": ["old-mere"], "successors": ["mere"]}],
}


def load(path: Path) -> str:
    """Load a file, and return the line that the command prints."""
    stdout = StringIO()
    call_command("load_directory", str(path), stdout=stdout)
    return stdout.getvalue()


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """Return a file with one council that followed another, and one provider."""
    content = copy.deepcopy(DIRECTORY)
    path = tmp_path / "small.json"
    path.write_text(json.dumps(content))
    return path, content


def test_a_directory_file_adds_organisations_with_names_areas_and_successors(small: tuple[Path, Any]) -> None:
    line = load(small[0])

    mere = Organisation.objects.get(identifiers__value="MRE")
    assert line == "small.json: 2 organisations added, 0 were already there.\n"
    assert set(mere.names.values_list("name", "kind")) == {
        ("Mere Council", "official"),
        ("Mere", "short"),
        ("City of Mere", "alternative"),
    }
    assert [(row.area.name, str(row.starts_on)) for row in mere.areas_served.all()] == [("Mere", "2020-04-01")]
    assert [tie.predecessor.name for tie in mere.ties_as_successor.all()] == ["Old Mere District Council"]
    assert mere.region is not None
    assert mere.region.name == "South"


def test_every_loaded_row_has_a_row_of_history(small: tuple[Path, Any]) -> None:
    load(small[0])

    for model in (Organisation, OrganisationName, Identifier):
        events = model._meta.get_field("events").related_model  # type: ignore[union-attr]  # made by pghistory
        assert events.objects.filter(pgh_label="insert").count() == model.objects.count()  # type: ignore[union-attr]


def test_loading_the_same_file_again_changes_nothing(small: tuple[Path, Any]) -> None:
    load(small[0])

    line = load(small[0])

    assert line == "small.json: 0 organisations added, 2 were already there.\n"
    assert Organisation.objects.count() == 2
    assert Succession.objects.count() == 1


def test_an_organisation_of_the_directory_is_not_changed(small: tuple[Path, Any]) -> None:
    import_list("councils", COUNCILS)
    council = Organisation.objects.filter(identifiers__scheme=Scheme.LOCAL_AUTHORITY).order_by("pk")[0]
    path, content = small
    number = council.identifiers.get(scheme=Scheme.LOCAL_AUTHORITY).value
    content["organisations"][1] |= {
        "name": "Renamed Council",
        "identifiers": [{"scheme": "local-authority", "value": number}],
    }
    path.write_text(json.dumps(content))

    load(path)

    assert Organisation.objects.get(pk=council.pk).name == council.name
    assert not Organisation.objects.filter(name="Renamed Council").exists()
    assert council.ties_as_successor.get().predecessor.name == "Old Mere District Council"


def test_a_file_larger_than_its_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    path.write_bytes(bytes(2**20 + 1))

    with pytest.raises(CommandError, match=r"large\.json is larger than 1 MB\. Split it into several files\."):
        contents_up_to(path, 2**20)


def test_a_file_as_large_as_its_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "full.json"
    path.write_bytes(bytes(2**20))

    assert len(contents_up_to(path, 2**20)) == 2**20


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda c: c["organisations"][1].update(key="old-mere"), "already the key"),
        (lambda c: c["organisations"][1].update(areas=[{"area": "E07999999"}]), "is not a key in “areas”"),
        (
            lambda c: c["organisations"][1].update(identifiers=[{"scheme": "local-authority", "value": "OMR"}]),
            "belongs",
        ),
        (lambda c: c["organisations"][1].update(kind="guild"), "not one of the choices"),
        (lambda c: c.update(format="common-ground-network"), "does not say that it is a directory file"),
        (lambda c: c.pop("attribution"), "this field is missing"),
        (lambda c: c["successions"][0].update(kind="function_transfer"), "which function it takes over"),
        (lambda c: c["successions"][0].update(on="2099-04-01"), "before its vesting day"),
    ],
)
def test_an_invalid_directory_file_is_refused_whole(small: tuple[Path, Any], change: Any, problem: str) -> None:
    path, content = small
    change(content)
    path.write_text(json.dumps(content))

    with pytest.raises(CommandError, match=problem):
        load(path)

    assert not Organisation.objects.exists()


def test_an_older_list_fills_history_after_loading(small: tuple[Path, Any]) -> None:
    load(small[0])  # as of 10 July 2025

    run = import_list("councils", COUNCILS, as_of=dt.date(2024, 7, 10))

    assert any("so it only adds to histories" in remark for remark in run.report["remarks"])


def test_a_written_file_has_the_org_id_of_each_council() -> None:
    import_list("councils", COUNCILS)

    written_text = directory_text()

    assert '"org_id": "GB-LAE-' in written_text


def test_a_written_file_loads_as_the_same_directory(tmp_path: Path) -> None:
    import_list("councils", COUNCILS)
    path = tmp_path / "written.json"
    path.write_text(directory_text())
    written_names = set(OrganisationName.objects.values_list("name", "kind"))
    written_identifiers = set(Identifier.objects.values_list("scheme", "value"))
    Succession.objects.all().delete()
    Organisation.objects.all().delete()

    load(path)

    assert set(OrganisationName.objects.values_list("name", "kind")) == written_names
    assert set(Identifier.objects.values_list("scheme", "value")) == written_identifiers


def test_successions_that_the_format_cannot_describe_are_left_out(small: tuple[Path, Any]) -> None:
    path, _ = small
    load(path)
    old, mere = (Organisation.objects.get(identifiers__value=number) for number in ("OMR", "MRE"))
    author_and_time: dict[str, Any] = {"author": None, "now": timezone.now()}
    function = [NewTie(old, mere, function="planning")]
    record_succession(kind="function_transfer", status="effective", vests_on=None, ties=function, **author_and_time)
    rename = ties_between([mere], [mere])
    record_succession(kind="rename", status="effective", vests_on=None, ties=rename, new_name="Mere", **author_and_time)

    written = json.loads(directory_text())["successions"]
    undo_succession(
        succession=Succession.objects.get(kind="absorb"),
        vests_on=PartialDate(2021, 4, 1),
        status="effective",
        reason="A court quashed it.",
        **author_and_time,
    )

    assert written == [
        {
            "kind": "absorb",
            "on": "2020-04-01",
            "predecessors": ["local-authority-omr"],
            "successors": ["local-authority-mre"],
            "source": "Directory file small.json",
        }
    ]
    assert json.loads(directory_text())["successions"] == []


def test_a_file_may_name_every_register_of_organisations() -> None:
    assert set(REGISTERS) == {register.value for register in ORGANISATION_REGISTERS}


def test_englands_directory_has_councils_leps_combined_authorities_and_providers() -> None:
    line = load(ENGLAND_FILE)

    counts = {
        kind: Organisation.objects.filter(kind=kind).count() for kind in ("council", "lep", "registered_provider")
    }
    assert counts["council"] > 330
    assert counts["lep"] >= 38
    assert counts["registered_provider"] > 1300
    assert Organisation.objects.current().filter(kind="strategic_authority").count() >= 15
    assert Succession.objects.count() >= 14
    assert "0 were already there" in line
    assert Identifier.objects.filter(scheme=Scheme.PLANNING_AREA).count() == 318
    surrey = Organisation.objects.get(identifiers__scheme=Scheme.GSS, identifiers__value="E10000030")
    assert surrey.name == "Surrey County Council"
