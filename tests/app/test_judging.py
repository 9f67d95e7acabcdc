"""A server whose settings name a model: who is asked, what is recorded, and what it costs."""

from contextlib import asynccontextmanager

import pytest

from bylaw import settings
from bylaw.app import build
from bylaw.core.errors import InvalidInput
from tests.api.conftest import World
from tests.model_server.minds import honest, judge, result
from tests.model_server.server import Answer, failure, serving

KIND = "The answer must not promise 'a free upgrade'. Be kind."
URGENT = "Reject any output that mentions 'urgent'."


@asynccontextmanager
async def judged(tmp_path, script=None, **given):
    """A server with a model that answers as `script` does, and that model."""
    async with serving(judge() if script is None else script) as model:
        values = {"judge_model": "scripted-1", "judge_url": f"{model.url}/v1", "outgoing": "any"} | given
        async with build(settings.build(data=tmp_path / "data", **values)) as app:
            yield World(app=app, keys={"admin": app.admin_key}), model


def decision(*rules: str, said: str = "Here you are.") -> dict:
    written = [{"type": "nl", "text": text} for text in rules]
    return {"phase": "output", "agent_output": said, "policy_rules": written}


async def test_offline_is_asked_first_and_the_model_only_what_that_leaves_open(tmp_path):
    async with judged(tmp_path) as (world, model):
        found = await world.make("/v1/decisions", decision(URGENT, KIND))
    first, second = found["extra_rules"]
    assert (first["basis"], first["judgement"]["evaluator"]) == ("pattern", "offline")
    assert (second["basis"], second["judgement"]["evaluator"]) == ("model", "model")
    assert [each["evaluator"] for each in found["evaluators"]] == ["offline", "model"]
    assert found["outcome"] == "allow"
    assert [URGENT in each.system for each in model.asked] == [False]


async def test_tokens_and_cost_are_recorded_and_what_is_known_costs_nothing(tmp_path):
    async with judged(tmp_path, judge_price_in=300, judge_price_out=1500) as (world, model):
        first = await world.make("/v1/decisions", decision(KIND))
        second = await world.make("/v1/decisions", decision(KIND))
        counted = await world.send("admin", "GET", "/v1/statistics?window=24h")
        metrics = (await world.send("admin", "GET", "/metrics")).text
    assert "bylaw_judge_resting 0.0" in metrics
    assert "bylaw_judgements_kept_hits 2.0" in metrics
    spent = first["evaluators"][1]
    assert (spent["tokens_in"], spent["tokens_out"], spent["cost_micros"]) == (100, 20, 600)
    assert spent["model"] == "scripted-1"
    assert "tokens_in" not in second["evaluators"][1]
    assert second["evaluators"][1]["cached"]
    assert len(model.asked) == 1
    series = counted.json()["series"]
    assert (sum(each["tokens_in"] for each in series), sum(each["tokens_out"] for each in series)) == (
        100,
        20,
    )


async def test_what_one_call_costs_is_shared_by_the_policies_that_it_was_about(tmp_path):
    async def spent(world, **only):
        asked = {"scope": "org", "window": "24h", **only}
        found = await world.send("admin", "GET", "/v2/stats/policies/tokens", params=asked)
        points = found.json()["series"]
        return [sum(each[f"policyTokens{way}"] for each in points) for way in ("In", "Out")]

    async with judged(tmp_path) as (world, model):
        idents = []
        for name, rules in (("One", ["Be kind."]), ("Two", ["Be brief and kind.", "Be clear."])):
            body = {"name": name, "rules": [{"text": each} for each in rules], "action": "log"}
            idents.append((await world.make("/v1/policies", body))["id"])
        await world.make("/v1/decisions", {"phase": "output", "agent_output": "Here you are."})
        assert len(model.asked) == 1
        for _ in range(2):
            one, two = [await spent(world, ruleId=ident) for ident in idents]
            assert await spent(world) == [100, 20] == [a + b for a, b in zip(one, two, strict=True)]
            assert (one, two) in (([34, 7], [66, 13]), ([33, 6], [67, 14]))
            await world.app.upkeep.rebuild()
        found = await world.send("admin", "GET", "/v2/stats/policies/breakdown/rules?window=24h")
        named = {each["entityId"]: each.get("entityName") for each in found.json()["entities"]}
        assert named == dict(zip(idents, ["One", "Two"], strict=True))


