"""A newcomer's first day has public plans, an invitation, news, and words that say what to do."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.agreements.services import invite_organisation
from partnerships.exchange.models import Audience
from partnerships.exchange.services import respond
from partnerships.organisations.models import Organisation, Role
from partnerships.organisations.services import mark_missing
from partnerships.people.models import User
from partnerships.plans.forms import PlanForm
from partnerships.plans.views import public
from partnerships.web import queries
from partnerships.web.queries import RECENT, recent_changes
from tests.exchange.conftest import shared_entry
from tests.plans.drafts import CONTENT, begin, publish, published_plan, save
from tests.support.signing_in import signed_in
from tests.world import World, join, make_world, person


@pytest.fixture
def world(db: None) -> World:
    """Return the people and organisations of the tests."""
    return make_world()


def page(address: str, person: object = None) -> str:
    """Return the text of a page for this person, or signed out."""
    client = Client()
    if person is not None:
        client.force_login(person)  # type: ignore[arg-type]  # a person of the world
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def titled(title: str) -> dict[str, Any]:
    """Return the content of a plan with this title."""
    return {**CONTENT, "about": {**CONTENT["about"], "title": title}}


def test_visitors_find_public_plans_from_the_start_page(world: World) -> None:
    public_plan = published_plan(world, audience="public", content=titled("Open quays"))
    published_plan(world, content=titled("Quays of partners"))

    start, results, empty_results = (page(one) for one in ("/", "/plans/public/?q=quays", "/plans/public/?q=mills"))

    assert public_plan.get_absolute_url() in start
    assert "Open quays" in results
    assert "Quays of partners" not in start + results
    assert "No public plans found" in empty_results


def test_public_plans_name_nothing_that_is_under_embargo(world: World) -> None:
    until = timezone.now() + dt.timedelta(days=3)
    opened = published_plan(world, audience="public", content=titled("Open quays"))
    save(opened, world, "about", title="Secret quays")
    publish(opened, world, "Not yet.", embargo_until=until)
    publish(begin(world, audience="public", content=titled("Later quays")), world, embargo_until=until)

    pages = page("/") + page("/plans/public/?q=quays")

    assert "Open quays" in pages
    assert [title for title in ("Secret quays", "Later quays") if title in pages] == []
    assert "No public plans found" in page("/plans/public/?q=secret")


def test_public_plans_are_rate_limited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "PAGES_PER_MINUTE", 1)

    with time_machine.travel(timezone.now(), tick=False):  # the count starts again in each minute
        statuses = [Client().get("/plans/public/").status_code for _ in range(2)]

    assert statuses == [200, 429]


def test_invitation_shows_who_takes_part_the_terms_and_the_inviters_name(world: World) -> None:
    party = invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )

    page_text = page(reverse("agreements:answer", args=[world.partnership.pk, party.pk]), world.hana)

    assert "Westmarch Borough Council" in page_text
    assert f"{world.amina.display_name} will get your reply" in page_text
    assert world.amina.email not in page_text, "Her organisation entered it. The email of the invitation has Reply-To."
    assert reverse("agreements:terms", args=[world.partnership.pk]) in page_text


def test_partnership_is_the_heading_of_its_pages(world: World) -> None:
    page_text = page(reverse("agreements:members", args=[world.partnership.pk]), world.amina)

    [heading] = re.findall(r"<h1[^>]*>(.*?)</h1>", page_text, re.DOTALL)
    assert " ".join(re.sub(r"<[^>]+>", "", heading).split()) == "Estuary Partnership: Members"


def test_answered_ask_says_so(world: World) -> None:
    ask = shared_entry(
        world.larkhaven, world.amina, timezone.now(), audience=Audience.PARTNERSHIP, partnership=world.partnership
    )
    words_before = ask.status_words
    respond(entry=ask, organisation=world.westmarch, text="Yes.", author=world.ben, now=timezone.now())
    ask.refresh_from_db()

    assert words_before == "Shared"
    assert ask.status_words == "Answered"
    assert "Answered" in page(ask.get_absolute_url(), world.amina)


def test_plan_assumes_an_audience_only_where_its_partnership_is_known(world: World) -> None:
    chosen = re.compile(r'name="audience"[^>]*checked')

    form_without_partnership, form_with_partnership = (
        page(reverse("plans:create") + query, world.amina) for query in ("", f"?partnership={world.partnership.pk}")
    )

    assert not chosen.search(form_without_partnership)
    assert chosen.search(form_with_partnership)


def test_plan_without_a_choice_of_audience_is_for_its_partnership_or_its_owners(world: World) -> None:
    fields = {"title": "Quays", "kind": "delivery", "owners": [world.larkhaven.pk], "years": "financial"}

    form_without_partnership, form_with_partnership = (
        PlanForm(fields | partnership_field, user=world.amina)
        for partnership_field in ({}, {"partnership": world.partnership.pk})
    )

    assert "audience" not in form_without_partnership.errors | form_with_partnership.errors
    assert form_without_partnership.cleaned_data["audience"] == "owners"
    assert form_with_partnership.cleaned_data["audience"] == "partnership"


def test_home_leaves_out_organisations_that_an_import_did_not_find(world: World) -> None:
    mark_missing(
        organisation=world.westmarch, register="rsh", as_of=timezone.localdate(), author=world.dee, now=timezone.now()
    )

    assert "Did not find this organisation" not in page("/", world.ben)


def test_new_lead_sees_no_changes_from_before_they_joined(world: World) -> None:
    nell = person("Nell New", "nell@westmarch.example")
    join(nell, world.westmarch, Role.LEAD, timezone.now())

    changes_before = recent_changes(nell, timezone.now() - RECENT)
    news = page("/", nell).partition('id="changed"')[2].partition("</section>")[0]

    assert "partnership" in {event.target_kind for event in changes_before}
    assert "Estuary Partnership" not in news


def test_new_lead_with_an_old_account_reads_no_older_news_than_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    nell = person("Nell New", "nell@westmarch.example")
    join(nell, world.westmarch, Role.LEAD, timezone.now())
    User.objects.filter(pk=nell.pk).update(joined_at=timezone.now() - dt.timedelta(days=400))
    moments: list[dt.datetime] = []
    monkeypatch.setattr(queries, "recent_changes", lambda user, since: moments.append(since) or [])

    home = page("/", nell)

    assert "First steps for" in home
    assert timezone.now() - moments[0] < RECENT + dt.timedelta(minutes=5)


def test_without_javascript_long_lists_are_searched_by_name(world: World) -> None:
    client = signed_in(world.amina)
    grid = {"key": "k1", "homes-TOTAL_FORMS": "1", "homes-INITIAL_FORMS": "0", "homes-YEARS": "1"}
    site = {"name": "Quays", "homes-0-tenure": "social_rent", "homes-0-count_0": "37", **grid}
    agreement = {"title": "Quays"}

    for address, name, typed, values_kept in (
        (reverse("agreements:create"), "areas", agreement, ["Quays"]),
        (reverse("agreements:edit", args=[world.partnership.pk]), "areas", agreement, ["Quays"]),
        (reverse("plans:add-item", args=[begin(world).pk, "sites"]), "area", site, ["Quays", "37"]),
        (reverse("commitments:new"), "giver", {"quantity": "37"}, ["37"]),
    ):
        words, other_name = ("westm", "Larkhaven") if name == "giver" else ("gos", "Fareham")
        page_text = client.post(address, {**typed, "find": name, f"{name}-find": words}).content.decode()
        offered = page_text.partition(f'name="{name}"')[2].partition("</select>")[0]
        assert words in offered.lower(), address
        assert other_name not in offered, address
        assert f'name="{name}-find"' in page_text, address
        assert all(f'value="{value}"' in page_text for value in values_kept), address


def test_enter_searches_for_new_words_and_otherwise_saves_without_javascript(world: World) -> None:
    client = signed_in(world.amina)
    address = reverse("agreements:create")
    fields = {"title": "Quays", "kind": "charter", "audience": "parties", "enter": "1", "areas-find": "gos"}
    fields["organisation"] = str(world.larkhaven.pk)

    searched = client.post(address, fields)
    count_before = Partnership.objects.count()
    saved = client.post(address, {**fields, "areas-sought": "gos"})

    page = searched.content.decode()
    assert searched.status_code == 200
    assert 'name="areas-sought" value="gos"' in page
    assert page.index('name="enter"') < page.index('name="find"')
    assert count_before == Partnership.objects.exclude(title="Quays").count()
    assert saved.status_code == 302
    assert Partnership.objects.filter(title="Quays").exists()


def test_list_of_organisations_opens_with_those_that_still_exist(world: World) -> None:
    Organisation.objects.filter(pk=world.harbour.pk).update(status="dissolved", valid_to=timezone.localdate())
    address = reverse("organisations:list")
    name = world.harbour.name

    is_shown_by_query = {
        query: name in page(f"{address}?{query}", world.ben) for query in ("view=", "ended=on", "q=harbour")
    }

    assert is_shown_by_query == {"view=": False, "ended=on": True, "q=harbour": True}
