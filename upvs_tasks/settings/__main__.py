"""Print config.toml as it is shipped."""

import sys

from upvs_tasks.settings.config_file import config_text

sys.stdout.write(config_text())
