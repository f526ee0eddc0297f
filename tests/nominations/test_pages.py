"""The provider fills in returns on their pages, the council decides, and other parties see masked counts."""

from __future__ import annotations

import csv
import io
import logging
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from openpyxl import load_workbook

from partnerships.exchange.models import Entry
from partnerships.nominations import services
from partnerships.nominations.lettings.filtering import LettingsFilter
from partnerships.nominations.models import Decision, NominationsReturn, ReturnLine
from partnerships.nominations.queries.pages import quarters_to_start
from partnerships.nominations.services.shortfalls import UnableToAskForShortfall, ask_for_shortfall
from partnerships.people.models import User
from partnerships.work.queries import tasks_of_person
from tests.nominations.quarters import (
    afterwards,
    collection_year,
    confirmed_return,
    counted_return,
    decide_lines,
    fill_in_table,
    lettings_of,
    next_quarter,
    reloaded,
    sent_return,
    started_return,
)
from tests.support.core_files import CANARY, core_file
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
    return next(line for line in nominations_return.lines.order_by("pk") if line.result.shortfall)


def test_upload_is_filtered_counted_and_reported_row_by_row(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    nominations_return = started_return(world, world.things["nominations"])
    lettings = lettings_of(world)
    file = SimpleUploadedFile("lettings.csv", core_file(lettings, year=collection_year()))
    client = signed_in(world.eddie)

    answer = client.post(return_url(nominations_return, "upload"), {"file": file})
    progress_before_count = client.get(return_url(nominations_return, "progress"), headers=HTMX)
    services.count_waiting(now=timezone.now())
    progress_after_count = client.get(return_url(nominations_return, "progress"), headers=HTMX)
    html = client.get(return_url(nominations_return)).content.decode()
    rows = b"".join(client.get(return_url(nominations_return, "rows"))).decode()

    assert answer.status_code == 302
    assert b"Counting lettings" in progress_before_count.content
    assert "HX-Refresh" not in progress_before_count.headers
    assert progress_after_count.headers["HX-Refresh"] == "true"
    assert "Rows in the upload" in html
    assert "Rows in the quarter, by local authority" in html
    assert re.search(r">Westmarch</th>\s*<td[^>]*>\d+</td>", html)
    assert "unverified" in html
    assert "unverified" in client.get(return_url(nominations_return, "upload")).content.decode()
    assert "Counted" in rows
    assert CANARY not in html + rows + caplog.text


def test_council_does_not_read_how_much_was_let_in_other_areas(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])

    of_provider = html_for(world.eddie, return_url(nominations_return))
    of_council = html_for(world.ben, return_url(nominations_return))

    assert "Rows in the quarter, by local authority" in of_provider
    assert "Rows in the upload" in of_council
    assert "by local authority" not in of_council


def test_upload_needs_the_token_of_the_form(world: World) -> None:
    nominations_return = started_return(world, world.things["nominations"])

    answer = signed_in(world.eddie, enforce_csrf_checks=True).post(return_url(nominations_return, "upload"), {})

    assert answer.status_code == 403


@pytest.mark.parametrize(("name", "status"), [("ben", 403), ("chidi", 404)])
def test_upload_of_others_is_not_read(world: World, monkeypatch: pytest.MonkeyPatch, name: str, status: int) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    chunks_read: list[bytes] = []
    monkeypatch.setattr(LettingsFilter, "feed", lambda self, chunk: chunks_read.append(chunk))
    file = SimpleUploadedFile("lettings.csv", core_file(lettings_of(world, 5), year=collection_year()))

    answer = signed_in(getattr(world, name)).post(return_url(nominations_return, "upload"), {"file": file})

    assert answer.status_code == status
    assert chunks_read == []


def test_wrong_file_is_refused_on_the_page(world: World) -> None:
    nominations_return = started_return(world, world.things["nominations"])

    answer = signed_in(world.eddie).post(
        return_url(nominations_return, "upload"), {"file": SimpleUploadedFile("a.csv", b"name,age\nZebulon,40\n")}
    )

    assert answer.status_code == 422
    assert "no headings of a CORE lettings export" in answer.content.decode()
    assert "Zebulon" not in answer.content.decode()
    assert not hasattr(reloaded(nominations_return), "run")


