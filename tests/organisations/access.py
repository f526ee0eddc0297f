"""Who may open each page of the directory."""

from __future__ import annotations

from typing import Any

from partnerships.kit.dates import PartialDate
from partnerships.organisations.services import (
    ask_for_access,
    create_organisation,
    invite_member,
    merge_organisations,
    propose_handovers,
    record_succession,
    ties_between,
)
from tests.support.access import Row, everyone, expect, public
from tests.world import World


def prepare(world: World) -> None:
    """Create an invitation, a request for access, a pending succession and a merge.

    Larkhaven has invited a person, and another person asks for access. Larkhaven is to join Tidewater and Harbour; one
    handover line needs Harbour's answer and a consent.
    """
    world.things["request"] = ask_for_access(
        name="Nell New",
        email="nell@new.example",
        organisation_name="New Homes",
        kind="registered_provider",
        author=None,
        now=world.now,
    )
    world.things["invited"] = invite_member(
        organisation=world.larkhaven, email="new@larkhaven.example", role="viewer", author=world.amina, now=world.now
    )
    _prepare_succession(world)
    _prepare_merge(world)


def _prepare_succession(world: World) -> None:
    """Record that Larkhaven joins Tidewater and Harbour, with one line that needs an answer and a consent."""
    world.things["succession"] = record_succession(
        kind="absorb",
        status="order_made",
        vests_on=PartialDate.parse("2099-04"),
        ties=ties_between([world.larkhaven], [world.tidewater, world.harbour]),
        author=None,
        now=world.now,
    )
    propose_handovers(
        succession=world.things["succession"],
        predecessor=world.larkhaven,
        kind="people",
        records=[world.eddie.memberships.get().pk],
        successor=world.harbour,
        consent="The regulator",
        author=None,
        now=world.now,
    )


def _prepare_merge(world: World) -> None:
    """Merge two records of one charity."""
    kept_record = create_organisation(name="Copperfield Trust", kind="charity", author=None, now=world.now)
    duplicate_record = create_organisation(name="Copperfield Trust Ltd", kind="charity", author=None, now=world.now)
    world.things["merge"] = merge_organisations(
        kept=kept_record, merged=duplicate_record, reason="Recorded twice.", author=None, now=world.now
    )


def succession(world: World) -> dict[str, Any]:
    return {"pk": world.things["succession"].pk}


def handover_of(world: World) -> dict[str, Any]:
    return {**succession(world), "predecessor": world.larkhaven.pk, "kind": "partnerships"}


def succession_tie(world: World) -> dict[str, Any]:
    return {**succession(world), "tie": world.things["succession"].ties.order_by("pk")[0].pk}


def pair_to_merge(world: World) -> dict[str, Any]:
    return {"pk": world.riverside.pk, "other": world.harbour.pk}


def merge_to_undo(world: World) -> dict[str, Any]:
    return {"pk": world.things["merge"].pk}


def larkhaven(world: World) -> dict[str, Any]:
    return {"pk": world.larkhaven.pk}


def membership_of_eddie(world: World) -> dict[str, Any]:
    return {"pk": world.larkhaven.pk, "membership": world.eddie.memberships.get().pk}


def pending_membership(world: World) -> dict[str, Any]:
    return {"pk": world.larkhaven.pk, "membership": world.things["invited"].pk}


#: Larkhaven's lead and administrators manage its people. Other people may see the organisation, so they get 403, not
#: 404.
MANAGE = expect(inside=403, outside=403, lead=200, administrator=200)
ADMINISTRATORS = expect(inside=403, outside=403, administrator=200)
ADMINISTRATORS_POST = expect(inside=403, outside=403, administrator=422)
#: Only people of the membership's organisation and administrators see a membership.
ONE = expect(inside=403, outside=404, lead=200, partner=404, administrator=200)

#: Only administrators change successions, which everyone who is signed in may read.
KEEP = {
    "get": expect(inside=403, outside=403, administrator=200),
    "post": expect(inside=403, outside=403, administrator=422),
}

