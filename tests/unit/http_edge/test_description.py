"""The description says what the routes do: nothing is listed by hand."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import pytest
from litestar import Litestar, Response, Router, get, post
from litestar.params import Parameter
from msgspec import Meta

from tiebreak.errors import Refusal
from tiebreak.http_edge.application import application
from tiebreak.http_edge.description import BEARER, CALLER, FACTS, Facts, describe, joined
from tiebreak.http_edge.links import add_links


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """What a caller sends."""

    count: Annotated[int, Meta(ge=1, le=9)]


class Thing(msgspec.Struct):
    """What a caller gets."""

    thing_id: str


class Things(msgspec.Struct):
    """Several."""

    things: list[Thing]


@post("/things", status_code=201, opt={FACTS: Facts((Refusal.EMAIL_TAKEN,))})
async def make_thing(data: Wanted) -> Thing:
    """Make one.

    It takes a while.
    """
    raise NotImplementedError


@get("/things", opt={FACTS: Facts()})
async def list_things(
    limit: Annotated[int, Parameter(ge=1, le=5)] = 2,
    around: Literal["me"] | None = None,
    order: Literal["old", "new"] = "old",
) -> Things | Response[bytes]:
    """All."""
    raise NotImplementedError


@get("/things/{thing_id:str}", opt={FACTS: Facts((Refusal.TOO_MANY_TRIES,), outages=False)})
async def show_thing(thing_id: str) -> Response[Thing]:
    """One."""
    raise NotImplementedError


@get("/page", sync_to_thread=False)
def page() -> str:
    """Not of the interface."""
    raise NotImplementedError


def app() -> Litestar:
    private = Router("/", route_handlers=[make_thing], opt={CALLER: BEARER})
    return application([private, list_things, show_thing, page], {}, outages=())


@pytest.fixture
def document():
    return describe(app(), title="T", version="1", description="D")


def test_only_routes_with_facts(document):
    """Pages for people are not described."""
    assert document["paths"].keys() == {"/things", "/things/{thing_id}"}


def test_bodies(document):
    """Limits are those that are enforced, and unknown fields are refused."""
    made = document["paths"]["/things"]["post"]
    assert (made["operationId"], made["summary"], made["description"]) == (
        "make_thing",
        "Make one.",
        "It takes a while.",
    )
    assert made["requestBody"]["required"] is True
    wanted = document["components"]["schemas"]["Wanted"]
    assert wanted["properties"]["count"] == {"type": "integer", "minimum": 1, "maximum": 9}
    assert wanted["additionalProperties"] is False


def test_refusals(document):
    """By status, with the codes each may carry and the headers it comes with; those of the router, too."""
    responses = document["paths"]["/things"]["post"]["responses"]
    assert list(responses) == ["201", "400", "401", "409", "413", "503"]
    _, narrowed = responses["401"]["content"]["application/problem+json"]["schema"]["allOf"]
    assert narrowed["properties"]["status"] == {"const": 401}
    assert narrowed["properties"]["code"]["enum"] == ["token_expired", "token_invalid", "token_missing"]
    assert responses["401"]["headers"].keys() == {"WWW-Authenticate"}
    assert responses["503"]["headers"].keys() == {"Retry-After"}
    assert document["paths"]["/things"]["post"]["security"] == [{"bearer": []}]
    shown = document["paths"]["/things/{thing_id}"]["get"]
    assert (shown["responses"].keys(), shown["security"]) == ({"200", "400", "429"}, [])


def test_parameters(document):
    """Ids in paths, and what may stand in a query: what may be None may be left out."""
    [id_] = document["paths"]["/things/{thing_id}"]["get"]["parameters"]
    assert (id_["in"], id_["required"], id_["schema"]) == ("path", True, {"type": "string", "format": "uuid"})
    limit, around, order = document["paths"]["/things"]["get"]["parameters"]
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 5, "default": 2}
    assert around["schema"] == {"enum": ["me"]}
    assert order["schema"] == {"enum": ["new", "old"], "default": "old"}


def test_links(document):
    """An id in a response leads to what takes it, also from the first of a list."""
    add_links(document)
    for path, method, status, expression in (
        ("/things", "post", "201", "$response.body#/thing_id"),
        ("/things", "get", "200", "$response.body#/things/0/thing_id"),
    ):
        links = document["paths"][path][method]["responses"][status]["links"]
        assert links == {"show_thing": {"operationId": "show_thing", "parameters": {"thing_id": expression}}}


def test_two_descriptions_as_one(document):
    """Paths and schemas of both; two schemas of one name have to be told apart."""
    other = {
        "paths": {"/other": {}},
        "components": {"schemas": {"Other": {}, "Thing": document["components"]["schemas"]["Thing"]}},
    }
    both = joined(document, other)
    assert both["paths"].keys() == {"/things", "/things/{thing_id}", "/other"}
    assert both["components"]["schemas"].keys() == {*document["components"]["schemas"], "Other"}
    with pytest.raises(ValueError, match="Thing"):
        joined(document, {"paths": {}, "components": {"schemas": {"Thing": {"type": "string"}}}})
