"""The declared state: one Faust table per stage, so that Faust assigns each changelog partition with its sources.

The tables stay empty. What they stand for is held by shards, written by the shards' own producers (`producer`) and
read back by `loading`; Faust's recovery is replaced through its public `TableManager` setting, because it reads
before anybody is fenced and swallows its callbacks' exceptions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from faust.tables.manager import TableManager

if TYPE_CHECKING:
    from faust.types import TP

    from stream.worker.app import StreamApp


def declare_tables(app: StreamApp) -> None:
    """Declare the table `stage<n>` of each stage; its changelog is `<app>-stage<n>-changelog`."""
    for stage in app.settings.stages:
        table = app.Table(
            f"stage{stage.number}", key_type=bytes, value_type=bytes, partitions=app.partitions, help="held by shards"
        )
        if table.changelog_topic.get_topic_name() != app.settings.changelog(stage.number):
            raise RuntimeError("Faust names the changelog otherwise than stream.core.topics does")


class ShardTables(TableManager):
    """Hands Faust's rebalances to `stream.worker.ownership` instead of recovering tables."""

    @property
    def _stream(self) -> StreamApp:
        return cast("StreamApp", self.app)

    async def on_start(self) -> None:
        """Register the tables at once; stock Faust sleeps a second here."""
        await self._update_channels()

    async def on_stop(self) -> None:
        """Stop fetching, then the tables."""
        await self._stream._fetcher.stop()  # noqa: SLF001  as in stock Faust, hooks.READ
        for table in self.values():
            await table.stop()

    def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Do nothing: shards go on until the new assignment says whose they are; a fence protects the log."""

    async def on_rebalance(
        self, assigned: set[TP], _revoked: set[TP], _newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Tell the ownership what is ours now; loading happens in its task, never in this callback."""
        self._recovery_started.set()
        await self._update_channels()
        self._stream.assigned(assigned, generation_id)

    async def wait_until_recovery_completed(self) -> bool:
        """Let the application start its other services at once."""
        return self.should_stop
