import datetime as dt
from pathlib import Path

from tests.settings.loading import load


def test_a_toml_date_is_a_date(tmp_path: Path) -> None:
    """Without quotes it has a type of its own in TOML."""
    config = tmp_path / "config.toml"
    config.write_text("date = 2024-01-15\n", encoding="utf-8")

    assert load(config_path=config).date == dt.date(2024, 1, 15)
