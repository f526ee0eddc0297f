"""A worker writes files of long reports for one person, who may read them while everything in them is open to them."""

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
    leave_partnership,
)
from partnerships.people.models import User
from partnerships.people.retention import RULES
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
from tests.support.signing_in import signed_in
from tests.world import World


def ask_for_pack(person: User, query_string: str = "", form: str = "xlsx", **changes: Any) -> ReportFile:
    """Request a board pack, which is then waiting for a worker."""
    arguments = {"report": "board-pack", "now": timezone.now(), **changes}
    return services.ask_for_file(query_string=query_string, form=form, person=person, **arguments)


def make_pack(person: User, query_string: str = "", **changes: Any) -> ReportFile:
    """Request a board pack, and let a worker write it."""
    file = ask_for_pack(person, query_string, **changes)
    assert services.make_files(now=timezone.now()) == 1
    file.refresh_from_db()
    return file


def test_one_click_makes_a_board_pack_that_its_person_downloads(world: World) -> None:
    query = prepare_pack(world)
    ben = signed_in(world.ben)

    redirect = ben.post(f"{reverse('reports:make-file', args=['board-pack', 'xlsx'])}?{query}&page-risks=2")
    waiting = ben.get(redirect.url).content.decode()
    services.make_files(now=timezone.now())
    file = ReportFile.objects.get()
    ready = ben.get(redirect.url).content.decode()
    download = ben.get(reverse("reports:made-file-download", args=[file.pk]))

    assert "We are making the file" in waiting
    assert "every 2s" in waiting
    assert "every 2s" not in ready
    assert "Download the Excel file" in ready
    assert file.question == query
    assert download["Content-Disposition"] == 'attachment; filename="board-pack.xlsx"'
    assert "1 Decisions needed" in CalamineWorkbook.from_filelike(io.BytesIO(download.content)).sheet_names
    assert signed_in(world.amina).get(redirect.url).status_code == 404
    assert f"{reverse('reports:report', args=['board-pack'])}?{query}" in ready


def test_a_file_closes_when_its_person_leaves_or_its_figures_are_closed(world: World) -> None:
    agreement = sign_nominations(world)
    place_of(world)
    confirmed_return(world, agreement)
    pack = make_pack(world.amina, f"partnership={agreement.partnership_id}&part=nominations")
    other = make_pack(world.ben, "part=overdue")
    now = timezone.now()

    assert [row.record for row in from_json(pack.figures or {}).tables[0].rows] == [
        f"nominations_agreement:{agreement.pk}"
    ]
    assert services.may_download(pack, world.amina, now)
    assert not services.may_download(pack, world.ben, now)
    assert not services.may_download(pack, world.amina, now + KEPT)
    sharing = Partnership.objects.get(title="Data about lettings")
    change_status(partnership=sharing, status="ended", reason="Over.", author=world.amina, now=now)
    assert not services.may_download(pack, world.amina, now)

    assert services.may_download(other, world.ben, now)
    leave_partnership(party=world.party(world.westmarch), reason="Reorganised.", author=world.ben, now=now)
    assert not services.may_download(other, world.ben, now)
    assert signed_in(world.ben).get(reverse("reports:made-file-download", args=[other.pk])).status_code == 403


def test_a_file_closes_when_a_record_that_it_names_is_closed(world: World) -> None:
    plan = plan_with(world, QUAY, risks=CONTENT["risks"], days=3)
    overdue(world, 5)
    pack = make_pack(world.ben, f"partnership={world.partnership.pk}")
    rows = [row for table in from_json(pack.figures or {}).tables for row in table.rows]

    before = services.may_download(pack, world.ben, timezone.now())
    change_audience(plan=plan, audience="owners", reason="Too early.", author=world.amina, now=timezone.now())

    assert before
    assert {row.record.partition(":")[0] for row in rows if row.href} >= {"plan", "commitment"}
    assert [row.href for row in rows if row.href and not row.record] == []
    assert not services.may_download(pack, world.ben, timezone.now())


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

    assert services.may_download(pack, world.nadia, now)
    answer_invitation(party=party, accept=False, reason="Too small.", author=world.nadia, now=now)
    assert not services.may_download(pack, world.nadia, now)


def test_a_file_that_cannot_be_made_says_why(world: World) -> None:
    file = ask_for_pack(world.ben)
    ReportFile.objects.update(report="gone")

    services.make_files(now=timezone.now())
    file.refresh_from_db()

    assert file.error == "You can no longer open this report, so we have not made the file."
    with pytest.raises(services.UnableToMakeFile, match="Correct the filters"):
        ask_for_pack(world.ben, "since=nonsense")
    with pytest.raises(services.UnableToMakeFile, match="does not exist"):
        ask_for_pack(world.ben, form="exe")
    for _ in range(services.MAX_FILES):
        ask_for_pack(world.ben)
    with pytest.raises(services.UnableToMakeFile, match="You already have 5 files of this report"):
        ask_for_pack(world.ben)
    assert ask_for_pack(world.ben, report="evidence-file").is_at_work  # the limit counts the files of one report


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


def test_files_are_deleted_after_a_day(world: World) -> None:
    ask_for_pack(world.ben, now=timezone.now() - KEPT - dt.timedelta(minutes=1))
    kept = ask_for_pack(world.ben)

    assert RULES["files of reports"].apply(timezone.now(), True) == 1
    assert RULES["files of reports"].apply(timezone.now(), False) == 1
    assert list(ReportFile.objects.all()) == [kept]
