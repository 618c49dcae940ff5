"""One day of one UniFi Protect camera as one timelapse of about ten minutes.

Where to look, from the top down; each imports only what stands below it:

    __main__     `upvs`, the same tasks as a program of its own
    cli          its command line
    graph        the table of tasks: what waits for what, and when it is stale
    tasks        a row of that table, and the doit task that it becomes
    doit_access  doit's command line, with our commands
    doit_commands  doit's commands as they are here
    reporter     tells what each task did
    run          one run: lock, log, signals, the account of the day, the exit code
    phases       the tasks at work: read, let the model decide, write
    console      the client of the UniFi Protect console: all of HTTP
    media        sample tables, decoding, encoding, ffmpeg: all of video
    program      its first moments: who listens, and early signals
    output       run.log, and the lines on the terminal
    settings     every setting, declared once, and where its value comes from
    model        values and decisions, nothing else: day, event, clip, speed, plan
    documents    our records as JSON and back, strictly
    lock         keeps other processes out of a folder
    durable      files that are whole or absent
    redaction    takes secrets out of texts
    clock        time and chance, given to whatever needs them
    signals      Ctrl-C, SIGTERM, SIGHUP
    machine      what not every operating system has
    escaping     makes text from outside harmless for a reader
    errors       everything that can go wrong, as a tree, each with its exit code
    simulator    a console on your own machine; a program of its own that shares nothing with us

docs/architecture.md shows the same with all arrows, and three trips through the code.
"""
