"""The stand-in centre does what docs/centre-api.yaml says, whatever of that it is asked, and whatever else."""

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks

from sandbox.certificates import Certificates
from tests.sync.test_centre_api import API, ROOT

load_all_checks()
#: The stand-in understands no document: every object with a key is stored. A real centre may refuse more.
NOT_PROMISED = {"negative_data_rejection"}
CHECKED: list[Any] = CHECKS.get_by_names([name for name in CHECKS.get_all_names() if name not in NOT_PROMISED])
ACCEPTS_WHAT_IS_VALID: list[Any] = CHECKS.get_by_names(["positive_data_acceptance"])
#: What is no cursor of the stand-in centre (sandbox.centre_changes).
FOREIGN = re.compile(r"(?!c[0-9]{1,15}$).+", re.DOTALL)

schema = schemathesis.openapi.from_dict(API)
schema.config.seed = 6


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[str]:
    """A centre in a process of its own, with the certificates of the test."""
    folder = tmp_path_factory.mktemp("centre")
    (folder / "certificates").symlink_to(certificates.ca.parent)
    words = (sys.executable, "-m", "sandbox.centre", str(folder), "0")
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


@pytest.fixture(scope="module")
def session(certificates: Certificates) -> Iterator[requests.Session]:
    """Shows our certificate, and takes no word from the environment about proxies."""
    with requests.Session() as session:
        session.trust_env = False
        session.cert = (str(certificates.client.certificate), str(certificates.client.key))
        yield session


@pytest.fixture(scope="module")
def sent() -> dict[Any, bytes]:
    """Key -> the body with which it first got through."""
    return {}


@schema.parametrize()
@settings(derandomize=True, database=None, deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
def test_the_stand_in_centre_is_what_the_document_says(
    case: schemathesis.Case[Any],
    url: str,
    session: requests.Session,
    certificates: Certificates,
    sent: dict[Any, bytes],
) -> None:
    # The certificate is checked against this CA: schemathesis asks for it here, not in the session.
    answer = case.call(base_url=url, session=session, verify=str(certificates.ca), timeout=10)
    key, body = answer.request.headers.get("Idempotency-Key"), _bytes(answer.request.body)
    excluded: list[Any] = []
    if answer.status_code == 422:
        # The one reason to refuse what is valid by itself: the key was there with another body.
        assert key is not None
        assert sent[key] != body
        excluded = ACCEPTS_WHAT_IS_VALID
    elif answer.status_code == 400 and FOREIGN.fullmatch(str((case.query or {}).get("since", ""))):
        # A cursor is the centre's own word; any other may be refused, however well it is formed.
        excluded = ACCEPTS_WHAT_IS_VALID
    elif key is not None and answer.status_code in (200, 201):
        assert sent.setdefault(key, body) == body
    case.validate_response(answer, checks=CHECKED, excluded_checks=excluded)


def _bytes(body: object) -> bytes:
    return body if isinstance(body, bytes) else str(body or "").encode()
