"""Flashback as a source: the policies of an organisation, and the places and people on whom they hang."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import msgspec

from bylaw.api.compat.flashback import translate, wire
from bylaw.api.compat.flashback.translate_places import ROLES
from bylaw.api.compat.flashback.wire import Person, Wire
from bylaw.api.fit import fit
from bylaw.api.native.imports import (
    ImportedPolicy,
    ImportedRepo,
    ImportedUser,
    ImportedWorkspace,
)
from bylaw.cli.imports.found import KEYS, Found, When, imported, read_as
from bylaw.cli.imports.source import Row, Source
from bylaw.core.errors import Corrupt, InvalidInput
from bylaw.tenancy.model import OrgRole, WorkspaceRole

_LEFT: Final[Mapping[str, str]] = {
    "connections to models (AI LLM configurations)": "their secrets cannot be read: make them again",
    "repo AI keys": KEYS,
    "storage of repos (buckets, modes)": "storage is none of this server's business",
    "statistics and system events": "they count and tell what happened there; both begin anew here",
    "details of the organisation, passwords": "only names, roles and e-mail addresses are kept here",
}
_HISTORY: Final = "they tell of decisions that this server did not make, and of which it has no receipts"
_UNKNOWN_MATCH: Final = "none-of-them"


class _MemberPerson(Wire, frozen=True, kw_only=True):
    """Who a member is."""

    id: str
    email: str
    name: str = ""
    last_name: str = ""
    org_role: int = 0
    deleted_at: str | None = None


class _Member(Wire, frozen=True, kw_only=True):
    """A member of a workspace."""

    user_id: str
    role: WorkspaceRole
    user: _MemberPerson | None = None


class _Workspace(Wire, frozen=True, kw_only=True):
    """A workspace, as far as it comes."""

    id: str
    name: str
    org_id: str | None = None
    users: tuple[_Member, ...] = ()


class _Repo(Wire, frozen=True, kw_only=True):
    """A repo, as far as it comes."""

    id: str
    name: str
    workspace_id: str
    created_at: str | None = None


class _Profile(Wire, frozen=True, kw_only=True):
    """Who asks."""

    org_id: str


def headers(key: str) -> Mapping[str, str]:
    """Return how a key is shown there."""
    return {"authorization": f"Bearer {key}"}


def read(source: Source) -> Found:
    """Return everything of the organisation to which the key belongs."""
    profile = source.get("/user/profile")
    org_id = fit(profile.get("data", profile) if isinstance(profile, dict) else profile, _Profile).org_id
    found = Found(tenant_id=org_id, paths=translate.PATHS)
    reading = _Reading(source, org_id, found)
    reading.places()
    reading.people()
    reading.policies()
    for path, what in (("/policy/violations", "violations"), ("/policy/alerts", "alerts")):
        page = source.find(path, take=1)
        count = page.get("total") if isinstance(page, dict) else None
        found.leave(what, _HISTORY, count=count if isinstance(count, int) else None)
    for what, why in _LEFT.items():
        found.leave(what, why)
    return found


class _Reading:
    """One organisation being read."""

    def __init__(self, source: Source, org_id: str, found: Found) -> None:
        self._source = source
        self._org_id = org_id
        self._found = found
        self._roles: dict[str, dict[str, WorkspaceRole]] = {}
        self._members: dict[str, _MemberPerson] = {}
        self._in_force: frozenset[str] | None = None

    def places(self) -> None:
        """Read the workspaces with their members, and the repos."""
        for row in self._rows("/workspace", "workspaces"):
            self._found.take("workspace", row, self._workspace)
        for row in self._rows("/repo", "repos"):
            self._found.take("repo", row, self._repo)

    def people(self) -> None:
        """Read the people, and members of workspaces whom the organisation does not list."""
        for row in self._rows("/organization/users", "data"):
            self._found.take("user", row, self._user)
        for ident, person in self._members.items():
            if not self._found.has("user", ident) and ("user", ident) not in self._found.refused:
                self._found.take("user", msgspec.to_builtins(person), self._user)

    def policies(self) -> None:
        """Read the policies, and which of them are in force if the source can tell."""
        rows = self._rows("/policy", "policies", orgId=self._org_id)
        self._in_force = frozenset(self._enforced()) if self._tells_what_is_in_force() else None
        for row in rows:
            self._found.take("policy", row, self._policy)

    def _rows(self, path: str, name: str, **query: str) -> list[Row]:
        """Return the rows of a list. Raises: Corrupt when there are not as many as it says."""
        page = self._source.get(path, **query)
        rows = self._source.rows(page, path, name)
        total = page.get("total") if isinstance(page, dict) else None
        if isinstance(total, int) and total > len(rows):
            message = f"{self._source.url} says that it has {total} {name} at {path}, and gives {len(rows)}."
            raise Corrupt(message, place=path)
        return rows

    def _workspace(self, row: Row) -> ImportedWorkspace:
        one = read_as(row, _Workspace, found=self._found, noun="workspace")
        for member in one.users:
            self._roles.setdefault(member.user_id, {})[one.id] = member.role
            if member.user is not None:
                self._members.setdefault(member.user_id, member.user)
        return ImportedWorkspace(id=one.id, name=one.name)

    def _repo(self, row: Row) -> ImportedRepo:
        one = fit(row, _Repo)
        return ImportedRepo(
            id=one.id, workspace_id=one.workspace_id, name=one.name, created_at=one.created_at
        )

    def _user(self, row: Row) -> ImportedUser:
        one = fit(row, _MemberPerson)
        return ImportedUser(
            id=one.id,
            email=one.email,
            name=one.name or one.email.partition("@")[0],
            last_name=one.last_name,
            org_role=_role(one.org_role),
            workspace_roles=self._roles.get(one.id, {}),
            deleted_at=one.deleted_at,
        )

    def _policy(self, row: Row) -> ImportedPolicy:
        whole = {"workspaceId": None, "repoId": None, "workspace": None, "repo": None} | row
        one = read_as(whole, wire.Policy, found=self._found, noun="policy")
        if one.org_id != self._org_id:
            raise InvalidInput.of("orgId", "other_tenant", "It belongs to another organisation.")
        new = translate.new_policy(
            wire.FlashbackNewPolicy(
                name=one.name,
                content=one.content,
                risk_type=one.risk_type,
                action_type=one.action_type,
                org_id=one.org_id,
                workspace_id=one.workspace_id or self._workspace_of(one.repo_id),
                repo_id=one.repo_id,
            ),
            ident=one.id,
        )
        if self._in_force is not None and one.id not in self._in_force:
            new = replace(new, is_active=False)
            note = "It is not in force there, which this contract does not show: it comes switched off."
            self._found.notes.append(f"policy {one.id}: {note}")
        when = When(
            created_at=one.created_at,
            created_by=self._actor(one.created_by, one.last_updated_at),
            updated_at=one.last_updated_at,
            updated_by=self._actor(one.last_updated_by, one.last_updated_at),
        )
        return imported(new, status="approved", when=when)

    def _actor(self, person: Person, at: str) -> str | None:
        """Return who did something; a person who is not there any more comes as one, to be named."""
        if not person.email:
            if person.name != person.id:
                note = f"what is called {person.name!r} there is only known by its id {person.id} here."
                self._found.notes.append(f"A key that made policies: {note}")
            return f"key:{person.id}" if person.id else None
        if not self._found.has("user", person.id):
            gone = ImportedUser(
                id=person.id,
                email=person.email,
                name=person.name or person.email,
                last_name=person.last_name,
                deleted_at=at,
            )
            self._found.add("user", gone)
        return f"user:{person.id}"

    def _workspace_of(self, repo_id: str | None) -> str | None:
        repo = self._found.records.get(("repo", repo_id or ""))
        return repo.workspace_id if isinstance(repo, ImportedRepo) else None

    def _tells_what_is_in_force(self) -> bool:
        """Return whether the source knows `match`, as Bylaw does: then it refuses one that there is not."""
        asked = {"orgId": self._org_id, "match": _UNKNOWN_MATCH}
        return self._source.find("/policy", **asked) is None

    def _enforced(self) -> Iterator[str]:
        """Yield the ids of the policies in force, in the organisation and in each place of it."""
        places: list[dict[str, str]] = [{}]
        places += [{"workspaceId": each.id} for each in self._found.of("workspace")]
        places += [{"repoId": each.id} for each in self._found.of("repo")]
        for place in places:
            query = {"orgId": self._org_id, "match": "effective", **place}
            for row in self._rows("/policy", "policies", **query):
                yield str(row.get("id"))


def _role(number: int) -> OrgRole:
    """Return the role of a number. Raises: InvalidInput."""
    if number not in ROLES:
        raise InvalidInput.of("orgRole", "unknown_role", f"There is no role {number}.")
    return ROLES[number]
