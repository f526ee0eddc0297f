"""The content of an organisation's published files, and which organisations publish."""

from partnerships.open_data.queries.files import OpenFile, file_of
from partnerships.open_data.queries.publications import published, published_by, publishing

__all__ = ["OpenFile", "file_of", "published", "published_by", "publishing"]
