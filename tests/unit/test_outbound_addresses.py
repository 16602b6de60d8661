from __future__ import annotations

import pytest

from idphoto.outbound import AddressRefused, BadUrl, Outbound

PRIVATE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.0.1./",
    "http://127.255.255.254/",
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://0X7F.0X0.0X0.0X1/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::8.8.8.8]/",
    "http://[64:ff9b:1::a00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:808:808::1]/",
    "http://[2001:0:7f00:1::]/",
    "http://[2001:db8::1]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fec0::1]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[ff02::1]/",
    "http://[4000::1]/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://100.100.100.200/latest/meta-data/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0xa9fea9fe/",
    "http://2852039166/",
    "http://192.0.2.1/",
    "http://192.88.99.1/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://１２７.0.0.1/",
    "https://127.0.0.1/",
    "http://[::1%25]/",
    "http://*/",
]
WITH_SECRETS = [
    "http://user@photo.example/",
    "http://user:pass@photo.example/",
    "http://@photo.example/",
    "http://:@photo.example/",
    "http://photo.example@127.0.0.1/",
    "http://photo.example%20@10.0.0.1/",
    "http://photo.example:80@10.0.0.1/",
    "http://127.0.0.1:80@photo.example/",
]
ODD_PORTS = [
    "http://photo.example:22/",
    "http://photo.example:0/",
    "http://photo.example:8080/",
    "http://photo.example:6379/",
    "https://photo.example:25/",
    "http://8.8.8.8:8080/",
    "http://[2606:4700::1111]:8080/",
]
NO_URLS = [
    "",
    " ",
    "photo.example/me.jpg",
    "//photo.example/me.jpg",
    "/me.jpg",
    "http:",
    "http:photo.example",
    "http:///me.jpg",
    "http://?x",
    "http://#x",
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "ftp://photo.example/me.jpg",
    "data:image/png;base64,iVBORw0KGgo=",
    "javascript:alert(1)",
    "dict://127.0.0.1:11211/",
    "ws://photo.example/",
    "unix:///var/run/docker.sock",
    "http://photo.example:99999/",
    "http://photo.example:80a/",
    "http://photo.example:-1/",
    "http://[::1",
    "http://[::1]x/",
    "http://photo.example\\@127.0.0.1/",
    "http://photo .example/",
    "http://photo.example\r\nHost: 127.0.0.1/",
    "http://photo.example/\r\nX: y",
    "http://photo.example/\x00",
    "http://photo\x00.example/",
    "http://photo.example/\u200b",
    " http://photo.example/",
    "http://photo.example/ ",
    "\thttp://photo.example/",
    "http://photo.example/" + "x" * 2048,
    "http://1.1.1.1 &@2.2.2.2# @3.3.3.3/",
    "http://0[1]@/",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_an_address_that_is_not_public_is_refused_in_every_spelling(url: str) -> None:
    with pytest.raises(AddressRefused):
        Outbound().check_url(url)


@pytest.mark.parametrize("url", WITH_SECRETS)
def test_a_user_name_in_the_url_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        Outbound().check_url(url)


@pytest.mark.parametrize("url", ODD_PORTS)
def test_public_addresses_are_reached_on_web_ports_only(url: str) -> None:
    with pytest.raises(AddressRefused):
        Outbound().check_url(url)


@pytest.mark.parametrize("url", NO_URLS)
def test_what_is_no_web_url_is_told_apart_from_a_refused_address(url: str) -> None:
    with pytest.raises(BadUrl):
        Outbound().check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://photo.example",
        "https://photo.example/me.jpg",
        "HTTPS://Photo.Example/me.jpg",
        "https://photo.example./me.jpg",
        "https://photo.example:443/me.jpg?sig=a%2Fb%3D&x=@y",
        "https://photo.example/@me/a b.jpg#@x",
        "https://照片.example/我.jpg",
        "http://8.8.8.8/",
        "http://[2606:4700:4700::1111]/",
        "https://photo.example:80/",
        "https://photo.example/" + "x" * 2000,
    ],
)
def test_an_ordinary_url_is_accepted(url: str) -> None:
    Outbound().check_url(url)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9000/", "http://[::ffff:127.0.0.1]:9000/", "http://0x7f.1/", "http://photo.internal:9000/"],
)
def test_an_allowed_network_is_reached_on_any_port(url: str) -> None:
    Outbound(["127.0.0.0/8"]).check_url(url)


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://8.8.8.8:9000/", "http://[::1]/", "file:///etc/passwd"])
def test_an_allowed_network_opens_nothing_else(url: str) -> None:
    with pytest.raises((AddressRefused, BadUrl)):
        Outbound(["127.0.0.0/8"]).check_url(url)


def test_an_allowed_network_must_be_one() -> None:
    with pytest.raises(ValueError, match="not-a-network"):
        Outbound(["not-a-network"])


@pytest.mark.parametrize("url", ["http://10.11.12.13/secret-path", "http://secret-path.example:22/", "secret-path"])
def test_a_refusal_does_not_repeat_the_url(url: str) -> None:
    with pytest.raises((AddressRefused, BadUrl)) as caught:
        Outbound().check_url(url)
    assert "secret-path" not in str(caught.value)
    assert "10.11" not in str(caught.value)
