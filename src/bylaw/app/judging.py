"""Who judges rules in words on this server: the panel that the settings name."""

from bylaw.api.tracing import TracedEvaluator, Tracer
from bylaw.evaluators.cache import Cache
from bylaw.evaluators.offline import OfflineEvaluator
from bylaw.evaluators.panel import Panel
from bylaw.settings import Settings


def panel_of(settings: Settings, tracer: Tracer) -> Panel:
    """Return the panel of a server with these settings."""
    return Panel(
        offline=TracedEvaluator(OfflineEvaluator(), tracer), cache=Cache(settings.decisions.kept_judgements)
    )
