"""The whole demo under load, while a nemesis breaks it: `make chaos`.

It proves that the service recovers from each fault, alone and in pairs, within 60 s. A nemesis, as in Jepsen, is the
part of a test that injects faults.
"""
