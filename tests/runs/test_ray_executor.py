"""Jobs on a Ray cluster of this machine: the same bytes as without it, whatever is killed."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import with_heads
from ratewarp import RatewarpError, Ray, RequestError, Study, run
from ratewarp.runs.jobs import Kept, WaveJob
from ratewarp.runs.ray_cluster import connected
from ratewarp.runs.ray_nodes import Nodes

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are looked for in /proc"),
]
pytest.importorskip("ray")

STUDY = with_heads("cluster", recipe={"steps": 330}, capacities_nats=[0.3, 1])
MARK = "RATEWARP_TEST_CLUSTER"


@pytest.fixture(autouse=True)
def mark(monkeypatch) -> str:
    """A variable that processes of this test inherit, by which they are found."""
    value = f"{os.getpid()}.{time.monotonic_ns()}"
    monkeypatch.setenv(MARK, value)
    return value


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return run(STUDY, tmp_path_factory.mktemp("cluster") / "here", report=False, members_at_once=1).path


def _contents(out: Path) -> dict[str, bytes]:
    found = [*out.glob("tables/*"), *out.glob("conditions/*/*"), *out.glob("readouts/*/*")]
    return {str(file.relative_to(out)): file.read_bytes() for file in found}


def _processes(mark: str) -> dict[int, str]:
    """Processes that a test has started, with their command lines."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (place / "environ").read_bytes().split(b"\0"):
                found[int(place.name)] = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # ended meanwhile
            continue
    found.pop(os.getpid(), None)
    return {number: command for number, command in found.items() if command}


