"""What a running server does under load: memory, latency of polls, slow clients."""
