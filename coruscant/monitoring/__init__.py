"""What the service says of itself: signs of life of its processes, HTTP requests, and how many tasks wait."""
