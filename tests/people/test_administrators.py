"""Administration is granted and withdrawn with a reason, within limits, and nobody misses it."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.kit.rights import UnableToAct
from partnerships.organisations.services import end_membership
from partnerships.people.administrators import (
    UnableToChangeAdministration,
    grant_administration,
    withdraw_administration,
)
from partnerships.people.models import SecurityEvent, User
from partnerships.people.personal_data import erase_person
from partnerships.people.second_factor import has_second_factor
from partnerships.people.services import (
    UnableToRemoveSecondFactor,
    close_account,
    remove_second_factors,
    reopen_account,
)
from tests.people.test_leaving_and_erasing import sign_in
from tests.support.outbox import deliver, recorded
from tests.support.signing_in import signed_in
from tests.world import World, person


@pytest.fixture
def dee(world: World) -> Client:
    """Return the browser of Dee, an administrator."""
    return signed_in(world.dee)


@pytest.fixture
def dara(world: World) -> User:
    """Return a person with an account and no membership."""
    return person("Dara Ground", "dara@commonground.example")


def make_administrator(new_administrator: User, world: World) -> None:
    """Grant administration to a person, as Dee."""
    grant_administration(person=new_administrator, author=world.dee, reason="Dee goes on leave.", now=timezone.now())


def create_sign_in_row(model: type[Model], world: World) -> Model:
    """Add a row to Amina's account with which she could sign in, and return it."""
    if model is EmailAddress:
        return EmailAddress.objects.create(user=world.amina, email="dee.again@commonground.example", verified=False)
    if model is Authenticator:
        return Authenticator.objects.create(user=world.amina, type="totp", data={"secret": "THESECRETOFHERAPP"})
    return SocialAccount.objects.create(user=world.amina, provider="larkhaven", uid="her-number-there")


@pytest.mark.parametrize("model", [EmailAddress, Authenticator, SocialAccount])
def test_admin_cannot_edit_rows_that_open_another_persons_account(
    world: World, dee: Client, model: type[Model]
) -> None:
    row = create_sign_in_row(model, world)
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    change = reverse(f"{name}_change", args=[row.pk])
    data = {"user": world.dee.pk, "email": "dee.again@commonground.example", "verified": "on", "primary": "on"}
    data |= {"type": "totp", "provider": "larkhaven", "uid": "of-dee", "data": "{}", "extra_data": "{}"}

    status_codes = [
        dee.post(change, data).status_code,
        dee.post(reverse(f"{name}_add"), data).status_code,
        dee.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code,
    ]
    dee.post(reverse(f"{name}_changelist"), {"action": "make_verified", "_selected_action": str(row.pk)}, follow=True)

    assert status_codes == [403, 403, 403]
    assert list(model._default_manager.filter(pk=row.pk).values()) == [
        {field.attname: getattr(row, field.attname) for field in model._meta.concrete_fields}
    ]


def test_admin_does_not_show_the_secret_of_an_authenticator_app(world: World, dee: Client) -> None:
    row = create_sign_in_row(Authenticator, world)

    response = dee.get(reverse("admin:mfa_authenticator_change", args=[row.pk]))

    assert response.status_code == 200
    assert "THESECRETOFHERAPP" not in response.content.decode()


def test_social_tokens_are_not_in_admin() -> None:
    assert SocialToken not in admin.site._registry


def test_administration_cannot_be_granted_without_a_reason(dee: Client, dara: User) -> None:
    response = dee.post(reverse("people:grant-administration", args=[dara.pk]), {"reason": " "})

    assert response.status_code == 422
    dara.refresh_from_db()
    assert not dara.is_staff


def test_an_administrator_grants_administration_on_the_persons_page(dee: Client, dara: User) -> None:
    response = dee.post(reverse("people:grant-administration", args=[dara.pk]), {"reason": "Dee goes on leave."})

    assert response.status_code == 302
    dara.refresh_from_db()
    assert dara.is_staff
    assert dara.is_superuser


def test_a_grant_of_administration_is_emailed_to_all_administrators(world: World, dara: User) -> None:
    deliver().clear()

    make_administrator(dara, world)

    emails = deliver()
    assert {email.to[0] for email in emails} == {"dara@commonground.example", "dee@commonground.example"}
    assert all("Dee goes on leave." in str(email.body) for email in emails)


