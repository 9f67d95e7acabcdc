"""What the framework raises, as the same problems as everything else."""

from collections.abc import Mapping

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from bylaw.api import problems
from bylaw.api.incoming import Incoming
from bylaw.api.problems import Answer
from bylaw.core.errors import BylawError, InvalidInput, Problem


def install(app: FastAPI) -> None:
    """Let `app` answer every error with a problem; what nobody expects also reaches the edge."""
    app.add_exception_handler(BylawError, _ours)
    app.add_exception_handler(HTTPException, _of_status)
    app.add_exception_handler(RequestValidationError, _of_parameters)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(request: Request, error: Exception) -> Response:
    if not isinstance(error, BylawError):
        raise error
    return _response(problems.answer(error, _id(request)))


async def _of_status(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    details = {
        404: f"There is no {request.url.path} here: /openapi.json lists every route.",
        405: f"{request.url.path} does not take {request.method}.",
    }
    allow = ", ".join(sorted(_methods(request))) if error.status_code == 405 else ""
    detail = details.get(error.status_code, str(error.detail))
    return _response(problems.answer_status(error.status_code, detail, _id(request), allow=allow))


async def _of_parameters(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    found = [
        Problem(path=".".join(map(str, each["loc"])), code=each["type"], message=_said(each))
        for each in error.errors()
    ]
    message = " ".join(f"{problem.path}: {problem.message}" for problem in found)
    return _response(problems.answer(InvalidInput(message, *found), _id(request)))


def _said(problem: Mapping[str, object]) -> str:
    """Return what a person is told about a parameter."""
    if problem["type"] == "extra_forbidden":
        return "There is no such parameter: /openapi.json lists those there are."
    return f"{problem['msg']}."


async def _unexpected(request: Request, error: Exception) -> Response:  # noqa: ARG001 - logged by the edge
    return _response(problems.unexpected(_id(request)))


def _methods(request: Request) -> set[str]:
    """Return every method that some route takes at the path of `request`."""
    found = (route for route in request.app.routes if isinstance(route, APIRoute))
    return {
        method
        for route in found
        if route.path_regex.match(request.url.path)
        for method in route.methods or ()
    }


def _id(request: Request) -> str:
    incoming = request.scope["bylaw"]
    return incoming.id if isinstance(incoming, Incoming) else ""


def _response(answer: Answer) -> Response:
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    return Response(answer.body, status_code=answer.status, headers=headers)
