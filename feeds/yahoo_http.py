"""Yahoo over HTTP: yfinance's client behind our border, where every refusal becomes the error that it is.

yfinance keeps cookies and the crumb, and fetches new ones after a 401. What it would retry or swallow is raised here
first: a rate limit with the pause that it names, a consent page, a web page or nothing where data was asked for.
Importing this module costs a second (yfinance, pandas): import it in a thread.
"""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import yfinance
from curl_cffi import requests as curl
from curl_cffi.curl import CURL_WRITEFUNC_ERROR
from yfinance import cache as yfinance_cache
from yfinance.data import YfData
from yfinance.exceptions import YFException, YFPricesMissingError
from yfinance.scrapers.history import PriceHistory

from engine.errors import BadDataError, BlockedError, TransientError
from feeds.network import Border
from feeds.translate import error_of_status, seconds_of, words

QUOTE_URL: Final = "https://query1.finance.yahoo.com/v7/finance/quote"
SUMMARY_URL: Final = "https://query1.finance.yahoo.com/v10/finance/quoteSummary/"
CONSENT: Final = "Yahoo asks for consent to cookies first: open finance.yahoo.com in a browser, or use another network"
LARGEST: Final = 32 * 2**20
"""Bytes of the largest answer that is read: a century of daily bars takes about 3 MB."""
_MISSHAPEN: Final = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, NotImplementedError)
"""What json and pandas raise, and yfinance, where an answer is not of the shape that it expects."""
_CURRENCY: Final = re.compile(r"[A-Za-z]{3}")

warnings.filterwarnings("ignore", category=DeprecationWarning, module="^yfinance")  # it asks to have them shown
logging.getLogger("yfinance").addHandler(logging.NullHandler())
logging.getLogger("yfinance").propagate = False  # it would write over the terminal; its errors are raised instead


class _NoCrumbError(OSError):
    """No crumb was to be had: an OSError, because yfinance then goes on without one and lets the request decide."""


class _Body:
    """Takes an answer's bytes as they are unpacked, and stops the transfer where they grow too many."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.full = False

    def __call__(self, part: bytes) -> int:
        if len(self.data) + len(part) > LARGEST:
            self.full = True
            self.data.clear()
            return CURL_WRITEFUNC_ERROR
        self.data += part
        return len(part)


class _Session(curl.Session[curl.Response]):
    """A browser-like session that looks at every answer before yfinance does."""

    def __init__(self, border: Border) -> None:
        proxies: Any = {"http": border.proxy, "https": border.proxy} if border.proxy else None
        trust: Any = border.ca_file or True  # a path, too: its types know only the flag
        super().__init__(impersonate="chrome", proxies=proxies, verify=trust, timeout=border.timeout)
        self._longest = border.timeout
        self.consent_asked = False
        """Whether the last answer on the way was a consent page."""

    def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> curl.Response:
        """As curl_cffi's, but raises what the answer means where it is none."""
        asked = kwargs.get("timeout")
        kwargs["timeout"] = min(asked, self._longest) if isinstance(asked, int | float) else self._longest
        body = _Body()
        try:
            answer = super().request(method, url, *args, **(kwargs | {"content_callback": body}))
        except curl.exceptions.RequestException as broken:
            if body.full:
                raise BadDataError(f"Yahoo's answer is too large (more than {LARGEST // 2**20} MB)") from broken
            raise
        answer.content = bytes(body.data)
        asked_for = urlsplit(url)
        if not (asked_for.hostname or "").startswith("query"):
            return answer  # cookies and consent: yfinance's own business
        host = urlsplit(answer.url).hostname or ""
        consent = host.endswith(("consent.yahoo.com", "guce.yahoo.com"))
        page = "html" in (answer.headers.get("content-type") or "") or answer.content[:64].lstrip()[:1] == b"<"
        self.consent_asked = consent
        if asked_for.path.endswith("/getcrumb"):
            if consent or page or not answer.content:
                raise _NoCrumbError("no crumb")
            return answer
        if not consent and answer.status_code != 401:
            _check(answer, page)
        return answer


def _check(answer: curl.Response, page: bool) -> None:
    """Raise where an answer about data is none. 401 is not for here: yfinance fetches a new crumb first."""
    status = answer.status_code
    if status == 999:  # Yahoo's own
        raise BlockedError("Yahoo refuses this place or this client (status 999)")
    if status in {400, 404, 422} and not page:
        raise BadDataError(_said(answer) or f"Yahoo does not know what was asked for (HTTP {status})")
    if error := error_of_status(status, seconds_of(answer.headers.get("retry-after"))):
        raise error
    if not answer.content.strip():
        raise TransientError("Yahoo's answer was empty")
    if page:
        if b"Will be right back" in answer.content:
            raise TransientError("Yahoo is down: “Will be right back”")
        raise BadDataError("Yahoo sent a web page where data was asked for")


def _said(answer: curl.Response) -> str | None:
    """Yahoo's own words for an error, from the body."""
    try:
        parts = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return None
    for part in parts.values() if isinstance(parts, dict) else ():
        error = part.get("error") if isinstance(part, dict) else None
        if isinstance(error, dict) and error.get("description"):
            return f"Yahoo: {words(str(error['description']))}"
    return None


