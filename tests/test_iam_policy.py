"""deploy/iam-policy.json allows the AWS calls that the code makes, process by process, and no others."""

import ast
import json
from collections import defaultdict
from io import StringIO
from pathlib import Path

import boto3
import pytest
from django.core.management import call_command

from coruscant import aws
from coruscant.deploy import secrets
from pricing.feeds import FEEDS
from pricing.ingest import depth, queue
from tests.compose import read_example
from tests.test_layout import name_of, product_files

POLICIES = json.loads((Path(__file__).resolve().parent.parent / "deploy" / "iam-policy.json").read_text())
#: Whose policy allows what a module asks of AWS. A module that is not here may ask nothing.
PROCESS = {
    "pricing/ingest/queue.py": "worker-prices",
    "pricing/ingest/depth.py": "web",
    "liquidation/monitoring/doctor/messaging.py": "doctor",
    "liquidation/monitoring/doctor/stores.py": "doctor",
    "coruscant/outbox.py": "worker-sales",
    "pricing/ingest/provision.py": "setup",
    "loans/events/topic.py": "setup",
}
#: What a process asks through the module of another.
BORROWED = {"web": {"sqs:GetQueueUrl"}, "doctor": {"sns:ListTopics", "sqs:GetQueueAttributes"}}
#: Where one action allows a call of another name.
ACTIONS = {"sqs:DeleteMessageBatch": "sqs:DeleteMessage", "sns:PublishBatch": "sns:Publish"}


def sources():
    """The code of the product, by the names of its files."""
    return {name_of(path): path.read_text() for path in product_files() if path.name != "conftest.py"}


def client_of(node):
    """`sns` or `sqs`, if an expression is `aws.sns()` or `aws.sqs()`; None otherwise."""
    asked = ast.unparse(node)
    return asked[4:7] if asked in ("aws.sns()", "aws.sqs()") else None


