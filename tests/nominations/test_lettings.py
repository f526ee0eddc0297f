"""CORE exports are filtered while they stream in, and counted to the letting."""

from __future__ import annotations

import datetime as dt
import random
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

import pytest

from partnerships.nominations.lettings.columns import CollectionYear, core_columns, normalise_text
from partnerships.nominations.lettings.counting import LettingsCount, LineResult, count_lettings
from partnerships.nominations.lettings.filtering import MAX_ROW, LettingsFilter, UnableToReadLettings, unpacked_rows
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.lettings.reading import Outcome, Scope, parse_day, value_code
from partnerships.nominations.schedule import Bedrooms, NominationTerms, Scheme
from tests.support.core_files import CANARY, InventedLetting, Place, core_file, expected, headings, invent

YEARS = (2023, 2024, 2025, 2026)


def agreed_terms(**changes: object) -> NominationTerms:
    """Return the terms of a typical agreement. `changes` replace some of them."""
    relets = {size: Decimal(50 if size in (Bedrooms.STUDIO, Bedrooms.ONE) else 75) for size in Bedrooms}
    facts: dict[str, object] = {
        "council": "Westmarch",
        "provider": "Larkhaven",
        "schemes": None,
        "first_lets": Decimal(100),
        "relets": MappingProxyType(relets),
        "counts_transfers": False,
        "counts_temporary": False,
        "counts_supported": False,
        "nominees": 1,
        "days_first_lets": 10,
        "days_relets": 3,
        "refusal_grounds": (),
        "dispute_days": None,
    }
    return NominationTerms(**{**facts, **changes})  # type: ignore[arg-type]


def place_in(year: int) -> Place:
    """Return Westmarch in the second quarter of a collection year."""
    return Place("E07000901", "Westmarch", "Larkhaven Homes", dt.date(year, 7, 1))


def year_of(start: int) -> CollectionYear:
    """Return a collection year of the data file."""
    collection_year = core_columns().year_of(dt.date(start, 7, 1))
    assert collection_year is not None
    return collection_year


def scope_of(place: Place, *, in_force: tuple[dt.date, dt.date] | None = None, **changes: object) -> Scope:
    """Return the lettings that a return of that quarter counts."""
    year = year_of(place.starts_on.year)
    names = frozenset({normalise_text(place.landlord)})
    return Scope(
        Quarter(place.starts_on),
        in_force or (place.starts_on, Quarter(place.starts_on).last_day),
        year,
        agreed_terms(**changes),
        frozenset({place.code}),
        frozenset({normalise_text(place.name)}),
        names,
    )


