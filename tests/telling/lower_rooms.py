"""Calls of services of people, organisations and agreements that send emails, with who gets each."""

from __future__ import annotations

import datetime as dt

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialApp
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Party, Post
from partnerships.agreements.services import (
    ContactDetails,
    answer_invitation,
    create_post,
    fill_post,
    give_notice,
    invite_organisation,
    leave_partnership,
    record_due_steps,
    remind_of_dates,
    remove_party,
)
from partnerships.kit.dates import known_day
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Membership
from partnerships.people.administrators import grant_administration, withdraw_administration
from partnerships.people.identity_providers import remove_provider, save_provider
from partnerships.people.models import User
from partnerships.people.password_reset import ask_for_password_reset
from partnerships.people.security import record_sign_in
from partnerships.people.services import close_account, remove_second_factors
from tests.telling.case import Act, case
from tests.world import PASSWORD, World, person

# ---- People


@case(("people.new_sign_in", "eddie"))
def sign_in_from_a_new_place(world: World) -> Act:
    record_sign_in(person=world.eddie, now=world.now, ip="192.0.2.1", user_agent="Firefox")
    return lambda: record_sign_in(person=world.eddie, now=timezone.now(), ip="198.51.100.4", user_agent="Firefox")


def _dara(world: World) -> User:
    world.things["dara"] = person("Dara Ground", "dara@commonground.example")
    return world.things["dara"]


def _grant(world: World, dara: User) -> None:
    grant_administration(person=dara, author=world.dee, reason="Dee goes on leave.", now=timezone.now())


@case(("people.administration", "dara"), ("people.administration", "dee"))
def administration_granted(world: World) -> Act:
    dara = _dara(world)
    return lambda: _grant(world, dara)


@case(("people.administration", "dara"), ("people.administration", "dee"))
def administration_withdrawn(world: World) -> Act:
    dara = _dara(world)
    _grant(world, dara)
    return lambda: withdraw_administration(person=dara, author=world.dee, reason="Dee is back.", now=timezone.now())


@case(("people.administration", "dee"), ("people.account_closed", "dara"))
def account_of_an_administrator_closed(world: World) -> Act:
    dara = _dara(world)
    _grant(world, dara)
    return lambda: close_account(person=dara, author=world.dee, reason="Retired.", now=timezone.now())


@case(("people.second_factor_removed", "eddie"))
def second_factors_removed(world: World) -> Act:
    Authenticator.objects.create(user=world.eddie, type="totp", data={"secret": "x"})
    return lambda: remove_second_factors(
        person=world.eddie, author=world.dee, reason="Lost his phone.", now=timezone.now()
    )


def _provider() -> SocialApp:
    return SocialApp(
        provider="openid_connect",
        provider_id="larkhaven",
        name="Larkhaven",
        client_id="x",
        settings={"server_url": "https://sign-in.larkhaven.example"},
    )


@case(("people.sign_in_provider", "amina"), ("people.sign_in_provider", "dee"))
def sign_in_provider_changed(world: World) -> Act:
    app = _provider()
    save_provider(app=app, author=world.dee, reason="Asked for.", now=timezone.now())
    type(world.larkhaven).objects.filter(pk=world.larkhaven.pk).update(sign_in_provider="larkhaven")
    app.name = "Larkhaven Homes"
    return lambda: save_provider(app=app, author=world.dee, reason="Renamed.", now=timezone.now())


@case(("people.sign_in_provider", "dee"))
def sign_in_provider_removed(world: World) -> Act:
    app = _provider()
    save_provider(app=app, author=world.dee, reason="Asked for.", now=timezone.now())
    return lambda: remove_provider(app=app, author=world.dee, reason="Not used.", now=timezone.now())


@case(("people.password_reset", ""))
def password_reset_asked(world: World) -> Act:
    return lambda: ask_for_password_reset(address=world.amina.email, now=timezone.now())


