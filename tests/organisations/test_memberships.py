"""People are invited, accept, change roles and end memberships by the rules."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.kit.rights import UnableToAct
from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.organisations.services import (
    UnableToAcceptMembership,
    UnableToAddMembership,
    UnableToChangeRole,
    UnableToEndMembership,
    UnableToInviteMember,
    accept_membership,
    add_membership,
    change_role,
    end_membership,
    invitation_for,
    invitations,
    invite_member,
    resend_invitation,
)
from partnerships.organisations.services.invitations import INVITATIONS_A_DAY, INVITATIONS_A_PERSON
from partnerships.people.administrators import UnableToChangeAdministration, grant_administration
from partnerships.people.models import User
from tests.support.outbox import deliver
from tests.support.signing_in import signed_in
from tests.world import PASSWORD, World, person


def token_in(email: mail.EmailMessage) -> str:
    """Return the token of the invitation link in an email."""
    match = re.search(r"/organisations/invitations/([^/]+)/", str(email.body))
    assert match
    return match[1]


@pytest.fixture
def email(world: World) -> mail.EmailMessage:
    """Invite Nina to act for Larkhaven, and return the email with the invitation."""
    deliver().clear()
    invite_member(
        organisation=world.larkhaven,
        email="Nina@Larkhaven.example",
        name="Nina Larch",
        role=Role.EDITOR,
        author=world.amina,
        message="Welcome!",
        now=timezone.now(),
    )
    return deliver()[-1]


def test_an_invitation_is_emailed_to_the_colleague(email: mail.EmailMessage) -> None:
    assert email.to == ["nina@larkhaven.example"]


def test_the_page_of_an_invitation_names_the_organisation(email: mail.EmailMessage) -> None:
    page = Client().get(reverse("organisations:accept-invitation", kwargs={"token": token_in(email)}))

    assert "Larkhaven Homes" in page.content.decode()


def test_an_invited_colleague_chooses_a_password_and_is_signed_in(world: World, email: mail.EmailMessage) -> None:
    address = reverse("organisations:accept-invitation", kwargs={"token": token_in(email)})
    client = Client()

    response = client.post(address, {"name": "Nina Larch", "password": "three quiet river words"})

    assert response.status_code == 302
    membership = Membership.objects.get(person__email="nina@larkhaven.example")
    assert membership.accepted_at is not None
    assert int(client.session["_auth_user_id"]) == membership.person_id


def test_an_invitation_works_once(world: World, email: mail.EmailMessage) -> None:
    address = reverse("organisations:accept-invitation", kwargs={"token": token_in(email)})
    client = Client()
    client.post(address, {"name": "Nina Larch", "password": "three quiet river words"})

    page = client.get(address)

    assert page.status_code == 404


def test_opening_the_invitation_link_does_not_accept_it(world: World, email: mail.EmailMessage) -> None:
    Client().get(reverse("organisations:accept-invitation", kwargs={"token": token_in(email)}))

    assert Membership.objects.get(person__email="nina@larkhaven.example").is_pending


def test_a_weak_password_is_refused_and_the_invitation_stays_open(world: World, email: mail.EmailMessage) -> None:
    token = token_in(email)
    address = reverse("organisations:accept-invitation", kwargs={"token": token})

    response = Client().post(address, {"name": "Nina", "password": "short"})

    assert response.status_code == 422
    assert invitation_for(token=token, now=timezone.now()) is not None


def test_another_person_cannot_use_an_invitation(world: World, email: mail.EmailMessage) -> None:
    client = signed_in(world.ben)

    response = client.post(reverse("organisations:accept-invitation", kwargs={"token": token_in(email)}), {})

    assert response.status_code == 403
    assert Membership.objects.get(person__email="nina@larkhaven.example").is_pending


def test_an_invitation_expires_after_fourteen_days(world: World, email: mail.EmailMessage) -> None:
    later = timezone.now() + dt.timedelta(days=14, seconds=1)

    with pytest.raises(UnableToAcceptMembership, match=r"or it has expired\. Ask for a new invitation"):
        accept_membership(token=token_in(email), name="Nina", password=PASSWORD, now=later)


def test_lead_demoted_while_inviting_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lock_organisation = invitations.lock_organisation

    def lock_after_demotion(pk: int) -> Organisation:
        Membership.objects.filter(person=world.amina).update(role=Role.VIEWER)
        return lock_organisation(pk)

    monkeypatch.setattr(invitations, "lock_organisation", lock_after_demotion)

    with pytest.raises(UnableToAct, match="You do not have permission"):
        invite_member(
            organisation=world.larkhaven,
            email="nina@larkhaven.example",
            role=Role.EDITOR,
            author=world.amina,
            now=timezone.now(),
        )


def test_resending_an_invitation_invalidates_the_old_link(world: World, email: mail.EmailMessage) -> None:
    membership = Membership.objects.get(person__email="nina@larkhaven.example")

    resend_invitation(membership=membership, author=world.amina, now=timezone.now())

    assert invitation_for(token=token_in(email), now=timezone.now()) is None


def test_withdrawing_an_invitation_invalidates_its_link(world: World, email: mail.EmailMessage) -> None:
    membership = Membership.objects.get(person__email="nina@larkhaven.example")

    end_membership(membership=membership, author=world.amina, reason="Mistyped.", now=timezone.now())

    assert invitation_for(token=token_in(email), now=timezone.now()) is None


def send_every_invitation_of_a_day(world: World, now: dt.datetime) -> None:
    """Invite as many people to the Harbour Trust as the daily limit allows."""
    for number in range(INVITATIONS_A_DAY):
        invite_member(
            organisation=world.harbour, email=f"n{number}@harbour.example", role="viewer", author=world.hana, now=now
        )


def test_an_organisation_has_a_daily_limit_of_invitations(world: World) -> None:
    now = timezone.now()
    send_every_invitation_of_a_day(world, now)

    with pytest.raises(UnableToInviteMember, match="has already sent 20 invitations"):
        invite_member(
            organisation=world.harbour, email="more@harbour.example", role="viewer", author=world.hana, now=now
        )


def test_an_organisation_at_its_daily_limit_invites_again_on_the_next_day(world: World) -> None:
    now = timezone.now()
    send_every_invitation_of_a_day(world, now)
    tomorrow = now + dt.timedelta(days=1, minutes=1)

    membership = invite_member(
        organisation=world.harbour, email="more@harbour.example", role="viewer", author=world.hana, now=tomorrow
    )

    assert membership.organisation == world.harbour


@pytest.fixture
def often_invited_nina(world: World, email: mail.EmailMessage) -> Membership:
    """Return Nina's membership, to which she has today been invited as often as one person may be."""
    nina = Membership.objects.get(person__email="nina@larkhaven.example")
    for _ in range(INVITATIONS_A_PERSON - 1):
        resend_invitation(membership=nina, author=world.amina, now=timezone.now())
    nina.refresh_from_db()
    return nina


