r"""`bylaw evaluators`: who judges rules in words, how one will be judged, and how well they are judged."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final, Literal, get_args

import click
import msgspec

from bylaw.api.native.evaluator_views import EvaluatorsView
from bylaw.api.tracing import Untraced
from bylaw.app.judging import model_of, panel_of, providers_of
from bylaw.backtest.labelled import LabelledCase, examples_of, read_cases
from bylaw.backtest.proportion import Proportion
from bylaw.backtest.scoring import Quality, Score, Scored, judge_cases, score
from bylaw.cli.folder import read_folder
from bylaw.cli.given import read_json
from bylaw.cli.lazy import LazyGroup
from bylaw.cli.options import json_option, server_option
from bylaw.cli.remote import keyed
from bylaw.core.errors import InvalidInput
from bylaw.decisions.request import read
from bylaw.evaluators.judging import judging
from bylaw.evaluators.panel import Panel
from bylaw.policies.model import Chosen, Effect, NaturalRule
from bylaw.policies.wording import proposed_effect
from bylaw.settings import Settings, load

Which = Literal["both", "offline", "model"]
BELOW: Final = 1
NOTHING: Final = 2
EXIT: Final = {"satisfied": 0, "violated": 1, "indeterminate": 3}

which_option = click.option(
    "--evaluator",
    type=click.Choice(get_args(Which)),
    default="both",
    show_default=True,
    help="Who judges: offline and then the model that BYLAW_JUDGE_MODEL names, or one of them alone.",
)
effect_option = click.option(
    "--effect", type=click.Choice(get_args(Effect)), help="Reject or flag; read from the wording by default."
)


@click.group(
    "evaluators",
    cls=LazyGroup,
    epilog="""\b
Examples:
  bylaw evaluators explain "Reject any output that mentions 'lawsuit'."
  bylaw evaluators try "Never mention 'lawsuit'." --context '{"agent_output": "I will file a lawsuit."}'
  bylaw evaluators score --cases cases.jsonl --min-precision 0.95
  bylaw evaluators list                           # of a running server
""",
)
def evaluators() -> None:
    """See who judges rules in words, how they will judge one, and how well they do."""


@evaluators.command("list", params=[server_option()], epilog="\b\nExamples:\n  bylaw evaluators list\n")
@click.option("--key", envvar="BYLAW_API_KEY", help="An API key with the scope policy:read.")
@json_option
def list_evaluators(server: str, key: str | None, *, as_json: bool) -> None:
    """List who judges rules in words on a running server, and how they do."""
    answer = keyed(server, key).request("GET", "/v1/evaluators")
    if as_json:
        click.echo(answer)
        return
    found = msgspec.json.decode(answer, type=EvaluatorsView)
    for each in found.evaluators:
        if not each.is_configured:
            click.echo(f"{each.id:8} not configured (BYLAW_JUDGE_MODEL)")
            continue
        told = [each.model, f"breaker {each.breaker}" if each.breaker else "ready"]
        limit = f" of {each.tokens_per_day}" if each.tokens_per_day else ""
        told += [f"{each.tokens_today}{limit} tokens today"] if each.model else []
        click.echo(f"{each.id:8} {' · '.join(filter(None, told))}")
    rate = "nothing asked yet" if found.hit_rate is None else f"{found.hit_rate:.1%} of rules"
    click.echo(f"known from before: {rate}")


@evaluators.command(
    "explain",
    epilog="""\b
Examples:
  bylaw evaluators explain "Never mention 'chargeback'."
  bylaw evaluators explain "Be kind to customers." --json
""",
)
@click.argument("rule")
@effect_option
@json_option
def explain_rule(rule: str, effect: Effect | None, *, as_json: bool) -> None:
    """Say how RULE, in words, will be judged: what is looked for, and what is left to a judge."""
    settings = load({}, os.environ, signs=False)
    effect = proposed_effect(rule) if effect is None else effect
    found = judging(rule, effect, None, has_model=bool(settings.judge.judge_model))
    if as_json:
        click.echo(
            json.dumps({"rule": rule, "effect": effect, **asdict(found)}, ensure_ascii=False, indent=2)
        )
        return
    click.echo(f"effect     {effect}")
    click.echo(f"judged by  {', then '.join(found.by) or 'nobody here'}")
    click.echo(f"offline    {found.offline.how}")
    for name, said in (("why", found.offline.why), ("instead", found.offline.rewording)):
        if said:
            click.echo(f"{name:10} {said}")
    left = {"nothing": "nothing", "some": "some cases", "all": "every case"}[found.left]
    click.echo(f"undecided  {left}")


@evaluators.command(
    "try",
    epilog="""\b
Examples:
  bylaw evaluators try "Never mention 'lawsuit'." -c '{"agent_output": "I will file a lawsuit."}'
  bylaw evaluators try "Be kind to customers." -c request.json --evaluator model
""",
)
@click.argument("rule")
@click.option("-c", "--context", required=True, help="A decision request: a FILE, JSON, or `-`.")
@effect_option
@which_option
@json_option
def try_rule(rule: str, context: str, effect: Effect | None, evaluator: Which, *, as_json: bool) -> int:
    """Judge RULE, in words, over the facts of a decision request; nothing is kept.

    Exit codes: 0 satisfied or not applicable · 1 violated · 2 unusable · 3 indeterminate.
    """
    given = read_json(context, "--context")
    if not isinstance(given, dict):
        raise InvalidInput("--context is a decision request, a JSON object.")
    case = LabelledCase(
        label=rule,
        rules=(NaturalRule(id="r1", text=rule, effect=proposed_effect(rule) if effect is None else effect),),
        request=read({**given, "dry_run": True}),
        expected="satisfied",
    )
    (found,) = asyncio.run(_judged([case], evaluator))
    told = {"found": found.found, "basis": found.basis, "code": found.code, "confidence": found.confidence}
    asked = [msgspec.to_builtins(each) for each in found.judgements]
    if as_json:
        click.echo(json.dumps({**told, "evaluators": asked}, ensure_ascii=False, indent=2))
    else:
        by = ", then ".join(each.evaluator for each in found.judgements) or "nobody"
        click.echo(f"{found.found} ({found.basis or found.code}), asked: {by}")
    return EXIT[found.found]


@evaluators.command(
    "score",
    epilog="""\b
