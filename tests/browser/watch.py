"""What a browser complains of while a story is told. Its one rule: every word in the console, every
refused resource and every broken answer counts; a form that is shown again (422) is an answer.
"""

from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, ConsoleMessage, Response, WebError

BROKEN = 400


@dataclass
class Watch:
    """Collects the complaints of every page of a context."""

    complaints: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=lambda: {422})

    def listen(self, context: BrowserContext) -> None:
        """From now on every complaint of the context is kept."""
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        if any(f"status of {status}" in message.text for status in self.expected):
            return
        self.complaints.append(f"console: {message.text} ({message.location['url']})")

    def _error(self, error: WebError) -> None:
        self.complaints.append(f"script: {error.error}")

    def _response(self, response: Response) -> None:
        if response.status >= BROKEN and response.status not in self.expected:
            self.complaints.append(f"{response.status}: {response.url}")
