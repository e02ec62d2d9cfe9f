"""The configuration's shape and its built-in values: frozen, typed, light to import.

Every field's docstring gives its unit and meaning, its annotation gives what is allowed; `config.toml` at the top level
is the commented default and says the same. Reading is in `engine.config_file`, checking in `engine.config_check`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Final, Literal

from engine.config_looks import THEME_KEYS, Appearance, SavedName
from engine.config_shapes import Shape, Tables, Within

Base = Annotated[str, Shape(r"[A-Z0-9][A-Z0-9.$-]{0,19}", "a base asset in capitals, such as BTC or RENDER")]
Currency = Annotated[str, Shape(r"[A-Z]{2,6}", "a currency in capitals, such as USD or USDT")]
Basket = Annotated[str, Shape(r"[a-z][a-z0-9_-]{0,23}", "a basket's name in small letters, such as defi")]
EquitySymbol = Annotated[
    str, Shape(r"\^?[A-Z0-9][A-Z0-9.-]{0,14}(=[A-Z])?", "a Yahoo symbol in capitals, such as IWM, ^RUT or RTY=F")
]
Pair = Annotated[str, Shape(r"[^/]*[^/\s][^/]*/[^/]*[^/\s][^/]*", "A/B, such as IWM/SPY or ALT/BTC")]
LegName = Annotated[str, Shape(r"[^/\s]+", "one side of a pair, such as ETH or IWM")]
PlanName = Annotated[str, Shape(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", "a name of letters, digits, _ and -")]
Price = Annotated[float, Within(1e-12, 1e12)]
Secret = Annotated[
    str,
    Shape(
        r"|env:[A-Za-z_][A-Za-z0-9_]*|keyring:[^/\s]+/\S+",
        "env:NAME or keyring:SERVICE/USER, where the URL is kept; a URL holds secrets and is not for this file",
    ),
]
HourMinute = Annotated[str, Shape(r"|([01]\d|2[0-3]):[0-5]\d", "a time of day such as 22:00")]
DecisionDay = Annotated[str, Shape(r"\d{4}-\d\d-\d\d", 'a day in quotes, such as "2026-01-28"')]
Severity = Literal["info", "warning", "critical"]
ChannelName = Annotated[str, Shape(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", "a name of letters, digits, _ and -")]

RULE_FIELDS: Final = (
    "on", "when", "cross", "for", "clear_when", "keep_firing_for", "cooldown", "mode", "once_per_bar", "session",
    "max_age", "severity", "notify", "message", "expires", "enabled",
)  # fmt: skip
"""What a rule's table may hold; what stands in them is checked by `engine.rules`, which needs Polars."""


@dataclass(frozen=True, slots=True)
class Network:
    """The one border that every connection passes."""

    proxy: Annotated[str, Shape(r"|(https?|socks[45]h?)://\S+", "a URL such as http://127.0.0.1:3128")] = ""
    """Proxy URL, e.g. `http://127.0.0.1:3128`; empty: the variable HTTPS_PROXY, else none."""
    ca_file: str = ""
    """PEM file of certificate authorities to trust; empty: the variable SSL_CERT_FILE, else the usual ones."""
    timeout: Annotated[float, Within(1, 120)] = 10.0
    """Seconds for a connection or an answer, 1 to 120."""


@dataclass(frozen=True, slots=True)
class Store:
    """Where bars and, later, alerts are kept."""

    path: str = ""
    """Folder; empty: the user's data folder."""


