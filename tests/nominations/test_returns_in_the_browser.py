"""A quarter in a real browser: started, uploaded, the page closed and opened again, sent, confirmed, asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.utils import timezone
from playwright.sync_api import expect

from partnerships.nominations import services
from partnerships.nominations.models import LettingsRun
from tests.agreements.test_terms_in_the_browser import looks_right
from tests.nominations.quarters import afterwards, collection_year, lettings_of, next_quarter
from tests.nominations.signed import sign_nominations
from tests.support.browser import sign_in
from tests.support.core_files import core_file
from tests.world import World, make_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture(autouse=True)
def _built() -> None:
    if not (Path(django_settings.BASE_DIR) / "static" / "build" / "css" / "site.css").exists():
        pytest.fail("The stylesheets are not built: run `npm ci --ignore-scripts && node static/build.mjs`.")


def test_a_return_from_upload_to_an_ask(page: Any, live_server: Any, transactional_db: None, tmp_path: Path) -> None:
    world: World = make_world()
    agreement = sign_nominations(world)
    file = tmp_path / "lettings.csv"
    file.write_bytes(core_file(lettings_of(world, 300), year=collection_year()))
    quarter, home = str(next_quarter()), live_server.url + agreement.get_absolute_url()

    with time_machine.travel(afterwards(), tick=True):
        sign_in(page, live_server.url, world.amina.email)
        page.goto(home)
        page.get_by_role("link", name="Start a return").click()
        page.get_by_label(quarter).check()
        page.get_by_role("button", name="Start return").click()
        page.get_by_role("link", name="Upload lettings").click()
        page.get_by_label("CORE lettings export").set_input_files(file)
        page.get_by_role("button", name="Upload lettings").click()
        expect(page.get_by_role("heading", name="Counting lettings")).to_be_visible()
        looks_right(page)
        found = page.url

        # The page is closed; a worker counts half of the rows, then all of them, while another page is open.
        page.goto("about:blank")
        LettingsRun.objects.update(done=150)
        page.goto(found)
        expect(page.get_by_text("150 of 300 rows")).to_be_visible()
        services.count_waiting(now=timezone.now())
        expect(page.get_by_role("heading", name="Rows of the upload")).to_be_visible(timeout=10_000)
        looks_right(page)

        page.get_by_role("link", name="Add what CORE lacks").click()
        page.get_by_label("Relets, 2 bedrooms: Offers made").fill("90")
        looks_right(page)
        page.get_by_role("button", name="Save figures").click()
        page.get_by_role("link", name="Send return").click()
        page.get_by_role("button", name="Send return").click()
        expect(page.get_by_text("is sent")).to_be_visible()

        page.context.clear_cookies()
        sign_in(page, live_server.url, world.ben.email)
        page.goto(found)
        page.get_by_role("link", name="Confirm or dispute").click()
        looks_right(page)
        page.get_by_role("button", name="Confirm every line").click()
        looks_right(page)
        page.get_by_role("button", name="Ask for them").first.click()
        expect(page.get_by_role("heading", name="Nominations to make up").first).to_be_visible()
        page.goto(home)
        looks_right(page)
