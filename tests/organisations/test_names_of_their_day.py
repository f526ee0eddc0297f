"""Records show the name that an organisation had on their day."""

from __future__ import annotations

import datetime as dt

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from partnerships.agreements.models import Partnership
from partnerships.agreements.services import add_document, change_status
from partnerships.commitments.models import Commitment
from partnerships.commitments.services import end_commitment
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.digests.emails.reading import read_news
from partnerships.exchange.models import Audience, Entry
from partnerships.exchange.services import withdraw_entry
from partnerships.kit.dates import long_date
from partnerships.kit.lists import find_list
from partnerships.lists.grouping import groups
from partnerships.lists.reading import Listing, read
from partnerships.organisations.models import Organisation, OrganisationName
from partnerships.organisations.naming import names_of, official_name_at
from partnerships.organisations.services import update_organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.plans.services import create_plan
from partnerships.search.services import index_stale
from tests.agreements.test_objectives import add as add_objective
from tests.agreements.test_objectives import report as report_objective
from tests.commitments.promises import agree, report
from tests.conversations.gatherings import a_text_file, planned_meeting
from tests.conversations.reports import submitted
from tests.conversations.talks import circulated_conversation
from tests.digests.conftest import publish
from tests.exchange.conftest import shared_entry
from tests.lists.conftest import fill_lists
from tests.organisations.handing_over import propose_and_accept_everything, record_merger, take_effect
from tests.plans.drafts import published_plan
from tests.plans.test_comments import comment_as
from tests.support.parties import leave_partnership_as_westmarch
from tests.world import World


def rename(organisation: Organisation, name: str, day: dt.date) -> None:
    update_organisation(organisation=organisation, name=name, named_from=day, author=None, now=timezone.now())


def test_the_name_on_a_day_is_the_name_that_was_valid_then(world: World) -> None:
    rename(world.larkhaven, "Skylark Homes", dt.date(2020, 4, 1))
    rename(world.larkhaven, "Skylark Group", dt.date(2024, 4, 1))

    history_by_id = names_of([world.larkhaven.pk, world.tidewater.pk])

    days = [dt.date(2020, 3, 31), dt.date(2020, 4, 1), dt.date(2024, 3, 31), dt.date(2024, 4, 1)]
    assert [history_by_id[world.larkhaven.pk].on(day) for day in days] == [
        "Larkhaven Homes",
        "Skylark Homes",
        "Skylark Homes",
        "Skylark Group",
    ]
    assert history_by_id[world.tidewater.pk].on(days[0]) == world.tidewater.name


def test_a_former_short_name_is_not_a_former_official_name(world: World) -> None:
    for name in ("Lark", "Sky"):
        update_organisation(organisation=world.larkhaven, short_name=name, author=None, now=timezone.now())

    assert names_of([world.larkhaven.pk])[world.larkhaven.pk].former == ()


def test_the_history_shows_who_acted_under_the_name_of_that_day(world: World, client: Client) -> None:
    address = reverse("agreements:history", args=[world.partnership.pk])
    client.force_login(world.amina)
    author_words = f"{world.amina.display_name}, Larkhaven Homes"
    count_before = client.get(address).content.decode().count(author_words)

    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(1))
    page_after = client.get(address).content.decode()

    assert count_before > 0
    assert page_after.count(author_words) == count_before


def test_the_database_returns_the_name_at_a_moment(world: World) -> None:
    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(1))

    organisations = Organisation.objects.annotate(then=official_name_at("created_at", "pk", present="name"))

    assert organisations.get(pk=world.larkhaven.pk).then == "Larkhaven Homes"
    assert organisations.get(pk=world.tidewater.pk).then == world.tidewater.name
    assert OrganisationName.objects.filter(organisation=world.larkhaven, name="Larkhaven Homes").exists()


def text_of(client: Client, address: str) -> str:
    """Return the text of a page, without line breaks."""
    return " ".join(strip_tags(client.get(address).content.decode()).split())


def test_a_conversation_and_a_meeting_name_their_sides_as_on_their_day(world: World, client: Client) -> None:
    record = circulated_conversation(world)
    meeting = planned_meeting(world)
    paper = reverse("conversations:agenda-paper", args=[meeting.pk])
    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(90))
    client.force_login(world.ben)

    # The page of the record also shows its actions, which are present commitments with the present name.
    assert "record kept by Larkhaven Homes" in text_of(client, record.get_absolute_url())
    for address in (meeting.get_absolute_url(), paper):
        page = text_of(client, address)
        assert "Larkhaven Homes" in page, address
        assert "Skylark" not in page, address


