"""An organisation searches, filters, exports and ends the stakeholders that it added.

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
from partnerships.digests import services
from partnerships.digests.models import Subscription
from partnerships.digests.models.targets import Target
from partnerships.outbox.bounces import suppress_address
from partnerships.people.personal_data import erase_person
from partnerships.plans.models import Plan
from partnerships.plans.services import change_audience
from tests.digests.conftest import PostOffice
from tests.support.crawling import CHANGES
from tests.support.pages import tight
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World

LIST = "digests:stakeholders"


def ask(world: World, about: Target, email: str, name: str = "", *, says_yes: bool = False) -> Subscription:
    """Ask a person about a plan or another target, on behalf of Larkhaven; with `says_yes`, confirm for them."""
    now = timezone.now()
    subscription = services.add_stakeholder(
        email=email, name=name, target=about, author=world.amina, organisation=world.larkhaven, now=now
    )
    return services.confirm(subscription=subscription, now=now) if says_yes else subscription


def listed(client: Client, address: str = "", **chosen: str) -> list[str]:
    """Return the names of the stakeholders on a page of the list, in order."""
    response = client.get(address or reverse(LIST), chosen)
    assert response.status_code == 200
    headers = re.findall(r'<th scope="row"[^>]*>(.*?)</th>', tight(response.content.decode()))
    return [unescape(strip_tags(header)).strip() for header in headers]


def rows(client: Client, **chosen: str) -> list[dict[str, str]]:
    """Return the rows of the exported file."""
    response = client.get(reverse("digests:export-stakeholders"), chosen)
    text = b"".join(response.streaming_content).decode().removeprefix("\ufeff")  # type: ignore[attr-defined]  # streamed
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def amina(world: World) -> Client:
    """Return Amina's browser, signed in."""
    return signed_in(world.amina)


@pytest.fixture
def subscription_by_name(world: World, plan: Plan) -> dict[str, Subscription]:
    """Four stakeholders of Larkhaven with different statuses.

    Sorting them by name and by address gives different orders.
    """
    subscription_by_name = {
        "abel": ask(world, plan, "zz@council.example", "Abel Quiet"),
        "bea": ask(world, plan, "tenant@panel.example", "Bea Confirmed", says_yes=True),
        "cai": ask(world, plan, "mm@council.example", "Cai Paused", says_yes=True),
        "dot": ask(world, plan, "gone@council.example", "Dot Ended", says_yes=True),
    }
    now = timezone.now()
    services.pause(subscription=subscription_by_name["cai"], author=subscription_by_name["cai"].person, now=now)
    services.stop(subscriptions=[subscription_by_name["dot"]], author=world.amina, reason="Moved on.", now=now)
    return subscription_by_name


def test_only_confirmed_stakeholders_are_found_by_name(
    amina: Client, subscription_by_name: dict[str, Subscription]
) -> None:
    assert listed(amina, q="bea c") == ["Bea Confirmed"]
    assert listed(amina, q="TENANT@") == ["Bea Confirmed"]
    assert listed(amina, q="zz@") == ["zz@council.example"]
    assert listed(amina, q="abel") == []
    assert listed(amina, q="quiet") == []
    assert rows(amina, q="abel") == []
    assert "are found by address only" in amina.get(reverse(LIST), {"q": "abel"}).content.decode()


def test_an_ended_stakeholder_is_found_by_name_or_whole_address(
    amina: Client, subscription_by_name: dict[str, Subscription]
) -> None:
    assert listed(amina, q="dot") == ["Dot Ended"]
    assert listed(amina, q="Gone@council.example") == ["Dot Ended"]
    assert listed(amina, q="gone@") == []
    assert "gone@council.example" not in amina.get(reverse(LIST)).content.decode()
    assert [row["Email address"] for row in rows(amina, q="dot")] == [""]


