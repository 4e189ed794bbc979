"""Being connected to a Ray cluster: addresses, a cluster of this machine alone, and whether the head is still
there.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import socket
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import Any

from ratewarp._checks import RatewarpError, RequestError, refuse, shorten

FORMS = (
    "auto (the cluster that runs on this machine), HOST:PORT (from a machine of the cluster),"
    " ray://HOST:PORT (from any machine) or local:N (N cores of this machine)"
)
INSTALL = "pip install 'ratewarp[cluster]'"
CONNECT_SECONDS = 10.0  # until a machine that does not answer counts as not there
# until the driver gives up a head that is not heard of, and one whose machine refuses to be called
SILENT_SECONDS, GONE_SECONDS = 120.0, 8.0

_LONGEST_FOLDER = 30  # sockets below it must have names of at most 107 bytes
_ALL = "(?s).*"
# read by Ray when it is imported, and by its compiled part: nothing of Ray's own is printed, since the table
# or the JSON of a command goes to stdout
_SETTINGS = {"RAY_DEDUP_LOGS_SKIP_REGEX": _ALL, "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
# how long a head is waited for: that of another machine while a link is cut; one of our own, which ends with
# this process, no longer than its other processes need to end, too
_PATIENCE, _PATIENT, _HASTY = "RAY_gcs_rpc_server_reconnect_timeout_s", "600", "5"


def check_address(address: str, cores: int) -> str:
    """The address of a cluster, if it has a form that is known.

    Raises:
        RequestError: it has not, or is of fewer cores than a worker takes.
        RatewarpError: Ray is not installed.
    """
    if not isinstance(cores, int) or cores < 1:
        refuse("cores", "a whole number of at least 1", cores)
    if not isinstance(address, str) or not re.fullmatch(
        r"auto|local:[1-9]\d{0,3}|(?!local:)(ray://)?([\w.-]+|\[[\da-fA-F:]+\]):\d{1,5}", address
    ):
        refuse("the address of a cluster", FORMS, address)
    if (own := local_cores(address)) and own < cores:
        refuse("the address of a cluster", f"of at least {cores} cores, which a worker takes", address)
    if find_spec("ray") is None:
        raise RatewarpError(f"a cluster needs the package ray: {INSTALL}")
    if address.startswith("ray://") and find_spec("grpc") is None:
        raise RatewarpError(f"an address that begins with ray:// needs the package grpcio: {INSTALL}")
    return address


def local_cores(address: str) -> int:
    """Cores of a cluster of this machine alone; 0 if it is another."""
    return int(address.removeprefix("local:")) if address.startswith("local:") else 0


@contextmanager
def connected(address: str) -> Iterator[Head]:
    """Connected to a cluster until the `with` block ends; one of this machine alone is started and ended.

    Raises:
        RatewarpError: there is none, it cannot be started, or this process is connected to one already.
    """
    patience = {_PATIENCE: _HASTY if local_cores(address) else _PATIENT}
    for name, value in (_SETTINGS | patience).items():
        os.environ.setdefault(name, value)
    import ray  # here, since it is an extra, and reads these settings

    if ray.is_initialized():
        raise RatewarpError(
            "this process is connected to a Ray cluster already; call ray.shutdown() before ratewarp.run"
        )
    if place := _place(address):
        _refuse_silent(address, *place)
    own, head = _own_folder() if local_cores(address) else None, None
    try:
        with _signals_kept():
            head = _connect(address, own)
        yield head
    finally:
        if head is None or not head.lost:
            with suppress(Exception):
                ray.shutdown()
        if own:
            shutil.rmtree(own, ignore_errors=True)


class Head:
    """The head of a cluster, called now and then.

    Attributes:
        lost: whether it counts as lost.
    """

    def __init__(self, address: str, place: tuple[str, int] | None):
        self.lost, self._address, self._place = False, address, place
        self._heard = time.monotonic()

    def refuse_lost(self) -> None:
        """Raises `RatewarpError` when the head has not been heard of for some time."""
        refused = False
        try:
            if self._place:
                socket.create_connection(self._place, timeout=2).close()
            self._heard = time.monotonic()
        except OSError as error:
            refused = isinstance(error, ConnectionRefusedError)
        silent = time.monotonic() - self._heard
        self.lost = silent > (GONE_SECONDS if refused else SILENT_SECONDS)
        if self.lost:
            raise self.loss()

    def loss(self) -> RatewarpError:
        """What a person is told of a head that is lost, as it counts from now on."""
        self.lost = True
        return RatewarpError(
            f"the head of the cluster at {self._address} does not answer any more. Finished conditions and"
            " the last checkpoints are kept; when the cluster runs again, the same command resumes from there"
        )


def _place(address: str) -> tuple[str, int] | None:
    """Host and port in an address; none if it names none."""
    if address == "auto" or local_cores(address):
        return None
    host, _, port = address.removeprefix("ray://").rpartition(":")
    return host.strip("[]"), int(port)


def _refuse_silent(address: str, host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, error) from None


def _no_cluster(address: str, error: BaseException) -> RatewarpError:
    if "InvalidAuthToken" in _whole_story(error):
        return RatewarpError(
            f"the Ray cluster at {address} asks for its token: set RAY_AUTH_MODE=token, and put the token of"
            " its head into ~/.ray/auth_token (or into RAY_AUTH_TOKEN) on this machine"
        )
    if "no authentication token was found" in _whole_story(error):
        return RatewarpError(
            "RAY_AUTH_MODE=token is set, but there is no token on this machine: copy ~/.ray/auth_token from"
            " the head of the cluster, or make one for a new cluster with `ray get-auth-token --generate`"
        )
    why = shorten(str(error).strip().partition("\n")[0] or type(error).__name__, 300).strip("'\"")
    if local_cores(address):
        return RatewarpError(f"a cluster of this machine cannot be started ({address}): {why}")
    where = "on this machine" if address == "auto" else f"at {address}"
    return RatewarpError(
        f"no Ray cluster can be reached {where}: {why}. Start one with `ray start --head`, and give its"
        f" address as {FORMS}"
    )


def _whole_story(error: BaseException | None) -> str:
    """The texts of an error and of those that led to it."""
    return "" if error is None else f"{error}\n{_whole_story(error.__cause__ or error.__context__)}"


def _connect(address: str, own: str | None) -> Head:
    import ray

    quiet: dict[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
    started = {"num_cpus": local_cores(address), "include_dashboard": False, "_temp_dir": own}
    try:
        with warnings.catch_warnings():
            # JAX warns of forks, after which Ray's new processes do nothing with it
            warnings.simplefilter("ignore")
            ray.init("local" if own else address, **quiet, **(started if own else {}))
        if address.startswith("ray://"):
            return Head(address, _place(address))
        host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
        return Head(address, (host.strip("[]"), int(port)))
    except RequestError:
        raise
    except (Exception, SystemExit) as error:  # Ray raises many kinds, and leaves at some
        raise _no_cluster(address, error) from None


def _own_folder() -> str:
    """A new folder for what Ray writes, with a short name."""
    short = tempfile.gettempdir() if len(tempfile.gettempdir()) <= _LONGEST_FOLDER else "/tmp"
    try:
        return tempfile.mkdtemp(prefix="ratewarp-", dir=short)
    except OSError as error:
        raise RatewarpError(f"no folder for a cluster can be made in {short}: {error.strerror}") from None


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray takes SIGTERM for itself; afterwards it is as it was."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM) if main else None
    try:
        yield
    finally:
        if main and before is not None:
            signal.signal(signal.SIGTERM, before)