def test_an_invitation_is_not_sent_again_beyond_the_daily_limit_of_a_person(
    world: World, often_invited_nina: Membership
) -> None:
    last_invitation = often_invited_nina.invitation
    address = reverse("organisations:invite-again", args=[world.larkhaven.pk, often_invited_nina.pk])

    page = signed_in(world.amina).post(address, follow=True).content.decode()

    often_invited_nina.refresh_from_db()
    assert "have already sent 5 invitations to" in page
    assert often_invited_nina.invitation == last_invitation  # so the link of the last email still opens


@pytest.mark.usefixtures("often_invited_nina")
def test_the_daily_limit_of_a_person_counts_invitations_by_all_organisations(world: World) -> None:
    with pytest.raises(UnableToInviteMember, match="have already sent 5 invitations to"):
        invite_member(
            organisation=world.harbour,
            email="nina@larkhaven.example",
            role="viewer",
            author=world.hana,
            now=timezone.now(),
        )


def test_an_invitation_can_be_sent_again_on_the_next_day(world: World, often_invited_nina: Membership) -> None:
    tomorrow = timezone.now() + dt.timedelta(days=1, minutes=1)

    is_sent = resend_invitation(membership=often_invited_nina, author=world.amina, now=tomorrow)

    assert is_sent


def test_invitations_sent_again_count_towards_the_daily_limit_of_the_organisation(
    world: World, often_invited_nina: Membership
) -> None:
    for number in range(INVITATIONS_A_DAY - INVITATIONS_A_PERSON):
        other_membership = invite_member(
            organisation=world.larkhaven,
            email=f"n{number}@x.example",
            role="viewer",
            author=world.amina,
            now=timezone.now(),
        )

    with pytest.raises(UnableToInviteMember, match="has already sent 20 invitations"):
        resend_invitation(membership=other_membership, author=world.amina, now=timezone.now())


