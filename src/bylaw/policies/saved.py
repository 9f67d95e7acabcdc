"""What is said to whoever saved a policy: what in it is probably not meant."""

from bylaw.core.errors import Problem
from bylaw.policies.model import Content, Current, Policy
from bylaw.policies.reading import stored_version, workspace_of
from bylaw.policies.store import PolicyUnit
from bylaw.policies.topics import topic_warnings
from bylaw.policies.warnings import warnings_about
from bylaw.tenancy.principal import Acting


async def newest_content(acting: Acting[PolicyUnit], current: Current) -> Content:
    """Return what the newest version says, the pending one included."""
    policy, newest = current.policy, current.version
    if policy.latest != newest.number:
        newest = await stored_version(acting.unit, policy, number=policy.latest)
    return newest.content


async def read_warnings(acting: Acting[PolicyUnit], policy: Policy, content: Content) -> tuple[Problem, ...]:
    """Return what in `content`, which the policy was just given, is probably not meant."""
    workspace = await workspace_of(acting.unit, policy.place)
    declared = workspace is not None and workspace.context_schema is not None
    told = warnings_about(content, fields_are_declared=declared)
    return (*told, *await topic_warnings(acting, content.topic))
