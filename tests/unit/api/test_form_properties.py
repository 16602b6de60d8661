"""Whatever is sent as a form, it is read or refused with a code and a sentence; nothing else is ever raised."""

from __future__ import annotations

import json
from urllib.parse import quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fuzz.targets import FIELD_NAMES, check_form, read_form
from idphoto.api.field_docs import FIELDS
from idphoto.api.forms import Form
from idphoto.specs import Catalogue
from idphoto.tasks.request import Mode
from tests.unit.api.test_forms import parse

#: Planning a sheet takes half a second at times.
UNHURRIED = settings(deadline=None)
NAMES = st.sampled_from(FIELD_NAMES)
ALLOWED = [str(value) for field in FIELDS.values() for value in field.get("enum", ())]
LIMITS = [str(field[end]) for field in FIELDS.values() for end in ("minimum", "maximum") if end in field]
EXAMPLES = [str(field["example"]) for field in FIELDS.values() if "example" in field]
VALUES = (
    st.sampled_from(ALLOWED + LIMITS + EXAMPLES + [spec.id for spec in Catalogue.load().list(None)])
    | st.from_regex(r"-?[0-9]{1,5}(\.[0-9]{1,3})?", fullmatch=True)
    | st.from_regex(r"[0-9]{2,4}[xX][0-9]{2,4}", fullmatch=True)
    | st.from_regex(r"https?://[\[\]@:%*.0-9a-z/#?]{0,20}", fullmatch=True)
    | st.text(max_size=40)
)
FORMS = st.dictionaries(NAMES, VALUES, max_size=8)
HALVES = st.text(st.characters(categories=["Cs", "L", "N", "P"]), max_size=20)
TYPES = st.sampled_from(
    ["multipart/form-data", "application/x-www-form-urlencoded", "application/json", "text/plain", "", "*/*"]
)
CODECS = st.sampled_from(["utf-8", "undefined", "punycode", "idna", "unicode_escape", "utf-16", "zlib", "\0", "nö"])


def send(content_type: str, body: bytes) -> None:
    read_form(content_type.encode("latin-1") + b"\n" + body)


def write_part(name: str, value: bytes) -> bytes:
    return b'--edge\r\nContent-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + value + b"\r\n"


@UNHURRIED
@given(fields=FORMS, mode=st.sampled_from(list(Mode)))
def test_any_fields_are_taken_or_refused(fields: dict[str, str], mode: Mode) -> None:
    check_form(Form(texts={name: (value,) for name, value in fields.items() if value}), mode)


@UNHURRIED
@given(fields=FORMS)
def test_any_urlencoded_form_is_taken_or_refused(fields: dict[str, str]) -> None:
    body = "&".join(f"{name}={quote_plus(value)}" for name, value in fields.items())
    send("application/x-www-form-urlencoded", body.encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | HALVES | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HALVES | NAMES, inner, max_size=3),
    max_leaves=8,
)


@UNHURRIED
@given(value=st.dictionaries(NAMES | HALVES, JSON, max_size=6) | JSON)
@example(value={"last_id": "\ud800"})
def test_any_json_is_taken_or_refused(value: object) -> None:
    send("application/json", json.dumps(value).encode())


@UNHURRIED
@given(fields=FORMS, codec=CODECS | st.text(st.characters(codec="latin-1", exclude_characters="\n"), max_size=20))
@example(fields={"last_id": "\\ud800"}, codec="unicode_escape")
@example(fields={"size": "1"}, codec="undefined")
@example(fields={"size": "a-9999999999"}, codec="punycode")
@example(fields={"size": "1"}, codec="\0")
def test_a_multipart_form_is_taken_or_refused_whatever_charset_it_claims(fields: dict[str, str], codec: str) -> None:
    body = b"".join(write_part(name, value.encode()) for name, value in fields.items()) + b"--edge--\r\n"
    send(f"multipart/form-data; charset={codec}; boundary=edge", body)


@UNHURRIED
@given(boundary=st.text(st.characters(codec="latin-1", exclude_characters="\n"), max_size=80), body=st.binary())
@example(boundary='-"\0-; charset=a\0b', body=b"")
@example(boundary="", body=b"--\r\n")
def test_any_boundary_is_taken_or_refused(boundary: str, body: bytes) -> None:
    send(f"multipart/form-data; boundary={boundary}", body)
    edge = boundary.encode("latin-1")
    send(f'multipart/form-data; boundary="{boundary}"', b"--" + edge + b"\r\n" + body + b"\r\n--" + edge + b"--")


@UNHURRIED
@given(kind=TYPES, body=st.binary(max_size=200))
def test_any_bytes_are_taken_or_refused(kind: str, body: bytes) -> None:
    send(kind, body)
    send(f"{kind}; boundary=edge", b"--edge\r\n" + body + b"\r\n--edge--\r\n")


@pytest.mark.parametrize("charset", ["gbk", "utf-16", "unicode_escape", "iso-8859-1"])
def test_the_charset_of_a_multipart_body_is_ignored(charset: str) -> None:
    body = write_part("note", "证件照 \\u0041".encode()) + b"--edge--\r\n"
    form = parse(body, f"multipart/form-data; boundary=edge; charset={charset}")
    assert form.get("note") == "证件照 \\u0041"
