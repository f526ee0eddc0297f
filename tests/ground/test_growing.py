"""An instance can run on several machines, with files in a bucket, a broker with sentinels, and a standby."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import boto3
import pyrage
import pytest
import requests
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from moto.server import ThreadedMotoServer
from storages.backends.s3 import S3File
from structlog.testing import capture_logs

from housing.backups.files import Bucket, Folder, hash_of_file
from housing.backups.making import pack_files
from housing.backups.restoring import unpack_files
from housing.broker import broker_settings
from housing.bucket import PrivateBucket
from housing.database_roles import KEEPALIVE, standby_settings
from housing.declarations import SETTINGS
from housing.declarations.setting import read_settings
from housing.management.commands.orphaned_files import find_orphans
from partnerships.agreements.models import Document
from partnerships.agreements.services import UnableToAddDocument, add_document
from partnerships.commitments.models import Commitment
from partnerships.kit import standby
from partnerships.lists import services as lists
from partnerships.lists.models import ListFile
from partnerships.people.models import User
from partnerships.people.retention import delete_files
from partnerships.reports import services as reports
from tests.commitments.promises import in_days, propose
from tests.lists.test_files import request_file_as
from tests.reports.test_frozen import freeze
from tests.support.signing_in import signed_in
from tests.support.standby import standby_away, standby_behind, standby_promoted, standby_up_to_date
from tests.world import World

pytestmark = pytest.mark.django_db
CONTENT = b"The parties meet every quarter.\n"


# --- Files in a bucket


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Provide a server with S3's interface, in this process."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(server: str, settings: Any) -> Iterator[PrivateBucket]:
    """Provide the bucket of an instance, created from its settings."""
    settings.FILES_BUCKET = "common-ground"
    options = {
        "bucket_name": "common-ground",
        "endpoint_url": server,
        "region_name": "eu-west-2",
        "access_key": "one",
        "secret_key": "two",
    }
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "housing.bucket.PrivateBucket", "OPTIONS": options},
    }
    client = boto3.client(
        "s3", endpoint_url=server, region_name="eu-west-2", aws_access_key_id="one", aws_secret_access_key="two"
    )
    client.create_bucket(Bucket="common-ground", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    storage = storages["default"]
    yield storage
    storage.bucket.objects.all().delete()
    client.delete_bucket(Bucket="common-ground")


def add_terms(world: World) -> Document:
    """Add a document of Larkhaven to the world's partnership."""
    return add_document(
        partnership=world.partnership,
        organisation=world.larkhaven,
        title="Terms",
        file=SimpleUploadedFile("terms.txt", CONTENT),
        author=world.amina,
        now=timezone.now(),
    )


@pytest.fixture
def document(world: World, bucket: PrivateBucket) -> Document:
    """Return a document of Larkhaven in the world's partnership, whose file is in the bucket."""
    return add_terms(world)


def test_a_reader_downloads_a_file_in_a_bucket_through_its_page(world: World, document: Document) -> None:
    response = signed_in(world.ben).get(document.get_absolute_url(), headers={"Range": "bytes=0-3"})

    # The response is the whole file, because RFC 9110 (14.2) lets a server ignore Range.
    assert response.status_code == 200
    assert b"".join(response.streaming_content) == CONTENT
    assert response["Content-Type"] == "text/plain"
    assert response["Content-Disposition"] == 'attachment; filename="terms.txt"'
    assert "no-store" in response["Cache-Control"]


def test_a_stranger_does_not_get_a_file_in_a_bucket(world: World, document: Document) -> None:
    response = signed_in(world.chidi).get(document.get_absolute_url())

    assert response.status_code == 404


def test_a_bucket_refuses_to_serve_a_file_itself(document: Document, server: str) -> None:
    response = requests.get(f"{server}/common-ground/files/{document.file.name}", timeout=30)

    assert response.status_code == 403


def test_the_address_of_a_stored_file_is_not_served(world: World, document: Document) -> None:
    response = signed_in(world.ben).get(document.file.url)

    assert document.file.url == f"/not-served/{document.file.name}"
    assert response.status_code == 404


def test_a_file_in_a_bucket_is_stored_with_its_content_type(document: Document, bucket: PrivateBucket) -> None:
    stored_file = bucket.bucket.Object(f"files/{document.file.name}")

    assert bucket.names() == [document.file.name]
    assert stored_file.content_type == "text/plain"


