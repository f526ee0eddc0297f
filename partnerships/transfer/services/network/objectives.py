"""Replay how objectives were added, reported on and linked with commitments."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import partial

from django.utils import timezone

from partnerships.agreements.services.objectives import ProgressReport, add_objective, link_record, report_progress
from partnerships.transfer.services.network.partnerships import partnership_of
from partnerships.transfer.services.network.replaying import Item, Network


def schedule_objectives(network: Network) -> None:
    """Schedule the events of objectives. Commitments are linked at the end, when all of them exist."""
    for index, item in enumerate(network.file["objectives"]):
        path = f"objectives[{index}]"
        network.schedule(item["added"], path, partial(_add, network, item))
        for number, report in enumerate(item["progress"]):
            network.schedule(report["at"], f"{path}.progress[{number}]", partial(_report, network, item, report))
        for key in item["commitments"]:
            network.schedule(network.now, path, partial(_link, network, item, key))


def _add(network: Network, item: Item, now: dt.datetime) -> None:
    """Add the objective. Reports of progress are later events."""
    partnership = partnership_of(network, item["partnership"])
    assert partnership is not None
    objective = add_objective(
        partnership=partnership,
        text=item["text"],
        measure=item["measure"],
        unit=item["unit"],
        baseline=item["baseline"] or Decimal(0),
        baseline_on=item["baseline_on"],
        target=item["target"],
        target_on=item["target_on"],
        organisation=network.organisations[item["organisation"]],
        owner=network.people[item["owner"]] if item["owner"] else None,
        author=network.actor(item["by"]),
        now=now,
    )
    network.remember("objectives", item["key"], objective)


def _report(network: Network, item: Item, report: Item, now: dt.datetime) -> None:
    objective = network.recall("objectives", item["key"])
    report_progress(
        objective=objective,
        report=ProgressReport(
            on=timezone.localdate(now),
            figure=report["figure"],
            note=report["note"],
            blocked_by=report["blocked_by"],
        ),
        author=network.actor(report["by"]),
        now=now,
    )


def _link(network: Network, item: Item, key: str, now: dt.datetime) -> None:
    link_record(
        objective=network.recall("objectives", item["key"]),
        provider="commitment",
        key=str(network.recall("commitments", key).pk),
        author=network.actor(item["by"]),
        now=now,
    )
