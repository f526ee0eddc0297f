"""Passwords, second factors, links and sign-in pages that ended since the backup do not come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from allauth.account.signals import email_changed, password_changed
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_removed
from allauth.socialaccount.models import SocialApp
from django.conf import settings as django_settings
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils import timezone

from partnerships.agreements.links import read_terms_token, terms_token
from partnerships.agreements.models import TermsSignatory
from partnerships.agreements.services import ask_new_signers, change_status
from partnerships.digests.models import Preference
from partnerships.digests.services import renew_links
from partnerships.kit import journal, link_keys
from partnerships.organisations.services import update_organisation
from partnerships.people.identity_providers import remove_provider, save_provider
from partnerships.people.models import User
from partnerships.people.services import remove_second_factors
from partnerships.plans.links import read_sign_off_token, sign_off_token
from partnerships.plans.models import Signatory
from partnerships.plans.services.signatories import ask_all_again
from tests.faults.restore import left, lost, redo
from tests.plans.drafts import ask_signatures, published_plan
from tests.support.terms import draft, first_proposal, put_up
from tests.world import World


@pytest.fixture(autouse=True)
def journal_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests roll back what the journal is to remember."""
    monkeypatch.setattr(journal, "note", journal.write)


def request() -> HttpRequest:
    """Return a request as allauth's signals bring it."""
    request = RequestFactory().post("/")
    request.session = SessionStore()
    return request


def change_password(person: User, password: str) -> None:
    """Do what allauth does when somebody changes their password."""
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
    assert outcome["people who must choose a new password"].count == 1
    text = "".join(path.read_text() for path in Path(django_settings.JOURNAL_ROOT).glob("*.jsonl"))
    assert "leaked" not in text
    assert ben.password not in text


def test_password_chosen_after_the_restore_stays(world: World) -> None:
    with lost():
        change_password(User.objects.get(pk=world.ben.pk), "a new one that is safe")
    redo()
    change_password(User.objects.get(pk=world.ben.pk), "the newest one of all")

    outcome = redo()

    assert User.objects.get(pk=world.ben.pk).check_password("the newest one of all")
    assert outcome["people who must choose a new password"].count == 0


def test_removed_second_factor_is_removed_and_the_password_with_it(world: World) -> None:
    removed_factor = factor(world.ben)
    with lost():
        Authenticator.objects.filter(pk=removed_factor.pk).delete()
        authenticator_removed.send(
            sender=Authenticator, request=request(), user=world.ben, authenticator=removed_factor
        )

    redo()

    assert not Authenticator.objects.filter(user=world.ben).exists()
    assert not User.objects.get(pk=world.ben.pk).has_usable_password()


def test_other_second_factor_and_the_password_stay(world: World) -> None:
    gone = factor(world.ben)
    kept = factor(world.ben, Authenticator.Type.WEBAUTHN)
    with lost():
        Authenticator.objects.filter(pk=gone.pk).delete()
        authenticator_removed.send(sender=Authenticator, request=request(), user=world.ben, authenticator=gone)

    redo()

    assert list(Authenticator.objects.filter(user=world.ben)) == [kept]
    assert User.objects.get(pk=world.ben.pk).has_usable_password()


def test_second_factors_that_an_administrator_removed_are_removed(world: World) -> None:
    factor(world.ben)
    with lost():
        remove_second_factors(person=world.ben, author=world.dee, reason="Lost.", now=timezone.now())

    redo()
    second_result = redo()

    assert not Authenticator.objects.filter(user=world.ben).exists()
    assert second_result["second factors removed again"].count == 0


def test_changed_address_is_named(world: World) -> None:
    with lost():
        email_changed.send(sender=User, request=request(), user=world.ben)

    assert left(redo()) == [
        f"person {world.ben.pk}: has their earlier address, so ask them for the new one",
    ]


def test_only_the_newest_links_of_digests_open(world: World) -> None:
    before = Preference.objects.get_or_create(person=world.ben)[0].link_key
    with lost():
        renew_links(person=world.ben, author=world.ben, now=timezone.now())
        newest = Preference.objects.get(person=world.ben).link_key

    redo()
    link_key = Preference.objects.get(person=world.ben).link_key
    second_result = redo()

    assert before != newest == link_key
    assert second_result["people whose links in emails were ended again"].count == 0


