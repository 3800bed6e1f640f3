"""The pieces that the OpenAPI document's operations are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rotoclear.api.schemas import reference
from rotoclear.values import Schema

Operation = dict[str, object]
"""An object of OpenAPI's: an operation, or a part of one."""

Who = list[dict[str, list[str]]]
"""Any one of these lets one in; the empty one is nobody in particular."""

ALL: Final[Who] = [{}, {"token": []}]
"""Everybody; who logs in may see more."""
TOKEN: Final[Who] = [{"token": []}]
"""Only who has logged in."""
PIXELS: Final[Who] = [*TOKEN, {"ticket": []}, {"password": []}]
"""Likewise; for what shows pixels a ticket or Basic will do."""


def json_body(doc: str, schema: Schema) -> Operation:
    """A response, or a request's body, that is a JSON document."""
    return {"description": doc, "content": {"application/json": {"schema": schema}}}


def operation(
    tag: str,
    name: str,
    summary: str,
    answers: Mapping[str, Operation],
    *,
    who: Who = TOKEN,
    refusals: tuple[str, ...] = (),
    body: str | None = None,
    parameters: tuple[Operation, ...] = (),
    doc: str = "",
) -> Operation:
    """One request: who may make it, and every answer it can have."""
    described: Operation = {"tags": [tag], "operationId": name, "summary": summary}
    if doc:
        described["description"] = doc
    if parameters:
        described["parameters"] = list(parameters)
    if body:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": reference(body)}},
        }
        refusals = ("400", "403", "411", "413", "415", *refusals)
    if not any(not needed for needed in who):
        refusals = ("401", *refusals)
    described["responses"] = {
        **{
            status: {"$ref": f"#/components/responses/{_ERROR_NAMES[status]}"}
            for status in sorted({*refusals, "405"})
        },
        **answers,
    }
    described["security"] = who
    return described


_ERROR_NAMES: Final = {
    "400": "BadRequest",
    "401": "Unauthorized",
    "403": "Forbidden",
    "404": "NotFound",
    "405": "MethodNotAllowed",
    "409": "Conflict",
    "411": "LengthRequired",
    "413": "ContentTooLarge",
    "415": "UnsupportedMediaType",
    "426": "UpgradeRequired",
    "429": "TooManyRequests",
    "502": "BadGateway",
    "503": "ServiceUnavailable",
}


def refusal(doc: str, **headers: str) -> Operation:
    """A response that is an error, with headers of its own (hyphens written as underscores)."""
    response = json_body(doc, reference("Error"))
    if headers:
        response["headers"] = {
            name.replace("_", "-"): {"description": meaning, "schema": {"type": "string"}}
            for name, meaning in headers.items()
        }
    return response


def refused(doc: str) -> Operation:
    """Nothing that was asked for could be done: the reason of each key."""
    return json_body(doc, reference("StateRefused"))


_RETRY: Final = "Seconds after which another try makes sense."

ERROR_RESPONSES: Final[dict[str, Operation]] = {
    "BadRequest": refusal("The request makes no sense; the message says why."),
    "Unauthorized": refusal(
        "No token, or one that is not valid (any more).", WWW_Authenticate="`Bearer`."
    ),
    "Forbidden": refusal(
        "The permission is missing (the message names it), or a page of a foreign origin asks."
    ),
    "NotFound": refusal("There is nothing here."),
    "MethodNotAllowed": refusal("Not with this method.", Allow="The methods there are."),
    "Conflict": refusal("It does not fit what is there; the message says why."),
    "LengthRequired": refusal("The request takes a body."),
    "ContentTooLarge": refusal("The body is too large."),
    "UnsupportedMediaType": refusal("The body must be `application/json`."),
    "UpgradeRequired": refusal("This is a WebSocket; the message says how to connect."),
    "BadGateway": refusal("The device has failed; the message says how."),
    "TooManyRequests": refusal("Too many failed logins.", Retry_After=_RETRY),
    "ServiceUnavailable": refusal("Not now: the server is busy or full.", Retry_After=_RETRY),
}
