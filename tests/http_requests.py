"""What comes over a connection to a server of the tests, read by h11."""

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


def headers_of(head):
    return {name.decode(): value.decode() for name, value in head.headers}
