"""Replay how the terms of partnerships were signed and amended."""

from __future__ import annotations

import datetime as dt
from functools import partial

from partnerships.agreements.models import Partnership, TermsProposal, TermsVersion
from partnerships.agreements.queries.terms import content_of_proposal, newest_version
from partnerships.agreements.services.terms import (
    SignatureRequest,
    propose_amendment,
    save_terms_piece,
    send_for_signature,
    sign_terms,
)
from partnerships.documents import key_for
from partnerships.transfer.services.network.replaying import Item, Network, UnableToLoad


def schedule_terms(network: Network) -> None:
    """Schedule the signatures of each partnership's first terms, then its amendments and their signatures."""
    for index, partnership_item in enumerate(network.file["partnerships"]):
        path = f"partnerships[{index}]"
        for number, signature in enumerate(partnership_item["signatures"]):
            replay = partial(_sign_first, network, partnership_item, signature)
            network.schedule(signature["at"], f"{path}.signatures[{number}]", replay)
        for number in range(len(partnership_item["amendments"])):
            _schedule_amendment(network, partnership_item, number, f"{path}.amendments[{number}]")


def _schedule_amendment(network: Network, partnership_item: Item, number: int, path: str) -> None:
    """Schedule when an amendment was proposed, sent for signature if it was, and signed by each party.

    `number` is the index of the amendment in the file.
    """
    amendment = partnership_item["amendments"][number]
    proposal_key = f"{partnership_item['key']}/{number}"
    network.schedule(amendment["at"], path, partial(_propose, network, partnership_item, amendment, proposal_key))
    if amendment["put_up"]:
        replay = partial(_send_for_signature, network, amendment, proposal_key)
        network.schedule(amendment["put_up"], path, replay)
    for signature_number, signature in enumerate(amendment["signatures"]):
        replay = partial(_sign_amendment, network, signature, proposal_key)
        network.schedule(signature["at"], f"{path}.signatures[{signature_number}]", replay)


def _partnership(network: Network, partnership_item: Item) -> Partnership:
    """Return the partnership as it is stored now, since earlier steps may have changed it."""
    partnership: Partnership = network.recall("partnerships", partnership_item["key"], state="open")
    partnership.refresh_from_db()
    return partnership


def _propose(network: Network, partnership_item: Item, amendment: Item, proposal_key: str, now: dt.datetime) -> None:
    """Propose to amend the clause with this title, or to add it if the terms do not have it."""
    author = network.actor(amendment["by"])
    proposal = propose_amendment(
        partnership=_partnership(network, partnership_item),
        organisation=network.organisations[amendment["organisation"]],
        reason=amendment["reason"],
        from_day=amendment["from_day"],
        author=author,
        now=now,
    )
    piece = f"clauses/{_clause_key(proposal, amendment['clause'])}"
    value = {"title": amendment["clause"], "body": amendment["text"]}
    save_terms_piece(proposal=proposal, piece=piece, value=value, based_on=None, author=author, now=now)
    network.remember("amendments", proposal_key, proposal.pk)


def _clause_key(proposal: TermsProposal, title: str) -> str:
    """Return the key of the clause with this title, or a new key if the proposal has no such clause."""
    clauses = content_of_proposal(proposal)["clauses"]
    key_by_title = {clause["title"]: clause["key"] for clause in clauses}
    return key_by_title.get(title) or key_for(title, key_by_title.values())


def _proposal(network: Network, proposal_key: str) -> TermsProposal:
    """Return the proposal of an amendment. Raises `UnableToLoad` if it is not proposed yet at this moment."""
    proposal_id = network.recall("amendments", proposal_key, state="proposed")
    return TermsProposal.objects.select_related("partnership", "based_on").get(pk=proposal_id)


def _send_for_signature(network: Network, amendment: Item, proposal_key: str, now: dt.datetime) -> None:
    """Send the proposed amendment to the parties for signature."""
    send_for_signature(
        proposal=_proposal(network, proposal_key),
        request=SignatureRequest(
            reason=amendment["reason"], from_day=amendment["from_day"], questions=amendment["questions"]
        ),
        author=network.actor(amendment["by"]),
        organisation=network.organisations[amendment["organisation"]],
        checked=False,
        now=now,
    )


def _sign_first(network: Network, partnership_item: Item, signature: Item, now: dt.datetime) -> None:
    """Sign the partnership's first terms for one party."""
    first_proposal = _partnership(network, partnership_item).terms_proposals.get(number=1)
    _sign(network, newest_version(first_proposal), signature, now)


def _sign_amendment(network: Network, signature: Item, proposal_key: str, now: dt.datetime) -> None:
    """Sign an amendment for one party."""
    _sign(network, newest_version(_proposal(network, proposal_key)), signature, now)


def _sign(network: Network, version: TermsVersion | None, signature: Item, now: dt.datetime) -> None:
    """Sign a version for one party. Raises `UnableToLoad` if there is no version yet at this moment."""
    person = network.actor(signature["by"])
    if version is None:
        raise UnableToLoad("nothing is waiting for signatures on this date.", "Enter a later date.")
    organisation = network.organisations[signature["organisation"]]
    signatory = version.signatories.filter(organisation=organisation, removed_at=None).first()
    sign_terms(
        version=version,
        organisation=organisation,
        answers=dict(zip(signatory.questions if signatory else (), signature["answers"], strict=False)),
        person=person,
        name=person.display_name,
        title=signature["title"] or "Lead",
        now=now,
    )
