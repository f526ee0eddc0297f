"""Replay how parties submitted progress reports, and how these were accepted or returned."""

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
    """Schedule the events of reports.

    Reports that are due are opened before each event, and at the end of loading.
    """
    for index, item in enumerate(network.file["reporting"]):
        path = f"reporting[{index}]"
        network.schedule(item["at"], path, partial(_set_up, network, item))
        for number, report in enumerate(item["reports"]):
            report_path = f"{path}.reports[{number}]"
            network.schedule(report["submitted"], report_path, partial(_submit, network, item, report))
            decided_at = report["accepted"] or report["returned"]
            if decided_at:
                network.schedule(decided_at, report_path, partial(_decide, network, item, report))
        network.schedule(network.now, path, partial(_open_due, item))


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
        author=network.actor(item["by"]),
        now=now,
    )
    item["round"] = ReportingRound.objects.get(partnership=partnership, ends_on=None).pk


def _open_due(item: Item, now: dt.datetime) -> None:
    _open(item, now)


def _open(item: Item, now: dt.datetime) -> ReportingRound:
    """Open the reports that are due by now, and return the round that they belong to."""
    if "round" not in item:
        raise UnableToLoad("reporting has not started by this date.", "Enter a later date.")
    reporting_round = ReportingRound.objects.select_related("partnership").get(pk=item["round"])
    open_reports(reporting_round, now=now)
    return reporting_round


def _report(network: Network, item: Item, report: Item, now: dt.datetime) -> Report:
    """Return a party's open report for a period of the round, counted from 1.

    Raises `UnableToLoad` if there is no such report at this moment.
    """
    reporting_round = _open(item, now)
    ended_periods = list(periods(reporting_round.starts_on, reporting_round.period, now.date()))
    period_number = report["period"]
    party = network.organisations[report["organisation"]]
    reports = Report.objects.for_listing().filter(round=reporting_round, party__organisation=party)
    if 0 < period_number <= len(ended_periods):
        first_day, _ = ended_periods[period_number - 1]
        report_of_period = reports.filter(starts_on=first_day).first()
    else:
        report_of_period = None
    if report_of_period is None:
        raise UnableToLoad("there is no report for this period on this date.", "Enter a later date.")
    return report_of_period


def _submit(network: Network, item: Item, report: Item, now: dt.datetime) -> None:
    saved_report, author = _report(network, item, report, now), network.actor(report["by"])
    codes = [question["code"] for question in saved_report.questions]
    answers = dict(zip(codes, report["answers"], strict=False))
    draft = save_report(report=saved_report, answers=answers, revision=saved_report.revision, author=author, now=now)
    submit_report(report=draft, revision=draft.revision, author=author, now=now)


def _decide(network: Network, item: Item, report: Item, now: dt.datetime) -> None:
    saved_report, author = _report(network, item, report, now), network.actor(report["decided_by"] or item["by"])
    submission_number = saved_report.submissions.count()
    if report["accepted"]:
        accept_report(report=saved_report, number=submission_number, author=author, now=now)
    else:
        return_report(report=saved_report, number=submission_number, reason=report["reason"], author=author, now=now)
