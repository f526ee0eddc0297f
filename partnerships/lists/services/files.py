"""Files of long lists, which a worker makes while a page shows the progress."""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.db import transaction

from partnerships.agreements.rights import rights_fingerprint
from partnerships.kit.leased_jobs import Progress, work_through
from partnerships.kit.lists import ListDefinition, find_list
from partnerships.kit.rights import require
from partnerships.kit.standby import from_standby
from partnerships.lists.downloads import FORMATS, MAX_ROWS, count_of, file_bytes, log_entry
from partnerships.lists.models import ListFile
from partnerships.lists.reading import Listing, read_again
from partnerships.organisations.holdings import id_is_among
from partnerships.organisations.rights import has_open_account
from partnerships.people.models import User
from partnerships.people.retention import delete_in_batches, register_retention

#: A worker makes files of more rows than this. Shorter files are made while the browser waits.
AT_ONCE = 5_000
#: A person may have this many files at a time.
MAX_FILES = 5
#: How long a file can be downloaded.
KEPT = dt.timedelta(days=1)
#: If a worker dies, another worker makes its file after this time.
LEASE = dt.timedelta(minutes=15)
_TOO_LONG = f"A file can have at most {MAX_ROWS:,} rows. Narrow the list with filters first."
_FAILED = "Something went wrong, so we could not make the file. Try again, or narrow the list."


class UnableToMakeFile(Exception):
    """Raised if the person has too many files, the filters are not valid, or the list is too long."""


@transaction.atomic
def request_file(*, listing: Listing, file_format: str, person: User, now: dt.datetime) -> ListFile:
    """Let a worker make a file of every row that the list shows. Raises `UnableToMakeFile`."""
    # Lock the person, so that two requests at once cannot exceed the limit.
    User.objects.select_for_update().get(pk=person.pk)
    require(has_open_account(person) and listing.definition.may_open(person))
    if file_format not in FORMATS or not listing.form.is_valid():
        raise UnableToMakeFile("Correct the filters first.")
    total = count_of(listing)
    if total > MAX_ROWS:
        raise UnableToMakeFile(_TOO_LONG)
    if person.list_files.count() >= MAX_FILES:
        raise UnableToMakeFile(f"You already have {MAX_FILES} files. Remove one first.")
    return ListFile.objects.create(
        person=person,
        kind=listing.definition.slug,
        form=file_format,
        query=listing.parameters.urlencode(),
        asked=log_entry(listing, file_format),
        asked_at=now,
        total=total,
    )


@transaction.atomic
def remove_file(*, file: ListFile, person: User) -> None:
    """Delete a file. Raises `UnableToAct` unless it was made for this person."""
    file = ListFile.objects.select_for_update().defer("content").get(pk=file.pk)
    require(file.person_id == person.pk)
    file.delete()


def make_files(*, now: dt.datetime) -> int:
    """Make the files that are waiting for a worker, and return how many were tried. May run twice."""
    waiting_files = ListFile.objects.filter(made_at=None).select_related("person").order_by("asked_at", "pk")
    return work_through(waiting_files, partial(_make, now=now), lease=LEASE, failure_message=_FAILED, now=now)


def may_download(file: ListFile, person: User, now: dt.datetime) -> bool:
    """Return whether the person may download the file.

    The file must be the person's own and less than a day old. The person must act for the same organisations and
    partnerships as when the file was made, because the cells depend on these. They must also be able to read every
    record in the file that still exists. For example, a draft in it may no longer be shared with them.
    """
    definition = find_list(file.kind)
    return (
        file.is_made
        and file.person_id == person.pk
        and now < file.asked_at + KEPT
        and definition is not None
        and definition.may_open(person)
        and file.holds == rights_fingerprint(person)
        and _may_read_all(definition, file.rows or [], person)
    )


def _may_read_all(definition: ListDefinition, record_ids: list[int], person: User) -> bool:
    """Return whether the person may read each of these records that still exists."""
    is_in_file = id_is_among("pk", record_ids)
    readable_records = definition.readable(person).filter(is_in_file).order_by()
    existing_records = readable_records.model._default_manager.filter(is_in_file)
    return not existing_records.exclude(pk__in=readable_records.values("pk")).exists()


def _make(file: ListFile, progress: Progress, *, now: dt.datetime) -> str:
    """Make one file. Return "", or a sentence that explains to the person why the file could not be made."""
    definition = find_list(file.kind)
    if definition is None or not (has_open_account(file.person) and definition.may_open(file.person)):
        return "You can no longer open this list. Ask a lead of your organisation for access."
    listing = read_again(definition, file.person, file.query)
    if not listing.form.is_valid():
        return "The filters no longer work. Open the list, correct the filters and download again."
    if count_of(listing) > MAX_ROWS:
        return _TOO_LONG
    # The digest is computed before the rows are read. If the person's organisations change in between, the download is
    # then refused.
    rights_digest = rights_fingerprint(file.person)
    content, record_ids = from_standby(lambda: file_bytes(listing, file.form, progress))
    # The person may have removed the file by now. `update` then changes no row, but `save` would store the file again.
    ListFile.objects.filter(pk=file.pk).update(
        content=content,
        total=len(record_ids),
        done=len(record_ids),
        holds=rights_digest,
        rows=record_ids,
        made_at=now,
    )
    return ""


def _delete_old(now: dt.datetime, dry_run: bool) -> int:
    """Delete files that can no longer be downloaded, and return how many."""
    return delete_in_batches(ListFile.objects.filter(asked_at__lte=now - KEPT), dry_run=dry_run)


def register() -> None:
    """Register how long files are kept. Called once at start-up."""
    register_retention(
        "files of lists",
        what="A file of a long list, made for one person",
        purpose="downloading it",
        basis="public task: plans and agreements of the organisations that work together on housing",
        kept_for="1 day",
        apply=_delete_old,
    )