def test_a_grant_of_administration_is_logged_with_its_reason(world: World, dara: User) -> None:
    make_administrator(dara, world)

    event = Event.objects.get(target_kind="person", target_id=dara.pk, kind="person.administration_granted")
    assert event.actor_id == world.dee.pk
    assert event.data["reason"] == "Dee goes on leave."
    assert event.data["after"] == {"administrator": True}
    assert SecurityEvent.objects.filter(person=dara, kind="administration").exists()


def test_a_new_administrator_must_sign_in_again(world: World, dara: User) -> None:
    daras_client = sign_in(dara)
    make_administrator(dara, world)

    response = daras_client.get(reverse("people:account"))

    assert response.status_code == 302


def test_administrators_cannot_remove_themselves(world: World, dee: Client) -> None:
    response = dee.post(reverse("people:withdraw-administration", args=[world.dee.pk]), {"reason": "Enough."})

    assert "You cannot remove yourself" in response.content.decode()


def test_withdrawing_administration_leaves_the_account_open(world: World, dara: User) -> None:
    make_administrator(dara, world)

    withdraw_administration(person=world.dee, author=dara, reason="Took another post.", now=timezone.now())

    world.dee.refresh_from_db()
    assert not world.dee.is_staff
    assert not world.dee.is_superuser
    assert world.dee.is_active


def test_withdrawing_administration_is_emailed_to_all_administrators(world: World, dara: User) -> None:
    make_administrator(dara, world)
    deliver().clear()

    withdraw_administration(person=world.dee, author=dara, reason="Took another post.", now=timezone.now())

    emails = deliver()
    assert {email.to[0] for email in emails} == {"dara@commonground.example", "dee@commonground.example"}


def test_a_former_administrator_cannot_grant_administration(world: World, dara: User) -> None:
    make_administrator(dara, world)
    withdraw_administration(person=world.dee, author=dara, reason="Took another post.", now=timezone.now())

    with pytest.raises(UnableToAct, match="You do not have permission"):
        grant_administration(person=world.dee, author=world.dee, reason="Back.", now=timezone.now())


def test_the_last_administrator_cannot_be_removed(world: World) -> None:
    with pytest.raises(UnableToChangeAdministration, match="The network needs an administrator"):
        withdraw_administration(person=world.dee, author=None, reason="By command.", now=timezone.now())


def test_a_member_of_an_organisation_cannot_administer(world: World) -> None:
    with pytest.raises(UnableToChangeAdministration, match="End those memberships first"):
        make_administrator(world.eddie, world)


def test_a_stakeholder_without_an_account_cannot_administer(world: World) -> None:
    with pytest.raises(UnableToChangeAdministration, match="cannot sign in"):
        make_administrator(world.sol, world)


def test_a_former_member_can_administer(world: World) -> None:
    end_membership(membership=world.eddie.memberships.get(), author=world.amina, now=timezone.now())

    make_administrator(world.eddie, world)

    assert User.objects.get(pk=world.eddie.pk).is_staff


#: What Dee sends to the forms of Django admin to make somebody an administrator.
ADMINISTRATOR_DATA = {"time_zone": "Europe/London", "is_staff": "on", "is_superuser": "on"}


def test_admin_form_does_not_add_a_person_as_an_administrator(dee: Client) -> None:
    data = ADMINISTRATOR_DATA | {"email": "new@commonground.example", "name": "New"}

    dee.post(reverse("admin:people_user_add"), data)

    new_person = User.objects.get(email="new@commonground.example")
    assert not new_person.is_staff
    assert not new_person.is_superuser


def test_admin_form_changes_only_the_name_of_a_person(dee: Client, dara: User) -> None:
    data = ADMINISTRATOR_DATA | {"email": "new@commonground.example", "name": "Dara Hill"}

    dee.post(reverse("admin:people_user_change", args=[dara.pk]), data)

    dara.refresh_from_db()
    assert dara.name == "Dara Hill"
    assert dara.email == "dara@commonground.example"
    assert not dara.is_staff


