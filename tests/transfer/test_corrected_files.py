"""Corrected rows of lists of several files are imported without the files that had no bad rows."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.developer_agreements.models import AgreementPromise, DeveloperAgreement
from partnerships.open_data.models import Record
from partnerships.open_data.queries import file_of
from partnerships.organisations.models import Organisation
from partnerships.plans.models import Plan
from partnerships.transfer.models import ImportRun
from partnerships.transfer.reporting import rows_to_correct
from partnerships.transfer.services.brownfield_land import import_brownfield_land
from partnerships.transfer.services.developer_agreements import import_developer_agreements
from partnerships.transfer.services.files import File
from partnerships.transfer.services.local_plans import import_local_plans

from .lists import as_csv, rows_of
from .test_brownfield_land import REGISTER
from .test_developer_agreements import AGREEMENTS, CONTRIBUTIONS, TRANSACTIONS
from .test_local_plans import PLANS, TIMETABLE
from .test_own_files import add_member, import_files, upload_files

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("councils")]

MISSING = File("", b"")


def import_agreement_files(*files: str | bytes | None) -> ImportRun:
    """Import the files of agreements, contributions and transactions; None stands for a missing file."""
    all_files = [
        MISSING if content is None else File(name, content.encode() if isinstance(content, str) else content)
        for name, content in zip(("a.csv", "c.csv", "t.csv"), files, strict=True)
    ]
    return import_developer_agreements(
        agreements=all_files[0], contributions=all_files[1], transactions=all_files[2], author=None, now=timezone.now()
    ).run


def corrected_rows(run: ImportRun, file: int, changes: dict[str, dict[str, str]]) -> bytes:
    """Return the rows set aside as a file to upload, with changes by a text that one of the row's cells has.

    Rows without such a text are left out.
    """
    heading, rows = rows_to_correct(run.report, file)
    row_dicts = [dict(zip(heading, row, strict=True)) for row in rows]
    return as_csv([row | changes[key] for row in row_dicts for key in changes if key in row.values()])


def commitment_of(reference: str) -> Commitment:
    return Commitment.objects.get(source_reference=reference)


def corrected_transaction() -> bytes:
    """Import the three files, and return a file in which the transaction “t5” is for 3 of the homes of “W/2-homes”."""
    run = import_agreement_files(AGREEMENTS, CONTRIBUTIONS, TRANSACTIONS)
    changes = {
        "developer-agreement-contribution": "W/2-homes",
        "amount": "",
        "units": "3",
        "start-date": "2021-01-01",
    }
    return corrected_rows(run, 2, {"t5": changes})


def test_corrected_transaction_is_added_to_the_earlier_ones_of_its_contribution() -> None:
    corrected_file = corrected_transaction()

    run = import_agreement_files(None, None, corrected_file)

    homes = commitment_of("W/2-homes")
    reports = homes.progress.order_by("at").values_list("delivered_before", "delivered")
    assert run.created == 0
    assert run.changed == 1
    assert run.set_aside == 0
    assert run.file_name == "t.csv"
    assert homes.delivered_quantity == 8
    assert list(reports) == [(0, 3), (3, 8)]


def test_row_of_a_corrected_transaction_is_saved_beside_the_earlier_rows() -> None:
    corrected_file = corrected_transaction()

    import_agreement_files(None, None, corrected_file)

    rows = Record.objects.filter(commitment=commitment_of("W/2-homes"), dataset="developer-agreement-transaction")
    assert {row.cells["reference"] for row in rows} == {"t4", "t5"}
    assert Record.objects.filter(commitment=commitment_of("W/1-education")).count() == 4


def test_same_corrected_transaction_again_changes_nothing() -> None:
    corrected_file = corrected_transaction()
    import_agreement_files(None, None, corrected_file)

    run = import_agreement_files(None, None, corrected_file)

    homes = commitment_of("W/2-homes")
    rows = Record.objects.filter(commitment=homes, dataset="developer-agreement-transaction")
    assert run.changed == 0
    assert run.left_alone == 1
    assert run.report["lines"] == {}
    assert not any("Nothing was changed" in remark for remark in run.report["remarks"])
    assert homes.delivered_quantity == 8
    assert {row.cells["reference"] for row in rows} == {"t4", "t5"}


def test_complete_files_with_the_corrected_transaction_change_nothing() -> None:
    import_agreement_files(None, None, corrected_transaction())
    corrected_transactions = TRANSACTIONS.replace(
        "9,received,W/0-nothing,t5,local-authority-eng:XNM,2022-01-01,",
        ",received,W/2-homes,t5,local-authority-eng:XNM,2021-01-01,3",
    )

    run = import_agreement_files(AGREEMENTS, CONTRIBUTIONS, corrected_transactions)

    assert run.changed == 0


def test_corrected_transaction_does_not_count_for_another_authoritys_contribution() -> None:
    first_run = import_agreement_files(AGREEMENTS, CONTRIBUTIONS, TRANSACTIONS)
    name = "developer-agreement-contribution"
    own_changes = {name: "W/2-homes", "amount": "", "units": "3", "start-date": "2021-01-01"}

    run = import_agreement_files(
        None, None, corrected_rows(first_run, 2, {"t5": own_changes, "t6": {name: "W/1-open"}})
    )

    [problem] = run.report["lines"]["set_aside"]
    assert "“W/1-open” was imported before for local-authority-eng:XWM, not for local-authority-eng:XNM." in problem
    assert not commitment_of("W/1-open").progress.exists()
    assert commitment_of("W/2-homes").progress.count() == 2


def test_corrected_contribution_belongs_to_the_agreement_of_the_first_import() -> None:
    contributions = CONTRIBUTIONS + "40,health,W/1-da,,local-authority-eng:XWM,2019-02-04,,,\n"
    first_run = import_agreement_files(AGREEMENTS, contributions, TRANSACTIONS)

    run = import_agreement_files(
        None, corrected_rows(first_run, 1, {"health": {"developer-agreement-contribution": "W/1-health"}}), None
    )

    assert run.created == 1
    assert run.set_aside == 0
    assert AgreementPromise.objects.get(commitment=commitment_of("W/1-health")).agreement.reference == "W/1-da"
    assert "under section 106 agreement W/1-da (planning application W/1)" in commitment_of("W/1-health").text


def test_agreement_is_corrected_with_its_contributions_and_their_transactions() -> None:
    contributions = CONTRIBUTIONS + "5,health,W/3-da,W/3-health,local-authority-eng:XWM,2019-02-04,,,\n"
    contributions += "6,health,W/3-da,W/3-roads,local-authority-eng:XNW,2019-02-04,,,\n"
    first_run = import_agreement_files(
        AGREEMENTS, contributions, TRANSACTIONS + "5,received,W/3-health,t7,local-authority-eng:XWM,2022-01-01,\n"
    )
    assert "c.csv, row 9: the agreement in row 5 was set aside." in "\n".join(first_run.report["lines"]["set_aside"])
    assert not Commitment.objects.filter(source_reference__startswith="W/3").exists()
    changes = {"organisation": "local-authority:XNW"}

    run = import_agreement_files(
        corrected_rows(first_run, 0, {"W/3-da": changes}),
        corrected_rows(first_run, 1, {"W/3-other": changes, "W/3-health": changes, "W/3-roads": {}}),
        corrected_rows(first_run, 2, {"W/3-other": changes, "W/3-health": changes}),
    )

    agreement = DeveloperAgreement.objects.get(reference="W/3-da")
    linked = AgreementPromise.objects.filter(agreement=agreement).values_list("commitment__source_reference", flat=True)
    assert run.set_aside == 0
    assert set(linked) == {"W/3-other", "W/3-health", "W/3-roads"}
    assert commitment_of("W/3-health").delivered_quantity == 5


def import_reference_of_two_authorities() -> ImportRun:
    """Import files in which Westmarch and Northmere both have the contribution “C/1”.

    The transaction “T/2” is for one of the two contributions, but names no authority.
    """
    agreements = "developer-agreement,developer-agreement-type,organisation,planning-application,start-date\n"
    contributions = "amount,contribution-purpose,developer-agreement,developer-agreement-contribution,organisation\n"
    transactions = TRANSACTIONS.splitlines()[0] + "\n"
    for number, council in enumerate(("XWM", "XNM"), start=1):
        agreements += f"A/1,section-106,local-authority:{council},P/{number},2020-01-01\n"
        contributions += f"{number}00,health,A/1,C/1,local-authority:{council}\n"
        transactions += f"{number}0,received,C/1,T/1,local-authority:{council},2021-01-01,\n"
    transactions += "7,received,C/1,T/2,,2021-01-01,\n"

    return import_agreement_files(agreements, contributions, transactions)


def test_two_authorities_may_use_one_reference_in_one_file() -> None:
    import_reference_of_two_authorities()

    promises = Commitment.objects.filter(source_reference="C/1").order_by("quantity")
    assert [(commitment.quantity, commitment.delivered_quantity) for commitment in promises] == [(100, 10), (200, 20)]
    assert [commitment.promised_in.agreement.planning_application for commitment in promises] == ["P/1", "P/2"]
    assert [commitment.receiver == commitment.promised_in.agreement.organisation for commitment in promises] == [
        True,
        True,
    ]


def test_transaction_without_an_authority_is_set_aside_if_two_have_its_contribution() -> None:
    run = import_reference_of_two_authorities()

    assert run.report["lines"]["set_aside"] == [
        "t.csv, row 4: contributions of several authorities have the reference “C/1”."
    ]


def test_corrected_authority_decides_between_two_contributions_with_one_reference() -> None:
    first_run = import_reference_of_two_authorities()
    corrected_file = corrected_rows(first_run, 2, {"T/2": {"organisation": "local-authority:XNM"}})

    run = import_agreement_files(None, None, corrected_file)

    promises = Commitment.objects.filter(source_reference="C/1").order_by("quantity")
    assert run.changed == 1
    assert run.set_aside == 0
    assert [commitment.delivered_quantity for commitment in promises] == [10, 27]


def milestone_dates(title: str) -> dict[str, tuple[str, str]]:
    plan = Plan.objects.get(title=title)
    items = plan.versions.get(number=plan.current_number).content["milestones"]
    return {item["key"]: (item["forecast"], item["actual"]) for item in items}


@pytest.fixture
def lee_client(client: Client) -> Client:
    """Return a client in which Lee is signed in, who leads Westmarch."""
    westmarch = Organisation.objects.get(name="Westmarch Borough Council")
    client.force_login(add_member(westmarch, "Lee", "lead"))
    return client


def import_own_plans(client: Client, plans: str | None, timetable: str | bytes) -> ImportRun:
    """Upload files on the page of Westmarch's own plans, import them, and return the run."""
    westmarch = Organisation.objects.get(name="Westmarch Borough Council")
    return import_files(client, upload_files(client, westmarch, "local-plans", plans, timetable))


