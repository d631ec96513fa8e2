"""What the program says of itself and of the figures: metrics, logs, health.

The one door of prometheus_client and of the HTTP server. Never here: a figure of its own making; what `/metrics`
shows of the service is the committed state of the shards.
"""
