"""What tests of the judge share: rules and facts to judge, and time that moves when somebody waits."""

from dataclasses import dataclass, field

from bylaw.core.clock import ManualClock
from bylaw.evaluators.ask import ask
from bylaw.evaluators.model.calling import Means
from bylaw.evaluators.model.evaluator import JudgeOptions, ModelEvaluator
from bylaw.evaluators.protocol import Batch, Question

RIVAL = "The agent must not say 'rival'."
URGENT = "Flag as urgent if the customer says 'urgent'."
TALK = {
    "phase": "output",
    "messages": [
        {"role": "user", "content": "This is urgent. Is your rival any better?"},
        {"role": "assistant", "content": "Let me see."},
    ],
    "agent_output": "Our rival is worse.",
}


@dataclass
class Time:
    """Time that moves by waiting alone; `waits` are all that there were."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)
    clock: ManualClock = field(default_factory=ManualClock)

    async def sleep(self, seconds):
        """Move on."""
        self.waits.append(seconds)
        self.now += seconds

    @property
    def means(self):
        """What an evaluator gets."""
        return Means(clock=self.clock, ticks=lambda: self.now, sleep=self.sleep)


def question(text, effect=None, ident="", **fields):
    effect = effect or ("flag" if text.startswith("Flag") else "reject")
    return Question(id=ident or f"p1/{text}", text=text, effect=effect, digest=f"sha256:{text}", **fields)


def batch(*texts, facts=TALK, timeout_ms=10_000, asker="t1"):
    questions = tuple(each if isinstance(each, Question) else question(each) for each in texts)
    return Batch(questions=questions, facts=facts, timeout_ms=timeout_ms, asker=asker)


def evaluator_of(server, dialect="openai", *, time=None, **options):
    means = Means() if time is None else time.means
    chosen = JudgeOptions(**options)
    return ModelEvaluator(server.providers(), server.endpoint(dialect), "m", chosen, means=means)


async def judged(evaluator, *texts, **fields):
    """Return the verdicts of the rules by their text."""
    asked = await ask(evaluator, batch(*texts, **fields))
    return {ident.removeprefix("p1/"): verdict for ident, verdict in asked.verdicts.items()}


def outcome(verdict):
    """Return the status of a verdict, and its code where it has one."""
    return (verdict.status, verdict.code) if verdict.code else verdict.status
