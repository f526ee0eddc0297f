"""The provider fills in returns on their pages, the council decides, and other parties see masked counts."""

from __future__ import annotations

import csv
import io
import logging
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from openpyxl import Workbook, load_workbook

from partnerships.exchange.models import Entry
from partnerships.nominations import services
from partnerships.nominations.lettings.filtering import LettingsFilter
from partnerships.nominations.models import NominationsReturn, ReturnLine
from partnerships.nominations.queries.pages import quarters_to_start
from partnerships.nominations.services.shortfalls import UnableToAskForShortfall, ask_for_shortfall
from partnerships.people.models import User
from partnerships.work.queries import tasks_of_person
from tests.nominations.quarters import (
    collection_year,
    confirm_all_lines,
    confirmed_return,
    counted_return,
    days_after,
    disputed_return,
    fill_in_table,
    lettings_of,
    next_quarter,
    reloaded,
    sent_return,
    started_return,
)
from tests.support.core_files import CANARY, core_file
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World

HTMX = {"HX-Request": "true"}


def return_url(nominations_return: NominationsReturn, name: str = "return", **numbers_in_url: int | str) -> str:
    """Return the URL of a page about a return."""
    numbers = {"pk": nominations_return.agreement.partnership_id, "number": nominations_return.pk, **numbers_in_url}
    return reverse(f"nominations:{name}", kwargs=numbers)


def html_for(person: User, path: str) -> str:
    """Return the HTML of a page as this person sees it."""
    return signed_in(person).get(path).content.decode()


def line_with_shortfall(nominations_return: NominationsReturn) -> ReturnLine:
    """Return the first line for which nominations are missing."""
    return next(line for line in nominations_return.lines.order_by("pk") if line.result.shortfall)


def upload_on_page(world: World, nominations_return: NominationsReturn) -> Any:
    """Upload an export of CORE lettings as Eddie, who edits for the provider, and return the response."""
    file = SimpleUploadedFile("lettings.csv", core_file(lettings_of(world), year=collection_year()))
    return signed_in(world.eddie).post(return_url(nominations_return, "upload"), {"file": file})


@pytest.fixture
def return_with_upload(world: World) -> NominationsReturn:
    """Return a return with lettings that were uploaded on its page, and that no worker has counted yet."""
    nominations_return = started_return(world, world.things["nominations"])
    upload_on_page(world, nominations_return)
    return nominations_return


@pytest.fixture
def return_counted_after_upload(return_with_upload: NominationsReturn) -> NominationsReturn:
    """Return a return whose uploaded lettings are counted."""
    services.count_waiting(now=timezone.now())
    return return_with_upload


def test_upload_leads_to_the_page_of_the_return(world: World) -> None:
    nominations_return = started_return(world, world.things["nominations"])

    response = upload_on_page(world, nominations_return)

    assert response.status_code == 302
    assert response.headers["Location"] == return_url(nominations_return)


def test_progress_shows_that_an_upload_is_being_counted(world: World, return_with_upload: NominationsReturn) -> None:
    progress = signed_in(world.eddie).get(return_url(return_with_upload, "progress"), headers=HTMX)

    assert b"Counting lettings" in progress.content
    assert "HX-Refresh" not in progress.headers


def test_page_is_loaded_again_once_an_upload_was_counted(
    world: World, return_counted_after_upload: NominationsReturn
) -> None:
    progress = signed_in(world.eddie).get(return_url(return_counted_after_upload, "progress"), headers=HTMX)

    assert progress.headers["HX-Refresh"] == "true"


def test_page_of_a_counted_return_has_the_rows_by_local_authority(
    world: World, return_counted_after_upload: NominationsReturn
) -> None:
    html = html_for(world.eddie, return_url(return_counted_after_upload))

    assert "Rows in the upload" in html
    assert "Rows in the quarter, by local authority" in html
    assert re.search(r">Westmarch</th>\s*<td[^>]*>\d+</td>", html)


@pytest.mark.parametrize("page_name", ["return", "upload"])
def test_pages_say_that_the_columns_of_an_upload_are_not_checked(world: World, page_name: str) -> None:
    nominations_return = counted_return(world, world.things["nominations"])

    html = html_for(world.eddie, return_url(nominations_return, page_name))

    assert "We have not checked the columns of exports for" in html