@pytest.mark.parametrize("answer", ["refuse", "lie", "stall"])
async def test_a_model_that_fails_lies_or_is_late_is_never_a_pass(tmp_path, answer):
    def script(asked):
        if answer == "refuse":
            return failure(401)
        if answer == "stall":
            return Answer(stalls=True)
        return judge(lambda _, ident: result(ident, "violation", ("m1", "never said")))(asked)

    async with judged(tmp_path, script, judge_ms=300) as (world, _):
        found = await world.make("/v1/decisions", decision(KIND))
    assert found["outcome"] == "review"
    assert not found["compliant"]
    assert found["extra_rules"][0]["status"] == "indeterminate"
    assert found["extra_rules"][0]["judgement"]["evaluator"] == "model"


async def test_who_has_spent_the_tokens_of_the_day_is_undecided(tmp_path):
    async with judged(tmp_path, judge_tokens_per_day=1) as (world, model):
        found = await world.make("/v1/decisions", decision(KIND))
    assert (found["extra_rules"][0]["code"], model.asked) == ("over_budget", [])


async def test_a_policy_chooses_who_judges_its_rules(tmp_path):
    async with judged(tmp_path) as (world, model):
        for name, rule, chosen in (("o", KIND, "offline"), ("m", URGENT, "model")):
            policy = {"name": name, "rules": [{"text": rule}], "evaluator": chosen, "id": name}
            saved = await world.make("/v1/policies", policy)
            assert saved["evaluator"] == chosen
        found = await world.make("/v1/decisions", {"phase": "output", "agent_output": "urgent"})
    by_id = {each["id"]: each["rules"][0] for each in found["policies"]}
    assert by_id["m"]["status"] == "violated"
    assert by_id["m"]["judgement"]["evaluator"] == "model"
    # Before the model is asked, nothing is a block: the rule of the other policy mattered, and stays open.
    assert (by_id["o"]["status"], by_id["o"]["judgement"]["evaluator"]) == ("indeterminate", "offline")
    assert not any(KIND in each.system for each in model.asked)


@pytest.mark.parametrize("api", ["openai", "anthropic", "ollama"])
async def test_the_key_in_a_file_is_sent_in_each_manner_and_never_told(tmp_path, api, caplog):
    (tmp_path / "key").write_text("sk-told-to-nobody\n")
    async with serving(judge(honest)) as model:
        address = model.url if api == "ollama" else f"{model.url}/v1"
        values = {"judge_model": "m", "judge_url": address, "judge_api": api, "outgoing": "any"}
        given = settings.build(data=tmp_path / "data", judge_key_file=str(tmp_path / "key"), **values)
        async with build(given) as app:
            world = World(app=app, keys={"admin": app.admin_key})
            found = await world.make("/v1/decisions", decision(KIND))
            listed = await world.send("admin", "GET", "/v1/evaluators")
    assert found["outcome"] == "allow"
    assert any("sk-told-to-nobody" in value for value in model.asked[0].headers.values())
    assert "sk-told-to-nobody" not in caplog.text + listed.text


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"judge_url": "http://model.example.com/v1"}, "judge_url"),
        ({"judge_key_file": "/does/not/exist"}, "judge_key_file"),
    ],
)
async def test_settings_that_name_no_usable_model_stop_the_start(tmp_path, given, path):
    values = settings.build(data=tmp_path / "data", judge_model="m", outgoing="any", **given)
    with pytest.raises(InvalidInput) as refused:
        async with build(values):
            pass
    assert refused.value.problems[0].path == path
    assert refused.value.message.startswith(f"BYLAW_{path.upper()}: ")