def test_what_core_lacks_is_filled_in_and_a_ground_is_counted(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    line = nominations_return.lines.order_by("pk")[0]
    client = signed_in(world.amina)
    complete_url = return_url(nominations_return, "complete")
    form = {f"offers-{line.pk}": "9", f"not_supplied-{line.pk}": "1", f"ground_0-{line.pk}": "2"}
    form[f"in_time-{line.pk}"] = "0"
    form["read"] = client.get(complete_url).context["form"]["read"].value()

    answer = client.post(complete_url, form)
    html = html_for(world.amina, return_url(nominations_return))
    second_answer = client.post(complete_url, form | {f"offers-{line.pk}": "8"})

    line.refresh_from_db()
    assert answer.status_code == 302
    assert line.offers == 9
    assert line.not_supplied == 1
    assert line.in_time == 0
    assert "In time: a nominee was named within 10 working days for first lets and 3 working days for relets" in html
    assert second_answer.status_code == 422
    assert "Saved: 9" in second_answer.content.decode()
    form |= {"read": second_answer.context["form"]["read"].value(), f"offers-{line.pk}": "8"}
    assert client.post(complete_url, form).status_code == 302
    assert client.post(complete_url, form | {"read": "[1]"}).status_code == 422
    assert "Why nominees were refused" in html
    assert escape(line.refusals.get().ground) in html


def test_council_reads_a_return_once_it_was_sent(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    client = signed_in(world.ben)
    paths = [return_url(nominations_return, name) for name in ("return", "csv", "rows", "progress")]
    agreement_url = nominations_return.agreement.get_absolute_url()

    statuses_before = {client.get(path).status_code for path in paths}
    is_listed = str(nominations_return.quarter) in client.get(agreement_url).content.decode()
    services.send_return(nominations_return=nominations_return, author=world.amina, now=afterwards())
    statuses_after = {client.get(path).status_code for path in paths}

    assert statuses_before == {404}
    assert not is_listed
    assert statuses_after == {200, 302}
    assert str(nominations_return.quarter) in client.get(agreement_url).content.decode()


def test_council_confirms_and_disputes_on_one_page(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    lines = list(nominations_return.lines.order_by("pk"))
    form: dict[str, Any] = {f"decision-{line.pk}": "confirmed" for line in lines} | {
        "sending": nominations_return.sendings
    }
    client = signed_in(world.ben)

    form[f"decision-{lines[0].pk}"] = "disputed"
    without_reason = client.post(return_url(nominations_return, "decide"), form)
    form[f"reason-{lines[0].pk}"] = "We named nobody for Mill Lane."
    answer = client.post(return_url(nominations_return, "decide"), form)

    assert without_reason.status_code == 422
    assert answer.status_code == 302
    assert reloaded(nominations_return).is_disputed
    assert "We named nobody for Mill Lane." in html_for(world.amina, return_url(nominations_return))


def test_my_work_of_each_side_shows_the_return_that_waits_for_it(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    first_line, *other_lines = nominations_return.lines.values_list("pk", flat=True)
    people = [world.ben, world.amina, world.vera, world.nadia]

    def tasks() -> list[tuple[str, str]]:
        all_tasks = [(person, task) for person in people for task in tasks_of_person(person, afterwards())]
        return [(person.email, task.action) for person, task in all_tasks if task.title.startswith("Nominations, ")]

    tasks_before = tasks()
    decisions = dict.fromkeys(other_lines, (Decision.CONFIRMED, "")) | {
        first_line: (Decision.DISPUTED, "One is missing.")
    }
    decide_lines(world, nominations_return, decisions)

    assert tasks_before == [(world.ben.email, "Confirm or dispute this return")]
    assert tasks() == [(world.amina.email, "Correct this disputed return")]


def test_council_confirms_every_line_with_one_button(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])

    answer = signed_in(world.ben).post(
        return_url(nominations_return, "decide"), {"sending": nominations_return.sendings, "all": "yes"}
    )

    assert answer.status_code == 302
    assert reloaded(nominations_return).is_settled


def test_shortfall_becomes_one_ask_of_the_provider(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    line = line_with_shortfall(nominations_return)
    client = signed_in(world.ben)
    path = return_url(nominations_return, "ask", line=line.pk)

    first = client.post(path)
    second = client.post(path)

    entry = Entry.objects.get(theme="nominations")
    assert first.headers["Location"] == second.headers["Location"] == entry.get_absolute_url()
    assert entry.organisation == world.westmarch
    assert entry.quantity == line.result.shortfall
    assert entry.partnership is None
    assert entry.is_open
    assert list(Entry.objects.visible_to(world.amina)) == [entry]
    assert not Entry.objects.visible_to(world.nadia).exists()
    assert "See the ask" in html_for(world.ben, return_url(nominations_return))


def test_the_council_is_told_that_it_has_already_asked_for_a_shortfall(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    path = return_url(nominations_return, "ask", line=line_with_shortfall(nominations_return).pk)
    client = signed_in(world.ben)

    first_page = client.post(path, follow=True).content.decode()
    second_page = client.post(path, follow=True).content.decode()

    assert "You have asked" in first_page
    assert "already asked" not in first_page
    assert "Your organisation has already asked" in second_page


def test_ask_of_a_shortfall_says_when_its_return_was_corrected(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    line = line_with_shortfall(nominations_return)
    ask_url = ask_for_shortfall(
        nominations_return=nominations_return, line=line.pk, author=world.ben, now=afterwards()
    ).get_absolute_url()
    html_before = html_for(world.amina, ask_url)

    services.reopen_return(
        nominations_return=nominations_return, reason="A home is missing.", author=world.ben, now=afterwards()
    )
    html_during = html_for(world.ben, ask_url)
    vacancies = line.lettings - line.nominated
    fill_in_table(reloaded(nominations_return), {line.pk: services.Supplement(not_supplied=vacancies)}, world.amina)
    services.send_return(nominations_return=nominations_return, author=world.amina, now=afterwards())
    nominations_return = reloaded(nominations_return)
    decide_lines(
        world,
        nominations_return,
        dict.fromkeys(nominations_return.lines.values_list("pk", flat=True), (Decision.CONFIRMED, "")),
    )

    assert nominations_return.get_absolute_url() in html_before
    assert "corrected" not in html_before
    assert "The provider is correcting the return." in html_during
    html_after = html_for(world.amina, ask_url)
    assert "The return was corrected on" in html_after
    shortfall = nominations_return.lines.get(pk=line.pk).result.shortfall
    assert f"According to the corrected figures, the number of missing nominations is {shortfall}." in " ".join(
        html_after.split()
    )


def test_nothing_is_asked_of_a_draft_or_of_a_line_that_is_not_short(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    line = line_with_shortfall(nominations_return)

    with pytest.raises(UnableToAskForShortfall, match="has not sent"):
        ask_for_shortfall(nominations_return=nominations_return, line=line.pk, author=world.ben, now=afterwards())
    services.send_return(nominations_return=nominations_return, author=world.amina, now=afterwards())
    ReturnLine.objects.filter(pk=line.pk).update(nominated=line.lettings)
    with pytest.raises(UnableToAskForShortfall, match="No nominations are missing"):
        ask_for_shortfall(nominations_return=nominations_return, line=line.pk, author=world.ben, now=afterwards())


def test_other_parties_read_settled_returns_masked_and_nothing_else(world: World) -> None:
    agreement = world.things["nominations"]
    nominations_return = sent_return(world, agreement, lettings_of(world, 60))
    client = signed_in(world.nadia)

    status_before = client.get(return_url(nominations_return)).status_code
    services.decide_lines(
        nominations_return=nominations_return,
        sending=nominations_return.sendings,
        decisions={line.pk: ("confirmed", "") for line in nominations_return.lines.all()},  # type: ignore[misc]  # a code
        author=world.ben,
        now=afterwards(),
    )
    html = client.get(return_url(nominations_return)).content.decode()
    file = b"".join(client.get(return_url(nominations_return, "csv"))).decode()

    assert status_before == 404
    assert "masked" in html
    assert "masked" in file
    assert "Offers" not in html + file
    assert "Rows in the upload" not in html
    assert "Homes let to nominees, by quarter" in html_for(world.nadia, agreement.get_absolute_url())


def test_page_offers_ended_quarters_with_agreed_shares(world: World) -> None:
    agreement = world.things["nominations"]

    offered_quarters = quarters_to_start(agreement, afterwards().date())
    confirmed_return(world, agreement)

    assert offered_quarters == [next_quarter(), next_quarter().previous()]
    assert quarters_to_start(agreement, afterwards().date()) == [next_quarter().previous()]
    start_url = reverse("nominations:start", args=[agreement.partnership_id])
    assert "You have a return for every past quarter" in html_for(world.amina, start_url)


def test_trend_has_a_bar_for_each_sent_quarter(world: World) -> None:
    agreement = world.things["nominations"]
    sent_return(world, agreement)

    html = html_for(world.ben, agreement.get_absolute_url())

    for title in ("Homes let to nominees", "Median days vacant", "Offers and refused nominees"):
        assert f"{title}, by quarter" in html
    assert html.count("<rect") == 3 * 4


def test_a_record_says_the_same_as_csv_excel_and_pdf_and_is_corrected_from_the_page(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    client = signed_in(world.vera)
    paths = {shape: return_url(nominations_return, "record", record=1, shape=shape) for shape in ("csv", "xlsx", "pdf")}

    rows = list(csv.reader(b"".join(client.get(paths["csv"])).decode("utf-8-sig").splitlines()))
    book = load_workbook(io.BytesIO(client.get(paths["xlsx"]).content))
    pdf = client.get(paths["pdf"])
    sheet = [
        ["" if cell is None else str(cell) for cell in row] for row in book["Lettings"].iter_rows(values_only=True)
    ]
    form = signed_in(world.ben).post(return_url(nominations_return, "reopen"), {"reason": "A home was left out."})

    assert [row[0] for row in rows] == [row[0] for row in sheet]
    assert rows[-1][0] == "All lettings"
    assert [float(row[1].replace(",", "")) for row in rows[1:]] == [float(row[1]) for row in sheet[1:]]
    about = dict(book["About"].iter_rows(values_only=True))
    assert str(about["CORE export"]).endswith(", unverified")
    assert {("Provider", "Larkhaven Homes"), ("Record", "First record")} <= set(
        book["About"].iter_rows(values_only=True)
    )
    assert pdf.content.startswith(b"%PDF") or pdf.status_code == 503
    assert client.get(return_url(nominations_return, "record", record=2, shape="csv")).status_code == 404
    assert form.status_code == 302
    assert "A home was left out." in html_for(world.vera, return_url(nominations_return))
    assert signed_in(world.nadia).get(paths["csv"]).status_code == 404
