"""Replay how partnerships were created, parties invited and answered, and the status changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from functools import partial
from typing import Any

from partnerships.agreements.models import Partnership, PartnershipKind, Party, PartyRole, Status
from partnerships.agreements.services.invitations import answer_invitation, invite_organisation
from partnerships.agreements.services.parties import change_party_role, leave_partnership
from partnerships.agreements.services.partnerships import create_partnership
from partnerships.agreements.services.status import change_status
from partnerships.agreements.services.terms import SignatureRequest, record_acceptances, send_for_signature
from partnerships.agreements.services.terms.drafting import first_content
from partnerships.agreements.terms.schema import build_schema
from partnerships.transfer.reading.shapes import values_present
from partnerships.transfer.services.network.replaying import Item, Network, UnableToLoad

#: Terms that have the same name in the file and in `create_partnership`. Without a value, the model's default applies.
_TERMS = (
    "terms_of_reference",
    "starts_on",
    "review_on",
    "ends_on",
    "goes_on",
    "notice_days",
    "quorum",
    "meeting_frequency",
    "contact_days",
    "reports_to",
    "contribution",
    "annual_budget",
    "liabilities",
)


def schedule_partnerships(network: Network) -> None:
    """Schedule when partnerships were created, parties invited and answered, and the status changed."""
    for index, item in enumerate(network.file["partnerships"]):
        path = f"partnerships[{index}]"
        network.schedule(item["opened"], path, partial(_open, network, item))
        for party_index, party in enumerate(item["parties"]):
            _schedule_party(network, item, party, f"{path}.parties[{party_index}]")
        for step_index, step in enumerate(item["steps"]):
            network.schedule(step["at"], f"{path}.steps[{step_index}]", partial(_change_status, network, item, step))


def _schedule_party(network: Network, partnership: Item, party: Item, path: str) -> None:
    """Schedule when a party was invited, answered and left."""
    network.schedule(party["invited"] or partnership["opened"], path, partial(_invite, network, partnership, party))
    if party["accepted"]:
        network.schedule(party["accepted"], path, partial(_accept, network, partnership, party))
    if party["declined"]:
        network.schedule(party["declined"], path, partial(_decline, network, partnership, party))
    if party["left"]:
        network.schedule(party["left"], path, partial(_leave, network, partnership, party))


def _open(network: Network, item: Item, now: dt.datetime) -> None:
    """Create the partnership with its first terms, through the service that pages use."""
    terms = values_present(item, _TERMS)
    # These two are passed even if empty, because an empty purpose and “not legally binding” are terms as well.
    terms |= {"purpose": item["purpose"], "legally_binding": item["legally_binding"]}
    partnership = create_partnership(
        organisation=network.organisations[item["chair"]],
        author=network.actor(item["by"]),
        title=item["title"],
        kind=item["kind"],
        now=now,
        areas=[network.areas[code] for code in item["areas"]],
        audience=item["audience"],
        # The file says “renews”; the model says `redefines`.
        redefines=partnership_of(network, item["renews"]),
        content=_content(network, item, terms),
        **terms,
    )
    network.remember("partnerships", item["key"], partnership)


def _content(network: Network, item: Item, terms: dict[str, Any]) -> dict[str, Any] | None:
    """Return the first draft with the fields and rows of the partnership's kind, or None if the file has neither."""
    fields, rows = item["fields"], item["rows"]
    if not fields and not rows:
        return None
    if not _are_as_documented(fields, rows):
        raise UnableToLoad("“fields” or “rows” does not have the right form.", "See docs/network-format.md.")
    kind = PartnershipKind.by_code()[item["kind"]]
    content = first_content(kind, terms)
    schema = build_schema(kind.declarations)
    unknown_codes = set(rows) - {collection.code for collection in schema.collections}
    if unknown_codes:
        raise UnableToLoad(
            f"this kind of partnership has no table “{min(unknown_codes)}”.", "Correct the name of the table."
        )

    party_codes = {field.code for field in schema.about if field.shape == "party"}
    content["about"] |= _with_names(network, party_codes, fields)
    for collection in schema.collections:
        rows_of_collection = rows.get(collection.code, [])
        party_codes = {field.code for field in collection.fields if field.shape == "party"}
        if rows_of_collection:
            content[collection.code] = [_with_names(network, party_codes, row) for row in rows_of_collection]
    return content


def _are_as_documented(fields: Any, rows: Any) -> bool:
    """Return whether fields are an object, and rows an object of lists of objects."""
    tables = rows.values() if isinstance(rows, dict) else [None]
    return isinstance(fields, dict) and all(
        isinstance(table, list) and all(isinstance(row, dict) for row in table) for table in tables
    )


