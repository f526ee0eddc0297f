"""Publish open data, save the rows of imported files, and enter agreements on pages."""

from partnerships.open_data.services.entering import UnableToEnter, enter_agreement, enter_contribution
from partnerships.open_data.services.publishing import UnableToPublishData, begin_publishing, end_publishing
from partnerships.open_data.services.records import FileRow, is_under_embargo, save_rows

__all__ = [
    "FileRow",
    "UnableToEnter",
    "UnableToPublishData",
    "begin_publishing",
    "end_publishing",
    "enter_agreement",
    "enter_contribution",
    "is_under_embargo",
    "save_rows",
]
