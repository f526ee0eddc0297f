"""What a plan says, as one JSON value: its shape, how it is made regular, and what outsiders may read of it.

A content is a plain dictionary, regular after `normalise`: every field present, in one order, in one spelling, so
that two contents are equal exactly when `==` says so. It holds

    about        its title, what it is for, its period and its source
    outcomes     what the partners want to see
    sections     titled Markdown
    sites        places, each with its homes by tenure × bedrooms × needs type × year
    milestones   baseline, forecast, actual and status
    risks        likelihood × impact, mitigation, owner
    documents    what is attached: title, name, type, size and fingerprint of a file kept beside the database

Every item but a line of homes has a stable `key`; a line of homes is known by its combination. A piece is the unit
that people edit and that conflicts are about: "about", "sites/north-quay", or "order/sections" for the order of a list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

from .partial_dates import read

Content: TypeAlias = dict[str, Any]
Item: TypeAlias = dict[str, Any]
Choices: TypeAlias = Mapping[str, str]

# MHCLG's and the GLA's names of tenures (DOMAIN.md); the order is the one in which tables show them.
TENURES: Choices = MappingProxyType(
    {
        "social_rent": "Social Rent",
        "affordable_rent": "Affordable Rent",
        "london_affordable_rent": "London Affordable Rent",
        "rent_to_buy": "Rent to Buy",
        "london_living_rent": "London Living Rent",
        "other_intermediate": "other intermediate",
        "specified_accommodation": "specified accommodation",
        "shared_ownership": "Shared Ownership",
        "first_homes": "First Homes",
        "discounted_market_sale": "discounted market sale",
        "market_sale": "market sale",
        "market_rent": "market or build to rent",
        "unknown": "tenure not known",
    }
)
NEEDS: Choices = MappingProxyType({"general": "general needs", "supported": "supported", "older": "older people"})
PLANNING_STATUSES: Choices = MappingProxyType(
    {
        "allocated": "Allocated",
        "pre_application": "Pre-application",
        "submitted": "Application submitted",
        "outline": "Outline permission",
        "permission_in_principle": "Permission in principle",
        "permission": "Full or reserved matters permission",
        "refused": "Refused",
        "appeal": "At appeal",
        "none": "No application yet",
    }
)
CONFIDENCE: Choices = MappingProxyType({"high": "High", "medium": "Medium", "low": "Low"})
MILESTONE_STATUSES: Choices = MappingProxyType(
    {
        "planned": "Planned",
        "on_track": "On track",
        "at_risk": "At risk",
        "late": "Late",
        "achieved": "Achieved",
        "cancelled": "Cancelled",
    }
)
SCALE: Choices = MappingProxyType(
    {"1": "1, very low", "2": "2, low", "3": "3, medium", "4": "4, high", "5": "5, very high"}
)

LINE, TEXT = 500, 100_000
MOST_ITEMS, MOST_HOMES = 5_000, 100_000
KEY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?", re.ASCII)
# PostgreSQL's jsonb refuses NUL; lone surrogates cannot be encoded at all.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an item: its code, its label, and the shape of its value."""

    code: str
    label: str
    shape: str = "line"  # line, text, date, flag, choice, scale, number, area, latitude, longitude
    choices: Choices = field(default_factory=dict)
    default: Any = ""
    required: bool = False
    restricted: bool = False  # never part of what outsiders read


@dataclass(frozen=True, slots=True)
class Collection:
    """One list of a plan: what its items are called and which fields they have."""

    code: str
    one: str
    label: str
    title: str  # the field that names an item
    fields: tuple[Field, ...]
    hidden_by: str  # the flag that keeps a whole item from outsiders

    @property
    def field_by_code(self) -> dict[str, Field]:
        return _FIELD_BY_CODE[self.code]


def _restricted(label: str) -> Field:
    return Field("restricted", label, "flag", default=False)


