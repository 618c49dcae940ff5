"""The tasks at work: each reads, lets the model decide, and writes.

A task has the module of its name: ``scan``, ``fetch``, ``manifest``, ``speed``, ``estimate``,
``render``, ``timelapse``, ``verify``. The run gives its account by ``report``. The others are what
several of these use: ``context`` is what each is given, ``connection`` and ``clip_store`` are the
console and the disk, ``film_plan`` is the film before it is made, ``engines`` makes it.
"""
