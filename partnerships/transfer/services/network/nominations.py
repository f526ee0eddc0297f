"""Replay how lettings were counted, and nominations returns completed, sent and confirmed."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from functools import partial

from partnerships.nominations import services
from partnerships.nominations.lettings.filtering import LettingsFilter
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.models import Decision, NominationsReturn
from partnerships.nominations.queries import agreement_of, result_of
from partnerships.transfer.services.network.partnerships import partnership_of
from partnerships.transfer.services.network.replaying import Item, Network, UnableToLoad

#: How long after the end of a quarter its return is sent and confirmed, unless that day is in the future.
SENT_AFTER, CONFIRMED_AFTER = dt.timedelta(days=12), dt.timedelta(days=20)
_COLUMNS = ("startdate", "la", "beds", "unittype_gn", "needstype", "rsnvac", "vacdays", "propcode", "referral")
#: Columns that say from 2026 on what `referral` said before.
_SINCE_2026 = ("referral_register", "referral_noms")


def schedule_nominations(network: Network) -> None:
    """Schedule when returns were sent and confirmed."""
    for index, item in enumerate(network.file["nominations_returns"]):
        path, quarter = f"nominations_returns[{index}]", _quarter(item, network.now)
        ended_at = dt.datetime.combine(quarter.ends_on, dt.time(10), tzinfo=dt.UTC)
        network.schedule(min(ended_at + SENT_AFTER, network.now), path, partial(_send, network, item, quarter))
        if item["confirmed_by"]:
            network.schedule(min(ended_at + CONFIRMED_AFTER, network.now), path, partial(_confirm, network, item))


def _quarter(item: Item, now: dt.datetime) -> Quarter:
    """Return the quarter of the return, which the file counts back from the current quarter."""
    quarter = Quarter.of(now.date())
    for _ in range(item["quarters_ago"]):
        quarter = quarter.previous()
    return quarter


def _send(network: Network, item: Item, quarter: Quarter, now: dt.datetime) -> None:
    """Store and count the lettings of a quarter, complete the return and send it to the council.

    The council's decision is a later event.
    """
    partnership, author = partnership_of(network, item["partnership"]), network.actor(item["by"])
    assert partnership is not None  # a required field
    agreement = agreement_of(partnership)
    if agreement is None or author is None:
        raise UnableToLoad(
            "the partnership has no terms about nominations, or “by” is missing.",
            "Add “fields” to the terms and “by” here.",
        )

    area = partnership.areas.order_by("code").first()
    try:
        nominations_return = services.start_return(
            agreement=agreement, starts_on=quarter.starts_on, author=author, now=now
        )
        filtered_file = _filtered_lettings(item, quarter, area.code if area else "")
        services.store_lettings(nominations_return=nominations_return, file=filtered_file, author=author, now=now)
        services.count_waiting(now=now)
        figures_seen = services.saved_supplements(nominations_return.lines.prefetch_related("refusals").order_by("pk"))
        services.complete_return(
            nominations_return=nominations_return,
            figures=_supplements(item, nominations_return),
            figures_seen=figures_seen,
            author=author,
            now=now,
        )
        services.send_return(nominations_return=nominations_return, author=author, now=now)
    except services.UnableToReport as error:
        raise UnableToLoad(str(error), "Correct the return.") from error
    item["return"] = nominations_return.pk


def _filtered_lettings(item: Item, quarter: Quarter, area: str) -> services.FilteredFile:
    """Return an export with one row for each letting, filtered in the way of an upload."""
    csv_text = io.StringIO()
    writer = csv.writer(csv_text)
    writer.writerow((*_COLUMNS, *_SINCE_2026))
    for number, row in enumerate(_rows(item, quarter, area)):
        writer.writerow((*row[:7], f"HOME-{number}", *row[7:]))
    lettings_filter = LettingsFilter()
    lettings_filter.feed(csv_text.getvalue().encode())
    filtered_data = lettings_filter.finish()
    return services.FilteredFile("lettings.csv", filtered_data, lettings_filter.columns, lettings_filter.rows)


def _rows(item: Item, quarter: Quarter, area: str) -> Iterator[tuple[object, ...]]:
    """Yield the row of each letting, with the codes of the published export."""
    for line in item["lines"]:
        is_studio = line["bedrooms"] == "studio"
        beds, unit, reason = (0, 2, 5) if is_studio else (int(line["bedrooms"]), 1, 5)
        reason = 15 if line["first_lets"] else reason
        for number in range(line["lettings"]):
            day = quarter.starts_on + dt.timedelta(days=number % 85)
            source = (3, 6, 1) if number < line["nominated"] else (1, 6, 4)
            yield (day.isoformat(), area, beds, unit, 1, reason, line["days"] or 30, *source)


def _supplements(item: Item, nominations_return: NominationsReturn) -> dict[int, services.Supplement]:
    """Return the figures that an export lacks, by the primary key of the return's line."""
    pk_by_size = {(line.bedrooms, line.is_first_let): line.pk for line in result_of(nominations_return).lines}
    return {
        pk_by_size[line["bedrooms"], line["first_lets"]]: services.Supplement(
            line["offers"], line["not_supplied"] or 0, line["refusals"], line["in_time"]
        )
        for line in item["lines"]
        if (line["bedrooms"], line["first_lets"]) in pk_by_size
    }


def _confirm(network: Network, item: Item, now: dt.datetime) -> None:
    """Confirm every line of the return."""
    author = network.actor(item["confirmed_by"])
    nominations_return = NominationsReturn.objects.for_pages().get(pk=item["return"])
    assert author is not None  # named in the file
    try:
        services.decide_lines(
            nominations_return=nominations_return,
            sending=nominations_return.sendings,
            decisions=dict.fromkeys(nominations_return.lines.values_list("pk", flat=True), (Decision.CONFIRMED, "")),
            author=author,
            now=now,
        )
    except services.UnableToDecide as error:
        raise UnableToLoad(str(error), "Correct the return.") from error
