"""Python's collector of cycles while the program starts: it stands still until the libraries are in.

Importing makes some hundred thousand objects that all stay; looking through them again and again costs a sixth of the
start. Afterwards they are set apart for good, so that no later collection, which holds up a key press, looks at them.
"""

from __future__ import annotations

import gc


def hold() -> None:
    """Collect nothing for now."""
    gc.disable()


def resume() -> None:
    """Collect again, but never what exists now; nothing where nothing was held."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