def test_an_open_commitment_shows_the_former_and_the_present_name(world: World, client: Client) -> None:
    promise = agree(world)
    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(1))
    client.force_login(world.ben)

    page = text_of(client, promise.get_absolute_url())

    assert "Larkhaven Homes (now Skylark Homes)" in page


def test_an_ended_commitment_shows_only_the_name_of_its_day(world: World, client: Client) -> None:
    promise = agree(world)
    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(1))
    end_commitment(commitment=promise, reason="Over.", author=world.amina, now=timezone.now())
    client.force_login(world.ben)

    page = text_of(client, promise.get_absolute_url())

    assert "Larkhaven Homes" in page
    assert "(now" not in page


LISTS_OF_COMMITMENTS = ("commitments:list", "web:partnership-commitments")
LISTS_OF_CONVERSATIONS = ("conversations:list", "web:partnership-conversations", "conversations:meetings")


def url_of_list(name: str, world: World) -> str:
    """Return the address of the reader's whole list, or of the list of the Estuary Partnership."""
    return reverse(name) if name.endswith(":list") else reverse(name, kwargs={"pk": world.partnership.pk})


@pytest.mark.parametrize("name", LISTS_OF_COMMITMENTS)
def test_lists_of_open_commitments_show_the_former_and_the_present_name(
    world: World, client: Client, name: str
) -> None:
    agree(world)
    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(90))
    client.force_login(world.ben)

    text = text_of(client, url_of_list(name, world))

    assert "Larkhaven Homes (now Skylark Homes)" in text


@pytest.mark.parametrize("name", LISTS_OF_CONVERSATIONS)
def test_lists_of_conversations_and_meetings_show_the_name_of_their_day(
    world: World, client: Client, name: str
) -> None:
    record = circulated_conversation(world)
    meeting = planned_meeting(world)
    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(90))
    client.force_login(world.ben)

    page = client.get(url_of_list(name, world)).content.decode()

    text = " ".join(strip_tags(page.partition("<main")[2]).split())
    assert record.subject in text or meeting.title in text
    assert "Larkhaven Homes" in text


def test_a_list_shows_a_closed_commitment_with_the_name_of_its_day(world: World, client: Client) -> None:
    promise = agree(world)
    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(90))
    end_commitment(commitment=promise, reason="Over.", author=world.amina, now=timezone.now())
    client.force_login(world.ben)

    text = text_of(client, reverse("commitments:list"))

    assert promise.reference in text
    assert "Larkhaven Homes Westmarch" in text


def test_search_finds_records_by_the_former_and_the_present_name_of_a_side(world: World, client: Client) -> None:
    promise = agree(world)
    record = circulated_conversation(world)
    meeting = planned_meeting(world)
    partnership = {"audience": Audience.PARTNERSHIP, "partnership": world.partnership}
    entry = shared_entry(world.larkhaven, world.amina, timezone.now(), closes_on=None, **partnership)
    rename(world.larkhaven, "Skylark Homes", timezone.localdate())
    index_stale()
    client.force_login(world.ben)

    for words in ("Larkhaven", "Skylark"):
        page = client.get(f"{reverse('search:search')}?q={words}").content.decode()
        for one in (promise, record, meeting, entry):
            assert one.get_absolute_url() in page, (words, one)
        for name, one in (("commitments", promise), ("conversations", record)):
            listed = client.get(f"{reverse(f'{name}:list')}?words={words}").content.decode()
            assert one.get_absolute_url() in listed, (words, one)


def test_board_and_list_find_asks_by_the_former_and_the_present_name(world: World, client: Client) -> None:
    partnership = {"audience": Audience.PARTNERSHIP, "partnership": world.partnership}
    entry = shared_entry(world.larkhaven, world.amina, timezone.now(), closes_on=None, **partnership)
    rename(world.larkhaven, "Skylark Homes", timezone.localdate())
    client.force_login(world.ben)

    for address in (reverse("exchange:board"), reverse("exchange:list")):
        is_found_by_words = {
            words: entry.get_absolute_url() in client.get(address, {"organisation": words}).content.decode()
            for words in ("larkhaven", "Skylark", "Westmarch")
        }
        assert is_found_by_words == {"larkhaven": True, "Skylark": True, "Westmarch": False}, address


