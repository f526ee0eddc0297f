"""Who may open each page of digests.

A page behind a link from an email opens for anyone who has the link, and shows only what belongs to its reader.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.digests import services
from partnerships.digests.emails.links import Purpose, make, minute_of
from partnerships.digests.models import Delivery, InboxItem, Preference, Subscription
from partnerships.digests.services.sweep import plan_round
from partnerships.organisations.models import Organisation
from partnerships.outbox.draining import drain
from partnerships.plans.models import Plan
from partnerships.plans.services import create_plan, publish_version
from tests.digests.conftest import PostOffice, quay
from tests.support.access import Row, everyone, expect, public
from tests.world import World


def prepare(world: World) -> None:
    """Create a plan that Sol follows, a question that he has not answered, and a digest that he received."""
    now = timezone.now()
    plan = _publish_plan(
        world, "Digest Quay", partnership=world.partnership, audience="partnership", homes=120, now=now
    )
    public_plan = _publish_plan(world, "Open Quay", partnership=None, audience="public", homes=50, now=now)
    subscription = _ask_sol(world, plan, now)
    confirmed_subscription = services.confirm(subscription=subscription, now=now)
    unanswered_subscription = _ask_sol(world, world.larkhaven, now)

    publish_version(plan=plan, author=world.amina, note="Fewer.", content=quay(100), now=now)
    plan_round(now=now)
    plan_round(now=now + dt.timedelta(hours=1))
    drain(seconds=120, connect=PostOffice)

    world.things |= {
        "digest_plan": plan,
        "digest_public": public_plan,
        "digest_confirmed": confirmed_subscription,
        "digest_waiting": unanswered_subscription,
        "digest_delivery": Delivery.objects.get(recipient=world.sol, kind="digests.digest"),
    }


def _publish_plan(
    world: World, title: str, *, partnership: Partnership | None, audience: str, homes: int, now: dt.datetime
) -> Plan:
    """Publish the first version of a plan of Larkhaven."""
    plan = create_plan(
        owners=[world.larkhaven],
        partnership=partnership,
        title=title,
        kind="delivery",
        audience=audience,
        author=world.amina,
        now=world.now,
    )
    publish_version(plan=plan, author=world.amina, note="First.", content=quay(homes), now=now)
    return plan


def _ask_sol(world: World, target: Plan | Organisation, now: dt.datetime) -> Subscription:
    """Ask Sol for consent to digests about a plan or an organisation."""
    return services.add_stakeholder(
        email=world.sol.email,
        name="Sol",
        target=target,
        author=world.amina,
        organisation=world.larkhaven,
        now=now,
    )


def token(purpose: Purpose, world: World) -> str:
    """Return the token of a link in one of Sol's emails."""
    record_by_purpose = {Purpose.CONFIRM: world.things["digest_waiting"].pk}
    return make(
        purpose,
        person_id=world.sol.pk,
        link_key=Preference.objects.get(person=world.sol).link_key,
        record_id=record_by_purpose.get(purpose, world.things["digest_delivery"].pk),
        minute=minute_of(timezone.now()),
    )


def plan(world: World) -> dict[str, Any]:
    return {"pk": world.things["digest_plan"].pk}


def about_plan(world: World) -> dict[str, Any]:
    return {"kind": "plan", **plan(world)}


def delivery(world: World) -> dict[str, Any]:
    return {"pk": world.things["digest_delivery"].pk}


def subscription(world: World) -> dict[str, Any]:
    return {"pk": world.things["digest_confirmed"].pk}


def own_item(world: World) -> dict[str, Any]:
    """Return the URL arguments of a notice to Amina."""
    item = InboxItem.objects.filter(person=world.amina).order_by("pk").first() or InboxItem.objects.create(
        person=world.amina, kind="agreements.answer", group="partnerships", created_at=world.now
    )
    return {"pk": item.pk}


#: Only leads of the owner and administrators may read this email; other leads see only their own ledger.
EMAIL = expect(inside=403, outside=403, lead=200, partner=404, stranger=404, shared=404, administrator=200)
LEDGER = expect(inside=403, outside=403, lead=200, partner=200, stranger=200, shared=200, administrator=200)
#: Editors and leads of any organisation; each sees the stakeholders that their own organisation added.
ASKERS = expect(inside=200, outside=403, viewer=403, stranger=200, shared=200, share_ended=200)

