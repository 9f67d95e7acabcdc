"""One visit of a page: who looks, what they ask of the API, and what they are shown."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeVar, cast
from urllib.parse import parse_qsl, quote, unquote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bylaw.core.ids import Ids
from bylaw.dashboard import security
from bylaw.dashboard.asking import HIDDEN, Answered, Api, Asked, Item, Query, Refused, items, part, words
from bylaw.dashboard.held import Held, held_of, read_held, written_held
from bylaw.dashboard.pulse import Pulse
from bylaw.dashboard.rendering import Renderer
from bylaw.dashboard.security import Cookies

T = TypeVar("T")
THEMES: Final = ("auto", "light", "dark")
_SESSION: Final = "session"
_OTHERS: Final = "others"
_SAID: Final = "said"
_THEME: Final = "theme"
_WORKSPACE: Final = "workspace"
_SAID_S: Final = 20
_CHOICE_S: Final = 365 * 86_400
# The parts of pages that follow what happens, with nobody at the page: they keep no session.
_BY_THEMSELVES: Final = frozenset({"div#live", "div#found", "div#run", "div#runs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What every visit works with; `public_url` is where others reach the server, empty for any host."""

    api: Api
    renderer: Renderer
    cookies: Cookies
    ids: Ids
    pulse: Pulse = field(default_factory=Pulse)
    public_url: str = ""


