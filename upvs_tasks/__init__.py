"""One day of one UniFi Protect camera as one timelapse of about ten minutes.

Where to look:

    graph       the tasks, what each waits for and when it is stale; all of doit is here
    reporter    what a run tells on the terminal, and its exit code
    run         one run: the folder's lock, the log, the console's session, the exit code
    cli         `upvs`, a face over the same graph
    settings    every setting, declared once; config.toml, UPVS_* and name=value become one value
    phases      one module a task: read, decide, write
    model       values and decisions, nothing else: day, event, clip, index, speed, plan
    console     the UniFi Protect console: all of HTTP
    media       sample tables, ffmpeg, films: all codecs and processes
    durable     files that are whole or absent
    journal     logs/run.log, without secrets
    errors      everything that can go wrong, as a tree
    simulator   a console on your own machine; a separate program
"""