ABOUT = (
    Field("title", "Title"),
    Field("summary", "Summary", "text"),
    Field("period_start", "Period from", "date"),
    Field("period_end", "Period to", "date"),
    Field("source", "Source"),
)
OUTCOMES = Collection(
    "outcomes",
    "outcome",
    "Outcome",
    "text",
    (
        Field("text", "Outcome", required=True),
        Field("measure", "How we will know"),
        _restricted("Only for the plan's partners"),
    ),
    "restricted",
)
SECTIONS = Collection(
    "sections",
    "section",
    "Section",
    "title",
    (
        Field("title", "Title", required=True),
        Field("body", "Text", "text"),
        _restricted("Only for the plan's partners"),
    ),
    "restricted",
)
SITES = Collection(
    "sites",
    "site",
    "Site",
    "name",
    (
        Field("reference", "Reference"),
        Field("name", "Name", required=True),
        Field("area", "Area", "area"),
        Field("planning_authority", "Planning authority"),
        Field("lat", "Latitude", "latitude", default=None),
        Field("lng", "Longitude", "longitude", default=None),
        Field("landowner", "Landowner"),
        Field("lead", "Lead"),
        Field("planning_status", "Planning status", "choice", PLANNING_STATUSES),
        Field("planning_reference", "Planning reference"),
        Field("grant_programme", "Grant programme"),
        Field("forecast_start", "Forecast start", "date"),
        Field("actual_start", "Actual start", "date"),
        Field("forecast_completion", "Forecast completion", "date"),
        Field("actual_completion", "Actual completion", "date"),
        Field("confidence", "Confidence", "choice", CONFIDENCE),
        Field("confidential", "Confidential", "flag", default=False),
        Field("notes", "Notes", "text", restricted=True),
    ),
    "confidential",
)
MILESTONES = Collection(
    "milestones",
    "milestone",
    "Milestone",
    "name",
    (
        Field("name", "Name", required=True),
        Field("site", "Site"),
        Field("owner", "Owner"),
        Field("baseline", "Baseline", "date"),
        Field("forecast", "Forecast", "date"),
        Field("actual", "Actual", "date"),
        Field("status", "Status", "choice", MILESTONE_STATUSES, default="planned"),
        Field("note", "Note", "text"),
        _restricted("Only for the plan's partners"),
    ),
    "restricted",
)
RISKS = Collection(
    "risks",
    "risk",
    "Risk",
    "title",
    (
        Field("title", "Title", required=True),
        Field("likelihood", "Likelihood", "scale", SCALE, default=3),
        Field("impact", "Impact", "scale", SCALE, default=3),
        Field("mitigation", "Mitigation", "text"),
        Field("owner", "Owner"),
        _restricted("Only for the plan's partners"),
    ),
    "restricted",
)
DOCUMENTS = Collection(
    "documents",
    "document",
    "Document",
    "title",
    (
        Field("title", "Title", required=True),
        Field("file_name", "File"),
        Field("content_type", "Type of file"),
        Field("size", "Bytes", "number", default=0),
        Field("sha256", "Fingerprint"),
        _restricted("Only for the plan's partners"),
    ),
    "restricted",
)
COLLECTIONS = (OUTCOMES, SECTIONS, SITES, MILESTONES, RISKS, DOCUMENTS)
COLLECTION_BY_CODE = MappingProxyType({collection.code: collection for collection in COLLECTIONS})
_FIELD_BY_CODE = {collection.code: {field.code: field for field in collection.fields} for collection in COLLECTIONS}
ABOUT_BY_CODE = MappingProxyType({field.code: field for field in ABOUT})


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a content: where it is, and what to do about it."""

    path: str
    message: str


class InvalidContent(ValueError):
    """The value is no plan; `problems` says where and why."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.path}: {problem.message}" for problem in self.problems))


# ---- Values of fields