ROWS = (
    Row("digests:manage", get=everyone(), post=everyone(422)),
    Row("digests:inbox", get=everyone()),
    Row("digests:inbox", query="?group=commitments&unread=yes", get=everyone()),
    Row("digests:inbox-mark", post=everyone(302)),
    Row("digests:inbox-open", on=own_item, get=expect(inside=404, outside=404, lead=302)),
    Row("digests:subscribe", on=about_plan, post=expect(inside=302, outside=404)),
    Row(
        "digests:follow-piece",
        on=lambda world: {"pk": world.things["digest_plan"].pk, "collection": "sites", "key": "north-quay"},
        get=expect(inside=200, outside=404),
        post=expect(inside=302, outside=404),
    ),
    Row("digests:last-month", get=everyone()),
    Row("digests:change", on=lambda world: {**subscription(world), "verb": "pause"}, post=everyone(404)),
    Row("digests:stop-all", get=everyone(), post=everyone()),
    Row("digests:stakeholders", get=ASKERS),
    Row("digests:stakeholders", query="?status=confirmed&q=sol", get=ASKERS),
    Row("digests:export-stakeholders", get=ASKERS),
    Row("digests:stakeholder", on=subscription, get=expect(inside=404, outside=404, editor=200, lead=200)),
    Row(
        "digests:add-stakeholder",
        on=about_plan,
        get=expect(inside=200, outside=404, viewer=403),
        post=expect(inside=422, outside=404, viewer=403),
    ),
    Row(
        "digests:ask-again",
        on=subscription,
        post=expect(inside=404, outside=404, editor=302, lead=302),
    ),
    Row(
        "digests:correct-address",
        on=subscription,
        get=expect(inside=404, outside=404, editor=200, lead=200),
        post=expect(inside=404, outside=404, editor=422, lead=422),
    ),
    Row(
        "digests:end-stakeholder",
        on=subscription,
        get=expect(inside=404, outside=404, editor=200, lead=200),
        post=expect(inside=404, outside=404, editor=422, lead=422),
    ),
    Row("digests:tell-role", on=about_plan, post=expect(inside=403, outside=404, lead=302)),
    Row("digests:who", on=plan, get=expect(inside=403, outside=404, editor=200, lead=200)),
    Row(
        "digests:follow",
        on=lambda world: {"plan": world.things["digest_public"].pk},
        get=everyone(302, signed_out=200),
        post=everyone(302, signed_out=422),
    ),
    Row("digests:follow", on=lambda world: {"plan": world.things["digest_plan"].pk}, get=public(404), post=public(404)),
    Row("digests:new-links", get=public(), post=public(422)),
    Row(
        "digests:renew",
        on=lambda world: {"purpose": "preferences", "token": token(Purpose.PREFERENCES, world)},
        post=public(),
    ),
    Row(
        "digests:change-by-link",
        on=lambda world: {"token": token(Purpose.PREFERENCES, world), **subscription(world), "verb": "frequency"},
        post=public(302),
    ),
    Row("digests:stop", on=lambda world: {"token": token(Purpose.STOP, world)}, get=public(), post=public()),
    Row(
        "digests:preferences",
        on=lambda world: {"token": token(Purpose.PREFERENCES, world)},
        get=public(),
        post=public(422),
    ),
    Row(
        "digests:last-month-by-link",
        on=lambda world: {"token": token(Purpose.PREFERENCES, world)},
        get=public(),
    ),
    Row("digests:confirm", on=lambda world: {"token": token(Purpose.CONFIRM, world)}, get=public(), post=public()),
    Row("digests:view", on=lambda world: {"token": token(Purpose.READ, world)}, get=public()),
    Row(
        "digests:read",
        on=lambda world: {"token": token(Purpose.READ, world), "plan": world.things["digest_plan"].pk},
        get=public(),
    ),
    Row("digests:reports", on=lambda world: {"provider": "postmark"}, post=public(404)),
    Row("digests:ledger", get=LEDGER),
    Row("digests:ledger", query="?status=sent&q=sol", get=LEDGER),
    Row("digests:entry", on=delivery, get=EMAIL, post={**EMAIL, "lead": 403, "administrator": 422}),
    Row("digests:as-sent", on=delivery, get={**EMAIL, "administrator": 404}),
    Row("digests:again", on=delivery, post={**EMAIL, "lead": 302, "administrator": 302}),
    Row("digests:due", get=LEDGER),
    Row(
        "digests:preview",
        on=lambda world: {"pk": world.sol.pk},
        get=expect(inside=404, outside=404, lead=200, administrator=200),
        post=expect(inside=404, outside=404, lead=403, administrator=422),
    ),
    Row(
        "digests:follow-for-post",
        on=lambda world: {"post": world.things["contact"].post_id, "kind": "partnership", "pk": world.partnership.pk},
        post=expect(inside=403, outside=404, editor=302, lead=302),
    ),
)