def test_only_the_newest_links_to_sign_a_plan_open(world: World) -> None:
    plan = published_plan(world)
    ask_signatures(plan, world)
    signatory = plan.signatories.get(organisation=world.westmarch)
    ended = sign_off_token(signatory, world.ben, 1)
    with lost():
        ask_all_again(plan, author=None, now=timezone.now())
        between = sign_off_token(Signatory.objects.get(pk=signatory.pk), world.ben, 1)
        ask_all_again(plan, author=None, now=timezone.now())
        newest = sign_off_token(Signatory.objects.get(pk=signatory.pk), world.ben, 1)

    outcome = redo()
    second_result = redo()

    opens = {token: read_sign_off_token(token) is not None for token in (ended, between, newest)}
    assert opens == {ended: False, between: False, newest: True}
    assert outcome["links to sign plans renewed again"].count == 2
    assert second_result["links to sign plans renewed again"].count == 0


def test_links_whose_newest_key_is_unknown_end_and_are_named(world: World, settings: Any) -> None:
    plan = published_plan(world)
    ask_signatures(plan, world)
    signatory = plan.signatories.get(organisation=world.westmarch)
    with lost():
        ask_all_again(plan, author=None, now=timezone.now())

    settings.SECRET_KEY = "another one, without a fallback to the one before it"
    token = sign_off_token(signatory, world.ben, 1)
    outcome = redo()
    again = redo()

    assert read_sign_off_token(token) is None
    assert (
        f"signatory {signatory.pk}: the links no longer work, including those sent since the backup, so ask the person "
        "again" in left(outcome)
    )
    assert left(again) == []


def test_no_ended_link_opens_if_the_newest_key_is_not_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_keys, "MAX_STEPS", 1)
    plan = published_plan(world)
    ask_signatures(plan, world)
    signatory = plan.signatories.get(organisation=world.westmarch)
    tokens = [sign_off_token(signatory, world.ben, 1)]
    with lost():
        for _ in range(2):
            ask_all_again(plan, author=None, now=timezone.now())
            tokens.append(sign_off_token(Signatory.objects.get(pk=signatory.pk), world.ben, 1))

    redo()

    assert [read_sign_off_token(token) for token in tokens] == [None, None, None]


def test_only_the_newest_links_to_sign_terms_open(world: World) -> None:
    change_status(
        partnership=world.partnership, status="drafting", reason="Agreed.", author=world.amina, now=timezone.now()
    )
    terms = draft(first_proposal(world.partnership), world.amina, text="We meet.", review_on="2099-01-01")
    signatory = put_up(terms, world.amina).signatories.get(organisation=world.larkhaven)
    ended = terms_token(signatory, world.amina)
    with lost():  # Lena, who was asked first, has left
        TermsSignatory.objects.filter(pk=signatory.pk).update(asked_people=[world.lena.pk])
        ask_new_signers(now=timezone.now())
        newest = terms_token(TermsSignatory.objects.get(pk=signatory.pk), world.amina)

    redo()

    assert read_terms_token(ended) is None
    assert read_terms_token(newest) is not None


def test_removed_sign_in_page_is_removed_and_a_changed_one_named(world: World) -> None:
    removed = provider()
    changed = provider("dock")
    removed.save()
    changed.save()
    with lost():
        remove_provider(app=SocialApp.objects.get(pk=removed.pk), author=world.dee, now=timezone.now())
        moved = SocialApp.objects.get(pk=changed.pk)
        moved.settings = {"server_url": "https://other.dock.example"}
        save_provider(app=moved, author=world.dee, reason="Moved.", now=timezone.now())

    outcome = redo()

    assert list(SocialApp.objects.all()) == [changed]
    assert left(outcome) == [f"sign-in page {changed.pk}: was changed to another directory, so change it again"]


def test_organisation_that_signs_in_otherwise_is_named(world: World) -> None:
    provider().save()
    with lost():
        update_organisation(organisation=world.larkhaven, author=world.dee, now=timezone.now(), sign_in_provider="quay")

    [words] = left(redo())

    assert words.startswith(f"organisation {world.larkhaven.pk}: its people sign in as they did before a change")
