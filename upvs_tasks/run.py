"""One run, from its first task to its exit code."""

import logging
from contextlib import ExitStack
from threading import Lock, Semaphore

from upvs_tasks import durable, signals
from upvs_tasks.errors import SettingsError, UpvsError, UsageError
from upvs_tasks.output import run_log
from upvs_tasks.output.progress import Terminal
from upvs_tasks.phases import report
from upvs_tasks.phases.clip_store import ClipStore
from upvs_tasks.phases.context import Connection, Context, Progress
from upvs_tasks.redaction import Redactor
from upvs_tasks.settings import Settings, withhold_secrets

log = logging.getLogger(__name__)


class Run:
    """Holds the folder, the log and the console's session while tasks are at work."""

    def __init__(self, settings: Settings, *, verbose: bool = False) -> None:
        self.terminal = Terminal()
        self._settings = settings
        self._verbose = verbose
        self._resources = ExitStack()
        secrets = (settings.password, settings.totp_secret, settings.one_time_code)
        self._redactor = Redactor(secrets)
        self._connection = Connection(settings, self._redactor)
        self._lock = Lock()
        self._bytes_received = 0
        self._clips = (0, 0)
        self._exit_code = 0
        self.job = self._job()

    def _job(self) -> Context | None:
        """The camera and day; None while they are not said, which only a run minds."""
        try:
            layout = self._settings.layout()
        except SettingsError:
            return None
        progress = Progress(self._on_bytes, self._on_frames)
        return Context(
            settings=self._settings,
            layout=layout,
            inventory=ClipStore(layout),
            connection=self._connection,
            rendering=Semaphore(self._settings.renders_at_once),
            progress=progress,
        )

    def begin(self, *, asks_console: bool) -> None:
        """Make sure that the run can be carried out, and that nobody else is at it.

        Raises SettingsError before anything is written, FolderBusyError, or StorageError.
        """
        layout = self._settings.layout()
        if asks_console:
            self._settings.check_access()
        withhold_secrets()
        self._resources.enter_context(durable.holding(layout.lock))
        for folder in layout.own_folders:
            durable.sweep(folder)
        settings = self._settings
        handler = run_log.start(layout.run_log, self._redactor, verbose=self._verbose)
        self._resources.callback(run_log.stop, handler)
        self._resources.callback(self._connection.close)
        self._resources.enter_context(signals.heeded())
        log.info("run begins", extra={"out_dir": str(layout.out_dir)})
        if asks_console and settings.is_demo:
            self.terminal.tell("demo", "the embedded console stands in for a real one")
        elif asks_console and settings.tls_insecure:
            self.terminal.warn("WARNING: the console's certificate is not checked (tls_insecure)")

    def fail(self, error: UpvsError) -> None:
        """Remember the gravest thing that happened; 3 (usage) before 2 (access) before 1."""
        with self._lock:
            self._exit_code = max(self._exit_code, error.exit_code)

    def count_clips(self, done: int, total: int) -> None:
        """How many clips are looked after already, for the bar."""
        self._clips = (done, total)
        self._show_fetch()

    def count_segments(self, done: int, total: int) -> None:
        """How many segments are rendered already, for the bar."""
        self.terminal.work("render", done=done, total=total, detail="segments")

    def tell_rendered(self, rendered: int, total: int) -> None:
        """How much there was to render."""
        if total:
            sentence = f"{rendered} of {total} segments" if rendered else f"{total} segments kept"
            self.terminal.tell("render", sentence)

    def tell_fetched(self, asked_for: int, total: int) -> None:
        """How much there was to download."""
        if asked_for:
            sentence = (
                f"{asked_for} of {total} clips asked for, {self._bytes_received / 1e6:.1f} MB"
            )
        else:
            sentence = f"{total} clips up to date" if total else "no clips"
        self.terminal.tell("fetch", sentence)

    def end(self, *, clip_names: frozenset[str], film_wanted: bool) -> int:
        """Tell what became of the clips that were asked for, and return the exit code."""
        self.terminal.end_work()
        if self.job is not None and self._exit_code <= 1 and (clip_names or film_wanted):
            self._account(self.job, clip_names, film_wanted=film_wanted)
        asked = self._connection.usage()
        if asked is not None:
            self.terminal.tell("console", asked.sentence())
        log.info("run ends", extra={"exit_code": self._exit_code, "console": str(asked)})
        self._resources.close()
        return self._exit_code

    def break_off(self, what_happened: str) -> None:
        """End at once: every file is whole or absent, so the next run goes on from here."""
        self.terminal.end_work()
        self.terminal.warn(f"{what_happened}: run again to go on from here")
        log.info("run broken off", extra={"reason": what_happened})
        self._resources.close()

    def _account(self, job: Context, clip_names: frozenset[str], *, film_wanted: bool) -> None:
        account = report.run(job)
        if account is None:
            return
        known = {entry.name for entry in account.index.entries}
        for stranger in sorted(clip_names - known):
            self.fail(UsageError())
            self.terminal.warn(f"there is no clip {stranger}: doit list --all names them")
        is_damaged = film_wanted and bool(account.damages)
        may_heal = {entry.name for entry in account.missing if not entry.standing.is_settled}
        if is_damaged or may_heal & clip_names:
            self.fail(UpvsError())
        for line in account.lines(film_wanted=film_wanted):
            self.terminal.tell("report", line)

    def _on_bytes(self, count: int) -> None:
        with self._lock:
            self._bytes_received += count
        self._show_fetch()

    def _show_fetch(self) -> None:
        done, total = self._clips
        detail = f"clips, {self._bytes_received / 1e6:.0f} MB"
        self.terminal.work("fetch", done=done, total=total, detail=detail)

    def _on_frames(self, done: int, total: int) -> None:
        self.terminal.work("timelapse", done=done, total=total, detail="frames")
