"""The signal by which pricing announces new quotes, so that it need not import those who listen."""

from django.dispatch import Signal

#: Sent after new quotes were committed, with no arguments but the sender (PriceQuote). A hint: the rows say the rest.
quotes_recorded = Signal()
