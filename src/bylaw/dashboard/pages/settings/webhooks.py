"""Webhooks: addresses that are told what happens; made, tried, changed, and what became of each delivery."""

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, items, mendable
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.pages.settings.asked import (
    Deed,
    asked_about,
    places,
    shown_once,
)
from bylaw.dashboard.visit import Visit

_SCOPE: Final = "workspaces:write"
_HOME: Final = "/settings/webhooks"
_FILTERS: Final = ("status", "type", "cursor")
_SIGNS: Final = "The receiver checks signatures with it (Standard Webhooks): give it to nobody else."


async def webhooks(visit: Visit) -> Response:
    """Show the webhooks that the person manages, with their health."""
    found = await visit.get("/v1/webhooks", limit="100", workspace_id=visit.workspace or None)
    return visit.show("settings/webhooks.html", found=found)


async def new_page(visit: Visit) -> Response:
    """Show the form with which a webhook is made."""
    return await _new(visit)


async def make(visit: Visit) -> Response:
    """Make a webhook, and show its secret once."""
    form = visit.form
    body = {name: form.get(name, "") for name in ("url", "description")} | {"types": visit.every("types")}
    if form.get("workspace_id"):
        body["workspace_id"] = form["workspace_id"]
    try:
        made = await visit.send("POST", "/v1/webhooks", body)
    except Refused as refused:
        return await _new(visit, mendable(refused))
    return shown_once(
        visit,
        "The secret of the webhook",
        str(made["secret"]),
        effects=(_SIGNS,),
        back=f"{_HOME}/{made['id']}",
    )


async def webhook_page(visit: Visit) -> Response:
    """Show one webhook with its deliveries."""
    return await _webhook(visit)


async def change(visit: Visit) -> Response:
    """Save where a webhook leads, what it is told, and whether it is on."""
    form = visit.form
    body: dict[str, object] = {name: form.get(name, "") for name in ("url", "description")}
    body |= {"types": visit.every("types"), "is_active": "is_active" in form}
    try:
        await visit.send("PATCH", _api(visit), body, revision=form.get("revision", ""))
    except Refused as refused:
        return await _webhook(visit, mendable(refused))
    return visit.go(visit.request.url.path, said="Saved.")


async def test_page(visit: Visit) -> Response:
    """Ask whether a notice shall be sent to try a webhook."""
    return await _test_asked(visit)


async def test(visit: Visit) -> Response:
    """Send a notice to try a webhook, and show what came back."""
    try:
        delivery = await visit.send("POST", f"{_api(visit)}/test")
    except Refused as refused:
        return await _test_asked(visit, mendable(refused))
    return _delivery(visit, delivery, is_test=True)


async def rotate_page(visit: Visit) -> Response:
    """Ask whether a webhook shall get a new secret."""
    return await _rotate_asked(visit)


async def rotate(visit: Visit) -> Response:
    """Give a webhook a new secret, and show it once."""
    try:
        made = await visit.send("POST", f"{_api(visit)}/rotate-secret")
    except Refused as refused:
        return await _rotate_asked(visit, mendable(refused))
    return shown_once(
        visit,
        "The new secret of the webhook",
        str(made["secret"]),
        effects=(
            _SIGNS,
            "For 24 hours the secret of before signs as well. Replace it at the receiver.",
        ),
        back=_back(visit),
    )


async def delete_page(visit: Visit) -> Response:
    """Ask whether a webhook shall be deleted."""
    return await _delete_asked(visit)


async def delete(visit: Visit) -> Response:
    """Delete a webhook."""
    try:
        await visit.send("DELETE", _api(visit))
    except Refused as refused:
        return await _delete_asked(visit, mendable(refused))
    return visit.go(_HOME, said="The webhook is deleted.")


async def delivery_page(visit: Visit) -> Response:
    """Show one delivery with every attempt."""
    delivery = await visit.get(f"{_api(visit)}/deliveries/{visit.request.path_params['delivery_id']}")
    return _delivery(visit, delivery, is_test=False)


