"""Who may open each page that shows several rooms."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from partnerships.outbox.services import record_email
from tests.support.access import Row, everyone, expect, public
from tests.world import World


def _partnership(world: World) -> dict[str, Any]:
    return {"pk": world.partnership.pk}


def _organisation(world: World) -> dict[str, Any]:
    return {"pk": world.larkhaven.pk}


def _pair(world: World) -> dict[str, Any]:
    return {"pk": world.larkhaven.pk, "other": world.westmarch.pk}


def prepare(world: World) -> None:
    """Record an email to a stakeholder of Larkhaven."""
    with transaction.atomic():
        world.things["email"] = record_email(
            kind="digests.confirmation",
            person_id=world.sol.pk,
            params={"subscription": 0},
            sender_id=world.larkhaven.pk,
            now=world.now,
        )


def _email(world: World) -> dict[str, Any]:
    return {"pk": world.things["email"].pk}


def _topic(world: World) -> dict[str, Any]:
    return {"key": "partnership"}


_PARTIES = expect(inside=200, outside=404)

#: Pages about Larkhaven for people of another organisation.
_PARTNER = expect(inside=404, outside=200, partner=200, left=403, administrator=403)

ROWS = (
    Row("web:group", on=_organisation, get=everyone()),
    Row("web:predecessors", on=_organisation, get=everyone()),
    Row(
        "web:first-steps",
        get=expect(inside=404, outside=404, lead=200, partner=200, stranger=200, shared=200, administrator=200),
    ),
    Row(
        "web:hide-first-steps",
        on=_organisation,
        post=expect(inside=404, outside=404, lead=302),
    ),
    Row("web:home", get=public()),
    Row("web:read-date", get=public()),
    Row("web:my-work", get=everyone()),
    Row("web:network", get=everyone()),
    Row("web:network-partners", on=_organisation, get=everyone()),
    Row("web:network-pair", on=_pair, get=everyone()),
    Row("web:help", get=public()),
    Row("web:page-help", on=_topic, get=public()),
    Row("web:emails", get=expect(inside=403, outside=200, lead=200, partner=200, left=403, share_ended=403)),
    Row("web:email", on=_email, get=expect(inside=404, outside=404, lead=200, administrator=200)),
    Row("web:partnership-entries", on=_partnership, get=_PARTIES),
    Row("web:partnership-plans", on=_partnership, get=_PARTIES),
    Row("web:partnership-commitments", on=_partnership, get=_PARTIES),
    Row("web:partnership-conversations", on=_partnership, get=_PARTIES),
    Row("web:brief", on=_organisation, get=_PARTNER),
    Row("web:brief-pdf", on=_organisation, get=_PARTNER),
    Row("web:reciprocity-partner", on=_organisation, get=_PARTNER),
    Row("web:reciprocity", get=expect(inside=200, outside=200, left=403, administrator=403)),
    Row("web:organisation-entries", on=_organisation, get=everyone()),
    Row("web:organisation-plans", on=_organisation, get=everyone()),
)
