"""Replay how plans were drafted, published, shared, commented on and signed off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any

from partnerships.plans.content import (
    Content,
    InvalidContent,
    UnknownPiece,
    get_piece,
    normalise,
    set_piece,
    split_piece,
)
from partnerships.plans.models import Plan
from partnerships.plans.services import (
    add_comment,
    create_plan,
    publish_version,
    request_sign_off,
    save_piece,
    share_draft,
    sign_off,
)
from partnerships.transfer.services.network.partnerships import partnership_of
from partnerships.transfer.services.network.replaying import Item, Network, UnableToLoad


def schedule_plans(network: Network) -> None:
    """Schedule when plans were published, shared, commented on, signed off and drafted again."""
    for index, item in enumerate(network.file["plans"]):
        path = f"plans[{index}]"
        network.schedule(item["begun"], path, partial(_begin, network, item))
        for number, version in enumerate(item["versions"]):
            network.schedule(version["at"], f"{path}.versions[{number}]", partial(_publish, network, item, version))
        for number, share in enumerate(item["shares"]):
            network.schedule(share["at"], f"{path}.shares[{number}]", partial(_share_draft, network, item, share))
        for number, comment in enumerate(item["comments"]):
            network.schedule(comment["at"], f"{path}.comments[{number}]", partial(_comment, network, item, comment))
        if item["sign_off"]:
            sign_off_item = item["sign_off"]
            network.schedule(sign_off_item["at"], f"{path}.sign_off", partial(_ask_for_signatures, network, item))
            for number, signature in enumerate(sign_off_item["signatures"]):
                network.schedule(
                    signature["at"], f"{path}.sign_off.signatures[{number}]", partial(_sign, network, item, signature)
                )
        if item["draft"] is not None:
            network.schedule(network.now, f"{path}.draft", partial(_draft, network, item))


def _begin(network: Network, item: Item, now: dt.datetime) -> None:
    """Create the plan with its first content."""
    first_content = item["versions"][0]["content"] if item["versions"] else item["draft"]
    plan = create_plan(
        owners=network.organisations_for(item["owners"]),
        partnership=partnership_of(network, item["partnership"]),
        title=item["title"],
        kind=item["kind"],
        audience=item["audience"],
        author=network.actor(item["by"]),
        now=now,
        content=first_content,
    )
    network.remember("plans", item["key"], plan)


def _plan(network: Network, item: Item) -> Plan:
    """Return the plan of an item as it is stored now."""
    plan: Plan = network.recall("plans", item["key"])
    plan.refresh_from_db()
    return plan


def _newest_content(plan: Plan) -> Content | None:
    """Return the content of the newest version, or None if the plan has no version."""
    version = plan.versions.filter(number=plan.current_number).first()
    return version.content if version else None


def _publish(network: Network, item: Item, version: Item, now: dt.datetime) -> None:
    """Publish a version with its own content, or with the newest content and changed parts."""
    plan = _plan(network, item)
    content = version["content"]
    if content is None:
        content = _with_pieces(_newest_content(plan), version["set"])
    publish_version(
        plan=plan,
        author=network.actor(version["by"] or item["by"]),
        note=version["note"],
        minor=version["minor"],
        now=now,
        content=_normalised(content),
        published_elsewhere=True,  # skips checks that are newer than some files, which must still load
    )


def _normalised(content: Any) -> Content:
    """Return the content in its regular form. Raises `UnableToLoad` if it is not the content of a plan."""
    try:
        return normalise(content)
    except InvalidContent as error:
        raise _not_a_plan(error) from error


def _not_a_plan(error: InvalidContent) -> UnableToLoad:
    """Return the error for content that is not the content of a plan."""
    fault = "; ".join(f"{problem.path}: {problem.message}" for problem in error.problems)
    return UnableToLoad(fault, "See “Plans” in docs/network-format.md.")


def _with_pieces(content: Content | None, pieces: Any) -> Content:
    """Return the content with pieces replaced by name.

    If a piece is an object, only its fields in the file change.
    """
    if content is None or not isinstance(pieces, Mapping) or not pieces:
        raise UnableToLoad(
            "the version has neither “content” nor “set”, which later versions can have instead.",
            "Enter the whole content, or the pieces that change.",
        )
    try:
        for piece, value in pieces.items():
            existing_value = get_piece(content, piece)
            if isinstance(existing_value, dict) and isinstance(value, dict):
                content = set_piece(content, piece, {**existing_value, **value})
            else:
                content = set_piece(content, piece, value)
    except InvalidContent as error:
        raise _not_a_plan(error) from error
    except UnknownPiece as error:
        raise UnableToLoad(str(error), "Name pieces as about, sites/KEY, milestones/KEY …") from error
    return content


def _draft(network: Network, item: Item, now: dt.datetime) -> None:
    """Save the draft on top of the newest version, piece by piece."""
    plan = _plan(network, item)
    newest_content = _newest_content(plan)
    if newest_content is None:
        return
    if not isinstance(item["draft"], Mapping):
        raise UnableToLoad("the draft is not a set of pieces.", "Name pieces as about, sites/KEY, milestones/KEY …")
    content = _with_pieces(newest_content, item["draft"])
    for piece in item["draft"]:
        split_piece(piece)
        save_piece(
            plan=plan,
            piece=piece,
            value=get_piece(content, piece),
            based_on=None,
            author=network.actor(item["draft_by"] or item["by"]),
            now=now,
        )


def _share_draft(network: Network, item: Item, share: Item, now: dt.datetime) -> None:
    """Share the draft with a person."""
    share_draft(
        plan=_plan(network, item),
        email=network.people[share["person"]].email,
        may_comment=share["may_comment"],
        message=share["message"],
        ends_on=share["ends_on"],
        author=network.actor(share["by"] or item["by"]),
        now=now,
    )


def _comment(network: Network, item: Item, comment: Item, now: dt.datetime) -> None:
    """Comment on the version that the file names, or else on the newest one."""
    plan = _plan(network, item)
    number = comment["version"] if comment["version"] is not None else plan.current_number
    add_comment(
        plan=plan,
        version_number=number,
        text=comment["text"],
        anchor=comment["anchor"],
        author=network.actor(comment["by"]),
        now=now,
    )


def _ask_for_signatures(network: Network, item: Item, now: dt.datetime) -> None:
    """Ask the signatories in the file to sign the plan."""
    sign_off_item = item["sign_off"]
    request_sign_off(
        plan=_plan(network, item),
        signatories=[
            (network.organisations[signatory["organisation"]], signatory["role"])
            for signatory in sign_off_item["signatories"]
        ],
        due_on=sign_off_item["due_on"],
        author=network.actor(sign_off_item["by"] or item["by"]),
        now=now,
        reason=sign_off_item["reason"],
        questions=sign_off_item["questions"],
    )


def _sign(network: Network, item: Item, signature: Item, now: dt.datetime) -> None:
    """Sign, reject or abstain for an organisation, with the answers in the file."""
    plan = _plan(network, item)
    sign_off(
        plan=plan,
        number=plan.current_number,
        organisation=network.organisations[signature["organisation"]],
        person=network.people[signature["by"]],
        decision=signature["decision"],
        reason=signature["reason"],
        answers=dict(zip(item["sign_off"]["questions"], signature["answers"], strict=False)),
        now=now,
    )
