"""An authority and the certificates that it signs, by openssl."""

import pathlib
import subprocess


class Authority:
    def __init__(self, folder: pathlib.Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._made = 0
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                      "-subj", "/CN=rehearsal", "-keyout", "ca.key", "-out", "ca.crt")

    @property
    def certificate(self) -> pathlib.Path:
        return self._folder / "ca.crt"

    def secret(self, names: list[str]) -> dict[str, bytes]:
        """A new key with a certificate of these names, as a secret of kubernetes.io/tls holds them."""
        self._made += 1
        alternatives = ",".join(f"DNS:{name}" for name in names)
        (self._folder / "extensions").write_text(f"subjectAltName={alternatives}\n", encoding="ascii")
        self._openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-subj", "/CN=relay", "-keyout", "tls.key", "-out", "tls.csr")
        self._openssl("x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "2",
                      "-set_serial", str(self._made), "-extfile", "extensions", "-out", "tls.crt")
        return {name: (self._folder / name).read_bytes() for name in ("tls.crt", "tls.key", "ca.crt")}

    @property
    def newest_serial(self) -> str:
        return f"{self._made:02X}"

    def serial_at(self, address: str, port: int) -> str:
        """Of the certificate that is served there."""
        shown = subprocess.run(["openssl", "s_client", "-connect", f"{address}:{port}", "-alpn", "h2"],
                               input=b"", capture_output=True, timeout=5, check=False).stdout
        found = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=shown, capture_output=True,
                               check=False).stdout
        return found.decode().strip().removeprefix("serial=")

    def _openssl(self, *arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], cwd=self._folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {' '.join(arguments)}: {done.stderr}")