def pieces_of(content: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    """Yield the file cut into pieces of these sizes, and then the rest."""
    start = 0
    for size in sizes:
        yield content[start : start + size]
        start += size
    yield content[start:]


def filter_content(content: bytes, sizes: Iterable[int] = ()) -> tuple[bytes, LettingsFilter]:
    """Return the kept rows, packed, and the filter."""
    lettings_filter = LettingsFilter()
    for piece in pieces_of(content, sizes):
        lettings_filter.feed(piece)
    return lettings_filter.finish(), lettings_filter


def count_content(content: bytes, scope: Scope) -> LettingsCount:
    """Return the count of the lettings in a file."""
    packed, lettings_filter = filter_content(content)
    return count_lettings(unpacked_rows(packed, lettings_filter.columns), scope)


def count_one_row(**cells: str) -> LettingsCount:
    """Return the count of a file with one letting, some of whose cells are changed."""
    place = place_in(2024)
    (letting,) = invent(place, 1, year=2024, odd=False)
    letting.cells |= cells
    return count_content(core_file([letting], year=2024), scope_of(place))


def outcome_of(**cells: str) -> Outcome:
    """Return the outcome of a row, some of whose cells are changed."""
    (outcome,) = count_one_row(**cells).rows
    return outcome


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("labels", [False, True])
def test_a_file_of_each_year_is_counted_to_the_letting(year: int, labels: bool) -> None:
    place = place_in(year)
    lettings = invent(place, 500, year=year, seed=year)

    counted = count_content(core_file(lettings, year=year, labels=labels), scope_of(place))

    lines, outcomes = expected(lettings)
    assert {outcome: counted.number(outcome) for outcome in counted.rows} == outcomes
    counts_by_line = {
        (str(size), first): (line.lettings, line.nominated, line.median_days)
        for (size, first), line in counted.lines.items()
    }
    assert counts_by_line == {
        key: (line_count.lettings, line_count.nominated, line_count.median_days) for key, line_count in lines.items()
    }
    assert counted.total == 500 == sum(outcomes.values())


def test_each_row_keeps_its_number() -> None:
    place = place_in(2024)
    lettings = invent(place, 300, year=2024, seed=4)

    counted = count_content(core_file(lettings, year=2024), scope_of(place))

    outcome_by_row = {
        number: outcome for outcome, ranges in counted.rows.items() for a, b in ranges for number in range(a, b + 1)
    }
    assert outcome_by_row == {number: letting.outcome for number, letting in enumerate(lettings, start=1)}


@pytest.mark.parametrize("year", YEARS)
def test_no_other_column_passes_the_filter(year: int) -> None:
    lettings = invent(place_in(year), 200, year=year)

    packed, lettings_filter = filter_content(core_file(lettings, year=year))

    assert CANARY.encode() not in zlib.decompress(packed)
    assert set(lettings_filter.columns) == {code for code, _ in headings(year)} & set(core_columns().codes)
    assert lettings_filter.rows == 200


@pytest.mark.parametrize("seed", range(20))
def test_it_does_not_matter_where_the_file_is_cut(seed: int) -> None:
    content = core_file(invent(place_in(2024), 40, year=2024), year=2024)
    uncut, lettings_filter = filter_content(content)
    chance = random.Random(seed)
    sizes = [chance.randrange(1, 9000) for _ in range(30)]

    cut, _ = filter_content(content, sizes)

    assert list(unpacked_rows(cut, lettings_filter.columns)) == list(unpacked_rows(uncut, lettings_filter.columns))


def test_kept_headings_are_those_of_real_exports() -> None:
    label_by_code = dict(headings(2023)) | dict(headings(2024))

    # No real export of 2026 is published yet, so the headings of its new columns are assumed.
    kept_headings = {
        heading: code for heading, code in core_columns().headings.items() if not code.startswith("referral_")
    }

    assert all(heading in (code, normalise_text(label_by_code[code])) for heading, code in kept_headings.items())


def test_only_columns_of_published_exports_are_verified() -> None:
    years = core_columns().years.values()

    assert {str(year): year.is_verified for year in years} == {
        "2023/24": True,
        "2024/25": True,
        "2025/26": False,
        "2026/27": False,
    }


def test_years_after_the_last_known_are_unverified() -> None:
    later_year = core_columns().year_of(dt.date(2028, 3, 31))

    assert later_year is not None
    assert str(later_year) == "2027/28"
    assert not later_year.is_verified
    assert dict(later_year.nominated) == {"referral_register": "6", "referral_noms": "1"}


def test_years_before_the_first_known_are_not_read() -> None:
    earlier_year = core_columns().year_of(dt.date(2023, 3, 31))

    assert earlier_year is None


def test_a_year_says_which_columns_a_file_lacks() -> None:
    columns_of_2024 = [code for code, _ in headings(2024)]

    missing_columns = year_of(2026).missing(columns_of_2024)

    assert missing_columns == ["referral_register", "referral_noms"]


def test_a_file_may_have_headings_from_which_other_columns_follow() -> None:
    missing_columns = year_of(2024).missing(["startdate", "la_label", "beds", "rsnvac", "referral"])

    assert missing_columns == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty"),
        (b"name,town\nA,B\n" * 9, "no headings of a CORE lettings export"),
        (b"PK\x03\x04", "Save the lettings as CSV"),
        ("startdate,la\n".encode("utf-16"), "Save the lettings as CSV"),
        (b"startdate,la\n2024-\x00", "The file is not plain text"),
        (b"startdate,startdate\n", "Two columns have the same heading"),
        (b'startdate,la\n"' + b"x" * (MAX_ROW + 1), "A row is too long"),
    ],
)
def test_a_file_of_another_kind_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(UnableToReadLettings, match=message):
        filter_content(content)


def test_a_title_above_the_headings_does_no_harm() -> None:
    place = place_in(2024)
    content = b"Lettings logs\n\n" + core_file(invent(place, 50, year=2024), year=2024)

    assert count_content(content, scope_of(place)).total == 50


def test_a_row_that_slipped_is_set_aside() -> None:
    place = place_in(2024)
    content = core_file(invent(place, 2, year=2024, odd=False), year=2024) + b"one,two\n"

    assert count_content(content, scope_of(place)).rows[Outcome.SLIPPED] == [[3, 3]]


def test_names_in_windows_1252_are_read() -> None:
    packed, lettings_filter = filter_content("startdate,la_label\n2024-07-01,Côte\n".encode("cp1252"))

    assert list(unpacked_rows(packed, lettings_filter.columns)) == [{"startdate": "2024-07-01", "la_label": "Côte"}]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-07-01", dt.date(2024, 7, 1)),
        ("01/07/2024", dt.date(2024, 7, 1)),
        ("1 July 2024", dt.date(2024, 7, 1)),
        ("2024-07-01T00:00:00+01:00", dt.date(2024, 7, 1)),
        ("2024-06-30T23:00:00Z", dt.date(2024, 7, 1)),
        ("2024-06-30 12:00:00", dt.date(2024, 6, 30)),
        ("30 February 2024", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
    ],
)
def test_dates_are_read_as_core_and_spreadsheets_write_them(text: str, day: dt.date | None) -> None:
    assert parse_day(text) == day


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        pytest.param("rsnvac", "Internal transfer", "13", id="label"),
        pytest.param("rsnvac", "Any other reason", "Any other reason", id="unknown label"),
        pytest.param("beds", "0", "0", id="number"),
    ],
)
def test_labels_of_values_are_read_like_codes(column: str, cell: str, code: str) -> None:
    assert value_code({column: cell}, column) == code


