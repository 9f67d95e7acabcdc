"""The HTTP surface of a server: the hot routes, those of every family, the pages, and what they work with."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from importlib.util import find_spec

from bylaw.api.aftermath import Aftermath
from bylaw.api.auth import Door
from bylaw.api.compat.agentcert.routes import CertificateRoutes, Certifier
from bylaw.api.compat.openai.routes import ChatRoutes
from bylaw.api.contracts import application, document, failures
from bylaw.api.deciding import Decider
from bylaw.api.edge import Edge, EdgeLimits, Hot, Served
from bylaw.api.hot import HotRoutes
from bylaw.api.inside import Inside
from bylaw.api.links import Links
from bylaw.api.mcp import Mcp
from bylaw.api.parts import Parts
from bylaw.api.receipts import ReceiptReader
from bylaw.api.sign_in import SignIn
from bylaw.api.spending import Spending
from bylaw.app.health import checks
from bylaw.app.joined import Joined
from bylaw.app.judging import advisers_of
from bylaw.app.pages import Front, Routes
from bylaw.dashboard.rendering import Renderer
from bylaw.dashboard.security import Cookies
from bylaw.dashboard.site import Site
from bylaw.dashboard.visit import Means
from bylaw.gateway.choosing import Connections
from bylaw.gateway.passage import Gateway
from bylaw.tenancy.passwords import Passwords


def surface_of(server: Joined) -> Edge:
    """Return the whole API of a server."""
    door, settings = server.door, server.settings
    links, decider = Links(settings.server.public_url), _decider(server)
    gateway = Gateway(_connections(server), server.providers, decider)
    table = {
        **HotRoutes(door, decider, batch_items=settings.decisions.batch_items).table(),
        **CertificateRoutes(door, Certifier(decider, links)).table(),
        **ChatRoutes(door, gateway, links).table(),
    }
    api = Served(app=application(_parts(server, gateway, links)), hot=table, failures=failures())
    inside = Inside(api)
    front = Front(_site(server, inside), api.app)
    return Edge(
        replace(api, app=front, hot={**table, **_mcp(door, inside)}),
        limits=EdgeLimits(
            body_bytes=settings.server.body_bytes,
            request_ms=settings.server.request_ms,
            access_log=settings.server.access_log,
        ),
        metrics=server.metrics,
        ids=server.ids,
        tracer=server.tracer,
    )


def _site(server: Joined, inside: Inside) -> Site:
    """Return the dashboard."""
    public_url = server.settings.server.public_url
    means = Means(
        api=Routes(inside),
        renderer=Renderer(server.clock),
        cookies=Cookies(is_secure=public_url.startswith("https://")),
        ids=server.ids,
        public_url=public_url,
    )
    return Site(means)


def _decider(server: Joined) -> Decider:
    """Return what decides, and issues the receipt."""
    control = server.stores.control
    return Decider(
        server.engine,
        server.issuer,
        server.stores.ledger,
        spending=Spending(control, server.projector, server.entries, clock=server.clock, ids=server.ids),
        aftermath=Aftermath(server.metrics, server.sightings, server.projector),
        tracer=server.tracer,
    )


def _connections(server: Joined) -> Connections:
    """Return what finds the connection for a model."""
    stores = server.stores
    return Connections(
        stores.control, server.providers, stores.secret_file, clock=server.clock, seen=server.follower.seen
    )


def _parts(server: Joined, gateway: Gateway, links: Links) -> Parts:
    """Return what routes work with."""
    stores = server.stores
    adviser, recommender = advisers_of(server.settings, server.providers, server.ids)
    return Parts(
        store=stores.control,
        ledger=stores.ledger,
        receipts=ReceiptReader(stores.ledger, server.signing.published),
        engine=server.engine,
        judge=server.judge,
        adviser=adviser,
        recommender=recommender,
        door=server.door,
        metrics=server.metrics,
        forgetting=server.forgetting,
        finder=server.finder,
        clock=server.clock,
        ids=server.ids,
        settle=server.settle,
        caught_up=server.projector.catch_up,
        checks=partial(checks, server),
        sign_in=SignIn(
            stores.control,
            Passwords(),
            server.clock,
            takes_passwords=server.settings.sign_in.password_sign_in,
        ),
        sign_on=server.sign_on,
        signing=server.signing,
        sealer=stores.secret_file,
        providers=server.providers,
        gateway=gateway,
        notifier=server.notifier,
        links=links,
        openapi=document,
    )


def _mcp(door: Door, inside: Inside) -> Mapping[tuple[str, str], Hot]:
    """Return the handlers of the MCP server, none where its extra is not installed."""
    return Mcp(door, inside).table() if find_spec("mcp") else {}