def test_a_member_is_not_added_to_the_organisation_again(world: World) -> None:
    with pytest.raises(UnableToAddMembership, match="Eddie Larch already acts for Larkhaven Homes"):
        add_membership(
            organisation=world.larkhaven, person=world.eddie, role=Role.LEAD, author=None, now=timezone.now()
        )


def test_a_member_is_not_invited_to_the_organisation_again(world: World) -> None:
    with pytest.raises(UnableToInviteMember, match=r"already acts for Larkhaven Homes\. Change their role"):
        invite_member(
            organisation=world.larkhaven, email=world.eddie.email, role="lead", author=world.amina, now=timezone.now()
        )


def test_the_last_lead_cannot_end_their_own_membership(world: World) -> None:
    membership = world.amina.memberships.get()

    with pytest.raises(UnableToEndMembership, match=r"needs a lead\. Make another person a lead first"):
        end_membership(membership=membership, author=world.amina, now=timezone.now())


def test_an_administrator_can_end_the_last_leads_membership(world: World) -> None:
    membership = world.amina.memberships.get()

    end_membership(membership=membership, author=world.dee, now=timezone.now())

    membership.refresh_from_db()
    assert membership.ends_on is not None


def test_the_last_lead_cannot_become_a_viewer(world: World) -> None:
    membership = world.amina.memberships.get()

    with pytest.raises(UnableToChangeRole, match=r"needs a lead\. Make another person a lead first"):
        change_role(membership=membership, role=Role.VIEWER, author=world.amina, reason="Why.", now=timezone.now())


def test_an_administrator_can_make_the_last_lead_a_viewer(world: World) -> None:
    membership = world.amina.memberships.get()

    change_role(membership=membership, role=Role.VIEWER, author=world.dee, reason="Why.", now=timezone.now())

    membership.refresh_from_db()
    assert membership.role == Role.VIEWER


def test_a_member_can_open_the_organisations_partnerships(world: World) -> None:
    response = signed_in(world.eddie).get(world.partnership.get_absolute_url())

    assert response.status_code == 200


def test_rights_end_at_once_when_a_membership_ends(world: World) -> None:
    client = signed_in(world.eddie)
    end_membership(membership=world.eddie.memberships.get(), author=world.amina, reason="Left.", now=timezone.now())

    response = client.get(world.partnership.get_absolute_url())

    assert response.status_code == 404
    assert not Organisation.objects.of_person(world.eddie).exists()


def test_a_lead_cannot_manage_people_of_another_organisation(world: World) -> None:
    client = signed_in(world.ben)

    response = client.post(
        reverse("organisations:invite", kwargs={"pk": world.larkhaven.pk}), {"email": "x@x.example", "role": "lead"}
    )

    assert response.status_code == 403


def invite_by_administrator(world: World, **fields: str) -> HttpResponse:
    """Invite a lead of Larkhaven on its page, as Dee, and return the response."""
    return signed_in(world.dee).post(
        reverse("organisations:invite", kwargs={"pk": world.larkhaven.pk}),
        {"email": "dee@home.example", "role": "lead", "reason": "Their lead is ill.", **fields},
    )


def test_an_administrator_cannot_invite_themselves(world: World) -> None:
    response = invite_by_administrator(world, email=world.dee.email)

    assert response.status_code == 422
    assert "Administrators cannot act for an organisation" in response.content.decode()
    assert not Membership.objects.filter(organisation=world.larkhaven, accepted_at=None).exists()


def test_an_administrator_cannot_invite_without_a_reason(world: World) -> None:
    response = invite_by_administrator(world, reason="")

    assert response.status_code == 422
    assert not Membership.objects.filter(organisation=world.larkhaven, accepted_at=None).exists()


def test_leads_are_emailed_whom_an_administrator_invited_and_why(world: World) -> None:
    deliver().clear()

    response = invite_by_administrator(world)

    text_by_address = {email.to[0]: str(email.body) for email in deliver()}
    assert response.status_code == 302
    assert set(text_by_address) == {"dee@home.example", "amina@larkhaven.example"}
    assert "dee@home.example" in text_by_address["amina@larkhaven.example"]
    assert "Their lead is ill." in text_by_address["amina@larkhaven.example"]
    assert "Their lead is ill." not in text_by_address["dee@home.example"]