def _line(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("This must be text.")
    text = " ".join(str(value).split())
    if UNSTORABLE.search(text):
        raise ValueError("This holds characters that cannot be stored.")
    if len(text) > LINE:
        raise ValueError(f"This is {len(text)} characters long; the most is {LINE}.")
    return text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError("This must be text.")
    text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if UNSTORABLE.search(text):
        raise ValueError("This holds characters that cannot be stored.")
    if len(text) > TEXT:
        raise ValueError(f"This is {len(text)} characters long; the most is {TEXT}.")
    return text


def _date(value: Any) -> str:
    text = _line(value)
    if text:
        read(text)
    return text


def _flag(value: Any) -> bool:
    if value in (None, ""):
        return False
    if not isinstance(value, bool):
        raise ValueError("This must be true or false.")
    return value


def _choice(choices: Choices, default: str, value: Any) -> str:
    text = _line(value)
    if not text:
        return default
    if text in choices:
        return text
    for code, label in choices.items():
        if text.casefold() in (label.casefold(), code.replace("_", " ")):
            return code
    raise ValueError(f"“{text}” is none of: {', '.join(choices.values())}.")


def _scale(value: Any) -> int:
    return _whole(value, 1, 5) or 3


def _whole(value: Any, least: int, most: int) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("This must be a whole number.")
    if not least <= value <= most:
        raise ValueError(f"This must be between {least} and {most:,}.")
    return value


def _number(value: Any) -> int:
    return _whole(value, 0, 2**40) or 0


def _area(value: Any) -> str:
    text = _line(value)
    if text and not re.fullmatch(r"[A-Z]\d{8}", text, re.ASCII):
        raise ValueError(f"“{text}” is not a GSS code such as E07000228.")
    return text


def _degrees(most: int, value: Any) -> float | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("This must be a number of degrees.")
    try:
        number = round(float(value), 6)
    except (ValueError, OverflowError) as error:
        raise ValueError("This must be a number of degrees.") from error
    if not -most <= number <= most:
        raise ValueError(f"This must be between -{most} and {most}.")
    return number + 0.0  # -0.0 would be a different text for an equal number


def _year(value: Any) -> str:
    text = _line(value).replace("/", "-").replace("–", "-")
    match = re.fullmatch(r"(\d{4})(?:-(\d{2}))?", text, re.ASCII)
    if not text:
        return ""
    if match is None or (match[2] and int(match[2]) != (int(match[1]) + 1) % 100):
        raise ValueError(f"“{text}” is not a year: write 2027, or 2027-28 for a financial year.")
    return text


_READERS: dict[str, Callable[[Any], Any]] = {
    "line": _line,
    "text": _text,
    "date": _date,
    "flag": _flag,
    "scale": _scale,
    "number": _number,
    "area": _area,
    "latitude": partial(_degrees, 90),
    "longitude": partial(_degrees, 180),
}


def read_field(field: Field, value: Any) -> Any:
    """Make one value regular; raise ValueError saying what is wrong with it."""
    if field.shape == "choice":
        regular: Any = _choice(field.choices, field.default, value)
    elif value is None:
        regular = field.default
    else:
        regular = _READERS[field.shape](value)
    if field.required and not regular:
        raise ValueError(f"Enter the {field.label.lower()}.")
    return regular


# ---- Homes

Line: TypeAlias = tuple[str, int | None, str, str]
_TENURE_ORDER = {code: place for place, code in enumerate(TENURES)}
_NEEDS_ORDER = {code: place for place, code in enumerate(NEEDS)}


def line_of(homes: Item) -> Line:
    """Give the combination that a line of homes is known by: tenure, bedrooms, needs type and year."""
    return homes["tenure"], homes["bedrooms"], homes["needs"], homes["year"]


def line_order(line: Line) -> tuple[int, int, int, str]:
    """Sort lines of homes as tables show them; bedrooms not known come first."""
    return _TENURE_ORDER[line[0]], -1 if line[1] is None else line[1], _NEEDS_ORDER[line[2]], line[3]


def homes_item(line: Line, count: int) -> Item:
    """Build the line of homes for a combination."""
    return {"tenure": line[0], "bedrooms": line[1], "needs": line[2], "year": line[3], "count": count}


def normalise_homes(raw: Any, path: str = "homes") -> list[Item]:
    """Make lines of homes regular: the same combination summed, none without homes, in the order of tables."""
    problems: list[Problem] = []
    counts: dict[Line, int] = {}
    for place, entry in enumerate(raw or ()):
        here = f"{path}/{place + 1}"
        if not isinstance(entry, Mapping):
            problems.append(Problem(here, "This must be a line of homes."))
            continue
        try:
            line: Line = (
                _choice(TENURES, "unknown", entry.get("tenure")),
                _whole(entry.get("bedrooms"), 0, 20),
                _choice(NEEDS, "general", entry.get("needs")),
                _year(entry.get("year")),
            )
            count = _whole(entry.get("count"), 0, MOST_HOMES) or 0
        except ValueError as error:
            problems.append(Problem(here, str(error)))
            continue
        if count:
            counts[line] = counts.get(line, 0) + count
    if problems:
        raise InvalidContent(problems)
    return [homes_item(line, counts[line]) for line in sorted(counts, key=line_order)]


def homes_count(item: Item) -> int:
    """Count the homes of one site."""
    return sum(homes["count"] for homes in item["homes"])


def total_homes(content: Content) -> int:
    """Count the homes of a whole plan."""
    return sum(homes_count(site) for site in content["sites"])


# ---- Whole contents


def empty() -> Content:
    """Give the content of a plan in which nothing has been written."""
    return normalise({})


def normalise_about(raw: Any, path: str = "about") -> Item:
    """Make what is said about the plan regular; raise InvalidContent."""
    if not isinstance(raw, Mapping):
        raise InvalidContent([Problem(path, "This must be a set of fields.")])
    return _fields(ABOUT, raw, path)


def normalise_item(collection: Collection, raw: Any, key: str, path: str = "") -> Item:
    """Make one item regular under the given key; raise InvalidContent."""
    path = path or f"{collection.code}/{key}"
    if isinstance(raw, str):
        raw = {collection.title: raw}
    if not isinstance(raw, Mapping):
        raise InvalidContent([Problem(path, f"This must be one {collection.one}.")])
    if not KEY.fullmatch(key):
        raise InvalidContent([Problem(f"{path}/key", f"“{key}” is not a key: use small letters, digits and hyphens.")])
    item = {"key": key, **_fields(collection.fields, raw, path)}
    if collection is SITES:
        item["homes"] = normalise_homes(raw.get("homes"), f"{path}/homes")
    return item


def _fields(fields: tuple[Field, ...], raw: Mapping[str, Any], path: str) -> Item:
    item: Item = {}
    problems: list[Problem] = []
    for spec in fields:
        try:
            item[spec.code] = read_field(spec, raw.get(spec.code, spec.default))
        except ValueError as error:
            problems.append(Problem(f"{path}/{spec.code}", str(error)))
    if problems:
        raise InvalidContent(problems)
    return item


def key_for(name: str, taken: Iterable[str]) -> str:
    """Make a key from a name, unlike those already taken: the same names in the same order give the same keys."""
    taken = set(taken)
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:80].strip("-") or "item"
    key, count = stem, 1
    while key in taken:
        count += 1
        key = f"{stem}-{count}"
    return key


