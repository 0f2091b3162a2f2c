"""TensorBoard's files: records of protocol buffers, each with checksums of its length and content."""

from __future__ import annotations

import os
import socket
import struct
import time


def _table() -> list[int]:
    """Checksums of single bytes: CRC-32C."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC = _table()


def _checksum(data: bytes) -> bytes:
    """The checksum of data, turned and shifted, as the format wants it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, data: bytes) -> bytes:
    """A field of bytes, text or a message."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


class EventFile:
    """A new file with scores in a folder."""

    _made = 0

    def __init__(self, folder: str) -> None:
        os.makedirs(folder, exist_ok=True)
        number = EventFile._made
        EventFile._made += 1
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{number}.v2"
        self._file = open(os.path.join(folder, name), "wb")  # noqa: SIM115
        self._event(_field(3, b"brain.Event:2"))

    def _event(self, content: bytes) -> None:
        record = b"\x09" + struct.pack("<d", time.time()) + content
        length = struct.pack("<Q", len(record))
        self._file.write(length + _checksum(length) + record + _checksum(record))
        self._file.flush()

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Writes a value of a score."""
        # The form of TensorFlow 2: a tensor of one 32-bit number (type 1), said to be a scalar.
        tensor = b"\x08\x01" + _field(2, b"") + _field(4, struct.pack("<f", value))
        metadata = _field(9, _field(1, _field(1, b"scalars")))
        summary = _field(1, _field(1, tag.encode()) + metadata + _field(8, tensor))
        self._event(b"\x10" + _varint(step) + _field(5, summary))

    def close(self) -> None:
        """Ends the file."""
        self._file.close()