def pages(node):
    """Whether an expression asks a client for the pages of a call, which it names."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get_paginator"


def calls_in(function):
    """The calls that a function makes of AWS, each as `service:method`.

    A client is called at once, or kept in a variable of the function; anything else would hide its calls from this.
    """
    clients, calls = {}, set()
    for node in (node for node in ast.walk(function) if isinstance(node, ast.Assign)):
        for target in node.targets:
            unpacked = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
            pairs = zip(target.elts, node.value.elts, strict=True) if unpacked else [(target, node.value)]
            clients |= {kept.id: client_of(value) for kept, value in pairs if client_of(value)}
    attributes = [node for node in ast.walk(function) if isinstance(node, ast.Attribute)]
    paged = {id(node.func): ast.literal_eval(node.args[0]) for node in ast.walk(function) if pages(node)}
    for node in attributes:
        service = client_of(node.value) or (isinstance(node.value, ast.Name) and clients.get(node.value.id))
        if service and node.attr != "exceptions":
            calls.add(f"{service}:{paged.get(id(node), node.attr)}")
    made = [node for node in ast.walk(function) if isinstance(node, ast.Call) and client_of(node)]
    named = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id in clients]
    in_sight = [node for node in attributes if node.value in made or node.value in named]
    assert len(made) + len(named) == len(in_sight) + 2 * len(clients), f"a client gets out of sight: {function.name}"
    return calls


def calls_by_process():
    """The actions that each process needs, read from the code. What only an emulator is asked for needs none."""
    methods = {name: boto3.client(name, region_name="x").meta.method_to_api_mapping for name in ("sns", "sqs")}
    found = defaultdict(set)
    for name, source in sources().items():
        for function in ast.walk(ast.parse(source)) if "aws.s" in source else ():
            if isinstance(function, ast.FunctionDef) and "aws.forgets()" not in ast.unparse(function):
                for service, method in (call.split(":") for call in calls_in(function)):
                    call = f"{service}:{methods[service][method]}"
                    found[PROCESS[name]].add(ACTIONS.get(call, call))
    return {process: actions | BORROWED.get(process, set()) for process, actions in found.items()}


def allowed(process):
    """Each action that a process may do, and on what."""
    pairs = [
        (action, resource)
        for statement in POLICIES[process]["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    ]
    assert len(pairs) == len(set(pairs))
    return pairs


def test_each_process_may_do_exactly_what_its_code_does():
    assert {process: {action for action, _ in allowed(process)} for process in POLICIES} == calls_by_process()


def test_the_processes_that_have_keys_of_aws_are_those_that_have_a_policy():
    have_keys = {name for name, needed in secrets.NEEDED.items() if needed >= secrets.AWS}
    assert have_keys == set(POLICIES) - {"doctor"} | {"provision"}, "which is setup's part; a person runs the doctor"


def test_nothing_else_talks_to_aws():
    assert [name for name, source in sources().items() if "import boto3" in source] == ["coruscant/aws.py"]
    assert [name for name, source in sources().items() if "from coruscant.aws import" in source] == []


def test_the_policies_say_nothing_but_what_they_allow():
    for policy in POLICIES.values():
        assert set(policy) == {"Version", "Statement"}
        for statement in policy["Statement"]:
            assert set(statement) == {"Sid", "Effect", "Action", "Resource"}
            assert statement["Effect"] == "Allow"


def test_each_action_is_allowed_on_the_queues_and_topics_of_the_code_only():
    own = {aws.LIQUIDATION_TOPIC, read_example()["LOAN_EVENTS_TOPIC"]}
    queues, topics = {source.queue for source in FEEDS.values()}, {source.topic for source in FEEDS.values()}
    dead_letters = {source.dead_letter_queue for source in FEEDS.values()}
    on = {
        "worker-prices": dict.fromkeys(("sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"), queues),
        "worker-sales": {"sns:Publish": own},
        "doctor": {"sns:ListSubscriptionsByTopic": own | topics}
        | dict.fromkeys(("sqs:GetQueueAttributes", "sqs:GetQueueUrl"), queues | dead_letters),
        "web": dict.fromkeys(("sqs:GetQueueAttributes", "sqs:GetQueueUrl"), queues | dead_letters),
        "setup": {"sns:CreateTopic": own | topics, "sns:Subscribe": topics}
        | dict.fromkeys(
            ("sqs:CreateQueue", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SetQueueAttributes"),
            queues | dead_letters,
        ),
    }
    #: AWS knows no resource for these.
    anything = {"sns:ListTopics", "sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes"}
    for process in POLICIES:
        found = defaultdict(set)
        for action, resource in allowed(process):
            service = action.split(":")[0]
            found[action].add(resource.removeprefix(f"arn:aws:{service}:REGION:ACCOUNT:"))
        assert found == on[process] | {action: {"*"} for action in anything & set(found)}, process


@pytest.fixture
def seen(emulator):
    """The calls that go over the wire, as actions."""
    found = set()
    for service, client in (("sns", aws.sns()), ("sqs", aws.sqs())):
        client.meta.events.register(
            f"before-call.{service}", lambda model, service=service, **_call: found.add(f"{service}:{model.name}")
        )
    return found


@pytest.mark.django_db
def test_what_goes_over_the_wire_is_what_was_read_in_the_code(seen, settings):
    settings.LOAN_EVENTS_TOPIC = "coruscant-bank-loan-events"
    call_command("provision_messaging", stdout=StringIO())
    assert seen == calls_by_process()["setup"]

    seen.clear()
    source = next(iter(FEEDS.values()))
    aws.sqs().send_message(QueueUrl=queue.queue_url(source.queue), MessageBody="{}")
    queue.delete(source, queue.gather(source, wait_seconds=1).messages)
    assert {ACTIONS.get(call, call) for call in seen} - {"sqs:SendMessage"} == calls_by_process()["worker-prices"]

    seen.clear()
    queue.queue_url.cache_clear()
    depth.depths()
    assert seen == calls_by_process()["web"]
