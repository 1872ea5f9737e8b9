"""The whole service and the simulators on one machine: `make demo`."""