@pytest.fixture
def ask_of_renamed_organisation(world: World) -> Entry:
    """Return an open ask of Larkhaven, which is called Skylark Homes from tomorrow."""
    ask = shared_entry(
        world.larkhaven,
        world.amina,
        timezone.now(),
        closes_on=None,
        audience=Audience.PARTNERSHIP,
        partnership=world.partnership,
    )
    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(1))
    return ask


#: The name of Larkhaven on pages between its renaming and the day on which it has the new name.
BOTH_NAMES = "Larkhaven Homes (now Skylark Homes)"


def test_pages_of_an_open_ask_give_both_names_of_a_renamed_organisation(
    world: World, client: Client, ask_of_renamed_organisation: Entry
) -> None:
    client.force_login(world.ben)
    addresses = (
        ask_of_renamed_organisation.get_absolute_url(),
        reverse("exchange:board"),
        reverse("exchange:list"),
        reverse("exchange:list") + "?look=table",
        reverse("web:partnership-entries", args=[world.partnership.pk]),
        reverse("web:organisation-entries", args=[world.larkhaven.pk]),
    )

    texts = {address: text_of(client, address) for address in addresses}

    assert [address for address, text in texts.items() if BOTH_NAMES not in text] == []


@pytest.mark.usefixtures("ask_of_renamed_organisation")
def test_a_file_of_open_asks_gives_both_names_of_a_renamed_organisation(world: World, client: Client) -> None:
    client.force_login(world.ben)

    file = client.get(reverse("exchange:export")).getvalue().decode()

    assert BOTH_NAMES in file


def test_the_page_of_a_withdrawn_ask_gives_only_the_name_of_its_day(
    world: World, client: Client, ask_of_renamed_organisation: Entry
) -> None:
    client.force_login(world.ben)

    withdraw_entry(entry=ask_of_renamed_organisation, reason="Over.", author=world.amina, now=timezone.now())

    assert "(now" not in text_of(client, ask_of_renamed_organisation.get_absolute_url())


@pytest.fixture
def plan_of_renamed_owner(world: World) -> Plan:
    """Return a plan with two versions of Larkhaven, which is called Skylark Homes from tomorrow."""
    plan = create_plan(
        owners=[world.larkhaven],
        partnership=None,
        title="Quay",
        kind="delivery",
        audience="network",
        author=world.amina,
        now=world.now,
    )
    for homes, now in ((40, world.now), (30, timezone.now())):
        publish(plan, homes, author=world.amina, now=now)
    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(1))
    return plan


def test_pages_and_lists_of_plans_give_both_names_of_a_renamed_owner(
    world: World, client: Client, plan_of_renamed_owner: Plan
) -> None:
    client.force_login(world.amina)
    addresses = (
        plan_of_renamed_owner.get_absolute_url(),
        reverse("plans:list"),
        reverse("web:organisation-plans", args=[world.larkhaven.pk]),
    )

    for address in addresses:
        assert "Larkhaven Homes (now Skylark Homes)" in text_of(client, address), address


@pytest.mark.parametrize("route", ["plans:version", "plans:paper"])
def test_versions_name_their_owners_as_on_their_day(
    world: World, client: Client, plan_of_renamed_owner: Plan, route: str
) -> None:
    client.force_login(world.amina)

    page = client.get(reverse(route, args=[plan_of_renamed_owner.pk, 1])).content.decode()

    # The page on paper has no <main>. On screen, only <main> is about the version.
    before_main, _, main = page.partition("<main")
    text = main or before_main
    assert "Larkhaven Homes" in text
    assert "(now Skylark" not in text


def test_a_party_that_left_keeps_its_name(world: World, client: Client) -> None:
    leave_partnership_as_westmarch(world)
    rename(world.westmarch, "Eastmarch Borough Council", timezone.localdate() + dt.timedelta(1))
    client.force_login(world.amina)

    members_page = text_of(client, reverse("agreements:members", args=[world.partnership.pk]))

    assert "Westmarch Borough Council Left" in members_page


