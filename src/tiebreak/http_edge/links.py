"""OpenAPI links: which requests take what a response has given. A thing has one name everywhere, so names are enough.

A `quiz_id` in a response leads to every operation that takes a `quiz_id`, in its path or its body.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

JsonObject = dict[str, Any]


def add_links(document: JsonObject) -> None:
    """Give each success response the links that follow from its fields."""
    operations = [it for methods in document["paths"].values() for it in methods.values()]
    for operation in operations:
        success = next(it for status, it in operation["responses"].items() if status < "3")
        links: JsonObject = {}
        for name, pointer in identifiers(schema_in(success), document):
            for taker in operations:
                if taker is not operation:
                    link_to(taker, name, f"$response.body#{pointer}", links, document)
        if links:
            success["links"] = links


def link_to(taker: JsonObject, name: str, expression: str, links: JsonObject, document: JsonObject) -> None:
    """Note that the operation takes this, if it does."""
    in_path = any(it["name"] == name for it in taker.get("parameters", ()))
    in_body = name in body_fields(taker, document)
    if in_path or in_body:
        link: JsonObject = links.setdefault(taker["operationId"], {"operationId": taker["operationId"]})
        link.setdefault("parameters" if in_path else "requestBody", {}).setdefault(name, expression)


def identifiers(schema: JsonObject, document: JsonObject) -> Iterator[tuple[str, str]]:
    """Fields that name a thing, and where they are (JSON pointer): at the top, then in the first one of a list."""
    fields = properties(schema, document)
    for name in fields:
        if names_something(name):
            yield name, f"/{name}"
    for name, field in fields.items():
        for inner in properties(field.get("items", {}), document):
            if names_something(inner):
                yield inner, f"/{name}/0/{inner}"


def names_something(field: str) -> bool:
    return field.endswith("_id") or field in {"pin", "refresh_token"}


def schema_in(message: Mapping[str, Any]) -> JsonObject:
    """The JSON schema of a response or a request's body."""
    return message.get("content", {}).get("application/json", {}).get("schema", {})


def body_fields(operation: JsonObject, document: JsonObject) -> JsonObject:
    schema = schema_in(operation.get("requestBody", {}))
    [first, *_] = schema.get("anyOf", [schema])
    return properties(first, document)


def properties(schema: JsonObject, document: JsonObject) -> JsonObject:
    if reference := schema.get("$ref"):
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    return schema.get("properties", {})