ROWS = (
    Row("organisations:pending", get=public()),
    Row("organisations:pending-csv", get=public()),
    Row("organisations:pending-feed", get=public()),
    Row("organisations:succession", on=succession, get=everyone()),
    Row("organisations:record-succession", **KEEP),
    Row("organisations:correct-succession", on=succession, **KEEP),
    Row("organisations:succession-status", on=succession, **KEEP),
    Row("organisations:take-effect", on=succession, **KEEP),
    Row("organisations:undo-succession", on=succession, **KEEP),
    Row("organisations:add-tie", on=succession, **KEEP),
    Row("organisations:remove-tie", on=succession_tie, **KEEP),
    Row(
        "organisations:who-answers",
        on=larkhaven,
        query="?function=housing&day=2099-04-01",
        get=everyone(),
    ),
    Row("organisations:list", get=everyone()),
    Row("organisations:list", query="?q=lark&kind=registered_provider", get=everyone()),
    Row("organisations:ask", get=public(), post=public(422)),
    Row("organisations:requests", get=expect(inside=404, outside=404, administrator=200)),
    Row(
        "organisations:accept-request",
        on=lambda world: {"pk": world.things["request"].pk},
        post=expect(inside=404, outside=404, administrator=302),
    ),
    Row(
        "organisations:decline-request",
        on=lambda world: {"pk": world.things["request"].pk},
        get=expect(inside=404, outside=404, administrator=200),
        post=expect(inside=404, outside=404, administrator=422),
    ),
    Row("organisations:suggest", query="?q=lark", get=everyone()),
    Row("organisations:detail", on=larkhaven, get=everyone()),
    Row(
        "organisations:settings",
        on=larkhaven,
        get=expect(inside=403, outside=403, lead=200),
        post=expect(inside=403, outside=403, lead=302),
    ),
    Row("organisations:people", on=larkhaven, get=everyone()),
    Row(
        "organisations:invite",
        on=larkhaven,
        get=MANAGE,
        post=expect(inside=403, outside=403, lead=422, administrator=422),
    ),
    Row(
        "organisations:leave",
        on=larkhaven,
        get=expect(inside=200, outside=404, partner=404),
        post=expect(inside=422, outside=404, partner=404),
    ),
    Row(
        "organisations:member-edit",
        on=membership_of_eddie,
        get=ONE,
        post=expect(inside=403, outside=404, lead=422, partner=404, administrator=422),
    ),
    Row(
        "organisations:member-end",
        on=membership_of_eddie,
        get=ONE,
        post=expect(inside=403, outside=404, lead=422, partner=404, administrator=422),
    ),
    Row(
        "organisations:invite-again",
        on=pending_membership,
        post=expect(inside=403, outside=404, lead=302, partner=404, administrator=302),
    ),
    Row("organisations:accept-invitation", on=lambda world: {"token": "nothing"}, get=public(404), post=public(404)),
    Row(
        "organisations:without-owner",
        on=larkhaven,
        get=expect(inside=403, outside=403, lead=200),
        post=expect(inside=403, outside=403, lead=422),
    ),
    Row("organisations:duplicates", get=ADMINISTRATORS),
    Row("organisations:merge", on=pair_to_merge, get=ADMINISTRATORS, post=ADMINISTRATORS_POST),
    Row("organisations:not-the-same", on=pair_to_merge, get=ADMINISTRATORS, post=ADMINISTRATORS_POST),
    Row("organisations:undo-merge", on=merge_to_undo, get=ADMINISTRATORS, post=ADMINISTRATORS_POST),
    Row(
        "organisations:handover",
        on=succession,
        get=expect(inside=403, outside=403, lead=200, stranger=200, administrator=200),
    ),
    Row(
        "organisations:handover-answer",
        on=succession,
        get=expect(inside=403, outside=403, stranger=200),
        post=expect(inside=403, outside=403, stranger=422),
    ),
    Row(
        "organisations:handover-consent",
        on=succession,
        get=expect(inside=403, outside=403, lead=200, stranger=200, administrator=200),
        post=expect(inside=403, outside=403, lead=422, stranger=422, administrator=422),
    ),
    Row(
        "organisations:handover-propose",
        on=handover_of,
        get=expect(inside=403, outside=403, lead=200, administrator=200),
        post=expect(inside=403, outside=403, lead=422, administrator=422),
    ),
)
