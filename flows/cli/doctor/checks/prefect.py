"""Prefect's server: the one that PREFECT_API_URL names, or whether one of our own can be started."""

import base64
import json
import os
import re
import urllib.error
import urllib.request
from importlib import metadata
from urllib.parse import urlsplit

from flows.cli.doctor.findings import Asked, Report, Step
from flows.servers.embedded import check_home, without_password

STEPS = ("version", "access")
UNSET = "or unset PREFECT_API_URL for a server of our own"


def check(asked: Asked, report: Report) -> None:
    """Asks the server, without starting any."""
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        with report.step("server") as step:
            check_home()
            step.ok(f"none is set: commands start one of their own (Prefect {metadata.version('prefect')})")
        return
    seconds = 0.4 * asked.seconds
    with report.step("server") as step:
        _reach(url, seconds, step)
    if not step.passed:
        report.skip("the server does not answer", *STEPS)
        return
    with report.step("version") as step:
        _version(url, seconds, step)
    with report.step("access") as step:
        _access(url, seconds, step)


def _reach(url: str, seconds: float, step: Step) -> None:
    if "@" in urlsplit(url).netloc:
        step.failed(
            "PREFECT_API_URL holds a name or a password", "put them into PREFECT_API_AUTH_STRING, as user:password"
        )
        return
    remedy = f"start the server, correct PREFECT_API_URL (it ends in /api), {UNSET}"
    try:
        answer = _ask(url, "health", seconds)
    except urllib.error.HTTPError as error:
        step.failed(f"{without_password(url)} answers {error.code} where a Prefect server says that it works", remedy)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        step.failed(f"no Prefect server answers at {without_password(url)} ({reason or type(error).__name__})", remedy)
    else:
        if answer is True:
            step.ok(f"{without_password(url)} answers")
        else:
            step.failed(f"what answers at {without_password(url)} is no Prefect server", remedy)


def _version(url: str, seconds: float, step: Step) -> None:
    ours = metadata.version("prefect")
    try:
        theirs = str(_ask(url, "admin/version", seconds))
    except urllib.error.HTTPError as error:
        step.skipped(f"the server does not say it (status {error.code})")
        return
    if _numbers(theirs)[:1] != _numbers(ours)[:1]:
        step.failed(f"{theirs} on the server, {ours} here", f"install prefect=={ours} on the server, {UNSET}")
    elif _numbers(theirs) < _numbers(ours):
        step.warning(f"the server's {theirs} is older than {ours} here", f"update the server to {ours} or newer")
    else:
        step.ok(f"{theirs} on the server, {ours} here")


def _access(url: str, seconds: float, step: Step) -> None:
    try:
        _ask(url, "flows/count", seconds, body={})
    except urllib.error.HTTPError as error:
        if error.code not in (401, 403):
            raise
        step.failed(
            f"the server refuses us (status {error.code})",
            "set PREFECT_API_AUTH_STRING (user:password), or PREFECT_API_KEY, as the server has it",
        )
    else:
        step.ok("flows can be asked for")


def _ask(url: str, path: str, seconds: float, body: object = None) -> object:
    """Returns the server's answer to one request, with the credentials that Prefect's own client would send."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url.rstrip('/')}/{path}", data, {"Content-Type": "application/json"})
    # For this server alone: one that sends us elsewhere does not send our key along.
    if basic := os.environ.get("PREFECT_API_AUTH_STRING"):
        credentials = base64.b64encode(basic.encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {credentials}")
    elif key := os.environ.get("PREFECT_API_KEY"):
        request.add_unredirected_header("Authorization", f"Bearer {key}")
    with urllib.request.urlopen(request, timeout=seconds) as answer:
        return json.loads(answer.read(2**20))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
