"""The chaos test: a seeded schedule of tasks and faults against a real server, and the promises checked after it.

Run it with ``make chaos`` or ``python -m chaos``; docs/chaos.md says what it does and checks.
"""
