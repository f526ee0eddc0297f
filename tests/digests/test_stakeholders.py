"""Tests of the list of stakeholders that an organisation added: search, filters, paging, export and ending.

The list shows no names of stakeholders who have not confirmed.
"""

from __future__ import annotations

import csv
import io
import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from partnerships.activity.models import Event, Export
from partnerships.agreements.services import leave_partnership
from partnerships.digests import services
from partnerships.digests.models import Subscription
from partnerships.digests.models.targets import Target
from partnerships.outbox.bounces import suppress
from partnerships.people.personal_data import erase_person
from partnerships.plans.models import Plan
from partnerships.plans.services import change_audience
from tests.digests.conftest import PostOffice
from tests.support.crawling import CHANGES
from tests.support.pages import tight
from tests.support.signing_in import signed_in
from tests.world import World

LIST = "digests:stakeholders"


def ask(world: World, about: Target, email: str, name: str = "", *, says_yes: bool = False) -> Subscription:
    """Larkhaven asks somebody about its plan or another target.

    Optionally, they answer.
    """
    now = timezone.now()
    asked = services.add_stakeholder(
        email=email, name=name, target=about, author=world.amina, organisation=world.larkhaven, now=now
    )
    return services.confirm(subscription=asked, now=now) if says_yes else asked


def listed(client: Client, address: str = "", **chosen: str) -> list[str]:
    """The stakeholders on a page of the list, in order."""
    answer = client.get(address or reverse(LIST), chosen)
    assert answer.status_code == 200
    found = re.findall(r'<th scope="row"[^>]*>(.*?)</th>', tight(answer.content.decode()))
    return [unescape(strip_tags(one)).strip() for one in found]


def rows(client: Client, **chosen: str) -> list[dict[str, str]]:
    """The rows of the exported file."""
    answer = client.get(reverse("digests:export-stakeholders"), chosen)
    text = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")  # type: ignore[attr-defined]  # streamed
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def amina(world: World) -> Client:
    """Amina's browser, signed in."""
    return signed_in(world.amina)


@pytest.fixture
def asked(world: World, plan: Plan) -> dict[str, Subscription]:
    """Four stakeholders of Larkhaven's, with different statuses.

    Sorted by name and sorted by address, they come in different orders.
    """
    found = {
        "abel": ask(world, plan, "zz@council.example", "Abel Quiet"),
        "bea": ask(world, plan, "tenant@panel.example", "Bea Yes", says_yes=True),
        "cai": ask(world, plan, "mm@council.example", "Cai Paused", says_yes=True),
        "dot": ask(world, plan, "gone@council.example", "Dot Over", says_yes=True),
    }
    now = timezone.now()
    services.pause(subscription=found["cai"], author=found["cai"].person, now=now)
    services.stop(subscriptions=[found["dot"]], author=world.amina, reason="Moved on.", now=now)
    return found


def test_only_confirmed_stakeholders_are_found_by_name(amina: Client, asked: dict[str, Subscription]) -> None:
    assert listed(amina, q="bea y") == ["Bea Yes"]
    assert listed(amina, q="TENANT@") == ["Bea Yes"]
    assert listed(amina, q="zz@") == ["zz@council.example"]
    assert listed(amina, q="abel") == listed(amina, q="quiet") == []
    assert [row["Person"] for row in rows(amina, q="abel")] == []
    assert "are found by address only" in amina.get(reverse(LIST), {"q": "abel"}).content.decode()


def test_an_ended_stakeholder_is_found_by_name_or_whole_address(amina: Client, asked: dict[str, Subscription]) -> None:
    assert listed(amina, q="dot") == ["Dot Over"]
    assert listed(amina, q="Gone@council.example") == ["Dot Over"]
    assert listed(amina, q="gone@") == []
    assert "gone@council.example" not in amina.get(reverse(LIST)).content.decode()
    assert [row["Email address"] for row in rows(amina, q="dot")] == [""]


def test_the_order_does_not_reveal_an_unconfirmed_name(amina: Client, asked: dict[str, Subscription]) -> None:
    before = listed(amina)
    services.confirm(subscription=asked["abel"], now=timezone.now())

    assert before == ["Bea Yes", "Cai Paused", "Dot Over", "zz@council.example"]
    assert listed(amina) == ["Abel Quiet", "Bea Yes", "Cai Paused", "Dot Over"]


