"""In a real browser, a stakeholder answers by the link, and a lead decides."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.answers import services
from partnerships.answers.models import Answer
from partnerships.digests.models import Delivery
from partnerships.plans.models import Plan
from tests.answers.conftest import page as address_of
from tests.answers.test_forwarding import forwarded_email
from tests.answers.test_replies_by_email import read_mailbox, reply
from tests.digests.conftest import PostOffice
from tests.support.browser import NARROW, WIDE, axe_violations, click_to_next_page, reflows, sign_in
from tests.support.outbox import deliver
from tests.world import World

pytestmark = pytest.mark.browser


def is_accessible(page: Any) -> bool:
    """Return whether axe finds no fault on the page, and the page needs no sideways scrolling."""
    return axe_violations(page) == [] and reflows(page)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_stakeholder_answers_and_a_lead_approves(
    world: World, plan: Plan, digest: Delivery, live_server: Any, page: Any, size: Any
) -> None:
    services.ask_question(
        plan=plan,
        title="Which homes are missing?",
        body="Think of older people.",
        closes_on=timezone.localdate() + dt.timedelta(days=14),
        author=world.amina,
        now=timezone.now(),
    )
    page.set_viewport_size(size)
    page.goto(f"{live_server.url}{address_of(digest, plan)}")
    accessibility_results = [is_accessible(page)]
    page.get_by_role("button", name="I have read this version").click()
    page.get_by_text("The owners can now see that you have read this version").wait_for()
    click_to_next_page(page.get_by_role("link", name="Comment on the plan or a part of it"))
    accessibility_results.append(is_accessible(page))
    page.get_by_label("What is your comment about?").select_option("sites/north-quay")
    page.get_by_role("textbox", name="Your comment").fill("Please keep the trees.")
    page.get_by_role("button", name="Send comment").click()
    page.get_by_text("Waiting for approval").wait_for()
    accessibility_results.append(is_accessible(page))
    for name in ("Which homes are missing?", "Name a colleague who should get this plan", "Correct your name and role"):
        page.goto(f"{live_server.url}{address_of(digest, plan)}")
        click_to_next_page(page.get_by_role("link", name=name))
        accessibility_results.append(is_accessible(page))

    sign_in(page, live_server.url, world.amina.email)
    page.goto(f"{live_server.url}{reverse('answers:plan', kwargs={'pk': plan.pk})}")
    accessibility_results.append(is_accessible(page))
    click_to_next_page(page.get_by_role("link", name="Refuse"))
    accessibility_results.append(is_accessible(page))
    page.go_back()
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("No answers are waiting for your decision").wait_for()
    accessibility_results.append(is_accessible(page))
    click_to_next_page(page.get_by_role("link", name="Ask a question"))
    accessibility_results.append(is_accessible(page))

    assert all(accessibility_results), accessibility_results
    assert Answer.objects.get(kind="comment").is_shown


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_reply_by_email_is_confirmed_in_a_browser(
    world: World,
    plan: Plan,
    digest: Delivery,
    office: PostOffice,
    live_server: Any,
    page: Any,
    size: Any,
    tmp_path: Path,
) -> None:
    page.set_viewport_size(size)
    read_mailbox(tmp_path, reply(str(office.to(world.sol)[-1]["Reply-To"])))
    text = next(email.body for email in deliver() if email.subject == "Confirm your comment on Harbour Quarter")
    match = re.search(r"https?://[^/\s]+(/answers/replies/\S+)", text)
    assert match is not None
    page.goto(f"{live_server.url}{match[1]}")
    accessibility_results = [is_accessible(page)]
    page.get_by_role("button", name="Confirm comment").click()
    page.get_by_role("heading", name="Your comment has been sent").wait_for()
    accessibility_results.append(is_accessible(page))

    assert all(accessibility_results), accessibility_results
    assert Answer.objects.get().text == "Please keep the trees."


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_forwarded_email_becomes_a_conversation_in_a_browser(
    world: World, live_server: Any, page: Any, size: Any, tmp_path: Path
) -> None:
    page.set_viewport_size(size)
    sign_in(page, live_server.url, world.eddie.email)
    page.goto(f"{live_server.url}{world.partnership.get_absolute_url()}")
    address = page.locator("section[aria-labelledby=forwarding] .cg-secret").inner_text().strip()
    accessibility_results = [is_accessible(page)]
    read_mailbox(tmp_path, forwarded_email(address, "eddie@larkhaven.example"))
    page.reload()
    page.get_by_role("link", name="Fwd: The access road").click()
    page.get_by_role("heading", name="Save this email as a conversation").wait_for()
    accessibility_results.append(is_accessible(page))
    page.get_by_role("button", name="Save draft conversation").click()
    page.get_by_text("has been saved as a draft").wait_for()

    assert all(accessibility_results), accessibility_results
