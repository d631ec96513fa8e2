"""Translates `stream.wire.broker.Broker` for aiokafka, in one place for consumers and producers."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stream.wire.broker import Broker


def connection(broker: Broker) -> dict[str, Any]:
    """Return the arguments that any aiokafka client takes to reach and trust this broker."""
    arguments: dict[str, Any] = {
        "bootstrap_servers": broker.servers,
        "security_protocol": broker.security_protocol,
    }
    if broker.encrypted:
        arguments["ssl_context"] = _tls(broker)
    if broker.authenticated:
        arguments["sasl_mechanism"] = broker.sasl_mechanism
        arguments["sasl_plain_username"] = broker.sasl_username
        arguments["sasl_plain_password"] = broker.sasl_password
    return arguments


def _tls(broker: Broker) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=broker.ssl_cafile)
    context.check_hostname = broker.ssl_check_hostname
    if broker.ssl_certfile:
        context.load_cert_chain(broker.ssl_certfile, broker.ssl_keyfile, broker.ssl_password)
    return context
