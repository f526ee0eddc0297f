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
from partnerships.people.models import User
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
    sign_in_through_provider(world.vera.email, provider)
    world.vera.is_active = False
    world.vera.save(update_fields=["is_active"])

    client = sign_in_through_provider(world.vera.email, provider)

    assert not is_signed_in(client)


def offer_own_sign_in_again(world: World) -> None:
    """Let Larkhaven stop offering its own sign-in, and offer it again."""
    for code in ("", "larkhaven"):
        update_organisation(organisation=world.larkhaven, sign_in_provider=code, author=world.dee, now=timezone.now())


def test_offering_own_sign_in_keeps_sessions(world: World, own_sign_in_offered: None) -> None:
    earlier_session = sign_in(world.vera)

    offer_own_sign_in_again(world)

    assert is_signed_in(earlier_session)


def test_people_can_still_use_their_password_if_own_sign_in_is_offered(world: World, own_sign_in_offered: None) -> None:
    client = sign_in(world.vera)

    assert is_signed_in(client)


def test_people_can_sign_in_through_the_provider_if_own_sign_in_is_offered(
    world: World, own_sign_in_offered: None, provider: str
) -> None:
    client = sign_in_through_provider(world.vera.email, provider)

    assert is_signed_in(client)


def test_page_refuses_to_require_own_sign_in_before_a_lead_has_used_it(world: World, own_sign_in_offered: None) -> None:
    address = reverse("organisations:settings", args=[world.larkhaven.pk])

    response = sign_in(world.amina).post(address, {"own_sign_in_required": "on"})

    assert response.status_code == 422
    assert "Ask a lead to try the page first" in response.content.decode()


def test_own_sign_in_cannot_be_required_before_a_lead_has_used_it(
    world: World, own_sign_in_offered: None, provider: str
) -> None:
    sign_in_through_provider(world.vera.email, provider)  # Vera does not lead

    with pytest.raises(UnableToUpdateOrganisation, match="Ask a lead to try the page first"):
        require_own_sign_in_here(world)

    world.larkhaven.refresh_from_db()
    assert not world.larkhaven.own_sign_in_required


def test_a_lead_who_has_used_own_sign_in_can_require_it(world: World, own_sign_in_offered: None, provider: str) -> None:
    amina = sign_in_through_provider(world.amina.email, provider)
    address = reverse("organisations:settings", kwargs={"pk": world.larkhaven.pk})

    response = amina.post(address, {"own_sign_in_required": "on"})

    assert response.status_code == 302
    world.larkhaven.refresh_from_db()
    assert world.larkhaven.own_sign_in_required


@pytest.fixture
def own_sign_in_used_by_lead(world: World, own_sign_in_offered: None, provider: str) -> None:
    """Let Amina, who leads Larkhaven, use its own sign-in, so that Larkhaven may require it."""
    sign_in_through_provider(world.amina.email, provider)


def test_requiring_own_sign_in_ends_the_password_sessions_of_its_people(
    world: World, own_sign_in_used_by_lead: None
) -> None:
    client_of_vera = sign_in(world.vera)

    require_own_sign_in_here(world)

    assert not is_signed_in(client_of_vera)


def test_requiring_own_sign_in_keeps_the_sessions_of_other_organisations(
    world: World, own_sign_in_used_by_lead: None
) -> None:
    client_of_ben = sign_in(world.ben)

    require_own_sign_in_here(world)

    assert is_signed_in(client_of_ben)


def test_requiring_own_sign_in_is_emailed_to_the_leads(world: World, own_sign_in_used_by_lead: None) -> None:
    deliver().clear()

    require_own_sign_in_here(world)

    (email,) = deliver()
    assert email.to == ["amina@larkhaven.example"]
    assert "People must now use the sign-in page “larkhaven”" in email.body
    assert "Single sign-on." in email.body


@pytest.fixture
def clock_since_requirement(world: World, own_sign_in_used_by_lead: None) -> Iterator[time_machine.Traveller]:
    """Return a stopped clock that shows when Larkhaven began to require its own sign-in."""
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


def test_leads_cannot_sign_in_by_password_after_the_day(
    world: World, clock_since_requirement: time_machine.Traveller
) -> None:
    clock_since_requirement.shift(dt.timedelta(hours=24, minutes=15))

    client = sign_in(world.amina)

    assert not is_signed_in(client)


def test_password_session_of_a_lead_ends_after_the_day(
    world: World, clock_since_requirement: time_machine.Traveller
) -> None:
    clock_since_requirement.shift(dt.timedelta(hours=23, minutes=55))
    client = sign_in(world.amina)

    clock_since_requirement.shift(dt.timedelta(minutes=20))

    assert not is_signed_in(client)


def end_requirement_as_amina(world: World) -> HttpResponse:
    """End the requirement on the page of Larkhaven's settings, as Amina with her password."""
    return sign_in(world.amina).post(
        reverse("organisations:settings", args=[world.larkhaven.pk]), {"short_name": "Lark"}
    )