def test_the_page_of_a_file_that_is_missing_in_the_bucket_is_not_found(
    world: World, document: Document, bucket: PrivateBucket
) -> None:
    bucket.delete(document.file.name)

    response = signed_in(world.ben).get(document.get_absolute_url())

    assert response.status_code == 404


def test_retention_deletes_a_file_from_the_bucket(document: Document, bucket: PrivateBucket) -> None:
    documents = Document.objects.filter(pk=document.pk)

    delete_files(documents, dry_run=False)

    assert bucket.names() == []
    assert documents.get().file.name == ""


def test_retention_keeps_the_name_of_a_file_that_it_could_not_delete(
    document: Document, bucket: PrivateBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError("away")

    documents = Document.objects.filter(pk=document.pk)
    monkeypatch.setattr(PrivateBucket, "delete", fail)

    with pytest.raises(OSError, match="away"):
        delete_files(documents, dry_run=False)

    assert documents.get().file.name == document.file.name  # so that the next run tries again


def test_a_file_that_is_deleted_while_it_is_read_is_not_found(
    bucket: PrivateBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_file = S3File.open

    def delete_first(file: S3File, mode: str | None = None) -> S3File:
        file.obj.delete()
        return open_file(file, mode)

    bucket.save("terms.txt", ContentFile(CONTENT))
    monkeypatch.setattr(S3File, "open", delete_first)

    with pytest.raises(FileNotFoundError):
        bucket.open("terms.txt")


@pytest.fixture
def orphan_name(bucket: PrivateBucket) -> str:
    """Store a file in the bucket that no row names, and return its name."""
    return bucket.save("plans/2026/11/left.pdf", ContentFile(CONTENT))


@pytest.mark.usefixtures("document", "orphan_name")
def test_a_file_that_no_row_names_is_no_orphan_within_a_day() -> None:
    assert find_orphans(now=timezone.now() + dt.timedelta(hours=1)) == []


@pytest.mark.usefixtures("document")
def test_a_file_that_no_row_names_is_found_in_a_bucket_after_a_day(orphan_name: str) -> None:
    assert find_orphans(now=timezone.now() + dt.timedelta(hours=25)) == [orphan_name]


def test_looking_for_orphans_deletes_nothing(document: Document, orphan_name: str, bucket: PrivateBucket) -> None:
    find_orphans(now=timezone.now() + dt.timedelta(hours=25))

    assert bucket.names() == sorted([document.file.name, orphan_name])


def test_a_file_that_is_deleted_while_orphans_are_looked_for_is_none(
    orphan_name: str, bucket: PrivateBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "names", lambda: [orphan_name, "plans/2026/11/deleted_since.pdf"])

    assert find_orphans(now=timezone.now() + dt.timedelta(hours=25)) == [orphan_name]


class StoredFiles(NamedTuple):
    """The names of files in the storage."""

    of_document: str
    orphan: str
    #: A file without a row that was stored today.
    new: str


@pytest.fixture
def stored_files(world: World) -> StoredFiles:
    """Store a file of a document and one without a row, both two days old, and a new one."""
    file_of_document = add_terms(world).file
    orphan = add_terms(world).file
    two_days_ago = (timezone.now() - dt.timedelta(days=2)).timestamp()
    for file in (file_of_document, orphan):
        os.utime(file.path, (two_days_ago, two_days_ago))
    Document.objects.filter(file=orphan.name).delete()
    new_name = default_storage.save("plans/young.pdf", ContentFile(CONTENT))
    return StoredFiles(file_of_document.name, orphan.name, new_name)


def test_a_command_lists_old_files_that_no_row_names(
    stored_files: StoredFiles, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("orphaned_files")

    lines = capsys.readouterr().out.splitlines()
    assert lines == [stored_files.orphan, "1 file without a row, older than a day."]
    assert default_storage.exists(stored_files.orphan)


def test_a_command_deletes_old_files_that_no_row_names(stored_files: StoredFiles) -> None:
    call_command("orphaned_files", "--delete")

    assert not default_storage.exists(stored_files.orphan)
    assert default_storage.exists(stored_files.of_document)
    assert default_storage.exists(stored_files.new)


@pytest.fixture
def storage_away(document: Document, settings: Any) -> None:
    """Make the storage of files unreachable, after a document was added."""
    options = {**settings.STORAGES["default"]["OPTIONS"], "endpoint_url": "http://127.0.0.1:1"}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}


@pytest.mark.usefixtures("storage_away")
def test_a_page_says_that_the_storage_of_files_is_away(world: World, document: Document) -> None:
    response = signed_in(world.ben).get(document.get_absolute_url())

    assert response.status_code == 503
    assert response["Retry-After"] == "60"
    assert "your file is safe." in response.content.decode()


@pytest.mark.usefixtures("storage_away")
def test_no_document_is_added_while_the_storage_of_files_is_away(world: World) -> None:
    with pytest.raises(UnableToAddDocument, match="could not store the file"):
        add_terms(world)

    assert Document.objects.count() == 1


class BackupOfBucket(NamedTuple):
    """A backup of the files in a bucket, the key that opens it, and the number of files that it says it has."""

    root: Path
    key: pyrage.x25519.Identity
    file_count: int


@pytest.fixture
def backup_of_bucket(bucket: PrivateBucket, tmp_path: Path) -> BackupOfBucket:
    """Return a backup of two files in the bucket."""
    key = pyrage.x25519.Identity.generate()
    backup_root = tmp_path / "backup"
    backup_root.mkdir()
    bucket.save("agreements/2026/11/terms.txt", ContentFile(CONTENT))
    bucket.save("plans/2026/11/layout.pdf", ContentFile(b"%PDF-1.7" + bytes(300_000)))
    _, file_count = pack_files(backup_root, keys=[key.to_public()], files=Bucket(bucket))
    return BackupOfBucket(backup_root, key, file_count)


def assert_restored(backup: BackupOfBucket, files: Bucket | Folder) -> None:
    """Assert that restoring the backup stores its files in this place, each with the content that it had."""
    hashes = unpack_files(backup.root, identities=[backup.key], files=files)
    assert backup.file_count == 2
    assert sorted(hashes) == files.names() == ["agreements/2026/11/terms.txt", "plans/2026/11/layout.pdf"]
    assert {name: hash_of_file(files, name) for name in hashes} == hashes


def test_files_in_a_bucket_are_set_aside_before_a_restore(
    bucket: PrivateBucket, backup_of_bucket: BackupOfBucket
) -> None:
    files = Bucket(bucket)

    files.set_aside(timezone.now())

    assert files.names() == []
    assert len(list(bucket.bucket.objects.filter(Prefix="files.before-"))) == 2


def test_a_backup_of_a_bucket_is_restored_into_a_bucket(
    bucket: PrivateBucket, backup_of_bucket: BackupOfBucket
) -> None:
    files = Bucket(bucket)
    files.set_aside(timezone.now())

    assert_restored(backup_of_bucket, files)


def test_a_backup_of_a_bucket_is_restored_into_a_folder(tmp_path: Path, backup_of_bucket: BackupOfBucket) -> None:
    assert_restored(backup_of_bucket, Folder(tmp_path / "media"))


# --- A broker with sentinels


def test_sentinels_are_asked_for_the_primary_that_the_broker_address_names() -> None:
    environ = {
        "DEBUG": "1",
        "REDIS_URL": "redis://:hush@Ground/3",
        "REDIS_SENTINELS": "one.example:26379, two.example:26380",
        "REDIS_SENTINEL_PASSWORD": "secret",
    }
    values = read_settings(SETTINGS, environ)

    address, options = broker_settings(
        values["REDIS_URL"], values["REDIS_SENTINELS"], values["REDIS_SENTINEL_PASSWORD"]
    )

    assert address == "sentinel://:hush@one.example:26379/3;sentinel://:hush@two.example:26380/3"
    assert options["master_name"] == "Ground"
    assert options["sentinel_kwargs"]["password"] == "secret"


def test_without_sentinels_the_broker_has_its_own_address() -> None:
    address, _options = broker_settings("redis://broker.example:6379/0", [], "")

    assert address == "redis://broker.example:6379/0"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"REDIS_SENTINELS": "one.example"}, "REDIS_SENTINELS must be hosts with ports"),
        ({"REDIS_SENTINELS": "one:26379", "REDIS_URL": "rediss://ground/0"}, "REDIS_SENTINELS needs REDIS_URL=redis:"),
        ({"REDIS_URL": "sentinel://one:26379"}, "REDIS_URL must begin with"),
        ({"REDIS_SENTINEL_PASSWORD": "hush"}, "REDIS_SENTINEL_PASSWORD is set, but REDIS_SENTINELS is not"),
        ({"FILES_SECRET_KEY": "hush"}, "FILES_SECRET_KEY is set, but FILES_ACCESS_KEY is not"),
    ],
)
def test_settings_of_several_machines_that_do_not_fit_are_refused(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=message) as refused:
        read_settings(SETTINGS, {"DEBUG": "1", **environ})

    assert "hush" not in str(refused.value)