def normalise(raw: Any) -> Content:
    """Check a whole plan and make it regular; raise InvalidContent with every problem found.

    Missing lists and fields become empty ones, codes may be given by their labels, outcomes may be one text, and items
    without a key get one from their name.
    """
    if not isinstance(raw, Mapping):
        raise InvalidContent([Problem("", "A plan must be a set of fields.")])
    problems: list[Problem] = []
    unknown = set(raw) - {"about", *COLLECTION_BY_CODE}
    problems += [Problem(str(code), "A plan has no such part.") for code in sorted(unknown, key=str)]
    content: Content = {"about": {}}
    try:
        content["about"] = normalise_about(raw.get("about") or {})
    except InvalidContent as error:
        problems += error.problems
    for collection in COLLECTIONS:
        items, found = _items(collection, raw.get(collection.code))
        content[collection.code] = items
        problems += found
    if problems:
        raise InvalidContent(problems)
    return content


def _items(collection: Collection, raw: Any) -> tuple[list[Item], list[Problem]]:
    if isinstance(raw, str):
        raw = [raw] if raw.strip() else []
    if raw is None:
        raw = []
    if not isinstance(raw, list | tuple):
        return [], [Problem(collection.code, "This must be a list.")]
    if len(raw) > MOST_ITEMS:
        return [], [Problem(collection.code, f"There are {len(raw):,} items; the most is {MOST_ITEMS:,}.")]
    items: list[Item] = []
    problems: list[Problem] = []
    keys: set[str] = {str(entry["key"]) for entry in raw if isinstance(entry, Mapping) and entry.get("key")}
    used: set[str] = set()
    for place, entry in enumerate(raw):
        path = f"{collection.code}/{place + 1}"
        given = str(entry.get("key") or "") if isinstance(entry, Mapping) else ""
        name = entry.get(collection.title, "") if isinstance(entry, Mapping) else entry
        key = given or key_for(str(name), keys | used)
        if key in used:
            problems.append(Problem(path, f"The key “{key}” is used twice."))
            continue
        used.add(key)
        try:
            items.append(normalise_item(collection, entry, key, path))
        except InvalidContent as error:
            problems += error.problems
    return items, problems


