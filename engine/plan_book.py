"""The trade plans and rotations of a run: those of the configuration, and those that were made at the terminal.

A plan of one's own is kept in the database, so that it is there tomorrow and in every other terminal; one with the name
of a configured plan stands in its place, and where it is dropped the configured one is back. The database is first
looked at by the first beat that has prices.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import orjson

from engine.config import Config, Plan, WhatIf
from engine.database import Database
from engine.errors import SizewatchError
from engine.grid import usable
from engine.model import Intent
from engine.plan_text import PlanTextError, parse_plan, parse_whatif, plan_of, to_data, whatif_of
from engine.view import Live

log = logging.getLogger(__name__)

MOST: Final = 50
"""Plans, and rotations, of one's own; more are refused."""
LOOK_S: Final = 2.0
"""How often it is looked for what another terminal wrote."""

Kind = TypeVar("Kind", Plan, WhatIf)


class Kept(NamedTuple):
    """What is planned, by name; replaced as a whole."""

    plans: Mapping[str, Plan]
    whatifs: Mapping[str, WhatIf]


class PlanBook:
    """See the module's docstring.

    folder: of the database; None keeps them for this run alone. tell: takes a severity and a sentence for the user.
    """

    def __init__(self, config: Config, folder: Path | None, tell: Callable[[str, str], None]) -> None:
        self._config = config
        self._folder = folder
        self._tell = tell
        self._database: Database | None = None
        self._own = Kept({}, {})
        self._seen: int | None = None
        self._looked = float("-inf")
        self._broken = False
        self.kept = self._merged()

    def _merged(self) -> Kept:
        config, own = self._config, self._own
        return Kept({**config.plans, **own.plans}, {**config.whatifs, **own.whatifs})

    def own(self, name: str, *, whatif: bool = False) -> bool:
        """Whether the plan (or rotation) of a name was made at the terminal."""
        return name in (self._own.whatifs if whatif else self._own.plans)

    def reconfigure(self, config: Config) -> None:
        """Go on under another configuration."""
        self._config = config
        self.kept = self._merged()

    def poll(self, mono: float) -> bool:
        """One beat. True where the plans have changed."""
        if self._folder is None or self._broken or mono - self._looked < LOOK_S:
            return False
        self._looked = mono
        try:
            database = self._opened(self._folder)
            version = database.version
            if version == self._seen:
                return False
            self._seen = version
            return self._read(database)
        except SizewatchError as error:
            self._broken = True
            self._tell("error", f"plans made here are not kept: {error}")
            return False

    def carry_out(self, intent: Intent, live: Callable[[str], Live]) -> str:
        """What a user wants of a plan; returns what the user must be told. Raises PlanTextError.

        Intents: `plan` and `whatif` (argument `text`), `drop-plan` and `drop-whatif` (argument `name`).
        """
        text, name = intent.arguments.get("text", ""), intent.arguments.get("name", "")
        if intent.action == "plan":
            said, plan = parse_plan(text, self._config)
            plan = _entered(plan, live(plan.symbol))
            self._keep("plan", said, to_data(plan), self._own.plans)
            self._own = self._own._replace(plans={**self._own.plans, said: plan})
            words = f"plan {said}: {plan.symbol} at {plan.entry:,.10g}"
        elif intent.action == "whatif":
            said, whatif = parse_whatif(text)
            self._keep("whatif", said, to_data(whatif), self._own.whatifs)
            self._own = self._own._replace(whatifs={**self._own.whatifs, said: whatif})
            words = f"what if {said}: large {whatif.large_pct:+g} %, relative {whatif.relative_pct:+g} %"
        elif intent.action == "drop-plan":
            left = self._drop("plan", name, self._own.plans, self._config.plans)
            self._own = self._own._replace(plans=left)
            words = f"plan {name} is dropped"
        else:
            left_whatifs = self._drop("whatif", name, self._own.whatifs, self._config.whatifs)
            self._own = self._own._replace(whatifs=left_whatifs)
            words = f"what if {name} is dropped"
        self.kept = self._merged()
        return words

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _keep(self, kind: str, name: str, data: Mapping[str, object], held: Mapping[str, object]) -> None:
        if name not in held and len(held) >= MOST:
            raise PlanTextError(f"there are {MOST} of your own already: drop one first")
        if self._folder is None or self._broken:
            return
        with self._opened(self._folder).transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO plans (kind, name, data) VALUES (?, ?, ?)",
                (kind, name, orjson.dumps(dict(data)).decode()),
            )

    def _drop(self, kind: str, name: str, held: Mapping[str, Kind], configured: Iterable[str]) -> dict[str, Kind]:
        if name not in held:
            if name in configured:
                raise PlanTextError(f"{name} stands in the configuration: `{name} = {{}}` there takes it away")
            near = f"; yours: {', '.join(held)}" if held else ""
            raise PlanTextError(f"there is no {'plan' if kind == 'plan' else 'rotation'} {name!r}{near}")
        if self._folder is not None and not self._broken:
            with self._opened(self._folder).transaction() as connection:
                connection.execute("DELETE FROM plans WHERE kind = ? AND name = ?", (kind, name))
        return {key: value for key, value in held.items() if key != name}

    def _opened(self, folder: Path) -> Database:
        if self._database is None:
            self._database = Database(folder)
        return self._database

    def _read(self, database: Database) -> bool:
        plans: dict[str, Plan] = {}
        whatifs: dict[str, WhatIf] = {}
        for kind, name, data in database.rows("SELECT kind, name, data FROM plans ORDER BY kind, name LIMIT 1000"):
            try:
                raw = orjson.loads(str(data))
                if not isinstance(raw, dict):
                    raise PlanTextError("it is no table")
                if kind == "plan":
                    plans[str(name)] = plan_of(raw)
                else:
                    whatifs[str(name)] = whatif_of(raw)
            except (PlanTextError, orjson.JSONDecodeError) as error:
                self._tell("warning", f"{kind} {name} is left out: {error}")
        own = Kept(plans, whatifs)
        changed = own != self._own
        self._own = own
        self.kept = self._merged()
        return changed


def _entered(plan: Plan, live: Live) -> Plan:
    """`plan` with its entry fixed: a plan is made at a moment, at the price of that moment where it names none."""
    entry = plan.entry or live.price
    if entry is None or not usable(entry):
        raise PlanTextError(f"there is no price of {plan.symbol} yet: give one with at PRICE")
    if plan.stop >= entry:
        raise PlanTextError(f"the stop {plan.stop:,g} must lie below the entry {entry:,g}: plans are long")
    if plan.targets and plan.targets[0] <= entry:
        raise PlanTextError(f"the target {plan.targets[0]:,g} must lie above the entry {entry:,g}")
    return replace(plan, entry=entry)
