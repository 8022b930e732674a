"""Certificates for practice: a CA of our own, a centre and a client that it knows; by openssl, good for a week."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_DAYS = "7"


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Certificates:
    """What both sides need."""

    ca: Path
    centre: Certificate
    client: Certificate

    @staticmethod
    def at(folder: Path) -> "Certificates":
        """Those that were made in this folder."""
        return Certificates(folder / "ca.pem", _files(folder, "centre"), _files(folder, "client"))


def make_certificates(folder: Path, host: str = "127.0.0.1") -> Certificates:
    """Make the folder and all of it anew, the centre's for this address. Raises OSError or CalledProcessError."""
    folder.mkdir(parents=True, exist_ok=True)
    ca = _signed(folder, "ca", None, "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign")
    centre = _signed(folder, "centre", ca, f"subjectAltName=IP:{host}", "extendedKeyUsage=serverAuth")
    client = _signed(folder, "client", ca, "extendedKeyUsage=clientAuth")
    return Certificates(ca.certificate, centre, client)


def _files(folder: Path, name: str) -> Certificate:
    return Certificate(folder / f"{name}.pem", folder / f"{name}.key")


def _signed(folder: Path, name: str, by: Certificate | None, *extensions: str) -> Certificate:
    made = _files(folder, name)
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words += ["-days", _DAYS, "-subj", f"/O=Kenko Call practice/CN={name}"]
    words += ["-keyout", str(made.key), "-out", str(made.certificate)]
    if by is not None:
        words += ["-CA", str(by.certificate), "-CAkey", str(by.key), "-addext", "basicConstraints=critical,CA:FALSE"]
    for each in extensions:
        words += ["-addext", each]
    subprocess.run(words, check=True, capture_output=True)
    made.key.chmod(0o600)
    return made
