"""Pictures of pages with few colours: a fourth of their size, and no difference that one sees."""

import base64
import zlib
from typing import Final

import numpy as np
from playwright.async_api import Page

_MOST: Final = 256
# Colours that differ in what comes after so many bits look alike.
_ALIKE_BITS: Final = 4
_PIXELS: Final = """
async png => {
  const bytes = Uint8Array.from(atob(png), each => each.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const {data} = context.getImageData(0, 0, image.width, image.height);
  let text = "";
  for (let at = 0; at < data.length; at += 32768)
    text += String.fromCharCode(...data.subarray(at, at + 32768));
  return [image.width, image.height, btoa(text)];
}
"""


async def shrunk(page: Page, png: bytes) -> bytes:
    """Return a picture with at most 256 colours: those used most, and one of each kind of the others."""
    width, height, pixels = await page.evaluate(_PIXELS, base64.b64encode(png).decode())
    seen = np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(-1, 4).astype(np.int32)
    packed = seen[:, 0] << 16 | seen[:, 1] << 8 | seen[:, 2]
    found, which, counts = np.unique(packed, return_inverse=True, return_counts=True)
    colours = np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1)
    often = colours[np.argsort(-counts)]
    _, first = np.unique(often >> _ALIKE_BITS, axis=0, return_index=True)
    kept = often[np.union1d(np.arange(min(_MOST // 2, len(often))), first)[:_MOST]]
    nearest = ((colours[:, None, :] - kept[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
    return _png(nearest[which].astype(np.uint8).reshape(height, width), kept.astype(np.uint8))


def _png(rows: np.ndarray, palette: np.ndarray) -> bytes:
    """Return the file of a picture whose pixels are places in a palette, each row without a filter."""
    height, width = rows.shape
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 3, 0, 0, 0])
    lines = np.hstack([np.zeros((height, 1), np.uint8), rows]).tobytes()
    chunks = [_chunk(b"IHDR", header), _chunk(b"PLTE", palette.tobytes())]
    chunks += [_chunk(b"IDAT", zlib.compress(lines, 9)), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