def upload_impossible_date(client: Client) -> bytes:
    """Upload plans with a milestone on 31 April 2017, and return a file with its corrected row."""
    timetable = TIMETABLE.replace("2017-04-11,westmarch", "2017-04-31,westmarch")
    run = import_own_plans(client, PLANS, timetable)
    return corrected_rows(run, 1, {"2017-04-31": {"event-date": "2017-04-11"}})


def test_milestone_with_an_impossible_date_is_not_imported(lee_client: Client) -> None:
    upload_impossible_date(lee_client)

    assert "submit-plan-for-examination" not in milestone_dates("Westmarch Local Plan 2030")


def test_council_imports_a_corrected_milestone_on_its_own_page(lee_client: Client) -> None:
    corrected_file = upload_impossible_date(lee_client)

    run = import_own_plans(lee_client, None, corrected_file)

    assert milestone_dates("Westmarch Local Plan 2030") == {
        "plan-adopted": ("", "2019-02"),
        "submit-plan-for-examination": ("", "2017-04-11"),
    }
    assert run.changed == 1
    assert run.set_aside == 0
    assert run.missing == 0
    assert Plan.objects.get(title="Mere and March Joint Plan").current_number == 1


def test_same_corrected_milestone_again_changes_nothing(lee_client: Client) -> None:
    corrected_file = upload_impossible_date(lee_client)
    import_own_plans(lee_client, None, corrected_file)

    run = import_own_plans(lee_client, None, corrected_file)

    assert run.changed == 0
    assert run.left_alone == 1


