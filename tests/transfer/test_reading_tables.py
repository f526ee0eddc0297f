"""Any file is read as numbered rows, or is refused with a remedy."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
import zlib
from decimal import Decimal

import openpyxl
import pytest

from partnerships.transfer.reading import values
from partnerships.transfer.reading.dating import date_in_file_name
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.reading.providers import read_providers
from partnerships.transfer.reading.tables import read_sheets

from .lists import PROVIDERS, as_workbook


def test_list_is_read_alike_in_every_dialect_and_encoding() -> None:
    plain = read_providers(read_sheets(PROVIDERS.encode()))
    tabs = PROVIDERS.replace(",", "\t")
    variants = [
        b"\xef\xbb\xbf" + PROVIDERS.encode(),
        PROVIDERS.replace("\n", "\r\n").encode(),
        tabs.encode(),
        PROVIDERS.replace(",", ";").encode("cp1252"),
        PROVIDERS.encode("utf-16"),
    ]

    for variant in variants:
        assert [provider.number for provider in read_providers(read_sheets(variant)).providers] == [
            provider.number for provider in plain.providers
        ]


def test_heading_is_found_below_titles_in_any_case_and_order() -> None:
    rows = [
        ["Registered providers of social housing"],
        ["As at 8 February 2023", None],
        [],
        [
            None,
            "DESIGNATION",
            "Registration Number",
            "corporate_form",
            "organisation  NAME",
            "Registration Date",
            "Notes",
            None,
        ],
        [None, "Non-Profit", 5069, "Company", "Tidewater Housing Group", dt.date(2019, 4, 1), "x", None],
        [None, "local authority", "45UB", "", "King\u2019s\u00a0Marsh Council", 40269, None, None],
        [],
        ["Source: somebody"],
    ]

    providers = read_providers(
        read_sheets(as_workbook({"Notes": [["About"]], "Organisation Advanced Find View": rows}))
    ).providers

    assert [(provider.number, provider.name, provider.registered_on) for provider in providers] == [
        ("5069", "Tidewater Housing Group", dt.date(2019, 4, 1)),
        ("45UB", "King\u2019s Marsh Council", dt.date(2010, 4, 1)),
    ]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("08/02/2023", "2023-02-08"),
        ("2023-02-08", "2023-02-08"),
        ("8 February 2023", "2023-02-08"),
        ("8th Feb 23", "2023-02-08"),
        (44965, "2023-02-08"),
        (dt.date(2023, 2, 8), "2023-02-08"),
        ("2023-02-08T00:00:00", "2023-02-08"),
        ("2017-04", "2017-04"),
        ("April 2017", "2017-04"),
        ("Apr-17", "2017-04"),
        ("2013.0", "2013"),
        (2013, "2013"),
        ("", "None"),
        ("[x]", "None"),
    ],
)
def test_date_is_as_precise_as_its_text(cell: values.Cell, expected: str) -> None:
    assert str(values.partial_date(cell)) == expected


@pytest.mark.parametrize("text", ["31/02/2023", "02/13/2023", "soon", "2023-13", "123456"])
def test_invalid_date_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(values.Unreadable, match=r"is not a date. Enter"):
        values.partial_date(text)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("£1,373,992.00", "1373992.00"), ("2013.0", "2013.0"), ("(500)", "-500"), (12, "12"), ("1 200", "1200")],
)
def test_amount_is_read_in_every_usual_spelling(cell: values.Cell, expected: str) -> None:
    assert values.amount(cell) == Decimal(expected)


def test_numbers_used_as_codes_are_read_as_text() -> None:
    assert [values.code(cell) for cell in (5069, 5069.0, "5069.0", " 45ub ")] == ["5069", "5069", "5069", "45UB"]


def test_month_in_a_file_name_means_its_last_day() -> None:
    assert date_in_file_name("rsh_registered_providers_2023-02.json") == dt.date(2023, 2, 28)
    assert date_in_file_name("list-2024-05-07.csv") == dt.date(2024, 5, 7)
    assert date_in_file_name("list.csv") is None


def test_every_problem_is_reported_with_its_row_and_remedy() -> None:
    broken_list = (
        PROVIDERS.replace("03/02/1975", "31/02/1975")
        .replace("5070", "5069")
        .replace("Non-profit,Company", "Maybe,Company")
    )

    provider_list = read_providers(read_sheets(broken_list.encode()))

    problems = [str(problem) for row in provider_list.list_file.set_aside for problem in row.problems]
    assert len(problems) == 4
    assert problems[0].startswith("Row 2, column “Registration date”: “31/02/1975” is not a date.")
    assert (
        problems[1]
        == "Row 3, column “Designation”: “Maybe” is not a designation. Enter Non-profit, Profit or Local authority."
    )
    assert "Row 3, column “Registration number”: “5069” is in row 5 too, with different values." in problems[2]
    assert "Row 5, column “Registration number”: “5069” is already in row 3." in problems[3]


def test_missing_column_is_reported_with_the_headings_found() -> None:
    with pytest.raises(UnableToRead) as refusal:
        read_providers(read_sheets(PROVIDERS.replace("Registration number", "Colour").encode()))

    assert "“Registration number”: this column is missing." in str(refusal.value)
    assert "“Colour”" in str(refusal.value)


def _archive(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


CELL = '<table:table-cell office:value-type="string"{}><text:p>{}</text:p></table:table-cell>'


def open_document(rows: str) -> bytes:
    """Return a spreadsheet in the form in which LibreOffice writes it, with these rows of XML."""
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} office:version="1.2"><office:body>'
        f'<office:spreadsheet><table:table table:name="List">{rows}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    return _archive(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": b"<manifest/>",
            "content.xml": content.encode(),
        }
    )


def _as_open_document(text: str) -> bytes:
    lines = [line.split(",") for line in text.splitlines()]
    rows = ["".join(CELL.format("", cell) for cell in line) for line in lines]
    tail = '<table:table-row table:number-rows-repeated="1048570"><table:table-cell/></table:table-row>'
    return open_document("".join(f"<table:table-row>{row}</table:table-row>" for row in rows) + tail)


def _far_apart(last_reference: str) -> bytes:
    """Return an Excel workbook with values in its first cell and in the cell with this reference."""
    book = openpyxl.Workbook()
    for reference in ("A1", last_reference):
        book.worksheets[0][reference] = "a"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _with_understated_size(data: bytes, name: str, size: int) -> bytes:
    """Return the archive with a wrong length for one part, which seems to end after `size` bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entry = archive.getinfo(name)
        content = archive.read(name)
    true_header = struct.pack("<III", entry.CRC, entry.compress_size, entry.file_size)
    false_header = struct.pack("<III", zlib.crc32(content[:size]), entry.compress_size, size)
    return data.replace(true_header, false_header)


