"""Administrators can read and change only what they need in Django admin, and downloads are limited."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from functools import partial

import pytest
import time_machine
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import LazySettings
from django.contrib import admin
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core.files.base import ContentFile
from django.db.models import Model, TextField
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from housing.middleware import route_with_ids
from partnerships.activity.queries import timeline
from partnerships.agreements.models import Document
from partnerships.agreements.services import add_document, edit_settings, invite_organisation
from partnerships.exchange.services import create_entry, edit_entry
from partnerships.kit.administration import RowHistory
from partnerships.organisations.models import Area, AreaKind, Organisation
from partnerships.organisations.services import UnableToUpdateOrganisation, end_membership, update_organisation
from partnerships.people.adapters import AccountAdapter
from partnerships.people.administration import GROUPS
from partnerships.people.limits import add_to_count
from partnerships.people.models import Tally, User
from partnerships.people.personal_data import export_person
from tests.support.at_once import run_at_once
from tests.support.outbox import deliver
from tests.support.signing_in import signed_in
from tests.support.terms import agree_terms
from tests.world import World, join, require_own_sign_in

MINUTE = dt.timedelta(minutes=1)
LISTS = sorted(admin.site._registry.items(), key=lambda pair: pair[0]._meta.label)


def hidden_columns(model: type[Model]) -> list[str]:
    """Return the columns with text that a filter could reveal character by character."""
    return [
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, TextField) or field.get_internal_type() in {"CharField", "JSONField", "EmailField"}
    ]


@pytest.fixture
def dee(world: World) -> Client:
    """Return the browser of Dee, an administrator."""
    client = Client(raise_request_exception=False)
    client.force_login(world.dee)
    return client


def test_admin_lists_refuse_filters_that_their_page_does_not_offer(dee: Client) -> None:
    accepted_filters = []
    for model, _ in LISTS:
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for column in hidden_columns(model):
            status = dee.get(address, {f"{column}__startswith": "a"}).status_code
            if status != 400:
                accepted_filters.append(f"{model._meta.label}.{column}: {status}")

    assert accepted_filters == []


@pytest.mark.parametrize(
    "address",
    [
        "/admin/people/user/?is_staff__exact=1",
        "/admin/people/user/?left_at__isempty=1",
        "/admin/organisations/organisation/?status__exact=active",
        "/admin/agreements/partnership/?review_on__gte=2026-01-01&review_on__lt=2027-01-01",
        "/admin/plans/version/?published_at__year=2026",
    ],
)
def test_filter_that_an_admin_list_offers_works(dee: Client, address: str) -> None:
    response = dee.get(address)

    assert response.status_code == 200


def test_a_long_list_in_admin_is_counted_and_paged_up_to_a_limit(dee: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("partnerships.kit.administration.MAX_COUNTED", 2)

    page = dee.get(reverse("admin:people_user_changelist"))

    assert page.context["cl"].paginator.count == 2
    assert "more than 2 people" in page.content.decode()


def test_people_in_admin_are_sorted_by_email_whatever_its_case(world: World, dee: Client) -> None:
    User.objects.filter(pk=world.dee.pk).update(email="AAA@example.org")

    page = dee.get(reverse("admin:people_user_changelist"))

    assert page.context["cl"].result_list[0].email == "AAA@example.org"


def test_the_filter_by_region_lists_regions_and_no_other_areas(dee: Client) -> None:
    region = Area.objects.create(name="North Westria", code="E12099999", kind=AreaKind.REGION)
    Area.objects.create(name="Westria County", code="E10099999", kind=AreaKind.COUNTY)

    page = dee.get(reverse("admin:organisations_organisation_changelist"))

    (region_filter,) = [spec for spec in page.context["cl"].filter_specs if spec.title == "region"]
    names = [choice["display"] for choice in region_filter.choices(page.context["cl"])]
    assert region.name in names
    assert "Westria County" not in names


TRACKED_MODELS = [model for model, _page in LISTS if hasattr(model, "pgh_event_model")]


def test_many_records_have_row_history() -> None:
    assert len(TRACKED_MODELS) > 10


@pytest.mark.parametrize("model", TRACKED_MODELS, ids=lambda model: model._meta.label)
def test_admin_page_of_a_record_with_row_history_can_show_it(model: type[Model]) -> None:
    page = admin.site._registry[model]

    assert isinstance(page, RowHistory)


def addresses_of_row_histories() -> list[str]:
    """Return the address of the history in admin of one record of each model that has records."""
    addresses = []
    for model in TRACKED_MODELS:
        record = model._default_manager.first()
        if record is not None:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_history"
            addresses.append(reverse(name, args=[record.pk]))
    return addresses


def test_row_history_of_records_is_shown_in_admin(dee: Client) -> None:
    pages = {address: dee.get(address).content.decode() for address in addresses_of_row_histories()}

    assert len(pages) > 3
    assert [address for address, html in pages.items() if "Changes, newest first" not in html] == []


def test_row_history_in_admin_hides_restricted_content(world: World, dee: Client) -> None:
    edit_settings(
        partnership=world.partnership,
        author=world.amina,
        now=timezone.now(),
        title="Estuary and Quay",
        reason="A wider area.",
    )
    agree_terms(world.partnership, world.amina, meeting_frequency="On the quay at dawn")

    page = dee.get(reverse("admin:agreements_partnership_history", args=[world.partnership.pk])).content.decode()

    assert "Estuary and Quay" in page
    assert "changed (restricted)" in page
    assert "On the quay at dawn" not in page


malformed_ids = pytest.mark.parametrize("sent", ["\x00", "9" * 25, "0000-00-00", "NaN", "-1", "\ufffd", "[]"])


@malformed_ids
def test_admin_form_of_an_organisation_refuses_malformed_record_ids(world: World, dee: Client, sent: str) -> None:
    address = reverse("admin:organisations_organisation_change", args=[world.larkhaven.pk])

    response = dee.post(address, {"parent": sent, "region": sent})

    assert response.status_code == 200
    assert response.context["adminform"].form.errors


@malformed_ids
def test_admin_form_of_a_membership_refuses_malformed_record_ids(dee: Client, sent: str) -> None:
    response = dee.post(reverse("admin:organisations_membership_add"), {"person": sent, "organisation": sent})

    assert response.status_code == 200
    assert {"person", "organisation"} <= set(response.context["adminform"].form.errors)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        pytest.param("/plans/sign/WzEsMl0.secret/", "plans:sign-by-link", id="link to sign"),
        pytest.param("/organisations/invitations/secret-token/", "organisations:accept-invitation", id="invitation"),
        pytest.param("/partnerships/7/settings/", "agreements:edit 7", id="page of a record"),
        pytest.param("/nowhere/secret/", "", id="no page"),
    ],
)
def test_row_history_context_leaves_out_secrets_in_page_addresses(path: str, route: str) -> None:
    noted_route = route_with_ids(path)

    assert noted_route == route


def add_lead_of_larkhaven(browser: Client, world: World, new_lead: User, *, reason: str = "Their lead is ill.") -> None:
    """Send the form of Django admin that makes a person a lead of Larkhaven."""
    browser.post(
        reverse("admin:organisations_membership_add"),
        {
            "organisation": world.larkhaven.pk,
            "person": new_lead.pk,
            "role": "lead",
            "job_title": "",
            "reason": reason,
        },
    )


def test_an_administrator_cannot_be_made_a_member_in_admin(world: World, dee: Client) -> None:
    add_lead_of_larkhaven(dee, world, world.dee)

    assert not Organisation.objects.of_person(world.dee).exists()


def test_a_member_cannot_be_added_in_admin_without_a_reason(world: World, dee: Client) -> None:
    add_lead_of_larkhaven(dee, world, world.hana, reason="")

    assert not Organisation.objects.of_person(world.hana).filter(pk=world.larkhaven.pk).exists()


def test_a_member_is_added_in_admin_with_a_reason(world: World, dee: Client) -> None:
    add_lead_of_larkhaven(dee, world, world.hana)

    assert Organisation.objects.of_person(world.hana).filter(pk=world.larkhaven.pk).exists()


def test_a_member_added_in_admin_and_the_leads_are_emailed_the_reason(world: World, dee: Client) -> None:
    deliver().clear()

    add_lead_of_larkhaven(dee, world, world.hana)

    emails = deliver()
    assert {email.to[0] for email in emails} == {"hana@harbour.example", "amina@larkhaven.example"}
    assert all("Their lead is ill." in email.body for email in emails)


@pytest.mark.parametrize("page", ["home page", "page of the organisation"])
def test_colleagues_do_not_see_why_a_membership_ended(world: World, page: str) -> None:
    end_membership(
        membership=world.eddie.memberships.get(), author=world.amina, reason="Dismissed.", now=timezone.now()
    )
    addresses = {"home page": "/", "page of the organisation": world.larkhaven.get_absolute_url()}

    html = signed_in(world.vera).get(addresses[page]).content.decode()

    assert "Dismissed." not in html


def test_one_organisations_provider_does_not_count_for_another_organisation(world: World) -> None:
    join(world.vera, world.harbour, "viewer", timezone.now())
    require_own_sign_in(world.larkhaven, "larkhaven", lead=world.amina, author=world.dee)
    require_own_sign_in(world.harbour, "harbour", lead=world.hana, author=world.dee)
    request = RequestFactory().get("/")
    request.session = {AUTHENTICATION_METHODS_SESSION_KEY: [{"method": "socialaccount", "provider": "harbour"}]}
    request._messages = FallbackStorage(request)

    response = AccountAdapter(request).pre_login(
        request,
        world.vera,
        email_verification="none",
        signal_kwargs=None,
        email=None,
        signup=False,
        redirect_url=None,
    )

    assert response is not None
    assert response["Location"] == reverse("account_login")


def test_a_lead_cannot_take_the_name_of_another_organisation(world: World) -> None:
    with pytest.raises(UnableToUpdateOrganisation, match="Another organisation"):
        update_organisation(
            organisation=world.larkhaven,
            short_name="WESTMARCH  borough council",
            author=world.amina,
            now=timezone.now(),
        )


def test_a_leavers_export_leaves_out_later_content_of_records(world: World) -> None:
    entry = create_entry(
        organisation=world.larkhaven,
        direction="ask",
        title="Land by the quay",
        theme="land",
        audience="network",
        author=world.eddie,
        now=timezone.now(),
    )
    end_membership(membership=world.eddie.memberships.get(), author=world.amina, now=timezone.now())
    edit_entry(entry=entry, title="A secret yard", author=world.amina, now=timezone.now())

    exported = json.dumps(export_person(person=world.eddie, author=world.eddie, now=timezone.now()))

    assert "A secret yard" not in exported
    assert "exchange.Entry as created_by" in exported


def test_ten_downloads_a_minute_are_allowed(settings: LazySettings) -> None:
    assert settings.EXPORTS_PER_MINUTE == 10


@pytest.fixture
def two_downloads_a_minute(settings: LazySettings) -> Iterator[None]:
    """Allow two downloads a minute, and stop the clock in the middle of a minute."""
    settings.EXPORTS_PER_MINUTE = 2
    with time_machine.travel(timezone.now().replace(second=30), tick=False):
        yield


def download_own_data(client: Client) -> HttpResponse:
    """Download one's own data, and return the response."""
    return client.get(reverse("people:own-data"))


