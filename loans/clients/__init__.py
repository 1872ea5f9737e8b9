"""Clients of the API: which loans each may see, and when each of its credentials was last used."""
