"""Which reader reads each series of housing figures, with the publisher and the licence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from partnerships.housing_figures.measures import Series
from partnerships.transfer.reading.headings import Column
from partnerships.transfer.reading.housing_figures import by_year, delivery_test, requirements, waiting_lists
from partnerships.transfer.reading.housing_figures.figures import FigureList
from partnerships.transfer.reading.tables import Sheet

PUBLISHER = "Ministry of Housing, Communities and Local Government"
LICENCE = "Open Government Licence v3.0"


@dataclass(frozen=True, slots=True)
class Reader:
    """The columns of a series' files, and the function that reads them."""

    columns: tuple[Column, ...]
    read: Callable[[Sequence[Sheet], Mapping[str, str]], FigureList]


READERS = {
    Series.DELIVERY_TEST: Reader(delivery_test.COLUMNS, delivery_test.read_delivery_test),
    Series.NET_ADDITIONS: Reader(by_year.COLUMNS, by_year.read_net_additions),
    Series.AFFORDABLE_SUPPLY: Reader(by_year.SUPPLY_COLUMNS, by_year.read_affordable_supply),
    Series.WAITING_LISTS: Reader(waiting_lists.COLUMNS, waiting_lists.read_waiting_lists),
    Series.REQUIREMENTS: Reader(requirements.COLUMNS, requirements.read_requirements),
}
