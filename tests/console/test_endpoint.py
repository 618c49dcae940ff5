import pytest

from upvs_tasks.console.endpoint import Credentials, Endpoint, base_url_of
from upvs_tasks.errors import SettingsError


@pytest.mark.parametrize(
    ("host", "base_url"),
    [
        ("192.168.1.1", "https://192.168.1.1"),
        (" 192.168.1.1 ", "https://192.168.1.1"),
        ("192.168.1.1:8443", "https://192.168.1.1:8443"),
        ("https://192.168.1.1", "https://192.168.1.1"),
        ("HTTPS://192.168.1.1/", "https://192.168.1.1"),
        ("https://192.168.1.1:443", "https://192.168.1.1"),
        ("https://Console.lan:8443/", "https://console.lan:8443"),
        ("unifi", "https://unifi"),
        ("::1", "https://[::1]"),
        ("[::1]", "https://[::1]"),
        ("[::1]:8443", "https://[::1]:8443"),
        ("https://[fd00::0:1]:8443/", "https://[fd00::1]:8443"),
        ("fe80::1%eth0", "https://[fe80::1%25eth0]"),
    ],
)
def test_a_host_may_be_written_in_every_usual_way(host: str, base_url: str) -> None:
    """Address, name or URL; with or without a port."""
    assert base_url_of(host) == base_url


@pytest.mark.parametrize(
    "host",
    [
        "",
        "   ",
        "ftp://192.168.1.1",
        "https://",
        "https:///protect",
        "https://192.168.1.1/protect/dashboard",
        "192.168.1.1?x=1",
        "192.168.1.1#x",
        "192.168.1.1:port",
        "192.168.1.1:99999",
        "192.168.1.1:0",
        "192.168.1.256",
        "192.168.1",
        "two words",
        "[::1",
        "[nonsense]",
    ],
)
def test_what_is_no_address_is_refused_with_an_example(host: str) -> None:
    """The sentence shows what was given and what is right."""
    with pytest.raises(SettingsError, match=r"host is .*such as 192\.168\.1\.1"):
        base_url_of(host)


def test_http_is_refused_because_the_password_would_be_readable() -> None:
    """It is not quietly turned into https."""
    with pytest.raises(SettingsError, match="in the clear"):
        base_url_of("http://192.168.1.1")


@pytest.mark.parametrize("scheme", ["", "https://", "http://"])
def test_a_password_inside_the_host_is_refused_and_not_repeated(scheme: str) -> None:
    """Not even in the sentence that refuses it."""
    with pytest.raises(SettingsError) as caught:
        base_url_of(f"{scheme}somebody:hunter2@192.168.1.1")
    assert "hunter2" not in str(caught.value)


def test_a_direct_recorder_has_a_port_of_its_own() -> None:
    """7443, unless another is given."""
    assert Endpoint("10.0.0.2", direct_api=True).base_url == "https://10.0.0.2:7443"
    assert Endpoint("10.0.0.2:444", direct_api=True).base_url == "https://10.0.0.2:444"


def test_credentials_do_not_show_the_password() -> None:
    """Neither in a traceback nor in a log."""
    assert "hunter2" not in repr(Credentials("u", "hunter2"))