def test_timetable_without_corrected_rows_is_refused_without_the_plans(lee_client: Client) -> None:
    westmarch = Organisation.objects.get(name="Westmarch Borough Council")
    own_plans_url = reverse("transfer:own-upload", args=[westmarch.pk, "local-plans"])

    response = lee_client.post(own_plans_url, {"file-1": SimpleUploadedFile("t.csv", TIMETABLE.encode())})

    assert "The list of local plans is missing." in response.content.decode()


STANDARD_PLANS = """reference,name,local-planning-authorities,entry-date
w-1,Westmarch Plan,E07900001,2026-04-01
"""
STANDARD_TIMETABLE = """reference,plan,plan-event,event-date,actual-date,entry-date,notes
w-1-a,w-1,scoping-consultation-start,2026-05-01,,2026-04-01,
w-1-b,w-1,scoping-consultation-start,2026-13-01,,2026-04-01,again
w-1-c,no-such-plan,adopted,2029-05-01,,2026-04-01,
w-1-d,w-1,gateway-2-advice-sought,2027-05-01,,2026-04-01,
w-1-e,w-1,examination-submitted,2028-05-01,,2026-04-01,
"""


def test_corrected_milestone_does_not_replace_another_of_its_event() -> None:
    def import_plans_and_timetable(plans: File, timetable: bytes) -> ImportRun:
        given = File("plan-timetable.csv", timetable)
        return import_local_plans(plans=plans, timetable=given, author=None, now=timezone.now()).run

    first_run = import_plans_and_timetable(File("plan.csv", STANDARD_PLANS.encode()), STANDARD_TIMETABLE.encode())
    corrected_file = corrected_rows(first_run, 1, {"w-1-b": {"event-date": "2027-01-01"}, "w-1-c": {"plan": "w-1"}})

    run = import_plans_and_timetable(MISSING, corrected_file)
    later_run = import_plans_and_timetable(
        MISSING, corrected_file.replace(b"2027-01-01,,2026-04-01", b"2027-02-01,,2026-04-02")
    )

    assert milestone_dates("Westmarch Plan") == {
        "scoping-consultation-start": ("2026-05-01", ""),
        "gateway-2-advice-sought": ("2027-05-01", ""),
        "examination-submitted": ("2028-05-01", ""),
        "scoping-consultation-start-2": ("2027-02-01", ""),
        "adopted": ("2029-05-01", ""),
    }
    assert run.changed == 1
    assert later_run.changed == 1
    assert later_run.set_aside == 0
    assert Record.objects.filter(dataset="plan-timetable").count() == 5


def test_correcting_a_site_deletes_no_row_of_sites_that_left_the_register() -> None:
    row_of_ended_site = REGISTER.decode().splitlines()[3].replace("B/3", "B/4").replace("Built already", "Built too")
    bad_row = row_of_ended_site.replace("B/4", "B/5").replace("-1.2,50.8", "far,away")
    rows = rows_of(REGISTER + f"{row_of_ended_site}\n{bad_row}\n".encode())

    def import_file(data: bytes) -> ImportRun:
        file = File("brownfield-land.csv", data)
        return import_brownfield_land(file=file, author=None, now=timezone.now()).run

    first_run = import_file(as_csv(rows))
    council = Organisation.objects.get(name="Westmarch Borough Council")

    import_file(corrected_rows(first_run, 0, {"B/5": {"GeoX": "-1.2", "GeoY": "50.8"}}))

    published_rows = file_of(council, "brownfield-land").rows
    assert sorted(row["SiteReference"] for row in published_rows) == ["B/1", "B/2", "B/3", "B/4", "B/5"]
    assert {row["EndDate"] for row in published_rows} == {"", dt.date(2020, 1, 1).isoformat()}
