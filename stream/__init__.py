"""contact-stream: contact-centre figures from Kafka events, exact while they happen."""

__version__ = "0.1.0"
