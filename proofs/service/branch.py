"""A branch of the bank, which hears every liquidation from a queue of its own."""

from local.simulators.messaging import sns_client, sqs_client, subscribe_queue

EVENT_TOPIC = "coruscant-bank-loan-liquidation-events"


class Branch:
    """Keeps the bodies of all it has heard, in order, duplicates too."""

    def __init__(self, endpoint: str, queue: str) -> None:
        """Hear by this queue; nothing is contacted before `listen`."""
        self._endpoint = endpoint
        self._queue = queue
        self._url = ""
        self._bodies: list[str] = []

    def listen(self) -> None:
        """Subscribe the queue to the bank's event topic."""
        self._url = subscribe_queue(self._endpoint, EVENT_TOPIC, self._queue)

    def heard(self) -> list[str]:
        """The bodies of all events so far."""
        sqs = sqs_client(self._endpoint)
        while found := sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
            for message in found:
                self._bodies.append(message["Body"])
                sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return list(self._bodies)

    def leave(self) -> None:
        """End the subscription and remove the queue."""
        sns = sns_client(self._endpoint)
        topic = sns.create_topic(Name=EVENT_TOPIC)["TopicArn"]
        for subscription in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
            if subscription["Endpoint"].endswith(f":{self._queue}"):
                sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
        sqs_client(self._endpoint).delete_queue(QueueUrl=self._url)