@dataclass(frozen=True, slots=True)
class Worker:
    """The process that does heavy work: the pair scanner, a query of the user's."""

    memory_mb: Annotated[int, Within(300, 65536)] = 1024
    """Memory that it may use, its libraries (about 200 MB) included, 300 to 65536; more ends it."""
    query_timeout_s: Annotated[float, Within(1, 600)] = 10.0
    """Seconds that a query of the user's may take, 1 to 600."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """How often things happen."""

    beat_hz: Annotated[float, Within(1, 20)] = 4.0
    """Engine beats a second, 1 to 20."""
    frame_hz: Annotated[float, Within(1, 60)] = 10.0
    """Screen frames a second at the most, 1 to 60."""
    equity_poll_s: Annotated[float, Within(5, 3600)] = 15.0
    """Seconds between equity polls while the market is open, 5 to 3600."""
    equity_poll_closed_s: Annotated[float, Within(30, 86400)] = 300.0
    """Seconds between equity polls while it is closed, 30 to 86400."""
    coingecko_s: Annotated[float, Within(10, 86400)] = 120.0
    """Seconds between CoinGecko requests with a key, 10 to 86400; four times as long without one."""
    history_s: Annotated[float, Within(30, 86400)] = 300.0
    """Seconds between looks for newly closed bars, 30 to 86400."""


@dataclass(frozen=True, slots=True)
class Crypto:
    """Crypto venues and symbols."""

    exchanges: tuple[str, ...] = ("coinbase", "kraken", "binance")
    """ccxt.pro exchange ids in order of preference: the first that serves a symbol prices it."""
    quotes: tuple[Currency, ...] = ("USD", "USDT", "USDC")
    """Quote currencies to accept, in order of preference within a venue."""
    aliases: Mapping[Base, Base] = field(default_factory=lambda: {"RNDR": "RENDER", "XBT": "BTC"})
    """A venue's old or own base name → the canonical one."""
    baskets: Mapping[Basket, tuple[Base, ...]] = field(
        default_factory=lambda: {
            "majors": ("BTC", "ETH"),
            "large": ("SOL", "XRP", "ADA", "AVAX"),
            "ai": ("FET", "RENDER", "TAO", "NEAR", "ICP", "GRT", "WLD"),
            "defi": ("UNI", "AAVE", "LINK", "CRV", "COMP", "LDO", "SNX", "INJ"),
            "meme": ("DOGE", "SHIB", "PEPE", "BONK", "WIF", "FLOKI"),
            "mid": (
                "DOT", "ATOM", "ALGO", "FIL", "APT", "ARB", "OP", "SEI", "TIA", "STX", "IMX", "ETC", "XTZ", "SAND",
            ),
        }
    )  # fmt: skip
    """Baskets of base assets; a base may stand in several. Every base named here is watched, as `BASE/USD`."""
    alt: tuple[Basket, ...] = ("large", "ai", "defi", "meme", "mid")
    """The baskets whose members together make the ALT index."""

    @property
    def bases(self) -> tuple[str, ...]:
        """Every base asset, once, in the order of the baskets."""
        return tuple(dict.fromkeys(base for members in self.baskets.values() for base in members))

    @property
    def symbols(self) -> tuple[str, ...]:
        """Canonical names of every base, `BTC/USD`, in the order of the baskets."""
        return tuple(f"{base}/USD" for base in self.bases)

    @property
    def alt_bases(self) -> tuple[str, ...]:
        """Members of the ALT index, each once; BTC and ETH are never among them."""
        members = (base for basket in self.alt for base in self.baskets.get(basket, ()))
        return tuple(base for base in dict.fromkeys(members) if base not in {"BTC", "ETH"})


@dataclass(frozen=True, slots=True)
class Equity:
    """Equity, index, futures and rate symbols, by their Yahoo names."""

    symbols: tuple[EquitySymbol, ...] = (
        "IWM", "IJR", "VB", "SPY", "QQQ", "RSP", "MDY", "^RUT", "^GSPC", "RTY=F", "M2K=F", "ES=F",
        "IBIT", "FBTC", "GBTC", "^IRX", "^TNX", "TIP", "IEF",
    )  # fmt: skip
    stream: bool = True
    """Take Yahoo's streamer; the polls go on beside it for what it lacks."""


