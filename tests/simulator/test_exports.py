import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import pairwise

import av
import pytest

from tests.simulator.browser import Browser, at, boxes, instant_of, instants, opened, shown
from upvs_tasks.simulator import (
    DRIVEWAY,
    FRONT_DOOR,
    SPARROW,
    Audio,
    Behaviour,
    ExportCut,
    Fault,
    FaultKind,
    FootageFormat,
    FormatSpan,
    Length,
    NoFootageAnswer,
    SimulatedCamera,
    SimulatedConsole,
    TooYoung,
    VideoCodec,
)

NOON = at(date(2024, 1, 15), 12, 0)
SMALL = replace(SPARROW, camera_id="65a0f1c2d3e4b503870000aa", name="Small", mac="E063DA0000AA")


@contextmanager
def logged_in(behaviour: Behaviour | None = None, now_ms: int | None = None) -> Iterator[Browser]:
    """Run a console and yield a client that is logged in."""
    with (
        SimulatedConsole(behaviour=behaviour, now_ms=now_ms) as console,
        Browser(console) as browser,
    ):
        assert browser.log_in().status_code == 200
        yield browser


def exported(footage: FootageFormat, *, behaviour: Behaviour | None = None, secs: int = 7) -> bytes:
    """Return a clip of a camera that records in this format."""
    with logged_in(behaviour) as browser:
        browser.console.add_camera(replace(SMALL, footage=footage))
        response = browser.export(NOON, NOON + secs * 1000, SMALL.camera_id)
        assert response.status_code == 200, response.text
        return response.content


def test_a_clip_starts_with_a_keyframe_before_and_ends_a_little_late(browser: Browser) -> None:
    response = browser.export(NOON, NOON + 10_000, FRONT_DOOR.camera_id)
    seen = [instant_ms or 0 for instant_ms in instants(response.content)]
    assert NOON - 5_000 < seen[0] <= NOON
    assert 600 <= seen[-1] - (NOON + 10_000) <= 2_200
    with opened(response.content) as container:
        keys = [packet.pts for packet in container.demux(video=0) if packet.is_keyframe]
    assert {(later or 0) - (former or 0) for former, later in pairwise(keys)} == {450_000}


def test_media_time_is_wall_time_since_the_first_frame(browser: Browser) -> None:
    frames = shown(browser.export(NOON + 1_234, NOON + 9_000, DRIVEWAY.camera_id).content)
    first = frames[0][1]
    assert first is not None
    assert [instant_ms for _, instant_ms in frames] == [first + media for media, _ in frames]
    assert len(frames) > 100


@pytest.mark.parametrize(
    ("cut", "first_ms", "last_ms"),
    [
        (ExportCut.GROUP, -100, 4_400),
        (ExportCut.TIGHT, -100, 400),
        (ExportCut.INSIDE, 4_900, -100),
    ],
)
def test_an_export_can_be_cut_in_other_ways(cut: ExportCut, first_ms: int, last_ms: int) -> None:
    phase_ms = (NOON - SPARROW.keyframe_phase_ms) % 5_000
    start_ms = NOON - phase_ms + 100
    end_ms = start_ms + 20_400
    with logged_in(Behaviour(export_cut=cut)) as browser:
        seen = instants(browser.export(start_ms, end_ms).content)
    assert seen[0] == start_ms + first_ms
    assert abs((seen[-1] or 0) - end_ms - last_ms) <= 500


def test_every_console_gives_the_same_bytes_for_the_same_request(browser: Browser) -> None:
    first = browser.export(NOON, NOON + 8_000, DRIVEWAY.camera_id).content
    assert browser.export(NOON, NOON + 8_000, DRIVEWAY.camera_id).content == first
    with logged_in() as other:
        assert other.export(NOON, NOON + 8_000, DRIVEWAY.camera_id).content == first


def test_an_instant_looks_the_same_in_every_export(browser: Browser) -> None:
    whole = frames_by_instant(browser.export(NOON, NOON + 20_000).content)
    part = frames_by_instant(browser.export(NOON + 6_000, NOON + 9_000).content)
    assert part.items() <= whole.items()