# --- Long files from a standby


def test_a_standby_is_given_up_sooner_than_the_primary_and_never_written_by_tests() -> None:
    database = standby_settings("postgres://worker@standby.example/ground?connect_timeout=1", max_age=60)

    assert database["OPTIONS"]["connect_timeout"] == 1
    assert database["OPTIONS"]["tcp_user_timeout"] < KEEPALIVE["tcp_user_timeout"]
    assert database["TEST"] == {"MIRROR": "default"}


def made_file(person: User) -> ListFile:
    """Return a file of commitments that a worker has written for the person."""
    file = request_file_as(person)
    lists.make_files(now=timezone.now())
    file.refresh_from_db()
    return file


def content_of(file: ListFile) -> bytes:
    """Return the bytes of a file that is made."""
    assert file.content is not None
    return bytes(file.content)


@pytest.fixture
def commitment(world: World) -> Commitment:
    """Return a commitment of the partnership, which lists of Ben include."""
    return propose(world, text="Forty homes.", due_on=in_days(30))


@pytest.mark.usefixtures("commitment")
def test_a_long_file_is_computed_from_the_standby(world: World) -> None:
    file_from_primary = made_file(world.ben)

    with standby_up_to_date() as standby_queries:
        file_from_standby = made_file(world.ben)

    assert content_of(file_from_standby) == content_of(file_from_primary)
    assert any('FROM "commitments_commitment"' in query["sql"] for query in standby_queries.captured_queries)


