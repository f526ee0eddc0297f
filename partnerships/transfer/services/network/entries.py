"""Replay asks and offers, and the responses to them."""

from __future__ import annotations

import datetime as dt
from functools import partial

from partnerships.exchange.services import (
    create_entry,
    decide_response,
    respond,
    share_entry,
    withdraw_entry,
)
from partnerships.transfer.reading.shapes import values_present
from partnerships.transfer.services.network.partnerships import partnership_of
from partnerships.transfer.services.network.replaying import Item, Network

#: Fields that have the same names in the file and in `create_entry`. Without a value, the model's default applies.
_FIELDS = (
    "statement",
    "rationale",
    "quantity",
    "unit",
    "site",
    "available_from",
    "available_until",
    "conditions",
    "private_note",
)


def schedule_entries(network: Network) -> None:
    """Schedule when asks and offers were written, shared, answered, decided and withdrawn."""
    for index, item in enumerate(network.file["entries"]):
        path = f"entries[{index}]"
        written_at = item["written"] or item["shared"] or network.now
        network.schedule(written_at, path, partial(_write, network, item))
        if item["shared"]:
            network.schedule(item["shared"], path, partial(_share, network, item))
        for number, response in enumerate(item["responses"]):
            response_path = f"{path}.responses[{number}]"
            network.schedule(response["at"], response_path, partial(_respond, network, item, response, number))
            decided_at = response["accepted"] or response["declined"]
            if decided_at:
                network.schedule(decided_at, response_path, partial(_decide, network, item, response, number))
        if item["withdrawn"]:
            network.schedule(item["withdrawn"], path, partial(_withdraw, network, item))


def _write(network: Network, item: Item, now: dt.datetime) -> None:
    """Create the ask or offer as a draft, which later events share."""
    entry = create_entry(
        organisation=network.organisations[item["organisation"]],
        direction=item["direction"],
        title=item["title"],
        theme=item["theme"],
        audience=item["audience"],
        author=network.actor(item["by"]),
        now=now,
        addressees=network.organisations_for(item["addressees"]),
        partnership=partnership_of(network, item["partnership"]),
        areas=[network.areas[code] for code in item["areas"]],
        standing=item["standing"],
        **values_present(item, _FIELDS),
    )
    network.remember("entries", item["key"], entry)


def _share(network: Network, item: Item, now: dt.datetime) -> None:
    """Share the draft with the organisations that it asks."""
    share_entry(entry=network.recall("entries", item["key"]), author=network.actor(item["by"]), now=now)


def _respond(network: Network, item: Item, response: Item, number: int, now: dt.datetime) -> None:
    """Answer the ask or offer for an organisation."""
    saved_response = respond(
        entry=network.recall("entries", item["key"]),
        organisation=network.organisations[response["organisation"]],
        text=response["text"],
        author=network.actor(response["by"]),
        now=now,
        quantity=response["quantity"],
    )
    network.remember("responses", f"{item['key']}/{number}", saved_response)


def _decide(network: Network, item: Item, response: Item, number: int, now: dt.datetime) -> None:
    """Accept or decline a response."""
    decide_response(
        response=network.recall("responses", f"{item['key']}/{number}"),
        accept=bool(response["accepted"]),
        reason=response["reason"],
        author=network.actor(response["decided_by"] or item["by"]),
        now=now,
    )


def _withdraw(network: Network, item: Item, now: dt.datetime) -> None:
    """Withdraw the ask or offer, with the reason in the file."""
    withdraw_entry(
        entry=network.recall("entries", item["key"]), reason=item["reason"], author=network.actor(item["by"]), now=now
    )
