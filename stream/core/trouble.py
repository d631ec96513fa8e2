"""Expected trouble that ends a command: a broker that is away, a port in use, a wrong file.

One sentence for a person, in three parts: what was attempted; detail; hint. `stream.cli` prints it and exits with
`exit_code`; nobody else catches it. It is never raised for a bug and never carries a secret.
"""

from __future__ import annotations


class Trouble(Exception):  # noqa: N818  it is a word of the house, and what a person reads is not an "error"
    """A dead dependency or an unusable set-up, said in one message.

    Attributes:
        attempted: what was tried, for example `cannot reach Kafka at 127.0.0.1:9092`.
        detail: what came back.
        hint: what to do next; empty when there is nothing to say.
        exit_code: 1 failed, 2 usage (a wrong setting, option or file).
    """

    def __init__(self, attempted: str, detail: str = "", hint: str = "", *, exit_code: int = 1) -> None:
        """Join the parts that are not empty with semicolons."""
        super().__init__("; ".join(part for part in (attempted, detail, hint) if part))
        self.attempted = attempted
        self.detail = detail
        self.hint = hint
        self.exit_code = exit_code
