"""Secrets are named in the config and read where they live: an environment variable or the system's keyring.

A secret's text never enters the config, the journal, a log or an error.
"""

from __future__ import annotations

import os
import re

from notify.channel import DeliveryError

REFERENCE = re.compile(r"env:(?P<variable>[A-Za-z_][A-Za-z0-9_]*)|keyring:(?P<service>[^/\s]+)/(?P<user>\S+)")


def resolve(reference: str) -> str:
    """The secret that `env:NAME` or `keyring:SERVICE/USER` names. Raises DeliveryError where there is none."""
    found = REFERENCE.fullmatch(reference)
    if found is None:
        raise DeliveryError("a secret is named as env:NAME or keyring:SERVICE/USER", final=True)
    if found["variable"]:
        value = os.environ.get(found["variable"], "")
        if not value:
            raise DeliveryError(f"the environment variable {found['variable']} is not set")
        return value
    # loads a back end of the desktop's: only where it is asked for
    import keyring
    from keyring.errors import KeyringError

    try:
        stored = keyring.get_password(found["service"], found["user"])
    except KeyringError as error:
        raise DeliveryError(f"the keyring cannot be read: {type(error).__name__}") from None
    if not stored:
        raise DeliveryError(f"the keyring has nothing for {found['service']}/{found['user']}")
    return stored