@pytest.fixture
def ended_partnership(world: World) -> Partnership:
    """Return the Estuary Partnership, which has ended; Larkhaven has another name from tomorrow on."""
    change_status(partnership=world.partnership, status="ended", reason="Done.", author=world.amina, now=timezone.now())
    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(1))
    return world.partnership


@pytest.mark.parametrize("name", ["agreements:members", "agreements:detail"])
def test_pages_of_an_ended_partnership_keep_the_names_of_its_parties(
    world: World, client: Client, ended_partnership: Partnership, name: str
) -> None:
    client.force_login(world.amina)

    page = client.get(reverse(name, args=[ended_partnership.pk])).content.decode()

    main = page.partition("<main")[2]
    assert "Larkhaven Homes" in main
    assert "Skylark" not in main


def test_the_list_of_partnerships_keeps_the_names_of_parties_of_an_ended_one(
    world: World, client: Client, ended_partnership: Partnership
) -> None:
    client.force_login(world.amina)

    text = text_of(client, reverse("agreements:list"))

    assert "Estuary Partnership" in text
    assert "Skylark" not in text.partition("Estuary Partnership")[2].partition("Ended")[0]


def test_the_page_of_parties_names_the_predecessor_of_a_successor(world: World, client: Client) -> None:
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)
    client.force_login(world.hana)

    page = text_of(client, reverse("agreements:members", args=[world.partnership.pk]))

    assert f"Took over from Westmarch Borough Council on {long_date(timezone.localdate())}" in page


def rename_both_sides_tomorrow(world: World) -> None:
    """Give Larkhaven and Westmarch other names from tomorrow on."""
    for body, name in ((world.larkhaven, "Skylark Homes"), (world.westmarch, "Eastmarch Borough Council")):
        rename(body, name, timezone.localdate() + dt.timedelta(1))


def add_minutes(world: World) -> None:
    """Add a document to the Estuary Partnership, as Amina for Larkhaven."""
    add_document(
        partnership=world.partnership,
        title="Minutes",
        file=a_text_file(),
        organisation=world.larkhaven,
        author=world.amina,
        now=timezone.now(),
    )


def test_a_document_names_its_authors_organisation_as_on_that_day(world: World, client: Client) -> None:
    add_minutes(world)
    rename_both_sides_tomorrow(world)
    client.force_login(world.amina)

    text = text_of(client, reverse("agreements:documents", args=[world.partnership.pk]))

    assert f"by {world.amina.display_name}, Larkhaven Homes" in text


def test_the_list_of_documents_finds_an_organisation_by_its_present_name(world: World, client: Client) -> None:
    add_minutes(world)
    rename_both_sides_tomorrow(world)
    client.force_login(world.amina)

    list_page = client.get(reverse("agreements:document-list"), {"organisation": "skylark"})

    assert [row.title for row in list_page.context["page"].rows] == ["Minutes"]
    assert "Skylark" not in list_page.content.decode().partition("<tbody")[2].partition("</tbody>")[0]


def test_a_report_on_an_objective_names_its_authors_organisation_as_on_that_day(world: World, client: Client) -> None:
    objective = add_objective(world)
    report_objective(world, objective, 10)
    rename_both_sides_tomorrow(world)
    client.force_login(world.amina)

    text = text_of(client, objective.get_absolute_url())

    assert f"{world.ben.display_name} Westmarch Borough Council" in text


def test_a_report_on_a_commitment_names_its_authors_organisation_as_on_that_day(world: World, client: Client) -> None:
    promise = agree(world)
    report(world, promise)
    rename_both_sides_tomorrow(world)
    client.force_login(world.amina)

    text = text_of(client, promise.get_absolute_url())

    assert f"{world.eddie.display_name}, Larkhaven Homes" in text


@pytest.mark.parametrize("name", ["plans:comments", "plans:history"])
def test_comments_and_history_of_a_plan_name_the_authors_organisation_as_on_that_day(
    world: World, client: Client, name: str
) -> None:
    plan = published_plan(world)
    comment_as(plan, world.amina)
    rename_both_sides_tomorrow(world)
    client.force_login(world.amina)

    text = text_of(client, reverse(name, args=[plan.pk]))

    assert f"{world.amina.display_name}, Larkhaven Homes" in text