def test_part_is_read_up_to_its_length_according_to_the_archive() -> None:
    document = open_document(f"<table:table-row>{CELL.format('', 'a')}</table:table-row>")
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    size = len(parts["content.xml"])
    longer_archive = _archive(parts | {"content.xml": parts["content.xml"] + b"<!-- more than anybody checked -->"})

    (sheet,) = read_sheets(_with_understated_size(longer_archive, "content.xml", size), "list.ods")

    assert [row.cells for row in sheet.rows] == [("a",)]


def test_formatted_cells_far_from_the_table_are_no_values() -> None:
    book = openpyxl.Workbook()
    for line in PROVIDERS.splitlines():
        book.worksheets[0].append(line.split(","))
    book.worksheets[0]["XFD1048576"].number_format = "0.00"
    buffer = io.BytesIO()
    book.save(buffer)

    assert len(read_sheets(buffer.getvalue())[0].rows) == 5


def test_open_document_and_yaml_are_read_like_a_csv() -> None:
    plain = read_providers(read_sheets(PROVIDERS.encode())).providers
    heading, *lines = [line.split(",") for line in PROVIDERS.splitlines()]
    yaml = "\n".join(
        f"{'- ' if index == 0 else '  '}{name}: {value}"
        for line in lines
        for index, (name, value) in enumerate(zip(heading, line, strict=True))
    )

    assert read_providers(read_sheets(_as_open_document(PROVIDERS))).providers == plain
    assert [provider.number for provider in read_providers(read_sheets(yaml.encode())).providers] == [
        provider.number for provider in plain
    ]


