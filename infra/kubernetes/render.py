"""Renders Terraform's outputs into the generated part of an overlay.

`terraform output -json | python -m infra.kubernetes.render --environment dev --version 1.4.0` or `make render`.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml

from infra.errors import InfraError

FOLDER = Path(__file__).parent
TEMPLATE = FOLDER / "bases/prefect/base-job-template.json"
COMPONENT = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
NEEDED = ("store_uri", "region", "cluster_name", "namespace", "image_repository", "service_accounts")
AUTOSCALER = "autoscaler"
"""The one kind of role whose pods are not jobs of ours."""


def render(outputs: dict[str, Any], version: str, target: Path) -> list[Path]:
    """Writes what an environment takes from Terraform: two components of its overlays, and its deployments' variables.

    Args:
        outputs: of `terraform output -json`, unchanged.
        version: of the images, which were pushed as `<repository>:<version>-cpu` and `…-cuda`.
        target: folder that takes the components `platform` and `images`, and `deployments.env` for
            prefect.kubernetes.yaml: `overlays/<environment>/generated`.

    Returns:
        The files.

    Raises:
        InfraError: an output is missing.
    """
    values = _values(outputs)
    images = {kind: f"{version}-{kind}" for kind in ("cpu", "cuda")}
    repository = values["image_repository"]
    files = {
        "images/kustomization.yaml": _yaml(
            COMPONENT
            | {"images": [{"name": f"jepa-{k}", "newName": repository, "newTag": tag} for k, tag in images.items()]}
        ),
        "platform/kustomization.yaml": _yaml(_platform(values)),
        "platform/service-accounts.yaml": _service_accounts(values["service_accounts"]),
        "platform/base-job-template.json": _template(values["namespace"], f"{repository}:{images['cpu']}"),
        "deployments.env": f"JEPA_STORE={values['store_uri']}\nJEPA_IMAGE={repository}:{version}\n",
    }
    for name, text in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [target / name for name in files]


def settings(values: dict[str, Any]) -> dict[str, str]:
    """Returns the variables by which jepa and every S3 client find the store."""
    return {"JEPA_STORE": values["store_uri"], "AWS_REGION": values["region"], "AWS_DEFAULT_REGION": values["region"]}


def _values(outputs: dict[str, Any]) -> dict[str, Any]:
    missing = [name for name in NEEDED if name not in outputs]
    if missing:
        raise InfraError(
            f"Terraform's outputs lack {', '.join(missing)}; run `terraform apply`, then `terraform output -json`, "
            "in terraform/environments/<environment>"
        )
    return {name: outputs[name]["value"] for name in NEEDED}


def _platform(values: dict[str, Any]) -> dict[str, Any]:
    return COMPONENT | {
        "resources": ["service-accounts.yaml"],
        "configMapGenerator": [
            _config_map("jepa-settings", values["namespace"], settings(values)),
            _config_map(
                "cluster-autoscaler",
                values["service_accounts"][AUTOSCALER]["namespace"],
                {"CLUSTER_NAME": values["cluster_name"], "AWS_REGION": values["region"]},
            ),
            {
                "name": "prefect-base-job-template",
                "namespace": values["namespace"],
                "files": ["base-job-template.json"],
            },
        ],
        # A job names its settings in a kind of resource that kustomize knows nothing of, so it could not follow a hash.
        "generatorOptions": {"disableNameSuffixHash": True},
    }


def _config_map(name: str, namespace: str, literals: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "literals": [f"{key}={value}" for key, value in literals.items()]}


def _service_accounts(accounts: dict[str, Any]) -> str:
    """Pod Identity gives a service account its role by its name alone; the annotation is for people."""
    return yaml.safe_dump_all(
        (
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {
                    "name": account["name"],
                    "namespace": account["namespace"],
                    "annotations": {"jepa-foundry/role-arn": account["role_arn"]},
                },
                # The autoscalers, of nodes and in a Ray head, ask for the token in their pods.
                "automountServiceAccountToken": False,
            }
            for _, account in sorted(accounts.items())
        ),
        sort_keys=False,
    )


def _template(namespace: str, image: str) -> str:
    template = json.loads(TEMPLATE.read_text())
    variables = template["variables"]["properties"]
    variables["namespace"]["default"] = namespace
    variables["image"]["default"] = image
    return json.dumps(template, indent=2) + "\n"


def _yaml(content: dict[str, Any]) -> str:
    return yaml.safe_dump(content, sort_keys=False)


def main(arguments: list[str] | None = None) -> int:
    """Reads the outputs from a file or from stdin, and says what it wrote."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environment", required=True, choices=sorted(p.name for p in (FOLDER / "overlays").iterdir()))
    parser.add_argument("--version", required=True, help="version of the pushed images, without -cpu or -cuda")
    parser.add_argument("--outputs", type=Path, help="file with the outputs; by default they are read from stdin")
    options = parser.parse_args(arguments)
    try:
        outputs = json.loads(options.outputs.read_text() if options.outputs else sys.stdin.read())
        for path in render(outputs, options.version, FOLDER / "overlays" / options.environment / "generated"):
            print(path)
    except (InfraError, json.JSONDecodeError, OSError) as error:
        print(error if isinstance(error, InfraError) else f"the outputs cannot be read: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
