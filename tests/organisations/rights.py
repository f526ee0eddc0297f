"""The table of who may call each service of organisations and memberships."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.kit.dates import known_day
from partnerships.organisations import services
from partnerships.organisations.models import AccessRequest, Membership, Merge, Organisation, Succession
from partnerships.people.models import User
from tests.support.rights import ADMINISTRATOR, EVERYBODY, LEAD, NO_WRITES, Row
from tests.world import World, person, require_own_sign_in

#: Leads manage their people. Administrators may do so, too, with a reason.
MANAGERS = LEAD | ADMINISTRATOR


def _membership(world: World, person: User) -> Membership:
    return Membership.objects.get(person=person, ends_on=None)


def _invite(world: World, author: Any = None, _: Any = None) -> Membership:
    return services.invite_member(
        organisation=world.larkhaven,
        email="nora@larkhaven.example",
        role="editor",
        reason="A colleague.",
        author=author or world.amina,
        now=timezone.now(),
    )


def _identifier(world: World) -> Any:
    return services.add_identifier(
        organisation=world.larkhaven, scheme="rsh", value="L4567", author=None, now=timezone.now()
    )


def _area_served(world: World) -> Any:
    return services.serve_area(organisation=world.larkhaven, area=world.fareham, author=None, now=timezone.now())


def _mark_as_missing(world: World) -> None:
    services.mark_missing(
        organisation=world.larkhaven,
        register="councils",
        as_of=timezone.localdate(),
        author=None,
        now=timezone.now(),
    )


def _request_for_access(world: World, author: Any = None) -> AccessRequest:
    """Return a request to act for an organisation that the directory lacks."""
    return services.ask_for_access(
        name="Nell New",
        email="nell@new.example",
        organisation_name="New Homes",
        kind="registered_provider",
        author=author,
        now=timezone.now(),
    )


def _update(**fields: Any) -> Any:
    return lambda world, author, _: services.update_organisation(
        organisation=world.larkhaven, author=author, now=timezone.now(), **fields
    )


def _end_own_membership(world: World, author: User, _: Any) -> None:
    """End the author's own membership; for people without a membership, end another person's."""
    own_membership = Membership.objects.filter(person=author, ends_on=None).first()
    services.end_membership(
        membership=own_membership or _membership(world, world.vera),
        reason="Another post.",
        author=author,
        now=timezone.now(),
        even_last_lead=True,
    )


def _vacant_post(world: World) -> int:
    """Return the id of a vacant post of Larkhaven."""
    return agreements.create_post(
        organisation=world.larkhaven, role="finance", author=world.amina, now=timezone.now()
    ).pk


def _merger(world: World) -> Succession:
    """Record that Larkhaven joins Tidewater today. The order has been made."""
    return services.record_succession(
        kind="absorb",
        status="order_made",
        vests_on=known_day(timezone.localdate()),
        ties=services.ties_between([world.larkhaven], [world.tidewater]),
        author=None,
        now=timezone.now(),
    )


def _merger_in_effect(world: World) -> Succession:
    """Record that Larkhaven joins Tidewater today, and let the succession take effect."""
    succession = _merger(world)
    services.take_effect(succession=succession, author=None, now=timezone.now())
    return succession


def _merger_with_two_successors(world: World) -> Succession:
    """Record that Larkhaven joins Tidewater today, except its homes, which pass to Harbour."""
    succession = _merger(world)
    services.add_tie(
        succession=succession,
        tie=services.NewTie(world.larkhaven, world.harbour, function="housing"),
        reason="It takes the homes.",
        author=None,
        now=timezone.now(),
    )
    return succession


def _merge(world: World) -> Merge:
    """Merge the record of Riverside into that of Harbour."""
    return services.merge_organisations(
        kept=world.harbour, merged=world.riverside, reason="Recorded twice.", author=None, now=world.now
    )


def _succession_with_post(world: World, predecessor: Organisation, successor: Organisation) -> tuple[Succession, int]:
    """Return a succession of two bodies, and the id of a post that the predecessor has."""
    succession = services.record_succession(
        kind="absorb",
        status="order_made",
        vests_on=known_day(timezone.localdate()),
        ties=services.ties_between([predecessor], [successor]),
        author=None,
        now=timezone.now(),
    )
    post = agreements.create_post(organisation=predecessor, role="finance", author=None, now=timezone.now())
    return succession, post.pk


def _propose_handover(
    world: World, author: Any, succession_and_post: tuple[Succession, int], **bodies: Organisation
) -> Succession:
    sides = {"predecessor": world.larkhaven, "successor": world.tidewater} | bodies
    services.propose_handovers(
        succession=succession_and_post[0],
        kind="posts",
        records=[succession_and_post[1]],
        author=author,
        now=timezone.now(),
        **sides,
    )
    return succession_and_post[0]


def _succession_with_proposed_line(world: World) -> Succession:
    """Return a succession in which Tidewater has proposed to hand over a post to Larkhaven."""
    succession_and_post = _succession_with_post(world, world.tidewater, world.larkhaven)
    return _propose_handover(world, None, succession_and_post, predecessor=world.tidewater, successor=world.larkhaven)


def _succession_needing_consent(world: World) -> Succession:
    """Return a succession with a proposed line that needs a lender's consent."""
    succession = _succession_with_proposed_line(world)
    succession.handovers.update(consent="The lender")
    return succession


