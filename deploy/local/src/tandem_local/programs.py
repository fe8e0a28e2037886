"""The process plan: which programs run, with which environment, in which groups they are started and stopped."""

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tandem_local.credentials import PRODUCERS
from tandem_local.databases import DATABASE_OF_SERVICE, Database
from tandem_local.gateway import UPSTREAMS, envoy_command
from tandem_local.home import ISSUER, Home
from tandem_local.ports import HOST
from tandem_local.postgres import PostgresServer, write_secret

SERVICES = tuple(DATABASE_OF_SERVICE)
DUTIES = {"serve": ("runtime", "worker"), "work": ("runtime", "worker"), "migrate": ("owner",)}
SUPERVISED = "TANDEM_SUPERVISED_IN"
PORT_NAMES = (
    *UPSTREAMS,
    "envoy-admin",
    "portal-metrics",
    *(f"{service}-{command}-metrics" for service in SERVICES for command in ("serve", "work")),
)
# Groups are started in this order and stopped in the opposite one.
DATABASE, APPLICATION, EDGE = "database", "application", "edge"


@dataclass(frozen=True)
class Program:
    """One program: a command, its environment, and how it is asked to stop."""

    name: str
    group: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    stop_seconds: int = 20
    user: str | None = None


@dataclass(frozen=True)
class Places:
    """Where things are on this machine: the folder, the commands, the ports."""

    home: Home
    commands: Path
    ports: Mapping[str, int]

    def url(self, name: str) -> str:
        """Return the address of a program that answers HTTP."""
        return f"http://{HOST}:{self.ports[name]}"


def supervised_programs(
    places: Places,
    server: PostgresServer,
    databases: Mapping[str, Database],
    secrets: Mapping[str, Mapping[str, str]],
) -> list[Program]:
    """Return all programs that are kept running."""
    postgres = Program(
        "postgres", DATABASE, server.command(), stop_signal="INT", stop_seconds=60, user=server.account.user
    )
    portal = Program(
        "portal",
        APPLICATION,
        [str(places.commands / "portal"), "serve", "--host", HOST, "--port", str(places.ports["portal"])],
        {
            "TANDEM_ISSUER": ISSUER,
            "TANDEM_SIGNING_KEYS": str(places.home.keys),
            "TANDEM_CLIENTS_FILE": str(places.home.clients),
            "TANDEM_SERVICES": json.dumps({service: places.url(service) for service in SERVICES}),
            "TANDEM_METRICS_PORT": str(places.ports["portal-metrics"]),
            "TANDEM_DRAIN_SECONDS": "0",
        },
    )
    services = [
        service_program(places, server, databases[DATABASE_OF_SERVICE[service]], secrets[service], service, command)
        for service in SERVICES
        for command in ("serve", "work")
    ]
    envoy = Program("envoy", EDGE, envoy_command(places.home.envoy / "bootstrap.yaml"), stop_seconds=10)
    return [postgres, portal, *services, envoy]


def service_program(
    places: Places,
    server: PostgresServer,
    database: Database,
    secrets: Mapping[str, str],
    service: str,
    command: str,
) -> Program:
    """Return a service's `serve`, `work` or `migrate`."""
    passwords = {f"TANDEM_{duty.upper()}_PASSWORD": database.password(duty) for duty in DUTIES[command]}
    environment = {
        "TANDEM_DATABASE_HOST": server.host,
        "TANDEM_DATABASE_PORT": str(server.port),
        "TANDEM_DATABASE_NAME": database.name,
        **passwords,
        "TANDEM_JWKS_URL": places.home.key_set.as_uri(),
        "TANDEM_ISSUER": ISSUER,
        "TANDEM_CURSOR_SECRET": secrets["cursor_secret"],
        "TANDEM_FEEDS": json.dumps({producer: places.url(producer) for producer in PRODUCERS[service]}),
        "TANDEM_TOKEN_URL": f"{places.url('portal')}/oauth/token",
        "TANDEM_CLIENT_ID": service,
        "TANDEM_CLIENT_SECRET": secrets["client_secret"],
        "TANDEM_METRICS_PORT": str(places.ports.get(f"{service}-{command}-metrics", 0)),
        "TANDEM_REQUESTS_PER_SECOND": "0",
        "TANDEM_DRAIN_SECONDS": "0",
    }
    arguments = ["--host", HOST, "--port", str(places.ports[service])] if command == "serve" else []
    line = [str(places.commands / service), command, *arguments]
    return Program(f"{service}-{command}", APPLICATION, line, environment)


def write_script(home: Home, program: Program) -> Path:
    """Write the script that becomes the program; it holds passwords, so only the owner may read it."""
    exports = [f"export {name}={shlex.quote(value)}" for name, value in program.environment.items()]
    path = home.programs / f"{program.name}.sh"
    write_secret(path, "\n".join(["#!/bin/sh", *exports, f"exec {shlex.join(program.command)}", ""]))
    return path


def supervisor_configuration(home: Home, control: Path, programs: list[Program]) -> str:
    """Return supervisord's configuration: nothing starts by itself, everything that dies is started again."""
    logs = home.logs
    lines = [
        "[supervisord]",
        "nodaemon=true",
        "silent=true",
        f"logfile={_literal(logs / 'supervisord.log')}",
        "logfile_maxbytes=5MB",
        "logfile_backups=1",
        f"pidfile={_literal(home.root / 'supervisord.pid')}",
        f"directory={_literal(home.root)}",
        "nocleanup=true",
        *(["user=root"] if os.geteuid() == 0 else []),
        "",
        "[unix_http_server]",
        f"file={_literal(control)}",
        "chmod=0600",
        "",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for program in programs:
        script = write_script(home, program)
        # An account of its own could not enter the owner's folder to read the script.
        line = program.command if program.user else ["/bin/sh", str(script)]
        lines += [
            "",
            f"[program:{program.name}]",
            f"command={_literal(shlex.join(line))}",
            "autostart=false",
            "autorestart=true",
            "startsecs=1",
            "startretries=1000",
            f"stopsignal={program.stop_signal}",
            f"stopwaitsecs={program.stop_seconds}",
            "redirect_stderr=true",
            f"stdout_logfile={_literal(logs / f'{program.name}.log')}",
            "stdout_logfile_maxbytes=10MB",
            "stdout_logfile_backups=1",
            *([f"user={program.user}", "directory=/"] if program.user else []),
        ]
    for priority, group in enumerate((DATABASE, APPLICATION, EDGE), start=1):
        members = ",".join(program.name for program in programs if program.group == group)
        lines += ["", f"[group:{group}]", f"programs={members}", f"priority={priority * 100}"]
    return "\n".join([*lines, ""])


def _literal(value: object) -> str:
    """Return the text with what supervisord would expand made literal."""
    return str(value).replace("%", "%%")
