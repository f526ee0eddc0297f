"""Importing developer agreements accounts for every row."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.commitments.models import Commitment, Progress
from partnerships.developer_agreements.models import AgreementPromise, DeveloperAgreement
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.services.developer_agreements import import_developer_agreements
from partnerships.transfer.services.files import File

from .lists import WHOLE, import_list

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("councils")]

AGREEMENTS = """Agreements between us and developers,,,,
developer-agreement,developer-agreement-type,organisation,planning-application,start-date
W/1-da,section-106,local-authority-eng:XWM,W/1,2019-02-03
W/2-da,S106,developer-agreement:Northmere District Council,W/2,2019-02-04
W/3-da,CIL,developer-agreement:NOBODY,W/3,
W/4-da,section-106,local-authority-eng:xnw,,
"""
CONTRIBUTIONS = """amount,contribution-purpose,developer-agreement,developer-agreement-contribution,\
organisation,start-date,units,,
"£1,373,992.00",education,W/1-da,W/1-education,local-authority-eng:XWM,2019-02-03,,,
2013.0,open-space-and-leisure,W/1-da,W/1-open,local-authority-eng:XWM,2019-02-03,,,see file
,affordable-housing,W/2-da,W/2-homes,local-authority-eng:XNM,2019-02-04,12,,
to be agreed,highways,W/4-da,W/4-roads,local-authority-eng:XNW,2019-02-04,,,
500,other,W/9-da,W/9-other,local-authority-eng:XWM,2019-02-04,,,
700,other,W/3-da,W/3-other,somebody:NOBODY,2019-02-04,,,
100,other,W/1-da,W/1-education,local-authority-eng:XWM,2019-02-04,,,
"""
TRANSACTIONS = """amount,contribution-funding-status,developer-agreement-contribution,developer-agreement-transaction,\
organisation,start-date,units
1000000,received,W/1-education,t1,local-authority-eng:XWM,2020-01-01,
200000,Spent,W/1-education,t2,local-authority-eng:XWM,2021-01-01,
373992,RECEIVED: the developer has paid,W/1-education,t3,local-authority-eng:XWM,2022-01-01,
,received,W/2-homes,t4,local-authority-eng:XNM,2022-01-01,5
9,received,W/0-nothing,t5,local-authority-eng:XNM,2022-01-01,
9,received,W/3-other,t6,local-authority-eng:XNM,2022-01-01,
"""
#: The transactions with two later payments for the contribution “W/1-open”.
LATER_TRANSACTIONS = (
    TRANSACTIONS
    + """\
