"""The people, organisations and partnerships of the tests, created through services.

Amina leads Larkhaven Homes, a housing association; Eddie edits and Vera reads for it; Lena has left it. Ben leads
Westmarch Borough Council, Larkhaven's partner in the Estuary Partnership. Chidi leads Tidewater Housing Group, which is
in another partnership with Harbour Community Trust (led by Hana). Dee administers the network and acts for no
organisation. Nadia and Oscar work for Riverside Design: Nadia has a share of Larkhaven's draft, Oscar's share has
ended. Sol is a stakeholder without an account.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from allauth.socialaccount.models import SocialAccount, SocialApp
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.agreements.models import Partnership, Party
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Area, AreaKind, Kind, Membership, Organisation, Role
from partnerships.outbox.services import recording_no_emails
from partnerships.people.models import User
from partnerships.people.services import person_for_address
from tests.support.kept_rows import build_once

PASSWORD = "a-quiet-estuary-morning"
#: The demonstration network of `make run`; its accounts have the same password.
DEMO = Path(__file__).parent.parent / "partnerships" / "transfer" / "demo.json"


def load_demonstration() -> str:
    """Load the demonstration network, or insert its rows again; returns what the command said."""
    return build_once(_demonstration)


def _demonstration() -> str:
    said = StringIO()
    with override_settings(DEMONSTRATION=True):
        call_command("load_network", str(DEMO), "--demo-passwords", stdout=said)
    return said.getvalue()


def person(name: str, email: str, **fields: Any) -> User:
    """Create a person with an account and the shared password."""
    return User.objects.create_user(email, PASSWORD, name=name, **fields)


def require_own_sign_in(organisation: Organisation, provider: str, *, lead: User, author: User) -> None:
    """Make the organisation require its own sign-in, tried by a lead."""
    SocialApp.objects.create(
        provider="openid_connect",
        provider_id=provider,
        name=provider.capitalize(),
        settings={"server_url": f"https://sign-in.{provider}.example"},
    )
    SocialAccount.objects.create(user=lead, provider=provider, uid=str(lead.pk))
    organisations.update_organisation(
        organisation=organisation,
        sign_in_provider=provider,
        own_sign_in_required=True,
        reason="Policy.",
        author=author,
        now=timezone.now(),
    )


def area(code: str, name: str) -> Area:
    """Return a district, which is created if it is missing."""
    return Area.objects.get_or_create(code=code, defaults={"name": name, "kind": AreaKind.DISTRICT})[0]


def join(someone: User, organisation: Organisation, role: str, now: dt.datetime) -> Membership:
    """Give a person a membership of an organisation."""
    return organisations.add_membership(organisation=organisation, person=someone, role=role, author=None, now=now)


@dataclass
class World:
    """People and records; rooms add their own to `things`."""

    now: dt.datetime
    fareham: Area
    gosport: Area
    larkhaven: Organisation
    westmarch: Organisation
    tidewater: Organisation
    harbour: Organisation
    riverside: Organisation
    amina: User
    eddie: User
    vera: User
    lena: User
    ben: User
    chidi: User
    hana: User
    nadia: User
    oscar: User
    dee: User
    sol: User
    partnership: Partnership
    other_partnership: Partnership
    things: dict[str, Any] = field(default_factory=dict)

    def party(self, organisation: Organisation) -> Party:
        """Return the organisation's party in the Estuary Partnership."""
        return self.partnership.parties.get(organisation=organisation)


def make_partnership(
    title: str,
    *,
    chair: Organisation,
    chair_lead: User,
    other: Organisation,
    other_lead: User,
    now: dt.datetime,
) -> Partnership:
    """Create a partnership of two organisations, accepted by the second one's lead."""
    partnership = agreements.create_partnership(
        organisation=chair,
        author=chair_lead,
        title=title,
        kind="memorandum",
        purpose="Build the right homes in the right places.",
        now=now,
    )
    party = agreements.invite_organisation(
        partnership=partnership, organisation=other, role="member", reason="We need them.", author=chair_lead, now=now
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=other_lead, now=now)
    partnership.refresh_from_db()
    return partnership


def make_world(mark: str = "", *, now: dt.datetime | None = None) -> World:
    """Create the small world as of `now` (default: 30 days ago).

    Call inside a transaction that is rolled back. With a mark, names and addresses contain it, so that a second world
    can exist on the same site.
    """
    return _built(mark, now) if mark or now else build_once(_built)


@recording_no_emails()
def _built(mark: str = "", now: dt.datetime | None = None) -> World:
    now = now or timezone.now() - dt.timedelta(days=30)

    def body(name: str, kind: str) -> Organisation:
        return organisations.create_organisation(name=f"{name} {mark}".strip(), kind=kind, author=None, now=now)

    def somebody(name: str, email: str, **fields: Any) -> User:
        return person(name, f"{mark}{email}", **fields)

    larkhaven = body("Larkhaven Homes", Kind.REGISTERED_PROVIDER)
    westmarch = body("Westmarch Borough Council", Kind.COUNCIL)
    tidewater = body("Tidewater Housing Group", Kind.REGISTERED_PROVIDER)
    harbour = body("Harbour Community Trust", Kind.CHARITY)
    riverside = body("Riverside Design", Kind.DEVELOPER)

    amina = somebody("Amina Larch", "amina@larkhaven.example")
    eddie = somebody("Eddie Larch", "eddie@larkhaven.example")
    vera = somebody("Vera Larch", "vera@larkhaven.example")
    lena = somebody("Lena Larch", "lena@larkhaven.example")
    ben = somebody("Ben West", "ben@westmarch.example")
    chidi = somebody("Chidi Tide", "chidi@tidewater.example")
    hana = somebody("Hana Harbour", "hana@harbour.example")
    nadia = somebody("Nadia River", "nadia@riverside.example")
    oscar = somebody("Oscar River", "oscar@riverside.example")
    dee = somebody("Dee Ground", "dee@commonground.example", is_staff=True, is_superuser=True)
    sol = person_for_address(email=f"{mark}sol@council.example", name="Sol Stake")

    join(amina, larkhaven, Role.LEAD, now)
    join(eddie, larkhaven, Role.EDITOR, now)
    join(vera, larkhaven, Role.VIEWER, now)
    join(ben, westmarch, Role.LEAD, now)
    join(chidi, tidewater, Role.LEAD, now)
    join(hana, harbour, Role.LEAD, now)
    join(nadia, riverside, Role.LEAD, now)
    join(oscar, riverside, Role.EDITOR, now)
    gone = join(lena, larkhaven, Role.EDITOR, now)
    organisations.end_membership(
        membership=gone, author=amina, reason="Took another post.", now=now + dt.timedelta(days=1)
    )

    return World(
        now=now,
        fareham=area("E07000087", "Fareham"),
        gosport=area("E07000088", "Gosport"),
        larkhaven=larkhaven,
        westmarch=westmarch,
        tidewater=tidewater,
        harbour=harbour,
        riverside=riverside,
        amina=amina,
        eddie=eddie,
        vera=vera,
        lena=lena,
        ben=ben,
        chidi=chidi,
        hana=hana,
        nadia=nadia,
        oscar=oscar,
        dee=dee,
        sol=sol,
        partnership=make_partnership(
            "Estuary Partnership", chair=larkhaven, chair_lead=amina, other=westmarch, other_lead=ben, now=now
        ),
        other_partnership=make_partnership(
            "Harbour Partnership", chair=tidewater, chair_lead=chidi, other=harbour, other_lead=hana, now=now
        ),
    )
