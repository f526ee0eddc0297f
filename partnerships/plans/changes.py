"""What changed between two contents of a plan, as frozen values in words and figures.

    changes(a, b)            -> tuple[Change, ...]; empty exactly when a == b
    apply(changes(a, b), a)  == b
    summary(changes)         -> one paragraph
    homes_totals(a, b)       -> homes by tenure, needs type, bedrooms, area and year: was, now, difference

Both contents must be regular (`content.normalise`), and of the same reader's class: compare `outside(a)` with
`outside(b)` for outsiders. A `Change` has

    kind        "added", "removed", "changed" or "moved"
    what        "about", "outcome", "section", "site", "homes", "milestone" or "risk"
    key         the item's stable key ("" for about); `anchor` is "sites/north-quay"
    label       the item's name: "North Quay"
    field       the code of the field that changed ("" for a whole item); `field_label` in words
    was, now    the values as stored (whole items when added or removed, places from 0 when moved, counts for homes);
                `was_words` and `now_words` are for people
    line        homes only: (tenure, bedrooms, needs, year); `line_words` in words
    place       where an added or moved item stands in the new list, from 0
    difference  homes only: now - was; `difference_words` is "20 fewer"
    slippage    dates only: `Slippage`, or None; `slippage_words` is "2 quarters later"
    is_text     whether it is prose, to be shown with word-level differences (kit.text)
    sentence()  "Homes, Social Rent at North Quay: was 120, now 100 (20 fewer)"
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, Literal, TypeAlias

from .content import (
    ABOUT,
    ABOUT_BY_CODE,
    COLLECTION_BY_CODE,
    COLLECTIONS,
    NEEDS,
    TENURES,
    Collection,
    Content,
    Field,
    Item,
    Line,
    homes_count,
    homes_item,
    line_of,
    line_order,
)
from .partial_dates import Slippage, in_words, slippage

Kind: TypeAlias = Literal["added", "removed", "changed", "moved"]
SHORT = 90  # prose up to this length is quoted in a sentence

_COLLECTION_OF = {collection.one: collection for collection in COLLECTIONS} | {"homes": COLLECTION_BY_CODE["sites"]}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two contents; the module's docstring describes each part."""

    kind: Kind
    what: str
    key: str
    label: str
    field: str = ""
    was: Any = None
    now: Any = None
    line: Line | None = None
    place: int | None = None

    @property
    def anchor(self) -> str:
        """Name the piece of the plan that this is about: "sites/north-quay", or "about"."""
        return "about" if self.what == "about" else f"{_COLLECTION_OF[self.what].code}/{self.key}"

    @property
    def spec(self) -> Field | None:
        """Describe the field that changed; None for whole items and homes."""
        if self.what == "about":
            return ABOUT_BY_CODE[self.field]
        return None if self.what == "homes" or not self.field else _COLLECTION_OF[self.what].field_by_code[self.field]

    @property
    def what_label(self) -> str:
        """Name the kind of thing, to begin a sentence or a row: "Site"."""
        if self.what in ("about", "homes"):
            return {"about": "Plan", "homes": "Homes"}[self.what]
        return _COLLECTION_OF[self.what].label

    @property
    def field_label(self) -> str:
        """Name the field in words: "Forecast completion", "Homes, Social Rent", "Order", or the kind of thing."""
        if self.line is not None:
            return f"Homes, {self.line_words}"
        if self.kind == "moved":
            return "Order"
        return self.spec.label if self.spec else self.what_label

    @property
    def line_words(self) -> str:
        """Say which homes: "Social Rent, 2 bedrooms, older people, 2027-28"; "" when it is not about homes."""
        return line_in_words(self.line) if self.line else ""

    @property
    def is_text(self) -> bool:
        """Say whether both sides are prose, worth a word-level difference."""
        spec = self.spec
        return self.kind == "changed" and spec is not None and (spec.shape == "text" or spec.code == "text")

    @property
    def difference(self) -> int | None:
        """Give now - was for homes, None for everything else."""
        if self.what == "homes":
            return int(self.now) - int(self.was)
        return None

    @property
    def difference_words(self) -> str:
        """Say the difference of homes: "20 fewer", "1 more"; "" for everything else."""
        return "" if self.difference is None else more_or_fewer(self.difference)

    @property
    def slippage(self) -> Slippage | None:
        """Measure how far a date moved; None for anything else and where a date was or is missing."""
        if self.kind == "changed" and self.spec is not None and self.spec.shape == "date":
            return slippage(self.was, self.now)
        return None

    @property
    def slippage_words(self) -> str:
        """Say how far a date moved: "14 days later", "2 quarters earlier"; "" for anything else."""
        return self.slippage.words() if self.slippage else ""

    @property
    def was_words(self) -> str:
        """Say the old value for people; "" where the item is new."""
        return self._words(self.was) if self.kind != "added" or self.what == "homes" else ""

    @property
    def now_words(self) -> str:
        """Say the new value for people; "" where the item is gone."""
        return self._words(self.now) if self.kind != "removed" or self.what == "homes" else ""

    def _words(self, value: Any) -> str:
        if self.what == "homes":
            return f"{value:,}"
        if self.kind == "moved":
            return f"place {value + 1}"
        if self.spec is not None:
            return value_in_words(self.spec, value)
        return item_in_words(_COLLECTION_OF[self.what], value)

    def sentence(self) -> str:
        """Say the whole change as one plain sentence without a full stop."""
        label = _cut(self.label, SHORT)
        if self.what == "homes":
            return (
                f"Homes, {self.line_words} at {label}: was {self.was_words}, "
                f"now {self.now_words} ({self.difference_words})"
            )
        if self.kind in ("added", "removed"):
            item = self.now if self.kind == "added" else self.was
            details = item_details(_COLLECTION_OF[self.what], item)
            return f"{self.what_label} {self.kind}: {label}{f' ({details})' if details else ''}"
        subject = self.what_label if self.what == "about" else f"{self.what_label} {label}"
        if self.kind == "moved":
            return f"{subject}: moved from {self.was_words} to {self.now_words}"
        field = self.field_label[0].lower() + self.field_label[1:]
        was, now = self.was_words, self.now_words
        if self.is_text and max(len(was), len(now)) > SHORT:
            verb = "removed" if not now else "written" if not was else "changed"
            return f"{subject}, {field}: {verb} ({words_changed(was, now)})"
        tail = f" ({self.slippage_words})" if self.slippage_words else ""
        return f"{subject}, {field}: was {was or 'not given'}, now {now or 'not given'}{tail}"


