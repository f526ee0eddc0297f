"""Check uploaded files by their size and content, never by what the browser says about them.

Plain text has no signature in its content, so the name of the file must say that it is text.
"""

from __future__ import annotations

import hashlib
import secrets
import warnings
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from django.core.files.base import File
from django.db import transaction

from partnerships.kit.late import late

if TYPE_CHECKING:
    import PIL
    from PIL import Image
else:
    PIL, Image = late("PIL"), late("PIL.Image")

MEGABYTE = 1024 * 1024
# docs/safety.md, Limits, gives the reasons for the limits below.

#: The maximum size of an uploaded file, such as a document or evidence, in bytes.
MAX_BYTES = 10 * MEGABYTE
#: The maximum size of an uploaded list or spreadsheet, in bytes.
MAX_REGISTER_BYTES = 4 * MEGABYTE
#: The most entries of an archive, such as an Office file.
MAX_ENTRIES = 200
#: The maximum size of an archive's content when unpacked, in bytes.
MAX_UNPACKED = 20 * MEGABYTE
#: The maximum size of a picture, in pixels.
MAX_PIXELS = 40_000_000
#: The number of bytes that are read at a time.
_CHUNK = 64 * 1024

_TOO_MANY_PIXELS = f"The picture has more than {MAX_PIXELS // 1_000_000} million pixels. Make the picture smaller."

_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument"
#: Content types by the first folder of an Office Open XML file.
_OFFICE_FOLDERS = {
    "word": (f"{_OFFICE}.wordprocessingml.document", "docx"),
    "xl": (f"{_OFFICE}.spreadsheetml.sheet", "xlsx"),
    "ppt": (f"{_OFFICE}.presentationml.presentation", "pptx"),
}
_OPEN_DOCUMENT_TYPES = {
    f"{_OPEN_DOCUMENT}.text": "odt",
    f"{_OPEN_DOCUMENT}.spreadsheet": "ods",
    f"{_OPEN_DOCUMENT}.presentation": "odp",
}
_IMAGES = {"PNG": ("image/png", "png"), "JPEG": ("image/jpeg", "jpg")}
#: Types of documents and evidence.
DOCUMENTS = frozenset({"pdf", "png", "jpg", "docx", "xlsx", "pptx", "odt", "ods", "odp", "csv", "txt"})
#: The `accept` attribute of file inputs.
ACCEPT = ",".join(f".{extension}" for extension in sorted(DOCUMENTS | {"jpeg"}))


class UnableToTakeFile(Exception):
    """Raised if a file is empty, too large, of a wrong type, or unpacks to too much."""


@dataclass(frozen=True, slots=True)
class CheckedUpload:
    """An uploaded file that passed all checks.

    `name` is the cleaned name that people see. `storage_name` is random, so that paths reveal nothing.
    """

    name: str
    content_type: str
    extension: str
    size: int
    sha256: str

    @property
    def storage_name(self) -> str:
        """Return a random name with the extension of the content."""
        return f"{secrets.token_hex(16)}.{self.extension}"


def clean_file_name(name: str, extension: str = "") -> str:
    """Return a safe file name from the last part of `name`, with the content's extension.

    Browsers may send a whole path. The result has at most 120 characters.
    """
    last_part = PurePosixPath(name.replace("\\", "/")).name
    allowed = [character for character in last_part if character.isprintable() and character not in '<>:"/|?*']
    stem = "".join(allowed).strip(". ")
    if extension:
        stem = stem[: stem.rfind(".")] if "." in stem else stem
        return f"{stem[:115] or 'document'}.{extension}"
    return stem[:120] or "document"


def _choose(allowed: Collection[str]) -> str:
    """Return the remedy as a sentence, such as `Choose a file of one of these kinds: CSV, PDF.`"""
    return f"Choose a file of one of these kinds: {', '.join(sorted(file_kind.upper() for file_kind in allowed))}."


def check_upload(
    file: File[bytes], *, allowed: Collection[str] = DOCUMENTS, max_bytes: int = MAX_BYTES
) -> CheckedUpload:
    """Check the size of a file, find its type from its content, and leave the file at its start.

    Raises `UnableToTakeFile` with a sentence for the person who chose the file.
    """
    size = file.size or 0
    if size == 0:
        raise UnableToTakeFile("The file is empty. Choose another file.")
    if size > max_bytes:
        raise UnableToTakeFile(
            f"The file is larger than {max_bytes // MEGABYTE} MB. Choose a smaller file, or split it."
        )
    content_type, extension = _content(file)
    if extension not in allowed:
        raise UnableToTakeFile(f"We do not accept this type of file. {_choose(allowed)}")
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    file.seek(0)
    name = clean_file_name(file.name or "", extension)
    return CheckedUpload(
        name=name, content_type=content_type, extension=extension, size=size, sha256=digest.hexdigest()
    )


@contextmanager
def stored(row: Any, file: File[bytes], checked: CheckedUpload) -> Iterator[None]:
    """Store the file of a row. The block must save the row. If the block fails, the stored file is deleted again.

    The row has the fields `file`, `file_name`, `content_type`, `size` and `sha256`. Raises `UnableToTakeFile` if the
    file cannot be stored.
    """
    row.file_name, row.content_type = checked.name, checked.content_type
    row.size, row.sha256 = checked.size, checked.sha256
    try:
        row.file.save(checked.storage_name, file, save=False)
    except OSError as error:
        raise UnableToTakeFile("We could not store the file. Try again in a few minutes.") from error
    stored_name = str(row.file.name)
    try:
        with transaction.atomic():
            yield
    except BaseException:
        row.file.storage.delete(stored_name)
        raise


