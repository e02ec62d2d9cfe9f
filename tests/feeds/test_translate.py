"""Whatever a library raises, the user reads what it means; nothing of a known library is called unexpected."""

from __future__ import annotations

import socket
import ssl
import weakref
from collections.abc import Callable

import aiohttp
import ccxt
import pytest
from aiohttp.client_reqrep import ConnectionKey, RequestInfo
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from engine.errors import BadDataError, BlockedError, FatalError, FeedError, RateLimitedError, TransientError
from feeds.translate import error_of_status, let_go, seconds_of, translate, words


def request_to(address: str) -> RequestInfo:
    nothing: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())
    return RequestInfo(URL(address), "GET", nothing, URL(address))


def handshake(status: int, headers: dict[str, str] | None = None) -> ccxt.NetworkError:
    """As ccxt.pro wraps a refused websocket handshake."""
    return ccxt.NetworkError(
        aiohttp.WSServerHandshakeError(
            request_to("wss://stream.example.com/ws"),
            (),
            status=status,
            message="Invalid response status",
            headers=CIMultiDict(headers or {}),
        )
    )


def from_cause(outer: Exception, cause: Exception) -> Exception:
    outer.__cause__ = cause
    return outer


KEY = ConnectionKey("api.example.com", 443, True, True, None, None, None)

CASES: list[tuple[Callable[[], Exception], type[FeedError], str]] = [
    (lambda: handshake(451), BlockedError, "geo-block"),
    (
        lambda: ccxt.ExchangeNotAvailable("binance GET https://api.binance.com/api/v3/time 451  {"),
        BlockedError,
        "geo-block",
    ),
    (
        lambda: ccxt.ExchangeNotAvailable(
            "Service unavailable from a restricted location according to 'b. Eligibility'"
        ),
        BlockedError,
        "geo-block",
    ),
    (lambda: ccxt.RestrictedLocation("x"), BlockedError, "geo-block"),
    (lambda: handshake(403), BlockedError, "refuses"),
    (lambda: ccxt.PermissionDenied("kucoin 403 Forbidden"), BlockedError, "refuses"),
    (lambda: handshake(429, {"Retry-After": "7"}), RateLimitedError, "rate limit: the venue asks for a pause, for 7 s"),
    (lambda: ccxt.RateLimitExceeded("kraken 429 Too Many Requests"), RateLimitedError, "rate limit"),
    (lambda: ccxt.DDoSProtection("binance 418 I'm a teapot"), RateLimitedError, "rate limit"),
    (lambda: handshake(503), TransientError, "not available (HTTP 503)"),
    (lambda: ccxt.OnMaintenance("x"), TransientError, "maintenance"),
    (
        lambda: from_cause(
            ccxt.ExchangeNotAvailable("kraken GET https://api.kraken.com"),
            aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "Connect call failed")),
        ),
        TransientError,
        "connection refused",
    ),
    (
        lambda: from_cause(
            ccxt.ExchangeNotAvailable("kraken GET"), aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "?"))
        ),
        TransientError,
        "name cannot be resolved",
    ),
    (lambda: socket.gaierror(-3, "Temporary failure"), TransientError, "name cannot be resolved"),
    (
        lambda: from_cause(ccxt.ExchangeNotAvailable("kraken GET"), ssl.SSLCertVerificationError(1, "self-signed")),
        TransientError,
        "certificate is not trusted",
    ),
    (lambda: ssl.SSLError(1, "wrong version number"), TransientError, "TLS: the handshake failed"),
    (
        lambda: aiohttp.ClientProxyConnectionError(KEY, ConnectionRefusedError(111, "x")),
        TransientError,
        "proxy cannot be reached",
    ),
    (
        lambda: from_cause(
            ccxt.ExchangeError("kraken GET https://api.kraken.com"),
            aiohttp.ClientHttpProxyError(request_to("https://api.kraken.com"), (), status=502, message="Bad Gateway"),
        ),
        TransientError,
        "the proxy refuses this host (HTTP 502)",
    ),
    (lambda: ccxt.RequestTimeout("kraken GET https://api.kraken.com"), TransientError, "no answer in time"),
    (TimeoutError, TransientError, "no answer in time"),
    (lambda: ccxt.NetworkError("Connection closed by remote server, closing code 1001"), TransientError, "code 1001"),
    (lambda: ConnectionResetError(104, "reset"), TransientError, "closed by the other side"),
    (lambda: ccxt.BadResponse("kraken <html>"), BadDataError, "cannot be read"),
    (lambda: ccxt.NotSupported("watchTicker"), FatalError, "does not offer"),
    (lambda: ccxt.ExchangeError("EQuery:Unknown asset pair"), TransientError, "Unknown asset pair"),
    (lambda: BlockedError("consent page"), BlockedError, "consent page"),
    (lambda: ExceptionGroup("x", [RateLimitedError("slow", 3.0)]), RateLimitedError, "slow"),
]


