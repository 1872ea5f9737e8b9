"""What operators see: metrics, the health of the business, invariants checked on a schedule, and the doctor."""
