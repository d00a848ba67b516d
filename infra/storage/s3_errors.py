"""What S3 answers when it does not do what it was asked to, in one sentence with the address and the remedy."""

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from infra.errors import InfraError
from infra.storage.aws import unusable

MISSING = {"404", "NoSuchKey"}
TAKEN = {"412", "PreconditionFailed"}
CONFLICT = {"409", "ConditionalRequestConflict"}
REFUSED = {
    "401",
    "403",
    "AccessDenied",
    "AuthorizationHeaderMalformed",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
}
"""S3's words for a wrong credential; a HEAD request has no body and says only 403."""
SKEWED = {"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"}
ELSEWHERE = {"301", "302", "307", "308", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException"}
SKEW_SECONDS = 900
"""By how much a clock may differ from that of S3."""


class TakenError(Exception):
    """The object was there already."""


class ConflictError(Exception):
    """Another writer was at work on the same object."""


@dataclass(frozen=True)
class Addressed:
    """Who was asked, for the sentence."""

    bucket: str
    store: str
    """URI of the store"""
    server: str
    """the endpoint, or AWS S3 and its region"""
    origin: str
    """where the server's address comes from"""

    def answered(self, error: Any, address: str) -> Exception:
        """Returns what a `ClientError` means for an object, a FileNotFoundError where it is not there."""
        found = error.response["Error"]
        code, message = str(found.get("Code", "")), found.get("Message", "")
        if code in TAKEN:
            return TakenError()
        if code in CONFLICT:
            return ConflictError()
        if code == "NoSuchBucket":
            return InfraError(
                f"bucket {self.bucket!r} does not exist at {self.server}; create it or correct --store {self.store}"
            )
        if code in MISSING:
            return FileNotFoundError(f"{address} does not exist")
        if code == "InvalidRange":
            return InfraError(f"{address} is shorter than its manifest says: it is damaged; make it again")
        return InfraError(self._refusal(error, code) or f"{self._saying(code)} for store {self.store!r}: {message}")

    def unanswered(self, error: Exception) -> InfraError:
        """Returns the sentence for a request that got no answer, or none that can be understood."""
        name = type(error).__name__
        if name in ("NoCredentialsError", "PartialCredentialsError"):
            return InfraError(
                f"no credentials for store {self.store!r}: {str(error).rstrip('.').lower()}; "
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            )
        if any(word in name for word in ("Credential", "SSO", "Token")):
            return InfraError(f"no credentials for store {self.store!r}: {unusable(error)}")
        if isinstance(error, KeyError | TypeError | AttributeError) or name == "ResponseParserError":
            return InfraError(
                f"{self.server} does not answer as S3 does ({name}); correct {self.origin}, or --store {self.store}"
            )
        if (host := _unknown_host(error)) is not None:
            return InfraError(
                f"store {self.store!r} cannot be reached: this machine finds no address of host {host!r} in "
                f"{self.server}; correct {self.origin}, or --store"
            )
        if name == "ProxyConnectionError":
            return InfraError(
                f"store {self.store!r} cannot be reached through the proxy that HTTP_PROXY or HTTPS_PROXY names; "
                f"correct it, or name {self.server} in NO_PROXY"
            )
        return InfraError(
            f"store {self.store!r} cannot be reached at {self.server} ({name}); "
            f"start the server, or correct {self.origin}, or --store"
        )

    def _refusal(self, error: Any, code: str) -> str | None:
        found, region = error.response["Error"], _header(error, "x-amz-bucket-region")
        # HEAD has no body, so a wrong clock looks like a wrong key there.
        if code in SKEWED or (code in REFUSED and _skew(error) > SKEW_SECONDS):
            return (
                f"{self.server} refuses requests for store {self.store!r}: this machine's clock is {_skew(error):.0f} "
                f"s away from the server's ({code}); set it, as by `timedatectl set-ntp true`, and run the command "
                "again"
            )
        if code in ELSEWHERE or (code == "AuthorizationHeaderMalformed" and found.get("Region")):
            place = found.get("Endpoint") or found.get("Region") or region or _header(error, "location")
            return (
                f"bucket {self.bucket!r} is not at {self.server}, which points to {place or 'no other place'} "
                f"({code}); set AWS_REGION to the region of the bucket, or correct {self.origin}"
            )
        if code in REFUSED:
            return (
                f"{self.server} refuses our credentials for store {self.store!r} ({code}); set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY (or AWS_PROFILE) to a key that may read and write there"
            )
        return None

    def _saying(self, code: str) -> str:
        return f"{self.server} answered {code or 'an error'}"


def _header(error: Any, name: str) -> str | None:
    value = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get(name)
    return None if value is None else str(value)[:100]


def _unknown_host(error: BaseException) -> str | None:
    """Returns the host whose name could not be resolved, if that is the reason."""
    from urllib3.exceptions import NameResolutionError

    reason = getattr(error, "kwargs", {}).get("error")
    if not isinstance(reason, NameResolutionError):
        return None
    return str(getattr(reason.conn, "host", "")) or None


def _skew(error: Any) -> float:
    """Returns by how many seconds our clock differs from the answer's; 0 where it has no time."""
    try:
        return abs(parsedate_to_datetime(_header(error, "date") or "").timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0
