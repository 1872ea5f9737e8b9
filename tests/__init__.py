"""Tests of the whole system: real processes, a browser, the containers, and the layout. Nothing imports it.

`make test` runs them, with those of each package.
"""