def test_asking_an_ended_stakeholder_again_hides_their_name(
    world: World, plan: Plan, amina: Client, asked: dict[str, Subscription]
) -> None:
    ask(world, plan, "gone@council.example")

    assert listed(amina, q="dot") == []
    assert listed(amina, q="gone@") == ["gone@council.example"]


def test_the_list_filters_by_each_status(amina: Client, asked: dict[str, Subscription]) -> None:
    suppress(
        address="tenant@panel.example", reason="No such mailbox.", email_id=None, author_id=None, now=timezone.now()
    )
    statuses = ("asked", "confirmed", "paused", "ended", "suppressed")

    by_status = {status: listed(amina, status=status) for status in statuses}

    assert by_status == {
        "asked": ["zz@council.example"],
        "confirmed": [],
        "paused": ["Cai Paused"],
        "ended": ["Dot Over"],
        "suppressed": ["Bea Yes"],
    }
    assert [row["Person"] for row in rows(amina, status="paused")] == ["Cai Paused"]
    assert listed(amina, status="paused", q="dot") == []


@pytest.fixture
def several(world: World, plan: Plan, opened: Plan, asked: dict[str, Subscription]) -> dict[str, str]:
    """The same four, and others asked about other things.

    Each target is named as the filter names it.
    """
    ask(world, opened, "tenant@panel.example", says_yes=True)
    ask(world, world.partnership, "eve@council.example", "Eve Chair", says_yes=True)
    ask(world, world.larkhaven, "zz@council.example", "Abel Quiet")
    return {
        "Harbour Quarter": f"plan-{plan.pk}",
        "Open Quay": f"plan-{opened.pk}",
        "Estuary Partnership": f"partnership-{world.partnership.pk}",
        "Larkhaven Homes": f"organisation-{world.larkhaven.pk}",
    }


def options(client: Client) -> list[str]:
    """The options of the filter “About”: headings, with names and values."""
    [select] = re.findall(r'<select name="about".*?</select>', client.get(reverse(LIST)).content.decode(), re.DOTALL)
    found = re.findall(r'<optgroup label="([^"]*)"|<option value="([^"]*)"[^>]*>([^<]*)', select)
    return [unescape(" ".join(filter(None, one))) for one in found]


def test_the_page_and_its_file_filter_by_what_people_follow(amina: Client, several: dict[str, str]) -> None:
    about = {name: listed(amina, about=value) for name, value in several.items()}

    assert about == {
        "Harbour Quarter": ["Bea Yes", "Cai Paused", "Dot Over", "zz@council.example"],
        "Open Quay": ["Bea Yes"],
        "Estuary Partnership": ["Eve Chair"],
        "Larkhaven Homes": ["zz@council.example"],
    }
    for name, value in several.items():
        file = rows(amina, about=value)
        assert [row["Person"] for row in file] == about[name]
        assert {row["About"] for row in file} == {name}
    assert listed(amina, about=several["Harbour Quarter"], status="confirmed", q="panel") == ["Bea Yes"]
    assert listed(amina, about=several["Estuary Partnership"], q="bea") == []


def test_unconfirmed_stakeholders_are_not_found_by_name_with_any_filter(amina: Client, several: dict[str, str]) -> None:
    body = several["Larkhaven Homes"]

    assert listed(amina, about=body, q="abel") == []
    assert listed(amina, about=body, q="zz@") == ["zz@council.example"]
    assert "Abel" not in amina.get(reverse(LIST), {"about": body}).content.decode()


def test_the_filter_offers_only_what_somebody_was_asked_about(
    world: World, amina: Client, several: dict[str, str]
) -> None:
    assert options(amina) == [
        "Anything",
        "Plans",
        f"{several['Harbour Quarter']} Harbour Quarter",
        f"{several['Open Quay']} Open Quay",
        "Partnerships",
        f"{several['Estuary Partnership']} Estuary Partnership",
        "Organisations",
        f"{several['Larkhaven Homes']} Larkhaven Homes",
    ]
    assert options(signed_in(world.ben)) == ["Anything"]