@pytest.mark.parametrize(
    ("column", "label", "outcome"),
    [
        ("rsnvac", "Renewal of fixed-term tenancy", Outcome.RENEWAL),
        ("needstype", "Supported housing", Outcome.SUPPORTED),
    ],
)
def test_lettings_are_set_aside_by_labels(column: str, label: str, outcome: Outcome) -> None:
    assert outcome_of(**{column: label}) is outcome


def test_nominees_are_counted_by_labels() -> None:
    count = count_one_row(referral="Nominated by a local housing authority")

    assert [line.nominated for line in count.lines.values()] == [1]


@pytest.mark.parametrize(
    ("cells", "outcome"),
    [
        pytest.param({"la": ""}, Outcome.USED, id="only the name of Westmarch"),
        pytest.param({"la": "", "la_label": "Elsewhere"}, Outcome.OTHER_AUTHORITY, id="only another name"),
        pytest.param({"la": "E07000999"}, Outcome.OTHER_AUTHORITY, id="another code"),
    ],
)
def test_the_name_of_the_authority_counts_without_its_code(cells: dict[str, str], outcome: Outcome) -> None:
    assert outcome_of(**cells) is outcome


def test_a_home_that_the_provider_manages_for_another_owner_counts() -> None:
    assert outcome_of(owning_organisation_name="Others") is Outcome.USED


def test_a_home_of_another_owner_that_nobody_manages_does_not_count() -> None:
    outcome = outcome_of(owning_organisation_name="Others", managing_organisation_name="")

    assert outcome is Outcome.OTHER_LANDLORD


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        pytest.param({"vacdays": "7"}, 7, id="CORE says them"),
        pytest.param({}, 19, id="from the void date"),
        pytest.param({"mrcdate": "2024-07-15"}, 5, id="from the end of major repairs"),
        pytest.param({"voiddate": ""}, None, id="no void date"),
        pytest.param({"voiddate": "2024-08-01"}, None, id="void date after the start"),
    ],
)
def test_void_days_follow_from_dates_if_core_does_not_say_them(cells: dict[str, str], days: int | None) -> None:
    dates = {"startdate": "2024-07-20", "voiddate": "2024-07-01", "vacdays": "", "mrcdate": ""}

    count = count_one_row(**(dates | cells))

    assert [line.median_days for line in count.lines.values()] == [days]


def test_tenancies_that_start_while_the_agreement_is_not_in_force_are_set_aside() -> None:
    place = place_in(2024)
    days = ("2024-07-19", "2024-07-20", "2024-09-01", "2024-09-02", "2024-08-04", "2024-08-05")
    lettings = invent(place, len(days), year=2024, odd=False)
    for letting, day in zip(lettings, days, strict=True):
        letting.cells["startdate"] = day
    scope = scope_of(place, in_force=(dt.date(2024, 7, 20), dt.date(2024, 9, 1)))
    scope = replace(scope, suspended=((dt.date(2024, 8, 1), dt.date(2024, 8, 4)),))

    counted = count_content(core_file(lettings, year=2024), scope)

    assert counted.rows == {
        Outcome.BEFORE_TERMS: [[1, 1]],
        Outcome.USED: [[2, 3], [6, 6]],
        Outcome.AFTER_END: [[4, 4]],
        Outcome.SUSPENDED: [[5, 5]],
    }


VOIDS_OF_SOME_AGREEMENTS = pytest.mark.parametrize(
    ("flag", "outcome"),
    [
        ("counts_transfers", Outcome.TRANSFER),
        ("counts_temporary", Outcome.TEMPORARY),
        ("counts_supported", Outcome.SUPPORTED),
    ],
)


@VOIDS_OF_SOME_AGREEMENTS
def test_lettings_that_the_agreement_excludes_are_set_aside(flag: str, outcome: Outcome) -> None:
    place = place_in(2024)
    lettings = invent(place, 300, year=2024)

    counted = count_content(core_file(lettings, year=2024), scope_of(place, **{flag: False}))

    assert counted.number(outcome) == number_invented(lettings, outcome) > 0
    assert counted.number(Outcome.USED) == number_invented(lettings, Outcome.USED)


