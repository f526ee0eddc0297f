"""Parse and check the JSON of network files and directory files."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from partnerships.transfer.reading.problems import UnableToRead, refuse_file
from partnerships.transfer.reading.shapes import Checking, Shape


def read_checked(
    value: dict[str, Any], shape: Shape, now: dt.datetime, check_further: Callable[[dict[str, Any], Checking], None]
) -> dict[str, Any]:
    """Return the content of a parsed file, checked against its shape and then by `check_further`.

    Raises `UnableToRead` with every problem and its path.
    """
    _key_areas_by_code(value)
    checking = Checking(now)
    content = checking.object(value, shape, "")
    checking.keys["areas"] = {key.upper(): path for key, path in checking.keys.get("areas", {}).items()}
    checking.check_refs()
    check_further(content, checking)
    if checking.problems:
        raise UnableToRead(checking.problems)
    return content


def parse_file(data: bytes, *, form: str, version: int, page: str) -> dict[str, Any]:
    """Return the JSON object of a file, which must name this format and version.

    `page` is the documentation of the format, for messages. Raises `UnableToRead`.
    """
    try:
        value = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_with_unique_keys)
    except UnicodeDecodeError as error:
        raise refuse_file("the file is not UTF-8 text.", "Save the file as UTF-8.") from error
    except json.JSONDecodeError as error:
        raise refuse_file(
            f"the file is not valid JSON: {error.msg}.", "Check the text just before this line.", row=error.lineno
        ) from error
    except RecursionError as error:
        raise refuse_file("the file is nested too deeply.", f"See {page}.") from error
    except ValueError as error:  # a number of thousands of digits
        raise refuse_file("the file contains a number that is too long.", "Correct the number.") from error
    if not isinstance(value, dict) or value.get("format") != form:
        file_kind = form.removeprefix("common-ground-")
        raise refuse_file(f'the file does not say that it is a {file_kind} file ("format": "{form}").', f"See {page}.")
    if value.get("version") != version:
        raise refuse_file(
            f"the file has version {value.get('version')} of the format, but we can read only version {version}.",
            f"Use version {version}, which {page} describes.",
        )
    return value


def _key_areas_by_code(value: dict[str, Any]) -> None:
    """Set the key of each area to its code in small letters, since areas have no key of their own in the file."""
    areas = value.get("areas")
    for index, area in enumerate(areas if isinstance(areas, list) else []):
        if isinstance(area, dict) and isinstance(area.get("code"), str):
            code = area["code"].strip().upper()
            value["areas"][index] = {**area, "code": code, "key": code.lower()}


def _with_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object whose keys are unique.

    Python's parser would silently keep the last of two equal keys.
    """
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise refuse_file(f"“{repeated}” occurs twice in one object.", "Remove one of the two.")
    return fields