@case(("people.account", "eddie"))
def password_changed(world: World) -> Act:
    client = Client()
    client.post(reverse("account_login"), {"login": world.eddie.email, "password": PASSWORD})
    new = {"oldpassword": PASSWORD, "password1": "four other quiet words", "password2": "four other quiet words"}
    return lambda: client.post(reverse("account_change_password"), new)


# ---- Organisations


def invite_nina(world: World, author: User, **more: str) -> Membership:
    return organisations.invite_member(
        organisation=world.larkhaven,
        email="nina@larkhaven.example",
        name="Nina Larch",
        role="editor",
        author=author,
        now=timezone.now(),
        **more,
    )


@case(("organisations.invitation", "nina"))
def member_invited(world: World) -> Act:
    return lambda: invite_nina(world, world.amina)


@case(("organisations.invitation", "nina"), ("organisations.invited_by_administrator", "amina"))
def member_invited_by_an_administrator(world: World) -> Act:
    return lambda: invite_nina(world, world.dee, reason="Their lead is ill.")


@case(("organisations.invitation", "nina"))
def invitation_sent_again(world: World) -> Act:
    membership = invite_nina(world, world.amina)
    return lambda: organisations.resend_invitation(membership=membership, author=world.amina, now=timezone.now())


@case(("organisations.let_in", "amina"), ("organisations.let_in", "oscar"))
def member_added_by_an_administrator(world: World) -> Act:
    return lambda: organisations.add_membership(
        organisation=world.larkhaven,
        person=world.oscar,
        role="viewer",
        author=world.dee,
        now=timezone.now(),
        reason="Helps out.",
    )


@case(("organisations.role_by_administrator", "amina"), ("organisations.role_by_administrator", "vera"))
def role_changed_by_an_administrator(world: World) -> Act:
    membership = world.vera.memberships.get()
    return lambda: organisations.change_role(
        membership=membership, role="editor", author=world.dee, now=timezone.now(), reason="Their lead is ill."
    )


@case(("organisations.ways_in", "amina"))
def ways_in_changed(world: World) -> Act:
    return lambda: organisations.update_organisation(
        organisation=world.larkhaven,
        second_factor_required=True,
        author=world.dee,
        now=timezone.now(),
        reason="Policy.",
    )


@case(("organisations.access_requested", "dee"))
def access_requested(world: World) -> Act:
    return lambda: organisations.ask_for_access(
        name="Nell New",
        email="nell@new.example",
        organisation_name="New Homes",
        kind="registered_provider",
        author=None,
        now=timezone.now(),
    )


@case(("organisations.access_declined", ""))
def access_declined(world: World) -> Act:
    asked = organisations.ask_for_access(
        name="Nell New",
        email="nell@new.example",
        organisation_name="New Homes",
        kind="registered_provider",
        author=None,
        now=timezone.now(),
    )
    return lambda: organisations.decline_request(request=asked, reason="Unknown.", author=world.dee, now=timezone.now())


@case(
    ("organisations.handed_over", "hana"),
    ("organisations.handed_over", "nadia"),
    ("organisations.handed_over", "oscar"),
)
def succession_passed_something_on(world: World) -> Act:
    post = create_post(organisation=world.riverside, role="finance", author=world.nadia, now=timezone.now())
    succession = organisations.record_succession(
        kind="absorb",
        status="order_made",
        vests_on=known_day(timezone.localdate()),
        ties=organisations.ties_between([world.riverside], [world.harbour]),
        author=None,
        now=timezone.now(),
    )
    organisations.propose_handovers(
        succession=succession,
        predecessor=world.riverside,
        kind="posts",
        records=[post.pk],
        successor=world.harbour,
        author=None,
        now=timezone.now(),
    )
    organisations.answer_handovers(lines=list(succession.handovers.all()), accept=True, author=None, now=timezone.now())
    return lambda: organisations.hand_over_due(now=timezone.now())