def test_a_lead_with_a_password_can_end_the_requirement_within_the_day(
    world: World, clock_since_requirement: time_machine.Traveller
) -> None:
    clock_since_requirement.shift(dt.timedelta(hours=22))

    response = end_requirement_as_amina(world)

    world.larkhaven.refresh_from_db()
    assert response.status_code == 302
    assert not world.larkhaven.own_sign_in_required


def test_everybody_can_use_their_password_after_the_requirement_ended(
    world: World, clock_since_requirement: time_machine.Traveller
) -> None:
    end_requirement_as_amina(world)

    client = sign_in(world.vera)

    assert is_signed_in(client)


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

    client = sign_in(world.vera)

    assert is_signed_in(client)


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


@pytest.mark.usefixtures("own_sign_in_offered")
def test_sign_in_page_allows_forms_only_to_this_site() -> None:
    page = Client().get(reverse("account_login"))

    assert "form-action 'self'" in page["Content-Security-Policy"].split("; ")


@pytest.mark.usefixtures("own_sign_in_offered")
def test_page_on_the_way_to_the_provider_allows_forms_only_to_this_site() -> None:
    page = Client().post(reverse("openid_connect_login", kwargs={"provider_id": "larkhaven"}))

    assert "form-action 'self'" in page["Content-Security-Policy"].split("; ")


@pytest.fixture
def una(world: World) -> User:
    """Return Una of Larkhaven, about whom the provider does not say whether her address is verified."""
    una = somebody("Una Larch", "una@larkhaven.example")
    join(una, world.larkhaven, "viewer", timezone.now())
    return una


def trust_domains(*domains: str) -> None:
    """Count addresses of these domains as verified, unless the provider denies it."""
    app = SocialApp.objects.get()
    app.settings["verified_email"] = list(domains)
    app.save()


@pytest.mark.usefixtures("own_sign_in_offered", "una")
def test_address_of_a_trusted_domain_counts_as_verified(provider: str) -> None:
    trust_domains("larkhaven.example")

    client = sign_in_through_provider("una@larkhaven.example", provider)

    assert is_signed_in(client)


@pytest.mark.usefixtures("own_sign_in_offered", "una")
@pytest.mark.parametrize("domains", [[], ["westmarch.example"]], ids=["no domain", "another domain"])
def test_address_outside_the_trusted_domains_is_refused(provider: str, domains: list[str]) -> None:
    trust_domains(*domains)

    client = sign_in_through_provider("una@larkhaven.example", provider)

    assert not is_signed_in(client)


@pytest.mark.usefixtures("own_sign_in_offered")
def test_guest_in_the_directory_with_an_address_of_another_domain_is_refused(world: World, provider: str) -> None:
    join(somebody("Gus Guest", "guest@elsewhere.example"), world.larkhaven, "viewer", timezone.now())
    trust_domains("larkhaven.example")

    client = sign_in_through_provider("guest@elsewhere.example", provider)

    assert not is_signed_in(client)


@pytest.mark.usefixtures("own_sign_in_offered")
def test_trusted_domain_does_not_override_a_provider_that_denies_an_address(world: World, provider: str) -> None:
    trust_domains("larkhaven.example")

    client = sign_in_through_provider(world.eddie.email, provider)

    assert not is_signed_in(client)


def test_email_verified_as_the_text_false_is_not_verified() -> None:
    social_login = SocialLogin(
        account=SocialAccount(extra_data={"userinfo": {"email": "vera@larkhaven.example", "email_verified": "false"}}),
        email_addresses=[EmailAddress(email="vera@larkhaven.example", verified=True)],
    )

    address = verified_address(social_login)

    assert address == ""


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
        Organisation.objects.filter(pk=world.larkhaven.pk).update(
            sign_in_provider="larkhaven", own_sign_in_required_at=start
        )
        clock.shift(dt.timedelta(minutes=10, seconds=1))

        response = vera.get(reverse("account_change_password"))

    assert response["Location"].startswith("/accounts/login/")
    assert "_auth_user_id" not in vera.session


def accept_invitation_to_larkhaven(world: World, ben: Client) -> None:
    """Invite Ben to Larkhaven, and follow the link in his email."""
    deliver().clear()
    invite_member(
        organisation=world.larkhaven,
        email=world.ben.email,
        role="viewer",
        author=world.amina,
        now=timezone.now(),
    )
    link = re.search(r"/organisations/invitations/[^/]+/", str(deliver()[-1].body))
    assert link
    ben.post(link[0])


def test_joining_an_organisation_with_own_sign_in_ends_a_password_session(
    world: World, own_sign_in_required: None
) -> None:
    ben = sign_in(world.ben)

    accept_invitation_to_larkhaven(world, ben)

    assert not is_signed_in(ben)


def test_person_who_joined_an_organisation_signs_in_through_its_provider(
    world: World, own_sign_in_required: None, provider: str
) -> None:
    accept_invitation_to_larkhaven(world, sign_in(world.ben))

    client = sign_in_through_provider(world.ben.email, provider)

    assert is_signed_in(client)


def test_provider_sign_in_begins_only_with_a_post(world: World, own_sign_in_required: None) -> None:
    response = Client().get(reverse("openid_connect_login", kwargs={"provider_id": "larkhaven"}))

    assert response.status_code == 200
    assert "Location" not in response
