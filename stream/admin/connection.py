"""The one door to kafka-python's clients: a `Broker` in, an open client out.

Every failure to connect becomes one `Trouble` that says which address was tried; no secret ever enters a message.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from kafka.admin import KafkaAdminClient
from kafka.errors import AuthorizationError, KafkaError, SaslAuthenticationFailedError

from stream.core.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.wire.broker import Broker

CONNECT_TIMEOUT_MS: Final = 5_000

# The client reports its retries as warnings; what a person must know reaches them as the one Trouble.
logging.getLogger("kafka").addHandler(logging.NullHandler())


def client_options(broker: Broker) -> dict[str, Any]:
    """Translate a broker into kafka-python's keyword arguments."""
    options: dict[str, Any] = {
        "bootstrap_servers": broker.servers,
        "security_protocol": broker.security_protocol,
        "bootstrap_timeout_ms": CONNECT_TIMEOUT_MS,
        "client_id": "contact-stream",
    }
    if broker.encrypted:
        options |= {
            "ssl_check_hostname": broker.ssl_check_hostname,
            "ssl_cafile": broker.ssl_cafile,
            "ssl_certfile": broker.ssl_certfile,
            "ssl_keyfile": broker.ssl_keyfile,
            "ssl_password": broker.ssl_password,
        }
    if broker.authenticated:
        options |= {
            "sasl_mechanism": broker.sasl_mechanism,
            "sasl_plain_username": broker.sasl_username,
            "sasl_plain_password": broker.sasl_password,
        }
    return options


@contextmanager
def open_admin(broker: Broker) -> Iterator[KafkaAdminClient]:
    """Connect an admin client and close it afterwards.

    Raises:
        Trouble: the broker cannot be reached, or refuses us.
    """
    with explained(broker):
        client = KafkaAdminClient(**client_options(broker))
        try:
            yield client
        finally:
            client.close()


@contextmanager
def explained(broker: Broker) -> Iterator[None]:
    """Turn kafka-python's errors into one `Trouble` each."""
    try:
        yield
    except (AuthorizationError, SaslAuthenticationFailedError) as error:
        raise Trouble(
            f"Kafka at {broker.bootstrap_servers} refused us",
            type(error).__name__,
            "check the credentials and the access rights (docs, Security)",
        ) from error
    except (KafkaError, OSError) as error:
        raise Trouble(
            f"cannot reach Kafka at {broker.bootstrap_servers}",
            str(error) or type(error).__name__,
            "is it running, and is KAFKA_BOOTSTRAP_SERVERS or --bootstrap-server right?",
        ) from error
