"""What a client asks of the server itself: who it is, whether it is well, and how it wants to be spoken to."""

from tests.protocol.scenario import Call, Look, Ping, Receive, Refused, Scenario, Send, Socket
from tests.reference.serve import PASSWORD

SCENARIOS = (
    Scenario(
        name="server",
        title="Versions, health, and what is answered to a path that is none",
        steps=(
            Call(request="GET /admin/version"),
            Call(request="GET /version"),
            Call(request="GET /health"),
            Call(request="GET /ready"),
            Call(request="GET /hello"),
            Call(request="GET /admin/settings", look=Look.STATUS),
            Call(request="GET /nothing/here"),
            Call(request="DELETE /health"),
            Call(request="GET /csrf-token?client=$uuid_client"),
            Call(request="GET /csrf-token"),
        ),
    ),
    Scenario(
        name="server-versions",
        title="Which API versions of a client are taken",
        steps=tuple(
            Call(request="POST /flows/count", body={}, headers={"X-PREFECT-API-VERSION": version}, look=Look.STATUS)
            for version in ("0.8.4", "0.8.0", "0.0.1", "9.9.9", "nonsense", "1.2", "")
        ),
    ),
    Scenario(
        name="server-versions-refused",
        title="What is said about an API version that is not taken",
        steps=(
            Call(request="GET /flows/$uuid_any", headers={"X-PREFECT-API-VERSION": "nonsense"}),
            Call(request="GET /flows/$uuid_any", headers={"X-PREFECT-API-VERSION": "0.0.1"}),
            Call(request="GET /flows/$uuid_any", headers={"X-PREFECT-API-VERSION": "99.0.0"}),
            Call(request="GET /health", headers={"X-PREFECT-API-VERSION": "nonsense"}),
            Call(request="GET /admin/version", headers={"X-PREFECT-API-VERSION": "nonsense"}),
            Call(request="GET /csrf-token?client=x", headers={"X-PREFECT-API-VERSION": "nonsense"}),
        ),
    ),
    Scenario(
        name="server-compression",
        title="An answer of more than 500 bytes is compressed for who understands it",
        steps=(
            Call(request="POST /flows/", body={"name": "$unique"}, keep=("content-encoding",)),
            Call(
                request="POST /flows/",
                body={"name": "$unique-long", "tags": ["a-long-tag-" * 60]},
                headers={"Accept-Encoding": "gzip"},
                keep=("content-encoding",),
            ),
            Call(
                request="POST /flows/",
                body={"name": "$unique-long"},
                headers={"Accept-Encoding": "identity"},
                keep=("content-encoding",),
            ),
        ),
    ),
    Scenario(
        name="guarded-password",
        title="With a password, all but health and readiness wants it",
        server="guarded",
        steps=(
            Call(request="GET /health"),
            Call(request="GET /ready"),
            Call(request="GET /admin/version", keep=("www-authenticate",)),
            Call(request="GET /version"),
            Call(request="GET /hello"),
            Call(request="GET /health/", look=Look.STATUS),
            Call(request="GET /nothing/here"),
            Call(request="GET /admin/version", headers={"Authorization": "Basic $basic"}),
            Call(request="GET /admin/version", headers={"Authorization": "Basic bm86Ym9keQ=="}),
            Call(request="GET /admin/version", headers={"Authorization": "Basic not base64"}),
            Call(request="GET /admin/version", headers={"Authorization": "Bearer $password"}),
            Socket(path="/events/in", frames=(Send(frame={"type": "auth", "token": PASSWORD}), Receive(), Ping())),
            Socket(path="/events/in", frames=(Send(frame={"type": "auth", "token": "wrong"}), Refused())),
            Socket(path="/events/in", frames=(Send(frame={"type": "auth", "token": None}), Refused())),
            Socket(path="/events/in", frames=(Send(frame={"type": "other"}), Refused())),
            Socket(path="/events/in", subprotocols=()),
            Socket(path="/events/out", frames=(Send(frame={"type": "auth", "token": "wrong"}), Refused())),
        ),
    ),
    Scenario(
        name="guarded-csrf",
        title="With CSRF protection, a change wants the token that its client was given",
        server="guarded",
        steps=(
            Call(
                request="GET /csrf-token?client=$uuid_client",
                headers={"Authorization": "Basic $basic"},
                save={"token": "token"},
            ),
            *(
                Call(request="POST /flows/count", body={}, headers={"Authorization": "Basic $basic", **headers})
                for headers in (
                    {},
                    {"Prefect-Csrf-Token": "$token"},
                    {"Prefect-Csrf-Client": "$uuid_client"},
                    {"Prefect-Csrf-Client": "$uuid_client", "Prefect-Csrf-Token": "wrong"},
                    {"Prefect-Csrf-Client": "$uuid_other", "Prefect-Csrf-Token": "$token"},
                    {"Prefect-Csrf-Client": "$uuid_client", "Prefect-Csrf-Token": "$token"},
                )
            ),
            Call(request="GET /flows/$uuid_any", headers={"Authorization": "Basic $basic"}),
            Call(request="GET /csrf-token", headers={"Authorization": "Basic $basic"}),
        ),
    ),
)
