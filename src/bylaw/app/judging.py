"""Who judges rules in words: the panel that the settings name."""

from typing import Final

from bylaw.api.advising import Adviser
from bylaw.api.metrics import Metrics
from bylaw.api.recommending import Recommender
from bylaw.api.tracing import TracedEvaluator, Tracer
from bylaw.app.secrets import line_in
from bylaw.core.errors import InvalidInput
from bylaw.core.ids import Ids
from bylaw.evaluators.cache import Cache
from bylaw.evaluators.model.evaluator import JudgeOptions, ModelEvaluator
from bylaw.evaluators.offline import OfflineEvaluator
from bylaw.evaluators.panel import Panel, Prices
from bylaw.providers.calling import Endpoint, Providers
from bylaw.providers.http import HttpClient, HttpLimits
from bylaw.providers.structured import StructuredModel
from bylaw.settings import Settings
from bylaw.tenancy.connections import Credentials, checked_endpoint
from bylaw.tenancy.model import Provider

_OF_REQUEST: Final = 0.7  # of the time for a request may be spent on advice
_OLLAMA: Final = "http://127.0.0.1:11434"


def panel_of(settings: Settings, model: ModelEvaluator | None, tracer: Tracer) -> Panel:
    """Return the panel that judges with these settings, and with a model or none."""
    judge = settings.judge
    return Panel(
        offline=TracedEvaluator(OfflineEvaluator(), tracer),
        model=None if model is None else TracedEvaluator(model, tracer),
        cache=Cache(settings.decisions.kept_judgements),
        prices=Prices(tokens_in=judge.judge_price_in, tokens_out=judge.judge_price_out),
        timeout_ms=min(judge.judge_ms, settings.server.request_ms * 4 // 5),
    )


def watch_judging(metrics: Metrics, cache: Cache, model: ModelEvaluator | None) -> None:
    """Show how many verdicts were known, and whether the model is left alone."""
    metrics.watch("bylaw_judgements_kept_hits", "Rules whose verdict was kept.", lambda: cache.hits)
    metrics.watch("bylaw_judgements_kept_misses", "Rules that were judged.", lambda: cache.misses)
    if model is not None:
        text = "1 while the model that judges is left alone, as it fails, or is late for a tenant."
        metrics.watch("bylaw_judge_resting", text, lambda: model.rests)


def model_of(settings: Settings, providers: Providers) -> ModelEvaluator | None:
    """Return the model that judges, None where none is named. Raises: InvalidInput."""
    judge = settings.judge
    if not judge.judge_model:
        return None
    options = JudgeOptions(
        samples=judge.judge_samples,
        calls_per_tenant=judge.judge_calls,
        tokens_per_day=judge.judge_tokens_per_day,
        alone=judge.judge_alone,
    )
    return ModelEvaluator(providers, _endpoint(settings), judge.judge_model, options)


def structured_of(settings: Settings, providers: Providers) -> StructuredModel | None:
    """Return the same model for questions with answers of a shape, None where none is named."""
    judge = settings.judge
    return StructuredModel(providers, _endpoint(settings), judge.judge_model) if judge.judge_model else None


def advisers_of(settings: Settings, providers: Providers, ids: Ids) -> tuple[Adviser, Recommender]:
    """Return who reviews the wording of policies and who recommends some, with the same model."""
    model, timeout_s = structured_of(settings, providers), settings.server.request_ms * _OF_REQUEST / 1000
    return (
        Adviser(model=model, marker=ids.marker, timeout_s=timeout_s),
        Recommender(model=model, marker=ids.marker, timeout_s=timeout_s),
    )


def providers_of(settings: Settings) -> Providers:
    """Return what calls providers of models, as far as the settings let it."""
    calls = settings.gateway
    limits = HttpLimits(
        timeout_ms=calls.provider_ms, answer_bytes=calls.provider_bytes, calls=calls.provider_calls
    )
    return Providers(HttpClient(settings.server.outgoing, limits))


def address_in(setting: str, text: str, provider: Provider) -> str:
    """Return the address that a setting names. Raises: InvalidInput that names the setting."""
    try:
        return checked_endpoint(text, provider, path=setting)
    except InvalidInput as error:
        raise InvalidInput(f"BYLAW_{setting.upper()}: {error.message}", *error.problems) from None


def _endpoint(settings: Settings) -> Endpoint:
    judge = settings.judge
    key = judge.judge_key or line_in("judge_key_file", judge.judge_key_file)
    if judge.judge_api == "ollama":
        address = address_in("judge_url", judge.judge_url or _OLLAMA, "other")
        # Under this path Ollama speaks its own words.
        address = address if address.endswith("/api") else address + "/api"
        return Endpoint(provider="other", address=address, credentials=Credentials(key=key))
    address = address_in("judge_url", judge.judge_url, judge.judge_api)
    return Endpoint(provider=judge.judge_api, address=address, credentials=Credentials(key=key))
