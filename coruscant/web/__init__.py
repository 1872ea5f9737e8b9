"""What every HTTP answer shares: problem+json errors, health, middleware."""