@pytest.mark.usefixtures("two_downloads_a_minute")
def test_a_third_download_in_a_minute_is_refused(world: World) -> None:
    eddie = signed_in(world.eddie)
    download_own_data(eddie)
    download_own_data(eddie)

    response = download_own_data(eddie)

    assert response.status_code == 429
    assert response["Retry-After"] == "30"


@pytest.mark.usefixtures("two_downloads_a_minute")
def test_downloads_of_one_person_do_not_count_for_another(world: World) -> None:
    eddie = signed_in(world.eddie)
    download_own_data(eddie)
    download_own_data(eddie)

    response = download_own_data(signed_in(world.vera))

    assert response.status_code == 200


@pytest.mark.usefixtures("two_downloads_a_minute")
def test_head_requests_count_towards_the_download_limit(world: World) -> None:
    eddie = signed_in(world.eddie)
    eddie.head(reverse("people:own-data"))
    eddie.head(reverse("people:own-data"))

    response = download_own_data(eddie)

    assert response.status_code == 429


def test_a_request_is_counted_in_one_statement(db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        count = add_to_count("exports of person 1", stretch=MINUTE, now=timezone.now())

    assert count == 1


def test_requests_of_each_person_are_counted_on_their_own(db: None) -> None:
    now = timezone.now()
    add_to_count("exports of person 1", stretch=MINUTE, now=now)

    count_of_same_person = add_to_count("exports of person 1", stretch=MINUTE, now=now)
    count_of_another_person = add_to_count("exports of person 2", stretch=MINUTE, now=now)

    assert count_of_same_person == 2
    assert count_of_another_person == 1


def test_requests_of_each_minute_are_counted_on_their_own(db: None) -> None:
    now = timezone.now()
    add_to_count("exports of person 1", stretch=MINUTE, now=now)

    count = add_to_count("exports of person 1", stretch=MINUTE, now=now + MINUTE)

    assert count == 1


def test_counts_of_requests_have_no_personal_data(db: None) -> None:
    add_to_count("exports of person 1", stretch=MINUTE, now=timezone.now())

    assert "person" not in Tally.objects.get().key


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_are_each_counted() -> None:
    add_request = partial(add_to_count, "exports of person 1", stretch=MINUTE, now=timezone.now())

    counts = run_at_once(*[add_request] * 4)

    assert sorted(counts) == [1, 2, 3, 4]


def test_public_pages_may_be_cached() -> None:
    response = Client().get(reverse("web:help"))

    assert "no-store" not in response.get("Cache-Control", "")


@pytest.mark.parametrize("address", [reverse_lazy("agreements:list"), reverse_lazy("web:my-work"), "/nowhere/"])
def test_pages_of_signed_in_people_are_not_cached(world: World, address: str) -> None:
    response = signed_in(world.eddie).get(address)

    assert "no-store" in response["Cache-Control"]


@pytest.fixture
def document_of_other_partnership(world: World) -> Document:
    """Return a document of the Harbour Partnership, to which Larkhaven is invited."""
    document = add_document(
        partnership=world.other_partnership,
        title="Minutes",
        file=ContentFile(b"Minutes.\n", name="minutes.txt"),
        organisation=world.tidewater,
        author=world.chidi,
        now=timezone.now(),
    )
    invite_organisation(
        partnership=world.other_partnership,
        organisation=world.larkhaven,
        role="member",
        reason="We need them.",
        author=world.chidi,
        now=timezone.now(),
    )
    return document


def test_a_party_sees_the_documents_of_its_partnership(world: World, document_of_other_partnership: Document) -> None:
    documents = Document.objects.visible_to(world.hana)

    assert list(documents) == [document_of_other_partnership]


@pytest.mark.usefixtures("document_of_other_partnership")
def test_an_invited_party_sees_no_documents(world: World) -> None:
    documents = Document.objects.visible_to(world.amina)

    assert list(documents) == []


@pytest.mark.usefixtures("document_of_other_partnership")
def test_an_invited_party_sees_no_history(world: World) -> None:
    events = timeline(user=world.amina, kind="partnership", record_id=world.other_partnership.pk)

    assert list(events) == []


def test_the_index_groups_every_model_once_by_purpose(world: World) -> None:
    request = RequestFactory().get("/admin/")
    request.user = world.dee

    groups = admin.site.get_app_list(request)

    labels = {label for group in GROUPS.values() for label in group}
    rooms = {model._meta.app_label for model in admin.site._registry}
    assert labels <= rooms | {model._meta.label_lower for model in admin.site._registry}
    assert [group["name"] for group in groups] == list(GROUPS)
    model_names = [model["model"] for group in groups for model in group["models"]]
    assert len(model_names) == len(set(model_names)) > 50
    assert [app["app_label"] for app in admin.site.get_app_list(request, "plans")] == ["plans"]


def test_the_sidebar_of_a_list_leads_to_every_other_list(dee: Client) -> None:
    admin.site.enable_nav_sidebar = True  # the fixture that turned it off for all tests sets it back
    present_list = reverse("admin:organisations_organisation_changelist")

    html = dee.get(present_list).content.decode()

    sidebar = html.partition('id="nav-sidebar"')[2].partition("</nav>")[0]
    index = dee.get(reverse("admin:index")).context["app_list"]
    addresses = [model["admin_url"] for group in index for model in group["models"]]
    assert re.findall(r'<th scope="row" id="[a-z-]+"><a href="([^"]+)"', sidebar) == addresses
    assert sidebar.count("current-model") == 1
    assert f'<a href="{present_list}" aria-current="page">Organisations</a>' in sidebar
    assert reverse("admin:agreements_partnershipkind_add") in sidebar
