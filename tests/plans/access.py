"""Who may open each page of plans."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from partnerships.plans import services
from partnerships.plans.links import sign_off_token
from partnerships.plans.models import Plan, Share
from tests.plans.drafts import ask_signatures, begin, publish, save
from tests.support.access import Row, everyone, expect, public
from tests.world import World


def prepare(world: World) -> None:
    """Create a plan with two versions that is awaiting signatures, and the plan "hidden" that was never published."""
    now = timezone.now()
    plan = _publish_two_versions(world, now)
    _share_draft(world, plan)
    plan.refresh_from_db()
    _sign_for_larkhaven(world, plan, now)
    world.things["document"] = plan.documents.get()
    world.things["comment"] = services.add_comment(
        plan=plan, version_number=2, text="Why the island?", author=world.ben, now=now
    )
    world.things["asked"] = services.ask_for_access(
        partnership=world.partnership, about=plan.title, message="", author=world.ben, now=now
    )
    plan.refresh_from_db()
    world.things["plan"] = plan
    world.things["plan owner"] = plan.owners.get()
    world.things["ownership offer"] = services.offer_ownership(
        plan=plan,
        organisation=world.westmarch,
        offered_for=world.larkhaven,
        hands_over=False,
        author=world.amina,
        now=now,
    )
    world.things["hidden"] = begin(world, title="Not shown yet")


def _publish_two_versions(world: World, now: dt.datetime) -> Plan:
    """Publish two versions of a plan with a document, and change its draft afterwards."""
    plan = begin(world)
    services.attach_document(
        plan=plan,
        title="Site layout",
        file=SimpleUploadedFile("layout.txt", b"North to the top."),
        restricted=False,
        author=world.amina,
        now=now,
    )
    publish(plan, world)
    save(plan, world, "about", summary="Homes along both banks.")
    publish(plan, world, "Both banks.")
    save(plan, world, "about", summary="Homes along both banks, and the island.")
    return plan


def _share_draft(world: World, plan: Plan) -> None:
    """Share the draft with Nadia, and with Oscar until yesterday."""
    world.things["share"] = _share_with(world, plan, "nadia")
    _share_with(world, plan, "oscar")
    Share.objects.filter(plan=plan, person=world.oscar).update(ends_on=timezone.localdate() - dt.timedelta(days=1))


def _sign_for_larkhaven(world: World, plan: Plan, now: dt.datetime) -> None:
    """Ask for signatures of the second version; Larkhaven signs on a condition, Westmarch has yet to sign."""
    ask_signatures(plan, world)
    world.things["version"] = plan.versions.get(number=2)
    world.things["signed"] = services.sign_off(
        plan=plan,
        number=2,
        organisation=world.larkhaven,
        person=world.amina,
        decision="conditional",
        reason="Once the bank agrees.",
        now=now,
    )
    world.things["signatory"] = plan.signatories.get(organisation=world.westmarch)


def _share_with(world: World, plan: Any, name: str) -> Share:
    return services.share_draft(
        plan=plan,
        email=getattr(world, name).email,
        may_comment=True,
        message="",
        ends_on=None,
        author=world.amina,
        now=timezone.now(),
    )


def _on(**more: Any) -> Any:
    return lambda world: {"pk": world.things["plan"].pk, **more}


def _about(name: str, key: str) -> Any:
    return lambda world: {"pk": world.things["plan"].pk, key: world.things[name].pk}


def _offer(world: World) -> dict[str, Any]:
    return {"pk": world.things["ownership offer"].pk}


#: The published plan: for Larkhaven and its partner. Nadia has only a share of the draft, so she reads no version.
_READ = expect(inside=200, outside=404)
#: The draft: for editors and leads of the owner, and for Nadia. Ben and Vera read only the published plan.
_DRAFT = expect(inside=404, outside=404, editor=200, lead=200, shared=200)
#: Changes of the draft: people who may only read the draft are refused.
_EDIT = expect(inside=404, outside=404, editor=200, lead=200, shared=403)
_EDITED = expect(inside=404, outside=404, editor=422, lead=422, shared=403)
_MOVED = expect(inside=404, outside=404, editor=302, lead=302, shared=403)
#: Actions that only leads of an owner may take.
_LEAD = expect(inside=403, outside=404, lead=200, shared=403)
_LED = expect(inside=403, outside=404, lead=422, shared=403)

ROWS = (
    Row("plans:list", get=everyone()),
    Row("plans:milestones", get=everyone()),
    Row("plans:sites", get=everyone()),
    Row("plans:documents", get=everyone()),
    Row("plans:public", get=public()),
    Row("plans:create", get=everyone(), post=everyone(422)),
    Row("plans:ask", get=everyone(), post=everyone(422)),
    Row("plans:detail", on=_on(), get=expect(inside=200, outside=404, shared=302)),
    Row(
        "plans:detail",
        on=lambda world: {"pk": world.things["hidden"].pk},
        get=expect(inside=404, outside=404, editor=302, lead=302),
        query="?unpublished",
    ),
    Row("plans:version", on=_on(number=1), get=_READ),
    Row(
        "plans:version-by-id",
        on=lambda world: {"pk": world.things["version"].pk},
        get=expect(inside=302, outside=404),
    ),
    Row("plans:paper", on=_on(number=1), get=_READ),
    Row("plans:pdf", on=_on(number=1), get=_READ),
    Row("plans:word", on=_on(number=1), get=_READ),
    Row("plans:history", on=_on(), get=expect(inside=200, outside=404, shared=200)),
    Row("plans:map", on=_on(), get=_READ),
    Row(
        "plans:document",
        on=lambda world: {"pk": world.things["plan"].pk, "key": world.things["document"].key},
        get=expect(inside=200, outside=404, shared=200),
    ),
    Row("plans:compare", on=_on(), get=_READ),
    Row("plans:compare", on=_on(), get=expect(inside=404, outside=404, editor=200, lead=200), query="?to=draft"),
    Row("plans:compare-paper", on=_on(), get=_READ),
    Row("plans:compare-pdf", on=_on(), get=_READ),
    Row("plans:compare-csv", on=_on(), get=_READ),
    Row("plans:draft", on=_on(), get=_DRAFT),
    Row("plans:preview", on=_on(), get=_DRAFT),
    Row("plans:draft-paper", on=_on(), get=_DRAFT),
    Row("plans:draft-pdf", on=_on(), get=_DRAFT),
    Row("plans:draft-map", on=_on(), get=_DRAFT),
    Row("plans:edit-about", on=_on(), get=_EDIT, post=_EDITED),
    Row("plans:discard", on=_on(), get=_EDIT, post=_EDITED),
    Row("plans:add-document", on=_on(), get=_EDIT, post=_EDITED),
    Row(
        "plans:add-item",
        on=_on(code="sites"),
        get=_EDIT,
        post=expect(inside=404, outside=404, editor=404, lead=404, shared=403),
    ),
    Row("plans:edit-item", on=_on(code="sites", key="north-quay"), get=_EDIT, post=_EDITED),
    Row("plans:remove-item", on=_on(code="sites", key="north-quay"), get=_EDIT, post=_MOVED),
    Row("plans:move-item", on=_on(code="sites", key="north-quay"), post=_MOVED),
    Row("plans:propose", on=_on(), get=expect(inside=302, outside=404, viewer=403, shared=403)),
    Row("plans:publish", on=_on(), get=_LEAD, post=_LED),
    Row(
        "plans:milestone",
        on=_on(key="start"),
        get=expect(inside=403, outside=404, lead=200),
        post=expect(inside=403, outside=404, lead=422),
    ),
    Row("plans:status", on=_on(), get=_LEAD, post=_LED),
    Row("plans:audience", on=_on(), get=_LEAD, post=_LED),
    Row("plans:baseline", on=_on(), post=expect(inside=403, outside=404, lead=302, shared=403)),
    Row("plans:ownership", get=everyone()),
    Row(
        "plans:answer-ownership",
        on=_offer,
        get=expect(inside=404, outside=404, lead=200, partner=200),
        post=expect(inside=404, outside=404, lead=403, partner=422),
    ),
    Row("plans:withdraw-ownership", on=_offer, post=expect(inside=404, outside=404, lead=302, partner=403)),
    Row("plans:owners", on=_on(), get=expect(inside=200, outside=404, shared=403)),
    Row("plans:offer", on=_about("plan owner", "owner"), get=_LEAD, post=_LED),
    Row("plans:give-up", on=_about("plan owner", "owner"), get=_LEAD, post=_LED),
    Row("plans:sharing", on=_on(), get=_EDIT, post=_EDITED),
    Row("plans:openings", on=_on(), get=_EDIT),
    Row(
        "plans:revoke",
        on=_about("share", "share"),
        post=expect(inside=404, outside=404, editor=403, lead=302, shared=403),
    ),
    Row("plans:answer", on=_about("asked", "asked"), get=_EDIT, post=_EDITED),
    Row(
        "plans:comments",
        on=_on(),
        get=expect(inside=200, outside=404, shared=302),
        post=expect(inside=422, outside=404),
    ),
    Row(
        "plans:draft-comments",
        on=_on(),
        get=_DRAFT,
        post=expect(inside=404, outside=404, editor=422, lead=422, shared=422),
    ),
    Row("plans:reply", on=_about("comment", "comment"), get=_READ, post=expect(inside=422, outside=404)),
    Row("plans:resolve", on=_about("comment", "comment"), post=expect(inside=302, outside=404, viewer=403)),
    Row("plans:signing", on=_on(), get=_READ, post=expect(inside=403, outside=404, lead=302, partner=422)),
    Row("plans:request-signatures", on=_on(), get=_LEAD, post=_LED),
    Row("plans:remove-signatory", on=_about("signatory", "signatory"), get=_LEAD, post=_LED),
    Row("plans:due-day", on=_about("signatory", "signatory"), get=_LEAD, post=_LED),
    Row(
        "plans:condition",
        on=_about("signed", "signed"),
        get=expect(inside=403, outside=404, lead=200),
        post=expect(inside=403, outside=404, lead=302),
    ),
    Row(
        "plans:sign-by-link",
        on=lambda world: {"token": sign_off_token(world.things["signatory"], world.ben, 2)},
        get=expect(inside=200, outside=200, signed_out=200),
        post=expect(inside=422, outside=422, signed_out=422),
    ),
    Row(
        "plans:sign-by-link",
        on=lambda world: {"token": sign_off_token(world.things["signatory"], world.chidi, 2)},
        get=expect(inside=404, outside=404, signed_out=404),
        post=expect(inside=404, outside=404, signed_out=404),
        query="?of-a-stranger",
    ),
)
