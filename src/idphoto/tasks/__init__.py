"""The life of a task: accepted, queued, processed, stored, announced.

The task row is the truth; queues, wake-ups and callbacks are hints and retries around it.
"""
