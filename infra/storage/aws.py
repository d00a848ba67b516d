"""The one address book for S3: endpoint, region and credentials as botocore finds them, for every client alike.

boto3, Arrow and mosaicml-streaming each look in other places: Arrow knows no endpoint of a profile, boto3 no
AWS_REGION. So they are looked up here, once for each set of AWS variables, and handed to all of them. What botocore can
do (a profile with a role to assume, single sign-on, a `credential_process`, the services section), all of them can.
"""

import os
import threading
from functools import lru_cache
from typing import Any

from infra.errors import InfraError
from infra.storage.aws_origin import endpoint_setting, region_setting

DEFAULT_REGION = "us-east-1"

_LOCK = threading.Lock()


class AddressBook:
    """Where S3 is and who we are there, according to the AWS variables and the files that they name."""

    def __init__(self) -> None:
        """Reads variables and files, and asks nobody.

        Raises:
            InfraError: the profile does not exist, a file cannot be understood, or an address or a region can be none.
        """
        from botocore.configprovider import ConfiguredEndpointProvider
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session

        self.session: Any = Session()
        try:
            profile = self.session.get_scoped_config()
            own = self.session.get_config_variable("region")
            ignored = self.session.get_config_variable("ignore_configured_endpoint_urls")
            provider = ConfiguredEndpointProvider(self.session.full_config, profile, "s3")
            found = None if ignored else provider.provide()
        except BotoCoreError as error:
            raise InfraError(unusable(error)) from error
        self._endpoint = endpoint_setting(self.session, found) if found else None
        self.endpoint: str | None = self._endpoint.value if self._endpoint else None
        # As other AWS tools have it; botocore itself knows AWS_DEFAULT_REGION alone.
        self._region = region_setting(self.session, os.environ.get("AWS_REGION") or own or DEFAULT_REGION)
        self.region: str = self._region.value

    @property
    def server(self) -> str:
        """The server in words."""
        return self.endpoint or f"AWS S3 in {self.region}"

    @property
    def origin(self) -> str:
        """Where the address of the server comes from: a variable, or a file and its line."""
        return self._endpoint.origin if self._endpoint else f"AWS_ENDPOINT_URL (not set) or {self._region.origin}"

    def client(self, config: Any) -> Any:
        """Returns botocore's S3 client, which renews credentials that expire.

        Args:
            config: a `botocore.config.Config`.
        """
        with _LOCK:  # a session makes one client at a time
            return self.session.create_client("s3", endpoint_url=self.endpoint, region_name=self.region, config=config)

    def credentials(self) -> tuple[str, str, str | None] | None:
        """Returns key, secret and session token, renewed where they expire; None where there are none.

        Raises:
            InfraError: the profile's source of credentials fails.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            with _LOCK:
                found = self.session.get_credentials()
            frozen = found.get_frozen_credentials() if found is not None else None
        except (BotoCoreError, ClientError) as error:
            raise InfraError(unusable(error)) from error
        return None if frozen is None else (frozen.access_key, frozen.secret_key, frozen.token)


def address_book() -> AddressBook:
    """Returns the address book of this process's AWS variables; raises as it does."""
    return _read(tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_"))))


@lru_cache(maxsize=4)
def _read(variables: tuple[tuple[str, str], ...]) -> AddressBook:
    return AddressBook()


def unusable(error: Exception) -> str:
    """Returns a sentence about settings that cannot be used, with the end of what botocore says as its reason."""
    reason = " ".join(str(error).rstrip(". \n").split())
    reason = reason if len(reason) <= 100 else f"… {reason[-100:]}"
    return (
        f"the AWS settings cannot be used: {reason}; correct AWS_PROFILE, or the files that AWS_CONFIG_FILE and "
        "AWS_SHARED_CREDENTIALS_FILE name"
    )
