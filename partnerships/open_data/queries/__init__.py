"""The content of an organisation's published files, and which organisations publish."""

from partnerships.open_data.queries.files import OpenFile, file_of
from partnerships.open_data.queries.publications import (
    current_publication,
    current_publications,
    current_publications_of,
)

__all__ = ["OpenFile", "current_publication", "current_publications", "current_publications_of", "file_of"]
