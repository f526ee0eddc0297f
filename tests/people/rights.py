"""The table of who may call each service of accounts."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialApp
from django.utils import timezone

from partnerships.people.administrators import grant_administration, withdraw_administration
from partnerships.people.identity_providers import remove_provider, save_provider
from partnerships.people.lead_times import choose_lead_times
from partnerships.people.models import User
from partnerships.people.personal_data import erase_person, export_person
from partnerships.people.services import change_details, close_account, remove_second_factors, reopen_account
from partnerships.people.view_as import begin_view_as
from tests.support.rights import ADMINISTRATOR, EVERYBODY, Row
from tests.world import World, person

#: The modules that contain this room's services.
MODULES = ("services", "administrators", "view_as", "personal_data", "identity_providers", "lead_times")
#: The calls change Vera's account, so Vera and administrators may make them.
OWN_OR_ADMINISTRATOR = ADMINISTRATOR | {"viewer"}


def _vera(world: World) -> User:
    """Return Vera as stored, because services change the object and a rollback does not restore it."""
    return User.objects.get(pk=world.vera.pk)


def _closed_account(world: World) -> User:
    vera = _vera(world)
    close_account(person=vera, author=world.dee, reason="Left.", now=timezone.now())
    return vera


def _with_second_factor(world: World) -> User:
    vera = _vera(world)
    Authenticator.objects.create(user=vera, type=Authenticator.Type.RECOVERY_CODES, data={})
    return vera


def _newcomer(world: World) -> User:
    """Return a person who acts for no organisation, as administrators must."""
    return person("Nell New", "nell@new.example")


def _other_administrator(world: World) -> User:
    nell = _newcomer(world)
    grant_administration(person=nell, author=world.dee, reason="A second one.", now=timezone.now())
    return nell


def _new_provider(world: World) -> SocialApp:
    return SocialApp(
        provider="openid_connect",
        provider_id="quay",
        name="Quay",
        client_id="quay",
        settings={"server_url": "https://sign-in.quay.example"},
    )


def _saved_provider(world: World) -> SocialApp:
    app = _new_provider(world)
    app.save()
    return app


def _with_reason(service: Any) -> Any:
    return lambda world, author, person: service(person=person, author=author, reason="Asked for.", now=timezone.now())


ROWS = (
    Row(
        "people.change_details",
        lambda world, author, vera: change_details(
            person=vera, name="Vera Larch", time_zone="Europe/Paris", author=author, now=timezone.now()
        ),
        OWN_OR_ADMINISTRATOR,
        prepare=_vera,
    ),
    Row(
        "people.export_person",
        lambda world, author, vera: export_person(person=vera, author=author, now=timezone.now()),
        OWN_OR_ADMINISTRATOR,
        prepare=_vera,
    ),
    Row(
        "people.choose_lead_times",
        lambda world, person, _: choose_lead_times(person=person, days={"reports": [7]}, now=timezone.now()),
        EVERYBODY - {"stakeholder"},
    ),
    Row("people.close_account", _with_reason(close_account), ADMINISTRATOR, prepare=_vera),
    Row("people.reopen_account", _with_reason(reopen_account), ADMINISTRATOR, prepare=_closed_account),
    Row("people.erase_person", _with_reason(erase_person), ADMINISTRATOR, prepare=_vera),
    Row(
        "people.remove_second_factors", _with_reason(remove_second_factors), ADMINISTRATOR, prepare=_with_second_factor
    ),
    Row("people.grant_administration", _with_reason(grant_administration), ADMINISTRATOR, prepare=_newcomer),
    Row(
        "people.withdraw_administration",
        _with_reason(withdraw_administration),
        ADMINISTRATOR,
        prepare=_other_administrator,
    ),
    Row(
        "people.begin_view_as",
        lambda world, author, vera: begin_view_as(
            administrator=author, person=vera, reason="She asked.", now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=_vera,
    ),
    Row(
        "people.save_provider",
        lambda world, author, app: save_provider(app=app, author=author, reason="New.", now=timezone.now()),
        ADMINISTRATOR,
        prepare=_new_provider,
    ),
    Row(
        "people.remove_provider",
        lambda world, author, app: remove_provider(app=app, author=author, now=timezone.now()),
        ADMINISTRATOR,
        prepare=_saved_provider,
    ),
)
WITHOUT_A_PERSON = {
    "people.record_address_change": "follows allauth's proof of the new address",
    "people.recipient_ids": "reads only",
    "people.create_invitation": "part of another service, inside its transaction",
    "people.erased_address": "reads only",
    "people.chosen_lead_times": "reads only",
    "people.lock_with_administrators": "locks rows for another service",
    "people.journal_administration": "part of another service, inside its transaction",
    "people.set_administration": "part of another service, inside its transaction",
    "people.email_administration_change": "part of another service, inside its transaction",
}
