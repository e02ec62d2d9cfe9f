"""Keys are stated once and can be changed by the user."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from engine.config import Config
from engine.model import Mode
from tests.tui import fakes
from tests.tui.running import running
from tui import catalogue, keys, reference
from tui.lines import plain
from tui.screens.help import help_lines
from tui.view import View
from tui.widgets.footer import footer
from tui.widgets.message import message


def by_id(keymap: keys.Keymap) -> dict[str, keys.Action]:
    return {a.id: a for a in keymap.actions}


def test_every_action_has_an_id_of_its_own_a_key_words_and_a_call() -> None:
    assert len({a.id for a in keys.every()}) == len(keys.every())
    for action in keys.every():
        assert action.keys
        assert action.label
        assert action.help.endswith(".")
        assert action.call


def test_no_key_means_two_things() -> None:
    for context in ("", *keys.CONTEXTS):
        every = [key for action in keys.every() if action.context == context for key in action.keys.split(",")]
        assert len(set(every)) == len(every), context


def test_the_help_lists_every_action_with_its_keys() -> None:
    page = ["".join(text for text, _ in line) for line in help_lines(keys.every(), ())]
    for action in keys.every():
        assert any(keys.display(action.keys) in line and action.help in line for line in page), action.id


def test_the_footer_shows_at_most_seven_and_gives_way_but_for_help_and_quit() -> None:
    shown = [a for a in keys.ACTIONS if a.footer]
    assert len(shown) <= 7
    for width in range(20, 120):
        text = "".join(t for t, _ in footer(keys.ACTIONS, width))
        assert len(text) <= width
        assert "help" in text
        assert "quit" in text


def test_the_footer_of_a_screen_has_the_key_that_the_screen_is_for() -> None:
    for place in catalogue.SCREENS:
        actions = keys.shown_on(place.name, keys.ACTIONS)
        assert sum(a.footer > 0 for a in actions) == 7
        text = "".join(t for t, _ in footer(actions, 120))
        assert ("Q query" in text) == (place.name == "sql"), place.name
        assert ("/ filter" in text) == (place.name != "sql"), place.name
    assert {n for n in keys.INSTEAD if n not in catalogue.BY_NAME} == set()


def test_a_users_key_replaces_the_built_in_one() -> None:
    keymap = keys.remapped({"help": "f2", "filter": "f, ctrl+f"})
    assert by_id(keymap)["help"].keys == "f2"
    assert by_id(keymap)["filter"].keys == "f,ctrl+f"
    assert keymap.changed() == {"help": "f2", "filter": "f,ctrl+f"}
    assert keymap.warnings == ()


def test_keys_may_be_written_as_people_write_them() -> None:
    assert [keys.normal(k) for k in ("/", "?", "Esc", "Space", "G", "ctrl+D", "PgDn")] == [
        "slash", "question_mark", "escape", "space", "G", "ctrl+d", "pagedown",
    ]  # fmt: skip


def test_a_key_that_is_taken_goes_to_who_asked_for_it_with_a_warning() -> None:
    keymap = keys.remapped({"help": "q"})
    assert by_id(keymap)["help"].keys == "q"
    assert "q" not in by_id(keymap)["quit"].keys.split(",")
    assert by_id(keymap)["quit"].keys == "ctrl+q,ctrl+c"
    assert any("q no longer means" in w for w in keymap.warnings)


def test_two_wishes_for_one_key_keep_the_first_and_say_so() -> None:
    keymap = keys.remapped({"help": "f3", "quit": "f3"})
    assert by_id(keymap)["help"].keys == "f3"
    assert by_id(keymap)["quit"].keys == "q,ctrl+q,ctrl+c"
    assert keymap.warnings == ("keys.quit = f3: f3 is already given to keys.help",)


def test_an_unknown_action_is_refused_with_the_ones_there_are() -> None:
    keymap = keys.remapped({"explode": "x"})
    assert keymap.actions == keys.every()
    assert "keys.explode: no such action" in keymap.warnings[0]
    assert "freeze" in keymap.warnings[0]


def test_a_key_may_mean_one_thing_everywhere_and_another_on_a_chart() -> None:
    keymap = keys.remapped({"chart_volume": "x", "help": "v"})
    assert keymap.warnings == ()
    assert by_id(keymap)["picture"].keys == "x"
    assert keys.remapped({"chart_volume": "m"}).warnings == ("keys.chart_volume: m no longer means “averages”",)


async def test_everything_that_is_odd_in_the_settings_is_counted_on_the_message_line_and_listed_by_the_help() -> None:
    faint = {"base": "dark", "up": "#334433", "background": "#000000"}
    config = replace(Config(), keys={"down": "s"}, themes={"faint-test": faint})
    calm = fakes.feeds().with_columns(state=pl.lit("live"))
    snapshot = fakes.snapshot()
    async with running(replace(snapshot, tables={**snapshot.tables, "feeds": calm}), config=config) as run:
        assert len(run.app.warnings) == 2
        await run.frame()
        assert "keys.down: s no longer means “sort”   and 1 more, which ? lists" in run.text()
        await run.press("question_mark", "G")
        assert "themes.faint-test.up has a contrast of" in run.text() and "keys.down: s no longer" in run.text()


def test_what_is_odd_in_the_settings_does_not_hide_the_download_for_long() -> None:
    loading = fakes.feeds().with_columns(state=pl.lit("live"), done=pl.lit(3), wanted=pl.lit(9))
    snapshot = fakes.snapshot()
    moment = replace(snapshot, tables={**snapshot.tables, "feeds": loading})
    for waited, words in ((1.0, "keys.down: s is"), (60.0, "history ")):
        view = View(moment, Mode.DEMO, None, fakes.OPENING + 600, 0.1, waited)
        assert words in plain(message(view, ("keys.down: s is taken",)))


def test_the_tables_of_the_documentation_are_those_of_the_program() -> None:
    root = Path(keys.__file__).parents[1]
    readme = (root / "README.md").read_text("utf-8")
    assert reference.BEGIN in readme
    assert reference.with_table(readme) == readme, "run python -m tui.reference"
    assert (root / "docs" / "keys.md").read_text("utf-8") == reference.page(), "run python -m tui.reference"
