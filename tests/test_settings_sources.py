"""Where settings may come from besides config.toml, UPVS_NAME and name=value."""

from pathlib import Path

import pytest

from tests.given import load, refusal, write_config


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    """A file with a value and a newline behind it, as editors leave one."""
    path = tmp_path / "secret"
    path.write_text("from-a-file\n")
    return path


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


def test_any_setting_may_lie_in_a_file(secret_file: Path) -> None:
    """As container platforms hand out what they keep."""
    assert load(environment={"UPVS_USERNAME_FILE": str(secret_file)}).username == "from-a-file"
    assert "UPVS_HOST_FILE" in refusal(environment={"UPVS_HOST_FILE": "/nowhere/at/all"})


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


def test_a_switch_of_uiprotect_that_is_none_is_refused() -> None:
    """By its own name."""
    assert refusal(environment={"UFP_SSL_VERIFY": "maybe"}).startswith("UFP_SSL_VERIFY is 'maybe'")


def test_secrets_are_in_no_representation() -> None:
    """Not even of the whole settings."""
    secrets = {
        "UPVS_PASSWORD": "canary-1",
        "UPVS_TOTP_SECRET": "canary-2",
        "UPVS_ONE_TIME_CODE": "canary-3",
    }
    assert "canary" not in repr(load(environment=secrets))
