"""Which media type a file's ending stands for; the system's own tables differ too much to be asked."""

from __future__ import annotations

from typing import Final

DEFAULT: Final = "application/octet-stream"

_TEXT: Final = {
    "css": "text/css",
    "csv": "text/csv",
    "htm": "text/html",
    "html": "text/html",
    "ics": "text/calendar",
    "js": "text/javascript",
    "log": "text/plain",
    "map": "application/json",
    "md": "text/markdown",
    "mjs": "text/javascript",
    "txt": "text/plain",
    "vtt": "text/vtt",
}
_BINARY: Final = {
    "apng": "image/apng",
    "atom": "application/atom+xml",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "cast": "application/x-asciicast",
    "crt": "application/x-x509-ca-cert",
    "eot": "application/vnd.ms-fontobject",
    "flac": "audio/flac",
    "gif": "image/gif",
    "gz": "application/gzip",
    "ico": "image/x-icon",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "opus": "audio/ogg",
    "otf": "font/otf",
    "pdf": "application/pdf",
    "pem": "application/x-pem-file",
    "png": "image/png",
    "rss": "application/rss+xml",
    "svg": "image/svg+xml",
    "tar": "application/x-tar",
    "ttf": "font/ttf",
    "wasm": "application/wasm",
    "wav": "audio/wav",
    "weba": "audio/webm",
    "webm": "video/webm",
    "webmanifest": "application/manifest+json",
    "webp": "image/webp",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "xhtml": "application/xhtml+xml",
    "xml": "application/xml",
    "zip": "application/zip",
}


def content_type(name: str) -> str:
    """Return the Content-Type for a file called `name`; text is said to be UTF-8."""
    _, dot, ending = name.rpartition(".")
    ending = ending.lower() if dot else ""
    if ending in _TEXT:
        return _TEXT[ending] + "; charset=utf-8"
    return _BINARY.get(ending, DEFAULT)
