"""One relation read both ways: what a person may see, who may see a record, and pairs of both, always agree."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db.models import Model, OuterRef, Value
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partnerships.agreements.models import FORMER, INSIDE, OUTLINE, Partnership, Party, PartyStatus
from partnerships.commitments.models import ROUTES as COMMITMENT_ROUTES
from partnerships.commitments.models import Commitment
from partnerships.commitments.services import propose_commitment
from partnerships.conversations.models import ROUTES as CONVERSATION_ROUTES
from partnerships.conversations.models import Conversation
from partnerships.exchange.models.entries import ROUTES as ENTRY_ROUTES
from partnerships.exchange.models.entries import Entry
from partnerships.exchange.services import create_entry, share_entry
from partnerships.organisations.audience import Route, reaches, readers_of, visible_to
from partnerships.organisations.models import Kind, Membership, Organisation, Role
from partnerships.organisations.services import create_organisation
from partnerships.people.models import User
from tests.world import World

pytestmark = pytest.mark.django_db

PEOPLE, BODIES, RECORDS = 4, 3, 2
ALL_ROUTES: tuple[tuple[type[Model], tuple[Route, ...]], ...] = (
    (Partnership, INSIDE),
    (Partnership, (*INSIDE, *FORMER, *OUTLINE)),
)

person = st.tuples(st.booleans(), st.booleans())  # active, with an account
membership = st.tuples(
    st.integers(0, PEOPLE - 1),
    st.integers(0, BODIES - 1),
    st.sampled_from(Role.values),
    st.integers(-3, 2),  # begins
    st.one_of(st.none(), st.integers(-1, 3)),  # ends
    st.booleans(),  # accepted
)
party = st.tuples(st.integers(0, RECORDS - 1), st.integers(0, BODIES - 1), st.sampled_from(PartyStatus.values))


def body(number: int) -> Organisation:
    return create_organisation(name=f"Body {number}", kind=Kind.CHARITY, author=None, now=timezone.now())


def agree(model: type[Model], routes: tuple[Route, ...], people: list[User]) -> None:
    """All three readings of the relation give the same pairs."""
    records = list(model._default_manager.order_by("pk"))
    seen = {
        (person.pk, record.pk)
        for person in people
        for record in model._default_manager.filter(visible_to(model, routes, person)).distinct()
    }
    read = {(reader.pk, record.pk) for record in records for reader in readers_of(model, routes, record)}
    paired = {
        (person.pk, record.pk)
        for person in people
        for record in model._default_manager.filter(
            reaches(model, routes, record=OuterRef("pk"), person=Value(person.pk))
        )
        if person.is_active
    }
    assert seen == read
    assert paired == seen


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.lists(person, min_size=PEOPLE, max_size=PEOPLE),
    memberships=st.lists(membership, max_size=8, unique_by=lambda row: (row[0], row[1])),
    parties=st.lists(party, max_size=6, unique_by=lambda row: (row[0], row[1])),
    audiences=st.lists(st.sampled_from(["parties", "network"]), min_size=RECORDS, max_size=RECORDS),
)
def test_what_people_see_and_who_reads_agree_in_random_worlds(
    people: list[Any], memberships: list[Any], parties: list[Any], audiences: list[str]
) -> None:
    now, today = timezone.now(), timezone.localdate()
    Membership.objects.all().delete()
    Party.objects.all().delete()
    Partnership.objects.all().delete()
    tag = Organisation.objects.count()
    everybody = [
        User.objects.create(
            email=f"p{tag}-{number}@body.example", is_active=active, account_since=now if account else None
        )
        for number, (active, account) in enumerate(people)
    ]
    bodies = [body(number) for number in range(BODIES)]
    records = [
        Partnership.objects.create(title="x", kind="charter", audience=one, created_at=now, status_since=now)
        for one in audiences
    ]
    for who, where, role, begins, ends, accepted in memberships:
        starts = today + dt.timedelta(days=begins)
        Membership.objects.create(
            person=everybody[who],
            organisation=bodies[where],
            role=role,
            starts_on=starts,
            ends_on=None if ends is None else max(starts, today + dt.timedelta(days=ends)),
            accepted_at=now if accepted else None,
        )
    for which, where, status in parties:
        Party.objects.create(
            partnership=records[which], organisation=bodies[where], status=status, invited_at=now, left_at=now
        )

    for model, routes in ALL_ROUTES:
        agree(model, routes, everybody)


@pytest.mark.parametrize(
    ("model", "routes"),
    [(Entry, ENTRY_ROUTES), (Commitment, COMMITMENT_ROUTES), (Conversation, CONVERSATION_ROUTES)],
)
def test_the_rooms_above_agree_too(world: World, model: type[Model], routes: tuple[Route, ...]) -> None:
    now = timezone.now()
    for audience in ("named", "partnership", "network"):
        entry = create_entry(
            organisation=world.larkhaven,
            direction="ask",
            title=f"For {audience}",
            theme="land",
            audience=audience,
            addressees=[world.tidewater] if audience == "named" else (),
            partnership=world.partnership if audience == "partnership" else None,
            author=world.amina,
            now=now,
        )
        if audience != "partnership":
            share_entry(entry=entry, author=world.amina, now=now)
    propose_commitment(
        giver=world.larkhaven,
        receiver=world.westmarch,
        text="Bring homes",
        quantity=None,
        unit="",
        owner=world.amina,
        due_on=timezone.localdate() + dt.timedelta(days=9),
        partnership=world.partnership,
        author=world.amina,
        now=now,
    )

    agree(model, routes, list(User.objects.order_by("pk")))