def frames_by_instant(content: bytes) -> dict[int | None, bytes]:
    """Return the luma of each frame by the instant it shows."""
    with opened(content) as container:
        return {instant_of(frame): bytes(frame.planes[0]) for frame in container.decode(video=0)}


def test_a_file_has_the_form_of_a_consoles_file(browser: Browser) -> None:
    response = browser.export(NOON, NOON + 5_000, DRIVEWAY.camera_id, headers={"Range": "bytes=9-"})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "video/mp4"
    assert int(response.headers["Content-Length"]) == len(response.content)
    name = f"E063DA000002_0_{NOON}_{NOON + 5_000}.mp4"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    kinds = boxes(response.content)
    assert (kinds[0], kinds[-1]) == ("ftyp", "moov")
    assert response.content[8:12] == b"mp42"
    assert b"isom" in response.content[16:32]
    with opened(response.content) as container:
        assert container.streams.video[0].time_base == Fraction(1, 90_000)
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert container.streams.video[0].codec_context.has_b_frames is False


@pytest.mark.parametrize("length", [Length.CHUNKED, Length.CLOSE])
def test_a_body_may_come_without_a_length(length: Length) -> None:
    with logged_in(Behaviour(content_length=length)) as browser:
        response = browser.export(NOON, NOON + 5_000)
        assert "Content-Length" not in response.headers
        with logged_in() as other:
            assert response.content == other.export(NOON, NOON + 5_000).content
        assert browser.export(NOON, NOON + 5_000).ok


@pytest.mark.parametrize("answer", list(NoFootageAnswer))
def test_a_missing_recording_has_different_answers(answer: NoFootageAnswer) -> None:
    with logged_in(Behaviour(no_footage=answer)) as browser:
        browser.console.add_camera(replace(SMALL, gaps=((NOON - 60_000, NOON + 60_000),)))
        response = browser.export(NOON, NOON + 5_000, SMALL.camera_id)
    match answer:
        case NoFootageAnswer.STATUS_404:
            assert response.status_code == 404
            assert response.json()["error"] == 502
            assert isinstance(response.json()["operationId"], int)
        case NoFootageAnswer.STATUS_500:
            assert response.status_code == 500
            assert response.json() == {"error": "No files found matching criteria."}
        case NoFootageAnswer.EMPTY_MP4:
            assert response.status_code == 200
            assert len(response.content) < 300
            assert boxes(response.content)[-1] == "moov"


def test_before_the_first_recording_there_is_nothing(browser: Browser) -> None:
    early_ms = SPARROW.recording_start_ms - 3_600_000
    assert browser.export(early_ms, early_ms + 5_000).status_code == 404


@pytest.mark.parametrize("closed", [True, False])
def test_a_gap_takes_media_time_or_none(*, closed: bool) -> None:
    with logged_in(Behaviour(gaps_closed=closed)) as browser:
        camera = replace(SMALL, gaps=((NOON + 5_000, NOON + 25_000),))
        browser.console.add_camera(camera)
        frames = shown(browser.export(NOON, NOON + 30_000, camera.camera_id).content)
    jumps = [
        ((later[1] or 0) - (former[1] or 0), later[0] - former[0])
        for former, later in pairwise(frames)
    ]
    wall_ms, media_ms = max(jumps)
    assert wall_ms >= 20_000
    assert media_ms == (500 if closed else wall_ms)


def test_an_export_that_is_too_young_is_short_or_fails_or_is_complete() -> None:
    start_ms = NOON - 20_000
    lengths = {}
    for answer in (TooYoung.SHORT, TooYoung.COMPLETE):
        with logged_in(Behaviour(too_young=answer), now_ms=NOON) as browser:
            lengths[answer] = instants(browser.export(start_ms, NOON - 1_000).content)[-1] or 0
    with logged_in(Behaviour(too_young=TooYoung.STATUS_500), now_ms=NOON) as browser:
        assert browser.export(start_ms, NOON - 1_000).status_code == 500
        assert browser.export(start_ms, NOON - 9_000).status_code == 200
    assert lengths[TooYoung.SHORT] < NOON - 8_000
    assert NOON - 2_000 < lengths[TooYoung.COMPLETE] < NOON


