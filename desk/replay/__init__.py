"""Policy replay: recorded prices against the book as it was, under other terms. It changes nothing of the bank's."""