def outside(content: Content) -> Content:
    """Give what readers of class *outside* may know: no confidential site, nothing of it, and no restricted text."""
    visible: Content = {"about": content["about"]}
    for collection in COLLECTIONS:
        visible[collection.code] = [item for item in content[collection.code] if not item[collection.hidden_by]]
    hidden = {site["key"] for site in content["sites"] if site["confidential"]}
    visible["sites"] = [{**site, "notes": ""} if site["notes"] else site for site in visible["sites"]]
    visible["milestones"] = [milestone for milestone in visible["milestones"] if milestone["site"] not in hidden]
    return visible


# ---- Pieces: what one person edits at a time


class UnknownPiece(ValueError):
    """No plan has a piece of this name."""


def split_piece(piece: str) -> tuple[str, str]:
    """Split "sites/north-quay" into ("sites", "north-quay"); "about" has no key. Raise UnknownPiece."""
    code, _, key = piece.partition("/")
    if piece == "about":
        return "about", ""
    if code == "order" and key in COLLECTION_BY_CODE:
        return "order", key
    if code in COLLECTION_BY_CODE and KEY.fullmatch(key):
        return code, key
    raise UnknownPiece(f"A plan has no piece called “{piece}”.")


def get_piece(content: Content, piece: str) -> Any:
    """Read one piece: an item, what is said about the plan, or a list of keys; None where there is no such item."""
    code, key = split_piece(piece)
    if code == "about":
        return content["about"]
    if code == "order":
        return [item["key"] for item in content[key]]
    return next((item for item in content[code] if item["key"] == key), None)


def set_piece(content: Content, piece: str, value: Any) -> Content:
    """Give the content with one piece replaced, added at the end (no such item yet) or removed (value None).

    The given content stays as it is; the value is made regular, or InvalidContent is raised.
    """
    code, key = split_piece(piece)
    if code == "about":
        return {**content, "about": normalise_about(value)}
    if code == "order":
        return {**content, key: _reordered(content[key], value, piece)}
    items: list[Item] = content[code]
    if value is None:
        return {**content, code: [item for item in items if item["key"] != key]}
    item = normalise_item(COLLECTION_BY_CODE[code], value, key)
    if any(present["key"] == key for present in items):
        return {**content, code: [item if present["key"] == key else present for present in items]}
    if len(items) >= MOST_ITEMS:
        raise InvalidContent([Problem(piece, f"A plan holds at most {MOST_ITEMS:,} of these.")])
    return {**content, code: [*items, item]}


def _reordered(items: list[Item], keys: Any, piece: str) -> list[Item]:
    """Put the named items first in that order; those not named (added meanwhile) follow as they were."""
    if not isinstance(keys, list | tuple) or not all(isinstance(key, str) for key in keys):
        raise InvalidContent([Problem(piece, "This must be a list of keys.")])
    by_key = {item["key"]: item for item in items}
    first = [by_key[key] for key in dict.fromkeys(keys) if key in by_key]
    named = {item["key"] for item in first}
    return [*first, *(item for item in items if item["key"] not in named)]
