"""The dashboard is one that Grafana shows: by a schema of what it uses, and by what no schema can say."""

import copy
import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parent.parent
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text())
SCHEMA = yaml.safe_load((ROOT / "tests" / "grafana.schema.yaml").read_text())
COLUMNS = 24
#: What an aggregation of Prometheus keeps, or drops.
_LABELS = re.compile(r"(?:by|without) \(([^)]*)\)")


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """All but the rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def mistakes(dashboard: dict[str, Any]) -> list[str]:
    """What Grafana would not show as it is meant, each in a few words."""
    if found := [error.message for error in Draft202012Validator(SCHEMA).iter_errors(dashboard)]:
        return found
    found += [f"overlap: {one['title']}, {other['title']}" for one, other in overlapping(dashboard["panels"])]
    found += [f"beyond the edge: {panel['title']}" for panel in dashboard["panels"] if right_of(panel) > COLUMNS]
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(dashboard["panels"])))
    found += [f"no such variable, or nobody uses it: {name}" for name in sorted(used ^ variables)]
    ids = [panel["id"] for panel in dashboard["panels"]]
    found += [f"an id of two: {number}" for number in sorted(set(ids)) if ids.count(number) > 1]
    for panel in panels(dashboard):
        found += [f"{mistake} in {panel['title']}" for mistake in mistakes_of(panel)]
    return found


def overlapping(placed: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [
        (one, other)
        for one, other in itertools.combinations(placed, 2)
        if one["gridPos"]["x"] < right_of(other)
        and other["gridPos"]["x"] < right_of(one)
        and one["gridPos"]["y"] < other["gridPos"]["y"] + other["gridPos"]["h"]
        and other["gridPos"]["y"] < one["gridPos"]["y"] + one["gridPos"]["h"]
    ]


def right_of(panel: dict[str, Any]) -> int:
    return int(panel["gridPos"]["x"] + panel["gridPos"]["w"])


def mistakes_of(panel: dict[str, Any]) -> list[str]:
    found = []
    letters = [target["refId"] for target in panel["targets"]]
    legends = [target["legendFormat"] for target in panel["targets"]]
    if letters != [chr(ord("A") + number) for number in range(len(letters))]:
        found.append("refIds that are not A, B, …")
    if len(set(legends)) != len(legends):
        found.append("two targets of one legend")
    steps = panel["fieldConfig"]["defaults"].get("thresholds", {"steps": [{"value": None}]})["steps"]
    values = [step["value"] for step in steps]
    if values[0] is not None or None in values[1:] or values[1:] != sorted(values[1:]):
        found.append("thresholds out of order")
    for target in panel["targets"]:
        kept = _LABELS.search(target["expr"])
        named = set(re.findall(r"\{\{(.*?)\}\}", target["legendFormat"]))
        if kept and kept[0].startswith("by") and named - set(kept[1].split(", ")):
            found.append("a legend of labels that are summed up")
        if kept and kept[0].startswith("without") and named & set(kept[1].split(", ")):
            found.append("a legend of labels that are summed up")
    return found


def test_grafana_shows_the_dashboard_as_it_is_meant():
    Draft202012Validator.check_schema(SCHEMA)
    assert mistakes(DASHBOARD) == []


def broken(change):
    dashboard = copy.deepcopy(DASHBOARD)
    change(dashboard, next(panel for panel in panels(dashboard) if panel["type"] == "timeseries"))
    return dashboard


@pytest.mark.parametrize(
    "change",
    [
        lambda whole, _panel: whole.pop("uid"),
        lambda whole, _panel: whole.update(schemaVersion=8),
        lambda whole, _panel: whole.update(rows=[]),
        lambda whole, _panel: whole["templating"]["list"].clear(),
        lambda whole, _panel: whole["templating"]["list"].append(whole["templating"]["list"][0] | {"name": "unused"}),
        lambda _whole, panel: panel.update(type="graph"),
        lambda _whole, panel: panel.update(type="stat"),
        lambda _whole, panel: panel.update(id=1),
        lambda _whole, panel: panel.update(title=""),
        lambda _whole, panel: panel.update(datasource={"type": "prometheus", "uid": "abc"}),
        lambda _whole, panel: panel.update(yaxes=[]),
        lambda _whole, panel: panel["options"].pop("legend"),
        lambda _whole, panel: panel["options"]["legend"].update(placement="under"),
        lambda _whole, panel: panel["options"]["legend"].update(calcs=["average"]),
        lambda _whole, panel: panel["options"]["tooltip"].update(mode="all"),
        lambda _whole, panel: panel["fieldConfig"]["defaults"].update(unit="seconds"),
        lambda _whole, panel: panel["fieldConfig"]["defaults"].update(
            thresholds={"mode": "absolute", "steps": [{"color": "red", "value": 1}]}
        ),
        lambda _whole, panel: panel["gridPos"].update(x=0),
        lambda _whole, panel: panel["gridPos"].update(w=24),
        lambda _whole, panel: panel["targets"].clear(),
        lambda _whole, panel: panel["targets"][0].update(refId="B"),
        lambda _whole, panel: panel["targets"][0].update(legendFormat=""),
        lambda _whole, panel: panel["targets"][0].update(legendFormat="{{pod}}"),
        lambda _whole, panel: panel["targets"][0].update(expr="sum by (queue) (coruscant_processes_alive)"),
        lambda _whole, panel: panel["targets"][0].update(expr="rate(coruscant_feed_messages[$window])"),
        lambda _whole, panel: panel["targets"].append(panel["targets"][0] | {"refId": "B"}),
    ],
)
def test_what_grafana_would_not_show_as_it_is_meant_is_noticed(change):
    assert mistakes(broken(change))
