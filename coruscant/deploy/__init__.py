"""What a deployment runs before the service: `manage.py migrate`, one at a time, and waiting for it."""