def test_news_of_a_plan_names_the_authors_organisation_as_on_that_day(world: World) -> None:
    plan = published_plan(world)
    rename_both_sides_tomorrow(world)

    news, *_ = read_news(plan_id=plan.pk, from_number=0, to_number=1, reading_class="inside")

    assert [edition.organisation for edition in news.editions] == ["Larkhaven Homes"]


def test_versions_and_reports_from_before_a_merger_name_the_predecessor(world: World, client: Client) -> None:
    plan = create_plan(
        owners=[world.westmarch],
        partnership=None,
        title="Quay",
        kind="delivery",
        audience="network",
        author=world.ben,
        now=timezone.now(),
    )
    publish(plan, 40, author=world.ben)
    report = submitted(world)
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)
    publish(plan, 30, author=world.hana)
    client.force_login(world.hana)

    for name in ("version", "paper"):
        pages = [client.get(reverse(f"plans:{name}", args=[plan.pk, number])) for number in (1, 2)]
        owners = [[owner.organisation.name for owner in page.context["owners"]] for page in pages]
        assert owners == [["Westmarch Borough Council"], ["Harbour Community Trust"]], name
    period = reverse("conversations:reports-period", args=[report.round_id, report.starts_on])
    for address in (report.get_absolute_url(), period):
        main = client.get(address).content.decode().partition("<main")[2]
        assert "Westmarch Borough Council" in main, address
        assert "Harbour" not in main, address


def test_a_developer_agreement_names_the_authority_that_made_it(world: World, client: Client) -> None:
    agreement = DeveloperAgreement.objects.create(
        reference="A1", kind="section 106", organisation=world.westmarch, agreed_on=dt.date(2024, 5, 1), run_id=1
    )
    client.force_login(world.hana)
    page_before = client.get(agreement.get_absolute_url())
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)

    page_after = client.get(agreement.get_absolute_url())

    assert page_before.context["made_by"] is None
    assert page_after.context["agreement"].organisation == world.harbour
    assert page_after.context["made_by"] == world.westmarch
    assert "Made by" in page_after.content.decode()


def listing(slug: str, person: User, query: str) -> Listing:
    """Return a person's list with this query."""
    definition = find_list(slug)
    assert definition is not None
    return read(definition, person, QueryDict(query))


def listed_ids(rows: Listing) -> list[int]:
    """Return the ids of the rows of a list, in the order of the list."""
    return list(rows.sortable().order_by(*rows.sorting).values_list("pk", flat=True))


@pytest.fixture
def commitments_of_both(world: World) -> tuple[Commitment, Commitment]:
    """Return Larkhaven's commitment to Westmarch and Westmarch's to Larkhaven, which is renamed tomorrow."""
    commitment_of_larkhaven = agree(world)
    commitment_of_westmarch = agree(world, giver=world.westmarch, receiver=world.larkhaven, owner=world.ben)
    rename(world.larkhaven, "Zephyr Homes", timezone.localdate() + dt.timedelta(1))
    return commitment_of_larkhaven, commitment_of_westmarch


@pytest.mark.parametrize("order", ["giver", "-receiver"])
def test_a_list_is_sorted_by_the_former_name_that_it_shows_first(
    world: World, commitments_of_both: tuple[Commitment, Commitment], order: str
) -> None:
    commitment_of_larkhaven, commitment_of_westmarch = commitments_of_both

    rows = listed_ids(listing("commitments", world.amina, f"sort={order}"))

    # The row says "Larkhaven Homes (now Zephyr Homes)", so it comes before Westmarch.
    assert rows == [commitment_of_larkhaven.pk, commitment_of_westmarch.pk]


@pytest.mark.parametrize("name", ["Zephyr", "larkhaven", "%22Zephyr+Homes%22"])
def test_a_list_is_filtered_by_the_former_and_the_present_name(
    world: World, commitments_of_both: tuple[Commitment, Commitment], name: str
) -> None:
    rows = listed_ids(listing("commitments", world.amina, f"giver={name}"))

    assert rows == [commitments_of_both[0].pk]


def test_a_name_in_quotation_marks_must_be_the_whole_name(
    world: World, commitments_of_both: tuple[Commitment, Commitment]
) -> None:
    assert listed_ids(listing("commitments", world.amina, "giver=%22Zephyr%22")) == []


