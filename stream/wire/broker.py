"""How to reach Kafka, as one frozen value.

The worker and the admin commands each translate it for their own client. It never opens a connection, and no
secret is part of its repr.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True, slots=True)
class Broker:
    """A Kafka cluster and the credentials for it.

    Attributes:
        bootstrap_servers: `host:port`, several divided by commas.
        security_protocol: `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`.
        sasl_mechanism: `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`; None without SASL.
        sasl_username: None without SASL.
        sasl_password: None without SASL; never shown.
        ssl_cafile: PEM file of the authorities to trust; None = the system's.
        ssl_certfile: PEM file of the client's certificate chain; None = no client certificate.
        ssl_keyfile: PEM file of the client's private key; None = in `ssl_certfile`.
        ssl_password: of the private key; never shown.
        ssl_check_hostname: whether the certificate must name the host; on unless told.
    """

    bootstrap_servers: str = "127.0.0.1:9092"
    security_protocol: SecurityProtocol = "PLAINTEXT"
    sasl_mechanism: SaslMechanism | None = None
    sasl_username: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    ssl_cafile: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    ssl_password: str | None = field(default=None, repr=False)
    ssl_check_hostname: bool = True

    @property
    def servers(self) -> list[str]:
        """The bootstrap servers one by one."""
        return [server.strip() for server in self.bootstrap_servers.split(",") if server.strip()]

    @property
    def encrypted(self) -> bool:
        """Whether the connection uses TLS."""
        return self.security_protocol in {"SSL", "SASL_SSL"}

    @property
    def authenticated(self) -> bool:
        """Whether the connection uses SASL."""
        return self.security_protocol.startswith("SASL")
