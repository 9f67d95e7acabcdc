"""Record what the reference implementation says: `python tests/search/golden/record.py MODEL`.

Needs `sentence-transformers` and `torch`, which the project does not use: install them elsewhere. MODEL is
the folder of all-MiniLM-L6-v2. Writes `golden.json` beside itself: word pieces of sentences and of nasty
texts, and vectors of the sentences in ten-thousandths.
"""

import json
import random
import sys
import unicodedata
from pathlib import Path

from sentence_transformers import SentenceTransformer

HERE = Path(__file__).parent
SENTENCES = (
    "How do I get my money back for a flight that was two hours late?",
    "The agent never promises a refund above 200 dollars without asking a supervisor.",
    "Refund",
    "",
    "Ask for the order number before looking anything up, and read it back to the customer.",
    "Do not mention competitors by name, whether or not the customer does.",
    "A customer who asks to speak with a human is handed over at once, whatever the hour.",
    "Card numbers are masked but for the last four digits: 4111 1111 1111 1111 becomes **** 1111.",
    "wire transfers over $10,000.00 to a new payee need a second approver",
    "I've been charged twice!!! Fix this NOW or I'm calling my lawyer",
    "Für Kündigungen gilt eine Frist von vierzehn Tagen; Überweisungen folgen später.",
    "El cliente debe confirmar su dirección antes de que el pedido sea enviado.",
    "お客様の注文番号を確認してから返金を処理してください。",
    "Возврат возможен в течение 30 дней после покупки.",
    "Never state medical doses. Offer to connect the patient with a pharmacist instead.",
    "naïve café résumé coöperate Straße İstanbul ΑΒΓ ΣΊΣΥΦΟΣ",
    "SELECT * FROM orders WHERE id = 'A-2041'; -- drop nothing",
    "https://example.com/returns?item=42&reason=too%20small",
    "tool_call.arguments.amount <= 5000 && user.verified == true",
    "😀 great service 👍🏽 would buy again 🎉",
    "supercalifragilisticexpialidocious pneumonoultramicroscopicsilicovolcanoconiosis",
    "x" * 101 + " is too long for a word, " + "y" * 100 + " is not",
    "[CLS] a text that names [SEP] the marks [MASK] of the model [PAD]",
    "Escalate. " * 60,
    "When the delivery is more than five days late the agent apologises once, offers a voucher of ten euros, "
    "and writes down which courier it was so that the weekly report can name it. " * 9,
)
ALPHABETS = (
    (0x20, 0x7F), (0x20, 0x7F), (0x00, 0x20), (0xA0, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x600),
    (0x620, 0x6E0), (0x900, 0x970), (0xE00, 0xE5C), (0x1100, 0x1200), (0x1E00, 0x2070), (0x20A0, 0x20B0),
    (0x2190, 0x2200), (0x3000, 0x3100), (0x4E00, 0x4F00), (0xAC00, 0xAD00), (0xE000, 0xE010),
    (0xF900, 0xF930), (0xFB00, 0xFB07), (0xFE50, 0xFEFF), (0xFF00, 0xFFEF), (0xFFF9, 0xFFFE),
    (0x1D400, 0x1D430), (0x1F300, 0x1F5FF), (0x20000, 0x20010), (0x2F800, 0x2F810),
)  # fmt: skip
NASTY = 400


def nasty(rng: random.Random) -> str:
    """Return words of mixed alphabets, glued and torn as nobody writes."""
    parts = []
    for _ in range(rng.randint(1, 12)):
        low, high = rng.choice(ALPHABETS)
        letters = [chr(rng.randrange(low, high)) for _ in range(rng.randint(1, 6))]
        parts.append("".join(each for each in letters if is_old(each)))
        parts.append(rng.choice(("", "", " ", "  ", ".", "-", "'", "[MASK]", "\t", "\u200d")))
    return "".join(parts)


def is_old(character: str) -> bool:
    """Return whether a character is older than the tables of the reference: later marks are told apart."""
    return unicodedata.category(character) != "Cn" and character not in "\u061c\u08e2\u166d\u1734\u09fd"


def main() -> None:
    """Write the golden file."""
    model = SentenceTransformer(sys.argv[1], device="cpu")
    rng = random.Random(20_261_121)
    texts = [*SENTENCES, *(nasty(rng) for _ in range(NASTY))]
    backend = model.tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    ids = [backend.encode(each).ids for each in texts]
    vectors = model.encode(list(SENTENCES), batch_size=1, normalize_embeddings=True)
    golden = {
        "sentences": len(SENTENCES),
        "texts": texts,
        "ids": ids,
        "vectors": [[round(float(each) * 10_000) for each in row] for row in vectors],
    }
    (HERE / "golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main()
