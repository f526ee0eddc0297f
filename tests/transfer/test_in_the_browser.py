"""In a real browser, an administrator imports a list, and a stranger reads open data."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from partnerships.open_data.services import begin_publishing
from partnerships.organisations.models import Identifier, Organisation, Scheme
from partnerships.transfer.models import ImportJob
from partnerships.transfer.services.registers import apply_waiting
from tests.support.browser import NARROW, WIDE, axe_violations
from tests.world import make_world

from .lists import COUNCILS, import_list
from .test_headings import OWN

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def check_accessibility(page: Any, name: str) -> None:
    """Check the page with axe, on a wide and on a narrow screen."""
    for width in (WIDE, NARROW):
        page.set_viewport_size(width)
        assert axe_violations(page) == []


def test_list_with_other_headings_and_a_bad_row_is_imported(
    page: Any, live_server: Any, client: Any, tmp_path: Path
) -> None:
    world = make_world()
    import_list("councils", COUNCILS, as_of=dt.date(2023, 1, 1))
    file = tmp_path / "providers_2024-01.csv"
    file.write_text(OWN.replace("01/04/2019", "31/02/2019"))
    client.force_login(world.dee)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])

    page.goto(live_server.url + reverse("admin:transfer_importrun_add"))
    check_accessibility(page, "upload")
    page.get_by_label("Which list is it?").select_option("providers")
    page.get_by_label("The published file").set_input_files(str(file))
    page.get_by_role("button", name="Preview import").click()
    expect(page.get_by_role("heading", name="Match headings to columns")).to_be_visible()
    check_accessibility(page, "headings")
    page.get_by_label("Who publishes this list?").fill("Marchshire Homes Forum")
    page.get_by_label("Corporate form").select_option("Structure")
    page.get_by_role("button", name="Save headings and preview").click()
    expect(page.get_by_text("Of 4 rows, 3 were used and 1 was set aside.")).to_be_visible()
    check_accessibility(page, "preview")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the rows set aside").click()
    assert "is not a date" in Path(download.value.path()).read_text(encoding="utf-8-sig")
    page.get_by_role("button", name="Import list").click()
    expect(page.get_by_role("heading", name="Import in progress")).to_be_visible()
    ImportJob.objects.update(done=2, total=4)
    page.get_by_role("link", name="Show the progress now").click()
    expect(page.get_by_text("2 of 4 done.")).to_be_visible()
    check_accessibility(page, "progress")
    run_url = page.url
    page.goto("about:blank")
    apply_waiting(now=timezone.now())

    page.goto(run_url)
    expect(page.get_by_role("heading", name="Created (1)")).to_be_visible()
    expect(page.get_by_role("heading", name="Import in progress")).to_have_count(0)
    check_accessibility(page, "done")
    assert Identifier.objects.filter(scheme=Scheme.RSH).count() == 3

    westmarch = Organisation.objects.get(identifiers__value="XWM")
    begin_publishing(
        organisation=westmarch, standard="plan", reason="The law asks for it.", author=None, now=timezone.now()
    )
    page.context.clear_cookies()
    page.goto(live_server.url + reverse("open_data:of-organisation", args=[westmarch.pk]))
    expect(page.get_by_role("heading", name="Timetable of local plans")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("plan-timetable.csv"))).to_be_visible()
    check_accessibility(page, "open data")
