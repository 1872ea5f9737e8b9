"""Processes of the release before and of this one on one database and one broker, in a crash of prices."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from liquidation.models import Liquidation
from proofs.service.copies import drop, fresh_copy
from proofs.service.running_service import SHORT, RunningService, outside_world, service_environment
from proofs.service.topology import small

ROOT = Path(__file__).resolve().parent.parent
#: The last commit before the tables of the desk, which docs/upgrading.md lets run beside this one.
RELEASE_BEFORE = "d22b7c35b14635f207474b1c81605bb5bc0fb570"
DATABASE = "side_by_side"
#: So many loans are claimed while the release before is alone, so many were made by then, and so many are made in all.
CLAIMED_BEFORE, MADE_BEFORE, IN_ALL = 6, 16, 18
_COMMANDS = """
import json, sys
from pathlib import Path
from proofs.service.topology import small
print(json.dumps(small(int(sys.argv[1]), Path(sys.argv[2]), 1)))
"""

pytestmark = [pytest.mark.proof, pytest.mark.system, pytest.mark.timeout(500)]


@pytest.fixture
def release_before(tmp_path):
    """A checkout of the release before."""
    archived = subprocess.run(["git", "archive", RELEASE_BEFORE], cwd=ROOT, capture_output=True, check=False)
    if archived.returncode:
        pytest.skip(f"the release before is not here: {archived.stderr.decode().strip()} (a shallow clone?)")
    folder = tmp_path / "before"
    folder.mkdir()
    subprocess.run(["tar", "-x"], cwd=folder, input=archived.stdout, check=True)
    return folder


@pytest.fixture
def database(stack, django_db_blocker, release_before):
    """The address of a database that the release before has migrated, to which Django is connected, as its owner."""
    usual = connection.settings_dict["NAME"]
    fresh_copy(stack, database=DATABASE, template="template1")
    connection.close()
    connection.settings_dict["NAME"] = DATABASE
    address = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{DATABASE}"
    try:
        ran = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--noinput"], cwd=release_before, capture_output=True, text=True,
            env=os.environ | {"DATABASE_URL": address}, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        with django_db_blocker.unblock():
            yield address
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
        drop(stack, DATABASE)


def test_both_releases_claim_sell_and_publish_each_loan_once(stack, database, release_before):
    with outside_world(stack, fault_share=Decimal("0.3"), latency_seconds=0.3) as markets:
        old, new = RunningService(stack, *markets), RunningService(stack, *markets)
        environment = service_environment(old) | SHORT

        def commands_of_before(port):
            command = [sys.executable, "-c", _COMMANDS, str(port), str(release_before)]
            return json.loads(subprocess.run(command, cwd=release_before, capture_output=True, check=True).stdout)

        # It grants nothing to a role of the service's own, and knows no users of Redis.
        as_owner = environment | {
            "DATABASE_URL": database,
            "CACHE_URL": stack.valkey.administrator_url(1),
            "CELERY_BROKER_URL": stack.valkey.administrator_url(),
        }
        old.describe(commands_of_before, as_owner, checkout=release_before)
        new.describe(lambda port: small(port, stack.folder, 1), environment)
        old.branch.listen()
        try:
            old.start()
            for number in range(MADE_BEFORE):
                old.lend(f"L{number}", amount="1000", collateral=str(40 + number))
            old.eventually(lambda: old.loans("active") == MADE_BEFORE, "all are active")
            old.set_price("27.5")  # claims those of 40 to 45 units
            old.eventually(lambda: Liquidation.objects.count() == CLAIMED_BEFORE, "the first are claimed")
            call_command("migrate", verbosity=0, stdout=StringIO())
            new.start()
            old.lend("made by the old", amount="1000", collateral="75")
            new.lend("made by the new", amount="1000", collateral="75")
            new.eventually(lambda: new.loans("new") == 0, "these are active as well")
            new.set_price("24")
            new.eventually(lambda: Liquidation.objects.count() > CLAIMED_BEFORE, "more are claimed")
            for service, name in ((old, "sales-1"), (new, "prices-1"), (new, "sales-1"), (old, "prices-1")):
                service.kill(name)
            new.set_price("15")
            new.eventually(lambda: Liquidation.objects.count() == IN_ALL, "all are claimed", seconds=120)
            new.eventually(new.everything_is_settled, "all are sold and published", seconds=120)
            new.books_and_markets_agree()
            new.branch = old.branch
            new.every_event_was_heard()
            for service, loan in ((old, "made by the new"), (new, "made by the old")):
                assert service.get(f"/loans/{loan}").json()["status"] == "liquidated"
            for service in (old, new):
                assert '"event": "order_answered"' in service.processes["sales-1"].log_path.read_text()
        finally:
            for process in (*old.processes.values(), *new.processes.values()):
                process.kill()
            old.branch.leave()
