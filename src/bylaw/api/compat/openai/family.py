"""OpenAI's contract as a family: its paths, also those that are not served, fail in its way."""

from types import MappingProxyType
from typing import Final

from bylaw.api.compat.openai import models
from bylaw.api.compat.openai.translate import dress
from bylaw.api.compat.openai.wire import OpenAiFailure
from bylaw.api.family import Family
from bylaw.api.openapi import Examples

# What a client of OpenAI may call beside chat completions.
_UNSERVED: Final = (
    "/v1/assistants",
    "/v1/audio/",
    "/v1/batches",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/files",
    "/v1/fine_tuning/",
    "/v1/images/",
    "/v1/moderations",
    "/v1/realtime",
    "/v1/responses",
    "/v1/threads",
    "/v1/uploads",
    "/v1/vector_stores",
    "/v1/videos",
)

OPENAI: Final = Family(
    name="openai",
    prefixes=("/v1/chat/", "/v1/models", *_UNSERVED),
    routers=(models.router,),
    dress=dress,
    fails_with=OpenAiFailure,
    examples=Examples(
        whole=MappingProxyType(
            {
                "ChatRequest": {
                    "model": "gpt-4.1",
                    "messages": [{"role": "user", "content": "Draft a short letter to our customers."}],
                    "metadata": {"user_id": "ada", "conversation_id": "conv-8841"},
                }
            }
        ),
        words=MappingProxyType(
            {
                "id": ["chatcmpl-rcpt_01M7Z5P01F4RC8MEN98Y4PJ4HV"],
                "OfferedModel.id": ["gpt-4.1"],
                "owned_by": ["openai"],
                "model": ["gpt-4.1"],
                "content": ["Dear customers, thank you for your trust."],
                "refusal": [None],
                "tool_calls": [None],
                "created": [1_768_035_600],
                "prompt_tokens": [14],
                "completion_tokens": [9],
                "total_tokens": [23],
            }
        ),
        answers=MappingProxyType({}),
    ),
    parameters=MappingProxyType({"model": "The model, by the name under which its provider knows it."}),
)
