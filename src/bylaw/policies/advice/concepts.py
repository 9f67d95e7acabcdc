"""Words that authors of policies use for one thing, and words that do not tell which policy is meant."""

from collections.abc import Iterable, Mapping
from typing import Final

from bylaw.policies.advice.words import content_stems, stem

# A concept and the words that stand for it; a word may stand for several.
_GROUPS: Final[Mapping[str, str]] = {
    "#privacy": (
        "privacy private personal pii gdpr mask redact transcript logged surname birthday hipaa ccpa "
        "passport ssn identifiable anonymise phone iban"
    ),
    "#secret": "secret credential aws keys password token apikey passphrase vault ssh pem env",
    "#injection": (
        "injection inject jailbreak hijack malicious attacker phishing trick hidden instructions "
        "adversarial override manipulate poisoned untrusted"
    ),
    "#refund": (
        "refund reimburse returns goods warranty reimbursement moneyback chargeback compensation repay"
    ),
    "#discount": (
        "discount voucher coupon rebate promotion price cheaper lower negotiate markdown haggle bargain"
    ),
    "#invoice": (
        "invoice bill bills payable finance four-eyes purchase-to-pay vendor supplier bookkeeping "
        "accounts procurement bank"
    ),
    "#handover": (
        "escalate escalation frustrated angry complaint furious upset human person handover handoff "
        "supervisor operator"
    ),
    "#danger": "suicide suicidal harm self-harm violence crisis emergency distress",
    "#destroy": "delete drop destroy wipe erase truncate destructive rm overwrite irreversible clean",
    "#production": (
        "production prod live kubernetes kubectl cluster terraform cloud devops deploy migration outage "
        "infrastructure"
    ),
    "#database": "database dba analytics sql table query postgres mysql rows schema",
    "#git": "git branch push rebase history commit",
    "#email": "email mail mailing newsletter inbox outbound recipient spam stranger",
    "#external": "external outsider outside third-party outbound partner",
    "#share": "share sharing link public upload leak exfiltrate document",
    "#medical": (
        "medical medicine pharmacy pharmacist hospital tablet ibuprofen illness disease therapy health "
        "healthcare doctor diagnosis diagnose patient clinic dose drug symptom nurse"
    ),
    "#legal": "legal law lawyer attorney contract litigation lawsuit court sue",
    "#finance": (
        "financial adviser advisor robo-adviser wealth fund pension tax investment invest stock crypto "
        "trading trade trader loan shares portfolio brokerage"
    ),
    "#hiring": (
        "hiring hire job vacancy screening applications recruit recruiter recruitment candidate applicant "
        "resume cv interview bias discrimination discriminate"
    ),
    "#employee": "employee salary payroll staff hr wage personnel",
    "#code": "code coding developer programming software programmer engineer repository repo",
    "#package": "package dependency npm pip pypi install library typosquatting",
    "#shell": "server shell bash terminal command curl wget script",
    "#merge": "merge pull review reviewer ci tests",
    "#model": (
        "model llm shadow vendor-approved claude chatgpt gpt provider openai anthropic gemini llama "
        "vendor allowlist preview"
    ),
    "#spend": (
        "spend spending bill openai invoice-cost pricey dollars euros budget cost purchase buy expense "
        "expensive overspend money"
    ),
    "#tokens": "token usage consumption",
    "#region": (
        "region residency hosting hosted frankfurt ireland paris sovereign transfer countries eu europe "
        "european germany german country sovereignty abroad datacenter schrems cross-border"
    ),
    "#minor": (
        "minor homework classroom student child children kid teen teenager underage parent coppa young "
        "pupil school"
    ),
    "#adult": "alcohol tobacco gambling betting age adult wine beer",
    "#tone": (
        "tone voice wording manners tone-of-voice style polite rude insult profanity swear abusive toxic "
        "offensive friendly"
    ),
    "#brand": "brand marketing claim guarantee advertising promise competitor rival",
    "#order": "order parcel package-delivery courier shipping shipment delivery tracking",
    "#verify": (
        "verify verification caller pretend password-reset identity authenticate authentication "
        "impersonation impersonate fraud"
    ),
    "#picture": "picture image markdown pixel",
    "#export": "export bulk dump extract records",
}


def _by_stem(groups: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    """Return the concepts of each word, by its stem."""
    found: dict[str, tuple[str, ...]] = {}
    for concept, words in groups:
        for each in {stem(word) for word in words.split()}:
            found[each] = (*found.get(each, ()), concept)
    return found


CONCEPTS: Final = _by_stem(_GROUPS.items())
# Words of most policies and most needs.
GENERIC: Final = frozenset(
    content_stems(
        """agent agents ai assistant bot chatbot llms policy policies rule rules company companies business
        organisation organization team teams want like make makes use uses using used user users customer
        customers client clients work works help prevent stop ensure avoid block reject allow hold flag
        keep answer answers reply say says tell ask asks asked ever let give gives given see people
        somebody anybody everybody nobody nothing something thing things one two three new day days year
        first own without until waits wait approve approved approval tool tools call calls text data
        information get system systems conversation conversations chat support service services build
        building run runs running go good bad safe safely safety secure security control limit limits need
        needs protect guard governance compliance compliant prompt prompts output input instance time
        every don set last next month week hour account number numbers amount anyone everyone whatever
        much many again may must should comply really long app product name"""
    )
)
