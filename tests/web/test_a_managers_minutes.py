"""A partnership manager answers questions in a few clicks from the home page, finding the way as a newcomer would."""

from __future__ import annotations

import datetime as dt
import io
import re
import time
from pathlib import Path
from typing import Any

import openpyxl
import pypdf
import pytest
from django.utils import timezone
from playwright.sync_api import expect

from partnerships.agreements.services import ContactDetails
from partnerships.exchange.models import Audience
from partnerships.kit.dates import long_date
from partnerships.lists import services
from partnerships.plans.models import Plan
from partnerships.plans.queries import draft_content
from partnerships.reports.services import make_files
from partnerships.search.services import index_stale
from tests.agreements.test_posts import create_post_of, fill
from tests.exchange.conftest import shared_entry
from tests.plans.drafts import CONTENT, ask_signatures, begin, publish, save
from tests.reports.test_homes_pipeline import NEXT, QUAY, change, line, plan_with
from tests.spreadsheets.test_plan_sheets import HOMES, TWENTY
from tests.support.browser import NARROW, PATIENCE, WIDE, axe_violations, click_to_next_page, reflows, sign_in
from tests.support.outbox import deliver, drop_emails
from tests.world import World, make_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

#: The most clicks, ticks and choices of the longest task, which finds, saves, exports, follows, shares and subscribes.
MAX_CLICKS = 17
#: The most for a question that a report answers: under a minute for somebody who reads each page.
MAX_CLICKS_FOR_A_REPORT = 6


class ManagerInBrowser:
    """A manager who knows only what the pages show, with a count of their clicks."""

    def __init__(self, page: Any, origin: str) -> None:
        self.page = page
        self.main = page.get_by_role("main")
        self.origin = origin
        self.clicks: dict[str, int] = {}

    def begin(self, task: str) -> None:
        """Start a task on the home page."""
        self.task, self.clicks[task] = task, 0
        self.page.goto(f"{self.origin}/")

    def click(self, *names: str, role: str = "link") -> None:
        """Click these links or buttons, each of which opens another page."""
        for name in names:
            click_to_next_page(self.page.get_by_role(role, name=name, exact=True).first)
            self.clicks[self.task] += 1

    def download(self, name: str) -> Path:
        """Click a link that downloads a file, and return where the file is stored."""
        with self.page.expect_download() as download:
            self.page.get_by_role("link", name=name, exact=True).first.click()
        self.clicks[self.task] += 1
        return Path(download.value.path())

    def tick(self, label: str) -> None:
        """Tick a checkbox or choose a radio button."""
        self.page.get_by_label(label, exact=True).check()
        self.clicks[self.task] += 1

    def look_for(self, words: str) -> None:
        """Search from the box in the header."""
        box = self.page.get_by_role("searchbox", name="Search everything you can see")
        box.fill(words)
        box.press("Enter")
        self.page.wait_for_url("**/search/**")
        self.clicks[self.task] += 1

    def select(self, label: str, option: str) -> None:
        """Choose an option of a select."""
        self.page.get_by_label(label, exact=True).select_option(label=option)
        self.clicks[self.task] += 1

    def choose(self, label: str, words: str, option: str) -> None:
        """Type into a box with suggestions, and choose one of the suggestions."""
        self.page.get_by_role("combobox", name=label).fill(words)
        self.page.get_by_role("option", name=option).click()
        self.clicks[self.task] += 1

    def tasks_above(self, limit: int) -> dict[str, int]:
        """Return the tasks that took more clicks than this, with their clicks."""
        return {task: clicks for task, clicks in self.clicks.items() if clicks > limit}


def publish_plan_with_milestone(world: World, title: str, forecast: str, summary: str = "Homes.") -> Plan:
    """Publish a plan with one milestone."""
    about = {"title": title, "summary": summary}
    milestones = [{"key": "start", "name": f"Start at {title}", "baseline": "2031-02", "forecast": forecast}]
    plan = begin(world, content={**CONTENT, "about": about, "milestones": milestones})
    publish(plan, world)
    return plan