def test_paging_keeps_the_filter_and_the_filter_can_be_removed(
    world: World, plan: Plan, amina: Client, several: dict[str, str]
) -> None:
    for number in range(25):
        ask(world, plan, f"reader{number:03}@council.example")
    chosen = {"about": several["Harbour Quarter"]}

    first = amina.get(reverse(LIST), chosen).content.decode()
    [onward] = re.findall(r'href="([^"]+)" rel="next"', first)
    [chip] = re.findall(r'class="cg-chips__chip" href="([^"]*)"', first)

    assert len(listed(amina, **chosen) + listed(amina, reverse(LIST) + unescape(onward))) == 29
    assert f"about={several['Harbour Quarter']}" in unescape(onward)
    assert f'export.csv?about={several["Harbour Quarter"]}"' in first
    assert "about" not in chip


def test_filters_do_not_reveal_what_may_no_longer_be_read(world: World, plan: Plan, several: dict[str, str]) -> None:
    services.add_stakeholder(
        email="rose@street.example",
        name="",
        target=plan,
        author=world.ben,
        organisation=world.westmarch,
        now=timezone.now(),
    )
    ben = signed_in(world.ben)
    before = options(ben)
    leave_partnership(party=world.party(world.westmarch), reason="Reorganised.", author=world.ben, now=timezone.now())
    change_audience(plan=plan, audience="owners", reason="Rethought.", author=world.amina, now=timezone.now())

    lost, foreign, none = (f"plan-{plan.pk}", several["Open Quay"], "plan-999999")
    answers = [ben.get(reverse(LIST), {"about": value}) for value in (lost, foreign, none)]
    said = {
        CHANGES.sub("", one.content.decode()).replace(value, "X")
        for one, value in zip(answers, (lost, foreign, none), strict=True)
    }

    assert before == ["Anything", "Plans", f"{lost} Harbour Quarter"]
    assert options(ben) == ["Anything"]
    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert len(said) == 1
    assert "Harbour Quarter" not in said.pop()
    for value in (lost, foreign, none):
        file = ben.get(reverse("digests:export-stakeholders"), {"about": value})
        assert (file.status_code, file["Location"]) == (302, f"{reverse(LIST)}?about={value}")
    assert not Export.objects.exists()


def test_an_invalid_filter_is_reported_and_exports_nothing(amina: Client, asked: dict[str, Subscription]) -> None:
    shown = amina.get(reverse(LIST), {"status": "married"})
    file = amina.get(reverse("digests:export-stakeholders"), {"status": "married"})

    assert shown.status_code == 422
    assert (file.status_code, file["Location"]) == (302, f"{reverse(LIST)}?status=married")
    assert not Export.objects.exists()


def test_a_long_list_has_pages_and_needs_no_more_queries(world: World, plan: Plan, amina: Client) -> None:
    def queries() -> int:
        amina.get(reverse(LIST))
        with CaptureQueriesContext(connection) as captured:
            amina.get(reverse(LIST))
        return len(captured)

    for number in range(26):
        ask(world, plan, f"reader{number:03}@council.example", says_yes=number % 2 == 0)
    few = queries()
    for number in range(26, 30):
        ask(world, plan, f"reader{number:03}@council.example", says_yes=number % 2 == 0)

    first = amina.get(reverse(LIST), {"q": "council"}).content.decode()
    [onward] = re.findall(r'href="([^"]+)" rel="next"', first)
    second = amina.get(reverse(LIST) + unescape(onward)).content.decode()
    [back] = re.findall(r'href="([^"]+)" rel="prev"', second)
    pages = [listed(amina, reverse(LIST) + unescape(one)) for one in (back, onward)]

    assert queries() == few
    assert [len(page) for page in pages] == [25, 5]
    assert len({*pages[0], *pages[1]}) == 30
    assert pages[0] == listed(amina)
    assert 'rel="next"' not in second
    assert "q=council" in unescape(onward)
    assert [row["Person"] for row in rows(amina)] == pages[0] + pages[1]


def test_the_file_matches_the_page_and_the_export_is_recorded(
    world: World, amina: Client, asked: dict[str, Subscription], office: PostOffice
) -> None:
    office.drain()
    today = timezone.localdate().isoformat()

    file = rows(amina)

    assert [row["Person"] for row in file] == listed(amina)
    assert "Abel" not in str(file)
    assert file[0] | {"Address": ""} == {
        "Person": "Bea Yes",
        "Email address": "tenant@panel.example",
        "About": "Harbour Quarter",
        "Asked": today,
        "Status": "Active",
        "Email to confirm": "",
        "Email sent": "",
        "Why": "",
        "Asked by": world.amina.display_name,
        "Asked for": "Larkhaven Homes",
        "Confirmed": today,
        "Ended": "",
        "Reason": "",
        "Address": "",
    }
    assert (file[2]["Ended"], file[2]["Reason"]) == (today, "Moved on.")
    waiting = [file[3][name] for name in ("Email address", "Email sent", "Email to confirm")]
    assert waiting == ["zz@council.example", today, "Sent"]
    written = Export.objects.get()
    assert (written.what, written.rows, written.actor_id) == ("digests:export-stakeholders", 4, world.amina.pk)


