"""Turns parts of a network file into dated steps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any

from partnerships.agreements.models import Partnership, PartyRole
from partnerships.agreements.services.parties import (
    answer_invitation,
    change_party_role,
    invite_organisation,
    leave_partnership,
)
from partnerships.agreements.services.partnerships import create_partnership
from partnerships.agreements.services.status import change_status
from partnerships.commitments.services import (
    confirm_commitment,
    propose_commitment,
    record_progress,
    verify_delivery,
)
from partnerships.conversations.services.agreeing import agree_record, circulate
from partnerships.conversations.services.drafting import (
    AttendeeGiven,
    NextStepGiven,
    PointGiven,
    Record,
    record_conversation,
)
from partnerships.digests.services import add_stakeholder, enrol
from partnerships.exchange.services import (
    create_entry,
    decide_response,
    respond,
    share_entry,
    withdraw_entry,
)
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
from partnerships.transfer.reading.shapes import every
from partnerships.transfer.services.network import Network, UnableToLoad

Item = dict[str, Any]


def partnerships(network: Network) -> None:
    """Steps of partnerships: creation, invitations, answers and statuses."""
    for place, item in enumerate(network.file["partnerships"]):
        path = f"partnerships[{place}]"
        network.then(item["opened"], path, partial(_open, network, item))
        for number, party in enumerate(item["parties"]):
            here = f"{path}.parties[{number}]"
            network.then(party["invited"] or item["opened"], here, partial(_invite, network, item, party))
            for moment, play in (("accepted", _accept), ("declined", _decline), ("left", _leave)):
                if party[moment]:
                    network.then(party[moment], here, partial(play, network, item, party))
        for number, step in enumerate(item["steps"]):
            network.then(step["at"], f"{path}.steps[{number}]", partial(_step, network, item, step))


def _open(network: Network, item: Item, now: dt.datetime) -> None:
    made = create_partnership(
        organisation=network.organisations[item["chair"]],
        author=network.by(item["by"]),
        title=item["title"],
        kind=item["kind"],
        now=now,
        purpose=item["purpose"],
        areas=[network.areas[code] for code in item["areas"]],
        audience=item["audience"],
        legally_binding=item["legally_binding"],
        **every(
            item,
            (
                "terms_of_reference",
                "starts_on",
                "review_on",
                "ends_on",
                "quorum",
                "meeting_frequency",
                "contact_days",
                "reports_to",
                "contribution",
                "annual_budget",
                "liabilities",
            ),
        ),
    )
    network.keep("partnerships", item["key"], made)


def _partnership(network: Network, key: str) -> Partnership | None:
    if not key:
        return None
    made: Partnership = network.found("partnerships", key, state="open")
    return made


def _of(network: Network, item: Item) -> Partnership:
    partnership = _partnership(network, item["key"])
    if partnership is None:
        raise UnableToLoad("it has no key.", "Give it one.")
    return partnership


def _invite(network: Network, item: Item, party: Item, now: dt.datetime) -> None:
    body = network.organisations[party["organisation"]]
    partnership = _of(network, item)
    if party["organisation"] == item["chair"]:
        if party["role"] not in (PartyRole.CHAIR, PartyRole.MEMBER):
            own = partnership.parties.get(organisation=body)
            change_party_role(party=own, role=party["role"], author=network.by(item["by"]), now=now)
        return
    invite_organisation(
        partnership=partnership, organisation=body, role=party["role"], author=network.by(item["by"]), now=now
    )


def _accept(network: Network, item: Item, party: Item, now: dt.datetime) -> None:
    own = _of(network, item).parties.get(organisation=network.organisations[party["organisation"]])
    answer_invitation(party=own, accept=True, reason="", author=network.by(party["by"]), now=now)


def _decline(network: Network, item: Item, party: Item, now: dt.datetime) -> None:
    own = _of(network, item).parties.get(organisation=network.organisations[party["organisation"]])
    answer_invitation(party=own, accept=False, reason=party["reason"], author=network.by(party["by"]), now=now)


def _leave(network: Network, item: Item, party: Item, now: dt.datetime) -> None:
    own = _of(network, item).parties.get(organisation=network.organisations[party["organisation"]])
    leave_partnership(party=own, reason=party["reason"], author=network.by(party["by"]), now=now)


def _step(network: Network, item: Item, step: Item, now: dt.datetime) -> None:
    partnership = _of(network, item)
    partnership.refresh_from_db()
    change_status(
        partnership=partnership,
        status=step["to"],
        reason=step["reason"],
        author=network.by(step["by"] or item["by"]),
        now=now,
        organisation=network.organisations[item["chair"]],
    )


def entries(network: Network) -> None:
    """Steps of asks and offers: written, shared, answered, decided, withdrawn."""
    for place, item in enumerate(network.file["entries"]):
        path = f"entries[{place}]"
        written = item["written"] or item["shared"] or network.now
        network.then(written, path, partial(_write, network, item))
        if item["shared"]:
            network.then(item["shared"], path, partial(_share, network, item))
        for number, response in enumerate(item["responses"]):
            here = f"{path}.responses[{number}]"
            network.then(response["at"], here, partial(_respond, network, item, response, number))
            decided = response["accepted"] or response["declined"]
            if decided:
                network.then(decided, here, partial(_decide, network, item, response, number))
        if item["withdrawn"]:
            network.then(item["withdrawn"], path, partial(_withdraw, network, item))


def _write(network: Network, item: Item, now: dt.datetime) -> None:
    made = create_entry(
        organisation=network.organisations[item["organisation"]],
        direction=item["direction"],
        title=item["title"],
        theme=item["theme"],
        audience=item["audience"],
        author=network.by(item["by"]),
        now=now,
        addressees=network.bodies(item["addressees"]),
        partnership=_partnership(network, item["partnership"]),
        areas=[network.areas[code] for code in item["areas"]],
        standing=item["standing"],
        **every(
            item,
            (
                "statement",
                "rationale",
                "quantity",
                "unit",
                "site",
                "available_from",
                "available_until",
                "conditions",
                "private_note",
            ),
        ),
    )
    network.keep("entries", item["key"], made)


def _share(network: Network, item: Item, now: dt.datetime) -> None:
    share_entry(entry=network.found("entries", item["key"]), author=network.by(item["by"]), now=now)


def _respond(network: Network, item: Item, response: Item, number: int, now: dt.datetime) -> None:
    made = respond(
        entry=network.found("entries", item["key"]),
        organisation=network.organisations[response["organisation"]],
        text=response["text"],
        author=network.by(response["by"]),
        now=now,
        quantity=response["quantity"],
    )
    network.keep("responses", f"{item['key']}/{number}", made)


def _decide(network: Network, item: Item, response: Item, number: int, now: dt.datetime) -> None:
    decide_response(
        response=network.found("responses", f"{item['key']}/{number}"),
        accept=bool(response["accepted"]),
        reason=response["reason"],
        author=network.by(response["decided_by"] or item["by"]),
        now=now,
    )


def _withdraw(network: Network, item: Item, now: dt.datetime) -> None:
    withdraw_entry(
        entry=network.found("entries", item["key"]), reason=item["reason"], author=network.by(item["by"]), now=now
    )


def commitments(network: Network) -> None:
    """Steps of commitments: proposed, confirmed, in progress, verified.

    The giver's or receiver's lead proposes, and the other confirms.
    """
    for place, item in enumerate(network.file["commitments"]):
        path = f"commitments[{place}]"
        network.then(item["proposed"], path, partial(_propose, network, item))
        if item["confirmed"]:
            network.then(item["confirmed"], path, partial(_confirm, network, item))
        for number, progress in enumerate(item["progress"]):
            network.then(progress["at"], f"{path}.progress[{number}]", partial(_progress, network, item, progress))
        if item["verified"]:
            network.then(item["verified"], path, partial(_verify, network, item))


def _propose(network: Network, item: Item, now: dt.datetime) -> None:
    made = propose_commitment(
        giver=network.organisations[item["giver"]],
        receiver=network.organisations[item["receiver"]],
        text=item["text"],
        quantity=item["quantity"],
        unit=item["unit"],
        owner=network.people[item["owner"]] if item["owner"] else None,
        due_on=item["due_on"],
        partnership=_partnership(network, item["partnership"]),
        author=network.by(item["by"]),
        now=now,
        confirm=True,
    )
    network.keep("commitments", item["key"], made)


def _confirm(network: Network, item: Item, now: dt.datetime) -> None:
    commitment = network.found("commitments", item["key"])
    commitment.refresh_from_db()
    author = network.by(item["confirmed_by"])
    sides = [network.organisations[item[side]] for side in ("giver", "receiver")]
    mine = [body for body in sides if body.memberships.current().of_person(author).exists()]
    if not mine:
        raise UnableToLoad("who confirms acts for neither side.", "Name a lead of the other side in “confirmed_by”.")
    confirm_commitment(
        commitment=commitment, organisation=mine[0], author=author, revision=commitment.revision, now=now
    )


def _progress(network: Network, item: Item, progress: Item, now: dt.datetime) -> None:
    record_progress(
        commitment=network.found("commitments", item["key"]),
        status=progress["status"],
        author=network.by(progress["by"]),
        now=now,
        delivered=progress["delivered"],
        note_text=progress["note"],
        blocker=progress["blocker"],
    )


def _verify(network: Network, item: Item, now: dt.datetime) -> None:
    verify_delivery(
        commitment=network.found("commitments", item["key"]), author=network.by(item["verified_by"]), now=now
    )


def plans(network: Network) -> None:
    """Steps of plans: versions, shares, comments, sign-off and the draft."""
    for place, item in enumerate(network.file["plans"]):
        path = f"plans[{place}]"
        network.then(item["begun"], path, partial(_begin, network, item))
        for number, version in enumerate(item["versions"]):
            network.then(version["at"], f"{path}.versions[{number}]", partial(_publish, network, item, version))
        for number, share in enumerate(item["shares"]):
            network.then(share["at"], f"{path}.shares[{number}]", partial(_show, network, item, share))
        for number, comment in enumerate(item["comments"]):
            network.then(comment["at"], f"{path}.comments[{number}]", partial(_comment, network, item, comment))
        if item["sign_off"]:
            asked = item["sign_off"]
            network.then(asked["at"], f"{path}.sign_off", partial(_ask_for_signatures, network, item))
            for number, signature in enumerate(asked["signatures"]):
                network.then(
                    signature["at"], f"{path}.sign_off.signatures[{number}]", partial(_sign, network, item, signature)
                )
        if item["draft"] is not None:
            network.then(network.now, f"{path}.draft", partial(_draft, network, item))


def _begin(network: Network, item: Item, now: dt.datetime) -> None:
    first = item["versions"][0]["content"] if item["versions"] else item["draft"]
    made = create_plan(
        owners=network.bodies(item["owners"]),
        partnership=_partnership(network, item["partnership"]),
        title=item["title"],
        kind=item["kind"],
        audience=item["audience"],
        author=network.by(item["by"]),
        now=now,
        content=first,
    )
    network.keep("plans", item["key"], made)


def _plan(network: Network, item: Item) -> Plan:
    plan: Plan = network.found("plans", item["key"])
    plan.refresh_from_db()
    return plan


def _newest(plan: Plan) -> Content | None:
    version = plan.versions.filter(number=plan.current_number).first()
    return version.content if version else None


def _publish(network: Network, item: Item, version: Item, now: dt.datetime) -> None:
    plan = _plan(network, item)
    content = version["content"]
    if content is None:
        content = _with_pieces(_newest(plan), version["set"])
    publish_version(
        plan=plan,
        author=network.by(version["by"] or item["by"]),
        note=version["note"],
        minor=version["minor"],
        now=now,
        content=_regular(content),
    )


def _regular(content: Any) -> Content:
    try:
        return normalise(content)
    except InvalidContent as error:
        raise _not_a_plan(error) from error


def _not_a_plan(error: InvalidContent) -> UnableToLoad:
    found = "; ".join(f"{problem.path}: {problem.message}" for problem in error.problems)
    return UnableToLoad(found, "See “Plans” in docs/network-format.md.")


def _with_pieces(content: Content | None, pieces: Any) -> Content:
    """The content with pieces replaced by name.

    Of an existing item only the given fields change.
    """
    if content is None or not isinstance(pieces, Mapping) or not pieces:
        raise UnableToLoad(
            "it has neither “content” nor, after a first version, “set”.",
            "Write the whole content, or the pieces that change.",
        )
    try:
        for piece, value in pieces.items():
            known = get_piece(content, piece)
            if isinstance(known, dict) and isinstance(value, dict):
                content = set_piece(content, piece, {**known, **value})
            else:
                content = set_piece(content, piece, value)
    except InvalidContent as error:
        raise _not_a_plan(error) from error
    except UnknownPiece as error:
        raise UnableToLoad(str(error), "Name pieces as about, sites/KEY, milestones/KEY …") from error
    return content


def _draft(network: Network, item: Item, now: dt.datetime) -> None:
    """Steps that save the draft on the newest version, piece by piece."""
    plan = _plan(network, item)
    newest = _newest(plan)
    if newest is None:
        return
    if not isinstance(item["draft"], Mapping):
        raise UnableToLoad("the draft is not a set of pieces.", "Name pieces as about, sites/KEY, milestones/KEY …")
    content = _with_pieces(newest, item["draft"])
    for piece in item["draft"]:
        split_piece(piece)
        save_piece(
            plan=plan,
            piece=piece,
            value=get_piece(content, piece),
            based_on=None,
            author=network.by(item["draft_by"] or item["by"]),
            now=now,
        )


def _show(network: Network, item: Item, share: Item, now: dt.datetime) -> None:
    share_draft(
        plan=_plan(network, item),
        email=network.people[share["person"]].email,
        may_comment=share["may_comment"],
        message=share["message"],
        ends_on=share["ends_on"],
        author=network.by(share["by"] or item["by"]),
        now=now,
    )


def _comment(network: Network, item: Item, comment: Item, now: dt.datetime) -> None:
    plan = _plan(network, item)
    number = comment["version"] if comment["version"] is not None else plan.current_number
    add_comment(
        plan=plan,
        version_number=number,
        text=comment["text"],
        anchor=comment["anchor"],
        author=network.by(comment["by"]),
        now=now,
    )


def _ask_for_signatures(network: Network, item: Item, now: dt.datetime) -> None:
    asked = item["sign_off"]
    request_sign_off(
        plan=_plan(network, item),
        signatories=[(network.organisations[one["organisation"]], one["role"]) for one in asked["signatories"]],
        due_on=asked["due_on"],
        author=network.by(asked["by"] or item["by"]),
        now=now,
        reason=asked["reason"],
    )


def _sign(network: Network, item: Item, signature: Item, now: dt.datetime) -> None:
    plan = _plan(network, item)
    sign_off(
        plan=plan,
        number=plan.current_number,
        organisation=network.organisations[signature["organisation"]],
        person=network.people[signature["by"]],
        decision=signature["decision"],
        reason=signature["reason"],
        now=now,
    )


def conversations(network: Network) -> None:
    """Steps of conversations: recorded, circulated, agreed by the others."""
    for place, item in enumerate(network.file["conversations"]):
        path = f"conversations[{place}]"
        network.then(item["recorded"], path, partial(_record, network, item))
        if item["circulated"]:
            network.then(item["circulated"], path, partial(_circulate, network, item))
        for number, agreed in enumerate(item["agreed"]):
            network.then(agreed["at"], f"{path}.agreed[{number}]", partial(_agree, network, item, agreed))


def _record(network: Network, item: Item, now: dt.datetime) -> None:
    body = network.organisations
    person = network.people
    made = record_conversation(
        organisation=body[item["organisation"]],
        record=Record(
            subject=item["subject"],
            held_on=item["held_on"],
            planned=item["planned"],
            format=item["how"],
            organisations=network.bodies(item["with"]),
            partnership=_partnership(network, item["partnership"]),
            said=item["said"],
            attribution=item["attribution"],
            next_contact_on=item["next_contact_on"],
            attendees=[
                AttendeeGiven(
                    body[one["organisation"]],
                    person[one["person"]] if one["person"] else None,
                    one["name"],
                    one["job_title"],
                )
                for one in item["attendees"]
            ],
            points=[PointGiven(body[one["organisation"]], one["kind"], one["text"]) for one in item["points"]],
            next_steps=[
                NextStepGiven(
                    body[one["organisation"]],
                    one["text"],
                    one["due_on"],
                    person[one["owner"]] if one["owner"] else None,
                )
                for one in item["next_steps"]
            ],
            private_note=item["private_note"] or None,
        ),
        author=network.by(item["by"]),
        now=now,
    )
    network.keep("conversations", item["key"], made)


def _circulate(network: Network, item: Item, now: dt.datetime) -> None:
    circulate(conversation=network.found("conversations", item["key"]), author=network.by(item["by"]), now=now)


def _agree(network: Network, item: Item, agreed: Item, now: dt.datetime) -> None:
    conversation = network.found("conversations", item["key"])
    conversation.refresh_from_db()
    agree_record(
        conversation=conversation,
        organisation=network.organisations[agreed["organisation"]],
        revision=conversation.revision,
        author=network.by(agreed["by"]),
        now=now,
    )


def subscriptions(network: Network) -> None:
    """Steps of subscriptions, after everything else.

    A confirmed one has the present versions as its watermark.
    """
    for place, item in enumerate(network.file["subscriptions"]):
        network.then(network.now, f"subscriptions[{place}]", partial(_subscribe, network, item))


def _subscribe(network: Network, item: Item, now: dt.datetime) -> None:
    named = [kind for kind in ("plan", "partnership", "organisation") if item[kind]]
    if len(named) != 1:
        raise UnableToLoad("it is about none or several things.", "Name one plan, one partnership or one organisation.")
    kind = named[0]
    target = network.organisations[item[kind]] if kind == "organisation" else network.found(f"{kind}s", item[kind])
    person = network.people[item["person"]]
    body = network.organisations[item["added_for"]] if item["added_for"] else None
    author = network.by(item["added_by"]) if item["added_by"] else person
    if item["confirmed"]:
        enrol(
            person=person,
            target=target,
            author=author,
            organisation=body,
            why=item["why"],
            frequency=item["frequency"],
            now=item["confirmed"],
        )
        return
    if body is None:
        raise UnableToLoad("who is asked needs the organisation that asks.", "Add “added_for” and “added_by”.")
    add_stakeholder(
        email=person.email,
        name=person.name,
        target=target,
        author=author,
        organisation=body,
        why=item["why"],
        frequency=item["frequency"],
        now=item["asked"],
    )


#: All lists besides organisations, people and memberships; plans come before what refers to them.
EVERYTHING = (partnerships, entries, commitments, conversations, plans, subscriptions)
