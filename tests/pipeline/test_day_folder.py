"""One folder for one camera and one day: which it is, and that no other camera or day gets in."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from zoneinfo import ZoneInfo

import orjson
import pytest

from tests.pipeline.project import Finished, Project
from tests.pipeline.test_upvs import upvs
from tests.sentences import one_line
from upvs_tasks.simulator import SPARROW, Behaviour, SimulatedConsole

# No two of their calendars ever show the same date.
WEST, EAST = "Etc/GMT+12", "Pacific/Kiritimati"


def refusal(ended: Finished, code: int = 3) -> str:
    """The sentence in which a run was refused."""
    assert ended.code == code, ended.output
    [sentence] = [line for line in ended.output.splitlines() if line.startswith("ERROR: ")]
    return one_line(sentence)


def folders(project: Project) -> set[str]:
    """Cameras and days that have a folder."""
    return {
        str(path.relative_to(project.folder / "out")) for path in project.folder.glob("out/*/*")
    }


@pytest.mark.usefixtures("filmed")
@pytest.mark.parametrize("camera", ["sparrow", SPARROW.camera_id, " SPARROW "])
def test_a_camera_has_one_folder_however_it_is_written(
    project: Project, console: SimulatedConsole, camera: str
) -> None:
    before = project.tree()
    again = project.doit("run", "timelapse", f"camera={camera}")

    assert again.code == 0, again.output
    assert folders(project) == {"Sparrow/2024-01-17"}
    assert project.tree() == before
    assert len(console.requests) == 3


@pytest.mark.parametrize("camera", ["sparrow", SPARROW.camera_id])
def test_a_new_folder_has_the_name_of_the_console(project: Project, camera: str) -> None:
    ended = project.doit("run", "scan", f"camera={camera}")

    assert ended.code == 0, ended.output
    assert folders(project) == {"Sparrow/2024-01-17"}
    assert (project.requests("/bootstrap"), project.requests("/auth/login")) == (1, 1)


@pytest.mark.usefixtures("filmed")
@pytest.mark.parametrize("camera", ["sparrow", "Sparrow", SPARROW.camera_id])
def test_a_folder_that_an_earlier_version_named_is_used_as_it_is(
    project: Project, console: SimulatedConsole, camera: str
) -> None:
    (project.folder / "out" / "Sparrow").rename(project.folder / "out" / "sparrow")
    ended = project.doit("run", "fetch", f"camera={camera}")

    assert ended.code == 0, ended.output
    assert folders(project) == {"sparrow/2024-01-17"}
    assert project.exports() == []
    statuses = project.doit("list", "--all", "--status", f"camera={camera}")
    assert "R fetch:" not in statuses.output
    assert "fetch:clip_" in statuses.output
    assert len(console.requests) == 3


@pytest.mark.usefixtures("filmed")
def test_a_camera_that_was_renamed_keeps_the_folder_of_its_day(
    project: Project, console: SimulatedConsole
) -> None:
    console.add_camera(replace(SPARROW, name="Wren"))
    clips = project.clips
    ended = project.doit("run", "fetch", "camera=Wren")

    assert ended.code == 0, ended.output
    assert project.exports() == []
    assert project.clips == clips
    assert folders(project) == {"Sparrow/2024-01-17"}
    assert project.index()["camera_name"] == "Wren"
    assert project.doit("verify", "camera=Wren").code == 0


@pytest.mark.usefixtures("filmed")
def test_a_day_that_lost_its_clip_index_is_the_same_day(project: Project) -> None:
    (project.folder / "out" / "Sparrow").rename(project.folder / "out" / "sparrow")
    (project.folder / "out/sparrow/2024-01-17/manifests/clip_index.json").unlink()
    ended = project.doit("run", "fetch")

    assert ended.code == 0, ended.output
    assert project.exports() == []
    assert folders(project) == {"sparrow/2024-01-17"}


@pytest.mark.parametrize("camera", ["65a0f1c2d3e4b50387000003", "65a0f1c2d3e4b50387000004"])
def test_cameras_of_one_name_have_a_folder_each(project: Project, camera: str) -> None:
    ended = project.doit("run", "scan", f"camera={camera}")

    assert ended.code == 0, ended.output
    [folder] = folders(project)
    assert folder.casefold() == f"garage {camera}/2024-01-17"


@pytest.mark.usefixtures("filmed")
def test_another_camera_does_not_get_the_folder_of_its_namesake(
    project: Project, console: SimulatedConsole
) -> None:
    """A camera was replaced by another one, which got its name."""
    console.add_camera(replace(SPARROW, name="Sparrow, retired"))
    console.add_camera(replace(SPARROW, camera_id="0123456789abcdef01234567"))
    before = project.tree()
    sentence = refusal(project.doit("run", "timelapse"))
    assert SPARROW.camera_id in sentence
    assert "0123456789abcdef01234567" in sentence
    by_id = project.doit("run", "scan", "camera=0123456789abcdef01234567")

    assert by_id.code == 0, by_id.output
    assert folders(project) == {
        "Sparrow/2024-01-17",
        "Sparrow 0123456789abcdef01234567/2024-01-17",
    }
    assert project.tree() == before


@pytest.mark.parametrize(
    ("arguments", "out_dir"),
    [
        (("date=2024-01-16",), "here"),
        (("camera=Driveway",), "here"),
        (("date=2024-01-16",), "here/{camera}"),
        (("camera=Driveway",), "here/{date}"),
    ],
)
@pytest.mark.parametrize("command", [("run", "timelapse"), ("run", "verify"), ("clean",)])
def test_a_folder_of_another_camera_or_day_is_refused(
    project: Project, arguments: tuple[str, ...], out_dir: str, command: tuple[str, ...]
) -> None:
    """And not listed as if it were that of this one."""
    project.configure(out_dir=out_dir)
    first = project.doit("run", "scan")
    assert first.code == 0, first.output
    before = contents(project.folder / "here")

    sentence = refusal(project.doit(*command, *arguments))
    assert "holds 'Sparrow'" in sentence
    assert "on 2024-01-17, not " in sentence
    assert (arguments[0].partition("=")[2]) in sentence
    assert contents(project.folder / "here") == before
    listed = project.doit("list", "--all", "--status", *arguments)
    assert listed.code == 0, listed.output
    assert "fetch:" not in listed.output


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder; the log of the run that was let in is not looked at."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path): path.read_bytes() for path in files}


def test_upvs_keeps_cameras_and_days_apart_below_out(project: Project, tmp_path: Path) -> None:
    here = tmp_path / "here"
    for date in ("2024-01-17", "2024-01-16"):
        ended = upvs(project, here, "scan", "--date", date)
        assert ended.code == 0, ended.output
    never = upvs(project, here, "render", "--date", "2024-01-14")

    assert "run the task scan first" in refusal(never, 1)
    assert sorted(path.name for path in here.glob("*/*")) == ["2024-01-16", "2024-01-17"]


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "words"),
    [
        (("camera=Sparow",), {}, 3, "the nearest is 'Sparrow'"),
        (("camera=garage",), {}, 3, "choose one by id"),
        (("host=http://10.0.0.1",), {}, 3, "http would send"),
        (("ca_file=/nowhere.pem",), {}, 3, "/nowhere.pem"),
        ((), {"UPVS_PASSWORD": "another"}, 2, "password"),
        (("username=mfa",), {"UPVS_TOTP_SECRET": "no base 32!"}, 3, "secret"),
        (("date=2031-01-01",), {}, 3, "2031-01-01 has not begun yet on the console"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_nothing_is_written_before_the_camera_is_known(
    project: Project, arguments: tuple[str, ...], variables: dict[str, str], code: int, words: str
) -> None:
    ended = project.doit("run", "timelapse", *arguments, environment=variables)

    assert words in refusal(ended, code)
    assert not (project.folder / "out").exists()


def test_what_was_never_listed_cannot_be_verified(project: Project) -> None:
    sentence = refusal(project.doit("run", "verify"), 1)

    assert "clip_index.json is absent" in sentence
    assert not (project.folder / "out").exists()


def test_what_was_asked_before_there_was_a_folder_is_in_the_log(project: Project) -> None:
    """A login that has to wait, for example, is told nowhere else."""
    ended = project.doit("run", "scan", "tls_insecure=true")

    assert ended.code == 0, ended.output
    lines = (project.out / "logs" / "run.log").read_bytes().splitlines()
    events = [orjson.loads(line)["event"] for line in lines]
    assert events[:2] == ["certificates are not verified", "run begins"]


@pytest.fixture(params=[(EAST, WEST), (WEST, EAST)], ids=["host ahead", "host behind"])
def abroad(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Project, str, str]]:
    """A console in another zone than its host, so that their calendars differ; and both zones."""
    of_host, of_console = request.param
    with SimulatedConsole(behaviour=Behaviour(timezone=of_console)) as console:
        yield Project(tmp_path / "home", console), of_host, of_console


def yesterday(zone: str) -> str:
    """Yesterday's date in a zone."""
    return (dt.datetime.now(ZoneInfo(zone)).date() - dt.timedelta(days=1)).isoformat()


