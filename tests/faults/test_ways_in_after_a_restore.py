"""Passwords, second factors, links and sign-in pages that ended since the backup do not come back."""

from __future__ import annotations

from pathlib import Path

import pytest
from allauth.account.signals import email_changed, password_changed
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_removed
from allauth.socialaccount.models import SocialApp
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils import timezone

from partnerships.digests.models import Preference
from partnerships.digests.services import renew_links
from partnerships.kit import journal
from partnerships.organisations.services import update_organisation
from partnerships.people.identity_providers import keep_provider, remove_provider
from partnerships.people.models import User
from partnerships.people.services import remove_second_factors
from tests.faults.restore import left, lost, redo
from tests.world import World

NOW = timezone.now


@pytest.fixture(autouse=True)
def journal_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests roll back what the journal is to remember."""
    monkeypatch.setattr(journal, "note", journal.write)


def request() -> HttpRequest:
    """A request as allauth's signals bring it."""
    made = RequestFactory().post("/")
    made.session = SessionStore()
    return made


def change_password(person: User, password: str) -> None:
    """What allauth does when somebody changes their password."""
    person.set_password(password)
    person.save()
    password_changed.send(sender=User, request=request(), user=person)


def factor(person: User, kind: str = Authenticator.Type.TOTP) -> Authenticator:
    return Authenticator.objects.create(user=person, type=kind, data={})


def provider(name: str = "quay") -> SocialApp:
    return SocialApp(
        provider="openid_connect",
        provider_id=name,
        name=name,
        client_id=name,
        settings={"server_url": f"https://sign-in.{name}.example"},
    )


def test_old_password_opens_nothing(world: World) -> None:
    change_password(world.ben, "the one that leaked")
    with lost():
        change_password(User.objects.get(pk=world.ben.pk), "a new one that is safe")

    outcome = redo()

    ben = User.objects.get(pk=world.ben.pk)
    assert not ben.has_usable_password()
    assert outcome["people who must choose a new password"].done == 1
    text = "".join(path.read_text() for path in Path(settings.JOURNAL_ROOT).glob("*.jsonl"))
    assert "leaked" not in text
    assert ben.password not in text


def test_password_chosen_after_the_restore_stays(world: World) -> None:
    with lost():
        change_password(User.objects.get(pk=world.ben.pk), "a new one that is safe")
    redo()
    change_password(User.objects.get(pk=world.ben.pk), "the newest one of all")

    outcome = redo()

    assert User.objects.get(pk=world.ben.pk).check_password("the newest one of all")
    assert outcome["people who must choose a new password"].done == 0


def test_removed_second_factor_is_removed_and_the_password_with_it(world: World) -> None:
    gone = factor(world.ben)
    with lost():
        Authenticator.objects.filter(pk=gone.pk).delete()
        authenticator_removed.send(sender=Authenticator, request=request(), user=world.ben, authenticator=gone)

    redo()

    assert not Authenticator.objects.filter(user=world.ben).exists()
    assert not User.objects.get(pk=world.ben.pk).has_usable_password()


def test_other_second_factor_and_the_password_stay(world: World) -> None:
    gone, kept = factor(world.ben), factor(world.ben, Authenticator.Type.WEBAUTHN)
    with lost():
        Authenticator.objects.filter(pk=gone.pk).delete()
        authenticator_removed.send(sender=Authenticator, request=request(), user=world.ben, authenticator=gone)

    redo()

    assert list(Authenticator.objects.filter(user=world.ben)) == [kept]
    assert User.objects.get(pk=world.ben.pk).has_usable_password()


def test_second_factors_that_an_administrator_removed_are_removed(world: World) -> None:
    factor(world.ben)
    with lost():
        remove_second_factors(person=world.ben, author=world.dee, reason="Lost.", now=NOW())

    redo()
    again = redo()

    assert not Authenticator.objects.filter(user=world.ben).exists()
    assert again["second factors removed again"].done == 0


def test_changed_address_is_named(world: World) -> None:
    with lost():
        email_changed.send(sender=User, request=request(), user=world.ben)

    assert left(redo()) == [
        f"person {world.ben.pk}: has the address of before a change; ask them for the new one",
    ]


def test_renewed_links_end_again_and_only_once(world: World) -> None:
    before = Preference.objects.get_or_create(person=world.ben)[0].link_key
    with lost():
        renew_links(person=world.ben, author=world.ben, now=NOW())

    redo()
    renewed = Preference.objects.get(person=world.ben).link_key
    redo()

    assert renewed != before
    assert Preference.objects.get(person=world.ben).link_key == renewed


def test_removed_sign_in_page_is_removed_and_a_changed_one_named(world: World) -> None:
    removed, changed = provider(), provider("dock")
    removed.save()
    changed.save()
    with lost():
        remove_provider(app=SocialApp.objects.get(pk=removed.pk), author=world.dee, now=NOW())
        moved = SocialApp.objects.get(pk=changed.pk)
        moved.settings = {"server_url": "https://other.dock.example"}
        keep_provider(app=moved, author=world.dee, reason="Moved.", now=NOW())

    outcome = redo()

    assert list(SocialApp.objects.all()) == [changed]
    assert left(outcome) == [f"sign-in page {changed.pk}: was changed to another directory; change it again"]


def test_organisation_that_signs_in_otherwise_is_named(world: World) -> None:
    provider().save()
    with lost():
        update_organisation(organisation=world.larkhaven, author=world.dee, now=NOW(), sign_in_provider="quay")

    [words] = left(redo())

    assert words.startswith(f"organisation {world.larkhaven.pk}: its people sign in as before a change")
