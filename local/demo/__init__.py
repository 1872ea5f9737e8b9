"""The whole service and the outside world on one machine: `make demo`."""
