"""Kill real processes of the service at every failpoint, and see that everything is made good: `make kill-matrix`."""
