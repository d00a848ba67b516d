"""Fields whose values are names out of a registry: JSON schemas, and so Prefect's forms, list what there is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

Schema = dict[str, Any]


@dataclass(frozen=True)
class Choices:
    """Marks a text, or several (`Annotated[str, Choices(RECIPES.names)]`); what it allows is checked elsewhere.

    The names are asked for when a schema is made, which imports none of what they name.
    """

    names: Callable[[], Iterable[str]]
    more: tuple[str, ...] = ()
    """further values that stand for no name"""
    others: str = ""
    """what else may be given, for people: a name that is known elsewhere, a file; nothing where it is empty"""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        return self._listed(handler(core))

    def _listed(self, schema: Schema) -> Schema:
        """Returns a schema with every text in it, also as a list's items, restricted to the names."""
        if "anyOf" in schema:
            return {**schema, "anyOf": [one for part in schema["anyOf"] for one in self._alternatives(part)]}
        if "items" in schema:
            return {**schema, "items": self._listed(schema["items"])}
        if schema.get("type") != "string":
            return schema
        one, *others = self._alternatives(schema)
        facts = {name: value for name, value in schema.items() if name not in one}
        return {"anyOf": [one, *others], **facts} if others else {**facts, **one}

    def _alternatives(self, schema: Schema) -> list[Schema]:
        if schema.get("type") != "string":
            return [self._listed(schema)]
        known: Schema = {"type": "string", "enum": [*self.names(), *self.more]}
        return [known | {"title": "known here"}, {"type": "string", "title": self.others}] if self.others else [known]


class OrText:
    """Marks a field that a text stands for, too, which the configuration reads."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        schema = handler(core)
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "string"}]}