def _assert_nothing_left(mark: str) -> None:
    until = time.monotonic() + 60
    while (left := _processes(mark)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not left


class _Through:
    """Ray, with a look at every job on its way there and at every event on its way back."""

    def __init__(self, ray: Ray, job=lambda job: job, event=lambda number, event: None):
        self._ray, self._job, self._event = ray, job, event
        self.members_at_once, self.held = ray.members_at_once, ray.held

    def run(self, jobs):
        for number, event in self._ray.run(map(self._job, jobs)):
            self._event(number, event)
            yield number, event


def test_a_cluster_gives_the_same_bytes_and_leaves_nothing(whole, tmp_path, mark, capfd):
    at_work: dict[int, str] = {}

    def look(number, event):
        at_work.update(_processes(mark))

    done = run(STUDY, tmp_path / "run", executor=_Through(Ray("local:2"), event=look), report=False)
    assert _contents(done.path) == _contents(whole)
    assert "processors" not in done.manifest
    # one cluster and its two workers for models and heads
    assert sum("gcs_server" in command for command in at_work.values()) == 1
    assert sum("ray::Worker" in command for command in at_work.values()) == 2
    _assert_nothing_left(mark)
    assert "".join(capfd.readouterr()) == ""


def test_killed_workers_change_no_byte(whole, tmp_path, mark, monkeypatch):
    monkeypatch.setattr("ratewarp.runs.retries.TRIES", 100)  # chance may hit one job again and again
    rng, said, killed = random.Random(5), [], []

    def kill(number, event):
        workers = [one for one, command in _processes(mark).items() if command.startswith("ray::Worker")]
        if isinstance(event, Kept) and len(killed) < 4 and workers and rng.random() < 0.7:
            killed.append(rng.choice(workers))
            os.kill(killed[-1], signal.SIGKILL)

    executor = _Through(Ray("local:2", say=said.append), event=kill)
    models = Study(**{**STUDY.model_dump(), "readouts": {}})
    done = run(models, tmp_path / "run", executor=executor, report=False, checkpoint_seconds=0)
    assert len(killed) >= 2
    found, wanted = _contents(done.path), _contents(whole)
    trained = [name for name in wanted if name.startswith("conditions")]
    assert len(trained) == 16
    assert [found[name] for name in trained] == [wanted[name] for name in trained]
    lost = [text for text in said if "was lost" in text]
    assert lost
    assert all("resumes from step" in text or "begins anew" in text for text in lost)


class _Fatal:
    """Ends the process that unpickles it."""

    def __reduce__(self):
        return os._exit, (1,)


def test_a_poisoned_job_is_given_up_and_the_others_are_stored(whole, tmp_path, mark):
    said: list[str] = []
    base, task = ([one for one in STUDY.conditions if one.model == model] for model in ("base", "task"))

    def poison(job):
        if isinstance(job, WaveJob) and job.conditions[0] == task[0]:
            return job._replace(counts=_Fatal())
        if isinstance(job, WaveJob) and job.conditions[0] == base[0]:
            return job._replace(start=(10, {}, (0,)))  # an exception: no such arrays
        return job

    executor = _Through(Ray("local:2", say=said.append), poison)
    del executor.held  # a cluster of its own for every call
    with pytest.raises(RatewarpError, match="could not be done") as raised:
        run(STUDY, tmp_path / "run", executor=executor, report=False)
    assert not isinstance(raised.value, RequestError)
    text = str(raised.value)
    assert f"{task[0].id}: its worker was lost 3 times without any progress" in text
    assert f"{base[0].id}: " in text
    assert "same command" in text
    assert sum("was lost" in one and task[0].id in one for one in said) == 3
    stored, wanted = _contents(tmp_path / "run"), _contents(whole)
    assert {Path(name).parent.name for name in stored} == {base[1].id, task[1].id}
    assert all(wanted[name] == content for name, content in stored.items())
    _assert_nothing_left(mark)


def test_a_machine_with_other_versions_is_refused():
    said: list[str] = []
    with connected("local:1"):
        nodes = Nodes(1, said.append)
        other = Nodes(1, said.append, {**nodes._expected, "jax": "0.1", "numpy": nodes._expected["numpy"]})
        nodes.meet()
        assert nodes.room({}) is not None
        with pytest.raises(RatewarpError, match=rf"{socket.gethostname()}.*jax is .* there and 0.1 here"):
            other.meet()
        assert other.room({}) is None
        with pytest.raises(RatewarpError, match=r"no machine .* 2 CPU cores .* has 1"):
            Nodes(2, said.append).meet()
    assert said == []


@contextmanager
def _listening():
    """A port that answers nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener.getsockname()[1]


def test_where_no_cluster_is():
    for address in ("nowhere", "local:0", "local", "http://a:1", ":80", "ray://", "local:x", 3):
        with pytest.raises(RequestError, match=r"address of a cluster must be auto .* local:N .*; got"):
            Ray(address)
    with pytest.raises(RequestError, match="of at least 4 cores"):
        Ray("local:2", cores=4)
    with pytest.raises(RequestError, match="cores must be a whole number"):
        Ray("local:2", cores=0)
    with _listening() as port, pytest.raises(RatewarpError, match=f"no Ray cluster .* 127.0.0.1:{port}"):
        list(Ray(f"127.0.0.1:{port}").run(iter([object()])))
    assert list(Ray("local:1").run([])) == []  # without jobs nothing is started


def test_without_a_token_a_person_is_told_how_to_get_one(tmp_path):
    code = "import sys; from ratewarp import Ray; list(Ray(sys.argv[1]).run(iter([object()])))"
    settings = {**os.environ, "HOME": str(tmp_path), "RAY_AUTH_MODE": "token"}
    settings.pop("RAY_AUTH_TOKEN", None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-c", code, f"127.0.0.1:{listener.getsockname()[1]}"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False, env=settings)
    assert "RatewarpError: RAY_AUTH_MODE=token is set, but there is no token on this machine" in answer.stderr
    assert "ray get-auth-token --generate" in answer.stderr


def test_without_ray_a_person_is_told_what_to_install():
    code = "import sys; sys.modules['ray'] = None; import ratewarp; ratewarp.Ray('local:1')"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'ratewarp[cluster]'" in answer.stderr


@pytest.mark.skipif(not hasattr(signal, "SIGINT"), reason="needs signals")
def test_a_signal_ends_the_command_and_the_cluster(tmp_path, mark):
    study = tmp_path / "study.yaml"
    study.write_text(
        "network: {latents: 2, convolutions: [{filters: 4, kernel: 4}]}\nrecipe: {steps: 1000000}\n"
        "training_images: 600\nbound_points: 0\ncapacities_nats: [1]\n"
    )
    command = [sys.executable, "-m", "ratewarp", "run", str(study), "--cluster", "local:1"]
    process = subprocess.Popen(
        [*command, "--checkpoint-every", "0"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    try:
        until = time.monotonic() + 240
        while not list(tmp_path.glob("runs/*/checkpoints/*/*.safetensors")) and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 143, errors
    assert "stopped by SIGTERM" in errors
    _assert_nothing_left(mark)
