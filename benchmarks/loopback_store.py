"""A store of S3's form on loopback that answers from memory, for benchmarks.

It lists any number of keys that it makes up, and gives each the content of one of a few sounds.
moto's server, which the tests use, is a hundred times slower than what is measured here.

    python benchmarks/loopback_store.py --keys 1000000 [--sounds FOLDER] [--delay 0.03]

Prints its port. ``/bucket/NUMBER/NUMBER.wav`` are its keys, a hundred thousand in a folder; all
requests are answered after the delay.
"""

import argparse
import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["Content", "main"]

_FOLDER = 100_000
_PAGE = 1_000
_DATE = "2026-01-01T00:00:00.000Z"


@dataclass(frozen=True)
class Content:
    """What a store holds.

    Parameters
    ----------
    keys : int
        How many.
    sounds : sequence of bytes
        What they hold in turns.

    Examples
    --------
    >>> content = Content(250_000, [b"sound"])
    >>> content.key(100_001)
    '00001/000100001.wav'
    >>> content.first_behind("00001/000100001.wav"), content.first_behind("00001/~")
    (100002, 200000)
    """

    keys: int
    sounds: Sequence[bytes]

    def key(self, number: int) -> str:
        """Return a key by its place in the order of keys."""
        return f"{number // _FOLDER:05}/{number:09}.wav"

    def sound(self, number: int) -> bytes:
        """Return what a key holds."""
        return self.sounds[number % len(self.sounds)]

    def first_behind(self, text: str) -> int:
        """Return the place of the first key that is larger than a text."""
        low, high = 0, self.keys
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.key(middle) <= text else (low, middle)
        return low

    def page(self, query: dict[str, list[str]]) -> bytes:
        """Return a page of a listing, as ``list-type=2`` of S3 gives it."""
        prefix = query.get("prefix", [""])[0]
        behind = query.get("continuation-token", query.get("start-after", [""]))[0]
        start = max(self.first_behind(behind), self.first_behind(prefix) if prefix else 0)
        end = min(self.keys, self.first_behind(prefix + "\U0010ffff") if prefix else self.keys)
        numbers = range(start, min(start + _PAGE, end))
        entries = "".join(
            f"<Contents><Key>{self.key(n)}</Key><LastModified>{_DATE}</LastModified>"
            f"<ETag>&quot;{n:x}&quot;</ETag><Size>{len(self.sound(n))}</Size></Contents>"
            for n in numbers
        )
        more = bool(numbers) and numbers[-1] + 1 < end
        token = (
            f"<NextContinuationToken>{self.key(numbers[-1])}</NextContinuationToken>"
            if more
            else ""
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult>'
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{entries}</ListBucketResult>"
        ).encode()


async def _serve(content: Content, delay: float) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                target = head.split(b" ", 2)[1].decode()
                if delay:
                    await asyncio.sleep(delay)
                parts = urlsplit(target)
                etag = ""
                if parts.query:
                    body = content.page(parse_qs(parts.query))
                else:
                    number = int(unquote(parts.path).rpartition("/")[2].partition(".")[0])
                    body, etag = content.sound(number), f'ETag: "{number:x}"\r\n'
                writer.write(
                    f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{etag}"
                    "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--sounds", type=Path, help="a folder")
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS")
    options = parser.parse_args(arguments)
    files = sorted(options.sounds.iterdir()) if options.sounds else []
    sounds = [path.read_bytes() for path in itertools.islice(files, 10_000)] or [b"sound"]
    asyncio.run(_serve(Content(options.keys, sounds), options.delay))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