class Visit:
    """A request for a page, from somebody who is signed in or from nobody.

    `session` is the text of their key, empty for nobody; `fields` are the fields of a form that was sent;
    `waiting` is how much waits for an answer where they look.
    """

    def __init__(self, request: Request, means: Means, fields: Sequence[tuple[str, str]] = ()) -> None:
        self.request = request
        self.fields = fields
        self.nonce = means.ids.secret(24)
        self._means = means
        self.session = means.cookies.read(request, _SESSION)
        self._leaving: list[tuple[str, str, int | None]] = []
        self._who: Item | None = None
        self.waiting: Item = {"approvals": 0, "attention": 0}

    @property
    def who(self) -> Item:
        """Who looks, as `GET /v1/session` tells; empty before `recognise` and for nobody."""
        return self._who or {}

    async def recognise(self) -> None:
        """Ask who looks, and how much waits for them. Raises: Refused when the session is over."""
        if self.session:
            self._who = await self.get("/v1/session")
        if self.may("conversations:read") and not self.is_part:
            self.waiting = await self.get("/v1/inbox", workspace_id=self.workspace or None)

    # What the API answers.

    async def get(self, path: str, **query: str | Sequence[str] | None) -> Item:
        """Return what the API shows at `path`. Raises: Refused."""
        return cast("Item", (await self.ask("GET", path, query=_said(query))).data)

    async def find(self, path: str, **query: str | Sequence[str] | None) -> Item:
        """Return what the API shows at `path`, empty where that is not there for the person who looks."""
        try:
            return await self.get(path, **query)
        except Refused as refused:
            if refused.status not in HIDDEN:
                raise
            return {}

    async def send(self, method: str, path: str, body: object = None, *, revision: str = "") -> Item:
        """Return what the API answers to a change; `revision` is the one that was seen. Raises: Refused."""
        return cast("Item", (await self.ask(method, path, body=body, revision=revision)).data or {})

    async def ask(
        self, method: str, path: str, *, query: Query | None = None, body: object = None, revision: str = ""
    ) -> Answered:
        """Return an answer of the API that is no failure. Raises: Refused."""
        return await self._answer(
            Asked(
                method=method,
                path=path,
                session=self.session,
                query={} if query is None else query,
                body=body,
                revision=revision,
                is_use=self.request.headers.get("hx-source", "") not in _BY_THEMSELVES,
                visit=self.request.scope,
            )
        )

    async def once(self, path: str, body: object = None, *, revision: str = "") -> Item:
        """Return what the API answers to a form, carried out once however often it comes. Raises: Refused."""
        once = security.word(self.form.get("mark", ""), path, body)
        asked = Asked(
            method="POST",
            path=path,
            session=self.session,
            body=body,
            revision=revision,
            once=once,
            visit=self.request.scope,
        )
        return cast("Item", (await self._answer(asked)).data or {})

    async def _answer(self, asked: Asked) -> Answered:
        answered = await self._means.api.ask(asked)
        if answered.status >= 400:
            raise Refused(answered.status, cast("Item", answered.data or {}))
        return answered

    async def attend(self, work: Awaitable[T]) -> T:
        """Return what comes of `work`; the visit ends here when the browser leaves."""
        return await self._means.api.attend(self.request.scope, work)

    @property
    def pulse(self) -> Pulse:
        """The pulse of the server, which all visits share."""
        return self._means.pulse

    @property
    def is_ending(self) -> bool:
        """Whether the server stops: an answer without an end is to end."""
        return "bylaw.ending" in self.request.scope

    def may(self, scope: str, workspace: str | None = None) -> bool:
        """Return whether the person holds a scope: in a workspace, or anywhere."""
        everywhere = words(self.who, "scopes")
        places = items(self.who, "workspaces")
        held = [everywhere, *(words(each, "scopes") for each in places if workspace in {None, each["id"]})]
        return any(scope in scopes or "admin" in scopes for scopes in held)

    # What was sent.

    @cached_property
    def form(self) -> Mapping[str, str]:
        """The fields of the form that was sent, the last of each name."""
        return dict(self.fields)

    def every(self, name: str) -> list[str]:
        """Return every value of a field of the form."""
        return [value for key, value in self.fields if key == name]

    @property
    def is_part(self) -> bool:
        """Whether a script asks for a part of a page, and not a browser for a page."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def workspace(self) -> str:
        """The workspace that the person works in, empty for all."""
        chosen = self._means.cookies.read(self.request, _WORKSPACE)
        return chosen if any(each["id"] == chosen for each in items(self.who, "workspaces")) else ""

    @property
    def address(self) -> str:
        """Where this server is reached: what callers of its API put before a path."""
        url = self.request.url
        return self._means.public_url.rstrip("/") or f"{url.scheme}://{url.netloc}"

    # What is shown.

    def show(
        self, template: str, *, refused: Refused | None = None, status: int = 200, **data: object
    ) -> Response:
        """Return the page that `template` makes, with why what was sent was `refused`."""
        frame = {
            "visit": self,
            "path": self.request.url.path,
            "who": self._who,
            "nonce": self.nonce,
            "mark": security.mark(self.session, self._means.ids) if self.session else "",
            "theme": self._means.cookies.read(self.request, _THEME) or "auto",
            "said": unquote(self._means.cookies.read(self.request, _SAID)),
            "workspace": self.workspace,
            "refused": refused,
            "detail": "" if refused is None else refused.detail,
            "errors": {} if refused is None else refused.errors,
            "is_stale": refused is not None and refused.status == 412,
        }
        page = self._means.renderer.render(template, {**frame, **data})
        if frame["said"]:
            self._leaving.append((_SAID, "", 0))
        status = status if refused is None else refused.status
        return self._left(HTMLResponse(page, status_code=status, headers=self._guards()))

    def go(self, path: str, *, said: str = "", **query: str) -> Response:
        """Lead to another page, which shows what was `said` once."""
        if said:
            self._leaving.append((_SAID, quote(said), _SAID_S))
        address = f"{path}?{urlencode(query)}" if query else path
        return self._left(RedirectResponse(address, status_code=303, headers=self._guards()))

    def lead(self, path: str) -> Response:
        """Lead the whole page elsewhere, also where a script asked for a part of it."""
        if not self.is_part:
            return self.go(path)
        return self._left(Response(headers={"hx-redirect": path}))

    @property
    def others(self) -> Sequence[Held]:
        """The sessions of other organisations that the browser holds beside the one in use."""
        here = part(self.who, "tenant").get("id")
        held = read_held(self._means.cookies.read(self.request, _OTHERS))
        return [each for each in held if each.tenant_id != here]

    def begin(self, made: Item) -> None:
        """Have the browser use a new session, and hold the one in use beside it if it is of another place."""
        self.use(held_of(made))

    def use(self, held: Held, *, keeps: bool = True) -> None:
        """Have the browser use a session; the one of before is held on unless nobody `keeps` it."""
        used = self._means.cookies.read(self.request, _SESSION)
        before = [held_of({"session": used, "who": self.who})] if self.who and used and keeps else []
        self._hold([each for each in (*before, *self.others) if each.tenant_id != held.tenant_id])
        self._leaving.append((_SESSION, held.session, None))
        self.choose(workspace="")

    def drop(self, held: Held) -> None:
        """Have the browser forget one of the other sessions."""
        self._hold([each for each in self.others if each != held])

    def end(self, *, everywhere: bool = False) -> None:
        """Have the browser forget the session, with those of other organisations where `everywhere`."""
        self._leaving.append((_SESSION, "", 0))
        if everywhere:
            self._hold(())

    def remember(self, name: str, value: str, *, seconds: int) -> None:
        """Have the browser keep something for a short while; 0 seconds forget it."""
        self._leaving.append((name, value, seconds))

    def remembered(self, name: str) -> str:
        """Return what the browser kept, empty for nothing."""
        return self._means.cookies.read(self.request, name)

    def choose(self, *, theme: str | None = None, workspace: str | None = None) -> None:
        """Have the browser remember how pages are shown."""
        if theme in THEMES:
            self._leaving.append((_THEME, theme, _CHOICE_S))
        if workspace is not None:
            self._leaving.append((_WORKSPACE, workspace, _CHOICE_S))

    def _hold(self, held: Sequence[Held]) -> None:
        self._leaving.append((_OTHERS, written_held(held), None if held else 0))

    def _left(self, response: Response) -> Response:
        for name, value, seconds in self._leaving:
            self._means.cookies.write(response, name, value, seconds=seconds)
        return response

    def _guards(self) -> dict[str, str]:
        return {
            "content-security-policy": security.policy(self.nonce),
            "referrer-policy": "same-origin",
            "x-frame-options": "DENY",
            "cross-origin-opener-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=()",
        }


async def sent_by(request: Request) -> list[tuple[str, str]]:
    """Return the fields of a form, none of what has more of them than any page."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return parse_qsl(body, keep_blank_values=True, max_num_fields=2_000)
    except ValueError:
        return []


def _said(query: Mapping[str, str | Sequence[str] | None]) -> Query:
    return {key: value for key, value in query.items() if value is not None}
