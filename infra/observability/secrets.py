"""Texts for logs and people without the credentials that this process has."""

import json
import os
import re

SECRET = re.compile("SECRET|TOKEN|PASSWORD|API_KEY|AUTH_STRING|CREDENTIAL")
"""In the names of variables whose values are never shown."""
SHORTEST = 6
"""Characters of such a value; a shorter one is a part of innocent words."""
USER_INFO = re.compile(r"(?<=://)[^/\s@]+(?=@)")
"""A name, password or token before the host of an address."""
HIDDEN = "***"


def without_secrets(text: str) -> str:
    """Returns a text without the values of secret variables, whatever library put them there, and of addresses."""
    for name, value in os.environ.items():
        # A variable such as RAY_AUTH_TOKEN_PATH names a file.
        if SECRET.search(name) and len(value) >= SHORTEST and not os.path.exists(value):
            # Of `user:password` the password alone, too; and as JSON writes it.
            for part in (value, *value.split(":", 1)[1:]):
                for written in (part, json.dumps(part)[1:-1]):
                    text = text.replace(written, HIDDEN) if len(part) >= SHORTEST else text
    return USER_INFO.sub(HIDDEN, text)
