import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import pytest

from tests.settings.loading import load, refusal, write_config
from upvs_tasks.settings import exposed_files

PASSWORD = "hunter2-correct-horse"


@pytest.mark.parametrize("written", [PASSWORD, [PASSWORD], {"of": PASSWORD}])
def test_a_password_in_the_config_is_refused_and_not_repeated(
    config: Path, written: object
) -> None:
    """The sentence ends up in terminals and logs of others."""
    text = f"password = {orjson.dumps(written).decode()}\n".replace(":", "=")
    config.write_text(text, encoding="utf-8")

    sentence = refusal(config_path=config)

    assert sentence.startswith("password does not belong into config.toml or the command line")
    assert "UPVS_PASSWORD" in sentence
    assert "UPVS_PASSWORD_FILE" in sentence
    assert PASSWORD not in sentence


def test_a_password_as_a_variable_is_refused_and_not_repeated() -> None:
    """Everyone on the machine can read a command line."""
    for sentence in (
        refusal({"camera": "Door", "password": PASSWORD}),
        refusal(environment={"UPVS_password": PASSWORD}),
    ):
        assert sentence.startswith("password does not belong into config.toml or the command line")
        assert PASSWORD not in sentence


def test_a_misspelt_password_is_not_repeated(config: Path) -> None:
    """The value of a name that is none is nobody's business."""
    write_config(config, {"passwort": PASSWORD})

    for sentence in (
        refusal(config_path=config),
        refusal({"passwd": PASSWORD}),
        refusal(environment={"UPVS_PASSWORT": PASSWORD}),
    ):
        assert PASSWORD not in sentence


def test_a_password_without_quotes_is_not_repeated(config: Path) -> None:
    """What cannot be read as TOML may hold anything."""
    config.write_text(f"password = {PASSWORD}\n", encoding="utf-8")

    assert PASSWORD not in refusal(config_path=config)


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"secret", "secret"),
        (b"secret\n", "secret"),
        (b"secret\r\n", "secret"),
        (b"secret\n\n", "secret"),
        (b"secret\r\n\r\n", "secret"),
        (b"\xef\xbb\xbfsecret\r\n", "secret"),
        (b"two\nlines\n", "two\nlines"),
        (b" secret \n", " secret "),
        (b"\n", ""),
        (b"", ""),
        ("pässwörd 猫\n".encode(), "pässwörd 猫"),
    ],
)
def test_a_password_file_holds_the_password_and_may_end_its_line(
    tmp_path: Path, content: bytes, password: str
) -> None:
    """Editors add newlines and a byte order mark; the rest may be part of the password."""
    file = tmp_path / "secret"
    file.write_bytes(content)

    assert load({"password_file": str(file)}).password == password


@pytest.mark.parametrize("name", ["totp_secret", "one_time_code"])
def test_the_file_of_any_secret_may_come_from_any_editor(tmp_path: Path, name: str) -> None:
    """As that of the password."""
    file = tmp_path / "secret"
    file.write_bytes(b"\xef\xbb\xbfsecret\r\n\r\n")

    loaded = load(environment={f"UPVS_{name.upper()}_FILE": str(file)})

    assert getattr(loaded, name) == "secret"


def test_a_password_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Absent, a folder, or not text: each in a sentence with its name."""
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")

    for path in (tmp_path / "absent", tmp_path, binary):
        assert f"password_file {path} cannot be read" in refusal({"password_file": str(path)})


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    """A file with a password of its own."""
    path = tmp_path / "secret"
    path.write_text("from the file\n")
    return path


def test_the_environments_password_goes_before_a_file(config: Path, password_file: Path) -> None:
    """The file is not even looked at."""
    environment = {"UPVS_PASSWORD": PASSWORD}
    write_config(config, {"password_file": str(password_file)})
    absent = {"UPVS_PASSWORD": PASSWORD, "UPVS_PASSWORD_FILE": str(password_file / "absent")}

    assert load(config_path=config).password == "from the file"
    assert load(config_path=config, environment=environment).password == PASSWORD
    assert load(environment=absent).password == PASSWORD


def test_a_file_that_is_named_on_the_command_line_goes_before_the_environment(
    password_file: Path,
) -> None:
    """What was asked for last counts."""
    environment = {"UPVS_PASSWORD": PASSWORD}

    loaded = load({"password_file": str(password_file)}, environment=environment)

    assert loaded.password == "from the file"


def test_a_password_that_is_handed_over_goes_before_all(password_file: Path) -> None:
    """``upvs --password``, which the specification wants."""
    environment = {"UPVS_PASSWORD": "from the environment"}

    loaded = load({"password_file": str(password_file)}, password=PASSWORD, environment=environment)

    assert loaded.password == PASSWORD


def test_the_password_file_is_not_opened_where_a_password_is_handed_over(tmp_path: Path) -> None:
    """It may be gone: nothing depends on it."""
    assert load({"password_file": str(tmp_path / "absent")}, password=PASSWORD).password == PASSWORD


def test_settings_do_not_show_their_password() -> None:
    """Whoever prints or logs them gives nothing away."""
    loaded = load(password=PASSWORD)

    assert PASSWORD not in repr(loaded)
    assert PASSWORD not in f"{loaded} {loaded!s}"


@pytest.mark.parametrize("name", ["password", "totp_secret", "one_time_code"])
def test_a_secret_comes_from_the_environment_or_from_a_file(name: str, secret_file: Path) -> None:
    """The environment goes before the file."""
    variable = f"UPVS_{name.upper()}"

    assert getattr(load(environment={variable: "said"}), name) == "said"
    in_file = {f"{variable}_FILE": str(secret_file)}
    assert getattr(load(environment=in_file), name) == "from-a-file"
    assert getattr(load(environment=in_file | {variable: "said"}), name) == "said"
    assert getattr(load(), name) == ""


@pytest.mark.parametrize("name", ["totp_secret", "one_time_code"])
def test_no_secret_is_taken_from_where_others_can_read_it(name: str) -> None:
    """And what was given is not repeated."""
    sentence = refusal({name: "JBSWY3DP"})

    assert sentence.startswith(f"{name} does not belong into config.toml or the command line")
    assert "JBSWY3DP" not in sentence


def test_secrets_are_in_no_representation() -> None:
    """Not even of the whole settings."""
    secrets = {
        "UPVS_PASSWORD": "canary-1",
        "UPVS_TOTP_SECRET": "canary-2",
        "UPVS_ONE_TIME_CODE": "canary-3",
    }
    assert "canary" not in repr(load(environment=secrets))


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder into which everybody may look."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="the mode of a file says nothing here")
def test_a_file_of_a_secret_that_others_can_read_is_found(public_folder: Path) -> None:
    """Whichever secret it is, and however the file was named."""
    password, totp = public_folder / "password", public_folder / "totp"
    for path in (password, totp):
        path.write_text("secret", encoding="utf-8")
        path.chmod(0o644)
    environment = {"UPVS_TOTP_SECRET_FILE": str(totp)}
    settings = load({"password_file": str(password)}, environment=environment)

    assert exposed_files(settings, environment) == [password, totp]

    password.chmod(0o640)
    assert exposed_files(settings, environment) == [totp]
    public_folder.chmod(0o700)
    assert exposed_files(settings, environment) == []
