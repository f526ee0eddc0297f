"""An upload handler that filters a CORE export while it streams in.

Django's own handlers store the whole file, in memory or in a temporary file. This one stores only the rows and columns
that the filter keeps, so the other columns never reach a disk. A view must set it before anything reads the form, and
check the CSRF token after that (see Django's documentation of upload handlers).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopFutureHandlers
from django.http import HttpRequest

from partnerships.nominations.lettings.filtering import LettingsFilter, UnableToReadLettings

if TYPE_CHECKING:
    _Uploaded = UploadedFile[bytes]
else:
    _Uploaded = UploadedFile


class FilteredLettings(_Uploaded):
    """The kept rows of an upload, compressed. `error` says why the file could not be read."""

    def __init__(self, name: str, packed: bytes, columns: tuple[str, ...], rows: int, error: str) -> None:
        super().__init__(io.BytesIO(packed), name=name, content_type="application/zlib", size=len(packed))
        self.packed, self.columns, self.rows, self.error = packed, columns, rows, error


class LettingsUploadHandler(FileUploadHandler):
    """Keeps the needed columns of a file. After an error, it reads the rest of the file without keeping anything."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file, and stop other handlers from getting it."""
        super().new_file(*args, **kwargs)
        self._filter, self._error = LettingsFilter(), ""
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Filter a chunk, and pass nothing on to other handlers."""
        if not self._error:
            try:
                self._filter.feed(raw_data)
            except UnableToReadLettings as error:
                self._error, self._filter = str(error), LettingsFilter()

    def file_complete(self, file_size: int) -> FilteredLettings:
        """Return the kept rows, or the error that stopped the filter."""
        packed = b""
        if not self._error:
            try:
                packed = self._filter.finish()
            except UnableToReadLettings as error:
                self._error = str(error)
        return FilteredLettings(self.file_name or "", packed, self._filter.columns, self._filter.rows, self._error)


def filter_uploads(request: HttpRequest) -> None:
    """Make this the only handler of the request's files. Call this before anything reads the form."""
    request.upload_handlers = [LettingsUploadHandler(request)]