@pytest.mark.parametrize(("channel", "size"), [(0, (640, 360)), (1, (320, 180)), (2, (160, 90))])
def test_channels_differ_in_size(browser: Browser, channel: int, size: tuple[int, int]) -> None:
    window = (("camera", FRONT_DOOR.camera_id), ("start", NOON), ("end", NOON + 1_000))
    content = browser.get("video/export", *window, ("channel", channel)).content
    with opened(content) as container:
        video = container.streams.video[0]
        assert (video.width, video.height) == size


@pytest.mark.parametrize(
    "window", [("x", "1"), ("5", "4"), ("1", None)], ids=["no number", "backwards", "no end"]
)
def test_an_invalid_window_is_refused(browser: Browser, window: tuple[str, str | None]) -> None:
    pairs = [("start", window[0]), ("end", window[1])]
    given = [(name, value) for name, value in pairs if value is not None]
    camera = ("camera", SPARROW.camera_id)
    assert browser.get("video/export", camera, *given).status_code == 400


def test_unknown_cameras_and_unadopted_ones_have_no_footage(browser: Browser) -> None:
    unadopted = next(camera for camera in browser.console.cameras if camera.name is None)
    for camera_id in ("nobody", unadopted.camera_id):
        assert browser.export(NOON, NOON + 1_000, camera_id).status_code == 404


def test_prepare_and_download_give_the_same_file_in_two_steps(browser: Browser) -> None:
    camera = ("camera", SPARROW.camera_id)
    window = (("start", NOON), ("end", NOON + 5_000), ("type", "rotating"))
    name = browser.get("video/prepare", camera, *window).json()["fileName"]
    response = browser.get("video/download", camera, ("filename", name))
    assert response.content == browser.export(NOON, NOON + 5_000).content
    early = browser.get("video/prepare", camera, ("start", 1_000), ("end", 2_000))
    assert early.status_code == 404
    assert early.headers["X-Error-Code"] == "kRecordingNotFound"


def test_every_export_leaves_a_row_in_the_event_list() -> None:
    with logged_in(now_ms=NOON + 60_000) as browser:
        window = (("start", NOON), ("end", NOON + 120_000), ("types", "videoExported"))
        before = len(browser.get("events", *window).json())
        browser.export(NOON, NOON + 5_000)
        assert len(browser.get("events", *window).json()) == before + 1


def test_older_footage_may_be_kept_in_another_format() -> None:
    camera = replace(
        SMALL,
        footage=FootageFormat(width=320, height=180, fps=10),
        spans=(FormatSpan(0, NOON, FootageFormat(width=160, height=90, fps=5)),),
    )
    with logged_in() as browser:
        browser.console.add_camera(camera)
        sizes = []
        for start_ms in (NOON - 60_000, NOON):
            content = browser.export(start_ms, start_ms + 3_000, camera.camera_id).content
            with opened(content) as container:
                video = container.streams.video[0]
                sizes.append((video.width, video.height))
    assert sizes == [(160, 90), (320, 180)]


def test_hevc_footage_can_be_read() -> None:
    content = exported(FootageFormat(width=320, height=180, fps=5, codec=VideoCodec.HEVC))
    with opened(content) as container:
        assert container.streams.video[0].codec_context.name == "hevc"
    seen = instants(content)
    assert None not in seen
    assert seen == sorted(seen, key=lambda instant_ms: instant_ms or 0)


@pytest.mark.parametrize("first", [True, False])
def test_audio_may_come_first_and_may_be_longer(*, first: bool) -> None:
    content = exported(
        FootageFormat(width=160, height=90, fps=2, audio=Audio.AAC_LONGER, audio_first=first)
    )
    with opened(content) as container:
        kinds = [stream.type for stream in container.streams]
        ends = {
            stream.type: float((stream.duration or 0) * (stream.time_base or 0))
            for stream in container.streams
        }
        heard = sum(frame.samples for frame in container.decode(audio=0))
    assert kinds == (["audio", "video"] if first else ["video", "audio"])
    assert 2.5 < ends["audio"] - ends["video"] < 3.5
    assert heard / 16_000 == pytest.approx(ends["audio"], abs=0.1)


