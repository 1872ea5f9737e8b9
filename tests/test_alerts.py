"""Alerts are valid, explained and made of metrics that exist, as the dashboard is; each alert fires by what it is for.

Rules are run by Prometheus' own promtool. Skipped without it.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from coruscant.monitoring import signs_of_life

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "deploy" / "prometheus"
RULES = FOLDER / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboard.json"
ALERTS = {
    rule["alert"]: rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
}  # fmt: skip
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="needs promtool, of Debian's package prometheus")

#: A service that is well, as it is scraped.
WELL = {
    'coruscant_scrape_answered{store="database"}': 1,
    'coruscant_scrape_answered{store="sqs"}': 1,
    'coruscant_processes_alive{kind="beat"}': 2,
    'coruscant_processes_alive{kind="risk"}': 2,
    'coruscant_processes_alive{kind="replay"}': 1,
    'coruscant_processes_silent{kind="beat"}': 0,
    'coruscant_celery_queue_depth{queue="liquidations"}': 64,
    'coruscant_celery_queue_oldest_seconds{queue="liquidations"}': 5,
    'coruscant_celery_queue_oldest_seconds{queue="replay"}': 300,
    'coruscant_sqs_queue_depth{queue="coruscant-mos-espa-prices"}': 3,
    'coruscant_sqs_queue_depth{queue="coruscant-mos-espa-prices-dead-letters"}': 0,
    'coruscant_http_requests_total{route="/loans",status="200"}': "0+100",
    'coruscant_http_requests_total{route="/loans",status="500"}': "0+1",
    'coruscant_http_request_seconds_bucket{route="/loans",le="1.0"}': "0+100",
    'coruscant_http_request_seconds_bucket{route="/loans",le="5.0"}': "0+101",
    'coruscant_http_request_seconds_bucket{route="/loans",le="+Inf"}': "0+101",
    "coruscant_best_price": 50,
    'coruscant_price_age_seconds{market="mos_espa"}': 5,
    'coruscant_feed_drained_seconds{market="mos_espa"}': 2,
    'coruscant_feed_messages{market="mos_espa",outcome="quote"}': "0+10",
    'coruscant_feed_messages{market="mos_espa",outcome="rejected"}': 3,
    "coruscant_price_disputed": 0,
    'coruscant_price_suspect{market="mos_espa"}': 0,
    "coruscant_price_pending": 0,
    "coruscant_quotes_unevaluated_seconds": 1,
    'coruscant_tick_to_claim_seconds{quantile="0.95"}': 4,
    "coruscant_claim_failures": 0,
    "coruscant_liquidations_overdue_seconds": 3,
    "coruscant_liquidations_unsettled_seconds": 60,
    'coruscant_orders_pending{market="mos_espa",status="unknown"}': 4,
    "coruscant_orders_unknown_seconds": 60,
    'coruscant_recent_answers{market="mos_espa",kind="success"}': 60,
    'coruscant_recent_answers{market="mos_espa",kind="unclear"}': 40,
    'coruscant_slippage{market="mos_espa"}': 0.01,
    "coruscant_events_unsent_seconds": 2,
    "coruscant_loan_events_unsent_seconds": 2,
    "coruscant_loan_events_topic_differs": 0,
    "coruscant_terms_differ_from_settings": 0,
    "coruscant_guard_does_not_fit_terms": 0,
    "coruscant_database_replaced": 0,
    "coruscant_claims_held": 0,
    "coruscant_liquidations_held": 0,
    "coruscant_claims_withheld": 0,
    "coruscant_reconciliation_differences_open": 0,
    'coruscant_invariant_violations{invariant="I1"}': 0,
    "coruscant_invariants_unchecked": 0,
}
#: What makes each alert fire; None: the series is not there.
FIRED_BY = {
    "MetricsMissing": dict.fromkeys([name for name in WELL if "scrape_answered" in name]),
    "StoreSilent": {'coruscant_scrape_answered{store="sqs"}': 0},
    "BeatSilent": {'coruscant_processes_alive{kind="beat"}': 0},
    "WorkersSilent": {'coruscant_processes_alive{kind="risk"}': 0},
    "ReplayWorkersSilent": {'coruscant_processes_alive{kind="replay"}': 0},
    "ProcessSilent": {'coruscant_processes_silent{kind="beat"}': 1},
    "TasksWait": {'coruscant_celery_queue_depth{queue="liquidations"}': 151},
    "TasksOld": {'coruscant_celery_queue_oldest_seconds{queue="liquidations"}': 121},
    "ApiErrors": {'coruscant_http_requests_total{route="/loans",status="500"}': "0+3"},
    "ApiSlow": {'coruscant_http_request_seconds_bucket{route="/loans",le="1.0"}': "0+50"},
    "NoPrice": {"coruscant_best_price": None},
    "PriceOld": {'coruscant_price_age_seconds{market="mos_espa"}': 61},
    "FeedBehind": {'coruscant_feed_drained_seconds{market="mos_espa"}': 31},
    "PriceMessagesWait": {'coruscant_sqs_queue_depth{queue="coruscant-mos-espa-prices"}': 501},
    "DeadLetters": {'coruscant_sqs_queue_depth{queue="coruscant-mos-espa-prices-dead-letters"}': 1},
    "MessagesRejected": {'coruscant_feed_messages{market="mos_espa",outcome="rejected"}': "3+1"},
    "MessagingMissing": {'coruscant_messaging_missing{name="a-queue"}': 1},
    "PriceDisputed": {"coruscant_price_disputed": 1},
    "PriceSuspect": {'coruscant_price_suspect{market="mos_espa"}': 1},
    "PricePending": {"coruscant_price_pending": 1},
    "QuotesUnevaluated": {"coruscant_quotes_unevaluated_seconds": 31},
    "ClaimsSlow": {'coruscant_tick_to_claim_seconds{quantile="0.95"}': 31},
    "ClaimFailed": {"coruscant_claim_failures": 1},
    "SalesOverdue": {"coruscant_liquidations_overdue_seconds": 61},
    "SaleUnsettled": {"coruscant_liquidations_unsettled_seconds": 901},
    "OrderUnresolved": {'coruscant_orders_pending{market="mos_espa",status="unresolved"}': 1},
    "OrderUnknown": {"coruscant_orders_unknown_seconds": 601},
    "MarketFails": {'coruscant_recent_answers{market="mos_espa",kind="unclear"}': 61},
    "Slippage": {'coruscant_slippage{market="mos_espa"}': 0.21},
    "EventsUnsent": {"coruscant_events_unsent_seconds": 61},
    "LoanEventsUnsent": {"coruscant_loan_events_unsent_seconds": 61},
    "LoanEventsTopicDiffers": {"coruscant_loan_events_topic_differs": 1},
    "TermsDiffer": {"coruscant_terms_differ_from_settings": 1},
    "GuardDoesNotFitTerms": {"coruscant_guard_does_not_fit_terms": 1},
    "DatabaseReplaced": {"coruscant_database_replaced": 1},
    "ClaimsHeld": {"coruscant_claims_held": 1},
    "LiquidationsHeld": {"coruscant_liquidations_held": 1},
    "ControlInForce": {'coruscant_controls_in_force{kind="pause_claims",market=""}': 1},
    "ClaimsWithheld": {"coruscant_claims_withheld": 1},
    "DifferencesOpen": {"coruscant_reconciliation_differences_open": 1},
    "InvariantBroken": {'coruscant_invariant_violations{invariant="I1"}': 1},
    "InvariantsUnchecked": {"coruscant_invariants_unchecked": 1},
}
#: After so many minutes an alert must fire; what waits for longer itself has more.
MINUTES = {"InvariantsUnchecked": 31}
USUAL_MINUTES = 4


def promtool(*arguments):
    return subprocess.run([str(PROMTOOL), *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)


def case(changes, firing):
    """A unit test of promtool: with these changes to what is well, exactly these alerts fire in the end."""
    minutes = max((MINUTES.get(name, USUAL_MINUTES) for name in firing), default=USUAL_MINUTES)
    series = []
    for name, value in (WELL | changes).items():
        if value is not None:
            steps = value if "+" in str(value) else f"{value}+0"
            label = 'instance="web:4000",job="coruscant-bank"'
            full = f"{name[:-1]},{label}}}" if name.endswith("}") else f"{name}{{{label}}}"
            series.append({"series": full, "values": f"{steps}x{minutes * 6}"})
    fires = {
        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": f"{minutes}m",
        "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in firing],
    }
    return {
        "name": " and ".join(firing) or "well",
        "interval": "10s",
        "input_series": series,
        "promql_expr_test": [fires],
    }


@needs_promtool
def test_rules_and_configuration_are_valid():
    for command in (["check", "rules", "alerts.yml"], ["check", "config", "prometheus.yml"]):
        ran = promtool(*command)
        assert ran.returncode == 0, ran.stdout + ran.stderr


@needs_promtool
def test_each_alert_fires_by_what_it_is_for_and_none_while_all_is_well(tmp_path):
    assert set(FIRED_BY) == set(ALERTS)
    assert names_in(" ".join(WELL)) <= names_in(RULES.read_text())
    cases = [case({}, []), *(case(changes, [name]) for name, changes in FIRED_BY.items())]
    file = tmp_path / "alerts_test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "10s", "tests": cases}))
    ran = promtool("test", "rules", str(file))
    assert ran.returncode == 0, ran.stdout + ran.stderr


@needs_promtool
@pytest.mark.parametrize(("name", "kind"), [("BeatSilent", "beat"), ("WorkersSilent", "risk")])
def test_a_kind_that_falls_silent_is_known_within_a_minute(tmp_path, name, kind):
    series = f'coruscant_processes_alive{{kind="{kind}"}}'
    silent_after = int(signs_of_life.SILENT_AFTER_SECONDS)
    one = case({}, [])
    for given in one["input_series"]:
        if series[:-1] in given["series"]:
            # It was last scraped alive just before its last sign became too old.
            given["values"] = "1+0x1 0+0x30"
    (fires,) = one["promql_expr_test"]
    fires["eval_time"] = f"{10 + 60 - silent_after}s"
    fires["exp_samples"] = [{"labels": f'{{alertname="{name}"}}', "value": 1}]
    file = tmp_path / "alerts_test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "10s", "tests": [one]}))
    ran = promtool("test", "rules", str(file))
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_each_alert_has_its_line_in_the_runbook():
    section = OPERATIONS.split("\n## Alerts\n")[1].split("\n## ")[0]
    assert re.findall(r"^### (\w+)$", section, re.MULTILINE) == list(ALERTS)
    for name, rule in ALERTS.items():
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{name.lower()}"
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"page", "ticket"}


def names_in(text):
    return set(re.findall(r"coruscant_\w+", text))


@pytest.mark.django_db
def test_every_metric_that_is_scraped_is_explained_in_the_docs(client):
    text = client.get("/metrics").content.decode()
    families = set(re.findall(r"^# TYPE (coruscant_\w+)", text, re.MULTILINE))
    assert {name for name in families if not name.endswith("_created")} - names_in(OPERATIONS) == set()


@needs_promtool
def test_every_expression_of_the_dashboard_is_valid(tmp_path):
    dashboard = json.loads(DASHBOARD.read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    records = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(expressions)]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": records}]}))
    ran = promtool("check", "rules", str(file))
    assert ran.returncode == 0, ran.stdout + ran.stderr
