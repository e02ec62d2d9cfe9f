"""Fund files as their issuers publish them, clean and dirty; a damaged one yields no rows and says where."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import BadDataError
from engine.model import FundDay
from feeds.flow_files import read_flow_file

HISTORY = [
    ("Feb 04, 2025", 226.51, "--", 296_350_000.0),
    ("Feb 03, 2025", 223.55, "--", 297_250_000.0),
    ("Jan 31, 2025", 226.40, "0.12", "--"),
    ("Jan 30, 2025", 228.36, "--", 300_100_000.0),
]


def spreadsheetml(rows: list[tuple[object, ...]], fund: str = "iShares Russell 2000 ETF") -> bytes:
    """The workbook as iShares serves it: SpreadsheetML with a byte-order mark and bare ampersands."""

    def line(cells: tuple[object, ...]) -> str:
        kinds = ("Number" if isinstance(cell, float) else "String" for cell in cells)
        data = "".join(
            f'<ss:Cell><ss:Data ss:Type="{kind}">{cell}</ss:Data></ss:Cell>'
            for kind, cell in zip(kinds, cells, strict=True)
        )
        return f"<ss:Row>{data}</ss:Row>"

    holdings = "".join(map(line, [("03-Feb-2025",), (fund,), ("Ticker", "Name"), ("SFM", "Sprouts & Farmers")]))
    history = "".join(map(line, [("As Of", "NAV per Share", "Ex-Dividends", "Shares Outstanding"), *rows]))
    return (
        '\ufeff<?xml version="1.0"?>\n<ss:Workbook xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        f'<ss:Worksheet ss:Name="Holdings"><ss:Table>{holdings}</ss:Table></ss:Worksheet>'
        f'<ss:Worksheet ss:Name="Historical"><ss:Table>{history}</ss:Table></ss:Worksheet></ss:Workbook>'
    ).encode()


def ssga(path: Path, rows: list[tuple[object, ...]]) -> Path:
    """SSGA's NAV-history workbook: title rows, then Date, NAV, Shares Outstanding, Total Net Assets; newest first."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("navhist")
        sheet.write_row(0, 0, ["Fund Name:", "SPDR S&P MidCap 400 ETF Trust"])
        sheet.write_row(1, 0, ["Ticker Symbol:", "MDY"])
        sheet.write_row(3, 0, ["Date", "NAV", "Shares Outstanding", "Total Net Assets"])
        for number, row in enumerate(rows, start=4):
            sheet.write_row(number, 0, row)
        sheet.write_row(len(rows) + 6, 0, ["Past performance is not a reliable indicator of future performance."])
    return path


def test_the_ishares_workbook_as_served(tmp_path: Path) -> None:
    path = tmp_path / "iShares-Russell-2000-ETF_fund.xls"
    path.write_bytes(spreadsheetml(list(HISTORY)))
    found = read_flow_file(path)
    assert found.format == "ishares" and found.funds == ("IWM",)
    assert found.days[0] == FundDay("IWM", date(2025, 2, 4), 226.51, 296_350_000.0, None)
    assert found.days[2].shares is None, "-- is missing, not zero"
    assert len(found.days) == 4


