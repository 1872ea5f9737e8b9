"""The yardstick of the API: a Django project whose one view makes one insert."""

#: The one table, made by the measurement.
TABLE = (
    "CREATE TABLE benchmark_posting (id bigserial PRIMARY KEY, request_id text, loan_id text, amount numeric(44, 24))"
)
