"""Tables as issuers other than iShares and SSGA publish them, and what users' spreadsheets make of them."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import pytest
import xlsxwriter
import xlwt

from engine.errors import BadDataError
from engine.model import FundDay, PublishedFlow
from feeds.flow_files import FlowFile, read_flow_bytes

IWM = FundDay("IWM", date(2025, 2, 4), 226.51, 296_350_000.0, None)
DAY = date(2025, 2, 4)


def read(text: str | bytes, name: str = "file.csv", fund: str | None = None) -> FlowFile:
    return read_flow_bytes(name, text.encode() if isinstance(text, str) else text, fund)


PROSHARES = """Date,ProShares Name,Ticker,NAV,Prior NAV,NAV Change (%),NAV Change ($),Shares Outstanding (000),\
Assets Under Management
05/12/2025,ProShares Ultra S&P500,SSO,87.462,82.1032,6.52691,5.3588,62950,5505732900
05/09/2025,ProShares Ultra S&P500,SSO,82.1032,82.2466,-0.17435,-0.1434,62950,5168396440
05/08/2025,ProShares UltraPro QQQ,TQQQ,66.10,60.00,10.1,6.1,310000,20491000000
05/07/2025,ProShares UltraPro QQQ,TQQQ,0,0,0,0,0,0
"""


def test_one_file_of_all_an_issuers_funds_with_shares_in_thousands() -> None:
    found = read(PROSHARES)
    assert found.funds == ("SSO", "TQQQ") and found.format == "csv"
    assert found.days[0] == FundDay("SSO", date(2025, 5, 12), 87.462, 62_950_000.0, 5_505_732_900.0)
    assert found.days[3] == FundDay("TQQQ", date(2025, 5, 7), None, None, None), (
        "before a fund there is no count of zero"
    )
    assert found.notes == ("3 figures of zero taken as missing",)


@pytest.mark.parametrize(
    "heading",
    [
        "As of Date,Symbol,NAV per Share,Shares Out",
        "TRADE DATE,FUND TICKER,NET ASSET VALUE,TOTAL SHARES OUTSTANDING",
        '"As Of","Ticker","Net Asset Value (NAV)","Outstanding Shares"',
        "nav_date,etf,nav_usd,shares_outstanding",
        "Date*,Fund,NAV ($),Shares\u00a0Outstanding",
    ],
)
def test_the_same_columns_under_other_names(heading: str) -> None:
    assert read(f'\ufeff{heading}\r\n2025-02-04,IWM,$226.51,"296,350,000"\r\n').days == (IWM,)


@pytest.mark.parametrize(
    ("form", "say"),
    [
        ("Date;Ticker;NAV;Shares Outstanding\n04.02.2025;IWM;226,51;296.350.000\n", "decimal commas"),
        ("sep=;\nDate;Ticker;NAV;Shares Outstanding\n2025-02-04;IWM;226.51;296350000\n", "Excel's own hint"),
        ("Date\tTicker\tNAV\tShares Outstanding\n4-Feb-25\tIWM\t226.51\t296 350 000\n", "tabs, spaces for thousands"),
        ("Date,Ticker,NAV,Shares Out (M)\n20250204,IWM US Equity,226.51,296.35\n", "millions, a terminal's ticker"),
        ("Date|Ticker|NAV|Shares Outstanding\n2025/02/04|NYSEARCA:IWM|226.51|296.35 M\n", "a magnitude at the figure"),
        ("Ticker,Shares Outstanding,NAV,Date\niwm,296350000,226.51,45692\n", "Excel's serial, another order"),
        ("Date,Ticker,NAV,Shares\n\"Tuesday, February 4, 2025\",IWM,$226.51,\"296,350,000.00\"\n", "words"),
    ],
)  # fmt: skip
def test_the_same_day_in_other_clothes(form: str, say: str) -> None:
    assert read(form).days == (IWM,), say


def test_unicode_text_of_excel_and_the_code_page_of_windows() -> None:
    table = "Date\tTicker\tNAV\tShares Outstanding\n2025-02-04\tIWM\t226.51\t296350000\n"
    for form in ("utf-16", "utf-16-le", "utf-16-be"):
        assert read(table.encode(form)).days == (IWM,)
    named = "Fund: iShares® Russell 2000 ETF\n" + table.replace("\tIWM", "").replace("\tTicker", "")
    assert read(named.encode("cp1252"), fund="IWM").days == (IWM,)


@pytest.mark.parametrize(
    ("dates", "first"),
    [
        (("03/04/2025", "03/13/2025"), date(2025, 3, 4)),
        (("03/04/2025", "13/04/2025"), date(2025, 4, 3)),
        (("03/07/2025", "03/10/2025"), date(2025, 3, 7)),
        (("07/03/2025", "10/03/2025"), date(2025, 3, 7)),
        (("03-04-25", "03-31-25"), date(2025, 3, 4)),
        (("4/4/2025",), date(2025, 4, 4)),
    ],
)
def test_the_column_says_whether_the_day_comes_first(dates: tuple[str, ...], first: date) -> None:
    rows = "".join(f"{day},IWM,226.51,296350000\n" for day in dates)
    assert read("Date,Ticker,NAV,Shares\n" + rows).days[0].date == first


def test_units_that_only_the_assets_show_are_said() -> None:
    found = read("date,fund,nav,shares,aum\n2025-02-04,IWM,226.51,296350,67126238500\n")
    assert found.days[0].shares == 296_350_000.0
    assert found.notes == ("shares taken as thousands: assets ÷ NAV is that many times the count",)
    found = read("date,fund,nav,shares,aum\n2025-02-04,IWM,226.51,296350000,67126.2\n")
    assert found.days[0].aum == pytest.approx(67_126_200_000)
    assert found.notes == ("assets taken as millions of USD: shares × NAV is that many times them",)
    found = read("date,fund,nav,shares out (m),AUM ($B)\n2025-02-04,IWM,226.51,296.35,67.126\n")
    assert found.days[0] == FundDay("IWM", DAY, 226.51, 296_350_000.0, 67_126_000_000.0) and not found.notes
    found = read("date,fund,nav,shares\n2025-02-04,IWM,226.51,296.35\n")
    assert found.days[0].shares == 296.35, "nothing shows the unit, so that nothing is done"
    assert "too few for a fund" in found.notes[0]


def test_days_that_are_not_yet_are_named() -> None:
    found = read("date,fund,nav,shares\n2025-02-04,IWM,226.51,296350000\n2099-02-04,IWM,226.51,296350000\n")
    assert found.notes == ("1 days lie in the future, the first 2099-02-04",)


def test_net_asset_value_beside_a_nav_per_share_is_the_assets() -> None:
    found = read("Date,Ticker,Net Asset Value,NAV per Share,Shares Outstanding\n2025-02-04,X,500000,25,20000\n")
    assert found.days == (FundDay("X", DAY, 25.0, 20_000.0, 500_000.0),)


def test_titles_holidays_footers_and_doubles() -> None:
    text = (
        "SPDR Gold Shares\nTicker Symbol:,GLD\n\nDate,NAV,Shares Outstanding,Total Net Assets\n"
        "19-Nov-2004,44.38,2300000,102074000\n18-Nov-2004,US Holiday,HOLIDAY,AWAITED\n"
        "17-Nov-2004,44.01,--,#N/A\n17-Nov-2004,44.01,2300000,\n17-Nov-2004,44.01,2300000,\n\n"
        'Average,44.2,2300000,\n"Past performance is no guarantee. 2004"\nSource:,"A, B and C, 2004",,\n'
        "The NAV is as of Nov 20, 2004, net of 0.4 % a year\n"
    )
    found = read(text)
    assert found.format == "ssga", "whose table it is says its heading, not the form that it was saved in"
    assert [day[1:] for day in found.days] == [
        (date(2004, 11, 19), 44.38, 2_300_000.0, 102_074_000.0),
        (date(2004, 11, 18), None, None, None),
        (date(2004, 11, 17), 44.01, 2_300_000.0, None),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("date,fund,nav,shares\n03/04/2025,IWM,1,1\n", "'03/04/2025' may be day first or month first"),
        ("date,fund,nav,shares\n13/03/2025,IWM,1,1\n03/14/2025,IWM,1,1\n", "has its day first and"),
        ("date;fund;nav;shares\n2025-02-04;IWM;226,510;296350000\n", "'226,510' may be thousands or decimals"),
        ("date;fund;nav;shares\n2025-02-04;IWM;226,5;2.963.500\n2025-02-05;IWM;226.5;1\n", "has a decimal comma and"),
        ("date,fund,nav,shares\n2025-02-04,IWM,1,1\n2025-02-05,IWM,22", "row 3: the file ends within the row"),
        ("date,fund,nav,shares\n2025-02-04,IWM,1,1\n\n2025-02-04,IWM,1,2\n", "different figures (rows 2 and 4)"),
        ("date,fund,nav,shares\n9999-12-31,IWM,1,1\n", "'9999-12-31' is no date"),
        ("date,fund,nav,shares\n2025-02-04,IWM,5%,1\n", "nav '5%' is no positive number"),
        ("date,fund,nav,shares\n2025-02-04,IWM,1,\"1,23,45\"\n", "shares '1,23,45' is no positive number"),
        ("Date,NAV (EUR),Shares,Ticker\n2025-02-04,1,1,X\n", "names date and shares outstanding, but no NAV"),
        ("date,fund,nav,shares\n2025-02-04,Some Fund That Nobody Knows,1,1\n", "is no fund's symbol"),
        ('date,fund,nav,shares\n2025-02-04,"IWM"x,1,1\n', "row 2: "),
    ],
)  # fmt: skip
def test_what_could_mean_two_things_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadDataError) as caught:
        read(text)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_a_column_of_names_and_a_ticker_that_the_user_gave() -> None:
    text = "date,fund,nav,shares\n2025-02-04,{},226.51,296350000\n"
    assert read(text.format("iShares Russell 2000 ETF")).days == (IWM,)
    assert read(text.format("Russell Two Thousand Fund"), fund="IWM").days == (IWM,)


@pytest.mark.parametrize(
    "name",
    ["IWM-historical_nav.csv", "IWM_fund.csv", "iShares-Russell-2000-ETF_fund.csv", "navhist-us-en-iwm.csv"],
)
def test_the_files_name_may_say_the_fund(name: str) -> None:
    assert read("date,nav,shares\n2025-02-04,226.51,296350000\n", name).days == (IWM,)


def test_a_heading_is_no_label_of_a_ticker() -> None:
    text = "Ticker,NAV,Shares Outstanding,Date\n,226.51,296350000,2025-02-04\n"
    with pytest.raises(BadDataError, match="'nothing' is no fund's symbol"):
        read(text)


# --- SpreadsheetML as it comes


def cells(*values: str) -> str:
    data = "".join(f'<ss:Cell><ss:Data ss:Type="String">{value}</ss:Data></ss:Cell>' for value in values)
    return f"<ss:Row>{data}</ss:Row>"


def workbook(holdings: str, styles: str = "", end: str = "</ss:Workbook>\n") -> str:
    return (
        '\ufeff\ufeff<?xml version="1.0"?>\n<ss:Workbook xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">\n'
        f'{styles}<ss:Worksheet ss:Name="Holdings"><ss:Table>{holdings}</ss:Table></ss:Worksheet>\n'
        '<ss:Worksheet ss:Name="Historical"><ss:Table>'
        + cells("As Of", "Index Level", "NAV per Share", "Ex-Dividends", "Shares Outstanding", "Non-FV NAV")
        + cells("Feb 04, 2025", "2,283.00", "226.51", "--", "296,350,000.00", "226.51")
        + "</ss:Table></ss:Worksheet>"
        + end
    )


@pytest.mark.parametrize(
    "text",
    [
        workbook(cells("AT&T &euml; &amp; &#38;")),
        workbook(cells("x"), '<ss:Styles><ss:Style ss:ID="a"></Style></ss:Styles>'),
        workbook(cells("a control\x0bcharacter")),
        workbook(cells("less < than")),
        workbook('<ss:Row><ss:Cell ss:Index="999999999" ss:MergeAcross="9999"/></ss:Row>' * 9),
    ],
)
def test_what_is_wrong_with_a_served_workbook_is_mended(text: str) -> None:
    found = read(text, "x.xls", "IWM")
    assert found.days == (IWM,) and found.format == "ishares"


def test_a_workbook_that_breaks_off_is_damaged() -> None:
    whole = workbook(cells("less < than"))
    for text in (whole[:-10], whole[: whole.index("296,350")]):
        with pytest.raises(BadDataError, match="damaged XML at line "):
            read(text, "x.xls", "IWM")


def test_the_same_workbook_as_text_is_the_same_days_of_the_same_issuer() -> None:
    text = 'As Of,Index Level,NAV per Share,Ex-Dividends,Shares Outstanding\n"Feb 04, 2025",2283,226.51,--,296350000\n'
    served, saved = read(workbook(""), "x.xls", "IWM"), read(text, "x.csv", "IWM")
    assert (served.format, served.days) == (saved.format, saved.days)


# --- bombs


def test_cells_far_apart_are_refused_before_the_table_is_made() -> None:
    blob = io.BytesIO()
    with xlsxwriter.Workbook(blob) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "Date")
        sheet.write(9_999, 16_383, 1)
    with pytest.raises(BadDataError, match="10,000 rows and 16,384 columns"):
        read(blob.getvalue(), "far.xlsx")


def test_an_archive_that_lies_about_its_size_is_damaged() -> None:
    blob = io.BytesIO()
    with zipfile.ZipFile(blob, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(100_000))
    with pytest.raises(BadDataError, match="damaged workbook"):
        read(blob.getvalue().replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little")), "liar.xlsx")


@pytest.mark.parametrize(
    "text",
    [
        workbook("")[:100] + "<ss:Worksheet " * 300_000 + "</ss:Workbook>",
        "date,fund,nav,shares\n2025-01-02,IWM," + "1" * 100_000 + "x,1\n",
        ("Date," * 30_000 + "\n") * 50,
    ],
)
def test_what_is_made_to_be_read_for_ever_is_refused_in_a_moment(text: str) -> None:
    with pytest.raises(BadDataError):
        read(text, "x.xls")


@pytest.mark.parametrize("edit", ["rows", "directory"])
def test_a_workbook_that_ends_its_reader_ends_nothing_else(edit: str, capfd: pytest.CaptureFixture[str]) -> None:
    book, blob = xlwt.Workbook(), io.BytesIO()
    book.add_sheet("Historical").write(0, 0, "As Of")
    book.save(blob)
    made = bytearray(blob.getvalue())
    # two thousand million rows, whose memory nobody has; or a table of sectors that points to nowhere
    at = made.index(b"\x00\x02\x0e\x00") + 4 if edit == "rows" else 76
    made[at : at + 4] = b"\xff\xff\xff\x7f" if edit == "rows" else b"\xff\xff\xff\xff"
    with pytest.raises(BadDataError, match="a damaged workbook, which ended its reader"):
        read(bytes(made), "x.xls")
    assert capfd.readouterr() == ("", "")


# --- published flows


def test_published_flows_as_a_column_a_fund() -> None:
    text = (
        "US$m,,,,\n,IBIT,FBTC,GBTC,Total\nFee,0.25%,0.25%,1.50%,\n\n11 Jan 2024,111.7,227.0,(95.1),243.6\n"
        '12 Jan 2024,"1,386.0",-,(484.1),\nTotal,1,2,3,4\n'
    )
    found = read(text)
    assert found.format == "published" and found.days == ()
    assert found.published == (
        PublishedFlow("IBIT", date(2024, 1, 11), 111.7),
        PublishedFlow("FBTC", date(2024, 1, 11), 227.0),
        PublishedFlow("GBTC", date(2024, 1, 11), -95.1),
        PublishedFlow("IBIT", date(2024, 1, 12), 1386.0),
        PublishedFlow("GBTC", date(2024, 1, 12), -484.1),
    )


def test_published_flows_as_a_row_a_fund() -> None:
    found = read("Date,Ticker,Net Flow ($M)\n01/16/2024,IBIT,-5.5\n01/17/2024,IBIT,\n")
    assert found.published == (PublishedFlow("IBIT", date(2024, 1, 16), -5.5),), "in whatever unit"
    with pytest.raises(BadDataError, match="name it with --fund"):
        read("date,flow\n2024-01-16,5\n")
    assert read("date,flow\n2024-01-16,5\n", fund="IBIT").published[0].fund == "IBIT"


@pytest.mark.parametrize(
    "text", ["DATE,OPEN,HIGH,LOW,CLOSE\n2024-01-16,-1,2,3,4\n", "date,IWM,IJR\n2024-01-16,220.1,110.5\n"]
)
def test_prices_are_no_flows(text: str) -> None:
    with pytest.raises(BadDataError, match="no table with a date, a NAV and shares outstanding"):
        read(text)