def test_the_reason_of_an_administrators_invitation_is_recorded_for_leads(world: World) -> None:
    invite_by_administrator(world)

    membership = Membership.objects.get(person__email="dee@home.example")
    event = Event.objects.get(target_kind="membership", target_id=membership.pk)
    assert event.actor_id == world.dee.pk
    assert event.data["reason_for_leads"] == "Their lead is ill."


def test_administrators_are_emailed_about_invitations_if_there_is_no_lead(world: World) -> None:
    person("Dara Ground", "dara@commonground.example", is_staff=True, is_superuser=True)
    end_membership(membership=world.ben.memberships.get(), author=world.dee, now=timezone.now())
    deliver().clear()

    invite_member(
        organisation=world.westmarch,
        email="nell@westmarch.example",
        role="lead",
        author=world.dee,
        reason="Its first lead.",
        now=timezone.now(),
    )

    assert {email.to[0] for email in deliver()} == {
        "nell@westmarch.example",
        "dee@commonground.example",
        "dara@commonground.example",
    }


@pytest.fixture
def invitation_of_dara(world: World) -> Membership:
    """Invite Dara to lead Larkhaven, email her the invitation, and return her pending membership."""
    dara = person("Dara Ground", "dara@commonground.example")
    deliver().clear()
    return invite_member(
        organisation=world.larkhaven, email=dara.email, role="lead", author=world.amina, now=timezone.now()
    )


def test_a_person_with_an_open_invitation_cannot_be_made_an_administrator(
    world: World, invitation_of_dara: Membership
) -> None:
    with pytest.raises(UnableToChangeAdministration, match="acts for Larkhaven Homes"):
        grant_administration(person=invitation_of_dara.person, author=world.dee, reason="Help.", now=timezone.now())


def test_an_administrator_cannot_accept_an_earlier_invitation(invitation_of_dara: Membership) -> None:
    User.objects.filter(pk=invitation_of_dara.person_id).update(is_staff=True)

    with pytest.raises(UnableToAcceptMembership, match="Administrators cannot act for an organisation"):
        accept_membership(token=token_in(deliver()[-1]), now=timezone.now())

    invitation_of_dara.refresh_from_db()
    assert invitation_of_dara.is_pending


def test_an_invitation_is_not_sent_again_to_an_administrator(world: World, invitation_of_dara: Membership) -> None:
    invitation_of_dara.person.is_staff = True
    invitation_of_dara.person.save(update_fields=["is_staff"])

    with pytest.raises(UnableToInviteMember, match="Administrators cannot act for an organisation"):
        resend_invitation(membership=invitation_of_dara, author=world.amina, now=timezone.now())


def test_an_administrator_must_give_a_reason_for_a_role_change(world: World) -> None:
    vera = world.vera.memberships.get()
    address = reverse("organisations:member-edit", args=[world.larkhaven.pk, vera.pk])

    response = signed_in(world.dee).post(address, {"role": "lead", "job_title": ""})

    assert "Enter a reason." in response.content.decode()
    vera.refresh_from_db()
    assert vera.role == "viewer"


def test_a_role_change_by_an_administrator_is_emailed_with_the_reason(world: World) -> None:
    vera = world.vera.memberships.get()
    address = reverse("organisations:member-edit", args=[world.larkhaven.pk, vera.pk])
    deliver().clear()

    signed_in(world.dee).post(address, {"role": "lead", "job_title": "", "reason": "Their lead is ill."})

    text_by_address = {email.to[0]: str(email.body) for email in deliver()}
    vera.refresh_from_db()
    assert vera.role == "lead"
    assert set(text_by_address) == {"vera@larkhaven.example", "amina@larkhaven.example"}
    assert "Their lead is ill." in text_by_address["vera@larkhaven.example"]
    assert "Their lead is ill." in text_by_address["amina@larkhaven.example"]


def test_a_lead_can_step_down_and_change_their_job_title_in_one_form(world: World, client: Client) -> None:
    change_role(membership=world.eddie.memberships.get(), role=Role.LEAD, author=world.amina, now=timezone.now())
    membership = world.amina.memberships.get()
    client.force_login(world.amina)

    response = client.post(
        reverse("organisations:member-edit", kwargs={"pk": world.larkhaven.pk, "membership": membership.pk}),
        {"role": "editor", "job_title": "Adviser"},
    )

    membership.refresh_from_db()
    assert response.status_code == 302
    assert membership.role == "editor"
    assert membership.job_title == "Adviser"
