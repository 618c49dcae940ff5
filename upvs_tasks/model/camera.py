import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256

from upvs_tasks.errors import CameraNotFound, ConsoleError, MultipleCameras, SettingsError
from upvs_tasks.escaping import HARMFUL

_NOT_IN_NAMES = re.compile(rf'[/\\:*?"<>|{HARMFUL}]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_LONGEST_NAME_BYTES = 120
# What keyboards and telephones put in the place of an apostrophe.
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u2032\u00b4\u0060\uff07", "'"))
_MOST_NAMED = 6


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
    ``folder`` is the name of its folder, where that does not follow from its own name alone.
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
    folder: str = ""

    @property
    def folder_name(self) -> str:
        """Name of the camera's folder and film, safe on every file system."""
        return self.folder or safe_name(self.name, fallback=self.camera_id)

    @property
    def folder_name_with_id(self) -> str:
        """Name of a folder that is no other camera's, whatever they are called."""
        return safe_name(f"{self.name} {self.camera_id}", fallback="camera")


def name_key(name: str) -> str:
    """What is equal for names that look alike: in any case, composed or not, with any space."""
    plain = unicodedata.normalize("NFKC", name.translate(_APOSTROPHES)).casefold()
    return " ".join(unicodedata.normalize("NFKC", plain).split())


def folder_name_among(camera: Camera, cameras: Iterable[Camera]) -> str:
    """Name of the camera's folder; with its id where another camera has a folder of that name."""
    key = name_key(camera.folder_name)
    is_shared = any(
        name_key(other.folder_name) == key and other.camera_id != camera.camera_id
        for other in cameras
    )
    return camera.folder_name_with_id if is_shared else camera.folder_name


def resolve_camera(wanted: str, cameras: Iterable[Camera]) -> Camera:
    """The camera with the id ``wanted``, or else the only one whose name looks like that.

    Raises CameraNotFound, naming the nearest, or MultipleCameras, naming those to choose from, or
    ConsoleError where what the console says of it cannot be read.
    """
    # By all that is known of a camera at the end: no choice depends on the order of the list.
    known = sorted(cameras, key=lambda one: (one.name.casefold(), one.camera_id, repr(one)))
    for camera in known:
        if camera.camera_id == wanted:
            return _without_fault(camera)
    key = name_key(wanted)
    named = [camera for camera in known if key and name_key(camera.name) == key]
    match named:
        case [only]:
            return _without_fault(only)
        case []:
            raise CameraNotFound(f"no camera is called {wanted!r}{_nearest(wanted, known)}")
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
    more: no runs of white space, no control characters, nothing that turns the direction of
    writing, no leading or trailing dot, no name that Windows reserves, at most 120 bytes. If
    nothing is left, ``fallback`` is made safe and used.
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


def _nearest(wanted: str, cameras: Sequence[Camera]) -> str:
    """The rest of a sentence: which camera may be meant, and some of those that there are."""
    by_key = {key: one for one in cameras for key in (name_key(one.name), name_key(one.camera_id))}
    near = get_close_matches(name_key(wanted), by_key, n=1)
    meant = [by_key[key] for key in near]
    others = [one for one in cameras if one not in meant]
    listed = _listed(others) or "none at all"
    if not meant:
        return f"; the console has: {listed}"
    also = f"; the console also has: {listed}" if others else ""
    return f"; the nearest is {_listed(meant)}{also}"


def _listed(cameras: Sequence[Camera]) -> str:
    listed = ", ".join(
        f"{repr(camera.name) if camera.name else 'one without a name'} ({camera.camera_id})"
        for camera in cameras[:_MOST_NAMED]
    )
    unnamed = len(cameras) - _MOST_NAMED
    return f"{listed} and {unnamed} more" if unnamed > 0 else listed
