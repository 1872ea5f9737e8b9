"""The Helm chart, rendered by Helm's own engine and held to Kubernetes' schemas, compose and the table of processes.

What no schema here knows are the two kinds of KEDA: their fields are compared by hand. No cluster runs it here.
"""

import copy
import json
from pathlib import Path

import pytest
import yaml
from django.urls import resolve

from coruscant import __version__
from coruscant.tests.test_settings import GOOD, start  # noqa: F401  (a fixture)
from local import processes
from pricing.markets import Market
from tests.compose import read_example, read_services

_WHY = "not installed: `make test` installs requirements-chart.txt"
helm = pytest.importorskip("helm_python", reason=f"helm-python-sdk is {_WHY}; it has no wheel for Linux on ARM")
kubernetes = pytest.importorskip("kubernetes_validate", reason=f"kubernetes-validate is {_WHY}")

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "deploy" / "helm" / "coruscant"
#: The oldest Kubernetes that Chart.yaml allows, and the newest whose schemas are here.
KUBERNETES = ("1.30", "1.37")
KINDS_OF_KEDA = {"ScaledObject", "TriggerAuthentication"}
SECRETS = ("SECRET_KEY", "DATABASE_URL", "CACHE_URL", "CELERY_BROKER_URL")

LEAST = {"settings": {name: value for name, value in GOOD.items() if name not in {"PATH", "DOTENV", *SECRETS}}}
LEAST["settings"]["ALLOWED_HOSTS"] = "bank.example"
#: Everything that is off by itself.
MOST = LEAST | {
    "settings": LEAST["settings"] | {"TRUSTED_PROXIES": "10.244.0.0/16"},
    "flower": {"enabled": True},
    "ingress": {"enabled": True, "className": "nginx", "host": "bank.example", "tlsSecret": "bank-tls"},
    "web": {"autoscaling": {"enabled": True}},
    "workers": {"sales": {"autoscaling": {"enabled": True}}},
    "keda": {"address": "redis.example:6379", "usernameKey": "BROKER_USER"},
    "secrets": {"environment": ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]},
}


def render(values):
    """The objects of a release named `bank`, by kind and name."""
    with helm.Chart.load(str(CHART)) as chart:
        files = chart.render(values, name="bank", namespace="lending")
    parsed = [found for name, text in files.items() if name.endswith(".yaml") for found in yaml.safe_load_all(text)]
    objects = [found for found in parsed if found]
    by_name = {(found["kind"], found["metadata"]["name"]): found for found in objects}
    assert len(by_name) == len(objects), "no two objects of one name"
    return by_name


@pytest.fixture(scope="module")
def least():
    return render(LEAST)


@pytest.fixture(scope="module")
def most():
    return render(MOST)


def changed(path, value):
    """The least values, with one that is set or, by None, left out."""
    values = copy.deepcopy(LEAST)
    *folders, name = path.split(".")
    inner = values
    for folder in folders:
        inner = inner.setdefault(folder, {})
    if value is None:
        del inner[name]
    else:
        inner[name] = value
    return values


def pods(objects):
    """The pod of every Deployment and Job, by the name of its object."""
    return {name: found["spec"]["template"] for (kind, name), found in objects.items() if kind in {"Deployment", "Job"}}


def container(pod):
    (only,) = pod["spec"]["containers"]
    return only


def command_of(pod):
    """What runs in the end, after waiting for migrations."""
    one = container(pod)
    return tuple(one["args"] if one["command"][0] == "sh" else one["command"])


