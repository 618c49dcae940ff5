import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from upvs_tasks.errors import CameraNotFound, ConsoleError, MultipleCameras, SettingsError

_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f-\x9f\u2028\u2029]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_LONGEST_NAME_BYTES = 120


@dataclass(frozen=True, slots=True)
class Channel:
    """One of the qualities that a camera records in; ``channel_id`` 0 is the best."""

    channel_id: int
    name: str
    enabled: bool
    width: int
    height: int
    fps: int


@dataclass(frozen=True, slots=True)
class Recording:
    """What a camera keeps: its first and last instant (Unix ms), and the padding around events.

    ``mode`` is "always", "detections", "adaptive" or "never".
    """

    mode: str = ""
    first_ms: int | None = None
    last_ms: int | None = None
    padding_before_ms: int = 0
    padding_after_ms: int = 0


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera as the console's bootstrap describes it; ``name`` may be empty or shared.

    ``fault`` says why the rest of it cannot be read, where that is so.
    """

    camera_id: str
    name: str
    type: str = ""
    state: str = ""
    is_connected: bool = True
    host: str = ""
    mac: str = ""
    model_key: str = "camera"
    channels: tuple[Channel, ...] = ()
    last_motion_ms: int | None = None
    recording: Recording = Recording()
    fault: str = ""

    @property
    def folder_name(self) -> str:
        """Name of the camera's folder and film, safe on every file system."""
        return safe_name(self.name, fallback=self.camera_id)


def resolve_camera(wanted: str, cameras: Iterable[Camera]) -> Camera:
    """The camera with the id ``wanted``, or else the only one with that name in any case.

    Raises CameraNotFound or MultipleCameras, both listing the candidates, or ConsoleError where
    what the console says of it cannot be read.
    """
    # By all that is known of a camera at the end: no choice depends on the order of the list.
    known = sorted(cameras, key=lambda one: (one.name.casefold(), one.camera_id, repr(one)))
    for camera in known:
        if camera.camera_id == wanted:
            return _without_fault(camera)
    folded = wanted.strip().casefold()
    named = [camera for camera in known if folded and camera.name.strip().casefold() == folded]
    match named:
        case [only]:
            return _without_fault(only)
        case []:
            candidates = _listed(known) or "none at all"
            raise CameraNotFound(f"no camera is called {wanted!r}; the console has: {candidates}")
        case _:
            raise MultipleCameras(
                f"{len(named)} cameras are called {wanted!r}; choose one by id: {_listed(named)}"
            )


def _without_fault(camera: Camera) -> Camera:
    if camera.fault:
        raise ConsoleError(camera.fault)
    return camera


def check_channel(camera: Camera, channel_id: int) -> None:
    """Raise SettingsError where the camera does not record in this quality.

    Channel 0, the best one, is allowed for every camera.
    """
    recorded = [channel for channel in camera.channels if channel.enabled]
    known = {channel.channel_id for channel in recorded}
    if channel_id and known and channel_id not in known:
        listed = ", ".join(
            f"{channel.channel_id} ({channel.name}, {channel.width}x{channel.height})"
            for channel in recorded
        )
        raise SettingsError(f"{camera.name!r} has no channel {channel_id}; it has {listed}")


def safe_name(text: str, *, fallback: str) -> str:
    r"""``text`` as the name of a file or folder, on any file system.

    The specification's rule (§4: remove ``/ \ : * ? " < > |``, collapse underscores, trim), and
    more: no runs of white space, no control characters, no leading or trailing dot, no name that
    Windows reserves, at most 120 bytes. If nothing is left, ``fallback`` is made safe and used.
    """
    encodable = text.encode(errors="ignore").decode()
    plain = re.sub(r"_+(?=_)|\s+(?=\s)", "", _NOT_IN_NAMES.sub("", encodable)).strip(" ._")
    if _RESERVED.fullmatch(plain):
        stem, dot, rest = plain.partition(".")
        plain = f"{stem}_{dot}{rest}"
    if len(plain.encode()) > _LONGEST_NAME_BYTES:
        plain = _shortened(plain)
    return plain or (safe_name(fallback, fallback="camera") if fallback else "camera")


def _shortened(name: str) -> str:
    digest = sha256(name.encode()).hexdigest()[:8]
    head = name.encode()[: _LONGEST_NAME_BYTES - len(digest) - 1].decode(errors="ignore")
    return f"{head.rstrip(' ._')}-{digest}"


def _listed(cameras: Iterable[Camera]) -> str:
    return ", ".join(f"{camera.name!r} ({camera.camera_id})" for camera in cameras)
