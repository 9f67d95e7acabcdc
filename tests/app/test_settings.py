import pytest

from bylaw import settings
from bylaw.core.errors import InvalidInput

SSO = {
    "BYLAW_SSO_ISSUER": "https://login.example.com/realms/acme",
    "BYLAW_SSO_CLIENT_ID": "bylaw",
    "BYLAW_SSO_CLIENT_SECRET": "a secret",
    "BYLAW_PUBLIC_URL": "https://bylaw.example.com",
    "BYLAW_OUTGOING": "public",
}


def refused(flags, environ):
    with pytest.raises(InvalidInput) as caught:
        settings.load(flags, environ)
    return caught.value


def test_nothing_set_gives_the_defaults():
    assert settings.load({}, {"PATH": "/bin"}) == settings.Settings()


def test_a_flag_wins_over_a_variable_over_the_file_over_the_default(tmp_path):
    file = tmp_path / "bylaw.toml"
    file.write_text("[server]\nport = 1\nrequest_ms = 5000\n[storage]\nfollow_ms = 20\n")
    environ = {"BYLAW_CONFIG": str(file), "BYLAW_PORT": "2", "BYLAW_REQUEST_MS": "6000"}
    found = settings.load({"port": 3, "host": None}, environ)
    assert (found.server.port, found.server.request_ms, found.storage.follow_ms) == (3, 6000, 20)
    assert found.server.host == "127.0.0.1"


def test_an_unknown_variable_is_refused_with_the_nearest_name():
    error = refused({}, {"BYLAW_PROT": "80"})
    assert error.problems[0].code == "unknown_setting"
    assert "Did you mean BYLAW_PORT?" in error.message


def test_variables_of_other_programs_are_let_through():
    settings.load({}, {name: "x" for name in settings.OTHERS if name != "BYLAW_CONFIG"})


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"BYLAW_PORT": "http"}, "BYLAW_PORT is a whole number, not 'http'"),
        ({"BYLAW_PORT": "70000"}, "BYLAW_PORT is at most 65535"),
        ({"BYLAW_BODY_BYTES": "1"}, "BYLAW_BODY_BYTES is at least 1024"),
        ({"BYLAW_EXPOSE": "maybe"}, "BYLAW_EXPOSE is true or false"),
        ({"BYLAW_TRACES": "jaeger"}, "BYLAW_TRACES is one of off, otlp"),
        ({"BYLAW_DATA": ""}, "BYLAW_DATA is empty"),
        (
            {"BYLAW_DATA": "d", "BYLAW_DATABASE": "postgresql://h/d", "BYLAW_KEY_FILE": "k"},
            "BYLAW_DATA has no",
        ),
        ({"BYLAW_DATABASE_OWNER": "postgresql://h/d"}, "BYLAW_DATABASE_OWNER has no effect"),
        ({"BYLAW_COMPARE_IN": "postgres"}, "BYLAW_COMPARE_IN has no effect"),
        ({"BYLAW_DATABASE": "postgresql://h/d"}, "BYLAW_DATABASE needs --key-file"),
        ({"BYLAW_EXPOSE": "true"}, "BYLAW_EXPOSE has no effect while the host is loopback"),
        ({"BYLAW_HOST": "0.0.0.0"}, "BYLAW_HOST '0.0.0.0' is not loopback"),
        (
            {"BYLAW_DATABASE": "mysql://u:secret@h/d", "BYLAW_KEY_FILE": "k"},
            "BYLAW_DATABASE begins with postgresql://, as in",
        ),
        ({"BYLAW_PROXIES": "10.0.0.1, lb.internal"}, "BYLAW_PROXIES: 'lb.internal' does not appear to be"),
        ({"BYLAW_SSO_LABEL": "Acme"}, "BYLAW_SSO_LABEL has no effect without a provider"),
        ({"BYLAW_PASSWORD_SIGN_IN": "no"}, "BYLAW_PASSWORD_SIGN_IN needs BYLAW_SSO_ISSUER"),
        (SSO | {"BYLAW_SSO_CLIENT_ID": None}, "BYLAW_SSO_ISSUER needs BYLAW_SSO_CLIENT_ID"),
        (SSO | {"BYLAW_SSO_CLIENT_SECRET": None}, "BYLAW_SSO_ISSUER needs BYLAW_SSO_CLIENT_SECRET_FILE"),
        (SSO | {"BYLAW_SSO_CLIENT_SECRET_FILE": "f"}, "BYLAW_SSO_CLIENT_SECRET has no effect beside"),
        (SSO | {"BYLAW_PUBLIC_URL": None}, "BYLAW_SSO_ISSUER needs BYLAW_PUBLIC_URL"),
        (SSO | {"BYLAW_OUTGOING": None}, "BYLAW_SSO_ISSUER has no effect while this server may call nobody"),
        (SSO | {"BYLAW_SSO_SCOPES": "email"}, "BYLAW_SSO_SCOPES holds `openid` and `email`"),
        (SSO | {"BYLAW_SSO_ISSUER": "http://login.example.com"}, "BYLAW_SSO_ISSUER begins with https://"),
        (
            SSO | {"BYLAW_SSO_ISSUER": "https://login.example.com?a=b"},
            "BYLAW_SSO_ISSUER begins with https://",
        ),
        (SSO | {"BYLAW_SSO_ISSUER": "https://[login"}, "BYLAW_SSO_ISSUER begins with https://"),
        (SSO | {"BYLAW_SSO_ISSUER": "http://localhost:1"}, "BYLAW_SSO_ISSUER is on this machine"),
        ({"BYLAW_JUDGE_SAMPLES": "3"}, "BYLAW_JUDGE_SAMPLES has no effect without a model"),
        ({"BYLAW_JUDGE_MODEL": "m"}, "BYLAW_JUDGE_MODEL has no effect while this server may call nobody"),
        (
            {"BYLAW_JUDGE_MODEL": "m", "BYLAW_JUDGE_URL": "http://[::1]:1/v1", "BYLAW_OUTGOING": "public"},
            "BYLAW_JUDGE_MODEL is on this machine: set BYLAW_OUTGOING=any",
        ),
        (
            {"BYLAW_JUDGE_MODEL": "m", "BYLAW_JUDGE_API": "ollama", "BYLAW_OUTGOING": "public"},
            "BYLAW_JUDGE_MODEL is on this machine: set BYLAW_OUTGOING=any",
        ),
        (
            {
                "BYLAW_JUDGE_MODEL": "m",
                "BYLAW_JUDGE_KEY": "k",
                "BYLAW_JUDGE_KEY_FILE": "f",
                "BYLAW_OUTGOING": "public",
            },
            "BYLAW_JUDGE_KEY has no effect beside BYLAW_JUDGE_KEY_FILE",
        ),
        ({"BYLAW_CONFIG": "/does/not/exist.toml"}, "BYLAW_CONFIG: the file /does/not/exist.toml"),
    ],
)
def test_a_bad_or_inert_setting_is_refused_by_name(environ, words):
    assert words in refused({}, {name: said for name, said in environ.items() if said is not None}).message