def test_the_order_does_not_reveal_an_unconfirmed_name(
    amina: Client, subscription_by_name: dict[str, Subscription]
) -> None:
    list_before = listed(amina)
    services.confirm(subscription=subscription_by_name["abel"], now=timezone.now())

    assert list_before == ["Bea Confirmed", "Cai Paused", "Dot Ended", "zz@council.example"]
    assert listed(amina) == ["Abel Quiet", "Bea Confirmed", "Cai Paused", "Dot Ended"]


def test_asking_an_ended_stakeholder_again_hides_their_name(
    world: World, plan: Plan, amina: Client, subscription_by_name: dict[str, Subscription]
) -> None:
    ask(world, plan, "gone@council.example")

    assert listed(amina, q="dot") == []
    assert listed(amina, q="gone@") == ["gone@council.example"]


def test_the_list_filters_by_each_status(amina: Client, subscription_by_name: dict[str, Subscription]) -> None:
    suppress_address(
        address="tenant@panel.example", reason="No such mailbox.", email_id=None, author_id=None, now=timezone.now()
    )
    statuses = ("asked", "confirmed", "paused", "ended", "suppressed")

    names_by_status = {status: listed(amina, status=status) for status in statuses}

    assert names_by_status == {
        "asked": ["zz@council.example"],
        "confirmed": [],
        "paused": ["Cai Paused"],
        "ended": ["Dot Ended"],
        "suppressed": ["Bea Confirmed"],
    }
    assert [row["Person"] for row in rows(amina, status="paused")] == ["Cai Paused"]
    assert listed(amina, status="paused", q="dot") == []


@pytest.fixture
def filter_value_by_name(
    world: World, plan: Plan, public_plan: Plan, subscription_by_name: dict[str, Subscription]
) -> dict[str, str]:
    """Return the filter's value of each followed record, by its name.

    The four stakeholders and others were asked about these records.
    """
    ask(world, public_plan, "tenant@panel.example", says_yes=True)
    ask(world, world.partnership, "eve@council.example", "Eve Chair", says_yes=True)
    ask(world, world.larkhaven, "zz@council.example", "Abel Quiet")
    return {
        "Harbour Quarter": f"plan-{plan.pk}",
        "Open Quay": f"plan-{public_plan.pk}",
        "Estuary Partnership": f"partnership-{world.partnership.pk}",
        "Larkhaven Homes": f"organisation-{world.larkhaven.pk}",
    }


def about_options(client: Client) -> list[str]:
    """Return the options of the filter “About”: headings, and values with names."""
    [select] = re.findall(r'<select name="about".*?</select>', client.get(reverse(LIST)).content.decode(), re.DOTALL)
    matches = re.findall(r'<optgroup label="([^"]*)"|<option value="([^"]*)"[^>]*>([^<]*)', select)
    return [unescape(" ".join(filter(None, match))) for match in matches]


def test_the_list_is_filtered_by_followed_record(amina: Client, filter_value_by_name: dict[str, str]) -> None:
    names_by_record = {name: listed(amina, about=value) for name, value in filter_value_by_name.items()}

    assert names_by_record == {
        "Harbour Quarter": ["Bea Confirmed", "Cai Paused", "Dot Ended", "zz@council.example"],
        "Open Quay": ["Bea Confirmed"],
        "Estuary Partnership": ["Eve Chair"],
        "Larkhaven Homes": ["zz@council.example"],
    }


def test_the_exported_file_is_filtered_by_followed_record(amina: Client, filter_value_by_name: dict[str, str]) -> None:
    rows_by_record = {name: rows(amina, about=value) for name, value in filter_value_by_name.items()}

    assert {name: [(row["Person"], row["About"]) for row in file] for name, file in rows_by_record.items()} == {
        "Harbour Quarter": [
            ("Bea Confirmed", "Harbour Quarter"),
            ("Cai Paused", "Harbour Quarter"),
            ("Dot Ended", "Harbour Quarter"),
            ("zz@council.example", "Harbour Quarter"),
        ],
        "Open Quay": [("Bea Confirmed", "Open Quay")],
        "Estuary Partnership": [("Eve Chair", "Estuary Partnership")],
        "Larkhaven Homes": [("zz@council.example", "Larkhaven Homes")],
    }