ROWS = (
    Row(
        "organisations.hand_over_records",
        lambda world, author, post: services.hand_over_records(
            organisation=world.larkhaven,
            kind="posts",
            records=[post],
            to=world.eddie,
            reason="Vacant.",
            author=author,
            now=timezone.now(),
        ),
        LEAD,
        prepare=_vacant_post,
    ),
    Row(
        "organisations.propose_handovers",
        _propose_handover,
        MANAGERS,
        prepare=lambda world: _succession_with_post(world, world.larkhaven, world.tidewater),
    ),
    Row(
        "organisations.answer_handovers",
        lambda world, author, succession: services.answer_handovers(
            lines=list(succession.handovers.all()), accept=True, author=author, now=timezone.now()
        ),
        LEAD,
        prepare=_succession_with_proposed_line,
    ),
    Row(
        "organisations.record_consent",
        lambda world, author, succession: services.record_consent(
            lines=list(succession.handovers.all()),
            given_by="The lender",
            given_on=timezone.localdate(),
            evidence="Minutes of today",
            author=author,
            now=timezone.now(),
        ),
        MANAGERS | {"stranger"},  # who leads the predecessor
        prepare=_succession_needing_consent,
    ),
    Row(
        "organisations.record_refusal",
        lambda world, author, succession: services.record_refusal(
            lines=list(succession.handovers.all()), reason="The lender said no.", author=author, now=timezone.now()
        ),
        MANAGERS | {"stranger"},  # who leads the predecessor
        prepare=_succession_needing_consent,
    ),
    Row(
        "organisations.merge_organisations",
        lambda world, author, _: services.merge_organisations(
            kept=world.harbour, merged=world.riverside, reason="Recorded twice.", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
    ),
    Row(
        "organisations.recheck_own_sign_in",
        lambda world, author, _: services.recheck_own_sign_in(
            "larkhaven", since=None, reason="Another directory.", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=lambda world: require_own_sign_in(world.larkhaven, "larkhaven", lead=world.amina, author=world.dee),
    ),
    Row(
        "organisations.undo_merge",
        lambda world, author, merge: services.undo_merge(
            merge=merge, reason="They are two.", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=_merge,
    ),
    Row(
        "organisations.keep_apart",
        lambda world, author, _: services.keep_apart(
            one=world.harbour, other=world.riverside, reason="They are two.", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
    ),
    Row("organisations.update_organisation", _update(website="https://larkhaven.example"), MANAGERS),
    Row(
        "organisations.update_organisation",
        _update(name="Larkhaven Group"),
        ADMINISTRATOR,
        situation="name, as the register says it",
    ),
    Row("organisations.invite_member", _invite, MANAGERS),
    Row(
        "organisations.resend_invitation",
        lambda world, author, membership: services.resend_invitation(
            membership=membership, author=author, now=timezone.now()
        ),
        MANAGERS,
        prepare=_invite,
    ),
    Row(
        "organisations.change_role",
        lambda world, author, _: services.change_role(
            membership=_membership(world, world.vera), role="editor", reason="Asked.", author=author, now=timezone.now()
        ),
        MANAGERS,
    ),
    Row(
        "organisations.change_job_title",
        lambda world, author, _: services.change_job_title(
            membership=_membership(world, world.vera), job_title="Planner", author=author, now=timezone.now()
        ),
        MANAGERS | {"viewer"},
        situation="of Vera, who may name her own post",
    ),
    Row(
        "organisations.end_membership",
        lambda world, author, _: services.end_membership(
            membership=_membership(world, world.eddie), reason="Left.", author=author, now=timezone.now()
        ),
        MANAGERS | {"editor"},
        situation="of Eddie, who may leave too",
    ),
    Row(
        "organisations.end_membership",
        _end_own_membership,
        EVERYBODY - {"left", "stakeholder"},
        situation="one's own, or another's",
    ),
    Row(
        "organisations.add_membership",
        lambda world, author, _: services.add_membership(
            organisation=world.larkhaven,
            person=world.things["newcomer"],
            role="viewer",
            reason="Asked by phone.",
            author=author,
            now=timezone.now(),
        ),
        ADMINISTRATOR,
        prepare=lambda world: world.things.update(newcomer=person("Nell New", "nell@new.example")),
    ),
    Row(
        "organisations.create_organisation",
        lambda world, author, _: services.create_organisation(
            name="Quay Homes", kind="charity", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
    ),
    Row(
        "organisations.create_organisations",
        lambda world, author, _: services.create_organisations(
            details=[services.NewOrganisation(f"{name} Homes", "charity") for name in ("Quay", "Weir")],
            author=author,
            now=timezone.now(),
        ),
        ADMINISTRATOR,
    ),
    Row(
        "organisations.add_identifier",
        lambda world, author, _: services.add_identifier(
            organisation=world.larkhaven, scheme="rsh", value="L4567", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
    ),
    Row(
        "organisations.correct_identifier",
        lambda world, author, number: services.correct_identifier(
            identifier=number, value="L4568", reason="A slip.", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=_identifier,
    ),
    Row(
        "organisations.add_name",
        lambda world, author, _: services.add_name(
            organisation=world.larkhaven, name="Lark", kind="alternative", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
    ),
    Row(
        "organisations.serve_area",
        lambda world, author, _: services.serve_area(
            organisation=world.larkhaven, area=world.fareham, author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
    ),
    Row(
        "organisations.end_area_served",
        lambda world, author, served: services.end_area_served(
            served=served, day=timezone.localdate() + dt.timedelta(days=1), author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=_area_served,
    ),
    Row(
        "organisations.record_succession",
        lambda world, author, _: services.record_succession(
            kind="merge",
            vests_on=known_day(timezone.localdate()),
            ties=services.ties_between([world.larkhaven], [world.tidewater]),
            author=author,
            now=timezone.now(),
        ),
        ADMINISTRATOR,
    ),
    Row(
        "organisations.correct_succession",
        lambda world, author, succession: services.correct_succession(
            succession=succession, place="Estuary", reason="A slip.", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=_merger,
    ),
    Row(
        "organisations.change_succession_status",
        lambda world, author, succession: services.change_succession_status(
            succession=succession, to="cancelled", reason="Not agreed.", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=_merger,
    ),
    Row(
        "organisations.take_effect",
        lambda world, author, succession: services.take_effect(
            succession=succession, author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=_merger,
        situation="its order has been made",
    ),
    Row(
        "organisations.take_effect",
        lambda world, author, succession: services.take_effect(
            succession=succession, author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=_merger_in_effect,
        situation="where it has taken effect",
        result=NO_WRITES,
    ),
    Row(
        "organisations.add_tie",
        lambda world, author, succession: services.add_tie(
            succession=succession,
            tie=services.NewTie(world.larkhaven, world.harbour, function="housing"),
            reason="It takes the homes.",
            author=author,
            now=timezone.now(),
        ),
        ADMINISTRATOR,
        prepare=_merger,
    ),
    Row(
        "organisations.remove_tie",
        lambda world, author, succession: services.remove_tie(
            tie=succession.ties.get(successor=world.harbour), reason="A slip.", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=_merger_with_two_successors,
    ),
    Row(
        "organisations.undo_succession",
        lambda world, author, succession: services.undo_succession(
            succession=succession,
            vests_on=known_day(timezone.localdate() + dt.timedelta(days=30)),
            status="order_made",
            reason="The court quashed it.",
            author=author,
            now=timezone.now(),
        ),
        ADMINISTRATOR,
        prepare=_merger,
    ),
    Row(
        "organisations.dissolve",
        lambda world, author, _: services.dissolve(
            organisation=world.larkhaven, on=timezone.localdate(), author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
    ),
    Row(
        "organisations.mark_missing",
        lambda world, author, _: services.mark_missing(
            organisation=world.larkhaven,
            register="councils",
            as_of=timezone.localdate(),
            author=author,
            now=timezone.now(),
        ),
        ADMINISTRATOR,
    ),
    Row(
        "organisations.mark_found",
        lambda world, author, _: services.mark_found(organisation=world.larkhaven, author=author, now=timezone.now()),
        ADMINISTRATOR,
        prepare=_mark_as_missing,
    ),
    Row(
        "organisations.correct_name",
        lambda world, author, name: services.correct_name(
            row=name, name="Lark", reason="Misspelt.", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=lambda world: services.add_name(
            organisation=world.larkhaven, name="Larkk", kind="alternative", author=None, now=timezone.now()
        ),
    ),
    Row(
        "organisations.correct_area_served",
        lambda world, author, served: services.correct_area_served(
            served=served, source="Its report", reason="Named.", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=_area_served,
    ),
    Row(
        "organisations.correct_area",
        lambda world, author, _: services.correct_area(
            area=world.fareham, name="Fareham town", reason="Renamed.", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
    ),
    Row(
        "organisations.accept_request",
        lambda world, author, request: services.accept_request(
            request=request, organisation=None, author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=_request_for_access,
    ),
    Row(
        "organisations.decline_request",
        lambda world, author, request: services.decline_request(
            request=request, reason="Not known here.", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=_request_for_access,
    ),
    Row(
        "organisations.hide_steps",
        lambda world, author, _: services.hide_steps(
            membership=_membership(world, world.amina), author=author, now=timezone.now()
        ),
        LEAD,
    ),
)

WITHOUT_A_PERSON = {
    "organisations.apply_handovers": "a scheduled task, for lines that a successor accepted",
    "organisations.ask_for_access": "anyone may ask, signed in or not; limited",
    "organisations.hand_over_due": "a scheduled task",
    "organisations.email_proposals": "a scheduled task",
    "organisations.undo_handovers": "a scheduled task, for a succession that was undone",
    "organisations.accept_membership": "by the token of an invitation, for the person it was sent to",
    "organisations.invitation_for": "reads only",
    "organisations.lock_person": "locks a row for another service",
    "organisations.move_areas": "part of another service, inside its transaction",
    "organisations.new_organisation_event": "makes an event that another service saves",
    "organisations.new_membership_event": "makes an event that another service saves",
    "organisations.open_membership": "reads only",
    "organisations.preview_merge": "reads only",
    "organisations.record_event": "part of another service, inside its transaction",
    "organisations.record_membership_event": "part of another service, inside its transaction",
    "organisations.record_moved_memberships": "part of another service, inside its transaction",
    "organisations.set_status": "part of another service, inside its transaction",
    "organisations.sign_in_refusal": "reads only",
    "organisations.record_sign_in_change": "part of another service, inside its transaction",
    "organisations.ties_between": "makes values that other services record",
}