@case(("organisations.handover_proposed", "hana"))
def handover_lines_proposed(world: World) -> Act:
    post = create_post(organisation=world.riverside, role="finance", author=world.nadia, now=timezone.now())
    succession = organisations.record_succession(
        kind="absorb",
        status="order_made",
        vests_on=known_day(timezone.localdate() + dt.timedelta(days=30)),
        ties=organisations.ties_between([world.riverside], [world.harbour]),
        author=None,
        now=timezone.now(),
    )
    organisations.propose_handovers(
        succession=succession,
        predecessor=world.riverside,
        kind="posts",
        records=[post.pk],
        successor=world.harbour,
        author=None,
        now=timezone.now() - dt.timedelta(minutes=20),
    )
    return lambda: organisations.hand_over_due(now=timezone.now())


# ---- Agreements


def _invite_tidewater(world: World) -> Party:
    return invite_organisation(
        partnership=world.partnership,
        organisation=world.tidewater,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )


@case(("agreements.invitation", "chidi"))
def organisation_invited(world: World) -> Act:
    return lambda: _invite_tidewater(world)


@case(("agreements.answer", "amina"))
def invitation_to_a_partnership_answered(world: World) -> Act:
    party = _invite_tidewater(world)
    return lambda: answer_invitation(party=party, accept=True, reason="", author=world.chidi, now=timezone.now())


def _westmarch(world: World) -> Party:
    return Party.objects.get(partnership=world.partnership, organisation=world.westmarch)


@case(("agreements.gone", "amina"))
def partnership_left(world: World) -> Act:
    party = _westmarch(world)
    return lambda: leave_partnership(party=party, reason="No staff.", author=world.ben, now=timezone.now())


@case(("agreements.gone", "ben"))
def organisation_removed(world: World) -> Act:
    party = _westmarch(world)
    return lambda: remove_party(party=party, reason="No answer.", author=world.amina, now=timezone.now())


@case(("agreements.date_came", "amina"), ("agreements.date_came", "ben"))
def partnership_ended_on_its_date(world: World) -> Act:
    type(world.partnership).objects.filter(pk=world.partnership.pk).update(
        status="suspended", ends_on=timezone.localdate(world.now)
    )
    return lambda: [record_due_steps(now=timezone.now()) for _ in range(2)]


def _post(world: World) -> Post:
    return create_post(
        organisation=world.larkhaven,
        partnership=world.partnership,
        role="nominations",
        author=world.amina,
        now=timezone.now(),
    )


@case(("agreements.post_filled", "eddie"))
def post_filled(world: World) -> Act:
    post = _post(world)
    return lambda: fill_post(post=post, person=world.eddie, reason="New.", author=world.amina, now=timezone.now())


@case(("agreements.contact", ""))
def contact_without_an_account_named(world: World) -> Act:
    post = _post(world)
    sam = ContactDetails(name="Sam Shore", email="sam@larkhaven.example")
    return lambda: fill_post(post=post, contact=sam, reason="New.", author=world.amina, now=timezone.now())


@case(("agreements.no_lead", "dee"))
def last_lead_left(world: World) -> Act:
    membership = Membership.objects.get(person=world.amina, ends_on=None)
    return lambda: organisations.end_membership(
        membership=membership, author=world.dee, reason="Left.", now=timezone.now(), even_last_lead=True
    )


def _with_end(world: World) -> None:
    ends = timezone.now().date() + dt.timedelta(days=25)
    type(world.partnership).objects.filter(pk=world.partnership.pk).update(status="active", ends_on=ends)


@case(("agreements.dates_ahead", "amina"), ("agreements.dates_ahead", "ben"))
def leads_reminded_of_dates(world: World) -> Act:
    _with_end(world)
    return lambda: [remind_of_dates(now=timezone.now()) for _ in range(2)]


@case(("agreements.notice", "amina"))
def notice_given(world: World) -> Act:
    _with_end(world)
    party = _westmarch(world)
    return lambda: give_notice(party=party, reason="No staff.", last_day=None, author=world.ben, now=timezone.now())


@case()
def invitation_to_a_partnership_withdrawn(world: World) -> Act:
    party = _invite_tidewater(world)
    return lambda: remove_party(party=party, reason="A mistake.", author=world.amina, now=timezone.now())