def test_filters_by_record_status_and_name_are_combined(amina: Client, filter_value_by_name: dict[str, str]) -> None:
    names_found = listed(amina, about=filter_value_by_name["Harbour Quarter"], status="confirmed", q="panel")
    names_found_elsewhere = listed(amina, about=filter_value_by_name["Estuary Partnership"], q="bea")

    assert names_found == ["Bea Confirmed"]
    assert names_found_elsewhere == []


def test_unconfirmed_stakeholders_are_not_found_by_name_with_any_filter(
    amina: Client, filter_value_by_name: dict[str, str]
) -> None:
    organisation_value = filter_value_by_name["Larkhaven Homes"]

    assert listed(amina, about=organisation_value, q="abel") == []
    assert listed(amina, about=organisation_value, q="zz@") == ["zz@council.example"]
    assert "Abel" not in amina.get(reverse(LIST), {"about": organisation_value}).content.decode()


def test_the_filter_offers_only_what_somebody_was_asked_about(
    world: World, amina: Client, filter_value_by_name: dict[str, str]
) -> None:
    assert about_options(amina) == [
        "Anything",
        "Plans",
        f"{filter_value_by_name['Harbour Quarter']} Harbour Quarter",
        f"{filter_value_by_name['Open Quay']} Open Quay",
        "Partnerships",
        f"{filter_value_by_name['Estuary Partnership']} Estuary Partnership",
        "Organisations",
        f"{filter_value_by_name['Larkhaven Homes']} Larkhaven Homes",
    ]
    assert about_options(signed_in(world.ben)) == ["Anything"]


def test_paging_keeps_the_filter(world: World, plan: Plan, amina: Client, filter_value_by_name: dict[str, str]) -> None:
    for number in range(25):
        ask(world, plan, f"reader{number:03}@council.example")
    chosen = {"about": filter_value_by_name["Harbour Quarter"]}

    first_page = amina.get(reverse(LIST), chosen).content.decode()
    [next_url] = re.findall(r'href="([^"]+)" rel="next"', first_page)
    names_on_both_pages = listed(amina, **chosen) + listed(amina, reverse(LIST) + unescape(next_url))

    assert len(names_on_both_pages) == 29  # the 25 readers, Abel, Bea, Cai and Dot
    assert f"about={chosen['about']}" in unescape(next_url)


def test_the_filtered_page_links_to_the_filtered_file(amina: Client, filter_value_by_name: dict[str, str]) -> None:
    filter_value = filter_value_by_name["Harbour Quarter"]

    page = amina.get(reverse(LIST), {"about": filter_value}).content.decode()

    assert f'export.csv?about={filter_value}"' in page


def test_the_filter_is_removed_by_its_chip(amina: Client, filter_value_by_name: dict[str, str]) -> None:
    page = amina.get(reverse(LIST), {"about": filter_value_by_name["Harbour Quarter"]}).content.decode()

    [chip_url] = re.findall(r'class="cg-chips__chip" href="([^"]*)"', page)
    assert "about" not in chip_url


def ask_rose_for_westmarch(world: World, plan: Plan) -> None:
    """Ask Rose about a plan as Ben, on behalf of Westmarch."""
    services.add_stakeholder(
        email="rose@street.example",
        name="",
        target=plan,
        author=world.ben,
        organisation=world.westmarch,
        now=timezone.now(),
    )


def close_plan_to_westmarch(world: World, plan: Plan) -> None:
    """Let Westmarch leave the partnership, and show the plan only to its owners."""
    leave_partnership_as_westmarch(world)
    change_audience(plan=plan, audience="owners", reason="Rethought.", author=world.amina, now=timezone.now())


