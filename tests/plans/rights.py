"""The people who may call each service of plans."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.content import get_piece
from partnerships.plans.models import Plan
from partnerships.plans.queries import content_of, draft_content
from tests.plans.drafts import begin, publish
from tests.support.rights import ADMINISTRATOR, EDITORS, LEAD, NO_WRITES, OWN, PARTNER, PARTNER_EDITORS, Row
from tests.world import World

#: People of the owners and of present parties, including observers.
TAKING_PART = OWN | PARTNER_EDITORS | {"observer"}
#: Nadia, who is an observer, has a share of the draft with which she may comment.
SHOWN = frozenset({"observer"})


def _plan(world: World) -> Plan:
    plan: Plan = world.things["plan"]
    plan.refresh_from_db()
    return plan


def _published(world: World, audience: str = "partnership") -> Plan:
    """Create a plan of Larkhaven with one version and no signatories."""
    plan = begin(world, title="Quays programme", audience=audience)
    publish(plan, world)
    plan.refresh_from_db()
    return plan


def _create(**more: Any) -> Any:
    def call(world: World, author: User, _: Any) -> Plan:
        return services.create_plan(
            owners=[world.larkhaven],
            partnership=None,
            title="Old Mill",
            kind="delivery",
            audience="network",
            author=author,
            now=timezone.now(),
            **more,
        )

    return call


def _save(world: World, author: User, _: Any) -> Any:
    plan = _plan(world)
    value = get_piece(draft_content(plan), "about") | {"summary": "Homes on the quays."}
    return services.save_piece(plan=plan, piece="about", value=value, based_on=None, author=author, now=timezone.now())


def _save_items(world: World, author: User, _: Any) -> Any:
    plan = _plan(world)
    site = get_piece(draft_content(plan), "sites/north-quay")
    items = {"north-quay": {**site, "lead": "Larkhaven Homes"}}
    return services.save_items(plan=plan, code="sites", items=items, author=author, now=timezone.now())


def _publish_piece(world: World, author: User, _: Any) -> Any:
    plan = _plan(world)
    value = get_piece(content_of(plan, 2), "milestones/start") | {"forecast": "2027-09"}
    return services.publish_piece(
        plan=plan,
        piece="milestones/start",
        value=value,
        based_on=2,
        author=author,
        note="Later.",
        now=timezone.now(),
    )


def _share(world: World, author: Any) -> Any:
    return services.share_draft(
        plan=_plan(world),
        email=world.chidi.email,
        may_comment=True,
        message="",
        ends_on=None,
        author=author,
        now=timezone.now(),
    )


def _comment(number: int) -> Any:
    return lambda world, author, plan: services.add_comment(
        plan=plan or _plan(world), version_number=number, text="Why?", author=author, now=timezone.now()
    )


def _revoke(world: World, author: User, share: Any) -> Any:
    return services.revoke_share(share=share or world.things["share"], author=author, now=timezone.now())


def _offer(world: World, author: User, plan: Plan) -> Any:
    return services.offer_ownership(
        plan=plan,
        organisation=world.westmarch,
        offered_for=world.larkhaven,
        hands_over=True,
        author=author,
        now=timezone.now(),
    )


def _plan_owned_together(world: World) -> Plan:
    plan = _published(world)
    plan.owners.create(organisation=world.westmarch, began_at=timezone.now())
    return plan


ROWS = (
    Row("plans.offer_ownership", _offer, LEAD, prepare=_published),
    Row(
        "plans.withdraw_offer",
        lambda world, author, offer: services.withdraw_offer(offer=offer, author=author, now=timezone.now()),
        LEAD,
        prepare=lambda world: _offer(world, world.amina, _published(world)),
    ),
    Row(
        "plans.answer_offer",
        lambda world, author, offer: services.answer_offer(offer=offer, accept=True, author=author, now=timezone.now()),
        PARTNER,
        prepare=lambda world: _offer(world, world.amina, _published(world)),
    ),
    Row(
        "plans.give_up_ownership",
        lambda world, author, plan: services.give_up_ownership(
            plan=plan, organisation=world.larkhaven, reason="Not ours.", author=author, now=timezone.now()
        ),
        LEAD,
        prepare=_plan_owned_together,
    ),
    Row("plans.create_plan", _create(), EDITORS),
    Row(
        "plans.create_plan",
        _create(external_reference="E07:old-mill"),
        ADMINISTRATOR | LEAD,
        situation="from a register",
    ),
    Row("plans.save_piece", _save, EDITORS),
    Row("plans.save_items", _save_items, EDITORS),
    Row(
        "plans.move_piece",
        lambda world, author, _: services.move_piece(
            plan=_plan(world), piece="sections/vision", up=False, author=author, now=timezone.now()
        ),
        EDITORS,
    ),
    Row(
        "plans.move_piece",
        lambda world, author, _: services.move_piece(
            plan=_plan(world), piece="sections/vision", up=True, author=author, now=timezone.now()
        ),
        EDITORS,
        situation="where it is first already",
        result=NO_WRITES,
    ),
    Row(
        "plans.discard_draft",
        lambda world, author, _: services.discard_draft(
            plan=_plan(world), author=author, reason="Begin again.", now=timezone.now()
        ),
        EDITORS,
    ),
    Row(
        "plans.attach_document",
        lambda world, author, _: services.attach_document(
            plan=_plan(world),
            title="Phasing",
            file=SimpleUploadedFile("phasing.txt", b"First the north."),
            restricted=False,
            author=author,
            now=timezone.now(),
        ),
        EDITORS,
    ),
    Row(
        "plans.publish_version",
        lambda world, author, _: services.publish_version(
            plan=_plan(world), author=author, note="The island.", now=timezone.now()
        ),
        LEAD,
    ),
    Row("plans.publish_piece", _publish_piece, LEAD),
    Row(
        "plans.publish_piece",
        lambda world, author, plan: services.publish_piece(
            plan=plan,
            piece="milestones/start",
            value={},
            based_on=1,
            author=author,
            note="Later.",
            now=timezone.now(),
        ),
        LEAD,
        prepare=begin,
        situation="of a plan without a version",
        result="UnableToPublish: This plan has no version yet. Publish its draft first.",
    ),
    Row(
        "plans.change_status",
        lambda world, author, _: services.change_status(
            plan=_plan(world), to="shared", reason="More comments.", author=author, now=timezone.now()
        ),
        LEAD,
    ),
    Row(
        "plans.change_audience",
        lambda world, author, _: services.change_audience(
            plan=_plan(world), audience="network", reason="It is ready.", author=author, now=timezone.now()
        ),
        LEAD,
    ),
    Row(
        "plans.pin_baseline",
        lambda world, author, _: services.pin_baseline(plan=_plan(world), number=1, author=author, now=timezone.now()),
        LEAD,
    ),
    Row("plans.share_draft", lambda world, author, _: _share(world, author), EDITORS),
    Row("plans.revoke_share", _revoke, LEAD, situation="given by the lead"),
    Row(
        "plans.revoke_share",
        _revoke,
        EDITORS,
        prepare=lambda world: _share(world, world.eddie),
        situation="given by the editor",
    ),
    Row(
        "plans.ask_for_access",
        lambda world, author, _: services.ask_for_access(
            partnership=world.partnership, about="Something else", message="", author=author, now=timezone.now()
        ),
        TAKING_PART,
    ),
    Row(
        "plans.answer_request",
        lambda world, author, _: services.answer_request(
            request=world.things["asked"], grant=False, author=author, now=timezone.now()
        ),
        EDITORS,
    ),
    Row("plans.add_comment", _comment(2), TAKING_PART, situation="on a version"),
    Row("plans.add_comment", _comment(0), EDITORS | SHOWN, situation="on the draft"),
    Row(
        "plans.add_comment",
        _comment(1),
        TAKING_PART | {"former", "stranger"},
        prepare=lambda world: _published(world, "network"),
        situation="on a version that the network may read",
    ),
    Row(
        "plans.add_comment",
        _comment(1),
        OWN,
        prepare=lambda world: _published(world, "owners"),
        situation="on a version that only its owners may read",
    ),
    Row(
        "plans.set_resolved",
        lambda world, author, _: services.set_resolved(
            comment=world.things["comment"], resolved=True, author=author, now=timezone.now()
        ),
        EDITORS | PARTNER,
        situation="of the partner's comment",
    ),
    Row(
        "plans.request_sign_off",
        lambda world, author, plan: services.request_sign_off(
            plan=plan, signatories=[(world.westmarch, "Council")], due_on=None, author=author, now=timezone.now()
        ),
        LEAD,
        prepare=_published,
    ),
    Row(
        "plans.change_due_day",
        lambda world, author, _: services.change_due_day(
            signatory=world.things["signatory"],
            due_on=timezone.localdate(),
            reason="Committee day.",
            author=author,
            now=timezone.now(),
        ),
        LEAD,
    ),
    Row(
        "plans.remove_signatory",
        lambda world, author, _: services.remove_signatory(
            signatory=world.things["signatory"], author=author, reason="Not needed.", now=timezone.now()
        ),
        LEAD,
    ),
    Row(
        "plans.sign_off",
        lambda world, person, _: services.sign_off(
            plan=_plan(world),
            number=2,
            organisation=world.westmarch,
            person=person,
            decision="approved",
            now=timezone.now(),
        ),
        PARTNER,
    ),
    Row(
        "plans.meet_condition",
        lambda world, person, _: services.meet_condition(
            sign_off=world.things["signed"], person=person, note_text="The bank agrees.", now=timezone.now()
        ),
        LEAD,
    ),
)

_INSIDE = "part of another service, inside its transaction"
_CLOCK = "called by the clock"
_READS = "reads only"
WITHOUT_A_PERSON = {
    "plans.acting_organisation": _READS,
    "plans.ask_all_again": _INSIDE,
    "plans.ask_for_signatures": _INSIDE,
    "plans.begin_ownership": _INSIDE,
    "plans.end_ownership": _INSIDE,
    "plans.end_share": _INSIDE,
    "plans.end_shares": _INSIDE,
    "plans.lock_open_draft": "asks for the right to edit, and writes nothing",
    "plans.stop_asking": _INSIDE,
    "plans.withdraw_locked_offer": _INSIDE,
    "plans.withdraw_offers": _INSIDE,
    "plans.email_request": _INSIDE,
    "plans.end_active_shares": _INSIDE,
    "plans.escalate_signatories": _CLOCK,
    "plans.lift_embargoes": _CLOCK,
    "plans.lock_draft": _INSIDE,
    "plans.record_event": _INSIDE,
    "plans.log_share_opening": "logs a reading; finds only the reader's own standing share",
    "plans.stored_pdf": "reads only, and keeps the PDF",
    "plans.release_signatories": _CLOCK,
    "plans.remind_signatories": _CLOCK,
    "plans.agree_if_fully_signed": _INSIDE,
}
