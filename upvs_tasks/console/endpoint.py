import re
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from upvs_tasks.errors import SettingsError

# A recorder without UniFi OS serves its API at this port.
_DIRECT_PORT = 7443
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_NAME = re.compile(r"[^\s/\\?#@:%\[\]]{1,253}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an account of the console logs in with.

    An account with a second factor takes a ``totp_secret``, as authenticator apps are given it, or
    a ``one_time_code``, which is good for a single login.
    """

    username: str
    password: str = field(repr=False)
    totp_secret: str = field(default="", repr=False)
    one_time_code: str = field(default="", repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no text may show. The user's name may be a common word, and opens nothing alone."""
        return (self.password, self.totp_secret, self.one_time_code)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a console is, and how to know that it is the right one.

    ``ca_file`` holds the console's certificate, or that of whoever signs it, in place of the public
    authorities. ``tls_fingerprint``, 64 digits, is the SHA-256 of the only certificate that is
    accepted. ``direct_api`` means a recorder without UniFi OS.
    """

    host: str
    ca_file: Path | None = None
    tls_fingerprint: str = ""
    tls_insecure: bool = False
    direct_api: bool = False

    @property
    def base_url(self) -> str:
        """Scheme, host and port. Raises SettingsError."""
        return base_url_of(self.host, default_port=_DIRECT_PORT if self.direct_api else None)

    @property
    def api_path(self) -> str:
        """Under which path the API of Protect lies."""
        return "/api" if self.direct_api else "/proxy/protect/api"


def base_url_of(host: str, *, default_port: int | None = None) -> str:
    """``https://host[:port]`` of a setting that may be an address, a name or a whole URL.

    Raises SettingsError for what is no address, and for http, which would send the password in
    the clear. The sentence repeats what was given only where that cannot hold a password.
    """
    written = host.strip()
    if "@" in written:
        raise SettingsError(
            "host holds an @: user and password do not belong into it; give only the console's "
            "address, for example 192.168.1.1"
        )
    if written.lower().startswith("http://"):
        raise SettingsError(
            f"host is {host!r}, but http would send the password in the clear: "
            "give it with https:// or without a scheme"
        )
    try:
        address, port = _parts(written)
    except ValueError as error:
        raise SettingsError(
            f"host is {host!r}, but it must be a console's address such as 192.168.1.1, "
            "https://192.168.1.1 or https://console.lan:8443"
        ) from error
    chosen_port = port if port is not None else default_port
    return (
        f"https://{address}" if chosen_port in {None, 443} else f"https://{address}:{chosen_port}"
    )


def _parts(written: str) -> tuple[str, int | None]:
    """Host as it stands in a URL, and the port if one is given. Raises ValueError."""
    if (bare := _ipv6(written)) is not None:
        return bare, None
    url = urlsplit(written if _SCHEME.match(written) else f"https://{written}")
    if url.scheme != "https" or url.path not in {"", "/"} or url.query or url.fragment:
        raise ValueError(written)
    if url.port == 0:
        raise ValueError(written)
    return _hostname(url), url.port


def _hostname(url: SplitResult) -> str:
    name = url.hostname or ""
    if "[" in url.netloc and (bare := _ipv6(name)) is not None:
        return bare
    if not _NAME.fullmatch(name):
        raise ValueError(name)
    if name.replace(".", "").isdigit():
        ip_address(name)
    return name


def _ipv6(text: str) -> str | None:
    """An IPv6 address in the brackets that a URL wants; None when it is none."""
    try:
        address = IPv6Address(text.replace("%25", "%"))
    except ValueError:
        return None
    return f"[{str(address).replace('%', '%25')}]"