@dataclass(frozen=True, slots=True)
class CoinGecko:
    """Whole-market crypto figures."""

    enabled: bool = True
    key_env: Annotated[str, Shape(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable")] = (
        "COINGECKO_DEMO_API_KEY"
    )
    """Name of the environment variable that holds a demo key; without one the budget is slower."""


FundSymbol = Annotated[str, Shape(r"[A-Z][A-Z0-9.]{0,9}", "a fund's ticker in capitals, such as IWM")]
Variable = Annotated[str, Shape(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable")]


@dataclass(frozen=True, slots=True)
class Flows:
    """Money in and out of funds."""

    files: tuple[str, ...] = ()
    """Fund files that are read at the start and whenever they change; relative paths start at the file's folder."""
    ssga: bool = True
    """Fetch the NAV-history workbooks of SSGA's funds once a day."""
    yahoo: bool = True
    """Estimate the shares of funds that no file was imported for, from Yahoo's assets and NAV."""
    groups: Mapping[Basket, tuple[FundSymbol, ...]] = field(
        default_factory=lambda: {
            "small": ("IWM", "IJR", "VB", "SCHA", "VTWO"),
            "mid": ("MDY", "IJH", "VO", "IWR"),
            "large": ("SPY", "IVV", "VOO", "IWB", "SCHX", "VV"),
            "spot-btc": (
                "IBIT", "FBTC", "GBTC", "ARKB", "BITB", "HODL", "BRRR", "EZBC", "BTCO", "BTCW", "BTC",
            ),
        }
    )  # fmt: skip
    """Groups of funds. small, mid and large together are the whole that a size group's share is of."""

    @property
    def funds(self) -> tuple[str, ...]:
        """Every fund, once, in the order of the groups."""
        return tuple(dict.fromkeys(fund for members in self.groups.values() for fund in members))


@dataclass(frozen=True, slots=True)
class Facts:
    """Figures of the world outside the connected markets, each from a free source."""

    categories: bool = True
    """CoinGecko's categories of coins: capitalisation of AI, DeFi, meme and layer-1 coins."""
    defillama: bool = True
    """DefiLlama: volume of decentralised exchanges, value locked."""
    coinmetrics: bool = True
    """Coin Metrics' community data (non-commercial use): active addresses and transactions of BTC and ETH."""
    sentiment: bool = True
    """alternative.me's fear and greed index."""
    symbol_directory: bool = True
    """Nasdaq's symbol directory: small-cap ETFs, and those that are new."""
    fred: bool = True
    """FRED's rates and break-evens, where a key is given."""
    fred_key_env: Variable = "FRED_API_KEY"
    """Name of the environment variable that holds a (free) FRED key."""


@dataclass(frozen=True, slots=True)
class Regime:
    """What the evidence for a turn of size is measured by."""

    small_funds: tuple[EquitySymbol, ...] = ("IWM", "IJR", "VB")
    """Funds that stand for small caps: breadth is the share of them above their mean of 50 sessions."""
    large_funds: tuple[EquitySymbol, ...] = ("SPY", "QQQ", "RSP")
    """Funds that stand for large caps. Of funds that are not watched, daily history alone is fetched."""
    fed_funds: bool = True
    """Fetch Fed funds futures, of this month and a year on for the cuts that they price, and of the next meetings."""
    fomc: tuple[DecisionDay, ...] = (
        "2025-12-10", "2026-01-28", "2026-03-18", "2026-04-29", "2026-06-17", "2026-07-29", "2026-09-16", "2026-10-28",
        "2026-12-09", "2027-01-27", "2027-03-17", "2027-04-28", "2027-06-09", "2027-07-28", "2027-09-15", "2027-10-27",
        "2027-12-08",
    )  # fmt: skip
    """Days on which the FOMC decides, in their order and without a gap: other months between them hold no meeting."""

    @property
    def decisions(self) -> tuple[date, ...]:
        """`fomc` as dates; ValueError where one is none, which the check of the configuration has said."""
        return tuple(map(date.fromisoformat, self.fomc))


@dataclass(frozen=True, slots=True)
class Spreads:
    """Size spreads."""

    pairs: tuple[Pair, ...] = ("IWM/SPY", "IJR/SPY", "IWM/QQQ", "RSP/SPY", "^RUT/^GSPC", "ALT/BTC", "ETH/BTC")
    """`A/B`; a leg is an equity symbol, a crypto base, a basket, ALT, or a mix such as `(0.5*BTC+0.5*ETH)`.

    The first equity pair leads the screen.
    """


@dataclass(frozen=True, slots=True)
class Scanner:
    """Pairs that are looked through for relative value, beside those of [spreads]."""

    pairs: tuple[Pair, ...] = ("ETH/RTY=F", "ETH/M2K=F")
    """`A/B`: A is held, B hedges it."""
    units: Mapping[LegName, Annotated[float, Within(1e-6, 1e12)]] = field(default_factory=lambda: {"ETH": 10.0})
    """Of what is held, how much the hedge is for: coins, shares or contracts; 1 coin or 100 shares where it is not."""


@dataclass(frozen=True, slots=True)
class Planning:
    """What trade plans take where they do not say otherwise."""

    account: Annotated[float, Within(1, 1e12)] = 100_000.0
    """The account, USD, 1 to 1e+12."""
    at_risk_pct: Annotated[float, Within(0.001, 100)] = 1.0
    """Share of the account that a plan may lose at its stop, per cent, 0.001 to 100."""
    days: Annotated[int, Within(1, 3650)] = 91
    """Calendar days that a touch is reckoned over, 1 to 3650."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One trade plan, long. A 0 stands for what is not given."""

    symbol: str = ""
    """What is bought: a watched symbol such as IWM or BTC/USD."""
    entry: Annotated[float, Within(0, 1e12)] = 0.0
    """Price of the entry; 0: the newest price, whatever it is."""
    stop: Annotated[float, Within(0, 1e12)] = 0.0
    """Price of the stop; 0: two average true ranges below the entry."""
    targets: tuple[Price, ...] = ()
    """Prices to take profit at."""
    targets_pct: tuple[Annotated[float, Within(0.001, 1e4)], ...] = (10.0, 15.0)
    """The same as rises from the entry, per cent; used where `targets` names none."""
    equity: Annotated[float, Within(0, 1e12)] = 0.0
    """The account, USD; 0: that of [planning]."""
    risk_pct: Annotated[float, Within(0, 100)] = 0.0
    """Share of it that may be lost, per cent; 0: that of [planning]."""
    max_notional: Annotated[float, Within(0, 1e12)] = 0.0
    """The position's value at the most, USD; 0: the account."""
    by: Annotated[str, Shape(r"|\d{4}-\d\d-\d\d", "a day such as 2026-04-09")] = ""
    """Day until which a touch is reckoned; empty: the days of [planning] from now."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One rotation: what small caps would stand at if large caps did this and small caps did that beside them."""

    large_pct: Annotated[float, Within(-99, 1000)] = 0.0
    """SPY's total return, per cent."""
    relative_pct: Annotated[float, Within(-99, 1000)] = 0.0
    """What IWM does relative to it, per cent."""


@dataclass(frozen=True, slots=True)
class Band:
    """Support and resistance prices of one symbol."""

    support: tuple[Price, ...] = ()
    """Prices in USD or index points where falls are expected to stop."""
    resistance: tuple[Price, ...] = ()
    """Prices where rises are expected to stop; every one above every support."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One way out for alerts."""

    kind: Literal["apprise", "desktop", "command"] = "desktop"
    """apprise: any service of Apprise by its URL; desktop: the desktop's notifications; command: one of your own."""
    url: Secret = ""
    """apprise: where its URL is kept, `env:NAME` or `keyring:SERVICE/USER`."""
    command: tuple[str, ...] = ()
    """command: program and arguments; it gets the events as JSON on its standard input."""
    severities: tuple[Severity, ...] = ("warning", "critical")
    """What it is told of."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours in which only what is critical rings or goes out."""

    start: HourMinute = ""
    """When they begin, such as 22:00; empty: there are none."""
    end: HourMinute = ""
    """When they end; earlier than `start`: over midnight."""
    zone: str = "America/New_York"
    """The time zone of both."""


@dataclass(frozen=True, slots=True)
class Notify:
    """How alerts are told."""

    toast: tuple[Severity, ...] = ("info", "warning", "critical")
    """Severities that are shown on the screen as they come."""
    bell: tuple[Severity, ...] = ("critical",)
    """Severities that ring the terminal's bell."""
    terminal: Literal["off", "osc9", "osc99", "osc777"] = "off"
    """The terminal's own notifications, for what rings or is a warning."""
    per_minute: Annotated[int, Within(1, 600)] = 10
    """Messages a minute and channel at the most, 1 to 600; what is beyond waits and is sent together."""
    group_s: Annotated[float, Within(0, 300)] = 2.0
    """Seconds that a channel waits for more before it sends, 0 to 300; what is critical does not wait."""
    quiet: QuietHours = field(default_factory=QuietHours)
    """Hours in which only what is critical rings or goes out."""
    channels: Mapping[ChannelName, Channel] = field(default_factory=dict)
    """Ways out by name."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything a user can set."""

    network: Network = field(default_factory=Network)
    store: Store = field(default_factory=Store)
    refresh: Refresh = field(default_factory=Refresh)
    worker: Worker = field(default_factory=Worker)
    appearance: Appearance = field(default_factory=Appearance)
    crypto: Crypto = field(default_factory=Crypto)
    equity: Equity = field(default_factory=Equity)
    coingecko: CoinGecko = field(default_factory=CoinGecko)
    spreads: Spreads = field(default_factory=Spreads)
    scanner: Scanner = field(default_factory=Scanner)
    regime: Regime = field(default_factory=Regime)
    levels: Mapping[str, Band] = field(default_factory=lambda: {"^RUT": Band((2100.0,), (2300.0,))})
    """Bands by symbol."""
    planning: Planning = field(default_factory=Planning)
    plans: Mapping[PlanName, Plan] = field(default_factory=lambda: {"iwm": Plan("IWM")})
    """Trade plans by name."""
    whatifs: Mapping[PlanName, WhatIf] = field(default_factory=lambda: {"2000-09": WhatIf(-9.1, 55.4)})
    """Rotations by name; the first decade of the century is built in (S&P 500 −9.1 %, Russell 2000 +41.3 %)."""
    rules: Annotated[Mapping[str, Mapping[str, object]], Tables(RULE_FIELDS)] = field(default_factory=dict)
    """Alert rules by name, as written; one of a ready rule's name changes the fields that it holds."""
    flows: Flows = field(default_factory=Flows)
    facts: Facts = field(default_factory=Facts)
    notify: Notify = field(default_factory=Notify)
    themes: Annotated[Mapping[str, Mapping[str, object]], Tables(THEME_KEYS)] = field(default_factory=dict)
    """Colours of your own by theme and meaning; what a theme leaves out is its base's."""
    queries: Mapping[SavedName, str] = field(default_factory=dict)
    """Saved questions in SQL by name; `@NAME` is a pane of a layout."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Action id → key, for those that differ from the default."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every canonical symbol that is watched: crypto in basket order, then equities."""
        return self.crypto.symbols + self.equity.symbols
