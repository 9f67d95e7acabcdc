"""What the server counts and measures, as Prometheus reads it at /metrics."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_MICROSECONDS = (20e-6, 50e-6, 80e-6, 150e-6, 300e-6, 1e-3, 5e-3, 25e-3, 0.1, 1.0, 10.0)


class Metrics:
    """The counters of one server; each has its own registry: two in one process stay apart."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._requests = Counter(
            "bylaw_http_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "bylaw_http_request_seconds",
            "Time from the first byte of a request to the last of its answer.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._under_way = Gauge("bylaw_http_requests_under_way", "Being answered.", registry=self.registry)
        self._decisions = Counter(
            "bylaw_decisions", "Decisions made.", ("outcome", "posture", "dry_run"), registry=self.registry
        )
        self._decide_seconds = Histogram(
            "bylaw_decide_seconds", "Time to decide.", buckets=_MICROSECONDS, registry=self.registry
        )
        self._refusals = Counter(
            "bylaw_key_refusals", "Requests refused at the door.", ("code",), registry=self.registry
        )

        # Looking a series up by its labels costs more than counting: those that were used are kept.
        self._routes: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._outcomes: dict[tuple[str, str, bool], Counter] = {}

    def started(self) -> None:
        """Count a request that has begun."""
        self._under_way.inc()

    def finished(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that has ended."""
        self._under_way.dec()
        counter, histogram = self._of_route(method, route, status)
        counter.inc()
        histogram.observe(seconds)

    def decided(self, outcome: str, posture: str, *, dry_run: bool, duration_us: int) -> None:
        """Count a decision."""
        key = (outcome, posture, dry_run)
        counter = self._outcomes.get(key)
        if counter is None:
            counter = self._decisions.labels(outcome, posture, "yes" if dry_run else "no")
            self._outcomes[key] = counter
        counter.inc()
        self._decide_seconds.observe(duration_us / 1e6)

    def refused(self, code: str) -> None:
        """Count a caller who was not let in: `unauthenticated`, `forbidden` or `rate_limited`."""
        self._refusals.labels(code).inc()

    def watch(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show what `read` returns whenever the metrics are read."""
        Gauge(name, text, registry=self.registry).set_function(read)

    def _of_route(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        key = (method, route, status)
        found = self._routes.get(key)
        if found is None:
            found = (self._requests.labels(method, route, status), self._seconds.labels(method, route))
            self._routes[key] = found
        return found

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)
