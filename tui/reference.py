"""The tables of keys and commands for the documentation, from the lists that the program itself reads.

python -m tui.reference            # writes docs/keys.md and the table in README.md; a test compares both
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tui import keys
from tui.commands import COMMANDS

BEGIN: Final = "<!-- keys: written by python -m tui.reference -->\n"
END: Final = "<!-- end of keys -->\n"


def _code(text: str) -> str:
    return " ".join(f"`{key}`" for key in text.replace("|", "\\|").split(" "))


def short() -> str:
    """One row a group: every key with its label."""
    every = keys.every()
    lines = ["| | |", "|---|---|"]
    for group in dict.fromkeys(a.group for a in every):
        cells = [f"{_code(keys.display(a.keys))} {a.label}" for a in every if a.group == group]
        where = f", {keys.CONTEXTS[group]}" if group in keys.CONTEXTS else ""
        lines.append(f"| {group}{where} | {' · '.join(cells)} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """docs/keys.md: every action with its keys, name and meaning, then every command."""
    lines = [
        "# Keys and commands",
        "",
        "Written by `python -m tui.reference` from the lists that bindings, help, footer and palette read. Every",
        "name can be given other keys under `[keys]` of the configuration; a clash is said in the message line.",
    ]
    every = keys.every()
    for group in dict.fromkeys(a.group for a in every):
        where = f" ({keys.CONTEXTS[group]})" if group in keys.CONTEXTS else ""
        lines += ["", f"## {group}{where}", "", "| key | name | what it does |", "|---|---|---|"]
        lines += [f"| {_code(keys.display(a.keys))} | `{a.id}` | {a.help} |" for a in every if a.group == group]
    lines += [
        "",
        "## Commands",
        "",
        "After `:`. Tab completes, ↑ and ↓ recall, Esc leaves; the name of every action is a",
    ]
    lines += ["command, too.", "", "| command | what it does |", "|---|---|"]
    lines += [f"| `{c.usage.replace('|', chr(92) + '|')}` | {c.help} |" for c in COMMANDS]
    return "\n".join(lines) + "\n"


def with_table(readme: str) -> str:
    """The README with its table of keys as it is now."""
    head, _, rest = readme.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}{short()}{END}{tail}"


def main() -> None:
    """Write both."""
    root = Path(__file__).parents[1]
    (root / "docs" / "keys.md").write_text(page(), "utf-8")
    readme = root / "README.md"
    readme.write_text(with_table(readme.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