def test_a_lead_of_another_organisation_cannot_find_or_export_stakeholders(
    world: World, asked: dict[str, Subscription]
) -> None:
    ben = signed_in(world.ben)

    assert listed(ben) == listed(ben, q="tenant@panel.example") == []
    assert rows(ben) == []
    assert ben.get(reverse("digests:end-stakeholder", kwargs={"pk": asked["bea"].pk})).status_code == 404


def test_stopping_a_stakeholders_digests_asks_first_and_keeps_the_reason(
    world: World, amina: Client, asked: dict[str, Subscription]
) -> None:
    its_own = asked["bea"].get_absolute_url()
    [link] = re.findall(r'href="(/digests/stakeholders/\d+/end/[^"]*)"', amina.get(its_own).content.decode())
    page = unescape(link)

    first = amina.get(page)
    empty = amina.post(page)
    asked["bea"].refresh_from_db()
    still = asked["bea"].status
    done = amina.post(page, {"reason": "She has left the panel."})
    asked["bea"].refresh_from_db()

    assert "Stop digests for Bea Yes?" in first.content.decode()
    assert (first.status_code, empty.status_code, still) == (200, 422, "confirmed")
    assert (done.status_code, done["Location"]) == (302, its_own)
    assert asked["bea"].is_ended
    assert asked["bea"].refused_at is None
    kept = f"Ended by {world.larkhaven.display_name}: She has left the panel."
    assert kept in amina.get(its_own).content.decode()
    assert (
        Event.objects.get(target_kind="subscription", target_id=asked["bea"].pk, kind="subscription.ended")
        .data["reason"]
        .endswith("She has left the panel.")
    )


def test_the_page_that_asks_before_stopping_hides_unconfirmed_names(
    amina: Client, asked: dict[str, Subscription]
) -> None:
    page = reverse("digests:end-stakeholder", kwargs={"pk": asked["abel"].pk})

    asking = amina.get(page).content.decode()
    done = amina.post(page, {"reason": "A wrong address."}, follow=True).content.decode()

    assert "Stop digests for zz@council.example?" in asking
    assert "zz@council.example will get no more digests" in unescape(done)
    assert "Abel" not in asking + done


def test_a_second_click_on_stop_changes_nothing_and_says_so(amina: Client, asked: dict[str, Subscription]) -> None:
    page = reverse("digests:end-stakeholder", kwargs={"pk": asked["dot"].pk})

    answer = amina.post(page, {"reason": "Once more."}, follow=True)

    asked["dot"].refresh_from_db()
    assert "they had already ended" in answer.content.decode()
    assert asked["dot"].reason == "Moved on."


def test_stopping_does_not_redirect_to_another_site(amina: Client, asked: dict[str, Subscription]) -> None:
    page = reverse("digests:end-stakeholder", kwargs={"pk": asked["bea"].pk})

    answer = amina.post(f"{page}?next=https://elsewhere.example/", {"reason": "She has left."})

    assert answer["Location"] == reverse(LIST)


def test_asking_again_returns_to_the_page_of_the_stakeholder(amina: Client, asked: dict[str, Subscription]) -> None:
    page = asked["abel"].get_absolute_url()
    [action] = re.findall(r'action="(/digests/stakeholders/\d+/ask-again/[^"]*)"', amina.get(page).content.decode())

    answer = amina.post(unescape(action))

    assert (answer.status_code, answer["Location"]) == (302, page)


def test_erasing_somebody_clears_the_reason_a_lead_gave_for_ending(
    world: World, asked: dict[str, Subscription]
) -> None:
    erase_person(person=asked["dot"].person, author=world.dee, reason="Asked for it.", now=timezone.now())

    asked["dot"].refresh_from_db()
    assert asked["dot"].reason == ""
