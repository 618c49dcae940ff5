"""Every setting, declared once: its default, what it may be, its group, and what it means.

To add one: declare it here, write config.toml again with
`python -m upvs_tasks.settings > config.toml`, and use it. UPVS_NAME, name=value, the text of
config.toml and the help of `upvs` follow from the declaration.
"""

import datetime as dt
from dataclasses import dataclass, fields
from pathlib import Path

from upvs_tasks.errors import SettingsError
from upvs_tasks.machine import usable_cores
from upvs_tasks.model.clip import FilmedSource, Overlaps
from upvs_tasks.model.day import RelativeDate
from upvs_tasks.model.encoding import (
    LARGEST_HEIGHT,
    PRESETS,
    SMALLEST_SIDE,
    Codec,
    Engine,
    HardwareAcceleration,
)
from upvs_tasks.model.event import DEFAULT_EVENT_TYPES
from upvs_tasks.model.layout import Layout
from upvs_tasks.settings.declaration import Group, declared, secret, setting
from upvs_tasks.settings.values import (
    choice,
    clock_time,
    day,
    fingerprint,
    folder,
    number,
    number_or,
    path,
    switch,
    text,
    whole_number,
    whole_number_or_zero,
    words,
    words_or_none,
    zone_name,
)

DEMO_HOST = "demo"