def _with_names(network: Network, party_codes: Collection[str], values: dict[str, Any]) -> dict[str, Any]:
    """Return the values, in which fields for parties have names instead of keys."""
    return {
        code: network.organisations[value].name if code in party_codes and value in network.organisations else value
        for code, value in values.items()
    }


def partnership_of(network: Network, key: str) -> Partnership | None:
    """Return the partnership with this key in the file, or None if the key is empty."""
    if not key:
        return None
    partnership: Partnership = network.recall("partnerships", key, state="open")
    return partnership


#: The reason for an invitation or a change of role, since the file has no field for it.
REASON = "Loaded from a network file."


def _partnership_of_item(network: Network, item: Item) -> Partnership:
    """Return the partnership of an item. Raises `UnableToLoad` if the item has no key."""
    partnership = partnership_of(network, item["key"])
    if partnership is None:
        raise UnableToLoad("the row has no key.", "Add “key”.")
    return partnership


def _invite(network: Network, item: Item, party: Item, now: dt.datetime) -> None:
    """Invite the party. The chair is a party already, and only gets its role."""
    organisation = network.organisations[party["organisation"]]
    partnership = _partnership_of_item(network, item)
    if party["organisation"] == item["chair"]:
        if party["role"] not in (PartyRole.CHAIR, PartyRole.MEMBER):
            chair = partnership.parties.get(organisation=organisation)
            change_party_role(party=chair, role=party["role"], reason=REASON, author=network.actor(item["by"]), now=now)
        return
    invite_organisation(
        partnership=partnership,
        organisation=organisation,
        role=party["role"],
        reason=REASON,
        author=network.actor(item["by"]),
        now=now,
    )


def _party_of(network: Network, item: Item, party: Item) -> Party:
    """Return the stored party of a party in the file."""
    partnership = _partnership_of_item(network, item)
    return partnership.parties.get(organisation=network.organisations[party["organisation"]])


def _accept(network: Network, item: Item, party: Item, now: dt.datetime) -> None:
    """Accept the invitation."""
    party_row = _party_of(network, item, party)
    answer_invitation(party=party_row, accept=True, reason="", author=network.actor(party["by"]), now=now)


def _decline(network: Network, item: Item, party: Item, now: dt.datetime) -> None:
    """Decline the invitation, with the reason in the file."""
    party_row = _party_of(network, item, party)
    answer_invitation(party=party_row, accept=False, reason=party["reason"], author=network.actor(party["by"]), now=now)


def _leave(network: Network, item: Item, party: Item, now: dt.datetime) -> None:
    """Leave the partnership, as after the notice period."""
    party_row = _party_of(network, item, party)
    author = network.actor(party["by"])
    leave_partnership(party=party_row, reason=party["reason"], author=author, now=now, after_notice=True)


def _change_status(network: Network, item: Item, step: Item, now: dt.datetime) -> None:
    """Change the status, unless an earlier event, such as the last signature, has already changed it."""
    partnership = _partnership_of_item(network, item)
    partnership.refresh_from_db()
    if step["to"] == partnership.status:
        return
    author = network.actor(step["by"] or item["by"])
    if step["to"] == Status.AWAITING_SIGN_OFF and partnership.status == Status.DRAFTING:
        _send_for_signature(network, item, step, partnership, now)
        return
    if step["to"] in (Status.ACTIVE, Status.AGREED) and partnership.status == Status.AWAITING_SIGN_OFF:
        _accept_terms(partnership, now)
        partnership.refresh_from_db()
        if partnership.status != Status.AWAITING_SIGN_OFF:
            return
    change_status(
        partnership=partnership,
        status=step["to"],
        reason=step["reason"],
        author=author,
        now=now,
        organisation=network.organisations[item["chair"]],
    )


def _send_for_signature(network: Network, item: Item, step: Item, partnership: Partnership, now: dt.datetime) -> None:
    """Send the first terms for signature."""
    send_for_signature(
        proposal=partnership.terms_proposals.get(number=1),
        request=SignatureRequest(reason=step["reason"]),
        author=network.actor(step["by"] or item["by"]),
        organisation=network.organisations[item["chair"]],
        checked=False,
        now=now,
    )


def _accept_terms(partnership: Partnership, now: dt.datetime) -> None:
    """Count acceptances as signatures, because the file has the partnership's status but not who signed."""
    version = partnership.terms_versions.order_by("-number").first()
    if version is not None:
        record_acceptances(version=version, author=None, now=now)