def test_yesterday_is_the_consoles(abroad: tuple[Project, str, str]) -> None:
    """In a run by its clock, and afterwards, without asking it, as the disk remembers."""
    project, of_host, of_console = abroad
    there = {"TZ": of_host}
    ended = project.doit("run", "scan", "date=yesterday", environment=there)
    assert ended.code == 0, ended.output
    assert folders(project) == {f"Sparrow/{yesterday(of_console)}"}
    assert project.requests("/bootstrap") == 1

    project.console.forget_requests()
    listed = project.doit("list", "--all", "--status", "date=yesterday", environment=there)
    assert "fetch:clip_" in listed.output
    info = project.doit("info", "scan", "date=yesterday", environment=there)
    assert f"out/Sparrow/{yesterday(of_console)}/" in info.output
    assert not project.console.requests


def test_the_setting_timezone_goes_before_the_consoles(abroad: tuple[Project, str, str]) -> None:
    project, of_host, _ = abroad
    environment = {"TZ": of_host, "UPVS_TIMEZONE": "UTC"}
    ended = project.doit("run", "scan", "date=yesterday", environment=environment)

    assert ended.code == 0, ended.output
    assert folders(project) == {f"Sparrow/{yesterday('UTC')}"}


def test_where_nobody_knows_the_consoles_zone_it_is_said(abroad: tuple[Project, str, str]) -> None:
    project, of_host, _ = abroad
    ended = project.doit("run", "verify", "date=yesterday", environment={"TZ": of_host})

    sentence = refusal(ended, 1)
    assert f"yesterday is {yesterday(of_host)} by this computer's clock" in sentence


