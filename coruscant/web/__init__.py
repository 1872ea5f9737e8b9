"""What every HTTP answer shares: problem+json errors, health, bounds on what is logged of a request."""