@VOIDS_OF_SOME_AGREEMENTS
def test_lettings_that_the_agreement_includes_are_counted(flag: str, outcome: Outcome) -> None:
    place = place_in(2024)
    lettings = invent(place, 300, year=2024)

    counted = count_content(core_file(lettings, year=2024), scope_of(place, **{flag: True}))

    assert counted.number(outcome) == 0
    used_count = number_invented(lettings, Outcome.USED)
    assert counted.number(Outcome.USED) == used_count + number_invented(lettings, outcome)


def number_invented(lettings: list[InventedLetting], outcome: Outcome) -> int:
    """Return how many lettings were invented to have this outcome, if an agreement counts no other voids."""
    return sum(letting.outcome == outcome for letting in lettings)


def test_only_homes_of_the_agreements_schemes_count() -> None:
    place = place_in(2024)
    lettings = invent(place, 20, year=2024, odd=False)
    # The property codes of 11 of these homes begin with "p1".
    schemes = (Scheme("Mill Lane", ("p1",)),)

    counted = count_content(core_file(lettings, year=2024), scope_of(place, schemes=schemes))

    assert counted.number(Outcome.USED) == 11
    assert counted.number(Outcome.OTHER_SCHEME) == 9


def test_terms_that_list_no_scheme_cover_no_home() -> None:
    place = place_in(2024)
    lettings = invent(place, 20, year=2024, odd=False)

    counted = count_content(core_file(lettings, year=2024), scope_of(place, schemes=()))

    assert counted.number(Outcome.OTHER_SCHEME) == 20


def test_lettings_are_counted_by_authority() -> None:
    place = place_in(2024)
    lettings = invent(place, 400, year=2024)

    counted = count_content(core_file(lettings, year=2024), scope_of(place))

    elsewhere = sum(letting.outcome == "other_authority" for letting in lettings)
    assert counted.authorities["E07000999"] == elsewhere > 0


def test_only_codes_of_authorities_are_kept_of_rows_that_slipped() -> None:
    assert count_one_row(la=f"{CANARY} lives here", la_label=CANARY).authorities == {"": 1}


def test_a_second_letting_of_the_same_home_in_the_quarter_counts() -> None:
    place = place_in(2024)
    first, second = (invent(place, 1, year=2024, odd=False)[0] for _ in range(2))
    first.cells["startdate"], second.cells["startdate"] = "2024-07-02", "2024-09-02"

    counted = count_content(core_file([first, second], year=2024), scope_of(place))

    assert counted.number(Outcome.USED) == 2
    assert counted.let_again == 1


def test_progress_is_reported_every_thousand_rows() -> None:
    place = place_in(2024)
    rows = [letting.cells for letting in invent(place, 2500, year=2024)]
    reported_rows: list[int] = []

    count_lettings(rows, scope_of(place), progress=reported_rows.append)

    assert reported_rows == [1000, 2000, 2500]


@pytest.mark.parametrize(
    ("lettings", "nominated", "not_supplied", "shortfall"),
    [
        pytest.param(3, 2, 0, 1, id="75% of 3 is 2.25, so 3 homes"),
        pytest.param(4, 3, 0, 0, id="75% of 4 is 3 homes"),
        pytest.param(4, 0, 4, 0, id="no nominee was named in time"),
    ],
)
def test_shortfalls_are_whole_homes_of_vacancies_with_a_nominee_in_time(
    lettings: int, nominated: int, not_supplied: int, shortfall: int
) -> None:
    result = LineResult(lettings=lettings, nominated=nominated, not_supplied=not_supplied, share=Decimal(75))

    assert result.shortfall == shortfall


def test_share_achieved_is_of_vacancies_with_a_nominee_in_time() -> None:
    # 4 of the 6 vacancies with a nominee in time.
    result = LineResult(lettings=7, nominated=4, not_supplied=1, share=Decimal(50))

    assert result.achieved == Decimal("66.7")


def test_nothing_is_achieved_or_missed_without_a_nominee_in_time() -> None:
    result = LineResult(lettings=4, nominated=0, not_supplied=4, share=Decimal(75))

    assert result.achieved is None


def test_quarters_follow_each_other() -> None:
    autumn = Quarter.of(dt.date(2024, 12, 31))

    assert autumn.starts_on == dt.date(2024, 10, 1)
    assert autumn.ends_on == dt.date(2025, 1, 1)
    assert autumn.previous().next() == autumn
    assert str(autumn) == "October to December 2024"


def test_quarter_begins_in_january_april_july_or_october() -> None:
    with pytest.raises(ValueError, match="begins"):
        Quarter(dt.date(2024, 11, 1))


def test_the_generator_makes_every_odd_row() -> None:
    lettings: list[InventedLetting] = invent(place_in(2024), 1500, year=2024)

    assert len({letting.outcome for letting in lettings}) == 14
