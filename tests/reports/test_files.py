"""A worker makes a file of a long report, which its person may download while everything in it is open to them."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from partnerships.agreements.models import Partnership
from partnerships.agreements.services import (
    answer_invitation,
    change_status,
    invite_organisation,
)
from partnerships.nominations.models import NominationsAgreement
from partnerships.people.models import User
from partnerships.people.retention import RULES
from partnerships.plans.models import Plan
from partnerships.plans.services import change_audience
from partnerships.reports import services
from partnerships.reports.models import ReportFile
from partnerships.reports.queries import snapshot_of
from partnerships.reports.registry import find_report
from partnerships.reports.services.files import KEPT
from partnerships.reports.snapshot import from_json
from tests.nominations.quarters import confirmed_return, place_of
from tests.nominations.signed import sign_nominations
from tests.plans.drafts import CONTENT
from tests.reports.test_asks_and_promises import overdue
from tests.reports.test_board_pack import prepare_pack
from tests.reports.test_homes_pipeline import QUAY, plan_with
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World


def ask_for_pack(person: User, query_string: str = "", form: str = "xlsx", **changes: Any) -> ReportFile:
    """Request a board pack, which is then waiting for a worker."""
    arguments = {"report": "board-pack", "now": timezone.now(), **changes}
    return services.ask_for_file(query_string=query_string, form=form, person=person, **arguments)


def make_pack(person: User, query_string: str = "", **changes: Any) -> ReportFile:
    """Request a board pack, and let a worker write it."""
    file = ask_for_pack(person, query_string, **changes)
    services.make_files(now=timezone.now())
    file.refresh_from_db()
    return file


@pytest.fixture
def status_page(world: World) -> str:
    """Request a board pack as Ben, by its button, and return the address of the page to which he is sent."""
    button = f"{reverse('reports:make-file', args=['board-pack', 'xlsx'])}?{prepare_pack(world)}&page-risks=2"
    redirect: Any = signed_in(world.ben).post(button)
    return str(redirect.url)


def test_page_of_a_requested_file_reloads_until_the_file_is_made(world: World, status_page: str) -> None:
    page = signed_in(world.ben).get(status_page).content.decode()

    assert "We are making the file" in page
    assert "every 2s" in page


def test_page_of_a_file_that_was_made_offers_its_download(world: World, status_page: str) -> None:
    services.make_files(now=timezone.now())

    page = signed_in(world.ben).get(status_page).content.decode()

    assert "Download the Excel file" in page
    assert "every 2s" not in page


def test_page_of_a_file_links_back_to_the_report_with_its_filters(world: World, status_page: str) -> None:
    query = f"partnership={world.partnership.pk}"

    page = signed_in(world.ben).get(status_page).content.decode()

    assert ReportFile.objects.get().question == query
    assert f"{reverse('reports:report', args=['board-pack'])}?{query}" in page


def test_page_of_a_file_is_not_found_by_others(world: World, status_page: str) -> None:
    response = signed_in(world.amina).get(status_page)

    assert response.status_code == 404


@pytest.mark.usefixtures("status_page")
def test_person_downloads_the_board_pack_that_they_requested(world: World) -> None:
    services.make_files(now=timezone.now())
    file = ReportFile.objects.get()

    download = signed_in(world.ben).get(reverse("reports:made-file-download", args=[file.pk]))

    assert download["Content-Disposition"] == 'attachment; filename="board-pack.xlsx"'
    assert "1 Decisions needed" in CalamineWorkbook.from_filelike(io.BytesIO(download.content)).sheet_names


@pytest.fixture
def pack_about_nominations(world: World) -> ReportFile:
    """Return a board pack of Amina with a nominations agreement, whose figures come from confirmed returns."""
    agreement = sign_nominations(world)
    place_of(world)
    confirmed_return(world, agreement)
    return make_pack(world.amina, f"partnership={agreement.partnership_id}&part=nominations")


def test_only_the_person_of_a_file_may_download_it(world: World, pack_about_nominations: ReportFile) -> None:
    now = timezone.now()

    assert services.may_download(pack_about_nominations, world.amina, now)
    assert not services.may_download(pack_about_nominations, world.ben, now)


def test_a_file_closes_when_it_expires(world: World, pack_about_nominations: ReportFile) -> None:
    assert not services.may_download(pack_about_nominations, world.amina, timezone.now() + KEPT)


def test_a_file_closes_when_its_figures_are_closed(world: World, pack_about_nominations: ReportFile) -> None:
    now = timezone.now()
    agreement = NominationsAgreement.objects.get()
    records_in_pack = [row.record for row in from_json(pack_about_nominations.figures or {}).tables[0].rows]
    open_before = services.may_download(pack_about_nominations, world.amina, now)

    data_sharing = Partnership.objects.get(title="Data about lettings")
    change_status(partnership=data_sharing, status="ended", reason="Over.", author=world.amina, now=now)

    assert records_in_pack == [f"nominations_agreement:{agreement.pk}"]
    assert open_before
    assert not services.may_download(pack_about_nominations, world.amina, now)


def test_a_file_closes_when_its_person_leaves_the_partnership(world: World) -> None:
    pack = make_pack(world.ben, "part=overdue")
    open_before = services.may_download(pack, world.ben, timezone.now())

    leave_partnership_as_westmarch(world)

    assert open_before
    assert not services.may_download(pack, world.ben, timezone.now())


def test_download_of_a_closed_file_is_refused(world: World) -> None:
    pack = make_pack(world.ben, "part=overdue")
    leave_partnership_as_westmarch(world)

    response = signed_in(world.ben).get(reverse("reports:made-file-download", args=[pack.pk]))

    assert response.status_code == 403


@pytest.fixture
def plan_in_pack(world: World) -> Plan:
    """Return a plan with risks, which is in a board pack of Ben together with an overdue commitment."""
    plan = plan_with(world, QUAY, risks=CONTENT["risks"], days=3)
    overdue(world, 5)
    return plan


def test_a_file_closes_when_a_record_that_it_names_is_closed(world: World, plan_in_pack: Plan) -> None:
    pack = make_pack(world.ben, f"partnership={world.partnership.pk}")
    open_before = services.may_download(pack, world.ben, timezone.now())

    change_audience(plan=plan_in_pack, audience="owners", reason="Too early.", author=world.amina, now=timezone.now())

    assert open_before
    assert not services.may_download(pack, world.ben, timezone.now())


@pytest.mark.usefixtures("plan_in_pack")
def test_each_linked_row_of_a_file_names_its_record(world: World) -> None:
    pack = make_pack(world.ben, f"partnership={world.partnership.pk}")

    linked_rows = [row for table in from_json(pack.figures or {}).tables for row in table.rows if row.href]
    assert {row.record.partition(":")[0] for row in linked_rows} >= {"plan", "commitment"}
    assert [row.href for row in linked_rows if not row.record] == []


def test_a_file_closes_when_an_invitation_is_declined(world: World) -> None:
    now = timezone.now()
    party = invite_organisation(
        partnership=world.partnership,
        organisation=world.riverside,
        role="member",
        reason="Helps.",
        author=world.amina,
        now=now,
    )
    pack = make_pack(world.nadia, f"partnership={world.partnership.pk}&part=overdue")
    open_before = services.may_download(pack, world.nadia, now)

    answer_invitation(party=party, accept=False, reason="Too small.", author=world.nadia, now=now)

    assert open_before
    assert not services.may_download(pack, world.nadia, now)


def test_file_of_a_report_that_is_closed_says_why_it_was_not_made(world: World) -> None:
    file = ask_for_pack(world.ben)
    ReportFile.objects.update(report="gone")

    services.make_files(now=timezone.now())

    file.refresh_from_db()
    assert file.error == "You can no longer open this report, so we have not made the file."


def test_file_with_invalid_filters_is_refused(world: World) -> None:
    with pytest.raises(services.UnableToMakeFile, match="Correct the filters"):
        ask_for_pack(world.ben, "since=nonsense")


def test_file_of_an_unknown_format_is_refused(world: World) -> None:
    with pytest.raises(services.UnableToMakeFile, match="does not exist"):
        ask_for_pack(world.ben, form="exe")


def test_person_cannot_request_a_sixth_file_of_one_report(world: World) -> None:
    for _ in range(5):
        ask_for_pack(world.ben)

    with pytest.raises(services.UnableToMakeFile, match="You already have 5 files of this report"):
        ask_for_pack(world.ben)


def test_person_with_five_files_of_one_report_can_request_one_of_another(world: World) -> None:
    for _ in range(5):
        ask_for_pack(world.ben)

    evidence_file = ask_for_pack(world.ben, report="evidence-file")

    assert evidence_file.is_at_work


def test_progress_counts_the_parts_of_the_report(world: World) -> None:
    progress: list[tuple[int, int]] = []
    report = find_report("board-pack")
    assert report is not None

    snapshot_of(
        report,
        world.ben,
        QueryDict("part=overdue&part=risks"),
        now=timezone.now(),
        progress=lambda done, total: progress.append((done, total)),
    )

    assert progress == [(1, 3), (2, 3)]


@pytest.fixture
def recent_file(world: World) -> ReportFile:
    """Request a file that has expired, and return one that was requested after it."""
    ask_for_pack(world.ben, now=timezone.now() - KEPT - dt.timedelta(minutes=1))
    return ask_for_pack(world.ben)


def test_files_are_deleted_after_a_day(recent_file: ReportFile) -> None:
    deleted_count = RULES["files of reports"].apply(timezone.now(), False)

    assert deleted_count == 1
    assert list(ReportFile.objects.all()) == [recent_file]


def test_files_to_be_deleted_are_counted_without_deleting_them(recent_file: ReportFile) -> None:
    counted = RULES["files of reports"].apply(timezone.now(), True)

    assert counted == 1
    assert ReportFile.objects.count() == 2
