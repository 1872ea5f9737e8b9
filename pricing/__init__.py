"""From a market's message to the best price: feeds, ingestion, quotes, and the window that an evaluation covers.

Loans and liquidation may import it; it imports only the shared modules of coruscant. New quotes are announced by a
signal (`pricing.signals`), so pricing knows no listener. Its command is `manage.py provision_messaging`, which makes
the topics and queues.
"""