def test_the_filter_no_longer_offers_a_plan_that_is_closed_to_the_reader(world: World, plan: Plan) -> None:
    ask_rose_for_westmarch(world, plan)
    ben = signed_in(world.ben)
    options_before = about_options(ben)

    close_plan_to_westmarch(world, plan)

    assert options_before == ["Anything", "Plans", f"plan-{plan.pk} Harbour Quarter"]
    assert about_options(ben) == ["Anything"]


@pytest.fixture
def refused_values(world: World, plan: Plan, filter_value_by_name: dict[str, str]) -> list[str]:
    """Return filter values for three plans that Ben cannot choose.

    The first is closed to him, Westmarch asked nobody about the second, and the third does not exist.
    """
    ask_rose_for_westmarch(world, plan)
    close_plan_to_westmarch(world, plan)
    return [f"plan-{plan.pk}", filter_value_by_name["Open Quay"], "plan-999999"]


def test_a_filter_by_a_closed_plan_looks_like_one_by_a_missing_plan(world: World, refused_values: list[str]) -> None:
    ben = signed_in(world.ben)

    responses = [ben.get(reverse(LIST), {"about": value}) for value in refused_values]

    assert [response.status_code for response in responses] == [422, 422, 422]
    distinct_pages = {
        CHANGES.sub("", response.content.decode()).replace(value, "X")
        for response, value in zip(responses, refused_values, strict=True)
    }
    assert len(distinct_pages) == 1
    assert "Harbour Quarter" not in distinct_pages.pop()


def test_nothing_is_exported_for_a_plan_that_the_reader_cannot_choose(world: World, refused_values: list[str]) -> None:
    ben = signed_in(world.ben)

    responses = [ben.get(reverse("digests:export-stakeholders"), {"about": value}) for value in refused_values]

    assert [response.status_code for response in responses] == [302, 302, 302]
    assert [response["Location"] for response in responses] == [
        f"{reverse(LIST)}?about={value}" for value in refused_values
    ]
    assert not Export.objects.exists()


@pytest.mark.usefixtures("subscription_by_name")
def test_an_invalid_filter_of_the_list_is_refused(amina: Client) -> None:
    response = amina.get(reverse(LIST), {"status": "married"})

    assert response.status_code == 422


@pytest.mark.usefixtures("subscription_by_name")
def test_an_invalid_filter_of_the_export_leads_back_to_the_list(amina: Client) -> None:
    response = amina.get(reverse("digests:export-stakeholders"), {"status": "married"})

    assert response.status_code == 302
    assert response["Location"] == f"{reverse(LIST)}?status=married"
    assert not Export.objects.exists()


def ask_readers(world: World, plan: Plan, numbers: range) -> None:
    """Ask readers with these numbers about a plan. Those with an even number confirm."""
    for number in numbers:
        ask(world, plan, f"reader{number:03}@council.example", says_yes=number % 2 == 0)


def query_count_of_list(client: Client) -> int:
    """Return how many queries the list needs once it was opened before."""
    client.get(reverse(LIST))
    with CaptureQueriesContext(connection) as captured:
        client.get(reverse(LIST))
    return len(captured)


def test_a_longer_list_needs_no_more_queries(world: World, plan: Plan, amina: Client) -> None:
    ask_readers(world, plan, range(26))
    count_for_26 = query_count_of_list(amina)
    ask_readers(world, plan, range(26, 30))

    count_for_30 = query_count_of_list(amina)

    assert count_for_30 == count_for_26


def test_a_list_of_30_has_two_pages(world: World, plan: Plan, amina: Client) -> None:
    ask_readers(world, plan, range(30))

    first_page = amina.get(reverse(LIST), {"q": "council"}).content.decode()
    [next_url] = re.findall(r'href="([^"]+)" rel="next"', first_page)
    second_page = amina.get(reverse(LIST) + unescape(next_url)).content.decode()
    [previous_url] = re.findall(r'href="([^"]+)" rel="prev"', second_page)

    names_on_first_page = listed(amina, reverse(LIST) + unescape(previous_url))
    names_on_second_page = listed(amina, reverse(LIST) + unescape(next_url))
    assert len(names_on_first_page) == 25
    assert len(names_on_second_page) == 5
    assert len({*names_on_first_page, *names_on_second_page}) == 30
    assert names_on_first_page == listed(amina)
    assert 'rel="next"' not in second_page
    assert "q=council" in unescape(next_url)


