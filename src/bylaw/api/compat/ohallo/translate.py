"""Between entries and policies: an entry is one rule in words with a topic and conditions, in a workspace.

A policy of another shape is shown as well as an entry can: its rules one a line, what it withholds in words.
What such an entry cannot say stays as it is when it is changed, or the change is refused.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from bylaw.api.compat.ohallo.wire import (
    ApiKey,
    AttentionItem,
    Entry,
    EntryChange,
    EntryPart,
    NewEntry,
)
from bylaw.core.clock import rfc3339
from bylaw.core.errors import Conflict
from bylaw.core.ids import WorkspaceId
from bylaw.policies import editing
from bylaw.policies.model import Content, Current, Mask, NaturalRule, Source, Status
from bylaw.policies.wording import asks_for_attention, proposed_effect
from bylaw.review import model as review
from bylaw.tenancy import model as tenancy
from bylaw.tenancy.model import Place

COMPACT: Final = ("id", "topic", "ruleText", "conditions", "status")
FIELDS: Final = tuple(each.encode_name for each in msgspec.structs.fields(Entry))

# Where a problem of a policy lies in the entry that it was made from.
PATHS: Final[Mapping[str, str]] = {"rules[0].text": "ruleText", "name": "ruleText"}

_NAME_LENGTH: Final = 80


def new_policy(entry: NewEntry, *, place: Place, ident: str) -> editing.NewPolicy:
    """Return the policy that a new entry is."""
    content = {
        "name": name_of(entry.rule_text),
        "topic": entry.topic,
        "rules": [{"type": "nl", "text": entry.rule_text}],
        "conditions": entry.conditions,
    }
    source = Source(
        type=entry.source_type,
        conversation_id=entry.source_conversation_id,
        confidence=entry.confidence,
    )
    return editing.NewPolicy(content=content, place=place, source=source, status=entry.status, id=ident)


def changed_fields(content: Content, change: EntryChange) -> Mapping[str, object]:
    """Return the fields of `content` that a change of its entry changes.

    Raises: Conflict (`other_shape`) for a new text where the old one stands for something else than one rule
    in words.
    """
    fields: dict[str, object] = {}
    if isinstance(change.topic, str):
        fields["topic"] = change.topic
    if not isinstance(change.conditions, msgspec.UnsetType):
        fields["conditions"] = change.conditions
    if isinstance(change.rule_text, str) and change.rule_text != rule_text(content):
        rule = only_rule(content)
        if rule is None:
            message = "Its text stands for more than a rule in words: use PATCH /v1/policies/{policy_id}."
            raise Conflict(message, reason="other_shape")
        fields["rules"] = [_reworded(rule, change.rule_text)]
        if content.name == name_of(rule.text):
            fields["name"] = name_of(change.rule_text)
    return fields


def entry(current: Current, *, workspace_id: WorkspaceId | None = None) -> Entry:
    """Return a policy as an entry; one of the whole tenant has the `workspace_id` whose list shows it."""
    policy, content = current.policy, current.version.content
    return Entry(
        id=policy.id,
        tenant_id=policy.tenant_id,
        workspace_id=policy.place.workspace_id or workspace_id,
        topic=content.topic or "",
        rule_text=rule_text(content),
        conditions=None if content.conditions is None else dict[str, object](content.conditions),
        source_type=policy.source.type,
        source_conversation_id=policy.source.conversation_id,
        status=status_of(current),
        confidence=policy.source.confidence,
        created_at=rfc3339(policy.created_ms),
        updated_at=rfc3339(policy.updated_ms),
    )


def part(whole: Entry, fields: Iterable[str]) -> EntryPart:
    """Return the `fields` of an entry, which are some of FIELDS."""
    wanted = set(fields)
    named = {each.encode_name: each.name for each in msgspec.structs.fields(Entry)}
    return EntryPart(**{named[name]: getattr(whole, named[name]) for name in FIELDS if name in wanted})


def status_of(current: Current) -> Status:
    """Return the status of an entry.

    A version that waits is pending; what is approved and switched off is not in force, so it is archived.
    """
    policy = current.policy
    if policy.pending == current.version.number:
        return "pending_review"
    return "archived" if policy.status == "approved" and not policy.is_active else policy.status


def only_rule(content: Content) -> NaturalRule | None:
    """Return the rule in words that is all that `content` says, or None."""
    if len(content.rules) == 1 and isinstance(content.rules[0], NaturalRule) and content.mask is None:
        return content.rules[0]
    return None


def rule_text(content: Content) -> str:
    """Return everything that `content` demands as text, one thing a line."""
    lines = [rule.text if isinstance(rule, NaturalRule) else rule.expr for rule in content.rules]
    if content.mask is not None:
        lines.append(_withheld(content.mask))
    return "\n".join(lines)


def name_of(text: str) -> str:
    """Return the first words of a rule, by which people know its policy."""
    words = " ".join(text.split())
    if len(words) <= _NAME_LENGTH:
        return words
    cut = words[: _NAME_LENGTH - 1]
    return (cut.rpartition(" ")[0] or cut) + "…"


def key(stored: tenancy.ApiKey) -> ApiKey:
    """Return an API key as the contract shows it."""
    return ApiKey(
        id=stored.id,
        name=stored.name,
        key_prefix=stored.prefix,
        scopes=tuple(sorted(stored.scopes)),
        brand_id=None,
        workspace_id=stored.place.workspace_id,
        last_used_at=_when(stored.last_used_ms),
        expires_at=_when(stored.expires_ms),
        created_at=rfc3339(stored.created_ms),
    )


def attention_item(item: review.AttentionItem, *, tenant_id: str) -> AttentionItem:
    """Return an attention item as the contract shows it."""
    return AttentionItem(
        id=item.id,
        tenant_id=tenant_id,
        conversation_id=item.occasion.conversation_id or None,
        type=item.type,
        reason=item.reason,
        status=item.status,
        created_at=rfc3339(item.occasion.at_ms),
        resolved_at=_when(item.resolved_ms),
        policy_id=None if item.policy is None else item.policy.id or None,
        receipt_id=item.occasion.receipt_id,
    )


def _reworded(rule: NaturalRule, text: str) -> Mapping[str, object]:
    """Return the rule with another text; what a person settled against its wording stays."""
    fields: dict[str, object] = {"type": "nl", "id": rule.id, "text": text, "message": rule.message}
    if rule.effect != proposed_effect(rule.text):
        fields["effect"] = rule.effect
    if rule.attention != asks_for_attention(rule.text):
        fields["attention"] = rule.attention
    return fields


def _withheld(mask: Mask) -> str:
    return f"Withhold {', '.join((*mask.fields, *mask.personal_data))}."


def _when(ms: int | None) -> str | None:
    return None if ms is None else rfc3339(ms)