CONSOLE, FOOTAGE, FILM, FOLDER = Group


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run was asked to do."""

    host: str = setting(
        "",
        text,
        CONSOLE,
        'your console, such as "192.168.1.1", or "demo", the embedded one',
        demo=DEMO_HOST,
    )
    username: str = setting("", text, CONSOLE, "local account of the console, made for this")
    password: str = secret(CONSOLE, "password of the account")
    password_file: Path | None = setting(
        None, path, CONSOLE, "file that holds only the password, for when UPVS_PASSWORD is not set"
    )
    totp_secret: str = secret(CONSOLE, "secret of the account's second factor")
    one_time_code: str = secret(CONSOLE, "one code of the account's second factor")
    session_file: Path | None = setting(
        None, path, CONSOLE, "file that keeps the login (0600); empty: each command logs in"
    )
    tls_fingerprint: str = setting(
        "",
        fingerprint,
        CONSOLE,
        "the only certificate to accept, for a console that signed its own; the first run prints "
        "the line, and then ca_file does not count",
        example="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    )
    ca_file: Path | None = setting(
        None, path, CONSOLE, "file with the console's certificate, or with that of who signs it"
    )
    tls_insecure: bool = setting(
        False, switch, CONSOLE, "skip the check of the console's certificate"
    )
    direct_api: bool = setting(
        False, switch, CONSOLE, "for a recorder without UniFi OS: /api/auth, bearer token"
    )
    max_workers: int = setting(
        4, whole_number(1, 16), CONSOLE, "most downloads at the same time; starts with 2"
    )
    retry_limit: int = setting(3, whole_number(1, 20), CONSOLE, "attempts for each request")
    longest_outage_secs: float = setting(
        600.0,
        number(0, 86_400),
        CONSOLE,
        "seconds to wait for a console that is off or restarts, also at the start of a run",
    )

    camera: str = setting(
        "",
        text,
        FOOTAGE,
        "name or id; where two have the same name, the error lists their ids",
        demo="Front Door",
    )
    date: dt.date | RelativeDate | None = setting(
        None, day, FOOTAGE, "day to film, by the console's clock", example="2024-01-15"
    )
    timezone: str = setting("", zone_name, FOOTAGE, "zone of the day; empty: the console's")
    event_types: tuple[str, ...] = setting(
        DEFAULT_EVENT_TYPES,
        words,
        FOOTAGE,
        'the console\'s names of what to film; others are "smartAudioDetect", "ring", "doorAccess"',
    )
    smart_types: tuple[str, ...] = setting(
        (),
        words_or_none,
        FOOTAGE,
        'such as ["person"]: only events in which one of these was recognised',
    )
    padding_secs: float | None = setting(
        0.0,
        number_or("camera", 0, 600),
        FOOTAGE,
        "seconds of footage before and after each event; camera: as it is set to record. "
        "The events of most consoles hold the camera's padding already",
    )
    overlaps: Overlaps = setting(
        Overlaps.MERGE,
        choice(*Overlaps),
        FOOTAGE,
        "one clip for all events that overlap, or one clip for each event",
    )
    merge_gap_secs: float = setting(
        5.0,
        number(0, 3_600),
        FOOTAGE,
        "with merge: seconds; closer events become one clip, too",
    )
    channel: int = setting(0, whole_number(0, 2), FOOTAGE, "the camera's quality, 0 is the best")
    source: FilmedSource = setting(
        FilmedSource.EVENTS,
        choice(*FilmedSource),
        FOOTAGE,
        "the events, or all footage in clips of an hour",
    )
    start: dt.time | None = setting(
        None, clock_time, FOOTAGE, "with continuous: from this time of day; empty: midnight"
    )
    end: dt.time | None = setting(
        None, clock_time, FOOTAGE, "with continuous: up to this time of day; empty: midnight"
    )

    target_duration: float = setting(
        600.0,
        number(1, 86_400),
        FILM,
        "seconds that the film should last; it is never slower than real time",
    )
    speed_step: float = setting(
        0.0,
        number(0, 3),
        FILM,
        "percent: the speed changes only in such steps, so that a late clip costs little; "
        "the film ends up to 10 s from target_duration",
    )
    output_fps: int = setting(30, whole_number(1, 120), FILM, "frames a second")
    crf: int = setting(
        23, whole_number(0, 51), FILM, "quality, from the best that players show to the worst"
    )
    preset: str = setting(
        "medium", choice(*PRESETS), FILM, "x264's: the slower, the smaller the file"
    )
    height: int = setting(
        0,
        whole_number_or_zero(SMALLEST_SIDE, LARGEST_HEIGHT),
        FILM,
        "scale down to so many lines, an even number; 0: as most of the footage is",
    )
    codec: Codec = setting(
        Codec.H264,
        choice(*Codec),
        FILM,
        "hevc and av1: smaller files, but slower, and not for every player",
    )
    engine: Engine = setting(
        Engine.SEGMENTS,
        choice(*Engine),
        FILM,
        "exact frames in segments, or the specification's single ffmpeg command: "
        "h264 in the clips' size",
    )
    hwaccel: HardwareAcceleration = setting(
        HardwareAcceleration.OFF,
        choice(*HardwareAcceleration),
        FILM,
        "auto: a graphics processor decodes h264 and hevc, where there is one",
    )
    threads: int = setting(
        0,
        whole_number(0, 256),
        FILM,
        "segments rendered at the same time; 0: one for each core, as far as memory bears it",
    )
    nice: int = setting(
        10, whole_number(0, 19), FILM, "how much rendering gives way to other programs"
    )

    out_dir: str = setting(
        "out/{camera}/{date}",
        folder,
        FOLDER,
        "output folder; {camera} is the camera's name, made safe for a file system",
    )

    @property
    def renders_at_once(self) -> int:
        """How many segments are rendered side by side."""
        return self.threads or usable_cores()

    @property
    def is_demo(self) -> bool:
        """Whether the embedded console takes the place of a real one."""
        return self.host == DEMO_HOST

    def layout(self, camera_folder: str, date: dt.date) -> Layout:
        """Where a day of a camera lives whose folder has this name."""
        return Layout(Path(self.out_dir.format(camera=camera_folder, date=date)).absolute())

    def check_subject(self) -> None:
        """Raise SettingsError unless it is said which camera and which day."""
        self.required_date()
        self.required_camera()

    def required_camera(self) -> str:
        """Name or id of the camera that was asked for. Raises SettingsError when none was."""
        if not self.camera:
            raise SettingsError("camera is not set: give its name or id, for example camera=Door")
        return self.camera

    def required_date(self) -> dt.date | RelativeDate:
        """The day that was asked for. Raises SettingsError when none was."""
        if self.date is None:
            raise SettingsError("date is missing: say which day, for example date=2024-01-15")
        return self.date

    def check_times(self) -> None:
        """Raise SettingsError where all footage is asked for between times that hold nothing."""
        start = self.start or dt.time.min
        if self.source is FilmedSource.CONTINUOUS and self.end is not None and self.end <= start:
            raise SettingsError(
                f"end is {self.end:%H:%M:%S}, but it must be after start ({start:%H:%M:%S}); "
                "leave it empty for midnight"
            )

    def check_engine(self) -> None:
        """Raise SettingsError for settings that the engine would ignore."""
        if self.engine is not Engine.CONCAT:
            return
        for name in ("codec", "height"):
            if getattr(self, name) != TABLE[name].default:
                raise SettingsError(
                    f"{name} is {getattr(self, name)}, but with engine=concat it has no effect: "
                    "the film is h264, in the size of the clips; leave it out, or take "
                    "engine=segments"
                )

    def check_access(self) -> None:
        """Raise SettingsError when something is missing that a login needs."""
        if not self.host:
            raise SettingsError(
                "host is not set: give your console's address, for example host=192.168.1.1, "
                "or host=demo for the embedded console"
            )
        if self.is_demo:
            return
        if not self.username:
            raise SettingsError("username is not set: give the console's local account")
        if not self.password:
            raise SettingsError(
                "the password is not set: put it into the environment as UPVS_PASSWORD, "
                "or into a file that password_file names"
            )


TABLE = {each.name: declared(each) for each in fields(Settings)}
NAMES = tuple(name for name, each in TABLE.items() if not each.is_secret)
SECRETS = tuple(name for name, each in TABLE.items() if each.is_secret)