def test_change_of_a_person_in_the_admin_form_is_recorded(world: World, dee: Client, dara: User) -> None:
    dee.post(reverse("admin:people_user_change", args=[dara.pk]), {"name": "Dara Hill", "time_zone": "Europe/London"})

    event = Event.objects.get(target_kind="person", target_id=dara.pk)
    assert event.actor_id == world.dee.pk


def test_administrators_are_emailed_when_an_administrators_account_is_closed(world: World, dara: User) -> None:
    make_administrator(dara, world)
    deliver().clear()

    close_account(person=dara, author=world.dee, reason="Retired.", now=timezone.now())

    email_to_dara, email_to_dee = sorted(deliver(), key=lambda email: email.to)
    assert email_to_dara.to == ["dara@commonground.example"]
    assert email_to_dara.subject == "Your account on Common Ground has been closed"
    assert "Retired." in email_to_dara.body
    assert email_to_dee.to == ["dee@commonground.example"]


def test_a_reopened_account_is_no_longer_an_administrator(world: World, dara: User) -> None:
    make_administrator(dara, world)
    close_account(person=dara, author=world.dee, reason="Retired.", now=timezone.now())

    reopen_account(person=dara, author=world.dee, now=timezone.now(), reason="Back for a project.")

    dara.refresh_from_db()
    assert dara.is_active
    assert not dara.is_staff
    assert not dara.is_superuser


def test_an_erased_administrator_gets_no_email_about_the_closed_account(world: World, dara: User) -> None:
    make_administrator(dara, world)
    deliver().clear()
    close_account(person=dara, author=world.dee, reason="Retired.", now=timezone.now())

    erase_person(person=dara, author=world.dee, reason="Asked.", now=timezone.now())

    emails = deliver()
    assert [email.to for email in emails] == [["dee@commonground.example"]]
    assert [email.status for email in recorded("people.account_closed")] == ["suppressed"]


def add_second_factors(person: User) -> None:
    """Add an authenticator app and recovery codes to a person's account."""
    Authenticator.objects.create(user=person, type="totp", data={"secret": "x"})
    Authenticator.objects.create(user=person, type="recovery_codes", data={"seed": "x", "used_mask": 0})


def test_lost_second_factors_cannot_be_removed_without_a_reason(world: World, dee: Client) -> None:
    add_second_factors(world.eddie)

    response = dee.post(reverse("people:remove-second-factor", args=[world.eddie.pk]), {"reason": ""})

    assert response.status_code == 422
    assert has_second_factor(world.eddie)


def test_an_administrator_removes_lost_second_factors(world: World, dee: Client) -> None:
    add_second_factors(world.eddie)

    response = dee.post(reverse("people:remove-second-factor", args=[world.eddie.pk]), {"reason": "He lost his phone."})

    assert response.status_code == 302
    assert not Authenticator.objects.filter(user=world.eddie).exists()
    assert Event.objects.filter(target_id=world.eddie.pk, kind="person.second_factor_removed").exists()
    assert SecurityEvent.objects.filter(person=world.eddie, kind="second_factor_changed").exists()


def remove_eddies_second_factors(world: World) -> None:
    """Remove Eddie's second factors, as Dee."""
    remove_second_factors(person=world.eddie, author=world.dee, reason="He lost his phone.", now=timezone.now())


def test_removing_lost_second_factors_emails_the_person(world: World) -> None:
    add_second_factors(world.eddie)
    deliver().clear()

    remove_eddies_second_factors(world)

    (email,) = deliver()
    assert email.to == ["eddie@larkhaven.example"]
    assert "He lost his phone." in email.body


def test_removing_lost_second_factors_signs_the_person_out(world: World) -> None:
    eddies_client = sign_in(world.eddie)
    add_second_factors(world.eddie)
    remove_eddies_second_factors(world)

    response = eddies_client.get(reverse("people:account"))

    assert response.status_code == 302


def test_administrators_cannot_remove_their_own_second_factors(world: World) -> None:
    with pytest.raises(UnableToRemoveSecondFactor, match="You cannot remove your own second factor here"):
        remove_second_factors(person=world.dee, author=world.dee, reason="Mine.", now=timezone.now())


def test_a_name_of_spaces_counts_as_no_name() -> None:
    person = User(email="amina@larkhaven.example", name="  ")

    assert person.get_full_name() == "amina"
    assert person.get_short_name() == "amina"