def test_a_list_is_grouped_by_the_present_name(
    world: World, commitments_of_both: tuple[Commitment, Commitment]
) -> None:
    by_giver = groups(listing("commitments", world.amina, "group=giver"))

    assert {group.label: group.count for group in by_giver} == {
        "Zephyr Homes (formerly Larkhaven Homes)": 1,
        world.westmarch.name: 1,
    }


def test_a_group_of_a_renamed_organisation_leads_to_its_rows(
    world: World, client: Client, commitments_of_both: tuple[Commitment, Commitment]
) -> None:
    client.force_login(world.amina)
    by_giver = groups(listing("commitments", world.amina, "group=giver"))
    [link] = [group.href for group in by_giver if group.label.startswith("Zephyr")]

    page = client.get(reverse("commitments:list") + link)

    assert [row.pk for row in page.context["page"].rows] == [commitments_of_both[0].pk]
    assert "Larkhaven Homes (now Zephyr Homes)" in page.content.decode()


@pytest.fixture
def plans_of_two_owners(world: World) -> tuple[Plan, Plan]:
    """Return the plans of Larkhaven, which is called Zephyr Homes from tomorrow, and of Westmarch."""
    plan_of_larkhaven, plan_of_westmarch = (
        create_plan(
            owners=[owner],
            partnership=world.partnership,
            title="Quay",
            kind="delivery",
            audience="partnership",
            author=author,
            now=timezone.now(),
        )
        for owner, author in ((world.larkhaven, world.amina), (world.westmarch, world.ben))
    )
    publish(plan_of_larkhaven, 40, author=world.amina)
    publish(plan_of_westmarch, 40, author=world.ben)
    rename(world.larkhaven, "Zephyr Homes", timezone.localdate() + dt.timedelta(1))
    return plan_of_larkhaven, plan_of_westmarch


def test_the_list_of_plans_is_sorted_by_the_owners_it_shows(
    world: World, plans_of_two_owners: tuple[Plan, Plan]
) -> None:
    plan_of_larkhaven, plan_of_westmarch = plans_of_two_owners

    plan_ids = listed_ids(listing("plans", world.amina, "sort=owners"))

    # The first row says "Larkhaven Homes (now Zephyr Homes)", so it comes before Westmarch.
    assert plan_ids == [plan_of_larkhaven.pk, plan_of_westmarch.pk]


@pytest.mark.parametrize("query", ["owners=Zephyr", "owners=larkhaven", "owners=%22Zephyr+Homes%22"])
def test_the_list_of_plans_is_filtered_by_both_names_of_an_owner(
    world: World, plans_of_two_owners: tuple[Plan, Plan], query: str
) -> None:
    plan_of_larkhaven, _ = plans_of_two_owners

    plan_ids = listed_ids(listing("plans", world.amina, query))

    assert plan_ids == [plan_of_larkhaven.pk]


@pytest.mark.usefixtures("plans_of_two_owners")
def test_the_list_of_plans_is_grouped_by_the_owners_it_shows(world: World) -> None:
    assert {(group.label, group.count) for group in groups(listing("plans", world.amina, "group=owners"))} == {
        ("Zephyr Homes (formerly Larkhaven Homes)", 1),
        (world.westmarch.name, 1),
    }


def test_a_party_that_left_cannot_find_a_plan_by_the_name_of_a_present_owner(world: World) -> None:
    plan = published_plan(world)
    leave_partnership_as_westmarch(world)

    assert listed_ids(listing("plans", world.amina, "owners=larkhaven")) == [plan.pk]
    assert listed_ids(listing("plans", world.ben, "")) == [plan.pk]
    assert listed_ids(listing("plans", world.ben, "owners=larkhaven")) == []


def test_lists_of_records_with_one_organisation_are_filtered_by_former_names(world: World) -> None:
    fill_lists(world)
    rename(world.larkhaven, "Zephyr Homes", timezone.localdate() + dt.timedelta(1))
    columns = {"conversations": "keeper"} | dict.fromkeys(("documents", "contacts", "stakeholders"), "organisation")

    for slug, column in columns.items():
        ids_by_former_name, ids_by_present_name, ids_by_other_name = (
            listed_ids(listing(slug, world.amina, f"{column}={words}")) for words in ("larkhaven", "zephyr", "nobody")
        )
        assert ids_by_former_name == ids_by_present_name != ids_by_other_name == [], slug