def test_details_of_tenants_are_not_on_the_page_of_a_return(
    world: World, return_counted_after_upload: NominationsReturn
) -> None:
    page = html_for(world.eddie, return_url(return_counted_after_upload))

    assert "Rows in the upload" in page
    assert CANARY not in page


def test_details_of_tenants_are_not_in_the_report_of_rows(
    world: World, return_counted_after_upload: NominationsReturn
) -> None:
    response = signed_in(world.eddie).get(return_url(return_counted_after_upload, "rows"))

    row_report = b"".join(response).decode()
    assert "Counted" in row_report
    assert CANARY not in row_report


def test_details_of_tenants_are_in_no_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    upload_on_page(world, started_return(world, world.things["nominations"]))

    services.count_waiting(now=timezone.now())

    assert caplog.text != ""
    assert CANARY not in caplog.text


def test_provider_reads_how_much_was_let_in_other_areas(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])

    html = html_for(world.eddie, return_url(nominations_return))

    assert "Rows in the quarter, by local authority" in html


def test_council_does_not_read_how_much_was_let_in_other_areas(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])

    html = html_for(world.ben, return_url(nominations_return))

    assert "Rows in the upload" in html
    assert "by local authority" not in html


def test_upload_needs_the_token_of_the_form(world: World) -> None:
    nominations_return = started_return(world, world.things["nominations"])

    response = signed_in(world.eddie, enforce_csrf_checks=True).post(return_url(nominations_return, "upload"), {})

    assert response.status_code == 403


@pytest.mark.parametrize(("name", "status"), [("ben", 403), ("chidi", 404)])
def test_upload_of_others_is_not_read(world: World, monkeypatch: pytest.MonkeyPatch, name: str, status: int) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    chunks_read: list[bytes] = []
    monkeypatch.setattr(LettingsFilter, "feed", lambda self, chunk: chunks_read.append(chunk))
    file = SimpleUploadedFile("lettings.csv", core_file(lettings_of(world, 5), year=collection_year()))

    response = signed_in(getattr(world, name)).post(return_url(nominations_return, "upload"), {"file": file})

    assert response.status_code == status
    assert chunks_read == []


def test_wrong_file_is_refused_on_the_page(world: World) -> None:
    nominations_return = started_return(world, world.things["nominations"])

    response = signed_in(world.eddie).post(
        return_url(nominations_return, "upload"), {"file": SimpleUploadedFile("a.csv", b"name,age\nZebulon,40\n")}
    )

    assert response.status_code == 422
    assert "no headings of a CORE lettings export" in response.content.decode()
    assert "Zebulon" not in response.content.decode()
    assert not hasattr(reloaded(nominations_return), "run")


def form_with_cells(client: Client, nominations_return: NominationsReturn, line: ReturnLine, **cells: str) -> Any:
    """Open the form for what CORE lacks, and return its data with these cells of a line filled in."""
    context = client.get(return_url(nominations_return, "complete")).context
    return {f"{name}-{line.pk}": cell for name, cell in cells.items()} | {"read": context["form"]["read"].value()}


def test_provider_fills_in_what_core_lacks(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    line = nominations_return.lines.order_by("pk")[0]
    client = signed_in(world.amina)
    form = form_with_cells(client, nominations_return, line, offers="9", not_supplied="1", in_time="0")

    response = client.post(return_url(nominations_return, "complete"), form)

    line.refresh_from_db()
    assert response.status_code == 302
    assert line.offers == 9
    assert line.not_supplied == 1
    assert line.in_time == 0


def test_page_says_in_how_many_days_a_nominee_is_named_in_time(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])

    html = html_for(world.amina, return_url(nominations_return))

    assert (
        "“In time” means that a nominee was named within 10 working days for first lets and 3 working days for relets"
    ) in html


