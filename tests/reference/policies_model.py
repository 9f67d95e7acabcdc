"""What a policy's life means, as slowly and plainly as possible: every version remembers its own standing.

Standings: `draft` (never decided), `accepted`, `waiting` (for approval while an older one is accepted),
`replaced` (it waited until a newer one came), `refused`.
"""

from dataclasses import dataclass, field


class Refused(Exception):
    """The state does not allow this."""


@dataclass
class SlowPolicy:
    status: str
    texts: list[str]
    standings: list[str] = field(default_factory=list)
    active: bool = True
    deleted: bool = False

    def __post_init__(self) -> None:
        self.standings = ["accepted" if self.status == "approved" else "draft"]

    def last(self, standing: str) -> int | None:
        found = [index for index, one in enumerate(self.standings) if one == standing]
        return found[-1] if found else None

    @property
    def current(self) -> int:
        accepted = self.last("accepted")
        return len(self.texts) - 1 if accepted is None else accepted

    @property
    def in_force(self) -> str | None:
        accepted = self.last("accepted")
        if self.deleted or not self.active or self.status != "approved" or accepted is None:
            return None
        return self.texts[accepted]

    def edit(self, text: str, *, reviewed: bool) -> None:
        waiting = self.last("waiting")
        if text == self.texts[self.current if waiting is None else waiting]:
            return
        if waiting is not None:
            self.standings[waiting] = "replaced"
        self.texts.append(text)
        if self.last("accepted") is None:
            self.standings.append("draft")
        else:
            self.standings.append("waiting" if reviewed else "accepted")

    def approve(self) -> None:
        waiting = self.last("waiting")
        if self.status == "pending_review":
            self.status = "approved"
            self.standings[-1] = "accepted"
        elif self.status == "approved" and waiting is not None:
            self.standings[waiting] = "accepted"
        elif self.status != "approved" or self.standings[-1] == "refused":
            raise Refused

    def reject(self) -> None:
        waiting = self.last("waiting")
        if self.status == "pending_review":
            self.status = "rejected"
        elif self.status == "approved" and waiting is not None:
            self.standings[waiting] = "refused"
        elif self.status != "rejected" and not (
            self.status == "approved" and self.standings[-1] == "refused"
        ):
            raise Refused

    def archive(self) -> None:
        if self.status not in {"approved", "archived"}:
            raise Refused
        self.status = "archived"

    def restore(self) -> None:
        if self.status not in {"approved", "archived"}:
            raise Refused
        self.status = "approved"