def test_full_range_is_declared() -> None:
    content = exported(FootageFormat(width=320, height=180, fps=2, full_range=True))
    with opened(content) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuvj420p"
    assert None not in instants(content)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_rotated_recording_is_upright_after_the_players_turn(degrees: int) -> None:
    content = exported(FootageFormat(width=320, height=192, fps=2, rotation_degrees=degrees))
    transpose = {90: ["clock"], 180: ["clock", "clock"], 270: ["cclock"]}[degrees]
    with opened(content) as container:
        video = container.streams.video[0]
        graph = av.filter.Graph()
        nodes = [graph.add_buffer(template=video)]
        nodes += [graph.add("transpose", turn) for turn in transpose]
        graph.link_nodes(*nodes, graph.add("buffersink")).configure()
        seen = []
        for frame in container.decode(video):
            assert frame.rotation % 360 == (360 - degrees) % 360
            graph.push(frame)
            upright = graph.pull()
            assert isinstance(upright, av.VideoFrame)
            seen.append(instant_of(upright))
    assert None not in seen
    assert len(seen) > 10


def test_the_time_between_frames_may_vary() -> None:
    frames = shown(exported(FootageFormat(width=160, height=90, fps=5, uneven=True)))
    distances = {later[0] - former[0] for former, later in pairwise(frames)}
    assert len(distances) > 5
    first = frames[0][1] or 0
    assert all(instant_ms == first + media for media, instant_ms in frames)


def test_a_big_clip_is_sent_without_being_held_in_memory() -> None:
    size = 200 << 20
    with logged_in(Behaviour(grow_exports_to_bytes=size)) as browser:
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        response = browser.export(NOON, NOON + 2_000, stream=True)
        received, last = 0, b""
        for piece in response.iter_content(1 << 20):
            received += len(piece)
            last = piece
        grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    assert int(response.headers["Content-Length"]) == received == size
    assert b"moov" in last
    assert grown_kib < 60 << 10


def test_filler_bytes_do_not_change_the_frames() -> None:
    footage = FootageFormat(width=160, height=90, fps=2)
    content = exported(footage, behaviour=Behaviour(grow_exports_to_bytes=300_000))
    assert len(content) == 300_000
    assert boxes(content) == ["ftyp", "mdat", "moov"]
    assert instants(content) == instants(exported(footage))


def test_an_export_beyond_the_limit_is_refused() -> None:
    with logged_in(Behaviour(max_parallel_exports=1)) as browser:
        console = browser.console
        console.order(Fault(FaultKind.STALL_FIRST))
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(browser.export, NOON, NOON + 1_000)
            console.wait_for_stalls()
            with Browser(console) as second:
                second.session.cookies = browser.session.cookies
                assert second.export(NOON, NOON + 1_000).status_code == 503
            console.release()
            assert waiting.result().status_code == 200
        assert console.busiest_parallel_exports == 2
        console.forget_requests()
        assert console.requests == ()


def test_requests_are_recorded(browser: Browser) -> None:
    browser.export(NOON, NOON + 1_000)
    login, export = browser.console.requests
    assert (login.method, login.endpoint, login.status) == ("POST", "login", 200)
    assert export.endpoint == "export"
    assert export.value("start") == str(NOON)
    assert export.user_agent.startswith("python-requests")
    assert export.session_id
    assert browser.console.exports == (export,)


def test_two_cameras_have_names_that_differ_in_case_only(console: SimulatedConsole) -> None:
    names = [camera.name for camera in console.cameras]
    assert {"Garage", "garage", None, 'Yard / Back: "A"*?'} <= set(names)
    assert all(isinstance(camera, SimulatedCamera) for camera in console.cameras)


@pytest.mark.parametrize("instant", ["-1", "99999999999999999999", "1e3"])
def test_instants_beyond_any_date_are_refused(browser: Browser, instant: str) -> None:
    camera = ("camera", SPARROW.camera_id)
    assert browser.get("video/export", camera, ("start", instant), ("end", NOON)).status_code == 400
    assert browser.get("events", ("start", instant), ("end", NOON)).status_code == 400


def test_there_is_no_footage_of_the_future(browser: Browser) -> None:
    assert browser.export(10**13, 10**13 + 5_000).status_code == 404
