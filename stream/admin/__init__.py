"""Commands that look after Kafka topics and records. The only home of kafka-python; never part of the live path."""
