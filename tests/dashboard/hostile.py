"""Text that callers might send to run something in somebody's browser, or to break how a page looks."""

from playwright.async_api import Page, expect

# Each tries to call `bylawRan`, which the watch over every page listens for.
HOSTILE = {
    "script": "<script>bylawRan('script')</script>",
    "end of an element": "</title></textarea></style></script><script>bylawRan('end')</script>",
    "end of a double-quoted attribute": "\"><img src=/x onerror=bylawRan('double')>",
    "end of a single-quoted attribute": "' autofocus onfocus='bylawRan(`single`)' x='",
    "end of a bare attribute": "x onmouseover=bylawRan(`bare`) style=position:fixed;inset:0",
    "svg": "<svg/onload=bylawRan('svg')><animate onbegin=bylawRan('svg') attributeName=x dur=1s>",
    "frame": "<iframe srcdoc=\"<script>parent.bylawRan('frame')</script>\"></iframe>",
    "htmx": '<b hx-get="/x" hx-trigger="load" hx-on:click="bylawRan(1)" hx-nonce="">htmx</b>',
    "address of a script": "javascript:bylawRan('address')",
    "address of data": "data:text/html,<script>bylawRan('data')</script>",
    "base of addresses": '<base href="https://elsewhere.example/"><form action="https://elsewhere.example/">',
    "template": "{{ 7 * 7 }}{% if true %}${7*7}<%= 7*7 %>#{7*7}",
    "entities": "&lt;script&gt;bylawRan('entities')&lt;/script&gt; &amp;amp;",
    "mutation": "<noscript><p title=\"</noscript><img src=/x onerror=bylawRan('mutation')>\">",
    "right to left": "\u202eetadpu.exe\u2066 invoice\u2069 سياسة الاسترداد",
    "stacked marks": "e" + "\u0301\u0323" * 40,
    "not Latin": "退款政策 / Политика возврата / 🧾👩🏽‍⚖️",
    "very long word": "W" * 190,
}


async def assert_shown_as_text(page: Page, text: str) -> None:
    """Fail unless the page shows `text` as it was written."""
    await expect(page.get_by_text(text, exact=False).first).to_be_visible()