# ---- Words


def more_or_fewer(difference: int) -> str:
    """Say a difference of homes: "20 fewer", "1 more", "no change"."""
    if not difference:
        return "no change"
    return f"{abs(difference):,} {'more' if difference > 0 else 'fewer'}"


def line_in_words(line: Line) -> str:
    """Say a combination of homes, leaving out what is general or not known."""
    tenure, bedrooms, needs, year = line
    words = [TENURES[tenure]]
    if bedrooms is not None:
        words.append(bedrooms_in_words(bedrooms))
    if needs != "general":
        words.append(NEEDS[needs])
    if year:
        words.append(year)
    return ", ".join(words)


def bedrooms_in_words(bedrooms: int | None) -> str:
    """Say a number of bedrooms: "studio", "1 bedroom", "bedrooms not known"."""
    if bedrooms is None:
        return "bedrooms not known"
    return "studio" if bedrooms == 0 else f"{bedrooms} bedroom{'' if bedrooms == 1 else 's'}"


def value_in_words(field: Field, value: Any) -> str:
    """Say the value of a field for people: dates and choices in words, yes and no."""
    if field.shape == "date":
        return in_words(value)
    if field.shape == "flag":
        return "yes" if value else "no"
    if field.shape == "choice":
        return field.choices.get(value, value)
    return "" if value is None else str(value)


def item_in_words(collection: Collection, item: Item) -> str:
    """Say a whole item in a line: its name and what matters most about it."""
    details = item_details(collection, item)
    return f"{item[collection.title]} ({details})" if details else str(item[collection.title])


