"""Publishing open data, keeping the rows of files that were read, and entering agreements on pages."""

from partnerships.open_data.services.entering import UnableToEnter, enter_agreement, enter_contribution
from partnerships.open_data.services.publishing import UnableToPublishData, begin_publishing, end_publishing
from partnerships.open_data.services.records import Kept, is_held, keep_rows

__all__ = [
    "Kept",
    "UnableToEnter",
    "UnableToPublishData",
    "begin_publishing",
    "end_publishing",
    "enter_agreement",
    "enter_contribution",
    "is_held",
    "keep_rows",
]
