"""Where an AWS setting comes from, in words for its sentence, and whether an address of a server can be one."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.errors import InfraError


@dataclass(frozen=True)
class Setting:
    """A setting that is in force."""

    value: str
    origin: str
    """the variable, or the file and its line"""


def endpoint_setting(session: Any, value: str) -> Setting:
    """Returns the origin of the endpoint that botocore has found for S3.

    Raises:
        InfraError: it is no address of a server.
    """
    ignored = session.get_config_variable("ignore_configured_endpoint_urls")
    variables = () if ignored else ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    setting = Setting(value.rstrip("/"), _origin(session, "endpoint_url", value, variables))
    if problem := _problem(value):
        raise InfraError(
            f"the address of the S3 server {problem}; correct {setting.origin}, as in http://host:9000 or https://host"
        )
    return setting


def region_setting(session: Any, value: str) -> Setting:
    """Returns the origin of the region that is signed for.

    Raises:
        InfraError: it is no name of a region.
    """
    setting = Setting(value, _origin(session, "region", value, ("AWS_REGION", "AWS_DEFAULT_REGION")))
    plain = value.replace("-", "")
    if not (plain.isascii() and plain.isalnum() and len(value) <= 63 and value.strip("-") == value):
        raise InfraError(f"region {value[:80]!r} is none that can be; correct {setting.origin}, as in eu-central-1")
    return setting


def _problem(address: str) -> str | None:
    """Returns what keeps an address from being that of a server; a password in it is not repeated."""
    shown = repr(address if len(address) <= 100 else f"{address[:100]}…")
    if not address.isascii() or not address.isprintable() or " " in address:
        return f"{shown} holds characters that no address has" if "@" not in address else "holds odd characters"
    try:
        parts = urlsplit(address)
        host, port, credentials = parts.hostname or "", parts.port, "@" in parts.netloc
    except ValueError as error:
        return f"{shown} cannot be read ({error})" if "@" not in address else "cannot be read"
    if credentials:
        return "holds a name or a password, which belongs in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    if parts.scheme not in ("http", "https"):
        return f"{shown} does not begin with http:// or https://"
    if parts.query or parts.fragment:
        return f"{shown} goes on after the path"
    bracket, rest = "]" in parts.netloc, parts.netloc.rpartition("]")[2]
    labels = ["::1"] if bracket else host.removesuffix(".").split(".")
    if not all(0 < len(label) <= 63 for label in labels) or port == 0 or (bracket and rest[:1] not in ("", ":")):
        return f"{shown} names no host and port that can be"
    return None


def _origin(session: Any, name: str, value: str, variables: tuple[str, ...]) -> str:
    for variable in variables:
        if os.environ.get(variable) == value:
            return variable
    profile = session.get_config_variable("profile") or "default"
    for source in ("credentials_file", "config_file"):
        path = Path(session.get_config_variable(source)).expanduser()
        if line := _line(path, name, value, profile):
            return f"{name} in {path}, line {line}"
    return f"{name} of profile {profile!r}"


def _line(path: Path, name: str, value: str, profile: str) -> int | None:
    """Returns the line of a setting in a file: in the section of its profile, or in one for services."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return None
    own = False
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith("["):
            section = text.strip("[] \t").split()
            own = section[-1:] == [profile] or section[:1] == ["services"]
        key, _, given = text.partition("=")
        if own and key.strip() == name and given.strip() == value:
            return number
    return None