def item_details(collection: Collection, item: Item) -> str:
    """Say what matters most about an item beside its name: the homes of a site, the date of a milestone."""
    if collection.one == "site":
        count = homes_count(item)
        return f"{count:,} home{'' if count == 1 else 's'}" if count else "no homes yet"
    if collection.one == "milestone":
        for code in ("actual", "forecast", "baseline"):
            if item[code]:
                return f"{code} {in_words(item[code])}"
    if collection.one == "risk":
        return f"likelihood {item['likelihood']} × impact {item['impact']}"
    return ""


def words_changed(was: str, now: str) -> str:
    """Count the words that went and came: "12 words removed, 15 added"."""
    before, after = Counter(was.split()), Counter(now.split())
    gone, come = (before - after).total(), (after - before).total()
    if not gone and not come:
        return "the same words in another order" if was.split() != now.split() else "spaces and lines"
    counts = [(gone, "removed"), (come, "added")]
    return " and ".join(f"{count:,} word{'' if count == 1 else 's'} {verb}" for count, verb in counts if count)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


# ---- Comparing


def changes(a: Content, b: Content) -> tuple[Change, ...]:
    """Give everything that must be done to `a` to get `b`, in the order in which a plan is read."""
    found: list[Change] = []
    if a["about"] != b["about"]:
        was, now = a["about"], b["about"]
        found += [
            Change("changed", "about", "", "", field.code, was[field.code], now[field.code])
            for field in ABOUT
            if was[field.code] != now[field.code]
        ]
    for collection in COLLECTIONS:
        if a[collection.code] != b[collection.code]:
            found += _of_list(collection, a[collection.code], b[collection.code])
    return tuple(found)


def _of_list(collection: Collection, a: list[Item], b: list[Item]) -> list[Change]:
    found: list[Change] = []
    was_at = {item["key"]: place for place, item in enumerate(a)}
    now_at = {item["key"]: place for place, item in enumerate(b)}
    moved = _moved([was_at[item["key"]] for item in b if item["key"] in was_at])
    for place, now in enumerate(b):
        key = now["key"]
        label = str(now[collection.title])
        old_place = was_at.get(key)
        if old_place is None:
            found.append(Change("added", collection.one, key, label, now=now, place=place))
            continue
        if old_place in moved:
            found.append(Change("moved", collection.one, key, label, was=old_place, now=place, place=place))
        was = a[old_place]
        if was != now:
            found += [
                Change("changed", collection.one, key, label, field.code, was[field.code], now[field.code])
                for field in collection.fields
                if was[field.code] != now[field.code]
            ]
            if collection.one == "site" and was["homes"] != now["homes"]:
                found += _of_homes(key, label, was["homes"], now["homes"])
    found += [
        Change("removed", collection.one, item["key"], str(item[collection.title]), was=item, place=place)
        for place, item in enumerate(a)
        if item["key"] not in now_at
    ]
    return found


def _of_homes(key: str, label: str, a: list[Item], b: list[Item]) -> list[Change]:
    was = {line_of(homes): int(homes["count"]) for homes in a}
    now = {line_of(homes): int(homes["count"]) for homes in b}
    found: list[Change] = []
    for line in sorted({*was, *now}, key=line_order):
        before, after = was.get(line, 0), now.get(line, 0)
        if before != after:
            kind: Kind = "added" if line not in was else "removed" if line not in now else "changed"
            found.append(Change(kind, "homes", key, label, "homes", before, after, line))
    return found


