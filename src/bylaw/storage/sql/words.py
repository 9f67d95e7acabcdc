"""The words of the policies of one tenant: an index of which word stands where.

It is a table like the others, so the same key and the same wall keep tenants apart, and both databases rank
alike. Only current versions of undeleted policies are in it.
"""

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    delete,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)

from bylaw.core.ids import PolicyId, TenantId
from bylaw.policies.searching import LITERAL, STEM, TOPIC, Word, is_indexed, pieces_of
from bylaw.policies.store import PolicyFilter
from bylaw.storage.sql import tables
from bylaw.storage.sql.lists import Condition, contains, one_of
from bylaw.storage.sql.session import Session

_MOST = 1_000  # words of a statement; what so many words hold is in every other policy
_SELDOM = 5_000  # a list of more is looked through from its start
_P, _V = tables.policies.c, tables.versions.c
_W = tables.words.c
_IN_TEXT = _W.part == "text"


class SqlWords:
    """The words of one tenant."""

    def __init__(self, session: Session, tenant_id: TenantId) -> None:
        self._session = session
        self._tenant_id = tenant_id
        self._held: dict[tuple[Word, ...], Sequence[str]] = {}  # looked up in this transaction

    async def spell(self, ids: Sequence[PolicyId]) -> None:
        """Keep the words of these policies as they are now."""
        self._held.clear()
        gone = and_(_W.tenant_id == self._tenant_id, _W.policy_id.in_(ids))
        await self._session.change(delete(tables.words).where(gone))
        current = and_(_V.tenant_id == _P.tenant_id, _V.policy_id == _P.id, _V.number == _P.current)
        mine = (_P.tenant_id == self._tenant_id, _P.id.in_(ids), _P.deleted_ms.is_(None))
        said = select(_P.id, _P.workspace_id, _V.search_text, _V.topic_key)
        rows = [
            {
                "tenant_id": self._tenant_id,
                "word": word,
                "workspace_id": row["workspace_id"] or "",
                "policy_id": row["id"],
                "part": part,
            }
            for row in await self._session.rows(
                said.join_from(tables.policies, tables.versions, current).where(*mine)
            )
            for part, text in (("text", row["search_text"]), ("topic", row["topic_key"] or ""))
            for word in sorted(pieces_of(text))
        ]
        known = [
            {"tenant_id": self._tenant_id, "word": word}
            for word in sorted({str(row["word"]) for row in rows})
        ]
        await self._session.insert_all(tables.vocabulary, known)
        await self._session.insert_all(tables.words, rows)

    async def holding(self, words: Sequence[Word]) -> Sequence[str] | None:
        """Return the words there are that hold a stem of `words`; None where an index is of no use."""
        if not words or not all(map(is_indexed, words)):
            return None
        held = self._held.get(words := tuple(words))
        if held is None:
            kept = tables.vocabulary.c
            stems = or_(false(), *(contains(kept.word, word.stem) for word in words))
            wanted = select(kept.word).where(kept.tenant_id == self._tenant_id, stems).limit(_MOST + 1)
            held = self._held[words] = [row["word"] for row in await self._session.rows(wanted)]
        return None if len(held) > _MOST else held

    async def seldom(self, words: Sequence[Word]) -> Select[*tuple[object, ...]] | None:
        """Return the statement of the ids of policies that hold one of `words`; None where they are many."""
        held = await self.holding(words)
        if held is None:
            return None
        found = select(_W.policy_id).where(_W.tenant_id == self._tenant_id, _W.word.in_(held))
        some = found.limit(_SELDOM + 1).subquery()
        many = await self._session.number(select(func.count()).select_from(some)) > _SELDOM
        return None if many else found

    def ranked(self, words: Sequence[Word], held: Sequence[str], where: PolicyFilter) -> Subquery:
        """Return the policies in which words stand, each with its `worth`, as `searching.score` tells it."""
        near = _workspaces(where)
        mine = (
            _W.tenant_id == self._tenant_id,
            true() if near is None else _W.workspace_id.in_(sorted(near)),
            *one_of(_W.policy_id, where.ids),
        )
        each = union_all(*(_standing(word, held, mine) for word in words)).subquery()
        found = select(each.c.policy_id, func.sum(each.c.worth).label("worth"))
        return found.group_by(each.c.policy_id).subquery()


def _standing(word: Word, held: Sequence[str], mine: Sequence[Condition]) -> Select[*tuple[object, ...]]:
    """Return the statement of the policies in which one word stands, and what that is worth."""
    kin = [each for each in held if word.stem in each]
    whole = [each for each in kin if word.text in each]
    in_text: ColumnElement[int] = literal(LITERAL if whole else STEM)
    if len(whole) not in {0, len(kin)}:
        in_text = case((_W.word.in_(whole), LITERAL), else_=STEM)
    of_text, of_topic = case((_IN_TEXT, in_text), else_=0), case((_IN_TEXT, 0), else_=TOPIC)
    if len(kin) == 1:  # one row for the text and one for the topic
        return select(_W.policy_id, (of_text + of_topic).label("worth")).where(_W.word == kin[0], *mine)
    worth = func.max(of_text) + func.max(of_topic)
    found = select(_W.policy_id, worth.label("worth")).where(_W.word.in_(kin), *mine)
    return found.group_by(_W.policy_id)


def _workspaces(where: PolicyFilter) -> set[str] | None:
    """Return the workspaces whose policies are wanted, empty for those of none; None for all."""
    if where.place is None or where.or_policy is not None:
        return None
    named = where.place.workspace_id
    match where.match:
        case "exact":
            return {named or ""}
        case "within":
            return None if named is None else {named}
        case "effective":
            return {"", named or ""}
        case "near":
            return None if named is None else {"", named}
