"""Loan events: what became of a loan, told to whoever subscribes to the topic of loan events.

Each transition writes its event in its own transaction (`write`), once a topic is named (`topic`). The rows are sent by
the outbox that sends liquidation events, behind those (liquidation/publish.py; docs/decisions/0026).
"""
