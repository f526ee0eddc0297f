"""Prepare terms for a page or a print, with numbered clauses, schedules, totals and signatures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils import timezone

from partnerships.agreements.models import SigningMethod, TermsSignature, TermsVersion
from partnerships.agreements.terms.contributions import Contributions, contributions_of
from partnerships.documents import Collection, Content, Field, Names, Schema
from partnerships.kit.dates import long_date, long_time
from partnerships.kit.prose import StoredHtml

#: Values of these shapes must be on one line. A browser would break "2026-27" after the hyphen.
_SHORT = frozenset({"year", "money", "percent", "number"})


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause with its number. `html` is safe to show."""

    number: int
    key: str
    title: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Prose:
    """A longer text among the particulars. `html` is safe to show."""

    label: str
    text: str
    html: str


class Cell(NamedTuple):
    """A value in a schedule. `is_short` keeps a year or an amount on one line."""

    words: str
    is_short: bool


@dataclass(frozen=True, slots=True)
class Table:
    """One schedule, with a row for each item."""

    number: int
    code: str
    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """Terms in the order in which people read them.

    `facts` are the short particulars, as pairs of label and value, for example ("Quorum", "3").
    """

    facts: tuple[tuple[str, str], ...]
    prose: tuple[Prose, ...]
    clauses: tuple[Clause, ...]
    tables: tuple[Table, ...]
    contributions: Contributions


def paper_of(schema: Schema, content: Content, html: StoredHtml) -> Paper:
    """Return the terms for a page or a print.

    `html` has the longer texts as safe HTML by path, for example "clauses/exit/body".
    """
    names = Names(schema, content)
    about = content["about"]
    filled_fields = [field for field in schema.about if about.get(field.code) not in (None, "", field.default)]
    facts: list[tuple[str, str]] = []
    prose: list[Prose] = []
    for field in filled_fields:
        value = about[field.code]
        if field.shape == "text":
            prose.append(Prose(label=field.label, text=value, html=html.get(f"about/{field.code}")))
        else:
            facts.append((field.label, _as_sentence(names, field, value)))
    return Paper(
        facts=tuple(facts),
        prose=tuple(prose),
        clauses=tuple(_clauses(content, html)),
        tables=tuple(_tables(schema, content, names)),
        contributions=contributions_of(content),
    )


def _as_sentence(names: Names, field: Field, value: Any) -> str:
    """Return a value in words. A flag becomes "Yes", with a capital letter, because it is the whole cell."""
    text = names.in_words(field, value)
    return text.capitalize() if field.shape == "flag" else text


def _clauses(content: Content, html: StoredHtml) -> Iterator[Clause]:
    """Yield the clauses, numbered from 1."""
    for number, item in enumerate(content.get("clauses", ()), 1):
        clause_html = html.get(f"clauses/{item['key']}/body")
        yield Clause(number=number, key=item["key"], title=item["title"], text=item["body"], html=clause_html)


def _tables(schema: Schema, content: Content, names: Names) -> Iterator[Table]:
    """Yield the tables with rows, as schedules numbered from 2. The particulars are schedule 1."""
    number = 1
    for collection in schema.collections:
        if collection.code == "clauses" or not content[collection.code]:
            continue
        number += 1
        yield _table(collection, content, names, number)


def _table(collection: Collection, content: Content, names: Names, number: int) -> Table:
    """Return a schedule without its empty columns. The first column is always shown, because it names the row."""
    items = content[collection.code]

    def is_shown(field: Field) -> bool:
        names_the_row = field.code == collection.title_field
        return names_the_row or any(item[field.code] not in (None, "", field.default) for item in items)

    fields = [field for field in collection.fields if is_shown(field)]
    return Table(
        number=number,
        code=collection.code,
        heading=collection.plural_label,
        columns=tuple(field.label for field in fields),
        rows=tuple(tuple(_cell(names, field, item[field.code]) for field in fields) for item in items),
    )


def _cell(names: Names, field: Field, value: Any) -> Cell:
    """Return the value as a cell of a schedule."""
    return Cell(_as_sentence(names, field, value), field.shape in _SHORT)


def signature_lines(version: TermsVersion, signatures: Mapping[int, Any]) -> list[dict[str, Any]]:
    """Return one line for each party that signs, with its signature (by organisation id) or an empty space.

    Parties that joined later and signed come last. A consolidated version has only their lines, because nobody else
    signs it.
    """
    signing_parties = [] if version.is_consolidated else [party for party in version.parties if party["signs"]]
    signing_ids = {party["organisation"] for party in signing_parties}
    lines = [
        _signature_line(party["name"], party["role_label"], signatures.get(party["organisation"]))
        for party in signing_parties
    ]
    lines += [
        _signature_line(signature.organisation.name, "", signature)
        for organisation_id, signature in signatures.items()
        if organisation_id not in signing_ids
    ]
    return lines


def _signature_line(name: str, role: str, signature: TermsSignature | None) -> dict[str, Any]:
    """Return what pages show about the signature of one party."""
    decision = decision_in_words(signature) if signature else ""
    return {"name": name, "role": role, "signature": signature, "words": decision}


def decision_in_words(signature: TermsSignature) -> str:
    """Return what a signatory decided, how and when, for example "Signed on paper, dated 12 November 2026"."""
    day = long_date(signature.signed_on)
    if signature.is_rejected:
        return f"Declined to sign, {day}: “{signature.reason}”"
    if signature.how == SigningMethod.ACCEPTED:
        return f"Accepted {day}, before terms could be signed here"
    if signature.is_on_paper:
        return f"Signed on paper, dated {day}{_recorder_in_words(signature)}"
    signed_at = long_time(timezone.localtime(signature.signed_at))
    return f"Signed electronically, {signature.get_how_display().lower()}, {signed_at}"


def _recorder_in_words(signature: TermsSignature) -> str:
    """Return "; recorded by Amina Larch, 12 November 2026", or "" if nobody recorded the signature."""
    recorder = signature.recorded_by
    if recorder is None:
        return ""
    return f"; recorded by {recorder.display_name}, {long_date(timezone.localdate(signature.signed_at))}"