Examples:
  bylaw evaluators score --cases cases.jsonl
  bylaw evaluators score --policies policies/ --min-precision 0.95 --min-recall 0.5
""",
)
@click.option(
    "--cases", "files", type=click.Path(path_type=Path, exists=True), multiple=True,
    help="A file of cases, `.jsonl` or YAML: rule, context (a decision request) and expected.",
)  # fmt: skip
@click.option(
    "--policies", "folders", type=click.Path(path_type=Path, exists=True), multiple=True,
    help="A directory of packs: the examples of policies whose rules are all in words are cases.",
)  # fmt: skip
@which_option
@click.option(
    "--at-fpr", type=click.FloatRange(0, 1), help="Find the threshold for this part of false alarms."
)
@click.option("--min-precision", type=click.FloatRange(0, 1), default=0.0, help="Fail below this.")
@click.option("--min-recall", type=click.FloatRange(0, 1), default=0.0, help="Fail below this.")
@json_option
def score_cases(**given: object) -> int:
    """Measure how well rules in words are judged, on cases whose verdict is known; no server is needed.

    Exit codes: 0 done · 1 below --min-precision or --min-recall · 2 there are no cases, or unusable ones.
    """
    asked = msgspec.convert(given, _Asked)
    cases = _cases(asked)
    if not cases:
        click.echo("There are no cases: name some with --cases or --policies.", err=True)
        return NOTHING
    found = score(asyncio.run(_judged(cases, asked.evaluator)), at_most=asked.at_fpr)
    if asked.as_json:
        click.echo(json.dumps(asdict(found), ensure_ascii=False, indent=2))
    else:
        _show(found)
    precision, recall = found.whole.precision.value, found.whole.recall.value
    # Where nothing was said to be broken, there is no precision to be too low; no recall is none at all.
    is_low = (precision is not None and precision < asked.min_precision) or (recall or 0) < asked.min_recall
    return BELOW if is_low else 0


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    files: tuple[Path, ...]
    folders: tuple[Path, ...]
    evaluator: Which
    at_fpr: float | None
    min_precision: float
    min_recall: float
    as_json: bool


def _cases(asked: _Asked) -> list[LabelledCase]:
    cases = [case for file in asked.files for case in read_cases(file)]
    for folder in asked.folders:
        some, others = examples_of(read_folder(folder))
        cases += some
        if others:
            click.echo(f"{folder}: {others} examples are left out: expressions decide them too.", err=True)
    return cases


async def _judged(cases: Sequence[LabelledCase], which: Which) -> Sequence[Scored]:
    settings = load({}, os.environ, signs=False)
    chosen: Chosen | None = None if which == "both" else which
    if chosen is not None:
        cases = [replace(case, evaluator=chosen) for case in cases]
    async with _panel(settings, which) as panel:
        return await judge_cases(panel, cases)


@asynccontextmanager
async def _panel(settings: Settings, which: Which) -> AsyncIterator[Panel]:
    async with aclosing(providers_of(settings)) as providers:
        model = None if which == "offline" else model_of(settings, providers)
        if which == "model" and model is None:
            raise InvalidInput.of("judge_model", "required", "Name the model: BYLAW_JUDGE_MODEL.")
        yield panel_of(settings, model, Untraced())


def _show(found: Score) -> None:
    _show_quality("all cases", found.whole)
    for label, quality in found.rules.items():
        if len(found.rules) > 1:
            _show_quality(label, quality)
    click.echo("\nexpected    said: satisfied  violated  indeterminate")
    for expected, said in found.whole.confusion.items():
        click.echo(f"{expected:16}{said['satisfied']:11}{said['violated']:10}{said['indeterminate']:15}")
    click.echo(f"\ndecided by: {_counts(found.bases)}")
    click.echo(f"undecided:  {_counts(found.undecided)}")
    click.echo(f"time:       p50 {found.p50_ms:.2f} ms, p95 {found.p95_ms:.2f} ms a case")
    click.echo(
        f"tokens:     {found.tokens_in} in, {found.tokens_out} out, cost {found.cost_micros / 1e6:.6f}"
    )
    if found.threshold is not None:
        at = found.threshold
        least = "no confidence keeps" if at.confidence is None else f"from confidence {at.confidence:g}"
        click.echo(f"threshold:  {least} to {at.at_most:.1%} false alarms: recall {_part(at.recall)}")


def _show_quality(label: str, quality: Quality) -> None:
    click.echo(f"{label} ({quality.cases})")
    for name in ("precision", "recall", "abstention", "missed", "false_alarms"):
        click.echo(f"  {name.replace('_', ' '):13}{_part(getattr(quality, name))}")


def _part(part: Proportion) -> str:
    if part.value is None:
        return "nothing to count"
    return f"{part.value:6.1%}  {part.count} of {part.of}, 95 % interval {part.low:.1%} to {part.high:.1%}"


def _counts(counts: object) -> str:
    found = counts if isinstance(counts, dict) else {}
    return ", ".join(f"{name} {number}" for name, number in found.items()) or "none"
