"""What the service costs, measured on the embedded stack with durability on, each figure with its yardstick.

README.md says what is measured and how. Nothing imports this package. It imports the apps and `local`, never `proofs`.
"""