class Yahoo:
    """One session with Yahoo, shared by the feeds that poll and those that fetch history. Its methods block."""

    def __init__(self, border: Border, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if Path(yfinance_cache._CookieDBManager.get_location()) != folder:
            yfinance.set_tz_cache_location(str(folder))
            # yfinance keeps an opened cache for the process's life: without this the old folder would stay in use
            yfinance_cache._TzCacheManager._tz_cache = None
            yfinance_cache._CookieCacheManager._Cookie_cache = None
        yfinance.config.debug.hide_exceptions = False
        self._session = _Session(border)
        self._timeout = border.timeout
        self._data = YfData(session=self._session)
        self._data._crumb = None  # one crumb goes with one session's cookies
        self._data._cookie = None

    def quotes(self, symbols: tuple[str, ...]) -> list[Mapping[str, Any]]:
        """The v7 quotes of `symbols` in one request, as Yahoo words them.

        Raises a FeedError, or curl_cffi's own errors where the network fails.
        """
        params = {"symbols": ",".join(symbols), "formatted": "false", "lang": "en-US", "region": "US"}
        answer = self._data.get(QUOTE_URL, params=params, timeout=self._timeout)
        self._refuse_consent(answer)
        if answer.status_code == 401:
            raise TransientError(f"Yahoo refused the crumb, and a new one too ({_said(answer) or 'HTTP 401'})")
        try:
            response = orjson.loads(answer.content)["quoteResponse"]
            error, rows = response.get("error"), response.get("result")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as broken:
            raise BadDataError("Yahoo's answer is no list of quotes") from broken
        if error:
            raise BadDataError(_said(answer) or "Yahoo answered with an error")
        found: list[Mapping[str, Any]] = (
            [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        )
        if not found:
            raise BadDataError(f"Yahoo answered with none of {len(symbols)} quotes")
        return found

    def fund(self, symbol: str) -> Mapping[str, Any]:
        """What Yahoo has on a fund beside its price: `totalAssets` and `navPrice` in USD, where it has them."""
        params = {"modules": "summaryDetail", "formatted": "false"}
        answer = self._data.get(SUMMARY_URL + symbol, params=params, timeout=self._timeout)
        self._refuse_consent(answer)
        if answer.status_code == 401:
            raise TransientError(f"Yahoo refused the crumb, and a new one too ({_said(answer) or 'HTTP 401'})")
        try:
            detail: Mapping[str, Any] = orjson.loads(answer.content)["quoteSummary"]["result"][0]["summaryDetail"]
            found = {name: detail.get(name) for name in ("totalAssets", "navPrice")}
        except (orjson.JSONDecodeError, KeyError, TypeError, IndexError, AttributeError) as broken:
            raise BadDataError(f"Yahoo's answer about {symbol} has no details of a fund") from broken
        return {name: value.get("raw") if isinstance(value, dict) else value for name, value in found.items()}

    def history(self, symbol: str, interval: str, start: datetime, end: datetime) -> Any:
        """yfinance's unadjusted history of `symbol` with its actions, as a pandas DataFrame, and its currency; None
        where Yahoo has nothing in that time.

        Not by way of `Ticker`: that asks for the exchange's time zone first, twice the requests, only to read dates
        that are given here with their zone.
        """
        try:
            prices = PriceHistory(self._data, symbol, "UTC", session=self._session)
            frame = prices.history(
                start=start, end=end, interval=interval, auto_adjust=False, actions=True, timeout=self._timeout
            )
        except YFPricesMissingError as nothing:
            if nothing.yahoo_reason:
                raise BadDataError(f"Yahoo: {words(str(nothing.yahoo_reason), 80)}") from nothing
            return None, "USD"
        except (*_MISSHAPEN, YFException, OSError) as broken:  # a time zone's name that no file can have is one
            if isinstance(broken, YFException) and type(broken) is not YFException:  # a limit, a site that is down
                raise
            if isinstance(broken, curl.exceptions.RequestException):
                raise
            self._refuse_consent(None)
            said = str(broken) if isinstance(broken, ValueError) else f"{type(broken).__name__} {broken}"
            raise BadDataError(f"Yahoo's answer about {symbol} cannot be read: {words(said, 60)}") from broken
        finally:
            YfData.cache_get.cache_clear()  # it keeps whole answers, and errors, for the process's life
        currency = (prices._history_metadata or {}).get("currency") or "USD"
        if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
            raise BadDataError(f"Yahoo's answer about {symbol} names no currency: {words(str(currency), 20)}")
        return frame, currency

    def _refuse_consent(self, answer: curl.Response | None) -> None:
        if answer is None:
            if self._session.consent_asked:
                raise BlockedError(CONSENT)
            return
        host = urlsplit(answer.url).hostname or ""
        if host.endswith(("consent.yahoo.com", "guce.yahoo.com")) or (
            answer.status_code == 401 and self._session.consent_asked
        ):
            raise BlockedError(CONSENT)


_lock = threading.Lock()
_shared: tuple[Border, Path, Yahoo] | None = None


def shared(border: Border, cache: Path) -> Yahoo:
    """The one session of this border: yfinance has one client a process, so two would spoil each other's crumbs."""
    global _shared  # noqa: PLW0603 - mirrors yfinance's own singleton
    folder = cache / "yfinance"
    with _lock:
        if _shared is None or _shared[:2] != (border, folder):
            _shared = (border, folder, Yahoo(border, folder))
        return _shared[2]
