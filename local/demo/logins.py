"""The demo's two people, by name, and their password, which is public."""

REPRESENTATIVE, COLLEAGUE, PASSWORD = "representative", "colleague", "demo"
