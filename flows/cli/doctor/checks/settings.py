"""The settings that come from outside: which variables are set, and whether the AWS settings can be read."""

import os

from flows.cli.doctor.findings import Asked, Report
from infra.settings import AWS_VARIABLES, TRACKER_VARIABLES
from infra.storage.aws import address_book

NAMED = ("RAY_ADDRESS", "RAY_AUTH_MODE", "PREFECT_API_URL", "MUJOCO_GL", "CUDA_VISIBLE_DEVICES", "TMPDIR", "RAY_TMPDIR")
ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION")


def check(asked: Asked, report: Report) -> None:
    """Names the variables without their values, some of which are secrets, and reads the AWS settings."""
    with report.step("variables") as step:
        ours = {name for name in os.environ if name.startswith("JEPA_")}
        others = {name for name in (*NAMED, *AWS_VARIABLES, *ENDPOINTS, *TRACKER_VARIABLES) if os.environ.get(name)}
        names = sorted(ours | others)
        step.ok(f"set: {', '.join(names)}" if names else "none that jepa reads is set: all is at its default")
    with report.step("aws") as step:
        book = address_book()
        if not asked.store.startswith("s3://"):
            step.ok(f"can be read; not used by a store in a folder ({book.server})")
        elif book.credentials() is None:
            step.failed(
                "no credentials are found",
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role",
            )
        else:
            step.ok(f"{book.server}, from {book.origin}; credentials are found")
