"""Is this still the database that the service has written to? If not, it may have lost commits, and much is held.

`identity` notices, `holds` says what waits, and the apps above act on both (docs/decisions/0025). It imports none of
them.
"""
