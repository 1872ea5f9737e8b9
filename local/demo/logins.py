"""The demo's log-ins to the desk, each with its group, and their password, which is public."""

RISK_OFFICER, COLLEAGUE, PASSWORD = "risk-officer", "risk-officer-2", "demo"
ACCOUNTS = {
    "representative": "Representatives",
    RISK_OFFICER: "Risk officers",
    COLLEAGUE: "Risk officers",
    "operator": "Operators",
    "operator-2": "Operators",
    "auditor": "Auditors",
    "viewer": "Viewers",
}
#: The same for Flower.
BASIC_AUTH = ",".join(f"{name}:{PASSWORD}" for name in ACCOUNTS)
