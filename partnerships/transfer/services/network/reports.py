"""Replay progress reports: asked for, opened, submitted, accepted."""

from __future__ import annotations

import datetime as dt
from functools import partial

from partnerships.conversations.models import Report, ReportingRound
from partnerships.conversations.reporting import USUAL_QUESTIONS, periods
from partnerships.conversations.services import (
    accept_report,
    return_report,
    save_report,
    set_up_reporting,
    submit_report,
)
from partnerships.conversations.services.reports.opening import open_reports
from partnerships.transfer.services.network.partnerships import partnership_of
from partnerships.transfer.services.network.replaying import Item, Network, UnableToLoad


def schedule_reports(network: Network) -> None:
    """Steps of reports.

    Due reports are opened before each step and at the end.
    """
    for place, item in enumerate(network.file["reporting"]):
        path = f"reporting[{place}]"
        network.then(item["at"], path, partial(_set_up, network, item))
        for number, report in enumerate(item["reports"]):
            here = f"{path}.reports[{number}]"
            network.then(report["submitted"], here, partial(_submit, network, item, report))
            decided = report["accepted"] or report["returned"]
            if decided:
                network.then(decided, here, partial(_decide, network, item, report))
        network.then(network.now, path, partial(_open_due, item))


def _set_up(network: Network, item: Item, now: dt.datetime) -> None:
    partnership = partnership_of(network, item["partnership"])
    assert partnership is not None  # a required field
    set_up_reporting(
        partnership=partnership,
        period=item["every"],
        starts_on=item["starts_on"],
        due_days=item["due_days"],
        questions=USUAL_QUESTIONS,
        exempt=(),
        author=network.by(item["by"]),
        now=now,
    )
    item["round"] = ReportingRound.objects.get(partnership=partnership, ends_on=None).pk


def _open_due(item: Item, now: dt.datetime) -> None:
    _open(item, now)


def _open(item: Item, now: dt.datetime) -> ReportingRound:
    if "round" not in item:
        raise UnableToLoad("reporting has not started at this point.", "Give it a later date.")
    reporting_round = ReportingRound.objects.select_related("partnership").get(pk=item["round"])
    open_reports(reporting_round, now=now)
    return reporting_round


def _report(network: Network, item: Item, report: Item, now: dt.datetime) -> Report:
    """The report of a party for a period, counted from 1."""
    open_report = _open(item, now)
    ended = list(periods(open_report.starts_on, open_report.period, now.date()))
    number = report["period"]
    party = network.organisations[report["organisation"]]
    reports = Report.objects.for_listing().filter(round=open_report, party__organisation=party)
    made = reports.filter(starts_on=ended[number - 1][0]).first() if 0 < number <= len(ended) else None
    if made is None:
        raise UnableToLoad("there is no report for this period at this point.", "Give it a later date.")
    return made


def _submit(network: Network, item: Item, report: Item, now: dt.datetime) -> None:
    made, author = _report(network, item, report, now), network.by(report["by"])
    codes = [question["code"] for question in made.questions]
    answers = dict(zip(codes, report["answers"], strict=False))
    saved = save_report(report=made, answers=answers, revision=made.revision, author=author, now=now)
    submit_report(report=saved, revision=saved.revision, author=author, now=now)


def _decide(network: Network, item: Item, report: Item, now: dt.datetime) -> None:
    made, author = _report(network, item, report, now), network.by(report["decided_by"] or item["by"])
    number = made.submissions.count()
    if report["accepted"]:
        accept_report(report=made, number=number, author=author, now=now)
    else:
        return_report(report=made, number=number, reason=report["reason"], author=author, now=now)
