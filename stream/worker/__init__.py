"""The live worker: the only home of Faust and aiokafka. It never computes a figure; `stream.core` does."""
