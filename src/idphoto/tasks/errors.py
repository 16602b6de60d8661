"""What can go wrong with the task table.

::

    TaskError
    └── LostLease    this attempt at the task was overtaken, or the task ended or was deleted

The docstring of a class is its default message.
"""

from __future__ import annotations


class TaskError(Exception):
    """The task could not be changed."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class LostLease(TaskError):
    """The task has ended, was deleted, or another worker has taken it over: stop, and write nothing."""
