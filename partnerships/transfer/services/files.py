"""The files of an import, and the request to import them."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from django.db import transaction

from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun
from partnerships.transfer.reading.dating import date_in_file_name
from partnerships.transfer.reading.headings import NONE_KNOWN
from partnerships.transfer.reading.list_file import ListFile
from partnerships.transfer.reading.tables import Sheet, read_sheets
from partnerships.transfer.reading.values import text
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.dating import date_of_list, latest_date
from partnerships.transfer.services.directory import Progress, RunningImport
from partnerships.transfer.services.locking import lock_imports
from partnerships.transfer.services.outcomes import Outcome, last_line
from partnerships.transfer.services.recording import new_run, record_import, settle_run


@dataclass(frozen=True, slots=True)
class File:
    """The name and content of a file. Both are empty if one of a list's files is missing."""

    name: str
    data: bytes

    @property
    def base_name(self) -> str:
        """The file's name without folders, on one line."""
        return text(PurePath(self.name).name)

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """The file's sheets. A missing file has none. Raises `UnableToRead` if the file cannot be read."""
        return read_sheets(self.data, self.name) if self.name or self.data else ()


def file_names(files: Sequence[File]) -> str:
    """Return the names of the files that are not missing, without folders."""
    return ", ".join(file.base_name for file in files if file.name)


def pack(files: Sequence[File]) -> bytes:
    """Return the files in their order as a ZIP archive, in which a preview can save them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for index, file in enumerate(files):
            archive.writestr(zipfile.ZipInfo(f"{index}/{file.name}"), file.data)
    return buffer.getvalue()


def unpack(data: bytes) -> list[File]:
    """Return the files in an archive made by `pack`."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [File(entry.filename.partition("/")[2], archive.read(entry)) for entry in archive.infolist()]


def _no_known_headings(file_index: int, sheets: Sequence[Sheet]) -> Mapping[str, str]:
    """Return no headings, for an import whose headings no person had to confirm."""
    return NONE_KNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """A request to import files, with its author, its time and the author's choices."""

    files: Sequence[File]
    author: User | None
    now: dt.datetime
    choices: Choices
    progress: Progress
    #: Whether the run is saved. False in a dry run, whose changes the caller rolls back.
    keep: bool = True
    #: The authority that uploads its own files. Rows of other authorities are set aside.
    organisation: Organisation | None = None
    #: The primary key of the preview that is imported.
    run_pk: int | None = None
    #: Returns the columns of confirmed headings, by canonical heading, for a file's index and sheets.
    known_headings: Callable[[int, Sequence[Sheet]], Mapping[str, str]] = _no_known_headings

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files, without folders."""
        return tuple(file.base_name for file in self.files)

    @property
    def named_date(self) -> dt.date | None:
        """The latest date in the names of the files."""
        return max((day for day in map(date_in_file_name, self.names) if day), default=None)

    def settle_date(
        self,
        register: str,
        *,
        is_corrected: bool,
        date_in_title: dt.date | None = None,
        date_in_rows: dt.date | None = None,
        report: Report,
    ) -> dt.date:
        """Return the chosen date, or else the date found in the list, or else today.

        A file of corrected rows has the date of the register's latest list, unless a date was chosen or is in its
        name. Raises `UnableToRead` if the chosen date is in the future.
        """
        if is_corrected:
            date_in_rows = latest_date(register, self.digest, self.organisation)
        return date_of_list(
            chosen_date=self.choices.as_of,
            date_in_name=self.named_date or date_in_title,
            date_in_rows=date_in_rows,
            now=self.now,
            report=report,
        )

    @property
    def digest(self) -> str:
        """The SHA-256 of the files."""
        return hashlib.sha256(b"\x00".join(file.data for file in self.files)).hexdigest()

    def start(
        self, register: str, as_of: dt.date, *, report: Report, list_file: ListFile | None = None, source: str = ""
    ) -> RunningImport:
        """Start the import, with the rows that were set aside while reading the file already in the report.

        `source` names the list in histories. Without it, the name of the first file and the date are used.
        """
        list_file = list_file or ListFile()
        run = RunningImport(
            register=register,
            author=self.author,
            now=self.now,
            as_of=as_of,
            progress=self.progress,
            report=report,
            source=source or f"{self.names[0]}, as of {long_date(as_of)}",
            list_file=list_file,
            sets_bad_rows_aside=not self.choices.all_or_nothing,
            organisation=self.organisation,
            digest=self.digest,
        )
        for row in list_file.set_aside:
            run.set_aside(row)
        return run

    def new_run(self, register: str, as_of: dt.date) -> ImportRun:
        """Return the run of this import, which is not saved."""
        run = new_run(
            register=register,
            file_name=file_names(self.files),
            sha256=self.digest,
            as_of=as_of,
            author=self.author,
            now=self.now,
        )
        run.organisation = self.organisation
        run.publisher = self.choices.publisher[:120]
        run.pk = self.run_pk
        return run

    def finish(self, import_run: ImportRun, run: RunningImport, kind: EventKind, **data: Any) -> ImportRun:
        """Add the report to the run. Unless this is a dry run, save the run and record an event with this data."""
        settle_run(import_run, run.report)
        if self.keep:
            import_run.save()
            record_import(import_run, kind, author=self.author, now=self.now, **data)
        return import_run


def import_files(
    apply: Callable[[ImportRequest], ImportRun], import_request: ImportRequest, *, dry_run: bool
) -> Outcome:
    """Import files in one transaction, which is rolled back at the end of a dry run.

    Raises an error if the author is not an administrator of the directory.
    """
    with transaction.atomic():
        lock_imports()
        require(roles_of(import_request.author, import_request.now).may_change_directory)
        run = apply(import_request)
        if dry_run:
            transaction.set_rollback(True)
    return Outcome(run, last_line(run, applied=not dry_run))
