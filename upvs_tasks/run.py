"""One run: a context around doit, from the first task that it looks at to the exit code.

What a run promises holds whichever reporter tells of it. The run itself holds the lock, the log and
the signals, keeps secrets from its children, tells what went wrong, gives the account of the day at
the end, and decides the exit code. doit's reporter only tells what each task did.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from threading import Lock, Semaphore

from upvs_tasks import durable, lock, signals
from upvs_tasks.clock import Clock
from upvs_tasks.errors import AccessError, ExitCode, StorageError, UpvsError, UsageError, quoted
from upvs_tasks.output import listener, run_log
from upvs_tasks.output.progress import Terminal, Work
from upvs_tasks.phases import clean, day_folder, render, report, timelapse
from upvs_tasks.phases.clip_store import ClipStore
from upvs_tasks.phases.connection import Connection
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.day_folder import DayFolder
from upvs_tasks.phases.engines import engine_of
from upvs_tasks.phases.film_plan import FilmPlanner
from upvs_tasks.phases.film_program import FilmProgram
from upvs_tasks.redaction import Redactor
from upvs_tasks.settings import Settings, exposed_files, withhold_secrets

log = logging.getLogger(__name__)

_LIST = "scan"
_FETCH = "fetch:"
_FILM = "timelapse"
_DEMO = (
    "the embedded console stands in for a real one; the blocks at the foot of its pictures are the "
    "time, for tests to read"
)
_OF_ALL_TASKS = (AccessError, UsageError, StorageError)


class Run:
    """Holds the folder, the log and the console's session while tasks are at work.

    ``offline_tasks`` are the names of those that need no console, nor does what they wait for.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        offline_tasks: frozenset[str] = frozenset(),
        verbose: bool = False,
    ) -> None:
        self._clock = Clock()
        self.terminal = Terminal(self._clock)
        self.work = Work(self.terminal)
        self._settings = settings
        self._offline_tasks = offline_tasks
        self._verbose = verbose
        self._resources = ExitStack()
        secrets = (settings.password, settings.totp_secret, settings.one_time_code)
        self._redactor = Redactor(secrets)
        listener.hide_secrets(self._redactor.redact)
        self._connection = Connection(settings, self._redactor, self._clock, self._tell_wait)
        self._places = render.places_for(settings)
        self._lock = Lock()
        self._is_going_on = False
        self._is_offline = False
        self._is_film_asked_for = False
        self._has_told_console = False
        self._looked_at: set[str] = set()
        self._told: set[type[UpvsError]] = set()
        self._failed: set[str] = set()
        self._exit_code = ExitCode.WHOLE

    @cached_property
    def context(self) -> Context | None:
        """The camera and day; None while it is not said which, which only a run minds.

        They are what the disk knows of them, until a run begins.
        """
        try:
            return self._context(day_folder.from_disk(self._settings, self._clock))
        except UsageError:
            return None

    def _context(self, folder: DayFolder) -> Context:
        settings = self._settings
        clips, engine = ClipStore(folder.layout, folder.subject), engine_of(settings.engine)
        return Context(
            settings=settings,
            folder=folder,
            clips=clips,
            planner=FilmPlanner(settings, clips, follows_plan=engine.follows_plan),
            connection=self._connection,
            program=FilmProgram(settings, folder.layout, self.note),
            clock=self._clock,
            rendering=Semaphore(settings.renders_at_once),
            places=self._places,
            progress=self.work,
        )

    def run(self, work: Callable[[], int | None], words: Sequence[str]) -> int:
        """Carry out tasks; returns the exit code. Lets through bugs, and what doit itself refuses.

        ``words`` are the tasks and targets that were asked for; none means the default ones.
        """
        self._is_going_on = True
        self._is_film_asked_for = not words or any(_FILM in word for word in words)
        with signals.handled() as received, self._resources:
            try:
                self._check_settings(words)
                with durable.explaining():
                    return self._end(work() or ExitCode.WHOLE, words)
            except UpvsError as error:
                self.note(f"ERROR: {error}")
                self._tell_usage()
                self._log("run ends", exit_code=error.exit_code, reason=str(error))
                return error.exit_code
            except BaseException as error:
                # A signal counts, whatever doit makes of it: its JSON reporter fails on it.
                if received.number is not None:
                    self._break_off(received.in_words)
                    return received.exit_code
                if self._looked_at:
                    self._break_off(f"this is a bug in upvs ({error!r})")
                raise

    def _check_settings(self, words: Sequence[str]) -> None:
        """Raise SettingsError, before anything is written, for a setting that a task will miss."""
        self._settings.check_subject()
        groups = {word.partition(":")[0] for word in words} or {_FILM}
        self._is_offline = groups <= self._offline_tasks
        if not self._is_offline:
            self._settings.check_access()

    def check_day(self) -> None:
        """Raise UsageError where it is not said, or not clear, which camera and day are meant."""
        self._tell_caveat(self._known_folder().caveat)

    def clean(self, work: Callable[[], int | None]) -> int:
        """Delete what tasks have made, unless a run is at work; returns the exit code."""
        try:
            with durable.explaining():
                return self._clean(work)
        except UpvsError as error:
            self.note(f"ERROR: {error}")
            return error.exit_code

    def _clean(self, work: Callable[[], int | None]) -> int:
        folder = self._known_folder()
        self._tell_caveat(folder.caveat)
        if not folder.layout.out_dir.exists():
            return work() or ExitCode.WHOLE
        folder.check()
        with lock.holding(folder.layout.lock) as caveat:
            self._tell_caveat(caveat)
            return work() or ExitCode.WHOLE

    def remove(self, paths: Sequence[Path], *, pretends: bool) -> None:
        """Delete the files that are there, or only tell which."""
        self.terminal.end_summaries()
        out_dir = self._known_folder().layout.out_dir
        self.terminal.tell("clean", clean.remove(out_dir, paths, pretends=pretends))

    def _known_folder(self) -> DayFolder:
        """The folder as far as it is known. Raises UsageError where nobody can tell."""
        if self.context is not None:
            return self.context.folder
        return day_folder.from_disk(self._settings, self._clock)

    def _tell_caveat(self, caveat: str) -> None:
        if caveat:
            self.note(f"NOTE: {caveat}")

    def _tell_of_log(self, reason: str) -> None:
        """Tell that there will be no run.log; all else goes on."""
        self.note(f"ERROR: {reason}; this run goes on without a log")
        self._exit_code = max(self._exit_code, ExitCode.INCOMPLETE)

    def note(self, sentence: str) -> None:
        """Tell something that has to be known, whichever reporter tells of the tasks."""
        self.terminal.warn(self._redactor.redact(sentence))

    def _tell_wait(self, reason: str, longest_secs: float) -> None:
        self.terminal.wait(self._redactor.redact(reason), longest_secs)

    def look_at(self, task_name: str, *, asks_console: bool) -> None:
        """Take notice of a task whose turn has come; the first one begins the run.

        Raises UpvsError where it cannot begin. Does nothing where tasks are only listed.
        """
        if not self._is_going_on:
            return
        if not self._looked_at:
            self._begin()
        if asks_console:
            self._tell_which_console()
        self._looked_at.add(task_name)

    def working_context(self, task_name: str) -> Context:
        """The camera and day, for a task at work. Raises UsageError where no run has begun.

        Before the first work for a film, an ffmpeg must be known that can make it.
        """
        context = self.context
        if context is None or not self._looked_at:
            raise UsageError("tasks are carried out within a run: start it with doit run")
        is_work = self._is_film_asked_for and task_name != _LIST
        if is_work and not timelapse.is_current(context):
            context.program.path()
        return context

    def fail(
        self, task_name: str, error: UpvsError, sentence: str, *, details: Sequence[str] = ()
    ) -> None:
        """Tell why a task failed, and remember the gravest code.

        What concerns all tasks alike, such as a missing permission, is told once.
        """
        with self._lock:
            self._exit_code = max(self._exit_code, error.exit_code)
            self._failed.add(task_name)
            is_told = type(error) in self._told
            self._told |= {type(error)} if isinstance(error, _OF_ALL_TASKS) else set()
        if not is_told:
            self.note(f"ERROR: {task_name}: {sentence}")
        for line in details:
            self.note(line)

    def _begin(self) -> None:
        withhold_secrets()
        self._resources.callback(self._connection.close)
        self._resources.callback(run_log.stop, run_log.hold(verbose=self._verbose))
        context = self._context_of_run()
        layout = context.layout
        self._tell_caveat(self._resources.enter_context(lock.holding(layout.lock)))
        durable.sweep(layout.out_dir, layout.own_names)
        context.clips.forget()  # another run may have ended since the tasks were listed
        handler = run_log.start(
            layout.run_log, self._redactor, self._tell_of_log, verbose=self._verbose
        )
        self._resources.callback(run_log.stop, handler)
        log.info("run begins", extra={"out_dir": str(layout.out_dir)})

    def _context_of_run(self) -> Context:
        """The camera and day once more, now that the console may be asked; writes nothing."""
        known = self.context.folder if self.context else None
        connection = None if self._is_offline else self._connection
        folder = day_folder.for_run(self._settings, known, connection, self._clock)
        self._tell_caveat(folder.caveat)
        if self.context is None or folder != known:
            self.context = self._context(folder)
        return self.context

    def _tell_which_console(self) -> None:
        if self._has_told_console:
            return
        self._has_told_console = True
        if self._settings.is_demo:
            self.terminal.tell("demo", _DEMO)
            return
        for path in exposed_files(self._settings):
            self.note(f"WARNING: others can read {quoted(path)}, which holds a secret: chmod 600")
        if self._settings.tls_insecure:
            self.note("WARNING: the console's certificate is not checked (tls_insecure)")

    def _end(self, doit_code: int, words: Sequence[str]) -> int:
        """Give the account of the run, and return the exit code."""
        self.terminal.end_work()
        if not doit_code and not self._exit_code:
            self._check_found(words)
        if self._exit_code <= ExitCode.INCOMPLETE:
            self._account()
        self._tell_usage()
        # Of doit's own codes only that something failed is known: 2 and 3 mean something else here.
        exit_code = self._exit_code or (ExitCode.INCOMPLETE if doit_code else ExitCode.WHOLE)
        asked = self._connection.usage()
        self._log("run ends", exit_code=exit_code, **(asked.facts() if asked else {}))
        return exit_code

    def _tell_usage(self) -> None:
        if (asked := self._connection.usage()) is not None:
            self.terminal.tell("console", asked.sentence())

    def _check_found(self, words: Sequence[str]) -> None:
        """Raise UsageError for a task that was asked for and that does not exist.

        doit takes any name of a task that is made on the way, such as a clip's, and does nothing.
        """
        for word in words:
            is_target = "/" in word
            if is_target or any(fnmatchcase(name, word) for name in self._looked_at):
                continue
            group, colon, pattern = word.partition(":")
            if colon and "*" in pattern:
                raise UsageError(
                    f"no task matches {word}, since they become known on the way: ask for {group}, "
                    "which is all of them"
                )
            raise UsageError(f"there is no task {word}: doit list --all shows what there is")

    def _account(self) -> None:
        """Tell what became of the clips that were asked for."""
        clip_names = {name[len(_FETCH) :] for name in self._looked_at if name.startswith(_FETCH)}
        is_film_wanted = _FILM in self._looked_at
        is_day_listed = _LIST not in self._failed
        if self.context is None or not (clip_names or is_film_wanted) or not is_day_listed:
            return
        day = report.run(self.context)
        if day is None:
            return
        if day.lacks_something(clip_names, film_wanted=is_film_wanted):
            self._exit_code = max(self._exit_code, ExitCode.INCOMPLETE)
        for line in day.lines(film_wanted=is_film_wanted):
            self.terminal.tell("report", line)

    def _break_off(self, what_happened: str) -> None:
        """End at once: every file is whole or absent, so the next run goes on from here."""
        self.note(f"{what_happened}: run again to go on from here")
        self.terminal.fall_silent()
        self._log("run broken off", reason=what_happened)
        # Python waits for threads before it ends, and they wait for programs: one that was stopped
        # would never end.
        render.stop_all()

    def _log(self, event: str, **facts: object) -> None:
        if self._looked_at:  # or there is no log yet
            log.info(event, extra=facts)