@pytest.mark.parametrize("ending", ["xlsx", "xls"])
def test_the_ishares_workbook_saved_again_from_excel(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"IWM.{ending}"
    if ending == "xlsx":
        with xlsxwriter.Workbook(str(path)) as book:
            book.add_worksheet("Holdings").write(0, 0, "iShares Russell 2000 ETF")
            sheet = book.add_worksheet("Historical")
            sheet.write_row(0, 0, ["As Of", "NAV per Share", "Ex-Dividends", "Shares Outstanding"])
            for number, row in enumerate(HISTORY, start=1):
                sheet.write_row(number, 0, row)
    else:
        old = xlwt.Workbook()
        old.add_sheet("Holdings").write(0, 0, "iShares Russell 2000 ETF")
        page = old.add_sheet("Historical")
        for number, cells in enumerate([("As Of", "NAV per Share", "Ex-Dividends", "Shares Outstanding"), *HISTORY]):
            for column, cell in enumerate(cells):
                page.write(number, column, cell)
        old.save(str(path))
    assert read_flow_file(path).days == read_flow_file(_served(tmp_path)).days


def _served(folder: Path) -> Path:
    path = folder / "served.xls"
    path.write_bytes(spreadsheetml(list(HISTORY)))
    return path


def test_the_ssga_workbook(tmp_path: Path) -> None:
    path = ssga(
        tmp_path / "navhist-us-en-mdy.xlsx",
        [
            ("09-Jan-2026", 610.12, 39_500_000.0, 24_099_740_000.0),
            ("08-Jan-2026", 608.4, 39_450_000.0, 24_001_380_000.0),
        ],
    )
    found = read_flow_file(path)
    assert found.format == "ssga" and found.funds == ("MDY",)
    assert found.days[1] == FundDay("MDY", date(2026, 1, 8), 608.4, 39_450_000.0, 24_001_380_000.0)


def test_a_plain_csv_with_several_funds(tmp_path: Path) -> None:
    path = tmp_path / "flows.csv"
    path.write_text("date,fund,nav,shares\n2026-01-08,IWM,220,300000000\n2026-01-09,ijr,222.2,\n", encoding="utf-8")
    assert read_flow_file(path).days == (
        FundDay("IWM", date(2026, 1, 8), 220.0, 300_000_000.0, None),
        FundDay("IJR", date(2026, 1, 9), 222.2, None, None),
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty"),
        (b"<!DOCTYPE html><html>consent</html>", "a web page"),
        (b"PK\x03\x04 not a zip at all", "damaged workbook"),
        (
            b"PK\x01\x02\x14\x00\xc7" + bytes(39) + b"PK\x05\x06" + bytes(4) + b"\1\0\1\0.\0\0\0" + bytes(6),
            "zip file version 19.9",
        ),
        (b"\xd0\xcf\x11\xe0 nor an old one", "damaged workbook"),
        (b'<?xml version="1.0"?><ss:Workbook', "damaged XML at line 1"),
        (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x/>', "declares entities"),
        (b"date,fund,nav,shares\n2026-01-08,IWM,abc,1\n", "row 2: nav 'abc' is no positive number"),
        (b"date,fund,nav,shares\n2026-13-08,IWM,1,1\n", "row 2: '2026-13-08' is no date"),
        (b"date,fund,nav,shares\n,IWM,1,1\n", "row 2: figures without a date"),
        (b"date,fund,nav,shares\n2026-01-08,IWM,-1,1\n", "row 2: nav '-1' is no positive number"),
        (b"date,fund,nav,shares\n2026-01-08,IWM,1e999,1\n", "no positive number"),
        (b"date,fund,nav,shares\n2026-01-08,I WM,1,1\n", "'I WM' is no fund's symbol"),
        (b"date,fund,nav,shares\n2026-01-08,IWM,1,1\n2026-01-08,IWM,2,1\n", "stands twice with different figures"),
        (b"date,nav,shares\n2026-01-08,1,1\n", "name it with --fund"),
        (b"date,price\n2026-01-08,1\n", "no table with a date, a NAV and shares outstanding"),
        (b"date,fund,nav,shares\n", "no rows under it"),
        (b"\xff\xfe\x00garbag", "neither a workbook nor a UTF-8 CSV"),
    ],
)
def test_a_damaged_file_says_where_and_yields_nothing(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "fund.file"
    path.write_bytes(content)
    with pytest.raises(BadDataError, match=r".+") as caught:
        read_flow_file(path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_workbook_that_unpacks_to_a_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feeds.flow_sheets.MAX_UNPACKED", 5 * 1024 * 1024)
    path = tmp_path / "bomb.xlsx"
    blob = io.BytesIO()
    with zipfile.ZipFile(blob, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"xl/{number}.xml", bytes(2 * 1024 * 1024))
    path.write_bytes(blob.getvalue())
    with pytest.raises(BadDataError, match="unpacks to"):
        read_flow_file(path)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match="No such file"):
        read_flow_file(tmp_path / "absent.xlsx")


@settings(max_examples=150, deadline=None)
@given(
    prefix=st.sampled_from(
        [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"<?xml ", b"date,fund,nav,shares\n"]
    ),
    rest=st.binary(max_size=400),
)
def test_no_bytes_at_all_raise_anything_but_a_located_error(
    tmp_path_factory: pytest.TempPathFactory, prefix: bytes, rest: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.bin"
    path.write_bytes(prefix + rest)
    try:
        read_flow_file(path)
    except BadDataError as error:
        assert "\n" not in str(error)


def test_a_date_may_come_as_excel_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "navhist-us-en-spy.xlsx"
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Date", "NAV", "Shares Outstanding", "Total Net Assets"])
        sheet.write_datetime(1, 0, datetime(2026, 1, 9))
        sheet.write_row(1, 1, [690.5, 1_000_000.0, 690_500_000.0])
    assert read_flow_file(path).days == (FundDay("SPY", date(2026, 1, 9), 690.5, 1_000_000.0, 690_500_000.0),)
