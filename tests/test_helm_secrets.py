"""The chart gives each pod the secrets of its process, and an account of its own."""

import json
from pathlib import Path

import pytest

from coruscant.deploy import secrets
from coruscant.tests.test_settings import GOOD, start  # noqa: F401  (a fixture)
from tests.test_helm import MOST, SECRETS, changed, container, helm, pods, render

#: Compose has `setup` for both jobs, and the demo's accounts.
OF_COMPOSE = {"setup", "log-ins"}


@pytest.fixture(scope="module")
def most():
    return render(MOST)


def files_of(pod):
    """The keys of the Secret that a pod sees, and the names of their files."""
    (items,) = [volume["secret"]["items"] for volume in pod["spec"]["volumes"] if "secret" in volume]
    return {item["path"]: item["key"] for item in items}


def test_each_pod_has_the_secrets_of_its_process_and_starts_with_them(most, start, tmp_path):  # noqa: F811
    for name in SECRETS:
        (tmp_path / name).write_text(GOOD[name])
    found = pods(most)
    assert set(found) == {f"bank-{name}" for name in set(secrets.NEEDED) - OF_COMPOSE}
    for name, pod in found.items():
        needed = secrets.NEEDED[name.removeprefix("bank-")]
        environment = {entry["name"]: entry.get("value", "from the Secret") for entry in container(pod)["env"]}
        in_files = {setting: path for setting, path in environment.items() if setting.endswith("_FILE")}
        in_files.pop("HEARTBEAT_FILE")
        given = {setting.removesuffix("_FILE") for setting in in_files}
        assert given == set(files_of(pod)) == needed - secrets.AWS, name
        assert set(environment) & secrets.AWS == needed & secrets.AWS, name
        for setting, path in in_files.items():
            assert path == f"/run/secrets/coruscant/{setting.removesuffix('_FILE')}"
            environment[setting] = str(tmp_path / Path(path).name)
        settings = start(**dict.fromkeys(SECRETS), **environment)
        assert settings["ALLOWED_HOSTS"] == ["bank.example"]


def test_secrets_are_named_and_never_written(most):
    assert not any(GOOD[name] in json.dumps(found) for found in most.values() for name in SECRETS)
    for name, pod in pods(most).items():
        referred = {entry["name"]: entry["valueFrom"] for entry in container(pod)["env"] if "valueFrom" in entry}
        own = {"FLOWER_BASIC_AUTH"} if name == "bank-flower" else set()
        assert set(referred) == secrets.NEEDED[name.removeprefix("bank-")] & secrets.AWS | own
        for key, source in referred.items():  # one that is missing in the Secret keeps the pod from starting
            assert source == {"secretKeyRef": {"name": "coruscant", "key": key}}


def test_a_setting_of_ones_own_may_be_in_a_file_of_every_pod():
    found = pods(render(changed("secrets.files", [*SECRETS, "MARKET_URLS_REASON"])))
    assert all("MARKET_URLS_REASON" in files_of(pod) for pod in found.values())


def test_each_component_runs_under_an_account_of_its_own(most):
    annotated = {"worker-prices": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/prices"}, "migrate": {"a": "b"}}
    rendered = render(MOST | {"serviceAccount": {"annotations": annotated}})
    accounts = {name: found for (kind, name), found in rendered.items() if kind == "ServiceAccount"}
    for name, pod in pods(most).items():
        assert pod["spec"]["serviceAccountName"] == name
    assert set(accounts) == set(pods(most))
    assert not any(found["automountServiceAccountToken"] for found in accounts.values())
    prices = accounts["bank-worker-prices"]["metadata"]["annotations"]
    assert (prices, accounts["bank-web"]["metadata"].get("annotations")) == (annotated["worker-prices"], None)
    assert accounts["bank-migrate"]["metadata"]["annotations"]["a"] == "b"


def test_the_accounts_of_jobs_are_there_before_them(most):
    for job in ("bank-migrate", "bank-provision"):
        of_account, of_job = (most[kind, job]["metadata"]["annotations"] for kind in ("ServiceAccount", "Job"))
        assert of_account["helm.sh/hook"] == of_job["helm.sh/hook"]
        assert int(of_account["helm.sh/hook-weight"]) < int(of_job["helm.sh/hook-weight"])


def test_the_role_that_owns_the_tables_is_given_to_migrations_alone(most):
    keys = {name: files_of(pod) for name, pod in pods(most).items()}
    assert keys.pop("bank-migrate") == {"DATABASE_URL": "OWNER_DATABASE_URL"}
    assert all(path == key for files in keys.values() for path, key in files.items())


def test_an_annotation_of_nobody_is_refused():
    with pytest.raises(helm.HelmError, match="there is no workers-prices, only web, beat, worker-prices"):
        render(changed("serviceAccount.annotations.workers-prices", {"a": "b"}))