@pytest.mark.usefixtures("commitment")
def test_the_owner_downloads_a_long_file_from_the_standby(world: World) -> None:
    file = made_file(world.ben)
    ben_client = signed_in(world.ben)

    with standby_up_to_date() as standby_queries:
        response = ben_client.get(reverse("lists:file-download", args=[file.pk]))

    (query,) = standby_queries.captured_queries
    assert response.content == content_of(file)
    assert "lists_listfile" in query["sql"]


@pytest.mark.usefixtures("commitment")
def test_a_stranger_is_refused_a_long_file_on_the_primary(world: World) -> None:
    file = made_file(world.ben)
    chidi_client = signed_in(world.chidi)

    with standby_up_to_date() as standby_queries:
        response = chidi_client.get(reverse("lists:file-download", args=[file.pk]))

    assert response.status_code == 404
    assert len(standby_queries) == 0


@pytest.mark.usefixtures("commitment")
def test_a_standby_that_is_behind_is_not_read(world: World) -> None:
    file_from_primary = made_file(world.ben)

    with standby_behind() as standby_queries:
        file = made_file(world.ben)

    assert content_of(file) == content_of(file_from_primary)
    assert len(standby_queries) == 1  # which asks why it is behind


@pytest.mark.usefixtures("commitment")
def test_a_standby_that_was_promoted_is_not_read(world: World) -> None:
    file_from_primary = made_file(world.ben)

    with standby_promoted() as standby_queries:
        file = made_file(world.ben)

    (query,) = standby_queries.captured_queries
    assert content_of(file) == content_of(file_from_primary)
    assert "pg_is_in_recovery()" in query["sql"]


@pytest.mark.usefixtures("commitment")
def test_a_list_is_made_while_the_standby_is_away(world: World) -> None:
    file_from_primary = made_file(world.ben)

    with standby_away():
        file = made_file(world.ben)

    assert content_of(file) == content_of(file_from_primary)


#: A position in the write-ahead log that no database of a test reaches.
LATER_POSITION = "FFFF/0"


class PrimaryPosition(NamedTuple):
    """What the primary writes at a moment: its cluster, the position in its write-ahead log, and its timeline."""

    cluster: int
    log_position: str
    timeline: int


