"""The demo's machine demo under load with a nemesis: `make chaos`."""
