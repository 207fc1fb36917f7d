"""Stands where an engine process would: hands its pipes to the engine that is lent, or becomes an engine itself if that one is taken.

A script without site-packages, so that it starts at once: relay.py SOCKET ARGUMENTS, these being Python's for an engine.
"""

import os
import socket
import sys

link = socket.socket(socket.AF_UNIX)
link.connect(sys.argv[1])
socket.send_fds(link, [b"?"], [0, 1, 2])
if link.recv(1) != b"!":
    os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
link.recv(1)  # nothing comes; it returns when the engine has left
