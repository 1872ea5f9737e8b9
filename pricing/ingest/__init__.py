"""From a market's queue into the database, one file a step: queue, message, record; `poll` runs them in turn.

`polling_lock` lets one poller a market work, `provision` makes topics and queues, `prune` removes old quotes. The tasks
of pricing call `poll` and `prune`; liquidation's recovery asks `prune` whether it is overdue.
"""
