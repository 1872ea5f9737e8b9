"""The overview: the price, what is lent and at risk, what is being sold, and what needs a person."""
