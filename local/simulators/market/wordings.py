"""What markets say when they refuse. Nobody has a complete list."""

PLAIN = (
    "the makers have withdrawn their offers",
    "the market does not take this order now",
    "no buyers",
    "insufficient liquidity at present",
    "closed for the pod race",
    "E-1042",
    "computer says no",
)
"""Nothing in these admits a doubt."""

DOUBTFUL = (
    "order status unknown",
    "status could not be determined",
    "unable to confirm execution",
    "order already exists",
    "a request with this id is in progress",
    "order is being processed",
    "order accepted, execution pending",
    "queued for matching",
    "upstream timeout",
    "upstream request timed out",
    "gateway timeout",
    "deadline exceeded",
    "504 Gateway Time-out",
    "connection to the matching engine was lost",
    "internal error, please check your order history",
    "service temporarily unavailable, try again later",
    "duplicate clientOrderId",
    "this requestId was processed before",
    "Order partially filled, rest cancelled",
)
"""Each admits that the order may have been traded, or that nobody knows."""
