"""The demo's machine room under load with a nemesis: `make chaos`."""
