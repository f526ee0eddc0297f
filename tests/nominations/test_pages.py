"""Pages of returns: filled in by the provider, decided by the council, masked for others, asked for with one click."""

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
from partnerships.nominations.services.shortfalls import UnableToAsk, ask_for_shortfall
from partnerships.people.models import User
from partnerships.work.queries import waiting_for
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


def address(nominations_return: NominationsReturn, name: str = "return", **more: int | str) -> str:
    numbers = {"pk": nominations_return.agreement.partnership_id, "number": nominations_return.pk, **more}
    return reverse(f"nominations:{name}", kwargs=numbers)


def page(person: User, path: str) -> str:
    return signed_in(person).get(path).content.decode()


def line_that_is_short(nominations_return: NominationsReturn) -> ReturnLine:
    return next(line for line in nominations_return.lines.order_by("pk") if line.result.shortfall)


def test_upload_is_filtered_counted_and_reported_row_by_row(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    nominations_return = started_return(world, world.things["nominations"])
    lettings = lettings_of(world)
    file = SimpleUploadedFile("lettings.csv", core_file(lettings, year=collection_year()))
    client = signed_in(world.eddie)

    answer = client.post(address(nominations_return, "upload"), {"file": file})
    waiting = client.get(address(nominations_return, "progress"), headers=HTMX)
    services.count_waiting(now=timezone.now())
    done = client.get(address(nominations_return, "progress"), headers=HTMX)
    shown = client.get(address(nominations_return)).content.decode()
    rows = b"".join(client.get(address(nominations_return, "rows"))).decode()

    assert answer.status_code == 302
    assert b"Counting lettings" in waiting.content
    assert "HX-Refresh" not in waiting.headers
    assert done.headers["HX-Refresh"] == "true"
    assert "Rows in the upload" in shown
    assert "Rows in the quarter, by local authority" in shown
    assert re.search(r">Westmarch</th>\s*<td[^>]*>\d+</td>", shown)
    assert "unverified" in shown
    assert "unverified" in client.get(address(nominations_return, "upload")).content.decode()
    assert "Counted" in rows
    assert CANARY not in shown + rows + caplog.text


def test_council_does_not_read_how_much_was_let_in_other_areas(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])

    of_provider, of_council = (
        page(world.eddie, address(nominations_return)),
        page(world.ben, address(nominations_return)),
    )

    assert "Rows in the quarter, by local authority" in of_provider
    assert "Rows in the upload" in of_council
    assert "by local authority" not in of_council


def test_upload_needs_the_token_of_the_form(world: World) -> None:
    nominations_return = started_return(world, world.things["nominations"])

    answer = signed_in(world.eddie, enforce_csrf_checks=True).post(address(nominations_return, "upload"), {})

    assert answer.status_code == 403


@pytest.mark.parametrize(("name", "status"), [("ben", 403), ("chidi", 404)])
def test_upload_of_others_is_not_read(world: World, monkeypatch: pytest.MonkeyPatch, name: str, status: int) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    read: list[bytes] = []
    monkeypatch.setattr(LettingsFilter, "feed", lambda self, chunk: read.append(chunk))
    file = SimpleUploadedFile("lettings.csv", core_file(lettings_of(world, 5), year=collection_year()))

    answer = signed_in(getattr(world, name)).post(address(nominations_return, "upload"), {"file": file})

    assert (answer.status_code, read) == (status, [])


def test_wrong_file_is_refused_on_the_page(world: World) -> None:
    nominations_return = started_return(world, world.things["nominations"])

    answer = signed_in(world.eddie).post(
        address(nominations_return, "upload"), {"file": SimpleUploadedFile("a.csv", b"name,age\nZebulon,40\n")}
    )

    assert answer.status_code == 422
    assert "no headings of a CORE lettings export" in answer.content.decode()
    assert "Zebulon" not in answer.content.decode()
    assert not hasattr(reloaded(nominations_return), "run")


