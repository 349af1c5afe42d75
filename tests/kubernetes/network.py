"""The cluster's network: addresses of pods that are never used twice, and the addresses of Services.

Pods are routed to, as many network plugins do it: each has a link of its own. What is sent to an address that no
pod has comes back as unreachable, or vanishes, which plugins also do. Services are rules that turn their address into a pod's, chosen by
chance, once for each connection.
"""

import dataclasses
import subprocess

# Of the node, from which clients and probes come; of the cluster's DNS; of what stands for an ingress.
NODE = "10.1.0.1"
DNS = "10.96.0.10"
INGRESS = "10.1.0.2"
_GATEWAY = "169.254.1.1"  # of every pod; its hardware address is known to each beforehand
_GATEWAY_MAC = "ee:ee:ee:ee:ee:ee"


def _run(command: list[str], text: str) -> None:
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip()}\n{text}")


def ip(*lines: str) -> None:
    _run(["ip", "-batch", "-"], "\n".join(lines) + "\n")


@dataclasses.dataclass(frozen=True)
class Sandbox:
    """A pod's network namespace."""

    name: str
    address: str

    @property
    def path(self) -> str:
        return f"/run/netns/{self.name}"


class Network:
    """In a network namespace of its own, which becomes the node."""

    def __init__(self, silent_when_gone: bool) -> None:
        self._next = 256
        self._silent: set[str] = set()
        self._services: dict[tuple[str, int], list[tuple[str, int]]] = {}
        with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as forward:
            forward.write("1")
        # What is sent to an address of these networks that nobody has ends in a bridge to nowhere, which asks
        # nobody for hardware addresses.
        ip("link add node type bridge", "link set node arp off up", f"addr add {NODE}/32 dev node",
           f"route add {'' if silent_when_gone else 'unreachable '}10.1.0.0/16{' dev node' if silent_when_gone else ''}",
           f"addr add {INGRESS}/32 dev node", f"addr add {DNS}/32 dev node",
           f"route add 10.96.0.0/16 dev node src {NODE}")
        self._write_services()

    def add(self, name: str) -> Sandbox:
        self._next += 1
        sandbox = Sandbox(name, f"10.1.{self._next // 256}.{self._next % 256}")
        link = f"pod{self._next}"
        ip(f"netns add {name}", f"link add {link} address {_GATEWAY_MAC} type veth peer name eth0 netns {name}",
           f"link set {link} up")
        _run(["ip", "-netns", name, "-batch", "-"], "\n".join([
            "link set lo up", "link set eth0 up", f"addr add {sandbox.address}/32 dev eth0",
            f"route add {_GATEWAY} dev eth0 scope link", f"route add default via {_GATEWAY}",
            f"neigh add {_GATEWAY} lladdr {_GATEWAY_MAC} dev eth0 nud permanent"]) + "\n")
        with open(f"/proc/sys/net/ipv4/conf/{link}/proxy_arp", "w", encoding="ascii") as proxy:
            proxy.write("1")
        ip(f"route add {sandbox.address}/32 dev {link} src {NODE}")
        return sandbox

    def remove(self, sandbox: Sandbox) -> None:
        """Its address is nobody's from now on."""
        ip(f"netns delete {sandbox.name}")

    def silence(self, addresses: set[str]) -> None:
        """From now on nothing comes from these addresses, and nothing gets there."""
        self._silent |= addresses
        elements = ", ".join(sorted(self._silent))
        self._replace("silence", f"""
  set gone {{ type ipv4_addr; elements = {{ {elements} }} }}
  chain in {{ type filter hook input priority 0; ip saddr @gone drop; }}
  chain out {{ type filter hook output priority 0; ip daddr @gone drop; }}
  chain through {{ type filter hook forward priority 0; ip saddr @gone drop; ip daddr @gone drop; }}""")

    def serve(self, address: str, port: int, pods: list[tuple[str, int]]) -> None:
        """The Service at this address leads to these pods."""
        if self._services.get((address, port)) != pods:
            self._services[address, port] = pods
            self._write_services()

    def _write_services(self) -> None:
        to_pods, to_nobody = [], []
        for (address, port), pods in self._services.items():
            match = f"ip daddr {address} tcp dport {port}"
            if pods:
                choices = ", ".join(f"{i} : {pod} . {target}" for i, (pod, target) in enumerate(pods))
                to_pods.append(f"    {match} dnat ip to numgen random mod {len(pods)} map {{ {choices} }}")
            else:
                to_nobody.append(f"    {match} reject")
        translate, refuse = "\n".join(to_pods), "\n".join(to_nobody)
        # One transaction: without a rule for a moment, a connection would go to the Service's own
        # address, where nobody is, and wait there.
        self._replace("services", f"""
  chain node {{ type nat hook output priority -100;
{translate}
  }}
  chain pods {{ type nat hook prerouting priority -100;
{translate}
  }}
  chain refuse_node {{ type filter hook output priority 0;
{refuse}
  }}
  chain refuse_pods {{ type filter hook forward priority 0;
{refuse}
  }}""")

    @staticmethod
    def _replace(table: str, content: str) -> None:
        _run(["nft", "-f", "-"], f"table ip {table} {{}}\ndelete table ip {table}\ntable ip {table} {{{content}\n}}\n")
