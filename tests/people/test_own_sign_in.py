"""People sign in through their organisation's own provider (OpenID Connect), which some organisations require."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.models import Organisation
from partnerships.organisations.services import UnableToUpdateOrganisation, invite_member, update_organisation
from partnerships.people.identity_providers import provider_refusal, verified_address
from partnerships.people.services import find_person
from tests.people.own_sign_in import (
    is_signed_in,
    own_sign_in_offered,
    own_sign_in_required,
    provider,
    require_own_sign_in_here,
    sign_in_through_provider,
)
from tests.people.test_leaving_and_erasing import sign_in
from tests.support.outbox import deliver
from tests.support.signing_in import signed_in
from tests.world import PASSWORD as OURS
from tests.world import World, join
from tests.world import person as somebody

__all__ = ["own_sign_in_offered", "own_sign_in_required", "provider"]


def test_people_can_sign_in_through_their_organisations_provider(
    world: World, own_sign_in_required: None, provider: str
) -> None:
    client = sign_in_through_provider(world.vera.email, provider)

    assert is_signed_in(client)
    assert client.session["_auth_user_id"] == str(world.vera.pk)
    assert SocialAccount.objects.get(user=world.vera).provider == "larkhaven"


def test_people_can_sign_in_again_through_their_organisations_provider(
    world: World, own_sign_in_required: None, provider: str
) -> None:
    sign_in_through_provider(world.vera.email, provider)

    client = sign_in_through_provider(world.vera.email, provider)

    assert is_signed_in(client)
    assert SocialAccount.objects.filter(user=world.vera).count() == 1


def test_password_sign_in_is_refused_if_own_sign_in_is_required(world: World, own_sign_in_required: None) -> None:
    client = Client()

    client.post(reverse("account_login"), {"login": world.vera.email, "password": OURS})

    assert not is_signed_in(client)


def test_a_provider_cannot_sign_in_people_of_other_organisations(
    world: World, own_sign_in_required: None, provider: str
) -> None:
    client = sign_in_through_provider(world.ben.email, provider)

    assert not is_signed_in(client)
    assert not SocialAccount.objects.filter(user=world.ben).exists()


def test_an_address_that_the_provider_has_not_verified_is_refused(
    world: World, own_sign_in_required: None, provider: str
) -> None:
    client = sign_in_through_provider(world.eddie.email, provider)

    assert not is_signed_in(client)


def test_leavers_cannot_sign_in_through_the_provider(world: World, own_sign_in_required: None, provider: str) -> None:
    client_before_leaving = sign_in_through_provider(world.vera.email, provider)
    could_sign_in_before = is_signed_in(client_before_leaving)
    world.vera.is_active = False
    world.vera.save(update_fields=["is_active"])

    client = sign_in_through_provider(world.vera.email, provider)

    assert could_sign_in_before
    assert not is_signed_in(client)


def test_offering_own_sign_in_keeps_sessions_and_passwords(
    world: World, own_sign_in_offered: None, provider: str
) -> None:
    earlier_session = sign_in(world.vera)
    update_organisation(organisation=world.larkhaven, sign_in_provider="", author=world.dee, now=timezone.now())

    update_organisation(
        organisation=world.larkhaven, sign_in_provider="larkhaven", author=world.dee, now=timezone.now()
    )

    assert is_signed_in(earlier_session)
    assert is_signed_in(sign_in(world.vera))
    assert is_signed_in(sign_in_through_provider(world.vera.email, provider))


def test_own_sign_in_cannot_be_required_before_a_lead_has_used_it(
    world: World, own_sign_in_offered: None, provider: str
) -> None:
    amina = sign_in(world.amina)
    vera = sign_in_through_provider(world.vera.email, provider)
    address = reverse("organisations:settings", kwargs={"pk": world.larkhaven.pk})

    response = amina.post(address, {"own_sign_in_required": "on"})
    with pytest.raises(UnableToUpdateOrganisation, match="Ask a lead to try the page first"):
        require_own_sign_in_here(world)

    assert response.status_code == 422
    assert "Ask a lead to try the page first" in response.content.decode()
    assert is_signed_in(amina)
    assert is_signed_in(vera)
    assert is_signed_in(sign_in(world.eddie)), "Passwords still work."


def test_a_lead_who_has_used_own_sign_in_can_require_it(world: World, own_sign_in_offered: None, provider: str) -> None:
    amina = sign_in_through_provider(world.amina.email, provider)
    address = reverse("organisations:settings", kwargs={"pk": world.larkhaven.pk})

    response = amina.post(address, {"own_sign_in_required": "on"})

    assert response.status_code == 302
    world.larkhaven.refresh_from_db()
    assert world.larkhaven.own_sign_in_required


def test_requiring_own_sign_in_ends_password_sessions_and_emails_the_leads(
    world: World, own_sign_in_offered: None, provider: str
) -> None:
    client_of_vera = sign_in(world.vera)
    client_of_ben = sign_in(world.ben)
    sign_in_through_provider(world.amina.email, provider)
    deliver().clear()

    require_own_sign_in_here(world)

    assert not is_signed_in(client_of_vera)
    assert is_signed_in(client_of_ben), "He belongs to another organisation."
    assert [email.to for email in deliver()] == [[world.amina.email]]
    assert "People must now use the sign-in page “larkhaven”" in str(deliver()[0].body)
    assert "Single sign-on." in str(deliver()[0].body)


@pytest.fixture
def clock_since_requirement(world: World, own_sign_in_offered: None, provider: str) -> Iterator[time_machine.Traveller]:
    """Return a stopped clock that shows when Larkhaven began to require its own sign-in."""
    sign_in_through_provider(world.amina.email, provider)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        require_own_sign_in_here(world)
        yield clock


@pytest.mark.parametrize("time_since_requirement", [dt.timedelta(0), dt.timedelta(hours=23, minutes=55)])
def test_leads_can_sign_in_by_password_for_a_day_after_the_requirement(
    world: World, clock_since_requirement: time_machine.Traveller, time_since_requirement: dt.timedelta
) -> None:
    clock_since_requirement.shift(time_since_requirement)

    client = sign_in(world.amina)

    assert is_signed_in(client)


def test_people_who_are_not_leads_cannot_sign_in_by_password_after_the_requirement(
    world: World, clock_since_requirement: time_machine.Traveller
) -> None:
    client = sign_in(world.vera)

    assert not is_signed_in(client)


def test_leads_cannot_use_their_password_after_the_day(
    world: World, clock_since_requirement: time_machine.Traveller
) -> None:
    clock_since_requirement.shift(dt.timedelta(hours=23, minutes=55))
    earlier_client = sign_in(world.amina)
    was_signed_in = is_signed_in(earlier_client)
    clock_since_requirement.shift(dt.timedelta(minutes=20))

    new_client = sign_in(world.amina)

    assert was_signed_in
    assert not is_signed_in(new_client)
    assert not is_signed_in(earlier_client)


def test_a_lead_with_a_password_can_end_the_requirement_within_the_day(
    world: World, clock_since_requirement: time_machine.Traveller
) -> None:
    address = reverse("organisations:settings", kwargs={"pk": world.larkhaven.pk})
    clock_since_requirement.shift(dt.timedelta(hours=22))

    response = sign_in(world.amina).post(address, {"short_name": "Lark"})

    assert response.status_code == 302
    client_of_vera = sign_in(world.vera)
    assert is_signed_in(client_of_vera), "Everybody can use their password again."


@pytest.fixture
def other_provider() -> None:
    """Add a provider with the code "another", which nobody has used."""
    SocialApp.objects.create(
        provider="openid_connect",
        provider_id="another",
        name="Another",
        settings={"server_url": "https://another.example"},
    )


@pytest.mark.usefixtures("own_sign_in_required", "other_provider")
def test_a_new_provider_is_not_required_before_a_lead_has_used_it(world: World) -> None:
    with pytest.raises(UnableToUpdateOrganisation, match="Ask a lead to try the page first"):
        update_organisation(
            organisation=world.larkhaven,
            sign_in_provider="another",
            own_sign_in_required=True,
            author=world.dee,
            now=timezone.now(),
        )


@pytest.mark.usefixtures("own_sign_in_required", "other_provider")
def test_passwords_are_allowed_again_with_a_new_provider(world: World) -> None:
    update_organisation(organisation=world.larkhaven, sign_in_provider="another", author=world.dee, now=timezone.now())

    assert is_signed_in(sign_in(world.vera))


def admin_form_data(page: HttpResponse) -> dict[str, Any]:
    """Return the values of an organisation's form in Django admin, with a reason and without rows of other models."""
    form = page.context["adminform"].form  # type: ignore[attr-defined]  # the test client adds it
    values = {name: value for name, value in form.initial.items() if name in form.fields and value is not None}
    counts_of_inline_rows = {
        f"{inline.formset.prefix}-{name}": "0"
        for inline in page.context["inline_admin_formsets"]  # type: ignore[attr-defined]  # the test client adds it
        for name in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    return values | counts_of_inline_rows | {"reason": "Their lead asked for it."}


def test_administrators_choose_from_existing_providers(world: World, own_sign_in_offered: None) -> None:
    dee = signed_in(world.dee)
    address = reverse("admin:organisations_organisation_change", args=[world.larkhaven.pk])

    page = dee.get(address)
    response = dee.post(address, admin_form_data(page) | {"sign_in_provider": "nowhere"})

    assert '<select name="sign_in_provider"' in page.content.decode()
    assert '<option value="larkhaven" selected>Larkhaven (larkhaven)</option>' in page.content.decode()
    assert "nowhere is not one of the available choices" in response.content.decode()


def test_administrators_cannot_require_an_untried_provider(world: World, own_sign_in_offered: None) -> None:
    dee = signed_in(world.dee)
    address = reverse("admin:organisations_organisation_change", args=[world.larkhaven.pk])

    response = dee.post(address, admin_form_data(dee.get(address)) | {"own_sign_in_required": "on"})

    assert "Ask a lead to try the page first" in response.content.decode()


def test_administrators_can_end_own_sign_in(world: World, own_sign_in_offered: None) -> None:
    dee = signed_in(world.dee)
    address = reverse("admin:organisations_organisation_change", args=[world.larkhaven.pk])

    response = dee.post(address, admin_form_data(dee.get(address)) | {"sign_in_provider": ""})

    assert response.status_code == 302
    world.larkhaven.refresh_from_db()
    assert world.larkhaven.sign_in_provider == ""


def test_a_provider_that_does_not_answer_shows_an_error_at_sign_in(world: World, own_sign_in_offered: None) -> None:
    SocialApp.objects.update(settings={"server_url": "http://127.0.0.1:9"})

    response = Client().post(reverse("openid_connect_login", kwargs={"provider_id": "larkhaven"}), follow=True)

    assert response.redirect_chain == [(reverse("account_login"), 302)]
    assert "The sign-in page of Larkhaven is not responding" in response.content.decode()


def test_form_action_stays_strict_on_the_way_to_the_provider(world: World, own_sign_in_offered: None) -> None:
    pages = [
        Client().get(reverse("account_login")),
        Client().post(reverse("openid_connect_login", kwargs={"provider_id": "larkhaven"})),
    ]

    for page in pages:
        rules = page["Content-Security-Policy"].split("; ")
        assert [rule for rule in rules if rule.startswith("form-action")] == ["form-action 'self'"]


@pytest.mark.parametrize(
    ("email", "domains", "opens"),
    [
        ("una@larkhaven.example", [], False),
        ("una@larkhaven.example", ["westmarch.example"], False),
        ("una@larkhaven.example", ["larkhaven.example"], True),
        ("guest@elsewhere.example", ["larkhaven.example"], False),
        # The setting never overrides a provider that denies it.
        ("eddie@larkhaven.example", ["larkhaven.example"], False),
    ],
)
def test_verified_domains_count_if_the_provider_sends_no_email_verified(
    world: World, own_sign_in_offered: None, provider: str, email: str, domains: list[str], opens: bool
) -> None:
    person = find_person(email)
    if person is None:
        join(somebody("Una Larch", email), world.larkhaven, "viewer", timezone.now())
    app = SocialApp.objects.get()
    app.settings["verified_email"] = domains
    app.save()

    assert is_signed_in(sign_in_through_provider(email, provider)) is opens


def test_email_verified_as_the_text_false_is_not_verified() -> None:
    social_login = SocialLogin(
        account=SocialAccount(extra_data={"userinfo": {"email": "vera@larkhaven.example", "email_verified": "false"}}),
        email_addresses=[EmailAddress(email="vera@larkhaven.example", verified=True)],
    )

    assert verified_address(social_login) == ""


@pytest.mark.parametrize(
    ("provider_settings", "words"),
    [
        ({}, "need the address of the issuer"),
        ({"server_url": "ftp://sign-in.larkhaven.example"}, "need the address of the issuer"),
        ({"server_url": "https://login.microsoftonline.com/common/v2.0"}, "Enter the address of your own tenant"),
        (
            {"server_url": "https://login.microsoftonline.com/organizations/v2.0"},
            "Enter the address of your own tenant",
        ),
        ({"server_url": "https://sign-in.larkhaven.example", "verified_email": True}, "must be a list of domains"),
        ({"server_url": "https://sign-in.larkhaven.example", "verified_email": ["@x"]}, "must be a list of domains"),
        (
            {
                "server_url": "https://login.microsoftonline.com/3f2a6c1e-0000-4000-8000-000000000000/v2.0",
                "verified_email": ["larkhaven.example"],
            },
            "",
        ),
    ],
)
def test_settings_of_a_provider_are_validated(db: None, provider_settings: dict[str, Any], words: str) -> None:
    app = SocialApp(provider="openid_connect", provider_id="larkhaven", name="Larkhaven", settings=provider_settings)

    explanation = provider_refusal(app)

    assert words in explanation
    assert bool(explanation) is bool(words)


def test_password_sessions_end_within_ten_minutes_of_any_policy_change(world: World) -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        vera = sign_in(world.vera)
        assert is_signed_in(vera)
        Organisation.objects.filter(pk=world.larkhaven.pk).update(
            sign_in_provider="larkhaven", own_sign_in_required_at=start
        )

        clock.shift(dt.timedelta(minutes=10, seconds=1))
        response = vera.get(reverse("account_change_password"))

        assert response["Location"].startswith(reverse("account_login"))
        assert not is_signed_in(vera)


def test_joining_an_organisation_with_own_sign_in_ends_a_password_session(
    world: World, own_sign_in_required: None, provider: str
) -> None:
    ben = sign_in(world.ben)
    deliver().clear()
    invite_member(
        organisation=world.larkhaven,
        email=world.ben.email,
        role="viewer",
        author=world.amina,
        now=timezone.now(),
    )
    invitation_link = re.search(r"/organisations/invitations/[^/]+/", str(deliver()[-1].body))
    assert invitation_link

    ben.post(invitation_link[0])

    assert not is_signed_in(ben)
    assert is_signed_in(sign_in_through_provider(world.ben.email, provider))


def test_provider_sign_in_begins_only_with_a_post(world: World, own_sign_in_required: None) -> None:
    response = Client().get(reverse("openid_connect_login", kwargs={"provider_id": "larkhaven"}))

    assert response.status_code == 200
    assert "Location" not in response