async def replay(visit: Visit) -> Response:
    """Send a notice again."""
    await visit.send("POST", f"{_api(visit)}/deliveries/{visit.request.path_params['delivery_id']}/replay")
    return visit.go(visit.request.url.path, said="It is on its way again.")


def _api(visit: Visit) -> str:
    return f"/v1/webhooks/{visit.request.path_params['webhook_id']}"


def _back(visit: Visit) -> str:
    return f"{_HOME}/{visit.request.path_params['webhook_id']}"


async def _types(visit: Visit) -> Sequence[Item]:
    """Return the types of notices, each with the noun that it is of."""
    listed = items(await visit.get("/v1/webhook-types"), "data")
    return [{**each, "group": str(each["type"]).partition(".")[0]} for each in listed]


def _delivery(visit: Visit, delivery: Item, *, is_test: bool) -> Response:
    return visit.show("settings/delivery.html", delivery=delivery, back=_back(visit), is_test=is_test)


async def _new(visit: Visit, refused: Refused | None = None) -> Response:
    return visit.show(
        "settings/webhook_new.html",
        refused=refused,
        places=places(visit, _SCOPE),
        types=await _types(visit),
        chosen=visit.every("types"),
        form=visit.form,
    )


async def _webhook(visit: Visit, refused: Refused | None = None) -> Response:
    answered = await visit.ask("GET", _api(visit))
    asked = {name: visit.request.query_params.get(name, "") for name in _FILTERS}
    query = {name: value or None for name, value in asked.items()}
    return visit.show(
        "settings/webhook.html",
        refused=refused,
        webhook=answered.data,
        revision=answered.etag,
        types=await _types(visit),
        chosen=None if refused is None else visit.every("types"),
        deliveries=await visit.get(f"{_api(visit)}/deliveries", limit="50", **query),
        asked=asked,
        form={} if refused is None else visit.form,
    )


async def _test_asked(visit: Visit, refused: Refused | None = None) -> Response:
    webhook = await visit.get(_api(visit))
    deed = Deed(
        heading="Try the webhook",
        effects=(f"A notice of the type webhook.test is sent to {webhook['url']} now.",),
        button="Send it",
        back=_back(visit),
        is_destructive=False,
    )
    return asked_about(visit, deed, refused)


async def _rotate_asked(visit: Visit, refused: Refused | None = None) -> Response:
    webhook = await visit.get(_api(visit))
    deed = Deed(
        heading="Give the webhook a new secret",
        effects=(
            f"What is sent to {webhook['url']} is signed with a new secret, which you see once.",
            "For 24 hours every request carries both signatures, then only the new one.",
        ),
        button="Make a new secret",
        back=_back(visit),
    )
    return asked_about(visit, deed, refused)


async def _delete_asked(visit: Visit, refused: Refused | None = None) -> Response:
    webhook = await visit.get(_api(visit))
    deed = Deed(
        heading="Delete the webhook",
        effects=(
            f"{webhook['url']} is told of nothing any more, and what waits for it is not sent.",
            "Its secret and the list of its deliveries are gone. To pause it, switch it off instead.",
        ),
        button="Delete",
        back=_back(visit),
    )
    return asked_about(visit, deed, refused)


_ONE: Final = f"{_HOME}/{{webhook_id}}"
PAGES: Final[tuple[Page, ...]] = (
    shown(_HOME, webhooks),
    shown(f"{_HOME}/new", new_page),
    sent(f"{_HOME}/new", make),
    shown(_ONE, webhook_page),
    sent(_ONE, change),
    shown(f"{_ONE}/test", test_page),
    sent(f"{_ONE}/test", test),
    shown(f"{_ONE}/rotate", rotate_page),
    sent(f"{_ONE}/rotate", rotate),
    shown(f"{_ONE}/delete", delete_page),
    sent(f"{_ONE}/delete", delete),
    shown(f"{_ONE}/deliveries/{{delivery_id}}", delivery_page),
    sent(f"{_ONE}/deliveries/{{delivery_id}}", replay),
)