@pytest.mark.parametrize(("raised", "kind", "said"), CASES)
def test_meaning_of_library_errors(raised: Callable[[], Exception], kind: type[FeedError], said: str) -> None:
    error = translate(raised())
    assert type(error) is kind
    assert said in str(error)


def test_retry_after_is_found_behind_the_wrapping() -> None:
    error = translate(handshake(429, {"Retry-After": "7"}))
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 7.0


def test_bugs_are_not_taken_for_network_trouble() -> None:
    assert translate(KeyError("px")) is None
    assert translate(TypeError("unsupported")) is None


def test_price_in_a_text_is_not_taken_for_a_status() -> None:
    error = translate(ccxt.ExchangeError("order of 451.20 refused"))
    assert type(error) is TransientError


def test_statuses() -> None:
    assert error_of_status(200) is None
    assert type(error_of_status(451)) is BlockedError
    assert type(error_of_status(404)) is TransientError
    limited = error_of_status(429, 12.0)
    assert isinstance(limited, RateLimitedError)
    assert limited.retry_after == 12.0


def test_retry_after_header() -> None:
    assert seconds_of("12") == 12.0
    assert seconds_of("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert seconds_of("soon") is None
    assert seconds_of(None) is None


def test_words_carry_no_control_characters() -> None:
    assert words("a\x1b[31mb\r\n c") == "a [31mb c"
    assert len(words("x" * 500)) == 120


class Held:
    """What a frame holds."""


SECRET = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "text",
    [
        f"0, message='', url='https://api.stlouisfed.org/observations?series_id=DFF&api_key={SECRET}'",
        f"https://example.org/?token={SECRET}",
        f"http://trader:{SECRET}@127.0.0.1:8080 cannot be reached",
    ],
)
def test_a_library_s_words_reach_no_screen_with_a_secret_in_them(text: str) -> None:
    assert SECRET[:12] not in words(text)
    error = translate(aiohttp.ClientError(text))
    assert error is not None
    assert SECRET[:12] not in str(error)


def fail(held: list[weakref.ref[Held]]) -> None:
    mine = Held()
    held.append(weakref.ref(mine))
    raise ValueError


def test_an_error_lets_go_of_what_its_frames_held_however_it_is_knotted() -> None:
    held: list[weakref.ref[Held]] = []
    try:
        try:
            fail(held)
        except ValueError as inner:
            raise ExceptionGroup("both", [inner, OSError()]) from inner
    except ExceptionGroup as error:
        group = error
    group.exceptions[0].__context__ = group
    assert held[0]() is not None
    let_go(group)
    assert held[0]() is None


def test_an_error_lets_go_of_what_the_one_that_it_wraps_held() -> None:
    held: list[weakref.ref[Held]] = []
    try:
        fail(held)
    except ValueError as inner:
        wrapping = ConnectionError(inner)  # as ccxt does, without raising from it
    assert held[0]() is not None
    let_go(wrapping)
    assert held[0]() is None
