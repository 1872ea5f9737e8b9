"""`/metrics` for Prometheus: figures from the database, read at each scrape, so that any web process can answer."""

from collections.abc import Iterator

from django.db import connection
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from coruscant.money import decimal_string
from coruscant.restores import identity
from pricing import best_price

# Name, help, labels, query. Every query reads an index that holds only the rows it counts, or few rows.
_GAUGES: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    (
        "coruscant_liquidations_open",
        "Liquidations not yet settled, by status",
        ("status",),
        "SELECT status, count(*) FROM liquidation_liquidation WHERE status <> 'settled' GROUP BY status",
    ),
    (
        "coruscant_liquidations_overdue_seconds",
        "Age of the oldest due time of a sale",
        (),
        "SELECT coalesce(extract(epoch FROM now() - min(due_at)), 0) FROM liquidation_liquidation"
        " WHERE status = 'selling' AND held_by_id IS NULL AND due_at < now()",
    ),
    (
        "coruscant_orders_pending",
        "Orders without a verdict, by market and status",
        ("market", "status"),
        "SELECT market, status, count(*) FROM liquidation_tradeorder"
        " WHERE status IN ('open', 'unknown', 'unresolved') GROUP BY market, status",
    ),
    (
        "coruscant_events_unsent",
        "Events in the outbox",
        (),
        "SELECT count(*) FROM liquidation_liquidationevent WHERE sent_at IS NULL",
    ),
    (
        "coruscant_events_unsent_seconds",
        "Age of the oldest unsent event",
        (),
        "SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM liquidation_liquidationevent"
        " WHERE sent_at IS NULL",
    ),
    (
        "coruscant_quotes_unevaluated_seconds",
        "Age of the oldest quote that no evaluation has covered",
        (),
        "SELECT coalesce(extract(epoch FROM now() - min(received_at)), 0) FROM pricing_pricequote"
        " WHERE evaluated_at IS NULL",
    ),
    (
        "coruscant_feed_drained_seconds",
        "How far a feed is behind: the age of its newest quote, or less if its queue was found empty since",
        ("market",),
        "SELECT market, extract(epoch FROM now() - received_to) FROM pricing_feed f, LATERAL ("
        " SELECT greatest(f.drained_to, max(sent_at)) AS received_to FROM pricing_pricequote q"
        " WHERE q.market = f.market) AS last WHERE received_to IS NOT NULL",
    ),
    (
        "coruscant_feed_messages",
        "Messages received, by market and outcome",
        ("market", "outcome"),
        "SELECT market, outcome, n FROM pricing_feed, LATERAL (VALUES ('quote', quotes), ('duplicate', duplicates),"
        " ('skipped', skipped), ('rejected', rejected)) AS counts(outcome, n)",
    ),
    (
        "coruscant_claim_failures",
        "Breached loans that could not be claimed",
        (),
        "SELECT count(*) FROM liquidation_claimfailure",
    ),
    (
        "coruscant_liquidations_held",
        "Liquidations that a restore holds",
        (),
        "SELECT count(*) FROM liquidation_liquidation WHERE held_by_id IS NOT NULL",
    ),
    (
        "coruscant_claims_held",
        "1 while a restore holds claims",
        (),
        "SELECT count(*) FROM (SELECT FROM restores_restore WHERE claims_released_at IS NULL LIMIT 1) AS held",
    ),
)


class _Books(Collector):
    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, meaning, labels, sql in _GAUGES:
            family = GaugeMetricFamily(name, meaning, labels=labels)
            with connection.cursor() as cursor:
                cursor.execute(sql)
                for *values, figure in cursor.fetchall():
                    family.add_metric([str(value) for value in values], float(figure))
            yield family
        yield GaugeMetricFamily(
            "coruscant_database_replaced", "1 while the database is not the accepted one", bool(identity.objection())
        )
        point = best_price.current()
        price = GaugeMetricFamily("coruscant_best_price", "Best price, GC a unit; absent while there is none")
        if point.price is not None:
            price.add_metric([], float(decimal_string(point.price)))
        yield price


_registry = CollectorRegistry(auto_describe=False)
_registry.register(_Books())


def metrics_view(request: HttpRequest) -> HttpResponse:
    """The present figures in Prometheus' text format."""
    return HttpResponse(generate_latest(_registry), content_type=CONTENT_TYPE_LATEST)