def test_the_exported_file_has_the_rows_of_all_pages(world: World, plan: Plan, amina: Client) -> None:
    ask_readers(world, plan, range(30))
    first_page = amina.get(reverse(LIST)).content.decode()
    [next_url] = re.findall(r'href="([^"]+)" rel="next"', first_page)
    names_on_both_pages = listed(amina) + listed(amina, reverse(LIST) + unescape(next_url))

    exported_rows = rows(amina)

    assert len(exported_rows) == 30
    assert [row["Person"] for row in exported_rows] == names_on_both_pages


def test_the_exported_file_hides_unconfirmed_names_as_the_page_does(
    amina: Client, subscription_by_name: dict[str, Subscription]
) -> None:
    exported_rows = rows(amina)

    names = [row["Person"] for row in exported_rows]
    assert names == ["Bea Confirmed", "Cai Paused", "Dot Ended", "zz@council.example"]
    assert names == listed(amina)
    assert "Abel" not in str(exported_rows)


@pytest.mark.usefixtures("subscription_by_name")
def test_the_export_of_stakeholders_is_recorded(world: World, amina: Client) -> None:
    rows(amina)

    export = Export.objects.get()
    assert export.what == "digests:export-stakeholders"
    assert export.rows == 4
    assert export.actor_id == world.amina.pk


@pytest.mark.usefixtures("subscription_by_name")
def test_the_exported_file_has_the_state_of_each_stakeholder(world: World, amina: Client, office: PostOffice) -> None:
    office.drain()
    today = timezone.localdate().isoformat()

    file = rows(amina)

    assert file[0] | {"Address": ""} == {
        "Person": "Bea Confirmed",
        "Email address": "tenant@panel.example",
        "About": "Harbour Quarter",
        "Asked": today,
        "Status": "Active",
        "Confirmation email": "",
        "Email sent": "",
        "Why they get digests": "",
        "Asked by": world.amina.display_name,
        "Asked for": "Larkhaven Homes",
        "Confirmed": today,
        "Ended": "",
        "Reason": "",
        "Address": "",
    }
    assert file[2]["Ended"] == today
    assert file[2]["Reason"] == "Moved on."
    unconfirmed_row = [file[3][name] for name in ("Email address", "Email sent", "Confirmation email")]
    assert unconfirmed_row == ["zz@council.example", today, "Sent"]


def test_a_lead_of_another_organisation_cannot_find_or_export_stakeholders(
    world: World, subscription_by_name: dict[str, Subscription]
) -> None:
    ben = signed_in(world.ben)

    page_to_stop = ben.get(reverse("digests:end-stakeholder", kwargs={"pk": subscription_by_name["bea"].pk}))

    assert listed(ben) == []
    assert listed(ben, q="tenant@panel.example") == []
    assert rows(ben) == []
    assert page_to_stop.status_code == 404


def link_to_stop(client: Client, subscription: Subscription) -> str:
    """Return the link on the page of a stakeholder to the page that stops their digests."""
    page = client.get(subscription.get_absolute_url()).content.decode()
    [link] = re.findall(r'href="(/digests/stakeholders/\d+/end/[^"]*)"', page)
    return unescape(link)


def test_stopping_a_stakeholders_digests_asks_first(
    amina: Client, subscription_by_name: dict[str, Subscription]
) -> None:
    bea = subscription_by_name["bea"]

    response = amina.get(link_to_stop(amina, bea))

    bea.refresh_from_db()
    assert response.status_code == 200
    assert "Stop digests for Bea Confirmed?" in response.content.decode()
    assert bea.status == "confirmed"


