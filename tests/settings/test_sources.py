"""Where settings come from, which place wins, and what is no setting."""

from pathlib import Path

import pytest

from tests.settings.loading import NO_CONFIG, load, refusal, write_config
from upvs_tasks import settings
from upvs_tasks.errors import SettingsError
from upvs_tasks.settings import Settings

REPOSITORY = Path(__file__).parents[2]


def test_a_wrong_value_that_is_overruled_does_no_harm(config: Path) -> None:
    """Only what counts is judged."""
    write_config(config, {"crf": 99})

    assert load({"crf": "18"}, config_path=config, environment={"UPVS_CRF": "98"}).crf == 18


def test_the_environment_of_the_process_counts_where_no_other_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As for everyone who exports a variable."""
    monkeypatch.setenv("UPVS_CRF", "31")
    monkeypatch.setenv("UPVS_PASSWORD", "secret")

    loaded = settings.load(config_path=NO_CONFIG, variables={})

    assert (loaded.crf, loaded.password) == (31, "secret")


def test_variables_of_other_programs_are_let_be() -> None:
    """So are those that tell our own tests of a real console."""
    environment = {"PATH": "/bin", "CRF": "99", "UPVSX": "1", "UPVS_LIVE_HOST": "192.168.1.1"}

    assert load(environment=environment) == Settings()


def test_a_refusal_says_where_the_value_was_found(config: Path) -> None:
    """So that nobody looks for it in the wrong place."""
    write_config(config, {"crf": 99})

    assert refusal(config_path=config).startswith("crf in config.toml is 99, but it must")
    assert refusal(environment={"UPVS_CRF": "99"}).startswith("UPVS_CRF is '99', but it must")
    assert refusal({"crf": "99"}).startswith("crf is '99', but it must")


def test_one_s_own_file_wins_over_the_program_s(config: Path) -> None:
    """And loses against the environment."""
    write_config(config, {"crf": 20, "height": 720, "camera": "Front Door"})
    own = write_config(config.with_name("upvs.toml"), {"crf": 25, "camera": ""})

    loaded = load(config_path=config, own_path=own)

    assert (loaded.crf, loaded.height, loaded.camera) == (25, 720, "")
    assert load(config_path=config, own_path=own, environment={"UPVS_CRF": "30"}).crf == 30
    write_config(own, {"crf": 99})
    with pytest.raises(SettingsError, match=r"^crf in upvs\.toml is 99"):
        load(config_path=config, own_path=own)


def test_git_does_not_know_one_s_own_file() -> None:
    """So that a newer version of the program is never in its way."""
    patterns = (REPOSITORY / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert settings.OWN_NAME in patterns
    assert settings.CONFIG_NAME not in patterns


def test_a_wrong_timezone_is_refused_with_its_place(config: Path) -> None:
    """Whether a date depends on it or not."""
    write_config(config, {"timezone": "Nowhere/Atlantis"})

    for variables in ({}, {"date": "today"}):
        with pytest.raises(SettingsError, match=r"^timezone in config\.toml is 'Nowhere/Atlantis'"):
            load(variables, config_path=config)


@pytest.mark.parametrize("name", ["cfr", "", "CRF", "tls-insecure", "paßword", "console"])
def test_an_unknown_name_is_refused_with_its_place(config: Path, name: str) -> None:
    """A misspelled setting is no setting at its default."""
    config.write_text(f'"{name}" = 1\n', encoding="utf-8")

    shown = name or repr(name)
    assert refusal(config_path=config).startswith(f"{shown} in config.toml is no setting; ")
    assert refusal({name: "1"}).startswith(f"{shown} is no setting; ")
    assert refusal({name: "1"}).endswith("all are printed by python -m upvs_tasks.settings")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("cfr", ["crf"]),
        ("tls-insecure", ["tls_insecure"]),
        ("target", ["target_duration", "start"]),
        ("user", ["username"]),
        ("fps", ["output_fps"]),
        ("type", ["event_types", "smart_types"]),
        ("wholly_other", []),
    ],
)
def test_the_nearest_names_come_first(name: str, nearest: list[str]) -> None:
    """As they would be written in the same place."""
    variables = [f"UPVS_{each.upper()}" for each in nearest]
    for names, sentence in (
        (nearest, refusal({name: "1"})),
        (variables, refusal(environment={f"UPVS_{name.upper()}": "1"})),
    ):
        said = f"is no setting; the nearest: {', '.join(names)}; all are printed"
        assert (said if names else "is no setting; all are printed") in sentence


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("date = 2024-01-15T10:00:00", "date in config.toml is 2024-01-15 10:00:00, but it must"),
        ("crf = 2024-01-15", "crf in config.toml is 2024-01-15, but it must"),
        ("crf = 10:00:00", "crf in config.toml is 10:00:00, but it must"),
        ("crf = true", "crf in config.toml is true, but it must"),
        ("crf = 1.5", "crf in config.toml is 1.5, but it must"),
        ("crf = [1, 2]", "crf in config.toml is [1, 2], but it must"),
        ('crf = ["a", 10:00:00]', 'crf in config.toml is ["a", "10:00:00"], but it must'),
        ("crf = {a = 1}", "crf in config.toml is a table, but it must"),
        ('crf = "high"', "crf in config.toml is 'high', but it must"),
    ],
)
def test_a_value_is_shown_as_it_was_written(config: Path, line: str, shown: str) -> None:
    """And not as Python would."""
    config.write_text(f"{line}\n", encoding="utf-8")

    assert refusal(config_path=config).startswith(shown)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"crf = 1\ncamera = Front Door\n", "text has to be in quotes"),
        (b"host = 192.168.1.1\n", "text has to be in quotes"),
        ("camera = 'Küche'\n".encode("latin-1"), "it is not in UTF-8; save it as UTF-8"),
        ("camera = 'Küche'\n".encode("utf-16"), "it is not in UTF-8; save it as UTF-8"),
    ],
)
def test_what_is_wrong_with_a_config_is_said(config: Path, content: bytes, words: str) -> None:
    config.write_bytes(content)

    sentence = refusal(config_path=config)
    assert sentence.startswith("config.toml cannot be read")
    assert words in sentence
    assert "codec" not in sentence


def test_a_password_file_of_another_encoding_is_said(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes("geheim-ü\n".encode("latin-1"))

    sentence = refusal({"password_file": str(file)})
    assert "it is not in UTF-8" in sentence
    assert "geheim" not in sentence


def test_a_password_file_that_is_not_there_is_said_without_numbers(tmp_path: Path) -> None:
    file = tmp_path / "absent"

    assert refusal({"password_file": str(file)}) == (
        f"password_file {file} cannot be read: No such file or directory"
    )


def test_an_unknown_variable_of_ours_is_refused() -> None:
    """By the name under which it stands in the environment."""
    assert refusal(environment={"UPVS_CFR": "18"}).startswith("UPVS_CFR is no setting")


def test_a_section_of_the_config_is_refused(config: Path) -> None:
    """Settings stand side by side, and one within a section would go unseen."""
    config.write_text('[console]\nhost = "192.168.1.1"\n', encoding="utf-8")

    assert refusal(config_path=config).startswith("console in config.toml is no setting")


@pytest.mark.parametrize(
    "content", [b"crf = ", b"crf = 1\ncrf = 2\n", b"\xff\xfe", b"host = 192.168.1.1\n"]
)
def test_a_config_that_is_no_toml_is_refused(config: Path, content: bytes) -> None:
    """In a sentence, too."""
    config.write_bytes(content)

    assert refusal(config_path=config).startswith("config.toml cannot be read")


@pytest.mark.parametrize(
    "content",
    [
        b'\xef\xbb\xbfcrf = 31\nhost = "demo"\n',
        b'crf = 31\r\nhost = "demo"\r\n',
        b'\xef\xbb\xbfcrf = 31\r\nhost = "demo"\r\n',
    ],
    ids=["byte order mark", "CRLF", "both"],
)
def test_a_config_may_come_from_any_editor(config: Path, content: bytes) -> None:
    """Those of Windows put a byte order mark at the start, and end lines with two characters."""
    config.write_bytes(content)

    loaded = load(config_path=config)

    assert (loaded.crf, loaded.host) == (31, "demo")


def test_a_folder_in_place_of_the_config_is_refused(tmp_path: Path) -> None:
    """As anything else that is there and cannot be read."""
    assert tmp_path.name in refusal(config_path=tmp_path)


def test_any_setting_may_lie_in_a_file(secret_file: Path) -> None:
    """As container platforms hand out what they keep."""
    assert load(environment={"UPVS_USERNAME_FILE": str(secret_file)}).username == "from-a-file"
    assert "UPVS_HOST_FILE" in refusal(environment={"UPVS_HOST_FILE": "/nowhere/at/all"})


def test_the_value_of_a_variable_goes_before_its_file(secret_file: Path) -> None:
    """As with secrets, and whichever was set first."""
    said, in_file = {"UPVS_HOST": "said"}, {"UPVS_HOST_FILE": str(secret_file)}

    assert load(environment=said | in_file).host == "said"
    assert load(environment=in_file | said).host == "said"


def test_the_file_of_a_setting_may_lie_in_the_home_folder(
    secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And may have been written with any editor."""
    monkeypatch.setenv("HOME", str(secret_file.parent))
    secret_file.write_bytes(b"\xef\xbb\xbf31\r\n\r\n")

    assert load(environment={"UPVS_CRF_FILE": f"~/{secret_file.name}"}).crf == 31


