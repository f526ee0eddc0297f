"""Any file becomes numbered rows, or is refused with a remedy."""

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


def test_list_reads_the_same_in_every_dialect_and_encoding() -> None:
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
        assert [one.number for one in read_providers(read_sheets(variant)).providers] == [
            one.number for one in plain.providers
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

    found = read_providers(
        read_sheets(as_workbook({"Notes": [["About"]], "Organisation Advanced Find View": rows}))
    ).providers

    assert [(one.number, one.name, one.registered_on) for one in found] == [
        ("5069", "Tidewater Housing Group", dt.date(2019, 4, 1)),
        ("45UB", "King\u2019s Marsh Council", dt.date(2010, 4, 1)),
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
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
def test_date_keeps_the_precision_it_was_written_with(written: values.Cell, meant: str) -> None:
    assert str(values.partial_date(written)) == meant


@pytest.mark.parametrize("written", ["31/02/2023", "02/13/2023", "soon", "2023-13", "123456"])
def test_invalid_date_is_refused_with_a_remedy(written: str) -> None:
    with pytest.raises(values.Unreadable, match=r"is not a date. Enter"):
        values.partial_date(written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("£1,373,992.00", "1373992.00"), ("2013.0", "2013.0"), ("(500)", "-500"), (12, "12"), ("1 200", "1200")],
)
def test_amount_is_read_in_every_usual_spelling(written: values.Cell, meant: str) -> None:
    assert values.amount(written) == Decimal(meant)


def test_numbers_used_as_codes_stay_text() -> None:
    assert [values.code(cell) for cell in (5069, 5069.0, "5069.0", " 45ub ")] == ["5069", "5069", "5069", "45UB"]


def test_date_in_a_file_name_is_the_last_day_it_can_mean() -> None:
    assert date_in_file_name("rsh_registered_providers_2023-02.json") == dt.date(2023, 2, 28)
    assert date_in_file_name("list-2024-05-07.csv") == dt.date(2024, 5, 7)
    assert date_in_file_name("list.csv") is None


def test_every_problem_is_reported_with_its_row_and_remedy() -> None:
    broken = (
        PROVIDERS.replace("03/02/1975", "31/02/1975")
        .replace("5070", "5069")
        .replace("Non-profit,Company", "Maybe,Company")
    )

    found = read_providers(read_sheets(broken.encode()))

    told = [str(problem) for row in found.list_file.set_aside for problem in row.problems]
    assert len(told) == 4
    assert told[0].startswith("Row 2, column “Registration date”: “31/02/1975” is not a date.")
    assert (
        told[1]
        == "Row 3, column “Designation”: “Maybe” is not a designation. Enter Non-profit, Profit or Local authority."
    )
    assert "Row 3, column “Registration number”: “5069” is in row 5 too, with other values." in told[2]
    assert "Row 5, column “Registration number”: “5069” is already in row 3." in told[3]


def test_missing_column_is_reported_with_the_headings_found() -> None:
    with pytest.raises(UnableToRead) as refused:
        read_providers(read_sheets(PROVIDERS.replace("Registration number", "Colour").encode()))

    assert "“Registration number”: this column is missing." in str(refused.value)
    assert "“Colour”" in str(refused.value)


def _archive(entries: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


CELL = '<table:table-cell office:value-type="string"{}><text:p>{}</text:p></table:table-cell>'


def open_document(rows: str) -> bytes:
    """A spreadsheet as LibreOffice writes it, with these rows as XML."""
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


def _asopen_document(text: str) -> bytes:
    lines = [line.split(",") for line in text.splitlines()]
    rows = ["".join(CELL.format("", cell) for cell in line) for line in lines]
    tail = '<table:table-row table:number-rows-repeated="1048570"><table:table-cell/></table:table-row>'
    return open_document("".join(f"<table:table-row>{row}</table:table-row>" for row in rows) + tail)


def _far_apart(last: str) -> bytes:
    """An Excel workbook with values in its first cell and in this one."""
    book = openpyxl.Workbook()
    for place in ("A1", last):
        book.worksheets[0][place] = "a"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _understated(data: bytes, name: str, size: int) -> bytes:
    """The archive, which says of one part that it is as long as this and ends there."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entry, content = archive.getinfo(name), archive.read(name)
    said = struct.pack("<III", entry.CRC, entry.compress_size, entry.file_size)
    lie = struct.pack("<III", zlib.crc32(content[:size]), entry.compress_size, size)
    return data.replace(said, lie)


def test_part_is_read_up_to_the_length_that_its_archive_says() -> None:
    whole = open_document(f"<table:table-row>{CELL.format('', 'a')}</table:table-row>")
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    size = len(parts["content.xml"])
    longer = _archive(parts | {"content.xml": parts["content.xml"] + b"<!-- more than anybody checked -->"})

    (sheet,) = read_sheets(_understated(longer, "content.xml", size), "list.ods")

    assert [row.cells for row in sheet.rows] == [("a",)]


def test_formatted_cells_far_from_the_table_are_no_values() -> None:
    book = openpyxl.Workbook()
    for line in PROVIDERS.splitlines():
        book.worksheets[0].append(line.split(","))
    book.worksheets[0]["XFD1048576"].number_format = "0.00"
    out = io.BytesIO()
    book.save(out)

    assert len(read_sheets(out.getvalue())[0].rows) == 5


def testopen_document_and_yaml_read_like_a_csv() -> None:
    plain = read_providers(read_sheets(PROVIDERS.encode())).providers
    heading, *lines = [line.split(",") for line in PROVIDERS.splitlines()]
    yaml = "\n".join(
        f"{'- ' if place == 0 else '  '}{name}: {value}"
        for line in lines
        for place, (name, value) in enumerate(zip(heading, line, strict=True))
    )

    assert read_providers(read_sheets(_asopen_document(PROVIDERS))).providers == plain
    assert [one.number for one in read_providers(read_sheets(yaml.encode())).providers] == [one.number for one in plain]


def test_value_of_merged_cells_counts_for_each_of_their_rows() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Registered providers", None, None, None, None])
    for line in PROVIDERS.splitlines():
        sheet.append(line.split(","))
    sheet.merge_cells("A1:E1")
    sheet.merge_cells("D3:D4")
    out = io.BytesIO()
    book.save(out)

    found = read_providers(read_sheets(out.getvalue()))

    assert [one.designation for one in found.providers] == [
        "Non-profit",
        "Non-profit",
        "Local authority",
        "Local authority",
    ]
    assert found.list_file.set_aside == ()


def test_yaml_that_is_broken_names_its_row() -> None:
    with pytest.raises(UnableToRead, match="Row 2: it is not YAML"):
        read_sheets(b"- name: a\n  - b: [\n", "list.yaml")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"- &one {name: a}\n- *one\n", "Row 2: it refers to a value by an alias"),
        (b"- " + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_yaml_that_stands_for_more_than_it_holds_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(UnableToRead, match=told):
        read_sheets(data, "list.yaml")


@pytest.mark.parametrize(
    ("data", "told"),
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
        (b"", "it is empty"),
        (b"x" * (4 * 1024 * 1024 + 1), "the limit is"),
        (b"%PDF-1.7", "it is a PDF"),
        (b"<html><body>Sign in</body></html>", "a web page"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "old Excel workbook"),
        (b"PK\x03\x04 broken", "damaged"),
        (_archive({"a.txt": b"hello"}), "not a spreadsheet"),
        (_archive({f"{n}.xml": b"<a/>" for n in range(201)}), "it has 201 parts"),
        (_archive({"xl/workbook.xml": b" " * (21 * 1024 * 1024)}), "it unpacks to"),
        (_archive({"xl/workbook.xml": b'<!DOCTYPE x [<!ENTITY a "b">]><x/>'}), "XML entities"),
        (_archive({"xl/workbook.xml": b"<workbook"}), "cannot be read as a spreadsheet"),
        (b'{"a": 1, "a": 2}', "occurs twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b'[{"a": {"b": 1}}]', "a list or an object"),
        (b'name\n"never closed\n', "quotation mark"),
        (b"a,b\n" + b"x" * 40_000 + b",1\n", "characters; the limit is"),
        (b"a" + b"," * 400 + b"\n1\n", "columns"),
        (bytes(range(256)) * 10, "not text"),
    ],
)
def test_files_that_are_no_list_or_exhaust_the_reader_are_refused(data: bytes, told: str) -> None:
    with pytest.raises(UnableToRead, match=told):
        read_sheets(data, "list")
