"""Find services that end or reduce access without a line in the journal. A restore would then undo that.

After each service of the rights table, the reading and the rights of all people are compared with those before it.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialApp
from django.apps import apps
from django.db import transaction
from django.db.models import IntegerField, Value
from django.db.models.functions import Cast
from django.utils import timezone

from partnerships.agreements.models import Party
from partnerships.digests.models import Preference, Subscription
from partnerships.kit.database import rows_planned_once
from partnerships.kit.models import WaitingLine
from partnerships.lists.models import SavedView
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import Invitation, User
from partnerships.plans.models import OwnershipOffer, PlanOwner, Share, Signatory
from partnerships.reports.models import Schedule
from partnerships.surveys.models import NamedAnswer, Round
from tests.support.rights import DONE, Row, who
from tests.support.situations import Situation
from tests.world import World

#: Services that reduce access without a line, and the reason why a restore may undo that.
WITHOUT_A_LINE = {
    "recommendations.remove_evidence": "what an organisation showed of its own response; it can take it back again",
    "digests.pause": "a pause of emails; the person or the organisation can pause again",
}

#: The personas whose reading is compared. Other personas read by roles and ownership, which `acting` compares.
_READERS = ("partner", "former", "stranger")
_PARTY_RANKS = {"observer": 1, "member": 2, "lead": 3, "chair": 3}
_ROLE_RANKS = {"viewer": 1, "editor": 2, "lead": 3}
#: The tables with rules about who reads a record.
_TABLES = [model for model in apps.get_models() if hasattr(model._default_manager.all(), "visible_to")]


@cache
def seen_by(person: int) -> tuple[str, tuple[Any, ...]]:
    """Return the statement for the id of each record that a person may read, with the index of its model."""
    user = User.objects.get(pk=person)
    rows: list[Any] = [
        model._default_manager.all()
        .visible_to(user)
        .order_by()
        .values_list("pk")
        .annotate(table=Cast(Value(number), IntegerField()))
        for number, model in enumerate(_TABLES)
    ]
    sql, values = rows[0].union(*rows[1:], all=True).query.sql_with_params()
    return sql, values


def reading(world: World) -> set[tuple[Any, ...]]:
    """Return who may read which record, as (persona, "reads", model, pk)."""
    readable_records: set[tuple[Any, ...]] = set()
    for persona in _READERS:
        person = who(world, persona).pk
        if not User.objects.filter(pk=person, is_active=True).exists():
            continue  # a closed account may not read anything
        sql, values = seen_by(person)
        # The cached statement has the time of an earlier call.
        values_now = [timezone.now() if isinstance(value, dt.datetime) else value for value in values]
        rows = rows_planned_once(sql, values_now, generic_plan=True)  # planning takes longer than reading
        readable_records |= {(persona, "reads", _TABLES[number]._meta.label, pk) for pk, number in rows}
    return readable_records


def acting() -> set[tuple[Any, ...]]:
    """Return the rights of all people and organisations, as a tuple for each row that gives a right."""
    now = timezone.now()
    today = timezone.localdate()
    rights: set[tuple[Any, ...]] = set()
    for person, body, role in Membership.objects.current(today).values_list("person", "organisation", "role"):
        rights |= {("acts", person, body, rank) for rank in range(_ROLE_RANKS[role])}
    for partnership, body, role in Party.objects.accepted().values_list("partnership", "organisation", "role"):
        rights |= {("takes part", partnership, body, rank) for rank in range(_PARTY_RANKS[role])}
    for plan, person, comments in Share.objects.active(now).values_list("plan", "person", "may_comment"):
        rights |= {("is shown", plan, person), *([("comments", plan, person)] if comments else [])}
    tables = {
        "owns": PlanOwner.objects.values_list("plan", "organisation"),
        "signs": Signatory.objects.filter(removed_at=None).values_list("plan", "organisation"),
        "is offered": OwnershipOffer.objects.acceptable().values_list("plan", "organisation"),
        "is invited": Invitation.objects.open_at(now).values_list("person", "memberships__organisation"),
        "follows": Subscription.objects.confirmed().values_list("person", "pk"),
        "administers": User.objects.filter(is_staff=True, is_active=True).values_list("pk"),
        "has an account": User.objects.filter(is_active=True).values_list("pk"),
        "signs in by": User.objects.filter(is_active=True).values_list("pk", "password"),
        "has a factor": Authenticator.objects.values_list("user", "pk"),
        "signs people in": SocialApp.objects.values_list("pk", "provider_id", "settings__server_url"),
        "relies on": Organisation.objects.values_list("pk", "sign_in_provider", "own_sign_in_required_at"),
        "answers by name": NamedAnswer.objects.values_list("round", "person"),
        "is asked in": Round.objects.filter(status__in=["draft", "open"]).values_list("pk"),
        "is to read comments": Round.objects.exclude(moderator=None).values_list("pk", "moderator"),
        "shares": SavedView.objects.values_list("pk", "organisation", "partnership"),
        "is sent": Schedule.objects.filter(ended_at=None).values_list("pk"),
        "has links": Preference.objects.values_list("person", "link_key"),
    }
    return rights | {(name, *row) for name, rows in tables.items() for row in rows}


def lost_without_a_line(row: Row, situation: Situation) -> list[Any]:
    """Call the service as a person with the right, and return the rights lost without a line in the journal.

    The result is empty if the journal has a new line, or if the service needs none. The call is rolled back.
    """
    if not row.permitted or row.result != DONE or row.service in WITHOUT_A_LINE:
        return []
    world, prepared = situation.again()
    lines_before = WaitingLine.objects.count()
    with transaction.atomic():
        row.call(world, who(world, min(row.permitted)), prepared)
        wrote_no_line = WaitingLine.objects.count() == lines_before
        rights_after = acting() | reading(world) if wrote_no_line else set()
        transaction.set_rollback(True)
    if not wrote_no_line:
        return []
    if situation.rights is None:
        situation.rights = acting() | reading(world)
    return sorted(situation.rights - rights_after, key=str)