def test_what_core_lacks_is_filled_in_and_a_ground_is_counted(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    line = nominations_return.lines.order_by("pk")[0]
    client, path = signed_in(world.amina), address(nominations_return, "complete")
    form = {f"offers-{line.pk}": "9", f"not_supplied-{line.pk}": "1", f"ground_0-{line.pk}": "2"}
    form[f"in_time-{line.pk}"] = "0"
    form["read"] = client.get(path).context["form"]["read"].value()

    answer = client.post(path, form)
    shown = page(world.amina, address(nominations_return))
    again = client.post(path, form | {f"offers-{line.pk}": "8"})

    line.refresh_from_db()
    assert (answer.status_code, line.offers, line.not_supplied, line.in_time) == (302, 9, 1, 0)
    assert "In time: a nominee was named within 10 working days for first lets and 3 working days for relets" in shown
    assert again.status_code == 422
    assert "Saved: 9" in again.content.decode()
    form |= {"read": again.context["form"]["read"].value(), f"offers-{line.pk}": "8"}
    assert client.post(path, form).status_code == 302
    assert client.post(path, form | {"read": "[1]"}).status_code == 422
    assert "Why nominees were refused" in shown
    assert escape(line.refusals.get().ground) in shown


def test_council_reads_a_return_once_it_was_sent(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    client, paths = (
        signed_in(world.ben),
        [address(nominations_return, name) for name in ("return", "csv", "rows", "progress")],
    )
    home = nominations_return.agreement.get_absolute_url()

    before = {client.get(path).status_code for path in paths}
    listed = str(nominations_return.quarter) in client.get(home).content.decode()
    services.send_return(nominations_return=nominations_return, author=world.amina, now=afterwards())
    after = {client.get(path).status_code for path in paths}

    assert (before, listed) == ({404}, False)
    assert after == {200, 302}
    assert str(nominations_return.quarter) in client.get(home).content.decode()


def test_council_confirms_and_disputes_on_one_page(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    lines = list(nominations_return.lines.order_by("pk"))
    form: dict[str, Any] = {f"decision-{line.pk}": "confirmed" for line in lines} | {
        "sending": nominations_return.sendings
    }
    client = signed_in(world.ben)

    form[f"decision-{lines[0].pk}"] = "disputed"
    without_reason = client.post(address(nominations_return, "decide"), form)
    form[f"reason-{lines[0].pk}"] = "We named nobody for Mill Lane."
    answer = client.post(address(nominations_return, "decide"), form)

    assert without_reason.status_code == 422
    assert answer.status_code == 302
    assert reloaded(nominations_return).is_disputed
    assert "We named nobody for Mill Lane." in page(world.amina, address(nominations_return))


def test_my_work_of_each_side_shows_the_return_that_waits_for_it(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    first, *others = nominations_return.lines.values_list("pk", flat=True)
    people = [world.ben, world.amina, world.vera, world.nadia]

    def waiting() -> list[tuple[str, str]]:
        every = [(person, one) for person in people for one in waiting_for(person, afterwards())]
        return [(person.email, one.what) for person, one in every if one.title.startswith("Nominations, ")]

    before = waiting()
    decisions = dict.fromkeys(others, (Decision.CONFIRMED, "")) | {first: (Decision.DISPUTED, "One is missing.")}
    decide_lines(world, nominations_return, decisions)

    assert before == [(world.ben.email, "Confirm or dispute this return")]
    assert waiting() == [(world.amina.email, "Correct this disputed return")]


def test_council_confirms_every_line_with_one_button(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])

    answer = signed_in(world.ben).post(
        address(nominations_return, "decide"), {"sending": nominations_return.sendings, "all": "yes"}
    )

    assert answer.status_code == 302
    assert reloaded(nominations_return).is_settled


def test_shortfall_becomes_one_ask_of_the_provider(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    line = line_that_is_short(nominations_return)
    client, path = signed_in(world.ben), address(nominations_return, "ask", line=line.pk)

    first, second = client.post(path), client.post(path)

    entry = Entry.objects.get(theme="nominations")
    assert first.headers["Location"] == second.headers["Location"] == entry.get_absolute_url()
    assert (entry.organisation, entry.quantity, entry.partnership) == (world.westmarch, line.result.shortfall, None)
    assert entry.is_open
    assert list(Entry.objects.visible_to(world.amina)) == [entry]
    assert not Entry.objects.visible_to(world.nadia).exists()
    assert "See the ask" in page(world.ben, address(nominations_return))


def test_ask_of_a_shortfall_says_when_its_return_was_corrected(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    line = line_that_is_short(nominations_return)
    ask = ask_for_shortfall(
        nominations_return=nominations_return, line=line.pk, author=world.ben, now=afterwards()
    ).get_absolute_url()
    before = page(world.amina, ask)

    services.reopen_return(
        nominations_return=nominations_return, reason="A home is missing.", author=world.ben, now=afterwards()
    )
    meanwhile = page(world.ben, ask)
    vacancies = line.lettings - line.nominated
    fill_in_table(reloaded(nominations_return), {line.pk: services.Supplement(not_supplied=vacancies)}, world.amina)
    services.send_return(nominations_return=nominations_return, author=world.amina, now=afterwards())
    nominations_return = reloaded(nominations_return)
    decide_lines(
        world,
        nominations_return,
        dict.fromkeys(nominations_return.lines.values_list("pk", flat=True), (Decision.CONFIRMED, "")),
    )

    assert nominations_return.get_absolute_url() in before
    assert "corrected" not in before
    assert "The provider is correcting the return." in meanwhile
    after = page(world.amina, ask)
    assert "The return was corrected on" in after
    shortfall = nominations_return.lines.get(pk=line.pk).result.shortfall
    assert f"According to the corrected figures, the number of missing nominations is {shortfall}." in " ".join(
        after.split()
    )


def test_nothing_is_asked_of_a_draft_or_of_a_line_that_is_not_short(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    line = line_that_is_short(nominations_return)

    with pytest.raises(UnableToAsk, match="has not sent"):
        ask_for_shortfall(nominations_return=nominations_return, line=line.pk, author=world.ben, now=afterwards())
    services.send_return(nominations_return=nominations_return, author=world.amina, now=afterwards())
    ReturnLine.objects.filter(pk=line.pk).update(nominated=line.lettings)
    with pytest.raises(UnableToAsk, match="No nominations are missing"):
        ask_for_shortfall(nominations_return=nominations_return, line=line.pk, author=world.ben, now=afterwards())


def test_other_parties_read_settled_returns_masked_and_nothing_else(world: World) -> None:
    agreement = world.things["nominations"]
    nominations_return = sent_return(world, agreement, lettings_of(world, 60))
    client = signed_in(world.nadia)

    before = client.get(address(nominations_return)).status_code
    services.decide_lines(
        nominations_return=nominations_return,
        sending=nominations_return.sendings,
        decisions={line.pk: ("confirmed", "") for line in nominations_return.lines.all()},  # type: ignore[misc]  # a code
        author=world.ben,
        now=afterwards(),
    )
    shown = client.get(address(nominations_return)).content.decode()
    file = b"".join(client.get(address(nominations_return, "csv"))).decode()

    assert before == 404
    assert "masked" in shown
    assert "masked" in file
    assert "Offers" not in shown + file
    assert "Rows in the upload" not in shown
    assert "Homes let to nominees, by quarter" in page(world.nadia, agreement.get_absolute_url())


def test_page_offers_ended_quarters_with_agreed_shares(world: World) -> None:
    agreement = world.things["nominations"]

    soon = quarters_to_start(agreement, afterwards().date())
    confirmed_return(world, agreement)

    assert soon == [next_quarter(), next_quarter().previous()]
    assert quarters_to_start(agreement, afterwards().date()) == [next_quarter().previous()]
    start = reverse("nominations:start", args=[agreement.partnership_id])
    assert "You have a return for every past quarter" in page(world.amina, start)


def test_trend_has_a_bar_for_each_sent_quarter(world: World) -> None:
    agreement = world.things["nominations"]
    sent_return(world, agreement)

    shown = page(world.ben, agreement.get_absolute_url())

    for title in ("Homes let to nominees", "Median days vacant", "Offers and refused nominees"):
        assert f"{title}, by quarter" in shown
    assert shown.count("<rect") == 3 * 4


def test_a_record_says_the_same_as_csv_excel_and_pdf_and_is_corrected_from_the_page(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    client = signed_in(world.vera)
    paths = {shape: address(nominations_return, "record", record=1, shape=shape) for shape in ("csv", "xlsx", "pdf")}

    rows = list(csv.reader(b"".join(client.get(paths["csv"])).decode("utf-8-sig").splitlines()))
    book = load_workbook(io.BytesIO(client.get(paths["xlsx"]).content))
    pdf = client.get(paths["pdf"])
    sheet = [
        ["" if cell is None else str(cell) for cell in row] for row in book["Lettings"].iter_rows(values_only=True)
    ]
    form = signed_in(world.ben).post(address(nominations_return, "reopen"), {"reason": "A home was left out."})

    assert [row[0] for row in rows] == [row[0] for row in sheet]
    assert rows[-1][0] == "All lettings"
    assert [float(row[1].replace(",", "")) for row in rows[1:]] == [float(row[1]) for row in sheet[1:]]
    about = dict(book["About"].iter_rows(values_only=True))
    assert str(about["CORE export"]).endswith(", unverified")
    assert {("Provider", "Larkhaven Homes"), ("Record", "First record")} <= set(
        book["About"].iter_rows(values_only=True)
    )
    assert pdf.content.startswith(b"%PDF") or pdf.status_code == 503
    assert client.get(address(nominations_return, "record", record=2, shape="csv")).status_code == 404
    assert form.status_code == 302
    assert "A home was left out." in page(world.vera, address(nominations_return))
    assert signed_in(world.nadia).get(paths["csv"]).status_code == 404