def test_page_has_the_grounds_on_which_nominees_were_refused(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    line = nominations_return.lines.order_by("pk")[0]
    client = signed_in(world.amina)
    form = form_with_cells(client, nominations_return, line, offers="9", ground_0="2")
    client.post(return_url(nominations_return, "complete"), form)

    html = html_for(world.amina, return_url(nominations_return))

    assert "Why nominees were refused" in html
    assert escape(line.refusals.get().ground) in html


def test_form_that_was_opened_before_another_was_saved_is_refused(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    line = nominations_return.lines.order_by("pk")[0]
    client = signed_in(world.amina)
    complete_url = return_url(nominations_return, "complete")
    stale_form = form_with_cells(client, nominations_return, line, offers="8")
    client.post(complete_url, stale_form | {f"offers-{line.pk}": "9"})

    response = client.post(complete_url, stale_form)

    assert response.status_code == 422
    assert "Saved: 9" in response.content.decode()


def test_form_that_shows_what_was_saved_meanwhile_can_be_sent(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    line = nominations_return.lines.order_by("pk")[0]
    client = signed_in(world.amina)
    complete_url = return_url(nominations_return, "complete")
    stale_form = form_with_cells(client, nominations_return, line, offers="8")
    client.post(complete_url, stale_form | {f"offers-{line.pk}": "9"})
    refused_form = client.post(complete_url, stale_form).context["form"]

    response = client.post(complete_url, stale_form | {"read": refused_form["read"].value()})

    line.refresh_from_db()
    assert response.status_code == 302
    assert line.offers == 8


def test_form_with_an_invalid_record_of_what_was_saved_is_refused(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    line = nominations_return.lines.order_by("pk")[0]
    client = signed_in(world.amina)
    form = form_with_cells(client, nominations_return, line, offers="8")

    response = client.post(return_url(nominations_return, "complete"), form | {"read": "[1]"})

    assert response.status_code == 422


def status_codes_for_council(world: World, nominations_return: NominationsReturn) -> dict[str, int]:
    """Return the status codes of the pages about a return for Ben, who leads the council."""
    client = signed_in(world.ben)
    names = ("return", "csv", "rows", "progress")
    return {name: client.get(return_url(nominations_return, name)).status_code for name in names}


def test_council_cannot_read_a_return_that_was_not_sent(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])

    status_codes = status_codes_for_council(world, nominations_return)

    assert status_codes == {
        "return": 404,
        "csv": 404,
        "rows": 404,
        "progress": 404,
    }


def test_page_of_the_agreement_does_not_show_the_council_a_return_that_was_not_sent(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])

    html = html_for(world.ben, nominations_return.agreement.get_absolute_url())

    assert str(nominations_return.quarter) not in html


def test_council_reads_a_return_once_it_was_sent(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])

    status_codes = status_codes_for_council(world, nominations_return)

    # A counted return has no progress, so its page redirects to the return.
    assert status_codes == {
        "return": 200,
        "csv": 200,
        "rows": 200,
        "progress": 302,
    }


def test_page_of_the_agreement_shows_the_council_a_return_that_was_sent(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])

    html = html_for(world.ben, nominations_return.agreement.get_absolute_url())

    assert str(nominations_return.quarter) in html


def form_of_decisions(nominations_return: NominationsReturn, disputed_line: ReturnLine) -> dict[str, Any]:
    """Return a form that disputes one line without a reason, and confirms the others."""
    decisions = {f"decision-{line.pk}": "confirmed" for line in nominations_return.lines.all()}
    return decisions | {f"decision-{disputed_line.pk}": "disputed", "sending": nominations_return.sendings}


