"""The upload handler keeps the needed columns of a CORE export, and nothing else."""

from __future__ import annotations

import datetime as dt
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import RequestFactory

from partnerships.nominations.lettings.uploading import FilteredLettings, filter_uploads
from tests.support.core_files import CANARY, Place, core_file, invent


def upload_content(content: bytes) -> tuple[HttpRequest, FilteredLettings]:
    """Return a request with a file that the handler has filtered, and the filtered file."""
    request = RequestFactory().post("/", {"file": SimpleUploadedFile("lettings.csv", content), "note": "Kept"})
    filter_uploads(request)
    file = request.FILES["file"]
    assert isinstance(file, FilteredLettings)
    return request, file


def test_only_needed_columns_of_an_upload_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("A temporary file was made.")

    monkeypatch.setattr("django.core.files.uploadedfile.tempfile.NamedTemporaryFile", refuse)
    place = Place("E07000901", "Westmarch", "Larkhaven", dt.date(2024, 7, 1))
    content = core_file(invent(place, 1500, year=2024), year=2024)
    assert len(content) > 2_621_440, "Django would write a file of this size to a temporary folder."

    request, file = upload_content(content)

    assert file.error == ""
    assert file.rows == 1500
    assert file.name == "lettings.csv"
    assert CANARY.encode() not in zlib.decompress(file.packed)
    assert request.POST["note"] == "Kept"


def test_a_wrong_file_says_why_and_keeps_nothing() -> None:
    _, file = upload_content(b"PK\x03\x04" + b"x" * 300_000)

    assert file.packed == b""
    assert file.columns == ()
    assert "CSV" in file.error
