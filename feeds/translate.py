"""The one place where a library's exception becomes an error of `engine.errors`, in words that a trader understands.

Only types' names and texts are looked at, never an import of a library: whichever library raised, it is loaded already,
and the streamer must not pull in ccxt for its own errors. What cannot be told for sure stays transient.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from traceback import clear_frames
from typing import Final

from engine.errors import BadDataError, BlockedError, FatalError, FeedError, RateLimitedError, TransientError, printable
from engine.logs import redacted

GEO_BLOCK: Final = "geo-block: the venue refuses connections from this place"
RATE_LIMIT: Final = "rate limit: the venue asks for a pause"

_STATUS: Final = re.compile(
    r"(?:\bstatus\s*[=:]?\s*|\bHTTP\s*(?:error\s*)?|^|\s)(4\d\d|5\d\d)(?![\d.,])", re.IGNORECASE
)
_PLACE: Final = re.compile(
    r"restricted location|geo.?block|service unavailable from"
    r"|not available in (?:your|the) (?:country|region|area|united)|eligibility"
    r"|block access from your country|prohibited (?:country|jurisdiction)",
    re.IGNORECASE,
)
_MOST_LINKS: Final = 100
_SPACE: Final = re.compile(r"\s+")

_LIMITED: Final = frozenset({"RateLimitExceeded", "DDoSProtection", "YFRateLimitError"})
_FATAL: Final = {
    "NotSupported": "this venue does not offer that",
    "AuthenticationError": "the venue wants a key",
    "ArgumentsRequired": "the venue wants more than we asked with",
    "InvalidProxySettings": "the proxy setting is not usable",
    "InvalidProxy": "the proxy setting is not usable",
    "InvalidProxyURL": "the proxy setting is not usable",
    "InvalidURI": "the address is not usable",
}
_PROXY_SAID_NO: Final = frozenset({"ClientHttpProxyError", "InvalidProxyStatus"})
_REFUSED: Final = frozenset({"PermissionDenied", "RestrictedLocation"})
_BAD: Final = frozenset(
    {"BadResponse", "NullResponse", "JSONDecodeError", "ContentTypeError", "DecodeError", "InvalidJSONError"}
)
_ON_THE_WAY: Final[tuple[tuple[frozenset[str], str], ...]] = (
    (
        frozenset({"gaierror", "ClientConnectorDNSError", "DNSError"}),
        "the host's name cannot be resolved: no network, or no DNS",
    ),
    (
        frozenset({"SSLCertVerificationError", "ClientConnectorCertificateError", "CertificateVerifyError"}),
        "TLS: the certificate is not trusted (see [network] ca_file)",
    ),
    (
        frozenset({"ClientProxyConnectionError"}),
        "the proxy cannot be reached",
    ),
    (
        frozenset({"ProxyError"}),
        "the proxy does not let us through",
    ),
    (frozenset({"SSLError", "ClientSSLError"}), "TLS: the handshake failed"),
    (frozenset({"ConnectionRefusedError"}), "connection refused"),
    (
        frozenset({"TimeoutError", "RequestTimeout", "Timeout", "ServerTimeoutError"}),
        "no answer in time",
    ),
    (
        frozenset(
            {"ConnectionResetError", "BrokenPipeError", "EOFError", "ServerDisconnectedError", "ConnectionClosed"}
        ),
        "the connection was closed by the other side",
    ),
)
"""What can go wrong between us and the far side, by the names of an exception's classes; the most telling first."""
_LIBRARY: Final = frozenset(
    {"BaseError", "ClientError", "WebSocketException", "RequestException", "YFException", "CurlError", "HTTPError"}
)


def translate(raised: BaseException) -> FeedError | None:
    """The error that `raised` means, with its cause looked through; None where it is none of a known library's.

    A `FeedError` is returned as it is.
    """
    while isinstance(raised, BaseExceptionGroup):
        inner: list[BaseException] = list(raised.exceptions)
        raised = next((one for one in inner if isinstance(one, FeedError)), inner[0])
    chain = list(_causes(raised))
    for link in chain:
        if isinstance(link, FeedError):
            return link
    status = status_of(raised)
    retry_after = next((found for link in chain if (found := _retry_after(link)) is not None), None)
    names = {base.__name__ for link in chain for base in type(link).__mro__}
    text = " ".join(str(link) for link in chain)
    if names & _PROXY_SAID_NO and status != 407:
        return TransientError("the proxy refuses this host" + (f" (HTTP {status})" if status else ""))
    return _refusal(names, status, retry_after, text) or _by_kind(names, raised)