def test_value_of_merged_cells_counts_for_each_of_their_rows() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Registered providers", None, None, None, None])
    for line in PROVIDERS.splitlines():
        sheet.append(line.split(","))
    sheet.merge_cells("A1:E1")
    sheet.merge_cells("D3:D4")
    buffer = io.BytesIO()
    book.save(buffer)

    provider_list = read_providers(read_sheets(buffer.getvalue()))

    assert [provider.designation for provider in provider_list.providers] == [
        "Non-profit",
        "Non-profit",
        "Local authority",
        "Local authority",
    ]
    assert provider_list.list_file.set_aside == ()


def test_broken_yaml_is_refused_with_its_row() -> None:
    with pytest.raises(UnableToRead, match="Row 2: the file is not valid YAML"):
        read_sheets(b"- name: a\n  - b: [\n", "list.yaml")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"- &one {name: a}\n- *one\n", "Row 2: the file refers to a value by an alias"),
        (b"- " + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_yaml_with_aliases_or_deep_nesting_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(UnableToRead, match=problem):
        read_sheets(data, "list.yaml")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (
            open_document(
                '<table:table-row table:number-rows-repeated="1000000">'
                + CELL.format(' table:number-columns-repeated="200"', "a")
                + "</table:table-row>"
            ),
            "span more than 3,000,000 cells",
        ),
        (
            open_document(
                '<table:table-row/><table:table-row table:number-rows-repeated="0001000000">'
                + CELL.format(' table:number-columns-repeated="200"', "a")
                + "</table:table-row>"
            ),
            "span more than 3,000,000 cells",
        ),
        (
            open_document(
                f"<table:table-row>{CELL.format('', 'a') * 200}</table:table-row>"
                '<table:table-row table:number-rows-repeated="1000000"><table:table-cell/></table:table-row>'
                f"<table:table-row>{CELL.format('', 'a')}</table:table-row>"
            ),
            "span more than 3,000,000 cells",
        ),
        (_far_apart("ALL1048576"), "span more than 3,000,000 cells"),
        (b"", "The file is empty"),
        (b"x" * (4 * 1024 * 1024 + 1), "the limit is"),
        (b"%PDF-1.7", "The file is a PDF"),
        (b"<html><body>Sign in</body></html>", "a web page"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "old Excel workbook"),
        (b"PK\x03\x04 broken", "damaged"),
        (_archive({"a.txt": b"hello"}), "not a spreadsheet"),
        (_archive({f"{n}.xml": b"<a/>" for n in range(201)}), "The file has 201 parts"),
        (_archive({"xl/workbook.xml": b" " * (21 * 1024 * 1024)}), "The file unpacks to"),
        (_archive({"xl/workbook.xml": b'<!DOCTYPE x [<!ENTITY a "b">]><x/>'}), "XML entities"),
        (_archive({"xl/workbook.xml": b"<workbook"}), "cannot read the file as a spreadsheet"),
        (b'{"a": 1, "a": 2}', "occurs twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b'[{"a": {"b": 1}}]', "a list or an object"),
        (b'name\n"never closed\n', "quotation mark"),
        (b"a,b\n" + b"x" * 40_000 + b",1\n", "characters, and the limit is"),
        (b"a" + b"," * 400 + b"\n1\n", "columns"),
        (bytes(range(256)) * 10, "not text"),
    ],
)
def test_files_that_are_no_list_or_exhaust_the_reader_are_refused(data: bytes, problem: str) -> None:
    with pytest.raises(UnableToRead, match=problem):
        read_sheets(data, "list")
