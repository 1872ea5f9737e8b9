"""HTTP statuses that a market's answer comes with under fuzz: most of them those that may carry a trade."""

STATUSES = (200, 200, 200, 201, 204, 302, 400, 404, 409, 422, 500, 503)