def let_go(raised: BaseException) -> None:
    """Drop what the frames of an error, its causes and what it wraps still hold: a connection's objects, every time."""
    seen: set[int] = set()
    todo: list[BaseException] = [raised]
    while todo and len(seen) < _MOST_LINKS:
        link = todo.pop()
        if id(link) not in seen:  # a member of a group may have been raised while the group was handled
            seen.add(id(link))
            clear_frames(link.__traceback__)
            todo += [inner for inner in (link.__cause__, link.__context__) if inner is not None]
            todo += [argument for argument in link.args if isinstance(argument, BaseException)]
            todo += link.exceptions if isinstance(link, BaseExceptionGroup) else ()


def words(text: str, limit: int = 120) -> str:
    """A library's or a venue's text made fit for one line of a screen: no control characters, no secret, not long."""
    # what is not printable does not pass: escape sequences, but also marks that turn the reading direction around
    clean = redacted(_SPACE.sub(" ", printable(text[: 50 * limit])).strip())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def error_of_status(status: int, retry_after: float | None = None, text: str = "") -> FeedError | None:
    """The error that an HTTP status means; None for one that is no error."""
    if status < 400:
        return None
    return _refusal(set(), status, retry_after, text) or TransientError(f"HTTP {status}")


def status_of(raised: BaseException) -> int | None:
    """The HTTP status of the answer that an exception speaks of; None where there was no answer."""
    return next((code for link in _causes(raised) if (code := _status(link)) is not None), None)


def seconds_of(retry_after: str | None) -> float | None:
    """Seconds that a Retry-After header names, as a number or as an HTTP date; None where it names none."""
    if not retry_after:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _causes(raised: BaseException) -> Iterator[BaseException]:
    """`raised`, what it was raised from, and what it wraps; the outermost first."""
    seen: set[int] = set()
    todo: list[BaseException] = [raised]
    while todo and len(seen) < 12:
        link = todo.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        todo.extend(inner for inner in (link.__cause__, link.__context__) if inner is not None)
        todo.extend(argument for argument in link.args if isinstance(argument, BaseException))


def _status(raised: BaseException) -> int | None:
    """The HTTP status that an exception carries, in one of the ways that libraries have."""
    for holder in (raised, getattr(raised, "response", None)):
        for name in ("status", "status_code", "code"):
            value = getattr(holder, name, None)
            if isinstance(value, int) and 400 <= value < 600:
                return value
    names = {base.__name__ for base in type(raised).__mro__}
    if names & {"BaseError", "WSServerHandshakeError", "HTTPError"} and (found := _STATUS.search(str(raised)[:300])):
        return int(found.group(1))
    return None


def _retry_after(raised: BaseException) -> float | None:
    own = getattr(raised, "retry_after", None)
    if isinstance(own, int | float):
        return float(own)
    for holder in (raised, getattr(raised, "response", None)):
        headers = getattr(holder, "headers", None)
        if headers is not None and hasattr(headers, "get"):
            found = headers.get("Retry-After") or headers.get("retry-after")
            if isinstance(found, str):
                return seconds_of(found)
    return None


def _refusal(names: set[str], status: int | None, retry_after: float | None, text: str) -> FeedError | None:
    """What the far side itself said no with."""
    error: FeedError | None = None
    pause = "" if retry_after is None else f", for {retry_after:.0f} s"
    if status == 451 or "RestrictedLocation" in names or _PLACE.search(text):
        error = BlockedError(GEO_BLOCK)
    elif status in {429, 418} or (names & _LIMITED and status != 403):
        error = RateLimitedError(RATE_LIMIT + pause, retry_after)
    elif status == 403 or names & _REFUSED:
        error = BlockedError("the venue refuses this place or this client" + (" (HTTP 403)" if status else ""))
    elif status == 407:
        error = BlockedError("the proxy wants a user name and a password")
    elif "OnMaintenance" in names:
        error = TransientError("the venue is down for maintenance")
    elif status is not None and status >= 500:
        said = f"the venue is not available (HTTP {status})"
        error = TransientError(said) if retry_after is None else RateLimitedError(said + pause, retry_after)
    elif known := names & _FATAL.keys():
        error = FatalError(_FATAL[known.pop()])
    return error


def _by_kind(names: set[str], raised: BaseException) -> FeedError | None:
    """What went wrong on the way, or why the answer is of no use."""
    for kinds, said in _ON_THE_WAY:
        if names & kinds:
            return TransientError(said)
    if names & _BAD:
        return BadDataError(f"an answer that cannot be read: {words(str(raised), 80)}")
    if "OSError" in names:
        return TransientError(f"network: {words(str(raised), 80)}")
    if names & _LIBRARY:
        return TransientError(words(str(raised)) or type(raised).__name__)
    return None
