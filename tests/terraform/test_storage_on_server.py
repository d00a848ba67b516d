"""The storage module, really applied to a local server that speaks AWS's protocols; the pipeline runs on it."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from infra.storage.s3_server import S3Server
from pipelines.collect import CollectConfig, collect
from pipelines.store import DatasetHandle, verify
from pipelines.store.garbage import delete_garbage, find_garbage
from tests.terraform.conftest import Terraform

ROOT_MODULE = Path(__file__).with_name("storage_on_server") / "main.tf"
BUCKET = "jepa-made-by-terraform"


@contextmanager
def applied(terraform: Terraform, tree: Path, folder: Path, server: S3Server) -> Iterator[dict[str, Any]]:
    """Makes the bucket and what belongs to it, gives the outputs, and destroys all of it at the end."""
    shutil.copytree(tree / "modules", folder / "modules")
    (folder / "main.tf").write_text(ROOT_MODULE.read_text().replace("MODULE", "./modules/storage"))
    terraform.init(folder)
    options = ("-auto-approve", "-input=false", "-no-color", "-var", f"endpoint={server.endpoint}")
    try:
        done = terraform.run(folder, "apply", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        again = terraform.run(folder, "plan", "-detailed-exitcode", *options[1:])
        assert again.returncode == 0, f"what was applied is not what was asked for:\n{again.stdout}{again.stderr}"
        outputs = json.loads(terraform.run(folder, "output", "-json").stdout)
        yield {name: output["value"] for name, output in outputs.items()}
    finally:
        done = terraform.run(folder, "destroy", *options)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.s3
@pytest.mark.timeout(1800)  # the provider waits for S3's lifecycle to settle, and on a busy machine for much else
def test_the_pipeline_runs_on_the_bucket_that_terraform_makes(
    terraform: Terraform, tree: Path, tmp_path: Path, s3: str, s3_server: S3Server
) -> None:
    """Apply, plan again with no change, collect a dataset through `open_store`, verify it, destroy: nothing is left."""
    clients: dict[str, Any] = {
        name: boto3.client(name, endpoint_url=s3_server.endpoint) for name in ("s3", "iam", "kms")
    }
    with applied(terraform, tree, tmp_path, s3_server) as outputs:
        _check_bucket(clients, outputs)
        store = open_store(outputs["uri"])
        with pytest.raises(InfraError, match="403"):
            store.check()
        # moto denies as the policy says, but always: it does not look at the conditions (TLS) of a statement.
        clients["s3"].delete_bucket_policy(Bucket=BUCKET)
        store.check()
        config = CollectConfig(
            world="two_room", name="d0", episodes=4, steps=8, image_size=32, executor="local", actors=1
        )
        collect(config, store)
        assert verify(DatasetHandle(store, "d0")).problems == ()
        _check_that_gc_can_be_undone(clients["s3"], store)
        _empty(clients["s3"])
    assert [bucket["Name"] for bucket in clients["s3"].list_buckets()["Buckets"] if BUCKET in bucket["Name"]] == []
    assert [policy for policy in _policies(clients["iam"]) if BUCKET in policy] == []
    assert [alias for alias in clients["kms"].list_aliases()["Aliases"] if BUCKET in alias["AliasName"]] == []


def _check_bucket(clients: dict[str, Any], outputs: dict[str, Any]) -> None:
    """Asks the server what the bucket is like, for the mocked tests see only what was planned."""
    s3 = clients["s3"]
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    block = s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]}
    assert rules["abort-stale-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    assert rules["forget-what-gc-deletes"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
    assert not any("Days" in rule.get("Expiration", {}) for rule in rules.values())
    encryption = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    statements = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert {statement["Effect"] for statement in statements} == {"Deny"}
    assert sorted(outputs["policy_arns"].values()) == sorted(p for p in _policies(clients["iam"]) if BUCKET in p)


def _check_that_gc_can_be_undone(s3: Any, store: Store) -> None:
    """What `jepa gc` deletes is gone for us, and lies below a delete marker, from where it can be brought back."""
    left = "datasets/d9/shards/left"
    store.write(left, b"left")
    delete_garbage(store, find_garbage(store, timedelta()))
    assert not store.exists(left)
    found = s3.list_object_versions(Bucket=BUCKET, Prefix=left)
    (marker,) = found["DeleteMarkers"]
    assert marker["IsLatest"] and len(found["Versions"]) == 1
    s3.delete_object(Bucket=BUCKET, Key=left, VersionId=marker["VersionId"])
    assert store.read(left) == b"left"


def _empty(s3: Any) -> None:
    """Deletes every version, for moto answers 500 to that once `destroy` has suspended the bucket's versioning."""
    found = s3.list_object_versions(Bucket=BUCKET)
    versions = found.get("Versions", []) + found.get("DeleteMarkers", [])
    objects = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": objects})


def _policies(iam: Any) -> list[str]:
    return [policy["Arn"] for policy in iam.list_policies(Scope="Local")["Policies"]]
