"""One file a command: `manage.py <name of the file>`."""