def _moved(places: Sequence[int]) -> set[int]:
    """Find the fewest of the distinct old places that must move so that the rest are ascending.

    What stays is a longest increasing subsequence, found by patience sorting in n log n.
    """
    if all(earlier < later for earlier, later in pairwise(places)):
        return set()
    tops: list[int] = []
    top_index: list[int] = []
    before: list[int] = []
    for index, place in enumerate(places):
        pile = bisect_left(tops, place)
        before.append(top_index[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(place)
            top_index.append(index)
        else:
            tops[pile] = place
            top_index[pile] = index
    stay: set[int] = set()
    index = top_index[-1]
    while index >= 0:
        stay.add(places[index])
        index = before[index]
    return set(places) - stay


# ---- Applying


def apply(found: Iterable[Change], a: Content) -> Content:
    """Do the changes to `a`: `apply(changes(a, b), a) == b`. `a` stays as it is."""
    by_what: dict[str, list[Change]] = {}
    for change in found:
        by_what.setdefault(change.what, []).append(change)
    result: Content = {"about": {**a["about"], **{change.field: change.now for change in by_what.get("about", ())}}}
    for collection in COLLECTIONS:
        mine = by_what.get(collection.one, [])
        homes = by_what.get("homes", []) if collection.one == "site" else []
        result[collection.code] = (
            _apply_to_list(mine, homes, a[collection.code]) if mine or homes else a[collection.code]
        )
    return result


def _apply_to_list(found: list[Change], homes: list[Change], items: list[Item]) -> list[Item]:
    by_key = {item["key"]: dict(item) for item in items}
    lines: dict[str, dict[Line, int]] = {}
    for change in homes:
        counts = lines.setdefault(change.key, {line_of(line): line["count"] for line in by_key[change.key]["homes"]})
        if change.line is not None:
            counts[change.line] = change.now
    for key, counts in lines.items():
        kept = sorted((line for line in counts if counts[line]), key=line_order)
        by_key[key]["homes"] = [homes_item(line, counts[line]) for line in kept]
    elsewhere = {change.key for change in found if change.kind in ("removed", "moved")}
    for change in found:
        if change.kind == "changed":
            by_key[change.key][change.field] = change.now
        elif change.kind == "added":
            by_key[change.key] = change.now
    placed = sorted(
        (change for change in found if change.kind in ("added", "moved")), key=lambda change: change.place or 0
    )
    staying = iter([by_key[item["key"]] for item in items if item["key"] not in elsewhere])
    result: list[Item] = []
    for change in placed:
        while len(result) < (change.place or 0):
            result.append(next(staying))
        result.append(by_key[change.key])
    return list(chain(result, staying))


# ---- Figures


@dataclass(frozen=True, slots=True)
class Total:
    """One row of a table of homes: what it counts, was, now."""

    code: str
    label: str
    was: int
    now: int

    @property
    def difference(self) -> int:
        """Give now - was."""
        return self.now - self.was

    @property
    def difference_words(self) -> str:
        """Say the difference: "20 fewer", "1 more", "no change"."""
        return more_or_fewer(self.difference)


@dataclass(frozen=True, slots=True)
class HomesTotals:
    """The homes of two contents side by side: the sum, and by each way of dividing it, without rows of none."""

    total: Total
    by_tenure: tuple[Total, ...]
    by_needs: tuple[Total, ...]
    by_bedrooms: tuple[Total, ...]
    by_area: tuple[Total, ...]
    by_year: tuple[Total, ...]

    @property
    def tables(self) -> tuple[tuple[str, tuple[Total, ...]], ...]:
        """Give every division with its heading."""
        return (
            ("Tenure", self.by_tenure),
            ("Needs type", self.by_needs),
            ("Bedrooms", self.by_bedrooms),
            ("Area", self.by_area),
            ("Year", self.by_year),
        )


def homes_totals(a: Content, b: Content) -> HomesTotals:
    """Count the homes of two contents by tenure, needs type, bedrooms, area and year.

    An area is its GSS code, labelled with the planning authority's name where a site gives one.
    """
    was, now = _count(a), _count(b)
    sites = chain(a["sites"], b["sites"])
    named = {(site["planning_authority"] or site["area"], site["area"] or site["planning_authority"]) for site in sites}
    authorities = {code: name for name, code in sorted(named)}
    bedrooms = [str(count) if count is not None else "" for count in (None, *range(21))]
    return HomesTotals(
        total=Total("", "All homes", was["", ""], now["", ""]),
        by_tenure=_rows("tenure", was, now, {code: _capital(label) for code, label in TENURES.items()}),
        by_needs=_rows("needs", was, now, {code: _capital(label) for code, label in NEEDS.items()}),
        by_bedrooms=_rows(
            "bedrooms", was, now, {code: _capital(bedrooms_in_words(int(code) if code else None)) for code in bedrooms}
        ),
        by_area=_rows("area", was, now, authorities | {"": "Area not given"}),
        by_year=_rows("year", was, now, {year: year or "Year not given" for year in _years(was, now)}),
    )


def _count(content: Content) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for site in content["sites"]:
        area = site["area"] or site["planning_authority"]
        for homes in site["homes"]:
            count = homes["count"]
            counts["", ""] += count
            counts["tenure", homes["tenure"]] += count
            counts["needs", homes["needs"]] += count
            counts["bedrooms", "" if homes["bedrooms"] is None else str(homes["bedrooms"])] += count
            counts["area", area] += count
            counts["year", homes["year"]] += count
    return counts


def _years(*counts: Counter[tuple[str, str]]) -> list[str]:
    return sorted({code for count in counts for by, code in count if by == "year"})


def _rows(
    by: str, was: Counter[tuple[str, str]], now: Counter[tuple[str, str]], labels: dict[str, str]
) -> tuple[Total, ...]:
    return tuple(
        Total(code, label, was[by, code], now[by, code])
        for code, label in labels.items()
        if was[by, code] or now[by, code]
    )


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def homes_difference(found: Iterable[Change]) -> int:
    """Give the net difference of homes, with those of sites that came and went."""
    difference = 0
    for change in found:
        if change.what == "homes":
            difference += change.difference or 0
        elif change.what == "site" and change.kind == "added":
            difference += homes_count(change.now)
        elif change.what == "site" and change.kind == "removed":
            difference -= homes_count(change.was)
    return difference


def summary(found: Sequence[Change]) -> str:
    """Say all the changes in one paragraph; "Nothing changed." when there are none."""
    if not found:
        return "Nothing changed."
    sentences = [f"{len(found):,} change{'' if len(found) == 1 else 's'}."]
    difference = homes_difference(found)
    if difference:
        sentences.append(f"{more_or_fewer(difference)} homes in all.".replace("1 more homes", "1 more home"))
    elif any(change.what == "homes" for change in found):
        sentences.append("As many homes as before, divided differently.")
    for collection in COLLECTIONS:
        for kind, verb in (("added", "added"), ("removed", "removed"), ("moved", "moved")):
            names = [change.label for change in found if change.what == collection.one and change.kind == kind]
            if names:
                sentences.append(f"{_counted(len(names), collection.one)} {verb}: {_some(names)}.")
    slips = [change for change in found if change.slippage and change.slippage.amount]
    for direction, later in (("later", True), ("earlier", False)):
        moved = [change for change in slips if change.slippage and (change.slippage.amount > 0) is later]
        if moved:
            named = [f"{change.label or change.field_label} {change.slippage_words}" for change in moved]
            sentences.append(f"{_counted(len(moved), 'date')} {direction}: {_some(named)}.")
    texts = dict.fromkeys(change.label or "the summary" for change in found if change.is_text)
    if texts:
        sentences.append(f"Text changed in {_some(list(texts))}.")
    said = {id(change) for change in slips}
    other = dict.fromkeys(
        f"{change.label}" if change.label else change.field_label.lower()
        for change in found
        if change.kind == "changed" and not change.is_text and change.what != "homes" and id(change) not in said
    )
    if other:
        sentences.append(f"Details changed of {_some(list(other))}.")
    return " ".join(sentences)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _some(names: list[str], most: int = 3) -> str:
    cut = [_cut(name, SHORT) for name in names]
    if len(cut) <= most:
        return " and ".join([", ".join(cut[:-1]), cut[-1]]) if len(cut) > 1 else cut[0]
    return f"{', '.join(cut[:most])} and {len(cut) - most:,} more"
