"""For trying out and testing: the embedded Kafka and the simulated contact centre. Never imported by the worker."""
