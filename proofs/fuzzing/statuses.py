"""HTTP statuses that a market's answer comes with under fuzz: most of them those that may carry a trade."""

STATUSES = (200, 200, 200, 200, 201, 202, 204, 302, 400, 403, 404, 408, 409, 422, 425, 429, 500, 503)