def test_council_confirms_and_disputes_lines_on_one_page(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    line = nominations_return.lines.order_by("pk")[0]
    form = form_of_decisions(nominations_return, line) | {f"reason-{line.pk}": "We named nobody for Mill Lane."}

    response = signed_in(world.ben).post(return_url(nominations_return, "decide"), form)

    assert response.status_code == 302
    assert reloaded(nominations_return).is_disputed
    assert nominations_return.lines.get(pk=line.pk).reason == "We named nobody for Mill Lane."


def test_provider_reads_why_a_line_is_disputed(world: World) -> None:
    nominations_return, _ = disputed_return(world, world.things["nominations"])

    html = html_for(world.amina, return_url(nominations_return))

    assert "One is missing." in html


def test_line_cannot_be_disputed_without_a_reason(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    form = form_of_decisions(nominations_return, nominations_return.lines.order_by("pk")[0])

    response = signed_in(world.ben).post(return_url(nominations_return, "decide"), form)

    assert response.status_code == 422
    assert not reloaded(nominations_return).is_disputed


def tasks_about_returns(*people: User) -> list[tuple[str, str]]:
    """Return the addresses of the people who have a task about a return, with the action of the task."""
    all_tasks = [(person, task) for person in people for task in tasks_of_person(person, days_after())]
    return [(person.email, task.action) for person, task in all_tasks if task.title.startswith("Nominations, ")]


def test_my_work_of_the_council_has_a_return_that_was_sent(world: World) -> None:
    sent_return(world, world.things["nominations"])

    tasks = tasks_about_returns(world.ben, world.amina, world.vera, world.nadia)

    assert tasks == [(world.ben.email, "Confirm or dispute this return")]


def test_my_work_of_the_provider_has_a_return_that_is_disputed(world: World) -> None:
    disputed_return(world, world.things["nominations"])

    tasks = tasks_about_returns(world.ben, world.amina, world.vera, world.nadia)

    assert tasks == [(world.amina.email, "Correct this disputed return")]


def test_council_confirms_every_line_with_one_button(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])

    response = signed_in(world.ben).post(
        return_url(nominations_return, "decide"), {"sending": nominations_return.sendings, "all": "yes"}
    )

    assert response.status_code == 302
    assert reloaded(nominations_return).is_settled


def test_shortfall_becomes_an_ask_of_the_council(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    line = line_with_shortfall(nominations_return)

    response = signed_in(world.ben).post(return_url(nominations_return, "ask", line=line.pk))

    entry = Entry.objects.get(theme="nominations")
    assert response.headers["Location"] == entry.get_absolute_url()
    assert entry.organisation == world.westmarch
    assert entry.quantity == line.result.shortfall
    assert entry.partnership is None
    assert entry.is_open


@pytest.fixture
def ask_of_a_shortfall(world: World) -> Entry:
    """Return the ask of the council for a shortfall in a return that was sent."""
    nominations_return = sent_return(world, world.things["nominations"])
    line = line_with_shortfall(nominations_return)
    return ask_for_shortfall(nominations_return=nominations_return, line=line.pk, author=world.ben, now=days_after())


def test_ask_of_a_shortfall_is_visible_to_the_provider(world: World, ask_of_a_shortfall: Entry) -> None:
    assert list(Entry.objects.visible_to(world.amina)) == [ask_of_a_shortfall]


@pytest.mark.usefixtures("ask_of_a_shortfall")
def test_ask_of_a_shortfall_is_not_visible_to_other_parties(world: World) -> None:
    assert not Entry.objects.visible_to(world.nadia).exists()


def test_second_request_for_a_shortfall_leads_to_the_same_ask(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    path = return_url(nominations_return, "ask", line=line_with_shortfall(nominations_return).pk)
    client = signed_in(world.ben)
    client.post(path)

    repeated_response = client.post(path)

    entry = Entry.objects.get(theme="nominations")
    assert repeated_response.headers["Location"] == entry.get_absolute_url()


def test_page_of_a_return_links_to_the_ask_of_a_shortfall(world: World) -> None:
    nominations_return, _line, ask_url = confirmed_return_with_ask(world)

    html = html_for(world.ben, return_url(nominations_return))

    assert "See the ask" in html
    assert f'href="{ask_url}"' in html


def test_council_that_asks_for_a_shortfall_sees_a_confirmation(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    path = return_url(nominations_return, "ask", line=line_with_shortfall(nominations_return).pk)

    page = signed_in(world.ben).post(path, follow=True).content.decode()

    assert "You have asked" in page
    assert "already asked" not in page


def test_council_that_asks_for_a_shortfall_again_sees_that_it_already_asked(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    path = return_url(nominations_return, "ask", line=line_with_shortfall(nominations_return).pk)
    client = signed_in(world.ben)
    client.post(path)

    page = client.post(path, follow=True).content.decode()

    assert "Your organisation has already asked" in page


def confirmed_return_with_ask(world: World) -> tuple[NominationsReturn, ReturnLine, str]:
    """Return a confirmed return, a line with a shortfall, and the address of the ask for it."""
    nominations_return = confirmed_return(world, world.things["nominations"])
    line = line_with_shortfall(nominations_return)
    entry = ask_for_shortfall(nominations_return=nominations_return, line=line.pk, author=world.ben, now=days_after())
    return nominations_return, line, entry.get_absolute_url()


def reopen_as_council(world: World, nominations_return: NominationsReturn) -> None:
    """Reopen a confirmed return as Ben, so that the provider corrects it."""
    services.reopen_return(
        nominations_return=nominations_return, reason="A home is missing.", author=world.ben, now=days_after()
    )


def test_ask_of_a_shortfall_links_to_its_return(world: World) -> None:
    nominations_return, _line, ask_url = confirmed_return_with_ask(world)

    ask_page = html_for(world.amina, ask_url)

    assert nominations_return.get_absolute_url() in ask_page
    assert "The provider is correcting the return." not in ask_page
    assert "corrected" not in ask_page


def test_ask_of_a_shortfall_says_that_its_return_is_being_corrected(world: World) -> None:
    nominations_return, _line, ask_url = confirmed_return_with_ask(world)
    reopen_as_council(world, nominations_return)

    ask_page = html_for(world.ben, ask_url)

    assert "The provider is correcting the return." in ask_page


def test_ask_of_a_shortfall_has_the_corrected_number(world: World) -> None:
    nominations_return, line, ask_url = confirmed_return_with_ask(world)
    reopen_as_council(world, nominations_return)
    # The council named nobody in time for the vacancies without a nominee, so the provider owes none of them.
    vacancies = line.lettings - line.nominated
    fill_in_table(reloaded(nominations_return), {line.pk: services.Supplement(not_supplied=vacancies)}, world.amina)
    services.send_return(nominations_return=nominations_return, author=world.amina, now=days_after())
    confirm_all_lines(world, reloaded(nominations_return))

    ask_page = collapse(html_for(world.amina, ask_url))

    assert "The return was corrected on" in ask_page
    assert "According to the corrected figures, the number of missing nominations is 0." in ask_page


def test_shortfall_of_a_draft_cannot_become_an_ask(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    line = line_with_shortfall(nominations_return)

    with pytest.raises(UnableToAskForShortfall, match="The provider has not sent this return, or is correcting it now"):
        ask_for_shortfall(nominations_return=nominations_return, line=line.pk, author=world.ben, now=days_after())


def test_line_without_a_shortfall_cannot_become_an_ask(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    line = line_with_shortfall(nominations_return)
    ReturnLine.objects.filter(pk=line.pk).update(nominated=line.lettings)

    with pytest.raises(UnableToAskForShortfall, match="No nominations are missing in this line"):
        ask_for_shortfall(nominations_return=nominations_return, line=line.pk, author=world.ben, now=days_after())


def test_other_parties_cannot_read_a_return_before_it_is_confirmed(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"], lettings_of(world, 60))

    response = signed_in(world.nadia).get(return_url(nominations_return))

    assert response.status_code == 404


def test_other_parties_read_only_the_masked_counts_of_a_confirmed_return(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"], lettings_of(world, 60))

    html = html_for(world.nadia, return_url(nominations_return))

    assert "masked" in html
    assert "Offers" not in html
    assert "Rows in the upload" not in html


def test_other_parties_download_only_the_masked_counts_of_a_confirmed_return(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"], lettings_of(world, 60))

    response = signed_in(world.nadia).get(return_url(nominations_return, "csv"))

    text = b"".join(response).decode()
    assert "masked" in text
    assert "Offers" not in text


def test_other_parties_read_the_homes_let_by_quarter(world: World) -> None:
    agreement = world.things["nominations"]
    confirmed_return(world, agreement, lettings_of(world, 60))

    agreement_page = html_for(world.nadia, agreement.get_absolute_url())

    assert "Homes let to nominees, by quarter" in agreement_page


def test_return_can_be_started_for_ended_quarters_with_agreed_shares(world: World) -> None:
    agreement = world.things["nominations"]

    quarters = quarters_to_start(agreement, days_after().date())

    assert quarters == [next_quarter(), next_quarter().previous()]


def test_return_cannot_be_started_twice_for_a_quarter(world: World) -> None:
    agreement = world.things["nominations"]
    confirmed_return(world, agreement)

    quarters = quarters_to_start(agreement, days_after().date())

    assert quarters == [next_quarter().previous()]


def test_start_page_says_if_every_past_quarter_has_a_return(world: World) -> None:
    agreement = world.things["nominations"]
    confirmed_return(world, agreement)

    start_page = html_for(world.amina, reverse("nominations:start", args=[agreement.partnership_id]))

    assert "You have a return for every past quarter" in start_page


def test_trend_has_charts_by_quarter(world: World) -> None:
    agreement = world.things["nominations"]
    sent_return(world, agreement)

    html = html_for(world.ben, agreement.get_absolute_url())

    assert "Homes let to nominees, by quarter" in html
    assert "Median days vacant, by quarter" in html
    assert "Offers and refused nominees, by quarter" in html


def test_trend_has_a_bar_for_each_sent_quarter(world: World) -> None:
    agreement = world.things["nominations"]
    sent_return(world, agreement)

    html = html_for(world.ben, agreement.get_absolute_url())

    # Each of the three charts has two series: two squares in its legend, and two bars for the only quarter.
    assert html.count("<rect") == 3 * 4


def record_url(nominations_return: NominationsReturn, shape: str, *, record: int = 1) -> str:
    """Return the URL of a record of a confirmed return as a file."""
    return return_url(nominations_return, "record", record=record, shape=shape)


def record_as_workbook(world: World, nominations_return: NominationsReturn) -> Workbook:
    """Return the first record as the workbook that Vera, who reads for the provider, downloads."""
    response = signed_in(world.vera).get(record_url(nominations_return, "xlsx"))
    return load_workbook(io.BytesIO(response.content))


def test_record_has_the_same_lettings_as_csv_and_as_workbook(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])

    csv_text = b"".join(signed_in(world.vera).get(record_url(nominations_return, "csv"))).decode("utf-8-sig")
    sheet = record_as_workbook(world, nominations_return)["Lettings"]

    csv_rows = list(csv.reader(csv_text.splitlines()))
    sheet_rows = list(sheet.iter_rows(values_only=True))
    assert csv_rows[-1][0] == "All lettings"
    assert [row[0] for row in csv_rows] == ["" if row[0] is None else str(row[0]) for row in sheet_rows]
    assert [float(row[1].replace(",", "")) for row in csv_rows[1:]] == [float(str(row[1])) for row in sheet_rows[1:]]


def test_record_as_workbook_says_whose_and_which_it_is(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])

    about = dict(record_as_workbook(world, nominations_return)["About"].iter_rows(values_only=True))

    assert about["Provider"] == "Larkhaven Homes"
    assert about["Record"] == "First record"
    assert str(about["CORE export"]).endswith(", columns not checked")


def test_record_is_a_pdf_if_pango_is_installed(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])

    response = signed_in(world.vera).get(record_url(nominations_return, "pdf"))

    assert response.content.startswith(b"%PDF") or response.status_code == 503


def test_record_that_does_not_exist_is_not_found(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])

    response = signed_in(world.vera).get(record_url(nominations_return, "csv", record=2))

    assert response.status_code == 404


def test_record_is_not_available_to_other_parties(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])

    response = signed_in(world.nadia).get(record_url(nominations_return, "csv"))

    assert response.status_code == 404


def test_council_reopens_a_confirmed_return_with_a_reason(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])

    response = signed_in(world.ben).post(return_url(nominations_return, "reopen"), {"reason": "A home was left out."})

    reopened_return = reloaded(nominations_return)
    assert response.status_code == 302
    assert reopened_return.is_reopened
    assert reopened_return.correction == "A home was left out."


def test_provider_reads_why_a_return_is_reopened(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    reopen_as_council(world, nominations_return)

    html = html_for(world.vera, return_url(nominations_return))

    assert "A home is missing." in html