def test_single_sign_on_that_is_whole_is_taken():
    near = {"BYLAW_SSO_ISSUER": "http://127.0.0.1:9/", "BYLAW_OUTGOING": "any"}
    for environ in (SSO, SSO | near, SSO | {"BYLAW_PASSWORD_SIGN_IN": "false"}):
        assert settings.load({}, environ).sign_in.sso_issuer == environ["BYLAW_SSO_ISSUER"]


def test_a_secret_is_never_repeated():
    assert "secret" not in refused({"database": "mysql://u:secret@h/d", "key_file": "k"}, {}).message


def test_the_key_of_the_judge_is_never_repeated():
    said = {"BYLAW_JUDGE_KEY": "sk-secret", "BYLAW_JUDGE_KEY_FILE": "f", "BYLAW_JUDGE_MODEL": "m"}
    assert "sk-secret" not in refused({}, said).message


def test_who_never_signs_needs_no_key_file():
    assert settings.load({"database": "postgresql://h/d"}, {}, signs=False).storage.key_file == ""


def test_an_inert_flag_is_named_as_it_was_written():
    error = refused({"data": "d", "database": "postgresql://h/d", "key_file": "k"}, {})
    assert error.message == "--data has no effect beside --database: leave one of the two out."


@pytest.mark.parametrize("text", ["[server]\nprot = 1\n", "port = 1\n", "[servr]\nport = 1\n"])
def test_an_unknown_file_key_is_refused(tmp_path, text):
    file = tmp_path / "bylaw.toml"
    file.write_text(text)
    assert refused({}, {"BYLAW_CONFIG": str(file)}).problems[0].code == "unknown_setting"


def test_every_setting_has_a_text_and_a_name_of_its_own():
    known = list(settings.known())
    assert all(each.text.endswith(".") for each in known)
    assert len({each.name for each in known}) == len(known)
    assert {each.unit for each in known if each.name.endswith("_ms")} == {"ms"}
    assert {each.unit for each in known if each.name.endswith("_bytes")} == {"bytes"}
