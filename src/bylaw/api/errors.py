"""What the framework raises, answered as everything else that fails."""

from collections.abc import Collection, Mapping
from typing import cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from bylaw.api.incoming import Incoming
from bylaw.api.problems import Answer, Failures
from bylaw.core.errors import BylawError, InvalidInput, Problem


def install(app: FastAPI, failures: Failures, *, hot: Collection[tuple[str, str]]) -> None:
    """Let `app` answer every error by `failures`; what nobody expects also reaches the edge.

    `hot` are the routes in front of the app, by method and path.
    """
    app.state.failures = failures
    app.state.hot = hot
    app.add_exception_handler(BylawError, _ours)
    app.add_exception_handler(HTTPException, _of_status)
    app.add_exception_handler(RequestValidationError, _of_parameters)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(request: Request, error: Exception) -> Response:
    if not isinstance(error, BylawError):
        raise error
    return _response(_failures(request).of(error, _incoming(request)))


async def _of_status(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    allow = _methods(request) if error.status_code in {404, 405} else set()
    status = 405 if allow else error.status_code
    details = {
        404: f"There is no {request.url.path} here: /openapi.json lists every route.",
        405: f"{request.url.path} does not take {request.method}.",
    }
    detail = details.get(status, str(error.detail))
    return _response(_failures(request).of_status(status, detail, _incoming(request), allow=allow))


async def _of_parameters(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    found = [
        Problem(path=".".join(map(str, each["loc"])), code=each["type"], message=_said(each))
        for each in error.errors()
    ]
    message = " ".join(f"{problem.path}: {problem.message}" for problem in found)
    return _response(_failures(request).of(InvalidInput(message, *found), _incoming(request)))


def _said(problem: Mapping[str, object]) -> str:
    """Return what a person is told about a parameter."""
    if problem["type"] == "extra_forbidden":
        return "There is no such parameter: /openapi.json lists those there are."
    return f"{problem['msg']}."


async def _unexpected(request: Request, error: Exception) -> Response:  # noqa: ARG001 - logged by the edge
    return _response(_failures(request).unexpected(_incoming(request)))


def _methods(request: Request) -> set[str]:
    """Return every method that the most literal path which fits that of `request` takes."""
    path = cast("str", request.scope["path"])  # that of the URL lacks the ends of lines in it
    fitting = [
        route for route in request.app.routes if isinstance(route, APIRoute) and route.path_regex.match(path)
    ]
    literal = min((route.path_format for route in fitting), key=lambda path: path.count("{"), default="")
    found = [route for route in fitting if route.path_format == literal]
    offered = {method for route in found for method in route.methods or ()}
    return offered | {method for method, hot in request.app.state.hot if hot == path}


def _failures(request: Request) -> Failures:
    return cast("Failures", request.app.state.failures)


def _incoming(request: Request) -> Incoming:
    return cast("Incoming", request.scope["bylaw"])


def _response(answer: Answer) -> Response:
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    return Response(answer.body, status_code=answer.status, headers=headers)