@pytest.fixture
def position() -> PrimaryPosition:
    """Return the present position of the test's database."""
    with connection.cursor() as cursor:
        cursor.execute(standby.POSITION)
        return PrimaryPosition(*cursor.fetchone())


def why_behind(position: PrimaryPosition) -> str:
    """Return the reason why the test's database, as if it were a standby, is behind the position."""
    # The test's database is a primary: it does not recover, and writes the log instead of replaying it.
    statement = standby.WHY_BEHIND.replace("NOT pg_is_in_recovery()", "false")
    statement = statement.replace("pg_last_wal_replay_lsn", "pg_current_wal_lsn")
    with connection.cursor() as cursor:
        cursor.execute(statement, position)
        return str(cursor.fetchone()[0])


def test_a_standby_that_has_replayed_the_position_is_not_behind(position: PrimaryPosition) -> None:
    assert why_behind(position) == ""


def test_a_standby_of_a_newly_promoted_primary_is_read_before_its_next_checkpoint(position: PrimaryPosition) -> None:
    # The standby's last checkpoint is older than the failover, so it shows the timeline before.
    assert why_behind(position._replace(timeline=position.timeline + 1)) == ""


def test_a_standby_that_has_not_replayed_the_position_is_behind(position: PrimaryPosition) -> None:
    assert why_behind(position._replace(log_position=LATER_POSITION)) == "behind"


def test_a_standby_behind_on_another_timeline_may_be_from_before_a_restore(position: PrimaryPosition) -> None:
    later_position = position._replace(log_position=LATER_POSITION, timeline=position.timeline + 1)

    assert why_behind(later_position) == "behind, perhaps from before a restore"


def test_a_standby_of_another_cluster_is_not_read(position: PrimaryPosition) -> None:
    assert why_behind(position._replace(cluster=position.cluster + 1)) == "of another cluster"


@pytest.mark.usefixtures("commitment")
def test_a_standby_from_before_a_restore_of_the_primary_is_not_read(world: World) -> None:
    # The primary's mark is never written, so it is not copied to the standby.
    with standby_up_to_date() as standby_queries, patch.object(cache, "set"), capture_logs() as logged:
        file = made_file(world.ben)

    position_query, mark_query = standby_queries.captured_queries
    assert file.is_made
    assert "cache_entry" not in position_query["sql"]
    assert "cache_entry" in mark_query["sql"]
    assert [line["why"] for line in logged if line["event"] == "standby_not_used"] == ["from before a restore"]


def number_of_cells(response: HttpResponse) -> int:
    """Return the number of table cells on the page."""
    return response.content.decode().count("<td")


def test_frozen_figures_come_from_the_standby(world: World) -> None:
    report_url = freeze(world).get_absolute_url()
    ben_client = signed_in(world.ben)
    response_of_primary = ben_client.get(report_url)

    with standby_up_to_date() as standby_queries:
        response = ben_client.get(report_url)

    assert "As reported to the board" in response.content.decode()
    assert number_of_cells(response) == number_of_cells(response_of_primary)
    assert len(standby_queries) == 1


def test_a_stranger_is_refused_frozen_figures_on_the_primary(world: World) -> None:
    report_url = freeze(world).get_absolute_url()
    chidi_client = signed_in(world.chidi)

    with standby_up_to_date() as standby_queries:
        response = chidi_client.get(report_url)

    assert response.status_code == 404
    assert len(standby_queries) == 0


def test_frozen_figures_come_from_the_primary_while_the_standby_is_away(world: World) -> None:
    report_url = freeze(world).get_absolute_url()
    ben_client = signed_in(world.ben)
    response_of_primary = ben_client.get(report_url)

    with standby_away():
        response = ben_client.get(report_url)

    assert "As reported to the board" in response.content.decode()
    assert number_of_cells(response) == number_of_cells(response_of_primary)


def test_a_report_file_is_computed_from_the_standby(world: World) -> None:
    reports.ask_for_file(report="board-pack", query_string="", form="xlsx", person=world.ben, now=timezone.now())

    with standby_up_to_date() as standby_queries:
        reports.make_files(now=timezone.now())

    assert world.ben.report_files.get().is_made
    assert len(standby_queries) > 3  # more than those that ask whether the standby may be read