def test_a_manager_answers_everyday_questions_within_a_few_clicks(
    page: Any, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partnerships.kit.record_fields.MAX_LISTED", 2)  # three plans are suggested by the server
    world = make_world()
    add_two_asks(world)
    docks = publish_plan_with_milestone(world, "Docks", "2031-02")
    publish_plan_with_milestone(world, "Mills", "2031-05", "Surface water drainage holds up the homes.")
    publish_plan_with_milestone(world, "Wharf", "2031-03")
    fill(create_post_of(world, "lead", organisation=world.westmarch), world.ben)
    fill(create_post_of(world, "deputy", organisation=world.westmarch), contact=ContactDetails(name="Fay Covers"))
    index_stale()
    sign_in(page, live_server.url, world.amina.email)
    manager = ManagerInBrowser(page, live_server.url)

    find_oldest_ask(manager)
    find_deputy(manager)
    find_mention(manager)
    save_share_and_follow_late_milestones(manager, docks, world)
    paste_plan_of_twenty_sites(manager)

    assert manager.tasks_above(MAX_CLICKS) == {}


def add_two_asks(world: World) -> None:
    """Share two asks to Westmarch, one day after another."""
    for days, title in ((1, "Land at the quay"), (2, "Rooms for training")):
        shared_at = world.now + dt.timedelta(days=days)
        shared_entry(
            world.larkhaven,
            world.amina,
            shared_at,
            title=title,
            audience=Audience.NAMED,
            addressees=[world.westmarch],
        )


def find_oldest_ask(manager: ManagerInBrowser) -> None:
    """Find the ask without an answer that has waited longest, and who has to answer it."""
    manager.begin("which asks have waited longest, and who owes the answer")
    manager.click("Ask and offer", "List")
    manager.tick("No answer yet, oldest first")

    oldest_row = manager.page.get_by_role("row").nth(1)
    expect(oldest_row).to_contain_text("Land at the quay")
    expect(oldest_row).to_contain_text("Westmarch Borough Council")


def find_deputy(manager: ManagerInBrowser) -> None:
    """Find who covers for Ben, by a question in the search box."""
    manager.begin("who covers for Ben")
    manager.look_for("Who covers for Ben?")

    expect(manager.main).to_contain_text("Deputy")
    expect(manager.main).to_contain_text("Fay Covers")


def find_mention(manager: ManagerInBrowser) -> None:
    """Find the plan that mentions drainage."""
    manager.begin("where drainage is mentioned")
    manager.look_for("drainage")

    expect(manager.main.get_by_role("link", name="Mills").first).to_be_visible()


def save_share_and_follow_late_milestones(manager: ManagerInBrowser, docks: Plan, world: World) -> None:
    """Save a view of late milestones, export, follow, share and subscribe to it; then a milestone enters it."""
    page = manager.page
    manager.begin("which milestones of three plans slip past March, as a view that tells what enters it")
    manager.click("Plans", "Milestones")
    for title in ("Docks", "Mills", "Wharf"):
        manager.choose("Plans", title[:3], title)
    page.get_by_label("Due by, from").fill("1 April 2031")
    page.get_by_label("Due by, from").press("Tab")
    expect(page.get_by_role("rowheader")).to_have_text(["Start at Mills"])

    manager.click("Save as a view")
    page.get_by_label("Name of the view").fill("Late starts")
    manager.click("Save view", role="button")
    check_workbook(manager.download("Excel download"))
    manager.click("Share the view, follow it or subscribe to its dates")
    manager.click("Follow Late starts", role="button")
    manager.click("Share Late starts")
    manager.tick("Estuary Partnership")
    manager.click("Save who can use the view", role="button")
    expect(manager.main).to_contain_text("has been shared with Estuary Partnership")

    delay_milestone(docks, world)
    [email] = [email for email in deliver() if email.to == [world.amina.email]]
    assert email.subject == "Changes in your view “Late starts”: 1 added"
    manager.click("Late starts")
    expect(page.get_by_role("rowheader")).to_have_text(["Start at Mills", "Start at Docks"])

    manager.click("Add the dates of this view to my calendar")
    manager.click("Make calendar address", role="button")
    expect(page.get_by_label("Address of the calendar")).to_have_value(re.compile(r"/calendars/feeds/.+\.ics"))


def check_workbook(path: Path) -> None:
    """Check the milestone in the downloaded workbook, under its headings."""
    sheet = openpyxl.load_workbook(io.BytesIO(path.read_bytes())).active
    assert sheet is not None
    headings, cells = sheet.iter_rows(values_only=True, max_row=2)
    row = dict(zip(headings, cells, strict=True))
    assert row["Milestone"] == "Start at Mills"
    assert row["Due by"] == dt.datetime(2031, 5, 31)  # noqa: DTZ001 - a cell has no time zone


def delay_milestone(docks: Plan, world: World) -> None:
    """Delay the start at the docks between two checks of the followed views."""
    services.check_followed_views(now=timezone.now() + dt.timedelta(hours=2))
    save(docks, world, "milestones/start", forecast="2031-09")
    publish(docks, world, "Later.")
    drop_emails()
    services.check_followed_views(now=timezone.now() + dt.timedelta(hours=4))


def paste_plan_of_twenty_sites(manager: ManagerInBrowser) -> None:
    """Start a plan of twenty sites and their homes by pasting rows of a spreadsheet, within five minutes."""
    started_at = time.monotonic()
    manager.begin("a plan of twenty sites by paste")
    manager.click("Plans", "Start a plan")
    manager.page.get_by_label("Title").fill("Twenty sites")
    manager.page.get_by_role("radio").first.check()
    manager.click("Create draft", role="button")
    expect(manager.page.locator("body")).to_contain_text("Owned by Larkhaven Homes. See or change the owners.")
    paste_rows(manager, "Import sites", TWENTY)
    paste_rows(manager, "Import the homes of these sites", HOMES)

    sites = draft_content(Plan.objects.latest("pk"))["sites"]
    assert len(sites) == 20
    assert sum(line["count"] for site in sites for line in site["homes"]) == 20 * 1015
    assert time.monotonic() - started_at < 300


def paste_rows(manager: ManagerInBrowser, link: str, rows: str) -> None:
    """Paste rows into an import, check and import them."""
    manager.click(link)
    manager.page.get_by_label("Or paste rows").fill(rows)
    manager.click("Check rows", role="button")
    expect(manager.main).to_contain_text("can be used.")
    manager.click("Import rows", role="button")
    expect(manager.main).to_contain_text("imported")


def test_a_manager_answers_what_a_board_asks_and_prints_the_pack_and_the_brief(page: Any, live_server: Any) -> None:
    """This runs in a browser, because docs/reports-room.md promises a number of clicks."""
    world = make_world()
    world.westmarch.areas_served.create(area=world.fareham)
    plan = plan_with(world, QUAY, days=20)
    change(plan, world, "quay", homes=[line(48)])
    ask_signatures(plan, world)
    sign_in(page, live_server.url, world.ben.email)
    manager = ManagerInBrowser(page, live_server.url)

    compare_homes_of_next_year(manager)
    find_areas_without_partnership(manager)
    print_board_pack(manager)
    print_brief(manager)
    print_partnership_register(manager)

    assert manager.tasks_above(MAX_CLICKS_FOR_A_REPORT) == {}


def compare_homes_of_next_year(manager: ManagerInBrowser) -> None:
    """Compare the homes that complete next year with the figures of five days ago."""
    since = long_date(timezone.localdate() - dt.timedelta(days=5))
    manager.begin("how many social rented homes complete next year in Westmarch, and what changed")
    manager.click("Reports", "Homes pipeline")
    manager.choose("Councils", "Westm", "Westmarch Borough Council")
    manager.choose("Tenures", "Social", "Social rent")
    manager.page.get_by_label("Compare with the figures on").fill(since)
    manager.page.get_by_label("Compare with the figures on").press("Tab")

    sentence = f"Next year, {NEXT}, 48 homes will be completed. That is 12 fewer than the 60 on {since}."
    expect(manager.main).to_contain_text(sentence, timeout=PATIENCE)


def find_areas_without_partnership(manager: ManagerInBrowser) -> None:
    """Find the council areas that have no homelessness partnership."""
    manager.begin("which areas have no homelessness partnership")
    manager.click("Reports", "Coverage of council areas")
    manager.select("Theme", "Homelessness")
    manager.select("What to count", "Partnerships")

    expect(manager.main).to_contain_text("2 of 2 council areas have no homelessness partnership: Fareham, Gosport.")


def print_board_pack(manager: ManagerInBrowser) -> None:
    """Read the board pack on a narrow screen, and download it as a PDF file."""
    page = manager.page
    manager.begin("what must the board decide, as a pack on paper")
    manager.click("Partnerships", "Estuary Partnership", "Board pack")
    expect(manager.main).to_contain_text("Sign off Programme, version 2")

    page.set_viewport_size(NARROW)
    decision = page.get_by_role("row", name="Sign off Programme, version 2")
    expect(decision.get_by_role("cell").first).to_have_css("display", "block")
    assert reflows(page)
    assert axe_violations(page) == []

    page.set_viewport_size(WIDE)
    manager.click("Make PDF file of Board pack", role="button")
    make_files(now=timezone.now())
    pack = pypdf.PdfReader(manager.download("Download the PDF file"))
    assert "Sign off Programme, version 2" in "".join(sheet.extract_text() for sheet in pack.pages)


def print_brief(manager: ManagerInBrowser) -> None:
    """Download the brief for a meeting, which has at most two sheets."""
    manager.begin("the brief before meeting Larkhaven, on two sheets")
    manager.click("Partnerships", "Estuary Partnership", "Brief for a meeting with Larkhaven Homes")
    brief = pypdf.PdfReader(manager.download("Download as PDF"))

    assert len(brief.pages) <= 2


def print_partnership_register(manager: ManagerInBrowser) -> None:
    """Print the partnership register from the browser: in landscape, with whole words."""
    manager.begin("the partnership register as the browser prints it, with whole words and on its side")
    manager.click("Reports", "Partnership register")
    expect(manager.main).to_contain_text("Liabilities")

    sheets = pypdf.PdfReader(io.BytesIO(manager.page.pdf(prefer_css_page_size=True))).pages
    assert all(sheet.mediabox.width > sheet.mediabox.height for sheet in sheets)
    assert "Data-sharing agreement" in sheets[0].extract_text()  # the first chart has room below the title
    assert "Liabilities" in "".join(sheet.extract_text() for sheet in sheets).split()
