"""What is run here is what the document says."""

from __future__ import annotations

import pytest

from tests.clients import document


def test_python_is_the_document_s_but_for_indentation() -> None:
    restored = [line.strip() for line in document.PYTHON_CLASS.splitlines()]
    assert restored == document.FLAT_PYTHON_CLASS.splitlines()


@pytest.mark.parametrize(
    ("example", "first", "last"),
    [
        (document.BROWSER_CLASS, "class RotoclearWebSocketClient {", "client.startRecording();"),
        (document.REACT_HOOK, "import { useEffect, useState, useRef } from 'react';", "}"),
        (document.NODE_CLASS, "const WebSocket = require('ws');", "})();"),
        (document.RECONNECTION, "class RobustWebSocketClient {", "}"),
        (document.AUTHENTICATION_STATE, "class AuthenticatedClient {", "}"),
        (document.QUEUE, "class QueuedWebSocketClient {", "}"),
        (document.THROTTLE, "class ThrottledClient {", "}"),
    ],
)
def test_examples_are_cut_where_they_begin_and_end(example: str, first: str, last: str) -> None:
    lines = example.splitlines()
    assert (lines[0], lines[-1]) == (first, last)