def test_stopping_a_stakeholders_digests_needs_a_reason(
    amina: Client, subscription_by_name: dict[str, Subscription]
) -> None:
    bea = subscription_by_name["bea"]

    response = amina.post(link_to_stop(amina, bea))

    bea.refresh_from_db()
    assert response.status_code == 422
    assert bea.status == "confirmed"


def test_a_lead_stops_a_stakeholders_digests(amina: Client, subscription_by_name: dict[str, Subscription]) -> None:
    bea = subscription_by_name["bea"]

    response = amina.post(link_to_stop(amina, bea), {"reason": "She has left the panel."})

    bea.refresh_from_db()
    assert response.status_code == 302
    assert response["Location"] == bea.get_absolute_url()
    assert bea.is_ended
    assert bea.refused_at is None


def test_the_reason_for_stopping_is_on_the_page_of_the_stakeholder(
    amina: Client, subscription_by_name: dict[str, Subscription]
) -> None:
    bea = subscription_by_name["bea"]
    amina.post(link_to_stop(amina, bea), {"reason": "She has left the panel."})

    page = amina.get(bea.get_absolute_url()).content.decode()

    assert "Ended by Larkhaven Homes: She has left the panel." in page


def test_the_reason_for_stopping_is_in_the_history_of_the_stakeholder(
    amina: Client, subscription_by_name: dict[str, Subscription]
) -> None:
    bea = subscription_by_name["bea"]

    amina.post(link_to_stop(amina, bea), {"reason": "She has left the panel."})

    event = Event.objects.get(target_kind="subscription", target_id=bea.pk, kind="subscription.ended")
    assert event.data["reason"].endswith("She has left the panel.")


def test_the_page_that_asks_before_stopping_hides_unconfirmed_names(
    amina: Client, subscription_by_name: dict[str, Subscription]
) -> None:
    page = reverse("digests:end-stakeholder", kwargs={"pk": subscription_by_name["abel"].pk})

    question = amina.get(page).content.decode()
    page_after = amina.post(page, {"reason": "A wrong address."}, follow=True).content.decode()

    assert "Stop digests for zz@council.example?" in question
    assert "zz@council.example will get no more digests" in unescape(page_after)
    assert "Abel" not in question + page_after


def test_a_second_click_on_stop_keeps_the_earlier_reason(
    amina: Client, subscription_by_name: dict[str, Subscription]
) -> None:
    page = reverse("digests:end-stakeholder", kwargs={"pk": subscription_by_name["dot"].pk})

    response = amina.post(page, {"reason": "Once more."}, follow=True)

    subscription_by_name["dot"].refresh_from_db()
    assert "they had already ended" in response.content.decode()
    assert subscription_by_name["dot"].reason == "Moved on."


def test_stopping_does_not_redirect_to_another_site(
    amina: Client, subscription_by_name: dict[str, Subscription]
) -> None:
    page = reverse("digests:end-stakeholder", kwargs={"pk": subscription_by_name["bea"].pk})

    response = amina.post(f"{page}?next=https://elsewhere.example/", {"reason": "She has left."})

    assert response["Location"] == reverse(LIST)


def test_asking_again_returns_to_the_page_of_the_stakeholder(
    amina: Client, subscription_by_name: dict[str, Subscription]
) -> None:
    page = subscription_by_name["abel"].get_absolute_url()
    [action] = re.findall(r'action="(/digests/stakeholders/\d+/ask-again/[^"]*)"', amina.get(page).content.decode())

    response = amina.post(unescape(action))

    assert response.status_code == 302
    assert response["Location"] == page


def test_erasing_somebody_clears_the_reason_a_lead_gave_for_ending(
    world: World, subscription_by_name: dict[str, Subscription]
) -> None:
    erase_person(
        person=subscription_by_name["dot"].person, author=world.dee, reason="Asked for it.", now=timezone.now()
    )

    subscription_by_name["dot"].refresh_from_db()
    assert subscription_by_name["dot"].reason == ""
