"""What the pricing room announces to whoever listens."""

from django.dispatch import Signal

#: Sent after new quotes were committed, with no arguments beyond the sender. A hint: the rows say the rest.
quotes_recorded = Signal()
