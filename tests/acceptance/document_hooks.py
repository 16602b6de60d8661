"""What schemathesis does beside its own rules; test_document.py hands it this file."""

from __future__ import annotations

import os
from itertools import count
from typing import Any

import schemathesis
from schemathesis import Case
from schemathesis.checks import CheckContext
from schemathesis.core.transport import Response
from yarl import URL

#: Values of path parameters that exist, each as NAME=VALUE.
KNOWN = dict(pair.split("=") for pair in os.environ["IDPHOTO_TEST_KNOWN"].split())
_calls = count()


def keep_at_home(value: Any) -> Any:
    """Let a made-up URL name a closed port of this machine: a test sends nothing to strangers."""
    if not isinstance(value, str) or not value.lower().startswith(("http://", "https://")):
        return value
    try:
        return str(URL(value).with_user(None).with_host("127.0.0.1").with_port(9))
    except ValueError:
        return value  # the server sees that it is no URL, too


@schemathesis.hook
def before_call(context: object, case: Case[Any], kwargs: dict[str, Any]) -> None:
    if isinstance(case.body, dict):
        case.body = {name: keep_at_home(value) for name, value in case.body.items()}
    # Made-up ids are never those of a task, a file or a document.
    if case.method == "GET" and next(_calls) % 4 == 0:
        case.path_parameters.update({name: KNOWN[name] for name in case.path_parameters if name in KNOWN})


@schemathesis.check
def status_is_spelled_out(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """The document's ``default`` is for what nobody foresaw; it must not hide a status that does come."""
    named = set(case.operation.definition.raw["responses"]) - {"default"}
    is_other_method = response.status_code == 405 and case.method.upper() != case.operation.method.upper()
    assert str(response.status_code) in named or is_other_method, f"{response.status_code} is not in the document"
