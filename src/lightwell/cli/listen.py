"""Taking the port before anything else is done, so that a busy one is told in one line."""

import errno
import socket

from lightwell.cli.failures import fail

_REASONS = {
    errno.EADDRINUSE: "Port {port} of {host} is in use; choose another one with {port_by}, or stop what listens there",
    errno.EACCES: "Port {port} needs more rights than this user has; choose one above 1023 with {port_by}",
    errno.EADDRNOTAVAIL: "{host} is no address of this machine; choose another one with {host_by}",
}


def listen(host: str, port: int, variables: str | None = None) -> socket.socket:
    """A socket that is bound to the address; ends the command with one line where that cannot be.

    `variables` is how the environment variables begin that chose the address; None where options did.
    """
    host_by, port_by = ("--host", "--port") if variables is None else (f"{variables}HOST", f"{variables}PORT")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror:
        fail(f"{host} is no address; choose another one with {host_by}")
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        reason = _REASONS.get(error.errno or 0, f"{host}:{port} cannot be listened on: {error.strerror}")
        fail(reason.format(host=host, port=port, host_by=host_by, port_by=port_by))
    listener.set_inheritable(True)
    return listener