def _content(file: File[bytes]) -> tuple[str, str]:
    """Return the content type of a file and its extension, or two empty texts if the type is unknown."""
    file.seek(0)
    head = file.read(1024)
    if head.startswith(b"%PDF-"):
        return "application/pdf", "pdf"
    if head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        return _image(file)
    if head.startswith(b"PK\x03\x04"):
        return _office(file)
    return _text(file)


def _image(file: File[bytes]) -> tuple[str, str]:
    """Return the content type and extension of a PNG or JPEG picture, after checking its size in pixels."""
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=tuple(_IMAGES)) as image:
                width, height, image_format = *image.size, image.format or ""
                if width * height > MAX_PIXELS:
                    raise UnableToTakeFile(_TOO_MANY_PIXELS)
                image.verify()
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UnableToTakeFile(_TOO_MANY_PIXELS) from error
    except (PIL.UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise UnableToTakeFile(
            "We cannot read this picture. Save it again as PNG or JPG, and choose the new file."
        ) from error
    return _IMAGES[image_format]


def check_archive(file: IO[bytes]) -> list[str]:
    """Return the names in a ZIP archive, after unpacking all of it to check its real size.

    Raises `UnableToTakeFile` for too many entries, too much content, encryption, macros, or XML with a document type.
    """
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise UnableToTakeFile(
                    f"The file contains more than {MAX_ENTRIES} parts. Remove some pictures or sheets, or split the "
                    "file."
                )
            bytes_left = MAX_UNPACKED
            for entry in entries:
                bytes_left = _unpack(archive, entry, bytes_left)
            return [entry.filename for entry in entries]
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise UnableToTakeFile("The file is damaged. Open it, save it again and choose the new file.") from error
    finally:
        file.seek(0)


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, bytes_left: int) -> int:
    """Read one entry of an archive to its end, and return how much the other entries may still unpack to.

    `bytes_left` is how much the archive may still unpack to, in bytes. The size in the archive's directory is not used,
    because a hostile archive may state any number.
    """
    if entry.flag_bits & 0x1:
        raise UnableToTakeFile(
            "The file is protected with a password. Remove the password, save the file and choose it again."
        )
    if entry.filename.casefold().endswith("vbaproject.bin"):
        raise UnableToTakeFile("The file contains macros. Save it without macros, for example as DOCX or XLSX.")
    is_xml = entry.filename.casefold().endswith((".xml", ".rels"))
    tail = b""
    with archive.open(entry) as part:
        while chunk := part.read(_CHUNK):
            bytes_left -= len(chunk)
            if bytes_left < 0:
                raise UnableToTakeFile(
                    f"The file unpacks to more than {MAX_UNPACKED // MEGABYTE} MB. Remove some pictures or sheets, or "
                    "split the file."
                )
            if is_xml:
                # Zero bytes are removed, so that UTF-16 reads like ASCII. The end of the previous chunk is searched
                # again, because a word may be split between two chunks.
                text = (tail + chunk).replace(b"\x00", b"").upper()
                if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
                    raise UnableToTakeFile(
                        "The file defines its own XML document type. Save it again with Word, Excel or LibreOffice."
                    )
                tail = chunk[-32:]
    return bytes_left


def _office(file: File[bytes]) -> tuple[str, str]:
    """Return the content type and extension of an Office or OpenDocument file.

    Returns two empty texts for any other ZIP file.
    """
    names = check_archive(file)
    if "[Content_Types].xml" in names:
        for folder, office_kind in _OFFICE_FOLDERS.items():
            if any(name.startswith(f"{folder}/") for name in names):
                return office_kind
    if "mimetype" in names:
        with zipfile.ZipFile(file) as archive, archive.open("mimetype") as part:
            declared_type = part.read(100).decode("ascii", "replace").strip()
        file.seek(0)
        if declared_type in _OPEN_DOCUMENT_TYPES:
            return declared_type, _OPEN_DOCUMENT_TYPES[declared_type]
    return "", ""


def _text(file: File[bytes]) -> tuple[str, str]:
    """Return the type of a plain text file, or two empty texts if its content is not plain text.

    Plain text has no control characters, in UTF-8 and in Windows-1252. Only the file's name distinguishes CSV from
    other text. Scripts are plain text too, so a file with another ending, such as .bat or .js, is refused.
    """
    file.seek(0)
    while chunk := file.read(_CHUNK):
        if any(byte < 32 and byte not in (9, 10, 12, 13) for byte in chunk):
            return "", ""
    file.seek(0)
    start = file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<", b"{\\rtf", b"%!")):
        return "", ""
    # As in Windows, ".bat" and "run.bat." have the ending .bat.
    file_name = (file.name or "").replace("\\", "/").rpartition("/")[2].rstrip(". ")
    _stem, dot, suffix = file_name.rpartition(".")
    ending = f"{dot}{suffix.casefold()}" if dot else ""
    if ending not in ("", ".csv", ".txt"):
        raise UnableToTakeFile(f"We do not accept text files ending in {ending[:20]}. {_choose(DOCUMENTS)}")
    return ("text/csv", "csv") if ending == ".csv" else ("text/plain", "txt")