4,received,W/1-open,t7,local-authority-eng:XWM,2023-01-01,
2009,received,W/1-open,t8,local-authority-eng:XWM,2024-01-01,
"""
)


def import_agreements(
    agreements: str = AGREEMENTS,
    contributions: str = CONTRIBUTIONS,
    transactions: str = TRANSACTIONS,
    as_of: dt.date | None = None,
) -> tuple[ImportRun, str]:
    """Import the three files, and return the run and the last line of the report."""
    outcome = import_developer_agreements(
        agreements=File("a.csv", agreements.encode()),
        contributions=File("c.csv", contributions.encode()),
        transactions=File("t.csv", transactions.encode()),
        author=None,
        now=timezone.now(),
        as_of=as_of,
    )
    return outcome.run, outcome.last_line


def commitment_of(reference: str) -> Commitment:
    """Return the commitment of a contribution."""
    return Commitment.objects.get(source_reference=reference)


def test_last_line_accounts_for_every_row() -> None:
    _, last_line = import_agreements()

    assert last_line == (
        "4 rows of agreements: 3 read, 1 set aside; 7 rows of promises: 5 read, 2 set aside; "
        "6 rows of transactions: 4 read, 2 set aside. 5 commitments, 1 in agreements not published."
    )


def test_rows_that_cannot_be_used_are_set_aside_with_their_reasons() -> None:
    run, _ = import_agreements()

    reported = "\n".join(run.report["lines"]["set_aside"])
    assert "a.csv, row 5: “developer-agreement:NOBODY” is not in the directory." in reported
    assert "c.csv, row 8: “W/1-education” is already in row 2." in reported
    assert "c.csv, row 7: “somebody:NOBODY” is not in the directory." in reported
    assert "t.csv, row 6: the contribution “W/0-nothing” is not in the file of contributions." in reported
    assert "t.csv, row 7: the contribution in row 7 was set aside." in reported


def test_unusual_values_are_reported_with_their_rows() -> None:
    run, _ = import_agreements()

    remarks = "\n".join(run.report["remarks"])
    assert "a.csv, row 1: left out, because it is above the heading: “Agreements between us and developers”." in remarks
    assert "c.csv, row 2: the amount “£1,373,992.00” was read as 1373992.00." in remarks
    assert "c.csv, row 3: “see file” is in column 9, which has no heading." in remarks
    assert "c.csv, row 5: the amount “to be agreed” is not a number, so we treated it as blank." in remarks
    assert (
        "c.csv, row 6: the agreement “W/9-da” is not in the file of agreements, so we imported the row without it."
        in remarks
    )


def test_contribution_in_pounds_becomes_a_commitment_with_its_payments() -> None:
    import_agreements()

    education = commitment_of("W/1-education")
    assert education.quantity == Decimal("1373992.00")
    assert education.unit == "pounds"
    assert education.status == "done"
    assert list(education.progress.order_by("at").values_list("delivered", flat=True)) == [1000000, 1000000, 1373992]
    assert AgreementPromise.objects.get(commitment=education).agreement.reference == "W/1-da"


def test_contribution_in_homes_becomes_a_commitment_to_its_council() -> None:
    import_agreements()

    homes = commitment_of("W/2-homes")
    assert homes.quantity == 12
    assert homes.unit == "homes"
    assert homes.delivered_quantity == 5
    assert homes.receiver is not None
    assert homes.receiver.name == "Northmere District Council"


def test_amount_that_is_not_a_number_is_left_blank() -> None:
    import_agreements()

    assert commitment_of("W/1-open").quantity == Decimal("2013.00")
    assert commitment_of("W/4-roads").quantity is None


def test_contribution_of_an_unknown_agreement_is_imported_without_it() -> None:
    import_agreements()

    assert not AgreementPromise.objects.filter(commitment=commitment_of("W/9-other")).exists()


def import_contributions_with_other_units() -> list[str]:
    """Import contributions with payments in other units, and return the remarks of the report.

    “W/1-mixed” promises pounds and homes, “W/1-bare” has no figure, and “W/2-homes” promises homes.
    """
    contributions = CONTRIBUTIONS + (
        "19242,affordable-housing,W/1-da,W/1-mixed,local-authority-eng:XWM,2019-02-03,17,,\n"
        ",monitoring,W/1-da,W/1-bare,local-authority-eng:XWM,2019-02-03,,,\n"
    )
    transactions = TRANSACTIONS + (
        "300,received,W/2-homes,t7,local-authority-eng:XNM,2022-02-01,2\n"
        "50,received,W/1-bare,t8,local-authority-eng:XWM,2022-01-01,\n"
        "9242,received,W/1-mixed,t9,local-authority-eng:XWM,2022-01-01,8\n"
    )
    run, _ = import_agreements(contributions=contributions, transactions=transactions)
    remarks: list[str] = run.report["remarks"]
    return remarks


def test_contribution_in_pounds_and_homes_keeps_the_homes_in_its_text() -> None:
    import_contributions_with_other_units()

    mixed = commitment_of("W/1-mixed")
    assert mixed.text.startswith("Affordable housing, for 17 homes, under section 106 agreement W/1-da")
    assert mixed.quantity == 19242
    assert mixed.unit == "pounds"
    assert mixed.delivered_quantity == 9242
    assert mixed.progress.get().note == "Received: £9,242.00; 8 homes not counted."


def test_payment_for_a_contribution_without_a_figure_is_kept_in_a_note() -> None:
    import_contributions_with_other_units()

    assert commitment_of("W/1-bare").progress.get().note == "Received: £50.00 not counted."


def test_pounds_for_a_contribution_in_homes_are_kept_in_a_note() -> None:
    import_contributions_with_other_units()

    homes = commitment_of("W/2-homes")
    notes = list(homes.progress.order_by("at").values_list("note", flat=True))
    assert notes == ["Received: 5 homes.", "Received: 2 homes; £300.00 not counted."]
    assert homes.delivered_quantity == 7


def test_figures_in_another_unit_are_reported_with_their_rows() -> None:
    reported = "\n".join(import_contributions_with_other_units())

    assert "c.csv, row 9: 17 homes as well as £19,242.00. Only the sum is counted" in reported
    assert "t.csv, row 8: £300.00 kept in the text but not counted, because the promise counts homes." in reported
    assert (
        "t.csv, row 9: £50.00 kept in the text but not counted, because the promise names neither a sum nor homes."
    ) in reported
    assert "t.csv, row 10: 8 homes kept in the text but not counted, because the promise counts money." in reported


def import_withdrawn_records() -> tuple[ImportRun, str]:
    """Import files in which the contribution “W/1-open” and the transaction “t3” are withdrawn.

    Returns the run and the last line of the report.
    """
    contributions = CONTRIBUTIONS.replace(",units,,\n", ",units,,,end-date\n").replace(
        "2013.0,open-space-and-leisure,W/1-da,W/1-open,local-authority-eng:XWM,2019-02-03,,,see file",
        "2013.0,open-space-and-leisure,W/1-da,W/1-open,local-authority-eng:XWM,2019-02-03,,,,2019-11-29",
    )
    transactions = TRANSACTIONS.replace(",units\n", ",units,end-date\n").replace(
        "t3,local-authority-eng:XWM,2022-01-01,", "t3,local-authority-eng:XWM,2022-01-01,,2022-03-01"
    )
    return import_agreements(contributions=contributions, transactions=transactions)


def test_contribution_that_is_withdrawn_after_its_import_is_reported() -> None:
    import_agreements()

    run, last_line = import_withdrawn_records()

    assert last_line.endswith("1 in agreements not published, 1 withdrawn from the register.")
    assert any("W/1-open" in remark and "withdrawn from the register" in remark for remark in run.report["remarks"])


def test_withdrawn_contribution_is_imported_as_cancelled() -> None:
    import_withdrawn_records()

    open_space = commitment_of("W/1-open")
    assert open_space.status == "cancelled"
    assert open_space.reason == "Withdrawn from the register on 29 November 2019."
    assert not open_space.was_broken


def test_withdrawn_payment_is_kept_in_a_note_but_not_added_up() -> None:
    import_withdrawn_records()

    education = commitment_of("W/1-education")
    assert education.status == "in_progress"
    assert education.delivered_quantity == 1000000
    last_report = education.progress.order_by("at").last()
    assert last_report is not None
    assert last_report.note == "Received: £373,992.00 not counted. Withdrawn from the register on 1 March 2022."


def test_same_files_again_change_nothing() -> None:
    import_agreements()

    run, _ = import_agreements()

    assert run.created == 0
    assert run.left_alone == 8
    assert Commitment.objects.count() == 5
    assert DeveloperAgreement.objects.count() == 3
    assert Progress.objects.count() == 4


@pytest.fixture
def files_of_2024(councils: None) -> None:
    """Import the files of 2024, in which the contribution “W/4-roads” is gone."""
    newer_contributions = "".join(line for line in CONTRIBUTIONS.splitlines(keepends=True) if "W/4-roads" not in line)
    import_agreements(contributions=newer_contributions, as_of=dt.date(2024, 6, 1))


def import_files_of_2021() -> ImportRun:
    """Import the files of 2021, in which “W/1-open” and the payment “t3” are not there yet."""
    older_transactions = "".join(line for line in TRANSACTIONS.splitlines(keepends=True) if ",t3," not in line)
    older_contributions = "".join(line for line in CONTRIBUTIONS.splitlines(keepends=True) if "W/1-open" not in line)

    run, _ = import_agreements(
        contributions=older_contributions, transactions=older_transactions, as_of=dt.date(2021, 6, 1)
    )
    return run


@pytest.mark.usefixtures("files_of_2024")
def test_older_files_change_no_commitment_but_its_history() -> None:
    run = import_files_of_2021()

    education = commitment_of("W/1-education")
    assert run.changed == 1
    assert education.status == "done"
    assert education.delivered_quantity == Decimal("1373992.00")
    event = Event.objects.get(kind=EventKind.CONTRIBUTION_IN_OLDER_FILE, target_id=education.pk)
    assert "the amount delivered was £1,000,000, now £1,373,992" in event.data["reason"]


@pytest.mark.usefixtures("files_of_2024")
def test_contribution_that_newer_files_do_not_have_is_added_as_cancelled() -> None:
    run = import_files_of_2021()

    roads = commitment_of("W/4-roads")
    assert run.created == 1
    assert roads.status == "cancelled"
    assert roads.reason == "Missing from newer files, such as those of 1 June 2024."


@pytest.mark.usefixtures("files_of_2024")
def test_report_compares_older_files_with_the_newer_ones() -> None:
    run = import_files_of_2021()

    assert "1 of 3 contributions have changed since, 1 are no longer there, and 1 were added later" in " ".join(
        run.report["remarks"]
    )


@pytest.mark.usefixtures("files_of_2024")
def test_same_older_files_again_add_nothing_to_history() -> None:
    import_files_of_2021()

    second_run = import_files_of_2021()

    assert second_run.created == 0
    assert second_run.changed == 0
    assert Event.objects.filter(kind=EventKind.CONTRIBUTION_IN_OLDER_FILE).count() == 1


def test_later_payments_are_added_to_a_known_promise() -> None:
    import_agreements()

    run, _ = import_agreements(transactions=LATER_TRANSACTIONS)

    open_space = commitment_of("W/1-open")
    assert open_space.delivered_quantity == 2013
    assert open_space.status == "done"
    assert list(open_space.progress.order_by("at").values_list("delivered", flat=True)) == [4, 2013]
    assert run.created == 0
    assert run.changed == 1
    assert run.left_alone == 7
    assert any("W/1-open" in remark and "2,013 has been delivered so far" in remark for remark in run.report["remarks"])


def test_same_later_payments_are_not_added_twice() -> None:
    import_agreements()
    import_agreements(transactions=LATER_TRANSACTIONS)

    run, _ = import_agreements(transactions=LATER_TRANSACTIONS)

    assert run.changed == 0
    assert run.left_alone == 8


def test_recorded_progress_is_kept_and_the_difference_reported() -> None:
    import_agreements()
    homes = commitment_of("W/2-homes")
    Progress.objects.create(
        commitment=homes,
        delivered_before=5,
        delivered=7,
        status="in_progress",
        organisation=homes.owner_organisation,
        at=timezone.now(),
    )
    Commitment.objects.filter(pk=homes.pk).update(delivered_quantity=7)

    run, _ = import_agreements(
        transactions=TRANSACTIONS + ",received,W/2-homes,t9,local-authority-eng:XNM,2023-01-01,1\n"
    )

    assert commitment_of("W/2-homes").delivered_quantity == 7
    assert any("W/2-homes" in remark and "Nothing was changed" in remark for remark in run.report["remarks"])


def test_file_without_a_required_column_is_refused() -> None:
    with pytest.raises(UnableToRead, match="“contribution-purpose”"):
        import_agreements(contributions=CONTRIBUTIONS.replace("contribution-purpose", "colour"))

    assert not Commitment.objects.exists()


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    """Return the paths of the files of agreements, contributions and transactions."""
    text_by_name = {"a": AGREEMENTS, "c": CONTRIBUTIONS, "t": TRANSACTIONS}
    for name, text in text_by_name.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return [str(tmp_path / f"{name}.csv") for name in text_by_name]


def test_dry_run_of_the_command_changes_nothing(paths: list[str]) -> None:
    stdout = StringIO()

    call_command("import_developer_agreements", *paths, "--dry-run", stdout=stdout)

    assert stdout.getvalue().strip().splitlines()[-1].startswith("Dry run, nothing was changed. 4 rows of agreements")
    assert not Commitment.objects.exists()


def test_command_fails_if_the_files_are_in_the_wrong_order(paths: list[str]) -> None:
    agreements_path, contributions_path, transactions_path = paths

    with pytest.raises(CommandError, match="we changed nothing"):
        call_command("import_developer_agreements", contributions_path, agreements_path, transactions_path)


@pytest.mark.slow
def test_every_row_of_the_whole_published_files_is_accounted_for() -> None:
    if not WHOLE.is_dir():
        # The small files above have a row of every kind that is in the whole files.
        assert import_agreements()[0].set_aside == 5
        return
    import_list("councils", (WHOLE / "councils/uk_local_authorities.csv").read_bytes())
    files = [
        (WHOLE / f"plans/{name}.csv").read_bytes().decode("utf-8-sig")
        for name in ("developer-agreement", "developer-agreement-contribution", "developer-agreement-transaction")
    ]

    run, line = import_agreements(*files)

    assert "1,551 rows of agreements: 1,551 read" in line
    assert "3,344 rows of promises: 3,344 read" in line
    assert "3,408 rows of transactions: 2,279 read, 1,129 set aside" in line
    assert "237 in agreements not published, 86 withdrawn from the register" in line
    assert len(run.report["lines"]["set_aside"]) == 1129
