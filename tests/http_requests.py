"""What comes and goes over a connection to a server of the tests, by h11."""

import h11


async def next_request(state, reader):
    """The head and the body of the next request, None at the end."""
    head, body = None, b""
    while True:
        event = state.next_event()
        if event is h11.NEED_DATA:
            state.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return head, body
        else:
            return None


async def send_answer(state, writer, status, headers, body):
    """Send a whole answer, and be ready for the next request."""
    said = {"content-length": str(len(body)), **headers}
    writer.write(
        state.send(h11.Response(status_code=status, headers=list(said.items())))
        + (state.send(h11.Data(data=body)) if body else b"")
        + state.send(h11.EndOfMessage())
    )
    await writer.drain()
    state.start_next_cycle()


def headers_of(head):
    return {name.decode(): value.decode() for name, value in head.headers}
