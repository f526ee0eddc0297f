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
    """Schedule when parties signed the first version, and when the terms were amended."""
    for index, item in enumerate(network.file["partnerships"]):
        path = f"partnerships[{index}]"
        for number, signature in enumerate(item["signatures"]):
            replay = partial(_sign_first, network, item, signature)
            network.schedule(signature["at"], f"{path}.signatures[{number}]", replay)
        for number, amendment in enumerate(item["amendments"]):
            _schedule_amendment(network, item, amendment, f"{path}.amendments[{number}]")


def _schedule_amendment(network: Network, item: Item, amendment: Item, path: str) -> None:
    network.schedule(amendment["at"], path, partial(_propose, network, item, amendment))
    if amendment["put_up"]:
        network.schedule(amendment["put_up"], path, partial(_send_for_signature, network, item, amendment))
    for number, signature in enumerate(amendment["signatures"]):
        replay = partial(_sign_amendment, network, amendment, signature)
        network.schedule(signature["at"], f"{path}.signatures[{number}]", replay)


def _partnership(network: Network, item: Item) -> Partnership:
    partnership: Partnership = network.recall("partnerships", item["key"], state="open")
    partnership.refresh_from_db()
    return partnership


def _propose(network: Network, item: Item, amendment: Item, now: dt.datetime) -> None:
    """Propose to amend the clause with this title, or to add it if the terms do not have it."""
    author = network.actor(amendment["by"])
    proposal = propose_amendment(
        partnership=_partnership(network, item),
        organisation=network.organisations[amendment["organisation"]],
        reason=amendment["reason"],
        from_day=amendment["from_day"],
        author=author,
        now=now,
    )
    clauses = content_of_proposal(proposal)["clauses"]
    key_by_title = {clause["title"]: clause["key"] for clause in clauses}
    key = key_by_title.get(amendment["clause"]) or key_for(amendment["clause"], key_by_title.values())
    value = {"title": amendment["clause"], "body": amendment["text"]}
    save_terms_piece(proposal=proposal, piece=f"clauses/{key}", value=value, based_on=None, author=author, now=now)
    amendment["proposal"] = proposal.pk


def _proposal(amendment: Item) -> TermsProposal:
    """Return the proposal of an amendment. Raises `UnableToLoad` if it is not proposed yet at this moment."""
    if "proposal" not in amendment:
        raise UnableToLoad("nobody has proposed the terms before this date.", "Enter a later date.")
    return TermsProposal.objects.select_related("partnership", "based_on").get(pk=amendment["proposal"])


def _send_for_signature(network: Network, item: Item, amendment: Item, now: dt.datetime) -> None:
    send_for_signature(
        proposal=_proposal(amendment),
        request=SignatureRequest(
            reason=amendment["reason"], from_day=amendment["from_day"], questions=amendment["questions"]
        ),
        author=network.actor(amendment["by"]),
        organisation=network.organisations[amendment["organisation"]],
        checked=False,
        now=now,
    )


def _sign_first(network: Network, item: Item, signature: Item, now: dt.datetime) -> None:
    first_proposal = _partnership(network, item).terms_proposals.get(number=1)
    _sign(network, newest_version(first_proposal), signature, now)


def _sign_amendment(network: Network, amendment: Item, signature: Item, now: dt.datetime) -> None:
    _sign(network, newest_version(_proposal(amendment)), signature, now)


def _sign(network: Network, version: TermsVersion | None, signature: Item, now: dt.datetime) -> None:
    person = network.actor(signature["by"])
    if version is None or person is None:
        raise UnableToLoad("nothing is waiting for signatures, or “by” is missing.", "Enter a later date, or add “by”.")
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
