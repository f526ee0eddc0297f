"""Publishing open data, and keeping the rows of files that were read."""

from partnerships.open_data.services.publishing import UnableToPublishData, begin_publishing, end_publishing
from partnerships.open_data.services.records import Kept, is_held, keep_rows

__all__ = ["Kept", "UnableToPublishData", "begin_publishing", "end_publishing", "is_held", "keep_rows"]
