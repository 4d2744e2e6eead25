"""Several processes that serve one address, each with an event loop, connections and caches of its own.

They are forks of one that has imported and built everything, so that each is there at once and shares its memory, and
accepts the confirmations that another gave. Each listens on a socket of its own, among which Linux distributes new
connections: on a shared one, whoever wakes first takes all that wait.
"""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.process import BaseProcess

from starlette.types import ASGIApp
from uvicorn import Config, Server

from app.web.logs import write_logs
from app.web.serving import configure

CAN_FORK = "fork" in multiprocessing.get_all_start_methods()
LOOKS_EVERY_SECONDS = 1
"""For its parent, so that a worker that has lost it ends."""
PAUSE_SECONDS = 0.2
"""Before a worker is replaced, so that one that cannot live does not occupy a processor with its dying."""
WAKING = (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM)

log = logging.getLogger("gateway.workers")


def serve_together(app: ASGIApp, host: str, port: int, workers: int) -> None:
    """Serve with so many processes until interrupted; one that dies is replaced. To be called before any has a loop."""
    looking = {"callback_notify": partial(stop_when_orphaned, os.getpid()), "timeout_notify": LOOKS_EVERY_SECONDS}
    config = configure(app, host, port, **looking)
    with config.bind_socket() as reserved:
        supervise(workers, partial(fork, partial(work, config, reserved)))


def supervise(count: int, start: Callable[[], BaseProcess]) -> None:
    """Keep so many workers alive until interrupted; return when all have come to their end."""
    signal.signal(signal.SIGCHLD, lambda *_: None)  # what is ignored may not be waited for
    signal.pthread_sigmask(signal.SIG_BLOCK, WAKING)
    workers = [start() for _ in range(count)]
    while signal.sigwait(WAKING) == signal.SIGCHLD:
        workers = [each if each.is_alive() else replace(each, start) for each in workers]
    for each in workers:
        each.terminate()
    for each in workers:
        each.join()


def replace(dead: BaseProcess, start: Callable[[], BaseProcess]) -> BaseProcess:
    """Another worker in the place of one that died."""
    log.error("worker died", extra={"pid": dead.pid, "exitcode": dead.exitcode})
    time.sleep(PAUSE_SECONDS)
    return start()


def fork(target: Callable[[], None]) -> BaseProcess:
    """A process that does this, as a copy of this one."""
    process = multiprocessing.get_context("fork").Process(target=target)
    process.start()
    return process


def work(config: Config, reserved: socket.socket) -> None:
    """What a worker does: serve until it is told to stop."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WAKING)
    try:
        with suppress(KeyboardInterrupt):  # uvicorn raises it again once everything is closed
            Server(config).run([own_socket(reserved)])
    finally:
        write_logs()  # a copy of a process ends without what is done at the end of one


def own_socket(reserved: socket.socket) -> socket.socket:
    """A socket beside those of the other workers, where the system distributes connections among them."""
    if sys.platform != "linux":
        return reserved
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # only now: nobody else got this far
    own = socket.socket(reserved.family)
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        own.setsockopt(socket.SOL_SOCKET, option, 1)
    own.bind(reserved.getsockname())
    return own


async def stop_when_orphaned(parent: int) -> None:
    """A worker whose parent was killed would go on with nobody to replace or to stop it, and hold the address."""
    if os.getppid() != parent:
        signal.raise_signal(signal.SIGTERM)