def test_helm_finds_nothing_wrong_with_the_chart():
    found = helm.lint(str(CHART), MOST, strict=True)
    assert found["errors"] == []
    assert [message["error"] for message in found["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_knows_every_field_of_every_object(most, version):
    for (kind, _name), found in most.items():
        if kind not in KINDS_OF_KEDA:
            kubernetes.validate(found, version, strict=True)
    assert {kind for kind, _name in most} >= KINDS_OF_KEDA


@pytest.mark.parametrize("version", KUBERNETES)
def test_a_field_that_kubernetes_does_not_know_is_noticed(most, version):
    wrong = copy.deepcopy(most["Deployment", "bank-web"])
    container(wrong["spec"]["template"])["readinesProbe"] = {}
    with pytest.raises(kubernetes.ValidationError):
        kubernetes.validate(wrong, version, strict=True)


def test_by_itself_the_chart_has_no_flower_no_door_and_no_autoscaling(least):
    assert set(least) == {
        ("Job", "bank-migrate"), ("Job", "bank-provision"), ("Service", "bank-web"),
        ("ServiceAccount", "bank-migrate"), ("ServiceAccount", "bank-provision"),
        *((kind, f"bank-{name}")
          for kind in ("Deployment", "PodDisruptionBudget", "NetworkPolicy", "ServiceAccount")
          for name in ("web", "beat", *(f"worker-{worker}" for worker in processes.WORKERS))),
    }  # fmt: skip
    alone = {name for (kind, name), found in least.items() if kind == "Deployment" and found["spec"]["replicas"] < 2}
    assert alone == {"bank-worker-replay"}, "everything that may not stand still has a spare"


def test_the_commands_and_grace_periods_are_those_of_the_table(most):
    found = pods(most)
    expected = {
        "bank-web": (processes.WEB, processes.WEB.command("0.0.0.0:4000", "--access-logfile", "-"), 5),
        "bank-beat": (processes.BEAT, processes.BEAT.command("/tmp/celerybeat-schedule"), 0),
        "bank-flower": (processes.FLOWER, processes.FLOWER.command("0.0.0.0", 5555), 0),
    } | {f"bank-worker-{name}": (worker, worker.command(f"{name}@%h"), 0) for name, worker in processes.WORKERS.items()}
    assert set(found) - {"bank-migrate", "bank-provision"} == set(expected)
    for name, (process, command, drain) in expected.items():
        assert command_of(found[name]) == command
        assert found[name]["spec"]["terminationGracePeriodSeconds"] == process.grace_seconds + drain, name
    assert container(found["bank-web"])["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "5"]


def test_what_needs_the_database_waits_for_migrations_as_in_compose(most):
    entry = read_services()["web"]["entrypoint"]
    waiting = {name for name, pod in pods(most).items() if container(pod)["command"] == entry}
    assert waiting == {"bank-web", *(f"bank-worker-{name}" for name in processes.WORKERS)}


def test_every_pod_is_no_root_with_a_read_only_disk_and_no_capability(most):
    for name, pod in pods(most).items():
        spec, one = pod["spec"], container(pod)
        assert spec["securityContext"] == {
            "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        }, name  # fmt: skip
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }, name  # fmt: skip
        assert spec["automountServiceAccountToken"] is False
        assert [mount["mountPath"] for mount in one["volumeMounts"] if not mount.get("readOnly")] == ["/tmp"]
        assert {"cpu", "memory"} == set(one["resources"]["requests"]), name
        assert "memory" in one["resources"]["limits"], name


def test_the_image_is_that_of_the_version_or_of_a_digest(least):
    assert {container(pod)["image"] for pod in pods(least).values()} == {f"coruscant-bank-service:{__version__}"}
    digest = "sha256:" + "0" * 64
    pinned = render(LEAST | {"image": {"repository": "registry.example/bank", "tag": "x", "digest": digest}})
    assert {container(pod)["image"] for pod in pods(pinned).values()} == {f"registry.example/bank@{digest}"}


def test_web_believes_the_ingress_about_whose_address_a_call_comes_from(most, start):  # noqa: F811
    environment = {entry["name"]: entry.get("value") for entry in container(pods(most)["bank-web"])["env"]}
    trusted = start(TRUSTED_PROXIES=environment["TRUSTED_PROXIES"])["TRUSTED_PROXIES"]
    assert [str(network) for network in trusted] == ["10.244.0.0/16"]


def test_a_release_migrates_and_then_provisions_before_anything_else(most):
    jobs = [found for (kind, _name), found in most.items() if kind == "Job"]
    hooks = [found["metadata"]["annotations"] for found in jobs]
    assert {hook["helm.sh/hook"] for hook in hooks} == {"pre-install,pre-upgrade"}
    in_order = sorted(jobs, key=lambda job: int(job["metadata"]["annotations"]["helm.sh/hook-weight"]))
    assert [command_of(job["spec"]["template"])[2:] for job in in_order] == [
        ("migrate", "--noinput"),
        ("provision_messaging",),
    ]
    assert [kind for kind, name in render(LEAST | {"provision": {"enabled": False}}) if kind == "Job"] == ["Job"]


def test_probes_ask_what_compose_asks(most):
    services = read_services()
    heartbeat = services["beat"]["healthcheck"]["test"][1]
    for name, pod in pods(most).items():
        one = container(pod)
        if name in {"bank-web", "bank-flower"}:
            assert one["readinessProbe"]["httpGet"]["port"] == one["ports"][0]["name"]
        elif name not in {"bank-migrate", "bank-provision"}:
            assert one["readinessProbe"]["exec"]["command"] == ["sh", "-c", heartbeat]
            assert "livenessProbe" not in one, "no restart for an outage of the broker"
    asked = services["flower"]["healthcheck"]["test"][-1]
    assert container(pods(most)["bank-flower"])["readinessProbe"]["httpGet"]["path"] in asked
    web = container(pods(most)["bank-web"])
    paths = {kind: web[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/health/live", "liveness": "/health/live", "readiness": "/health/ready"}
    assert [resolve(path).url_name for path in paths.values()] == ["live", "live", "ready"]


def test_every_deployment_has_its_policy_and_workers_and_beats_let_nobody_in(most):
    deployments = {name: found["spec"] for (kind, name), found in most.items() if kind == "Deployment"}
    policies = {name: found["spec"] for (kind, name), found in most.items() if kind == "NetworkPolicy"}
    assert set(policies) == set(deployments)
    for name, policy in policies.items():
        assert policy["podSelector"]["matchLabels"] == deployments[name]["selector"]["matchLabels"]
        assert policy["policyTypes"] == ["Ingress"]
        assert bool(policy["ingress"]) == (name in {"bank-web", "bank-flower"}), name
    (rule,) = policies["bank-web"]["ingress"]
    assert (len(rule["from"]), rule["ports"]) == (2, [{"port": "http"}])
    closed = render(changed("networkPolicy.webFrom", []))["NetworkPolicy", "bank-web"]["spec"]
    assert closed["ingress"] == [], "an empty list of peers lets in nobody, not everybody"


def test_one_pod_of_each_kind_at_a_time_may_be_taken_away(most):
    budgets = {name: found["spec"] for (kind, name), found in most.items() if kind == "PodDisruptionBudget"}
    replicated = {name for kind, name in most if kind == "Deployment"} - {"bank-flower"}
    assert set(budgets) == replicated
    for name, budget in budgets.items():
        assert budget["maxUnavailable"] == 1
        assert budget["selector"] == most["Deployment", name]["spec"]["selector"]


def test_the_public_door_has_the_api_and_nothing_else(most):
    (rule,) = most["Ingress", "bank-web"]["spec"]["rules"]
    described = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())["paths"]
    assert {path["path"] for path in rule["http"]["paths"]} == {f"/{path.split('/')[1]}" for path in described}


def test_sales_are_scaled_by_the_length_of_their_queues(most):
    name = "bank-worker-sales"
    assert "replicas" not in most["Deployment", name]["spec"], "or each upgrade would set it back"
    scaled = most["ScaledObject", name]["spec"]
    assert scaled["scaleTargetRef"] == {"name": name}
    assert [trigger["metadata"]["listName"] for trigger in scaled["triggers"]] == list(
        processes.WORKERS["sales"].queues
    )
    for trigger in scaled["triggers"]:
        assert trigger["type"] == "redis"
        assert trigger["metadata"].items() >= {
            "address": "redis.example:6379", "databaseIndex": "0", "enableTLS": "true", "listLength": "20",
        }.items()  # fmt: skip
        assert trigger["authenticationRef"] == {"name": name}
    assert most["TriggerAuthentication", name]["spec"]["secretTargetRef"] == [
        {"parameter": "username", "name": "coruscant", "key": "BROKER_USER"},
        {"parameter": "password", "name": "coruscant", "key": "BROKER_PASSWORD"},
    ]


def test_the_web_is_scaled_by_its_processor(most):
    assert "replicas" not in most["Deployment", "bank-web"]["spec"]
    scaled = most["HorizontalPodAutoscaler", "bank-web"]["spec"]
    assert scaled["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "bank-web"}


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        *((f"settings.{name}", "hush", f"invalid propertyName '{name}'") for name in SECRETS),
        *((f"settings.{market.name}_URL", None, f"{market.name}_URL") for market in Market),
        ("settings.INSTALLATION_NAMESPACE", None, "INSTALLATION_NAMESPACE"),
        ("settings.LEASE_SECONDS", 20, "want string"),
        (
            "ingress",
            {"enabled": True, "className": "nginx", "host": "bank.example", "tlsSecret": "bank-tls"},
            "settings.TRUSTED_PROXIES must say where the ingress's pods are",
        ),
        ("image", {"repository": "bank", "digest": "latest"}, "digest"),
        ("ingress.enabled", True, "host"),
        ("workers.sales.queues", ["sales"], "queues"),
        ("secret.existingSecret", "other", "additional properties 'secret' not allowed"),
        ("workers.sales.autoscaling.enabled", True, "keda.address must say where the broker is"),
        ("settings.PROCESS", "beat", "invalid propertyName 'PROCESS'"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(path, value, sentence):
    with pytest.raises(helm.HelmError, match=sentence):
        render(changed(path, value))


def test_the_example_of_values_names_settings_that_exist():
    commented = yaml.safe_load(
        "\n".join(line[1:] for line in (CHART / "values.yaml").read_text().splitlines() if line.startswith("#  "))
    )
    required = json.loads((CHART / "values.schema.json").read_text())["properties"]["settings"]["required"]
    assert set(required) <= set(commented) <= set(read_example())
