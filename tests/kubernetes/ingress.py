"""What stands for an ingress: a proxy that finds the relays by the headless name and cuts silent streams.

It asks for the name as often as it may, since an ingress is told of endpoints by itself, and looks whether the
relays are there: without that it would send streams to a node that has vanished for as long as TCP lets it.
"""

import asyncio
import pathlib

import network
import own_world

IDLE = 30  # seconds; of many ingresses the default is 60
_HAPROXY_PORT, _NGINX_PORT = 8443, 8444

_HAPROXY = """
global
  maxconn 2000
  log stdout format raw local0 info
defaults
  mode http
  log global
  option httplog
  timeout connect 1s
  timeout client {idle}s
  timeout server {idle}s
  retries 3
  option redispatch 1
resolvers cluster
  nameserver dns {dns}:53
  resolve_retries 3
  timeout resolve 200ms
  timeout retry 200ms
  hold valid 200ms
  hold obsolete 0s
  hold nx 200ms
  accepted_payload_size 4096
frontend clients
  bind {address}:{port} proto h2
  default_backend relays
backend relays
  balance roundrobin
  default-server proto h2 check inter 500ms fall 4 rise 1 on-marked-down shutdown-sessions
  server-template relay 6 {target} resolvers cluster resolve-prefer ipv4 init-addr none
"""

# One process, which dies with the rehearsal; a master's workers would stay.
_NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen {address}:{port} http2;
    client_body_timeout {idle}s;
    client_max_body_size 0;
    location / {{
      grpc_pass grpc://{target};
      grpc_read_timeout {idle}s;
      grpc_send_timeout {idle}s;
    }}
  }}
}}
"""


class Ingress:
    def __init__(self, name: str, target: str, logs: pathlib.Path) -> None:
        self._name = name
        self._logs = logs
        self._target = target  # HOST:PORT
        self._port = _HAPROXY_PORT if name == "haproxy" else _NGINX_PORT
        self._process: asyncio.subprocess.Process | None = None

    @property
    def way(self) -> str:
        """As clients are told it."""
        return f"{network.INGRESS}:{self._port}"

    async def start(self) -> None:
        folder = self._logs / self._name
        folder.mkdir()
        configuration = folder / "config"
        template = _HAPROXY if self._name == "haproxy" else _NGINX
        configuration.write_text(template.format(
            idle=IDLE, dns=network.DNS, address=network.INGRESS, port=self._port, target=self._target, folder=folder))
        command = ["haproxy", "-db", "-f", str(configuration)]
        if self._name == "nginx":
            command = ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(configuration)]
        with open(folder / "log", "ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=own_world.die_with_parent)
        while not await self._listens():
            if self._process.returncode is not None:
                raise RuntimeError(f"{self._name} ended: {(folder / 'log').read_text()[-2000:]}")
            await asyncio.sleep(0.05)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(network.INGRESS, self._port)
        except OSError:
            return False
        writer.close()
        return True
