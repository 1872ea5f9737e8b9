"""From a market's message to the best price: feeds, ingestion, quotes, and the window that an evaluation covers.

May be imported by loans and liquidation, and imports only the shared modules of coruscant: imports run liquidation →
loans → pricing → coruscant. New quotes are announced by a signal (`pricing.signals`), so pricing knows no listener.
"""
