"""Faults as a schedule and as spoiled messages: each does what its name says, and nothing to what is no data."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from simulator.faults import KINDS, Fault, Faults
from simulator.mixture import mixture
from simulator.scenario import ScenarioError, load
from simulator.spoil import BURST, HELD, PAST

KRAKEN = json.dumps(
    {
        "channel": "ticker",
        "type": "update",
        "data": [
            {"symbol": "BTC/USD", "bid": 9.9, "ask": 10.1, "last": 10.0, "timestamp": "2026-01-09T15:30:00.000000Z"}
        ],
    }
)
BINANCE = json.dumps({"stream": "x", "data": {"e": "24hrTicker", "E": 1767972600000, "s": "BTCUSDT", "c": "10.0"}})
HEARTBEAT = '{"channel":"heartbeat"}'


def spoiled(kind: str, text: str, value: float | None = None) -> list[str]:
    faults = Faults(seed=3)
    faults.begin(Fault(kind, value=value))
    return faults.messages("ws.kraken.com", text)


def one(kind: str, text: str = KRAKEN, value: float | None = None) -> Any:
    (text,) = spoiled(kind, text, value)
    return json.loads(text)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"half-open"}])
def test_a_heartbeat_passes_every_fault_of_the_data(kind: str) -> None:
    assert spoiled(kind, HEARTBEAT) == [HEARTBEAT]


def test_prices_become_what_the_fault_says() -> None:
    assert one("zero")["data"][0]["last"] == 0.0
    assert one("negative")["data"][0]["ask"] == -1.0
    assert one("huge", BINANCE)["data"]["c"] == "1e+308"
    assert "NaN" in spoiled("nan", KRAKEN)[0]
    crossed = one("crossed")["data"][0]
    assert crossed["bid"] > crossed["ask"]


def test_times_move_in_their_own_unit_and_type() -> None:
    assert one("skew", value=60.0)["data"][0]["timestamp"] == "2026-01-09T15:31:00.000000Z"
    assert one("skew", BINANCE, 60.0)["data"]["E"] == 1767972660000
    assert one("past")["data"][0] == {
        "symbol": "BTC/USD",
        "bid": 9.9 * PAST,
        "ask": 10.1 * PAST,
        "last": 10.0 * PAST,
        "timestamp": "2026-01-09T14:30:00.000000Z",
    }


def test_a_frozen_venue_repeats_its_first_time() -> None:
    faults = Faults()
    faults.begin(Fault("frozen"))
    later = KRAKEN.replace("15:30:00", "15:30:09")
    assert [json.loads(faults.messages("h", each)[0])["data"][0]["timestamp"] for each in (KRAKEN, later)] == [
        "2026-01-09T15:30:00.000000Z"
    ] * 2


def test_messages_are_cut_repeated_withheld_and_mixed() -> None:
    assert spoiled("truncated", KRAKEN) == [KRAKEN[: len(KRAKEN) // 2]]
    assert spoiled("duplicate", KRAKEN) == [KRAKEN] * 2
    assert spoiled("burst", KRAKEN) == [KRAKEN] * BURST
    assert spoiled("silent", KRAKEN) == []
    faults = Faults(seed=5)
    faults.begin(Fault("shuffle"))
    sent = [KRAKEN.replace("10.0", f"{n}.0") for n in range(HELD)]
    came = [out for text in sent for out in faults.messages("h", text)]
    assert came != sent
    assert sorted(came) == sorted(sent)


def test_yahoos_packed_messages_are_spoiled_too() -> None:
    from yfinance.pricing_pb2 import PricingData

    packed = base64.b64encode(PricingData(id="IWM", price=10.0, time=1767972600000).SerializeToString()).decode()
    text = json.dumps({"type": "pricing", "message": packed})

    def after(kind: str, value: float | None = None) -> Any:
        data = PricingData()
        data.ParseFromString(base64.b64decode(one(kind, text, value)["message"]))
        return data

    assert after("zero").price == 0.0
    assert after("skew", 60.0).time == 1767972660000
    assert after("unknown").id == "QQQQ/ZZZ"
    assert (after("past").price, after("past").time) == (5.0, 1767969000000)


def test_the_same_seed_spoils_the_same_way() -> None:
    assert spoiled("wrong-types", KRAKEN) == spoiled("wrong-types", KRAKEN)


def test_a_fault_meets_its_hosts_only() -> None:
    fault = Fault("die", hosts=("kraken.com",))
    assert fault.meets("ws.kraken.com") and fault.meets("kraken.com")
    assert not fault.meets("notkraken.com")


async def test_the_plan_begins_and_ends_its_faults() -> None:
    faults = Faults([Fault("silent", at=0.02, seconds=0.05)])
    seen = []
    async with asyncio.TaskGroup() as group:
        work = group.create_task(faults.run())
        while not work.done():
            seen.append(bool(faults.active))
            await asyncio.sleep(0.005)
    assert (seen[0], True in seen, faults.active) == (False, True, [])


def test_a_scenario_names_its_faults(tmp_path: Path) -> None:
    file = tmp_path / "faulty.toml"
    file.write_text(
        'extends = "january-2026"\n'
        '[[faults]]\nkind = "limited"\nhosts = ["kraken.com"]\nat = 5\nseconds = 9\nvalue = 3\n'
        '[[faults]]\nkind = "die"\n'
    )
    assert load(str(file)).faults == (Fault("limited", ("kraken.com",), 5.0, 9.0, 1.0, 3.0), Fault("die"))


def test_a_wrong_fault_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "faulty.toml"
    file.write_text('extends = "january-2026"\n[[faults]]\nkind = "gremlins"\nchance = 2\n')
    with pytest.raises(ScenarioError) as refused:
        load(str(file))
    assert [line.split(": ")[1].split(" = ")[0] for line in refused.value.lines] == [
        "faults[0].kind",
        "faults[0].chance",
    ]


def test_faults_may_be_mixed_by_seed_and_each_lane_for_itself(tmp_path: Path) -> None:
    file = tmp_path / "mixed.toml"
    file.write_text(
        'extends = "january-2026"\n[[faults]]\nkind = "die"\n'
        '[mixed]\nseconds = 900\nat_once = 2\nhosts = ["kraken.com", "yahoo.com"]\n'
    )
    scenario = load(str(file))
    planned, drawn = scenario.faults, scenario.faults[1:]
    assert planned[0] == Fault("die")
    assert drawn == mixture(scenario.seed, 900.0, (("kraken.com",), ("yahoo.com",)))
    assert drawn != mixture(scenario.seed + 1, 900.0, (("kraken.com",), ("yahoo.com",)))
    assert {fault.hosts for fault in drawn} == {("kraken.com",), ("yahoo.com",)}
    assert all(fault.at + fault.seconds <= 900 for fault in drawn)
    together = max(
        sum(other.at <= fault.at < other.at + other.seconds and other.hosts == fault.hosts for other in drawn)
        for fault in drawn
    )
    assert together == 2


def test_every_kind_comes_in_a_long_mixture() -> None:
    assert {fault.kind for fault in mixture(1, 20_000.0)} == set(KINDS)


def test_one_symbol_is_renamed_or_gone_and_the_others_are_not() -> None:
    other = KRAKEN.replace("BTC/USD", "ETH/USD")
    for kind, first in (("renamed", [KRAKEN.replace("BTC/USD", "XBTC/USD")]), ("delisted", [])):
        faults = Faults(seed=3)
        faults.begin(Fault(kind))
        came = [faults.messages("h", text) for text in (KRAKEN, other, KRAKEN)]
        assert [[json.loads(text) for text in texts] for texts in came] == [
            [json.loads(text) for text in texts] for texts in (first, [other], first)
        ]
    assert spoiled("delisted", BINANCE) == []
    both = json.dumps({"quotes": [{"symbol": "IWM", "price": 1.0}, {"symbol": "SPY", "price": 2.0}]})
    assert one("delisted", both) == {"quotes": [{"symbol": "SPY", "price": 2.0}]}
