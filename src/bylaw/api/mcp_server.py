"""What the MCP server answers, by the official SDK: Streamable HTTP without sessions, answered in JSON."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, TypeAlias, cast

import msgspec
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)
from starlette.requests import Request

import bylaw
from bylaw.api.asgi import App
from bylaw.api.incoming import Incoming
from bylaw.api.inside import Inside, answered_by
from bylaw.api.mcp_tools import tools
from bylaw.api.mcp_words import INSTRUCTIONS
from bylaw.api.problems import Answer
from bylaw.core.errors import InvalidInput

Context: TypeAlias = ServerRequestContext[Mapping[str, object], Request]
# Headers that speak of the message and not of the request that it stands for.
_OF_MESSAGE: Final = frozenset({b"content-length", b"idempotency-key", b"if-match"})


class McpServer:
    """Answers messages that were let in, by asking `inside`."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        self._tools = {tool.name: tool for tool in tools()}
        self._server = Server(
            "bylaw",
            version=bylaw.__version__,
            title="Bylaw",
            instructions=INSTRUCTIONS,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )

    async def answer(self, incoming: Incoming) -> Answer:
        """Return what the SDK answers to one message."""
        manager = StreamableHTTPSessionManager(self._server, json_response=True, stateless=True)
        async with manager.run():
            return await answered_by(cast("App", manager.handle_request), incoming)

    async def _list(self, _context: Context, _params: PaginatedRequestParams | None) -> ListToolsResult:
        """Return the tools as clients see them."""
        return ListToolsResult(
            tools=[
                Tool(
                    name=tool.name,
                    title=tool.title,
                    description=tool.description,
                    input_schema=tool.takes,
                    output_schema=tool.gives,
                    annotations=ToolAnnotations(
                        title=tool.title,
                        read_only_hint=tool.reads_only,
                        destructive_hint=False,
                        idempotent_hint=tool.reads_only,
                        open_world_hint=False,
                    ),
                )
                for tool in self._tools.values()
            ]
        )

    async def _call(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        """Return what the route of a tool answers. Raises: MCPError when there is no such tool."""
        tool = self._tools.get(params.name)
        if tool is None:
            raise MCPError(INVALID_PARAMS, f"There is no tool {params.name[:64]!r}: tools/list names all.")
        if context.request is None:
            raise MCPError(INVALID_PARAMS, "Tools are called over HTTP.")
        try:
            asked = tool.ask(params.arguments or {})
        except InvalidInput as error:
            return CallToolResult(content=[TextContent(text=error.message)], is_error=True)
        incoming = cast("Incoming", context.request.scope["bylaw"])
        headers = {name: value for name, value in incoming.headers.items() if name not in _OF_MESSAGE}
        if asked.idempotency_key:
            headers[b"idempotency-key"] = asked.idempotency_key.encode()
        inner = replace(
            incoming,
            method=asked.method,
            path=asked.path,
            headers=headers,
            body=asked.body,
            answer_headers=[],
        )
        found = await self._inside.ask(inner, asked.query)
        return CallToolResult(
            content=[TextContent(text=found.body.decode())],
            structured_content=msgspec.json.decode(found.body),
            is_error=found.status >= 400,
        )
