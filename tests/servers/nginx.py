"""A private nginx with the project's own configuration, in front of servers of a test."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.servers.processes import ServerProcess, find_program, free_port, temporary_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIGURATION: Final = Path(__file__).parent.parent.parent / "config" / "nginx.conf"
_AROUND: Final = """
daemon off;
user root;
pid {folder}/pid;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    include {folder}/actorq.conf;
}}
"""


class Nginx:
    """nginx on a free port of the loopback interface, with ``config/nginx.conf`` but for the addresses."""

    def __init__(self, ports: Sequence[int]) -> None:
        """Start it in front of the servers at ``ports``; there must be as many as in the file."""
        self.port = free_port()
        self.folder = temporary_folder("nginx")
        text = CONFIGURATION.read_text(encoding="utf-8")
        written = re.findall(r"^ +server 127\.0\.0\.1:(\d+)", text, re.MULTILINE)
        for old, new in zip(written, ports, strict=True):
            text = text.replace(f"127.0.0.1:{old}", f"127.0.0.1:{new}")
        text = text.replace("listen 127.0.0.1:8080", f"listen 127.0.0.1:{self.port}")
        (self.folder / "actorq.conf").write_text(text, encoding="utf-8")
        main = self.folder / "nginx.conf"
        main.write_text(_AROUND.format(folder=self.folder), encoding="utf-8")
        program = find_program("nginx", "nginx-light", ["/usr/sbin"])
        command = [program, "-p", str(self.folder), "-c", str(main), "-e", "stderr"]
        self._process = ServerProcess(command, log=self.folder / "log", folder=self.folder)
        self._process.wait_until(self._answers)

    @property
    def url(self) -> str:
        """Return where it is."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """End it and remove its folder."""
        self._process.close()

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1.0).close()
        except OSError:
            return False
        return True
