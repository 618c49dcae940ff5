from collections.abc import Callable
from dataclasses import replace
from typing import IO

from upvs_tasks.console.concurrency import ConcurrencyLimiter
from upvs_tasks.console.conversation import Conversation
from upvs_tasks.console.download import receive
from upvs_tasks.console.failures import FailedRequestError
from upvs_tasks.console.transport import Transport
from upvs_tasks.console.usage import ApiRequest, Download

# A clip that is refused so often beside others is not refused because of them.
_MOST_REFUSALS = 10


class Exports:
    """Footage, as fast as the console bears."""

    def __init__(
        self,
        transport: Transport,
        conversation: Conversation,
        gate: ConcurrencyLimiter,
    ) -> None:
        self._transport = transport
        self._conversation = conversation
        self._gate = gate
        self._asked: set[ApiRequest] = set()

    def bring(
        self, question: ApiRequest, into: IO[bytes], on_bytes: Callable[[int], None] | None
    ) -> Download:
        """One export in its turn; put again, at no cost, where others of ours were in its way."""
        refusals = 0
        while True:
            with self._gate.turn() as turn:
                try:
                    download = self._asked_for(question, into, on_bytes)
                except FailedRequestError as trouble:
                    if trouble.strains:
                        self._gate.strained(turn, trouble)
                    is_ours = trouble.is_refusal and turn.had_company
                    refusals += 1
                    if not is_ours or refusals > _MOST_REFUSALS:
                        raise
                else:
                    self._gate.succeeded(turn, download.size_bytes)
                    return download

    def _asked_for(
        self, question: ApiRequest, into: IO[bytes], on_bytes: Callable[[int], None] | None
    ) -> Download:
        into.seek(0)
        into.truncate()
        if question in self._asked:
            self._transport.count(lambda account: replace(account, retries=account.retries + 1))
        self._asked.add(question)
        download = self._conversation.once(
            question,
            lambda response: receive(response, into, what=question.what, on_bytes=on_bytes),
        )
        self._transport.count(
            lambda account: replace(
                account, received_bytes=account.received_bytes + download.size_bytes
            )
        )
        return download