def test_a_day_that_has_begun_here_but_not_there_is_refused(tmp_path: Path) -> None:
    with SimulatedConsole(behaviour=Behaviour(timezone=WEST)) as console:
        project = Project(tmp_path / "home", console)
        today = dt.datetime.now(ZoneInfo(EAST)).date().isoformat()
        ended = project.doit("run", "scan", f"date={today}", environment={"TZ": EAST})

    assert f"({WEST})" in refusal(ended)
    assert not (project.folder / "out").exists()


@pytest.mark.usefixtures("filmed")
def test_an_archive_of_many_cameras_is_no_hindrance(project: Project) -> None:
    """Broken files of others, and folders that are none of ours, are passed over."""
    for name in ("a", "b*", "[c]"):
        other = project.folder / "out" / name / project.date / "manifests"
        other.mkdir(parents=True)
        (other / "clip_index.json").write_bytes(b"{")
    rmtree(project.folder / "out" / "a" / project.date / "manifests")
    (project.folder / "out" / "a" / project.date / "manifests").write_bytes(b"a file")
    unreadable = project.folder / "out" / "d" / project.date / "manifests" / "clip_index.json"
    unreadable.mkdir(parents=True)
    ended = project.doit("run", "fetch", f"camera={SPARROW.camera_id}")

    assert ended.code == 0, ended.output
    assert project.exports() == []
