"""Every private name of Faust and aiokafka that the worker touches, in one place.

`tests/worker/test_hooks.py` fails when an upgrade moves one of them. Nothing else in this package may reach into
another library's underscore names, except where a subclass in `transport`, `table` or `app` overrides one, and those
are listed here too.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
    from aiokafka.structs import TopicPartition

OVERRIDDEN: Final = {
    "faust.app.base:App": ("_new_transport", "_create_directories", "_wait_for_table_recovery_completed"),
    "faust.transport.consumer:Consumer": ("_drain_messages", "perform_seek", "commit", "verify_event_path"),
    "faust.transport.drivers.aiokafka:Consumer": ("_new_consumer_thread",),
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread": ("_create_worker_consumer", "close"),
    "faust.tables.manager:TableManager": (
        "on_start",
        "on_stop",
        "on_partitions_revoked",
        "on_rebalance",
        "_update_channels",
    ),
}
"""Methods that our subclasses replace, by class."""

READ: Final = {
    "faust.app.base:App": ("_fetcher", "flow_control", "on_rebalance_end"),
    "faust.transport.consumer:Consumer": ("callback", "resume_flow"),
    "faust.transport.consumer:ThreadDelegateConsumer": ("_thread",),
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread": ("_ensure_consumer", "thread_loop"),
    "aiokafka.consumer.consumer:AIOKafkaConsumer": ("_subscription", "_coordinator"),
    "aiokafka.consumer.group_coordinator:GroupCoordinator": ("_do_heartbeat", "generation"),
    "aiokafka.consumer.subscription_state:TopicPartitionState": ("_position", "highwater", "lso", "timestamp"),
    "aiokafka.producer.producer:AIOKafkaProducer": ("_sender", "_txn_manager", "_message_accumulator"),
    "aiokafka.producer.sender:Sender": ("sender_task",),
    "aiokafka.producer.transaction_manager:TransactionManager": ("wait_for_transaction_end",),
    "aiokafka.producer.message_accumulator:MessageAccumulator": ("_batches",),
    "aiokafka.producer.message_accumulator:MessageBatch": ("future", "_drain_waiter"),
    "aiokafka.producer.message_accumulator:BatchBuilder": ("append",),
}
"""Attributes that we read or call, by class (instance attributes are looked for in the source)."""


def positions(consumer: AIOKafkaConsumer) -> Any:  # noqa: ANN401  aiokafka's Assignment is untyped
    """Return the present assignment with its partition states, or None; a new object after every rebalance."""
    subscription = consumer._subscription.subscription  # noqa: SLF001  private, see READ
    return None if subscription is None else subscription.assignment


def position_of(assignment: Any, partition: TopicPartition) -> int | None:  # noqa: ANN401  aiokafka is untyped
    """Return the next offset that will be drained; None before a seek or reset."""
    state = assignment.state_value(partition)
    return None if state is None else state._position  # noqa: SLF001  private, see READ


def caught_up_at(assignment: Any, partition: TopicPartition) -> int | None:  # noqa: ANN401  aiokafka is untyped
    """Return when (ms) a fetch last found the partition read to its end; None when it is not or unknown."""
    state = assignment.state_value(partition)
    if state is None or state._position is None or state.highwater is None:  # noqa: SLF001  private, see READ
        return None
    return state.timestamp if state._position >= state.highwater else None  # noqa: SLF001  private, see READ


def on_heartbeat(consumer: AIOKafkaConsumer, note: Callable[[], None]) -> None:
    """Call `note` (in the consumer's thread) whenever the group answers a heartbeat."""
    coordinator = consumer._coordinator  # noqa: SLF001  private, see READ
    beat = coordinator._do_heartbeat  # noqa: SLF001  private, see READ

    async def noted() -> bool:
        answered = bool(await beat())
        if answered:
            note()
        return answered

    coordinator._do_heartbeat = noted  # noqa: SLF001  private, see READ


def sender_failure(producer: AIOKafkaProducer) -> BaseException | None:
    """Return what ended a producer's background task, and read its futures so that nobody complains of them."""
    waiter = producer._txn_manager.wait_for_transaction_end()  # noqa: SLF001  private, see READ
    if waiter is not None:
        read_futures([waiter])
    for batches in producer._message_accumulator._batches.values():  # noqa: SLF001  private, see READ
        for batch in batches:
            read_futures([batch.future, batch._drain_waiter])  # noqa: SLF001  private, see READ
    task = producer._sender.sender_task  # noqa: SLF001  private, see READ
    if task is None or not task.done() or task.cancelled():
        return None
    failure: BaseException | None = task.exception()
    return failure


def read_futures(futures: Iterable[asyncio.Future[Any]]) -> None:
    """Read the outcome of each future, now or when it comes; a fenced producer leaves failed ones behind."""
    for future in futures:
        future.add_done_callback(_read)


def _read(future: asyncio.Future[Any]) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        future.exception()