def test_a_variable_that_names_no_file_is_refused_by_its_name() -> None:
    """An empty one is a slip in whatever set it."""
    for variable in ("UPVS_CRF_FILE", "UPVS_HOST_FILE"):
        assert (
            refusal(environment={variable: ""}) == f"{variable} is empty, but it must name a file"
        )


def test_the_names_of_uiprotect_count_where_nothing_else_is_said(tmp_path: Path) -> None:
    """An empty value in config.toml says nothing."""
    theirs = {
        "UFP_ADDRESS": "10.0.0.2",
        "UFP_PORT": "7443",
        "UFP_USERNAME": "theirs",
        "UFP_PASSWORD": "their-password",
        "UFP_SSL_VERIFY": "false",
    }
    empty = write_config(tmp_path / "empty.toml", {"host": "", "username": ""})
    loaded = load(config_path=empty, environment=theirs)
    assert (loaded.host, loaded.username) == ("10.0.0.2:7443", "theirs")
    assert (loaded.password, loaded.tls_insecure) == ("their-password", True)

    ours = write_config(tmp_path / "ours.toml", {"host": "demo", "tls_insecure": False})
    loaded = load(config_path=ours, environment=theirs | {"UPVS_PASSWORD": "ours"})
    assert (loaded.host, loaded.tls_insecure, loaded.password) == ("demo", False, "ours")
    assert load({"username": "said"}, environment=theirs).username == "said"


@pytest.mark.parametrize("pin", [{"tls_fingerprint": "ab" * 32}, {"ca_file": "console.pem"}])
def test_a_pinned_certificate_is_checked_whatever_uiprotect_was_told(pin: dict[str, str]) -> None:
    """It takes no certificate of a console's own, so most have switched its check off."""
    assert not load(pin, environment={"UFP_SSL_VERIFY": "false"}).tls_insecure
    assert load(pin | {"tls_insecure": "yes"}).tls_insecure


def test_a_switch_of_uiprotect_that_is_none_is_refused() -> None:
    """By its own name."""
    assert refusal(environment={"UFP_SSL_VERIFY": "maybe"}).startswith("UFP_SSL_VERIFY is 'maybe'")
