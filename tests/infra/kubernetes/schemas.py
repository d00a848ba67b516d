"""Custom resources against the schemas of their definitions, with unknown fields refused."""

import json
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """Returns the schema with each object closed that names its fields; Kubernetes would drop what is not named."""
    closed = {name: _strict(value) for name, value in schema.items()}
    if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        closed.setdefault("additionalProperties", False)
    if schema.get("nullable") and isinstance(schema.get("type"), str):
        closed["type"] = [schema["type"], "null"]
    return closed


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        # The fields of an object are a mapping of names to schemas, and a field may be called `properties`.
        return strict(value) if "type" in value or "properties" in value or "anyOf" in value else _each(value)
    return [_strict(item) for item in value] if isinstance(value, list) else value


def _each(value: dict[str, Any]) -> dict[str, Any]:
    return {name: _strict(item) for name, item in value.items()}


def problems(schema: dict[str, Any], manifest: dict[str, Any]) -> list[str]:
    """Returns what is wrong with an object, each with the path to it."""
    return [
        f"{error.json_path}: {error.message}" for error in Draft202012Validator(strict(schema)).iter_errors(manifest)
    ]


def load(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Returns the schemas of a folder by (apiVersion, kind): JSON files of our data, or custom resource definitions."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text())
        for version, schema in content["versions"].items():
            found[f"{content['group']}/{version}", content["kind"]] = schema
    for path in sorted(folder.glob("*.yaml")):
        for definition in filter(None, yaml.safe_load_all(path.read_text())):
            spec = definition["spec"]
            for version in spec["versions"]:
                schema = version["schema"]["openAPIV3Schema"]
                found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found