@pytest.fixture
def ask_to_renamed_council(world: World) -> Entry:
    """Return an ask to Westmarch, which has another name from tomorrow on."""
    entry = shared_entry(
        world.larkhaven,
        world.amina,
        timezone.now(),
        audience=Audience.NAMED,
        addressees=[world.westmarch],
        closes_on=None,
    )
    rename(world.westmarch, "Eastmarch Borough Council", timezone.localdate() + dt.timedelta(1))
    return entry


@pytest.mark.parametrize("name", ["amina", "ben"])
def test_an_open_ask_shows_both_names_of_its_addressee(
    world: World, client: Client, ask_to_renamed_council: Entry, name: str
) -> None:
    reader = getattr(world, name)
    both_names = f"{world.westmarch.names.get(kind='former').name} (now Eastmarch Borough Council)"
    client.force_login(reader)

    [row] = listing("asks", reader, "").matching_rows()
    text = text_of(client, ask_to_renamed_council.get_absolute_url())

    assert row.asked == both_names
    assert both_names in text


def test_an_ask_is_found_by_the_present_name_of_its_addressee(world: World, ask_to_renamed_council: Entry) -> None:
    assert listed_ids(listing("asks", world.ben, "asked=eastmarch")) == [ask_to_renamed_council.pk]


def test_a_withdrawn_ask_shows_its_addressees_name_of_that_day(
    world: World, client: Client, ask_to_renamed_council: Entry
) -> None:
    withdraw_entry(entry=ask_to_renamed_council, reason="Over.", author=world.amina, now=timezone.now())
    client.force_login(world.ben)

    text = text_of(client, ask_to_renamed_council.get_absolute_url())

    assert "(now" not in text


def test_commitments_to_an_ended_body_are_found_by_the_name_of_its_successor(world: World, client: Client) -> None:
    promise = agree(world)
    take_effect(record_merger(world))
    client.force_login(world.amina)

    page = client.get(reverse("commitments:list"), {"receiver": "harbour"})

    assert promise in page.context["page"].rows
    assert "by the name of its successor" in page.content.decode()
    assert promise.pk in listed_ids(listing("commitments", world.amina, "words=harbour"))
    assert promise.pk not in listed_ids(listing("commitments", world.amina, "giver=harbour"))


def test_conversations_with_an_ended_body_are_found_by_the_name_of_its_successor(world: World, client: Client) -> None:
    record = circulated_conversation(world)
    take_effect(record_merger(world))
    client.force_login(world.amina)

    page = client.get(reverse("conversations:list"), {"words": "harbour"}).content.decode()

    assert record.get_absolute_url() in page


def test_choices_of_forms_show_both_names_and_are_found_by_former_names(world: World, client: Client) -> None:
    rename(world.westmarch, "Eastmarch Borough Council", timezone.localdate())
    former_name = world.westmarch.names.get(kind="former").name
    client.force_login(world.amina)

    for address in (reverse("commitments:new"), reverse("exchange:new")):
        page = client.get(address).content.decode()
        assert f"Eastmarch Borough Council (formerly {former_name})" in page, address
    post_fields = {"find": "addressees", "addressees-find": former_name[:9].lower()}
    options = client.post(reverse("exchange:new"), post_fields).content.decode().partition('name="addressees"')[2]
    assert f'value="{world.westmarch.pk}"' in options.partition("</select>")[0]


def test_search_by_name_shows_strangers_no_record(world: World, client: Client) -> None:
    promise = agree(world)
    record = circulated_conversation(world)
    meeting = planned_meeting(world)
    index_stale()
    client.force_login(world.chidi)

    page = client.get(f"{reverse('search:search')}?q=Larkhaven").content.decode()

    for private_record in (promise, record, meeting):
        assert private_record.get_absolute_url() not in page


def test_search_finds_an_organisation_by_the_names_that_its_records_show(world: World, client: Client) -> None:
    rename(world.larkhaven, "Skylark Homes", timezone.localdate())
    index_stale()
    client.force_login(world.amina)

    for words in ("Larkhaven", "Skylark"):
        page = text_of(client, f"{reverse('search:search')}?q={words}")
        assert "Skylark Homes" in page, words
